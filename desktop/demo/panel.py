"""The simulator panel: everything a customer and a shop's wiring would do, by click or typing."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.demo.beside import Beside
from desktop.demo.shop import Bench
from desktop.demo.stock import People, Stock, card_of
from hardware.simulators.payment_books import Behaviour
from hardware.simulators.printer import PrintedJob
from shared.catalogue.goods import Goods, SoldBy
from shared.language import Language, words

WIDTH = 420
PAPER_WIDTH = 360
GRAMS = 640
"""What the labels of weighed goods say."""
OVERLOADED_GRAMS = 16_000
WALLET_CODE = "134567890123456789"
SMALL_CHANGE = 100


class SimulatorPanel(QWidget):
    """Beside the till's window; speaks to the simulators only."""

    printed = Signal(bytes)
    """A paper's picture; sent from the printer's own thread."""

    def __init__(
        self,
        bench: Bench,
        stock: Stock,
        people: People,
        *,
        devices: Beside,
        language: Language,
        beside: QWidget | None = None,
    ) -> None:
        # A tool window of the till's: it goes when that one is closed.
        super().__init__(beside, Qt.WindowType.Tool)
        self._bench = bench
        self._devices = devices
        self._stock = stock
        self._people = people
        self._language = language
        self._say = words(language)
        self._paper = QLabel(self._say("demo.no-paper"))
        self.setWindowTitle(self._say("demo.title"))
        self.setFixedWidth(WIDTH)
        layout = QVBoxLayout(self)
        layout.addWidget(self._tabs(), 1)
        layout.addWidget(self._scale())
        layout.addWidget(self._wallet())
        layout.addWidget(self._terminal())
        layout.addWidget(self._fiscal())
        layout.addWidget(self._cable())
        self.printed.connect(self._show_paper)

    def took_paper(self, job: PrintedJob, picture: bytes) -> None:
        """A paper came out; from any thread."""
        del job
        self.printed.emit(picture)

    def _tabs(self) -> QTabWidget:
        tabs = QTabWidget()
        tabs.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        tabs.addTab(self._goods(), self._say("demo.goods"))
        tabs.addTab(self._members(), self._say("demo.members"))
        scroll = QScrollArea()
        scroll.setWidget(self._paper)
        scroll.setWidgetResizable(True)
        self._paper.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        tabs.addTab(scroll, self._say("demo.paper"))
        return tabs

    def _goods(self) -> QWidget:
        page = QWidget()
        search = QLineEdit()
        search.setPlaceholderText(self._say("demo.search"))
        rows = QListWidget()
        search.textChanged.connect(lambda text: self._fill(rows, text))
        search.returnPressed.connect(lambda: self._scan_row(rows.item(0)))
        rows.itemClicked.connect(self._scan_row)
        self._fill(rows, "")
        layout = QVBoxLayout(page)
        layout.addWidget(search)
        layout.addWidget(rows, 1)
        return page

    def _fill(self, rows: QListWidget, text: str) -> None:
        rows.clear()
        wanted = text.strip().casefold()
        for goods in self._stock.goods:
            known = f"{goods.name_zh} {goods.name_en} {' '.join(goods.barcodes)}".casefold()
            if wanted in known:
                price = f"{goods.list_price_minor / SMALL_CHANGE:.2f}"
                row = QListWidgetItem(f"{goods.name(self._language)}   {price}")
                row.setData(Qt.ItemDataRole.UserRole, self._code_of(goods))
                rows.addItem(row)

    def _code_of(self, goods: Goods) -> str:
        if goods.sold_by is SoldBy.WEIGHT:
            return self._stock.label(goods.name_zh, GRAMS)
        return goods.barcodes[0]

    def _scan_row(self, row: QListWidgetItem | None) -> None:
        if row is not None:
            self._bench.scanner.scan(row.data(Qt.ItemDataRole.UserRole))

    def _members(self) -> QWidget:
        rows = QListWidget()
        for number, person in enumerate(self._people.members, 1):
            row = QListWidgetItem(f"{person.name}   {person.tier}")
            row.setData(Qt.ItemDataRole.UserRole, card_of(number))
            rows.addItem(row)
        rows.itemClicked.connect(
            lambda row: self._bench.reader.tap(row.data(Qt.ItemDataRole.UserRole))
        )
        return rows

    def _scale(self) -> QWidget:
        """What lies on the scale, and a hand that touches it."""
        grams = QSpinBox()
        grams.setRange(-100, OVERLOADED_GRAMS)
        grams.setSingleStep(10)
        grams.setSuffix(" g")
        grams.valueChanged.connect(self._bench.scale.put)
        moving = QCheckBox(self._say("demo.scale-moving"))
        moving.toggled.connect(lambda is_moving: self._bench.scale.shake(is_moving=is_moving))
        line = QWidget()
        layout = QHBoxLayout(line)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel(self._say("demo.scale")))
        layout.addWidget(grams, 1)
        layout.addWidget(moving)
        return line

    def _wallet(self) -> QWidget:
        pay = _button(self._say("demo.wallet"), lambda: self._bench.scanner.scan(WALLET_CODE))
        silent = _button(
            self._say("demo.wallet-silent"),
            lambda: self._bench.wallet.script(Behaviour.LOSE_ANSWER),
        )
        line = QWidget()
        layout = QHBoxLayout(line)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(pay)
        layout.addWidget(silent)
        return line

    def _terminal(self) -> QWidget:
        """What the next card does at the terminal; without a click it pays at once."""
        devices = self._devices
        buttons = (
            ("declined", lambda: devices.next_card(Behaviour.DECLINE)),
            ("slow", lambda: devices.next_card(Behaviour.SLOW)),
            ("pays", devices.pay_now),
        )
        line = QWidget()
        layout = QHBoxLayout(line)
        layout.setContentsMargins(0, 0, 0, 0)
        for key, clicked in buttons:
            layout.addWidget(_button(self._say(f"demo.card-{key}"), clicked))
        return line

    def _fiscal(self) -> QCheckBox:
        plug = QCheckBox(self._say("demo.fiscal"))
        plug.setChecked(True)
        plug.toggled.connect(self._devices.plug_fiscal)
        return plug

    def _cable(self) -> QCheckBox:
        cable = QCheckBox(self._say("demo.network"))
        cable.setChecked(True)
        plug = self._bench.plug
        cable.toggled.connect(lambda is_in: plug.plug_in() if is_in else plug.pull())
        return cable

    def _show_paper(self, picture: bytes) -> None:
        pixmap = QPixmap()
        pixmap.loadFromData(picture)
        self._paper.setPixmap(
            pixmap.scaledToWidth(PAPER_WIDTH, Qt.TransformationMode.SmoothTransformation)
        )


def _button(text: str, clicked: Callable[[], object]) -> QPushButton:
    made = QPushButton(text)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    made.clicked.connect(lambda _checked: clicked())
    return made

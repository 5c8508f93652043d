"""The sale page: table and totals left, member and tiles or the tender panel right."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from desktop.presenters.intent import Act, Intent
from desktop.presenters.text import Message, Tone
from desktop.presenters.view import ChangeStrip, Choices, SaleView, Sheet
from desktop.ui.basket_table import BasketTable
from desktop.ui.design import GRID, TOUCH, Design, Size
from desktop.ui.member_card import MemberCard
from desktop.ui.pieces import button, card, label, note_label, restyle, with_sign
from desktop.ui.sheet import SheetWidget
from desktop.ui.sheet_parts import ChoicesWidget
from desktop.ui.tender_panel import TenderPanelWidget
from desktop.ui.wording import Wording

LEFT_SHARE = 11
RIGHT_SHARE = 9
TILE_COLUMNS = 3

Post = Callable[[Intent], None]


class SalePageWidget(QWidget):
    """Paints a ``SaleView``."""

    def __init__(self, design: Design, post: Post, now: Callable[[], float]) -> None:
        super().__init__()
        self._post = post
        self._now = now
        self._table = BasketTable(design, lambda line: post(Act("line", line)))
        self._strip = _Strip(lambda: post(Act("undo")))
        self._message = note_label("", Tone.INFO)
        self._entry = label(size=Size.LARGE)
        self._count = label()
        self._saved = label()
        self._total_name = label(muted=True)
        self._total = label(size=Size.HUGE, bold=True, right=True)
        self._member = MemberCard()
        self._tiles_title = label(size=Size.SMALL, muted=True)
        self._tiles = ChoicesWidget(design, lambda name, value: post(Act(name, value)))
        self._tender = TenderPanelWidget(design, post, now)
        self.sheet = SheetWidget(design, post)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GRID * 3, GRID * 3, GRID * 3, 0)
        layout.setSpacing(GRID * 3)
        self._basket = self._left()
        for side, share in ((self._basket, LEFT_SHARE), (self._right(), RIGHT_SHARE)):
            # The halves keep their widths whatever stands in them: nothing jumps.
            side.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            layout.addWidget(side, share)

    def _left(self) -> QWidget:
        frame = card()
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(0, 0, 0, GRID * 3)
        layout.setSpacing(0)
        layout.addWidget(self._table, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(GRID * 4, GRID * 2, GRID * 4, 0)
        foot.setSpacing(GRID * 2)
        foot.addWidget(self._strip)
        foot.addWidget(self._message)
        foot.addWidget(_entry_frame(self._entry))
        totals = QHBoxLayout()
        totals.addWidget(self._count)
        totals.addSpacing(GRID * 4)
        totals.addWidget(self._saved)
        totals.addStretch(1)
        totals.addWidget(self._total_name)
        totals.addSpacing(GRID * 2)
        totals.addWidget(self._total)
        foot.addLayout(totals)
        layout.addLayout(foot)
        return frame

    def _right(self) -> QWidget:
        side = QWidget()
        self._stack = QStackedLayout(side)
        browse = QWidget()
        layout = QVBoxLayout(browse)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID * 2)
        layout.addWidget(self._member)
        layout.addWidget(self._tiles_title)
        layout.addWidget(self._tiles)
        layout.addStretch(1)
        for widget in (browse, self._tender, self.sheet):
            self._stack.addWidget(widget)
        return side

    def show_sale(
        self,
        sale: SaleView,
        overlay: Sheet | None,
        message: Message | None,
        wording: Wording,
        stack: tuple[int, ...],
    ) -> None:
        """Paint it; an overlay takes the right half, its messages with it; one with something to
        look at takes all."""
        self._basket.setVisible(overlay is None or overlay.aside is None)
        self._table.show_rows(sale.lines, wording)
        self._strip.show_change(sale.change, wording)
        self._show_message(message if overlay is None else None, wording)
        self._show_entry(sale, wording)
        self._count.setText(wording.say("till.sale.items", count=sale.items))
        saved = wording.say("till.sale.saved", amount=wording.money(sale.saved))
        self._saved.setText(saved if sale.saved else "")
        self._total_name.setText(wording.say("till.sale.total"))
        self._total.setText(wording.money(sale.total))
        self._total.setAccessibleName(f"{self._total_name.text()} {self._total.text()}")
        self._show_right(sale, overlay, message, wording, stack)

    def _show_entry(self, sale: SaleView, wording: Wording) -> None:
        quantity = f"{sale.quantity} × " if sale.quantity else ""
        if sale.comes_in:
            quantity = f"{wording.say('till.sale.comes-in')} {quantity}"
        is_empty = not (quantity or sale.entry)
        shown = wording.say("till.sale.entry") if is_empty else f"{quantity}{sale.entry}▏"
        self._entry.setText(shown)
        self._entry.setProperty("muted", is_empty)
        self._entry.setProperty("type", (Size.BODY if is_empty else Size.LARGE).value)
        restyle(self._entry)

    def _show_message(self, message: Message | None, wording: Wording) -> None:
        self._message.setVisible(message is not None)
        if message is not None:
            self._message.setText(with_sign(wording.text(message.text), message.tone))
            self._message.setProperty("tone", message.tone.value)
            restyle(self._message)

    def _show_right(
        self,
        sale: SaleView,
        overlay: Sheet | None,
        message: Message | None,
        wording: Wording,
        stack: tuple[int, ...],
    ) -> None:
        self._member.show_sale(sale, wording)
        self._tiles_title.setText(wording.text(sale.tiles_title))
        self._tiles.show_part(Choices("tile", sale.tiles, columns=TILE_COLUMNS), wording)
        if sale.tender is not None:
            self._tender.show_panel(sale.tender, wording)
        if overlay is not None:
            self._stack.setCurrentIndex(2)
            self.sheet.show_sheet(overlay, message, wording, stack)
        else:
            self.sheet.forget()
            self._stack.setCurrentIndex(1 if sale.tender is not None else 0)


class _Strip(QFrame):
    """The last sale with its change in large figures, until the next scan."""

    def __init__(self, undo: Callable[[], None]) -> None:
        super().__init__()
        self._change_name = label(muted=True)
        self._change = label(size=Size.HUGE, bold=True)
        self._figures = label(size=Size.SMALL, muted=True)
        self._undo = button("", undo)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID * 3)
        layout.addWidget(self._change_name)
        layout.addWidget(self._change)
        layout.addWidget(self._figures, 1)
        layout.addWidget(self._undo)

    def show_change(self, change: ChangeStrip | None, wording: Wording) -> None:
        """Paint it, or nothing."""
        self.setVisible(change is not None)
        if change is None:
            return
        self._change_name.setText(wording.say("till.sale.change"))
        self._change.setText(wording.money(change.change))
        self._figures.setText(
            wording.say(
                "till.sale.last",
                total=wording.money(change.total),
                given=wording.money(change.given),
            )
        )
        self._undo.setText(wording.say("till.sale.undo"))


def _entry_frame(entry: QLabel) -> QFrame:
    frame = card()
    frame.setMinimumHeight(TOUCH)
    layout = QHBoxLayout(frame)
    layout.setContentsMargins(GRID * 4, 0, GRID * 4, 0)
    entry.setAlignment(Qt.AlignmentFlag.AlignVCenter)
    layout.addWidget(entry)
    return frame

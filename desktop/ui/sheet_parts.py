"""One widget per part of a sheet."""

from collections.abc import Callable
from typing import Protocol, assert_never

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.presenters.view import (
    Choices,
    Field,
    FieldKind,
    Fields,
    Figures,
    Note,
    Part,
    Picture,
    PinPad,
    Steps,
)
from desktop.ui.design import GRID, TOUCH, Design, Size
from desktop.ui.pieces import Tile, button, empty, label, restyle, with_sign
from desktop.ui.wording import Wording

ActOn = Callable[[str, str], None]


class PartWidget(QWidget):
    """Paints one part."""

    def show_part(self, part: Part, wording: Wording) -> None:
        """Paint it as it is now."""
        raise NotImplementedError

    def values(self) -> list[tuple[str, str]]:
        """What was filled in."""
        return []


class NoteWidget(PartWidget):
    """A paragraph."""

    def __init__(self) -> None:
        super().__init__()
        self._label = label(wrap=True)
        self._label.setProperty("note", "true")
        _fill(self, self._label)

    def show_part(self, part: Part, wording: Wording) -> None:
        """With the sign and ground of its tone."""
        assert isinstance(part, Note)
        self._label.setText(with_sign(wording.text(part.text), part.tone))
        self._label.setProperty("tone", part.tone.value)
        restyle(self._label)


class FiguresWidget(PartWidget):
    """A table of figures."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(GRID, 0, GRID, 0)
        self._grid.setVerticalSpacing(GRID * 2)
        self._grid.setColumnStretch(0, 1)

    def show_part(self, part: Part, wording: Wording) -> None:
        """Labels left, values right."""
        assert isinstance(part, Figures)
        empty(self._grid)
        for index, row in enumerate(part.rows):
            name = label(wording.text(row.label), bold=row.is_strong, muted=not row.is_strong)
            value = label(wording.text(row.value), bold=row.is_strong, right=True)
            self._grid.addWidget(name, index, 0)
            self._grid.addWidget(value, index, 1)


class ChoicesWidget(PartWidget):
    """Rows or tiles."""

    def __init__(self, design: Design, act: ActOn) -> None:
        super().__init__()
        self._design = design
        self._act = act
        self._tiles: list[Tile] = []
        self._values: tuple[str, ...] = ()
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GRID * 2)
        self._empty = label(muted=True, wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._empty)
        layout.addLayout(self._grid)

    def show_part(self, part: Part, wording: Wording) -> None:
        """Tiles are kept while what can be chosen stays the same."""
        assert isinstance(part, Choices)
        self._empty.setText(wording.text(part.empty))
        self._empty.setVisible(not part.items and bool(part.empty))
        values = tuple(item.value for item in part.items)
        if values != self._values:
            self._values = values
            self._rebuild(part)
        for tile, item in zip(self._tiles, part.items, strict=True):
            tile.show_choice(
                wording.text(item.title),
                detail=wording.text(item.detail),
                trailing=wording.text(item.trailing),
                is_selected=item.is_selected,
                tone=item.tone,
            )

    def _rebuild(self, part: Choices) -> None:
        empty(self._grid)
        self._tiles = []
        for index, item in enumerate(part.items):
            tile = self._tile(part, item.value)
            self._tiles.append(tile)
            self._grid.addWidget(tile, index // part.columns, index % part.columns)
        for column in range(part.columns):
            self._grid.setColumnStretch(column, 1)

    def _tile(self, part: Choices, value: str) -> Tile:
        return Tile(
            self._design,
            lambda: self._act(part.name, value),
            is_row=part.columns == 1,
            is_compact=part.is_compact,
        )


class Line(QLineEdit):
    """A field that shows its end of text selected when it gets the focus."""

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Typing replaces what stands there."""
        super().focusInEvent(event)
        self.selectAll()


class FieldsWidget(PartWidget):
    """Labelled fields; what was typed stays while the sheet changes around it."""

    def __init__(self, part: Fields, edit: Callable[[str, str], None]) -> None:
        super().__init__()
        self._labels: list[QLabel] = []
        self._inputs: dict[str, Line | QComboBox] = {}
        self._optional = {one.name for one in part.fields if one.is_optional}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID * 4)
        grid.setVerticalSpacing(GRID * 2 if part.columns == 1 else GRID)
        for index, one in enumerate(part.fields):
            name = label(muted=True)
            made = self._input(one, edit)
            self._labels.append(name)
            self._inputs[one.name] = made
            row, column = divmod(index, part.columns)
            if part.columns == 1:
                grid.addWidget(name, row * 2, 0)
                grid.addWidget(made, row * 2 + 1, 0)
            else:
                name.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                grid.addWidget(name, row, column * 2)
                grid.addWidget(made, row, column * 2 + 1)

    def _input(self, one: Field, edit: Callable[[str, str], None]) -> Line | QComboBox:
        if one.kind is FieldKind.CHOICE:
            box = QComboBox()
            box.setMinimumHeight(TOUCH)
            return box
        line = Line(one.value)
        line.setMinimumHeight(TOUCH - GRID)
        line.setMaxLength(200)
        if one.kind is FieldKind.PIN:
            line.setEchoMode(QLineEdit.EchoMode.Password)
        if one.kind in (FieldKind.AMOUNT, FieldKind.NUMBER):
            line.setInputMethodHints(Qt.InputMethodHint.ImhFormattedNumbersOnly)
            line.setAlignment(Qt.AlignmentFlag.AlignRight)
        if one.is_live:
            line.textChanged.connect(lambda text: edit(one.name, text))
        return line

    def show_part(self, part: Part, wording: Wording) -> None:
        """Labels in the language; options too."""
        assert isinstance(part, Fields)
        for name, one in zip(self._labels, part.fields, strict=True):
            name.setText(wording.text(one.label))
            made = self._inputs[one.name]
            made.setAccessibleName(wording.text(one.label))
            if isinstance(made, QComboBox):
                _show_options(made, one, wording)
            else:
                made.setPlaceholderText(wording.text(one.hint))

    def lines(self) -> list[Line]:
        """The text fields in order."""
        return [made for made in self._inputs.values() if isinstance(made, Line)]

    def stops(self) -> list[Line]:
        """Those that Enter goes to."""
        return [
            made
            for name, made in self._inputs.items()
            if isinstance(made, Line) and name not in self._optional
        ]

    def fill(self, kept: dict[str, str]) -> None:
        """What was typed before another sheet came over this one."""
        for name, made in self._inputs.items():
            if name not in kept:
                continue
            if isinstance(made, QComboBox):
                made.setCurrentIndex(max(0, made.findData(kept[name])))
            else:
                made.setText(kept[name])

    def values(self) -> list[tuple[str, str]]:
        """Texts, and the values of drop-down lists."""
        return [
            (name, str(made.currentData()) if isinstance(made, QComboBox) else made.text())
            for name, made in self._inputs.items()
        ]


def _show_options(box: QComboBox, field: Field, wording: Wording) -> None:
    for index, (value, text) in enumerate(field.options):
        if index < box.count():
            box.setItemText(index, wording.text(text))
        else:
            box.addItem(wording.text(text), value)


class PinPadWidget(PartWidget):
    """Dots and digits."""

    def __init__(self, act: ActOn) -> None:
        super().__init__()
        self._dots = label(size=Size.LARGE)
        self._dots.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._dots.setMinimumHeight(TOUCH)
        pad = digit_pad(act)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._dots)
        layout.addWidget(pad)

    def show_part(self, part: Part, wording: Wording) -> None:
        """As many dots as digits; words until then."""
        assert isinstance(part, PinPad)
        self._dots.setText("●" * part.entered if part.entered else wording.say("till.pin"))
        self._dots.setProperty("muted", not part.entered)
        restyle(self._dots)


def digit_pad(act: ActOn, *, last: str = "") -> QWidget:
    """A pad of digits with erase; acts as ``digit`` and ``erase``."""
    pad = QWidget()
    grid = QGridLayout(pad)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setSpacing(GRID * 2)
    for index, text in enumerate(("7", "8", "9", "4", "5", "6", "1", "2", "3", last, "0", "←")):
        if text:
            made = button(text, _digit(act, text))
            made.setMinimumHeight(TOUCH + GRID)
            grid.addWidget(made, index // 3, index % 3)
    return pad


def _digit(act: ActOn, text: str) -> Callable[[], None]:
    return lambda: act("erase", "") if text == "←" else act("digit", text)


class StepsWidget(PartWidget):
    """Rows with less, a number, and more."""

    def __init__(self, act: ActOn) -> None:
        super().__init__()
        self._act = act
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GRID * 2)
        self._grid.setColumnStretch(0, 1)

    def show_part(self, part: Part, wording: Wording) -> None:
        """Rows as they are now."""
        assert isinstance(part, Steps)
        empty(self._grid)
        for index, row in enumerate(part.rows):
            name = label(wording.text(row.title))
            detail = label(wording.text(row.detail), size=Size.SMALL, muted=True)
            stack = QVBoxLayout()
            stack.setSpacing(0)
            stack.addWidget(name)
            stack.addWidget(detail)
            less = button("−", self._step(part.name, row.value, -1))
            more = button("+", self._step(part.name, row.value, +1))
            less.setEnabled(row.count > 0)
            more.setEnabled(row.count < row.most)
            count = label(str(row.count), size=Size.LARGE, bold=True)
            count.setAlignment(Qt.AlignmentFlag.AlignCenter)
            count.setMinimumWidth(TOUCH)
            self._grid.addLayout(stack, index, 0)
            for column, widget in enumerate((less, count, more), start=1):
                self._grid.addWidget(widget, index, column)

    def _step(self, name: str, value: str, by: int) -> Callable[[], None]:
        return lambda: self._act(name, f"{value}:{by}")


class PictureWidget(PartWidget):
    """A picture in its own size, made smaller where it is too wide; long ones scroll."""

    def __init__(self) -> None:
        super().__init__()
        self._label = label(muted=True, wrap=True)
        self._label.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._png = b""
        self._painted: tuple[bytes, int] | None = None
        """Which picture stands there, made for how much room."""
        scroll = QScrollArea()
        scroll.setWidget(self._label)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll = scroll
        _fill(self, scroll)

    def show_part(self, part: Part, wording: Wording) -> None:
        """Paint it; where there is none, say what would be here."""
        assert isinstance(part, Picture)
        self._label.setAccessibleName(wording.text(part.text))
        self._png = part.png
        if part.png:
            self._paint()
        else:
            self._painted = None
            self._label.setText(wording.text(part.text))
        self._label.adjustSize()
        bar = self._scroll.verticalScrollBar()
        bar.setValue(bar.maximum() if part.shows_end else bar.minimum())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As wide as there is room."""
        super().resizeEvent(event)
        if self._png:
            self._paint()

    def _paint(self) -> None:
        room = self._scroll.viewport().width()
        if (self._png, room) == self._painted:
            return
        self._painted = self._png, room
        picture = QPixmap()
        picture.loadFromData(self._png)
        if picture.width() > room > 0:
            picture = picture.scaledToWidth(room, Qt.TransformationMode.SmoothTransformation)
        self._label.setPixmap(picture)


class _Edit(Protocol):
    def __call__(self, name: str, text: str, /) -> None: ...


def part_widget(part: Part, design: Design, act: ActOn, edit: _Edit) -> PartWidget:
    """The widget that paints a part."""
    match part:
        case Note():
            return NoteWidget()
        case Figures():
            return FiguresWidget()
        case Choices():
            return ChoicesWidget(design, act)
        case Fields():
            return FieldsWidget(part, edit)
        case PinPad():
            return PinPadWidget(act)
        case Steps():
            return StepsWidget(act)
        case Picture():
            return PictureWidget()
        case _:
            assert_never(part)


def _fill(widget: QWidget, child: QWidget) -> None:
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(child)

"""Paints any sheet: a title, parts from top to bottom, buttons below."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.presenters.intent import Act, Edit, Intent, Key, Press
from desktop.presenters.text import Message
from desktop.presenters.view import Button, Fields, Sheet
from desktop.ui.design import GRID, Design, Size
from desktop.ui.pieces import button, empty, label, note_label
from desktop.ui.sheet_parts import FieldsWidget, PartWidget, PictureWidget, part_widget
from desktop.ui.wording import Wording

Post = Callable[[Intent], None]


class SheetWidget(QFrame):
    """Keeps its fields while the same sheet changes; makes them anew for another one."""

    def __init__(self, design: Design, post: Post) -> None:
        super().__init__()
        self._design = design
        self._post = post
        self._shape: tuple[object, ...] = ()
        self._parts: list[PartWidget] = []
        self._number = 0
        self._kept: dict[int, dict[str, str]] = {}
        """What stands in the fields of covered overlays, by number."""
        self._buttons: tuple[Button, ...] = ()
        self.setProperty("card", "true")
        self._title = label(size=Size.LARGE, bold=True, wrap=True)
        self._message = QVBoxLayout()
        self._content = QVBoxLayout()
        self._content.setSpacing(GRID * 3)
        inner = QWidget()
        inner.setLayout(self._content)
        self._content.setContentsMargins(0, 0, GRID, 0)
        scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll = scroll
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._show_focused)
        self._foot = QHBoxLayout()
        self._foot.setSpacing(GRID * 2)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(GRID * 5, GRID * 4, GRID * 5, GRID * 4)
        outer.setSpacing(GRID * 3)
        outer.addWidget(self._title)
        outer.addLayout(self._message)
        self._aside = PictureWidget()
        beside = QHBoxLayout()
        beside.setSpacing(GRID * 4)
        beside.addWidget(scroll, 3)
        beside.addWidget(self._aside, 2)
        outer.addLayout(beside, 1)
        outer.addLayout(self._foot)

    def show_sheet(
        self,
        sheet: Sheet,
        message: Message | None,
        wording: Wording,
        stack: tuple[int, ...] = (),
    ) -> None:
        """Paint it; what was typed into one that it covers is kept for it."""
        shape = (*stack[-1:], *_shape(sheet, wording))
        is_new = shape != self._shape
        if is_new:
            self._keep(stack)
            self._shape = shape
            self._rebuild(sheet)
            kept = self._kept.pop(self._number, {})
            for widget in self._parts:
                if isinstance(widget, FieldsWidget):
                    widget.fill(kept)
        self._title.setText(wording.text(sheet.title))
        empty(self._message)
        if message is not None:
            self._message.addWidget(note_label(wording.text(message.text), message.tone))
        for widget, part in zip(self._parts, sheet.parts, strict=True):
            widget.show_part(part, wording)
        self._aside.setVisible(sheet.aside is not None)
        if sheet.aside is not None:
            self._aside.show_part(sheet.aside, wording)
        self._show_buttons(sheet.buttons, wording)
        if is_new:
            self._focus_first()

    def _keep(self, stack: tuple[int, ...]) -> None:
        if self._number in stack[:-1]:
            self._kept[self._number] = dict(self.values())
        self._kept = {number: kept for number, kept in self._kept.items() if number in stack}
        self._number = stack[-1] if stack else 0

    def forget(self) -> None:
        """The sheet is gone: the next one starts empty, even one of the same kind."""
        self._shape, self._number = (), 0
        self._kept.clear()

    def _show_focused(self, _before: QWidget | None, now: QWidget | None) -> None:
        """Whoever walks with Tab sees where they are."""
        if now is not None and self._scroll.isAncestorOf(now):
            self._scroll.ensureWidgetVisible(now)

    def values(self) -> tuple[tuple[str, str], ...]:
        """What stands in the fields."""
        found: list[tuple[str, str]] = []
        for part in self._parts:
            found.extend(part.values())
        return tuple(found)

    def is_field(self, widget: QWidget | None) -> bool:
        """Whether keys belong to a text field of this sheet."""
        return isinstance(widget, QLineEdit | QComboBox) and self.isAncestorOf(widget)

    def next_field(self) -> bool:
        """Move on to the next field that Enter stops at; False where none is left."""
        parts = [part for part in self._parts if isinstance(part, FieldsWidget)]
        fields = [field for part in parts for field in part.lines()]
        stops = [field for part in parts for field in part.stops()]
        focused = self.focusWidget()
        if focused in fields:
            after = [field for field in fields[fields.index(focused) + 1 :] if field in stops]
            if after:
                after[0].setFocus()
                return True
        return False

    def _rebuild(self, sheet: Sheet) -> None:
        empty(self._content)
        self._parts = [
            part_widget(part, self._design, self._act, self._edit) for part in sheet.parts
        ]
        for widget in self._parts:
            self._content.addWidget(widget)
        self._content.addStretch(1)

    def _focus_first(self) -> None:
        for part in self._parts:
            if isinstance(part, FieldsWidget) and (lines := part.lines()):
                blank = [line for line in lines if not line.text()]
                (blank or lines)[0].setFocus()
                return
        window = self.window()
        if window is not None:
            window.setFocus()

    def _show_buttons(self, buttons: tuple[Button, ...], wording: Wording) -> None:
        if buttons != self._buttons or self._foot.count() == 0 or self._spoken != wording.language:
            self._buttons, self._spoken = buttons, wording.language
            empty(self._foot)
            for one in buttons:
                self._foot.addWidget(self._button(one, wording), 2 if one.is_primary else 1)

    _spoken: object = None

    def _button(self, one: Button, wording: Wording) -> QWidget:
        text = wording.text(one.text)
        shown = f"{text}  {one.key}" if one.key else text
        made = button(shown, lambda: self._tapped(one), primary=one.is_primary)
        made.setEnabled(one.is_enabled)
        return made

    def _tapped(self, one: Button) -> None:
        if one.key:
            self._post(Press(Key(one.key), values=self.values()))
        else:
            self._act(one.name, "")

    def _act(self, name: str, value: str) -> None:
        self._post(Act(name, value, values=self.values()))

    def _edit(self, name: str, text: str) -> None:
        self._post(Edit(name, text))


def _shape(sheet: Sheet, wording: Wording) -> tuple[object, ...]:
    parts = tuple(
        (type(part).__name__, tuple(f.name for f in part.fields))
        if isinstance(part, Fields)
        else type(part).__name__
        for part in sheet.parts
    )
    del wording
    return (sheet.kind, parts)

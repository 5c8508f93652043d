"""The tender panel: what is due in large figures, and every way to pay it."""

from collections.abc import Callable

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop.presenters.intent import Act, Intent, Key, Press, Typed
from desktop.presenters.text import Tone
from desktop.presenters.view import TenderPanel
from desktop.ui.design import GRID, TOUCH, Design, Size
from desktop.ui.pieces import button, card, empty, label, note_label
from desktop.ui.sheet_parts import digit_pad
from desktop.ui.wording import Wording

Post = Callable[[Intent], None]

NOTE_ROWS = 2


class TenderPanelWidget(QWidget):
    """Slides over the right half."""

    def __init__(self, design: Design, post: Post, now: Callable[[], float]) -> None:
        super().__init__()
        del design
        self._post = post
        self._now = now
        self._shown: tuple[TenderPanel, object] | None = None
        frame = card()
        self._due_name = label(muted=True)
        self._due = label(size=Size.HUGE, bold=True, right=True)
        self._entry = label(size=Size.LARGE, right=True)
        self._entry.setMinimumHeight(TOUCH - GRID * 2)
        self._attempt = QVBoxLayout()
        self._taken = QVBoxLayout()
        self._notes = QGridLayout()
        self._notes.setSpacing(GRID * 2)
        self._ways = QHBoxLayout()
        self._ways.setSpacing(GRID * 2)
        head = QHBoxLayout()
        head.addWidget(self._due_name)
        head.addWidget(self._due, 1)
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(GRID * 4, GRID * 3, GRID * 4, GRID * 3)
        inner.setSpacing(GRID * 2)
        inner.addLayout(head)
        inner.addLayout(self._attempt)
        inner.addLayout(self._taken)
        inner.addWidget(self._entry)
        inner.addLayout(self._notes)
        inner.addWidget(digit_pad(self._digit, last="."))
        inner.addStretch(1)
        inner.addLayout(self._ways)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def show_panel(self, panel: TenderPanel, wording: Wording) -> None:
        """Paint it."""
        if self._shown == (panel, wording.language):
            return
        self._shown = (panel, wording.language)
        self._due_name.setText(wording.say("till.tender.due"))
        self._due.setText(wording.money(panel.due))
        entry = panel.entry or wording.say("till.tender.entry")
        self._entry.setText(entry)
        empty(self._attempt)
        if panel.attempt is not None:
            text = wording.text(panel.attempt.text)
            self._attempt.addWidget(note_label(text, panel.attempt.tone))
        if panel.value_offered:
            self._attempt.addWidget(note_label(wording.text(panel.value_offered), Tone.INFO))
        for saving in panel.savings if panel.attempt is None else ():
            self._attempt.addWidget(note_label(wording.text(saving), Tone.GOOD))
        self._show_taken(panel, wording)
        self._show_notes(panel, wording)
        self._show_ways(panel, wording)

    def _show_taken(self, panel: TenderPanel, wording: Wording) -> None:
        empty(self._taken)
        for index, tender in enumerate(panel.tenders):
            row = QHBoxLayout()
            row.addWidget(label(wording.text(tender.text)))
            row.addStretch(1)
            row.addWidget(label(wording.money(tender.minor), bold=True, right=True))
            back = wording.say("till.tender.withdraw")
            row.addWidget(button(back, self._acting("withdraw", str(index))))
            self._taken.addLayout(row)

    def _show_notes(self, panel: TenderPanel, wording: Wording) -> None:
        empty(self._notes)
        # Two rows at first; each payment taken needs a row of its own on a screen 768 px high.
        rows = max(0, NOTE_ROWS - len(panel.tenders) - (panel.attempt is not None))
        for index, note in enumerate(panel.notes[: rows * 3]):
            made = button(wording.money(note), self._acting("note", str(note)))
            made.setMinimumHeight(TOUCH + GRID * 2)
            self._notes.addWidget(made, index // 3, index % 3)

    def _show_ways(self, panel: TenderPanel, wording: Wording) -> None:
        empty(self._ways)
        ways = [(Key.F6, "till.key.card"), (Key.F8, "till.key.voucher")]
        if panel.points_offered:
            ways.insert(1, (Key.F7, "till.key.points"))
        if panel.value_offered:
            ways.insert(1, (Key.F4, "till.key.stored-value"))
        for key, name in ways:
            self._ways.addWidget(button(wording.say(name), self._pressing(key)))
        cash = wording.say("till.tender.cash", amount=wording.money(panel.due_in_cash))
        self._ways.addWidget(button(cash, self._pressing(Key.F12), primary=True), 2)

    def _acting(self, name: str, value: str) -> Callable[[], None]:
        return lambda: self._post(Act(name, value, at=self._now()))

    def _pressing(self, key: Key) -> Callable[[], None]:
        return lambda: self._post(Press(key, self._now()))

    def _digit(self, name: str, value: str) -> None:
        self._post(Press(Key.BACKSPACE, self._now()) if name == "erase" else Typed(value))

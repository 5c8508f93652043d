"""The guided printer test at the till: a page per question, what is on it is tapped."""

from collections.abc import Callable

from desktop.presenters.device_names import device_name
from desktop.presenters.intent import PrinterTried
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Text, Tone, refused, say
from desktop.presenters.view import Button, Choice, Choices, Note, Part, Sheet
from hardware.ports import DeviceError
from shared.errors import EvertillError


class PrinterTest(PlainOverlay):
    """The printer is asked and printed to in the background; the sheet says what it waits for."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._trial = session.till.printer_trial()
        self._error: EvertillError | None = None
        self._is_waiting = False
        self._begun = self._is_saved = False
        self._do(self._begin)

    def sheet(self) -> Sheet:
        """What it waits for, or the question about the page, or the end."""
        parts: tuple[Part, ...] = (Note(say("till.printer-test.waiting")),)
        buttons = [Button("back", say("till.key.back"), key="Esc")]
        if not self._is_waiting:
            parts, more = self._shown()
            buttons += more
        return Sheet(
            kind="printer-test",
            title=say("till.printer-test.title"),
            parts=parts,
            buttons=tuple(buttons),
        )

    def _shown(self) -> tuple[tuple[Part, ...], list[Button]]:
        again = Button("again", say("printer-test.again"), is_primary=self._error is not None)
        if self._error is not None:
            return (Note(_trouble(self._error), Tone.ATTENTION),), [again]
        if self._is_saved:
            return tuple(Note(text, Tone.GOOD) for text in self._end()), []
        question = self._trial.question()
        assert question is not None
        rows = tuple(
            Choice(one.value, say(one.message_key, line=one.line)) for one in question.choices
        )
        note = Note(say(question.message_key, sample=question.sample))
        return (note, Choices("seen", rows)), [again]

    def _end(self) -> list[Text]:
        named = self._trial.named_profile
        told: list[Text] = [say("till.printer-test.saved")]
        return [*told, say("printer-test.not-used", profile=named)] if named else told

    def act(self, name: str, value: str, values: Values) -> None:
        """What was seen, or the page once more."""
        del values
        if self._is_waiting or self._is_saved:
            return
        if name == "again":
            self._do(self._trial.print_page if self._begun else self._begin)
        elif name == "seen" and self._error is None:
            self._trial.answer(value)
            if self._trial.question() is None:
                self._trial.save()
                self._is_saved = True
            else:
                self._do(self._trial.print_page)

    def _begin(self) -> None:
        self._trial.ask()
        self._begun = True
        self._trial.print_page()

    def _do(self, work: Callable[[], None]) -> None:
        """On a thread of its own kind: no sale and no payment waits for a test."""
        self._is_waiting, self._error = True, None

        def run() -> None:
            try:
                work()
            except EvertillError as error:
                self._session.post(PrinterTried(self, error))
            else:
                self._session.post(PrinterTried(self))

        self._session.till.background().submit(run)

    def tried(self, error: EvertillError | None) -> None:
        """The printer is done, or failed."""
        self._is_waiting, self._error = False, error


def _trouble(error: EvertillError) -> Text:
    """What is wrong with the printer and what to do, as the top bar says it."""
    if not isinstance(error, DeviceError):
        return refused(error).text
    told = str(error.fields.get("reason", ""))
    key = told if told.startswith("devices.") else f"devices.printer.{error.condition}"
    return say(key, device=device_name("printer"))

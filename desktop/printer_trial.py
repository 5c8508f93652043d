"""The guided printer test: asks the printer, prints a page per question, writes its profile."""

from datetime import date
from pathlib import Path
from typing import Final

from desktop.printers import PRINTER, make_printer, transport
from desktop.services.settings_file import PrinterSettings
from hardware.escpos.profile import built_in_profiles, read_profiles
from hardware.ports import Condition, DeviceError, PrintState
from hardware.printer.transport import LinkError
from hardware.survey.abilities import LISTEN_S, StatusAbilities, ask_printer
from hardware.survey.course import Question, Survey
from hardware.survey.findings import FILE_NAME, PROFILE_NAME, profile_text
from shared.clock import SystemClock

DEADLINE_S: Final = 30.0


class PrinterTrial:
    """One test of the printer at one address. Every call but ``question`` waits for the printer."""

    def __init__(self, settings: PrinterSettings, folder: Path, *, name: str = PRINTER) -> None:
        """``name`` is how errors call the printer."""
        self._name = name
        self._settings = settings
        self._folder = folder
        self._survey: Survey | None = None

    @property
    def named_profile(self) -> str:
        """The profile that the settings name: it is used in place of the one found here."""
        return self._settings.profile

    def ask(self) -> StatusAbilities:
        """Find out which questions it answers; none where a queue of the system stands before it.

        DeviceError where it is not reached.
        """
        abilities = StatusAbilities()
        if not (self._settings.cups or self._settings.windows):
            try:
                abilities = ask_printer(transport(self._settings), wait_s=LISTEN_S)
            except LinkError as error:
                raise DeviceError(error.condition, device=self._name, reason=str(error)) from error
        self._survey = Survey(abilities)
        return abilities

    def question(self) -> Question | None:
        """What is asked about the page; None when all is known."""
        return self._course.question()

    def answer(self, value: str) -> None:
        """What was seen: the value of one of the choices."""
        self._course.answer(value)

    def print_page(self) -> None:
        """The page of the question, as often as it is wanted. DeviceError where none came out.

        It is only sent: which questions may be asked is what is being found out.
        """
        question = self.question()
        assert question is not None
        mute = built_in_profiles().profile("one-way")
        printer = make_printer(self._settings, mute, SystemClock())
        printer.open()
        try:
            outcome = printer.print_job(
                question.page, deadline_s=DEADLINE_S, before_first_byte=lambda: None
            )
        finally:
            printer.close()
        if outcome.state not in (PrintState.CONFIRMED, PrintState.CONFIRMED_UNVERIFIED):
            condition = outcome.condition or Condition.FAILURE
            raise DeviceError(condition, device=self._name, reason=outcome.message_key)

    def save(self) -> Path:
        """Write what was found beside the till's files; used from the till's next start on."""
        today = date.today().isoformat()  # noqa: DTZ011 - a label
        text = profile_text(self._course.findings, tested_at=today)
        book = read_profiles(text, source=FILE_NAME, base=built_in_profiles())
        assert book.profile(PROFILE_NAME).paper
        target = self._folder / FILE_NAME
        target.write_text(text, encoding="utf-8")
        return target

    @property
    def _course(self) -> Survey:
        assert self._survey is not None, "asked before"
        return self._survey

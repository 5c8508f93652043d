"""Print jobs of which nobody knows whether they came out: somebody looks, and decides."""

from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Text, Tone, say
from desktop.presenters.view import Button, Choice, Choices, Note, Part, Sheet
from desktop.store.entries import read_entry
from desktop.store.print_jobs import PrintJob
from shared.trade.kinds import read_fact


class UncertainPapers(PlainOverlay):
    """One after the other: printed, or print a copy."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def sheet(self) -> Sheet:
        """The jobs, the first one in question."""
        jobs = self._session.till.copies.uncertain()
        rows = tuple(
            Choice(job.job_id, self._title(job), is_selected=index == 0)
            for index, job in enumerate(jobs)
        )
        parts: tuple[Part, ...] = (Choices("job", rows, empty=say("till.papers.none")),)
        if jobs:
            parts = (Note(say("till.papers.note"), Tone.ATTENTION), *parts)
        return Sheet(
            kind="papers",
            title=say("till.papers.title"),
            parts=parts,
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("copy", say("till.papers.copy"), is_enabled=bool(jobs)),
                Button(
                    "printed", say("till.papers.printed"), is_primary=True, is_enabled=bool(jobs)
                ),
            ),
        )

    def _title(self, job: PrintJob) -> Text:
        loose = self._session.till.copies.loose_paper(job)
        if loose is not None:
            return say(loose.title)
        number = self._receipt_no(job)
        return say("till.papers.receipt", receipt_no=number) if number else say("till.papers.slip")

    def _receipt_no(self, job: PrintJob) -> str:
        with self._session.till.books.reading() as connection:
            entry = read_entry(connection, job.entry_id)
        return getattr(read_fact(entry.envelope), "receipt_no", "") if entry is not None else ""

    def act(self, name: str, value: str, values: Values) -> None:
        """The decision on the first job."""
        del value, values
        jobs = self._session.till.copies.uncertain()
        if not jobs or name not in ("copy", "printed"):
            return
        session = self._session
        if name == "copy":
            session.till.copies.print_copy(
                jobs[0].entry_id, self._receipt_no(jobs[0]), session.signed_in.operator_id
            )
            session.written()
        session.till.copies.settle(jobs[0])
        session.tell(say("till.papers.settled"), Tone.GOOD)

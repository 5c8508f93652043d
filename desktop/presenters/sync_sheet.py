"""How sync stands: what waits, since when, what went wrong, when it is tried again."""

from datetime import tzinfo

from desktop.presenters.session import PlainOverlay
from desktop.presenters.text import Moment, Text, Tone, say
from desktop.presenters.view import Button, Figure, Figures, Note, Part, Sheet
from desktop.release import release
from desktop.services.printing import PrinterStatus
from desktop.sync.status import SyncStatus


class SyncSheet(PlainOverlay):
    """Looked at; follows the news while it is open."""

    def __init__(self, zone: tzinfo, status: SyncStatus | None) -> None:
        self._zone = zone
        self.status = status

    def sheet(self) -> Sheet:
        """Figures, and the last error in plain words."""
        status = self.status
        parts: tuple[Part, ...] = (Note(sync_text(status, self._zone), sync_tone(status)),)
        if status is not None:
            contact: Text = (
                Moment(status.last_contact.astimezone(self._zone))
                if status.last_contact
                else say("till.sync.never")
            )
            rows = [
                Figure(say("till.sync.waiting"), str(status.unsent), is_strong=True),
                Figure(say("till.sync.since"), Moment(status.since.astimezone(self._zone))),
                Figure(say("till.sync.last-contact"), contact),
            ]
            if status.next_try_s:
                seconds = max(1, round(status.next_try_s))
                rows.append(
                    Figure(say("till.sync.next-try"), say("till.sync.seconds", seconds=seconds))
                )
            backup: Text = (
                Moment(status.backup_at.astimezone(self._zone))
                if status.backup_at
                else say("till.sync.no-backup")
            )
            rows.append(Figure(say("till.sync.backup"), backup))
            parts = (*parts, Figures(tuple(rows)))
            if status.enrol_again:
                parts = (*parts, Note(say("till.sync.enrol-again"), Tone.ATTENTION))
            if status.release_needed:
                needed = say("till.sync.upgrade", needed=status.release_needed, found=release())
                parts = (*parts, Note(needed, Tone.ATTENTION))
            if status.error_code:
                error = say(f"error.{status.error_code}", **status.error_fields)
                parts = (*parts, Note(error, Tone.ATTENTION))
        return Sheet(
            kind="sync",
            title=say("till.sync.title"),
            parts=(*parts, Note(say("till.sync.note"))),
            buttons=(Button("back", say("till.key.back"), key="Esc", is_primary=True),),
        )


def sync_text(status: SyncStatus | None, zone: tzinfo) -> Text:
    """One line for the top bar."""
    if status is None:
        return say("till.sync.starting")
    if status.error_code in ("till-being-wiped", "wipe-waits-for-payments"):
        return say("till.sync.being-wiped", unsent=status.unsent)
    if status.is_online and status.release_needed:
        return say("till.sync.upgrade-short", needed=status.release_needed)
    if status.is_all_sent:
        return say("till.sync.all-sent")
    if status.is_online:
        return say("till.sync.sending", unsent=status.unsent)
    since = Moment(status.since.astimezone(zone))
    return say("till.sync.offline", since=since, unsent=status.unsent)


def sync_tone(status: SyncStatus | None) -> Tone:
    """Offline is nothing bad, but worth knowing."""
    if status is None or (status.is_online and status.unsent):
        return Tone.INFO
    return Tone.GOOD if status.is_online else Tone.ATTENTION


def printer_text(status: PrinterStatus | None, *, has_printer: bool) -> Text:
    """One line for the top bar."""
    if not has_printer:
        return say("till.printer.none")
    if status is None:
        return say("till.printer.ready")
    if status.uncertain:
        return say("till.printer.uncertain", count=status.uncertain)
    if status.message_key:
        return say(status.message_key, device=say("till.printer.name"))
    return say("till.printer.ready")


def printer_tone(status: PrinterStatus | None, *, has_printer: bool) -> Tone:
    """What needs a hand is attention."""
    if not has_printer:
        return Tone.INFO
    troubled = status is not None and bool(status.uncertain or status.message_key)
    return Tone.ATTENTION if troubled else Tone.GOOD

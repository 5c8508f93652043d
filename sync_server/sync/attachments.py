"""Personal data that came beside entries: proved by them, kept apart, never back once erased."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from shared.catalogue.card_numbers import holds_card_number
from shared.ids import AttachmentId, EntryId
from shared.journal.attachment import Attachment
from shared.journal.entry import AttachmentRef
from sync_server.database.schema import attachments, erased_attachments, members
from sync_server.database.transaction import Work
from sync_server.ledger.finding import Finding, Rule
from sync_server.ledger.kept import Reading
from sync_server.members.roll import concerns

Proved = tuple[Reading, AttachmentRef, Attachment]


def keep_attachments(
    work: Work, readings: Sequence[Reading], sent: Iterable[Attachment]
) -> tuple[list[Proved], list[Finding]]:
    """Store what entries of this push vouch for and is neither stored nor erased.

    What no entry names is dropped, and what has a payment card's number in it; what an entry names
    with another hash is dropped and found.
    """
    by_id = {attachment.id: attachment for attachment in sent}
    if not by_id:
        return [], []
    proved: list[Proved] = []
    findings: list[Finding] = []
    for reading in readings:
        for ref in reading.envelope.attachments:
            attachment = by_id.get(ref.id)
            if attachment is None:
                continue
            if attachment.matches(ref):
                proved.append((reading, ref, attachment))
            else:
                findings.append(_unproven(reading.id, ref))
    settled = _settled(work, [ref.id for _reading, ref, _attachment in proved])
    erased = _erased_members(work, proved)
    new = [
        (reading, ref, attachment)
        for reading, ref, attachment in proved
        if ref.id not in settled
        and not erased.intersection(concerns(reading.fact))
        and not holds_card_number(attachment.content.decode(errors="replace"))
    ]
    work.insert_new(attachments, [_row(each) for each in new])
    return new, findings


def _settled(work: Work, ids: Sequence[AttachmentId]) -> set[str]:
    found: set[str] = set()
    for table in (attachments, erased_attachments):
        statement = select(table.c.attachment_id).where(
            table.c.shard == work.shard, table.c.attachment_id.in_(ids)
        )
        found |= set(work.connection.execute(statement).scalars())
    return found


def _erased_members(work: Work, proved: Sequence[Proved]) -> set[str]:
    """Members of these facts who were erased before their personal data arrived."""
    concerned = {
        member for reading, _ref, _attachment in proved for member in concerns(reading.fact)
    }
    statement = select(members.c.member_id).where(
        members.c.shard == work.shard, members.c.member_id.in_(concerned), members.c.gone.is_(True)
    )
    return set(work.connection.execute(statement).scalars())


def _row(proved: Proved) -> dict[str, object]:
    reading, ref, attachment = proved
    return {
        "attachment_id": attachment.id,
        "entry_id": reading.id,
        "role": ref.role,
        "salt": attachment.salt,
        "content": attachment.content,
    }


def _unproven(entry_id: EntryId, ref: AttachmentRef) -> Finding:
    return Finding(
        rule=Rule.ATTACHMENT_UNPROVEN,
        natural_key=f"attachment-unproven:{ref.id}",
        facts=(entry_id,),
    )

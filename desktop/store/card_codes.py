"""Codes of gift cards that were made here, kept until their paper is printed and no longer."""

from sqlalchemy import Connection, delete, insert, select

from desktop.store.schema import card_codes, print_jobs
from shared.ids import EntryId


def keep_code(connection: Connection, entry_id: EntryId, code: str) -> None:
    """Keep a code for its one original."""
    connection.execute(insert(card_codes).values(entry_id=entry_id, code=code))


def code_of(connection: Connection, entry_id: EntryId) -> str:
    """The code of a card whose paper is still to be printed; empty afterwards."""
    statement = select(card_codes.c.code).where(card_codes.c.entry_id == entry_id)
    return connection.execute(statement).scalar() or ""


def forget_codes_of(connection: Connection, job_id: str) -> None:
    """The paper of a print job is out: no copy shows a code again."""
    printed = select(print_jobs.c.entry_id).where(print_jobs.c.job_id == job_id)
    connection.execute(delete(card_codes).where(card_codes.c.entry_id.in_(printed)))

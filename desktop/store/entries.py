"""Own entries, read back."""

from sqlalchemy import Connection, select

from desktop.store.schema import entries
from shared.ids import EntryId
from shared.journal.entry import Entry, decode_entry


def read_entry(connection: Connection, entry_id: EntryId) -> Entry | None:
    """One own entry by its id."""
    encoded = connection.execute(select(entries.c.bytes).where(entries.c.id == entry_id)).scalar()
    return decode_entry(encoded) if encoded is not None else None

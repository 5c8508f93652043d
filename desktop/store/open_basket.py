"""The basket on the screen, kept so that a till that dies has it still."""

from sqlalchemy import Connection, delete, insert, select

from desktop.store.schema import open_basket


def keep(connection: Connection, document: bytes | None) -> None:
    """Keep what is on the screen in place of what was; None where nothing is."""
    connection.execute(delete(open_basket))
    if document is not None:
        connection.execute(insert(open_basket).values(slot=0, document=document))


def kept(connection: Connection) -> bytes | None:
    """What was on the screen last and neither sold, held, given up nor taken back."""
    return connection.execute(select(open_basket.c.document)).scalar()

"""Papers that no entry stands behind (an X report, a coupon slip, a test page), kept while a print
job of theirs is not over.

Such a job names the paper where others name an entry. The paper is kept as it was asked for: the
figures of an X report are those of that moment.
"""

import msgspec
from sqlalchemy import Connection

from desktop.store.settings import drop_value, read_value, write_value
from shared.receipt.document import Document
from shared.receipt.stored import StoredBlock, restored, stored


class LoosePaper(msgspec.Struct, frozen=True):
    """What is to be printed, and how the cashier calls it."""

    title: str
    """The message key of its title."""
    blocks: tuple[StoredBlock, ...]

    @property
    def document(self) -> Document:
        """What stands on it."""
        return restored(self.blocks)


def keep_paper(connection: Connection, paper_id: str, title: str, document: Document) -> None:
    """Keep it, in the transaction that queues its job."""
    write_value(connection, paper_key(paper_id), LoosePaper(title, stored(document)))


def read_paper(connection: Connection, paper_id: str) -> LoosePaper | None:
    """None for what is an entry's, and for what is printed and gone."""
    return read_value(connection, paper_key(paper_id), LoosePaper)


def forget_paper(connection: Connection, paper_id: str) -> None:
    """It is out, or nobody wants it any more."""
    drop_value(connection, paper_key(paper_id))


def paper_key(paper_id: str) -> str:
    """Where it is kept."""
    return f"loose-paper-{paper_id}"

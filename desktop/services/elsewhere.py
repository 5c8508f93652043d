"""What this till does not hold: a receipt of another till, a member enrolled a moment ago.

The server is asked on a thread of its own; the answer, or the reason there is none, is told back.
Nobody waits: without a network the cashier is told at once what can be done instead.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime

import structlog
from sqlalchemy import Connection

from desktop.services.books import Books
from desktop.store.journal import applied_through, current_epoch
from desktop.store.members import Member, find, put_member
from desktop.store.settings import read_cursor
from desktop.store.writer import Transaction
from shared.errors import DomainError, EnvironmentFault, EvertillError
from shared.journal.entry import decode_entry, format_occurred_at
from shared.protocol.cursor import decode_cursor
from shared.protocol.message import PROTOCOL, LookupReply, LookupRequest, ReceiptCopy, Stream
from shared.returning.sold import ReturnableSale
from shared.trade.kinds import read_fact
from shared.trade.profile import KeyKind, lookup_hash
from shared.trade.ticket import SaleCompleted, SaleReturned

log = structlog.get_logger("elsewhere")

Ask = Callable[[LookupRequest], LookupReply]
"""Puts a question to the server; raises what the connection raises."""
Failed = Callable[[EvertillError], None]


class Elsewhere:
    """Questions to the server about what is not here."""

    def __init__(self, books: Books, ask: Ask, executor: Executor) -> None:
        self._books = books
        self._ask = ask
        self._executor = executor

    def find_receipt(
        self, receipt_no: str, *, tell: Callable[[ReturnableSale], None], failed: Failed
    ) -> None:
        """Look a receipt up; ``tell`` and ``failed`` are called from another thread."""
        self._executor.submit(self._run, lambda: tell(self.receipt(receipt_no)), failed)

    def find_member(
        self, kind: KeyKind, text: str, *, tell: Callable[[list[Member]], None], failed: Failed
    ) -> None:
        """Look a member up by card or phone; an empty list if nobody has it."""
        self._executor.submit(self._run, lambda: tell(self.member(kind, text)), failed)

    def _run(self, work: Callable[[], None], failed: Failed) -> None:
        try:
            work()
        except EvertillError as error:
            failed(error)
        except Exception:
            # The edge of this thread: whoever asked must hear something.
            log.exception("look-up-bug")
            failed(EnvironmentFault("sync-bug"))

    def receipt(self, receipt_no: str) -> ReturnableSale:
        """The sale of a receipt of any till; DomainError ``unknown-receipt``."""
        reply = self._ask(LookupRequest(protocol=PROTOCOL, receipt_no=receipt_no))
        if reply.receipt is None:
            raise DomainError("unknown-receipt", receipt_no=receipt_no)
        self._books.change(lambda transaction: self._keep_all(transaction, reply))
        return returnable(reply.receipt)

    def member(self, kind: KeyKind, text: str) -> list[Member]:
        """Members with this card or phone, kept here from now on."""
        key = lookup_hash(self._books.identity.lookup_key, kind, text)
        reply = self._ask(LookupRequest(protocol=PROTOCOL, member_key=key))

        def keep(transaction: Transaction) -> list[Member]:
            self._keep_all(transaction, reply)
            found = (find(transaction.connection, row.member_id) for row in reply.members)
            return [member for member in found if member is not None]

        return self._books.change(keep)

    def _keep_all(self, transaction: Transaction, reply: LookupReply) -> None:
        """Only who is not here yet: the pull is what keeps known members true."""
        connection = transaction.connection
        if _was_pulled(connection, reply):
            # Who is not here was erased while the answer was on its way.
            return
        epoch = current_epoch(connection)
        assert epoch is not None
        for row in reply.members:
            if find(connection, row.member_id) is None:
                put_member(
                    connection,
                    row,
                    epoch=epoch.head.epoch,
                    applied_through=applied_through(connection, epoch, reply.heads),
                    as_of=format_occurred_at(self._books.clock.now()),
                )


def _was_pulled(connection: Connection, reply: LookupReply) -> bool:
    """Whether all that the server knew of members when it answered was read meanwhile."""
    text = read_cursor(connection, Stream.MEMBERS)
    if text is None:
        return False
    cursor = decode_cursor(text)
    return cursor.generation == reply.generation and cursor.server_seq >= reply.server_seq


def returnable(copy: ReceiptCopy) -> ReturnableSale:
    """A sale as its own till wrote it, with what came back of it anywhere."""
    entry = decode_entry(copy.entry)
    sale = read_fact(entry.envelope)
    returns = [read_fact(decode_entry(encoded).envelope) for encoded in copy.returns]
    if not isinstance(sale, SaleCompleted):
        raise DomainError("unknown-receipt", receipt_no="")
    return ReturnableSale(
        entry.envelope.id,
        datetime.fromisoformat(entry.envelope.occurred_at),
        sale,
        tuple(one for one in returns if isinstance(one, SaleReturned)),
    )

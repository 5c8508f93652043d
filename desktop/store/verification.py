"""``verify``: reads everything a till has stored and recomputes what can be recomputed.

Chains and signatures are checked from the bytes up, postings are booked again from the facts,
balances are summed again. It only reads, so it may run beside the till.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, func, select
from sqlalchemy.exc import DatabaseError

from desktop.store.database import TillFolder, open_reading
from desktop.store.driver import disk_fault
from desktop.store.file_key import read_encryption
from desktop.store.head_file import HeadFile
from desktop.store.identity import read_identity
from desktop.store.journal import Epoch, all_epochs
from desktop.store.replica import read_held
from desktop.store.schema import (
    attachments,
    balances,
    entries,
    goods,
    head_signatures,
    held_rows,
    members,
    operators,
    postings,
    pulled_balances,
    tickets,
)
from desktop.store.sealing import unlock
from desktop.store.server_trust import read_trusted
from desktop.store.upgrade import HEAD_REVISION, current_revision
from shared.errors import DomainError, EnvironmentFault, ProtocolError
from shared.journal.attachment import Attachment, named_attachments
from shared.journal.certificate import Certificate, decode_certificate, verify_head
from shared.journal.chain import ChainHead, begin_chain, verify_next
from shared.journal.entry import decode_entry
from shared.journal.flaws import Findings
from shared.journal.server_key import TrustedKeys
from shared.ledger.account import MEMBER_ACCOUNTS, Account, AccountKind, Posting, Unit
from shared.ledger.posting import RULES, sum_by_unit
from shared.protocol.message import Stream
from shared.protocol.replica import Scope
from shared.trade.kinds import read_fact

PAGE: Final = 1000


@dataclass(slots=True)
class TillReport(Findings):
    """What was read of a till, and what is wrong with it."""

    epochs: int = 0
    entries: int = 0
    signatures: int = 0
    postings: int = 0
    balances: int = 0
    rows_held: int = 0
    unsent: int = 0
    deleted: int = 0
    """Entries that are safe elsewhere and no longer here."""
    encryption: str = "none"
    """Where the key of the till's files is: ``key-store``, ``owner-file``, or ``none``."""


def verify_till(folder: TillFolder) -> TillReport:
    """Verify a till's folder.

    Raises DomainError ``not-enrolled``; EnvironmentFault ``database-damaged``,
    ``database-too-old`` and ``database-too-new``, and what finding the files' key raises.
    """
    if not folder.database.exists():
        raise DomainError("not-enrolled", folder=str(folder.path))
    folder = unlock(folder)
    engine = open_reading(folder)
    try:
        report = _verify(engine, folder)
    except (DatabaseError, UnicodeDecodeError) as error:
        damaged = EnvironmentFault("database-damaged", file=str(folder.database))
        raise disk_fault(error) or damaged from error
    finally:
        engine.dispose()
    told = read_encryption(folder.path) if folder.key is not None else None
    report.encryption = told.kept.value if told is not None else "none"
    return report


def _verify(engine: Engine, folder: TillFolder) -> TillReport:
    report = TillReport()
    with engine.connect() as connection:
        found = current_revision(connection)
        if found != HEAD_REVISION:
            raise EnvironmentFault("database-too-old", found=str(found), known=HEAD_REVISION)
        identity = read_identity(connection)
        if identity is None:
            raise DomainError("not-enrolled", folder=str(folder.path))
        trusted = read_trusted(connection, identity)
        for row in connection.exec_driver_sql("PRAGMA integrity_check(5)").scalars():
            if row != "ok":
                report.note("file-damaged", str(row))
        for epoch in all_epochs(connection):
            report.epochs += 1
            report.unsent += epoch.unsent
            report.deleted += epoch.oldest_seq
            certificate = _certificate(epoch, trusted, report)
            _check_chain(connection, epoch, report)
            if certificate is not None:
                _check_signatures(connection, epoch, certificate, report)
        _check_head_file(connection, folder, report)
        _check_books(connection, report)
        _check_tickets(connection, report)
        _check_attachments(connection, report)
        _check_held(connection, report)
    return report


def _place(epoch: Epoch, seq: int) -> str:
    return f"{epoch.head.journal}/{epoch.head.epoch}/{seq}"


def _certificate(epoch: Epoch, trusted: TrustedKeys, report: TillReport) -> Certificate | None:
    try:
        payload = epoch.certificate.verify(
            trusted.author_of(epoch.certificate),
            purpose="certificate",
            audience=epoch.head.journal,
        )
        return decode_certificate(payload)
    except ProtocolError:
        report.note("bad-certificate", _place(epoch, -1))
        return None


def _check_chain(connection: Connection, epoch: Epoch, report: TillReport) -> None:
    head = begin_chain(epoch.head.journal, epoch.head.epoch, epoch.certificate.payload)
    if epoch.forgotten_hash is not None:
        head = ChainHead(head.journal, head.epoch, epoch.oldest_seq, epoch.forgotten_hash)
    for row in _entries(connection, epoch):
        report.entries += 1
        try:
            head, chained = verify_next(head, row.bytes)
        except ProtocolError as error:
            report.note(error.code, _place(epoch, row.seq))
            head = ChainHead(head.journal, head.epoch, row.seq + 1, row.hash)
            continue
        if (chained.hash, chained.previous_hash) != (row.hash, row.previous_hash):
            report.note("broken-chain", _place(epoch, row.seq))
            head = ChainHead(head.journal, head.epoch, row.seq + 1, row.hash)
        if (chained.id, chained.envelope.kind) != (row.id, row.kind):
            report.note("wrong-columns", _place(epoch, row.seq))
        _check_postings(connection, row, report)
    if head != epoch.head:
        report.note("head-differs", _place(epoch, epoch.head.next_seq))


def _entries(connection: Connection, epoch: Epoch) -> Iterator[Row[Any]]:
    after = -1
    while True:
        page = connection.execute(
            select(entries)
            .where(
                entries.c.journal == epoch.head.journal,
                entries.c.epoch == epoch.head.epoch,
                entries.c.seq > after,
            )
            .order_by(entries.c.seq)
            .limit(PAGE)
        ).all()
        if not page:
            return
        yield from page
        after = page[-1].seq


def _check_postings(connection: Connection, row: Row[Any], report: TillReport) -> None:
    stored = [_posting(found) for found in _stored_postings(connection, row.epoch, row.seq)]
    report.postings += len(stored)
    try:
        envelope = decode_entry(row.bytes).envelope
        version = envelope.post_version
        booked = RULES.post(envelope.id, read_fact(envelope), post_version=version)
    except ProtocolError as error:
        report.note(error.code, f"{row.epoch}/{row.seq}")
        return
    if tuple(stored) != tuple(booked):
        report.note("postings-differ", f"{row.epoch}/{row.seq}")


def _stored_postings(connection: Connection, epoch: int, seq: int) -> Sequence[Row[Any]]:
    statement = select(postings).where(postings.c.epoch == epoch, postings.c.seq == seq)
    return connection.execute(statement.order_by(postings.c.position)).all()


def _posting(row: Row[Any]) -> Posting:
    return Posting(
        Account(AccountKind(row.account), row.owner, row.lot, Unit(row.unit)), row.amount
    )


def _check_signatures(
    connection: Connection, epoch: Epoch, certificate: Certificate, report: TillReport
) -> None:
    rows = connection.execute(
        select(head_signatures, entries.c.hash.label("entry_hash"))
        .outerjoin(
            entries,
            (entries.c.journal == head_signatures.c.journal)
            & (entries.c.epoch == head_signatures.c.epoch)
            & (entries.c.seq == head_signatures.c.seq),
        )
        .where(
            head_signatures.c.journal == epoch.head.journal,
            head_signatures.c.epoch == epoch.head.epoch,
        )
        .order_by(head_signatures.c.seq)
    )
    for row in rows:
        report.signatures += 1
        try:
            verify_head(certificate, seq=row.seq, head_hash=row.hash, signature=row.signature)
        except ProtocolError:
            report.note("bad-signature", _place(epoch, row.seq))
        if row.seq >= epoch.oldest_seq and row.entry_hash != row.hash:
            report.note("signature-elsewhere", _place(epoch, row.seq))


def _check_head_file(connection: Connection, folder: TillFolder, report: TillReport) -> None:
    record = HeadFile(folder.head).read()
    if record is None:
        if any(epoch.head.next_seq for epoch in all_epochs(connection)):
            report.note("head-file-missing", str(folder.head))
        return
    epoch = next((one for one in all_epochs(connection) if one.head.epoch == record.epoch), None)
    if epoch is None or record.seq >= epoch.head.next_seq:
        report.note("journal-behind-head", f"{record.journal}/{record.epoch}/{record.seq}")


def _check_books(connection: Connection, report: TillReport) -> None:
    """Units sum to zero; own accounts are the sum of own postings, members' with the server's."""
    own: Counter[Account] = Counter()
    for row in connection.execute(select(postings)):
        own[_posting(row).account] += row.amount
    for unit, amount in sum_by_unit(Posting(account, n) for account, n in own.items()):
        if amount:
            report.note("unbalanced-unit", f"{unit}: {amount}")
    stored: Counter[Account] = Counter()
    for row in connection.execute(select(balances)):
        report.balances += 1
        stored[_posting(row).account] += row.amount
    known = {row.member_id: row for row in connection.execute(select(members))}
    right = Counter(
        {account: amount for account, amount in own.items() if account.kind not in MEMBER_ACCOUNTS}
    )
    right.update(_of_members(connection, known))
    checked = {
        account: amount
        for account, amount in stored.items()
        if account.kind not in MEMBER_ACCOUNTS or account.owner in known
    }
    for account in sorted({*right, *checked}):
        if right.get(account, 0) != checked.get(account, 0):
            report.note("balance-differs", "/".join(account))


def _of_members(connection: Connection, known: dict[str, Row[Any]]) -> Counter[Account]:
    """What members known here should show: the checkpoint and own entries it does not contain."""
    right: Counter[Account] = Counter()
    for row in connection.execute(select(pulled_balances)):
        if row.owner in known:
            right[_posting(row).account] += row.amount
    for row in connection.execute(select(postings).where(postings.c.owner.in_(list(known)))):
        member = known[row.owner]
        if (row.epoch, row.seq) >= (member.applied_epoch, member.applied_through):
            right[_posting(row).account] += row.amount
    return right


def _check_tickets(connection: Connection, report: TillReport) -> None:
    """No two receipts have one number."""
    twice = select(tickets.c.receipt_no).group_by(tickets.c.receipt_no).having(func.count() > 1)
    for number in connection.execute(twice).scalars():
        report.note("receipt-number-twice", number)


def _check_attachments(connection: Connection, report: TillReport) -> None:
    rows = connection.execute(
        select(attachments, entries.c.bytes).outerjoin(
            entries, entries.c.id == attachments.c.entry_id
        )
    )
    for row in rows:
        attachment = Attachment(row.id, row.salt, row.content)
        if not any(attachment.matches(ref) for ref in named_attachments(row.bytes)):
            report.note("attachment-differs", row.id)


def _check_held(connection: Connection, report: TillReport) -> None:
    """What was pulled is still here, and counted as it is."""
    tables = {
        Stream.CATALOGUE: goods.c.goods_id,
        Stream.OPERATORS: operators.c.operator_id,
        Stream.MEMBERS: members.c.member_id,
    }
    for stream in Stream:
        scope = Scope()
        for row in connection.execute(select(held_rows).where(held_rows.c.stream == stream)):
            report.rows_held += 1
            if not row.is_stale:
                scope = scope.changed(None, int(row.hash, 16))
        if scope != read_held(connection, stream):
            report.note("scope-differs", stream.value)
        if stream in tables:
            held = select(held_rows.c.row_key).where(
                held_rows.c.stream == stream, held_rows.c.row_key.not_in(select(tables[stream]))
            )
            for key in connection.execute(held.order_by(held_rows.c.row_key)).scalars():
                report.note("row-missing", f"{stream}/{key}")

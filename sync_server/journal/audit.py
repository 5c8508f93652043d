"""`verify`: reads everything that is stored and recomputes what can be recomputed.

It shares no state with the code that wrote: chains and signatures are checked from the bytes up,
postings are booked again from the facts, balances are summed again from the postings.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Row, func, select

from shared.errors import ProtocolError
from shared.journal.attachment import Attachment, named_attachments
from shared.journal.certificate import Certificate, decode_certificate, verify_head
from shared.journal.entry import chain_hash
from shared.journal.flaws import Findings
from shared.journal.keys import PublicKey, Signed, parse_public_key
from shared.journal.server_key import TrustedKeys
from shared.ledger.account import Account, AccountKind, Posting, Unit
from shared.ledger.balance import Balances
from shared.ledger.posting import sum_by_unit
from sync_server.database import schema
from sync_server.database.transaction import Snapshot
from sync_server.journal.chains import Chain, ChainReader, read_chains
from sync_server.keys.known import all_statements, first_root
from sync_server.ledger.kept import Link, Reading, read_envelope, read_link
from sync_server.members.profiles import unlike_facts
from sync_server.sync.scopes import uncounted

_PAGE = 1000


@dataclass(slots=True)
class Report(Findings):
    """What was read, and what is wrong with it, the first flaw first."""

    chains: int = 0
    entries: int = 0
    signatures: int = 0
    postings: int = 0
    balances: int = 0
    quarantined: int = 0
    holes: list[str] = field(default_factory=list)
    """Stretches that nobody has: known, not flaws."""


def audit(snapshot: Snapshot) -> Report:
    """Verify chains, signatures, postings, balances and attachments of one moment."""
    report = Report()
    keys = _own_keys(snapshot, report)
    refolded: Balances = {}
    journals = snapshot.connection.execute(
        select(schema.epochs.c.journal)
        .where(schema.epochs.c.shard == snapshot.shard)
        .distinct()
        .order_by(schema.epochs.c.journal)
    ).scalars()
    for journal in journals.all():
        chains = read_chains(snapshot, journal)
        reader = ChainReader(snapshot, chains)
        for chain in chains:
            report.chains += 1
            _check_certificate(snapshot, chain, keys, report)
            _check_chain(snapshot, reader, chain, refolded, report)
            _check_signatures(snapshot, reader, chain, report)
    _check_books(snapshot, refolded, report)
    _check_attachments(snapshot, report)
    for member in unlike_facts(snapshot):
        report.note("profile-differs", member)
    for where in uncounted(snapshot):
        report.note("scope-differs", where)
    return report


def _own_keys(snapshot: Snapshot, report: Report) -> dict[str, list[PublicKey]]:
    """All keys that ever signed or vouched here, by purpose; each follows from the first root."""
    keys: dict[str, list[PublicKey]] = {"root": [], "signing": []}
    known: dict[str, set[str]] = {"root": {first_root(snapshot).id}, "signing": set()}
    try:
        trusted = TrustedKeys(first_root(snapshot))
        for signed in all_statements(snapshot):
            trusted.learn(signed)
            known["root"].add(trusted.root.id)
        known["signing"] |= trusted.known_ids
    except msgspec.MsgspecError:
        report.note("bad-certificate", "server_keys")
    statement = select(schema.server_keys).where(schema.server_keys.c.shard == snapshot.shard)
    for row in snapshot.connection.execute(statement):
        key = parse_public_key(row.public_key)
        keys[row.purpose].append(key)
        if key.id not in known[row.purpose] or key.id != row.key_id:
            report.note("bad-certificate", f"server_keys/{row.purpose}")
    return keys


def _place(chain: Chain, seq: int) -> str:
    return f"{chain.journal}/{chain.epoch}/{seq}"


def _check_certificate(
    snapshot: Snapshot, chain: Chain, keys: dict[str, list[PublicKey]], report: Report
) -> None:
    columns = schema.epochs.c
    row = snapshot.connection.execute(
        select(columns.certificate_signed).where(
            columns.shard == snapshot.shard,
            columns.journal == chain.journal,
            columns.epoch == chain.epoch,
        )
    ).one()
    try:
        certificate = decode_certificate(chain.certificate)
        signed = msgspec.msgpack.decode(row.certificate_signed, type=Signed)
        signers = keys["signing" if certificate.till_id is not None else "root"]
        signer = next((key for key in signers if key.id == signed.key_id), signers[0])
        payload = signed.verify(signer, purpose="certificate", audience=chain.journal)
        if payload != chain.certificate or certificate.epoch != chain.epoch:
            report.note("bad-certificate", _place(chain, -1))
    except (ProtocolError, msgspec.MsgspecError):
        report.note("bad-certificate", _place(chain, -1))


def _check_chain(
    snapshot: Snapshot, reader: ChainReader, chain: Chain, refolded: Balances, report: Report
) -> None:
    next_seq = chain.first_seq
    previous = reader.hash_before(chain, next_seq)
    withheld = _withheld(snapshot, chain)
    for page in _entry_pages(snapshot, chain):
        readings: list[Reading] = []
        for row in page:
            report.entries += 1
            next_seq, previous = _pass_hole(reader, chain, next_seq, previous, report)
            if row.seq != next_seq:
                report.note("gap", _place(chain, next_seq))
            if row.prev_hash != previous or row.hash != chain_hash(row.prev_hash, row.bytes):
                report.note("broken-chain", _place(chain, row.seq))
            next_seq, previous = row.seq + 1, row.hash
            reading = _read(chain, row, withheld, report)
            if reading is not None:
                readings.append(reading)
        _check_postings(snapshot, readings, refolded, report)
    next_seq, previous = _pass_hole(reader, chain, next_seq, previous, report)
    if (next_seq, previous) != (chain.next_seq, chain.head_hash):
        report.note("head-differs", _place(chain, chain.next_seq))


def _pass_hole(
    reader: ChainReader, chain: Chain, next_seq: int, previous: bytes | None, report: Report
) -> tuple[int, bytes | None]:
    """Where the chain goes on, where a hole that is known begins here."""
    for hole in reader.holes(chain):
        if (hole.epoch, hole.first_seq, hole.hash_before) == (chain.epoch, next_seq, previous):
            report.holes.append(f"{_place(chain, next_seq)}-{hole.stop_seq - 1}")
            return hole.stop_seq, hole.hash_at_end
    return next_seq, previous


def _entry_pages(snapshot: Snapshot, chain: Chain) -> Iterator[Sequence[Row[Any]]]:
    columns = schema.entries.c
    after = -1
    while True:
        statement = (
            select(schema.entries)
            .where(
                columns.shard == snapshot.shard,
                columns.journal == chain.journal,
                columns.epoch == chain.epoch,
                columns.seq > after,
            )
            .order_by(columns.seq)
            .limit(_PAGE)
        )
        page = snapshot.connection.execute(statement).all()
        if not page:
            return
        yield page
        after = page[-1].seq


def _withheld(snapshot: Snapshot, chain: Chain) -> dict[int, bool]:
    """Entries that went to quarantine, and whether they were booked since."""
    columns = schema.quarantine.c
    rows = snapshot.connection.execute(
        select(columns.seq, columns.decision).where(
            columns.shard == snapshot.shard,
            columns.journal == chain.journal,
            columns.epoch == chain.epoch,
        )
    )
    return {row.seq: row.decision in {"booked", "read"} for row in rows}


def _read(chain: Chain, row: Row[Any], withheld: dict[int, bool], report: Report) -> Reading | None:
    """What the entry books, judged by its bytes and by what was decided about it."""
    try:
        envelope, failure = read_envelope(row.bytes), None
    except ProtocolError as error:
        envelope, failure = None, error
    link = Link(
        seq=row.seq,
        encoded=row.bytes,
        prev_hash=row.prev_hash,
        hash=row.hash,
        envelope=envelope,
        failure=failure,
    )
    if envelope is not None:
        named = (envelope.journal, envelope.epoch, envelope.seq, envelope.id)
        if named != (chain.journal, chain.written_epoch, row.seq, row.id or row.repeats):
            report.note("wrong-place", _place(chain, row.seq))
    outcome = read_link(link)
    if isinstance(outcome, Reading) and withheld.get(row.seq, True):
        return outcome if row.repeats is None else None
    report.quarantined += 1
    if row.repeats is None and row.seq not in withheld:
        report.note("not-in-quarantine", _place(chain, row.seq))
    return None


def _check_postings(
    snapshot: Snapshot, readings: Sequence[Reading], refolded: Balances, report: Report
) -> None:
    columns = schema.postings.c
    stored: dict[str, list[Posting]] = {reading.id: [] for reading in readings}
    statement = (
        select(schema.postings)
        .where(columns.shard == snapshot.shard, columns.entry_id.in_(list(stored)))
        .order_by(columns.entry_id, columns.position)
    )
    for row in snapshot.connection.execute(statement):
        account = Account(AccountKind(row.account), row.owner, row.lot, Unit(row.unit))
        stored[row.entry_id].append(Posting(account, row.amount))
    for reading in readings:
        if tuple(stored[reading.id]) != reading.postings:
            report.note("postings-differ", reading.id)
        report.postings += len(stored[reading.id])
        _add(refolded, reading.postings)


def _add(refolded: Balances, postings: Iterable[Posting]) -> None:
    for account, amount in postings:
        refolded[account] = refolded.get(account, 0) + amount


def _check_signatures(
    snapshot: Snapshot, reader: ChainReader, chain: Chain, report: Report
) -> None:
    columns = schema.head_signatures.c
    statement = (
        select(schema.head_signatures)
        .where(
            columns.shard == snapshot.shard,
            columns.journal == chain.journal,
            columns.epoch == chain.epoch,
        )
        .order_by(columns.seq)
    )
    certificate = _as_written(chain)
    signed_through = -1
    for row in snapshot.connection.execute(statement).all():
        report.signatures += 1
        signed_through = row.seq
        try:
            verify_head(certificate, seq=row.seq, head_hash=row.head_hash, signature=row.signature)
            if reader.hash_before(chain, row.seq + 1) != row.head_hash:
                report.note("signature-elsewhere", _place(chain, row.seq))
        except ProtocolError:
            report.note("bad-signature", _place(chain, row.seq))
    if chain.next_seq > chain.first_seq and signed_through != chain.next_seq - 1:
        report.note("unsigned-head", _place(chain, chain.next_seq - 1))


def _as_written(chain: Chain) -> Certificate:
    """The certificate with the epoch that the entries of a branch name."""
    certificate = decode_certificate(chain.certificate)
    return msgspec.structs.replace(certificate, epoch=chain.written_epoch)


def _check_books(snapshot: Snapshot, refolded: Balances, report: Report) -> None:
    total = snapshot.connection.execute(
        select(func.count()).where(schema.postings.c.shard == snapshot.shard)
    ).scalar_one()
    if total != report.postings:
        report.note("stray-postings", f"{total} stored, {report.postings} explained")
    stored: Balances = {}
    statement = select(schema.balances).where(schema.balances.c.shard == snapshot.shard)
    for row in snapshot.connection.execute(statement):
        report.balances += 1
        stored[Account(AccountKind(row.account), row.owner, row.lot, Unit(row.unit))] = row.amount
    right = {account: amount for account, amount in refolded.items() if amount}
    kept = {account: amount for account, amount in stored.items() if amount}
    for account in sorted({*right, *kept}):
        if right.get(account) != kept.get(account):
            report.note("balance-differs", "/".join(account))
    for unit, amount in sum_by_unit(Posting(account, n) for account, n in kept.items()):
        if amount:
            report.note("unbalanced-unit", f"{unit}: {amount}")


def _check_attachments(snapshot: Snapshot, report: Report) -> None:
    columns = schema.attachments.c
    statement = (
        select(schema.attachments, schema.entries.c.bytes)
        .join(
            schema.entries,
            (schema.entries.c.shard == columns.shard) & (schema.entries.c.id == columns.entry_id),
            isouter=True,
        )
        .where(columns.shard == snapshot.shard)
    )
    for row in snapshot.connection.execute(statement):
        attachment = Attachment(row.attachment_id, row.salt, row.content)
        if not any(attachment.matches(ref) for ref in named_attachments(row.bytes)):
            report.note("attachment-differs", row.attachment_id)

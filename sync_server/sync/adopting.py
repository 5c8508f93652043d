"""Epochs that this server gave and does not know: it was restored from a copy made before.

The certificate is its own signature, so the till is as authentic as any; what is lost is the name
that head office gave it.
"""

import msgspec
from sqlalchemy import func, select, update

from shared.ids import StoreId, TillId
from shared.journal.certificate import Certificate
from shared.journal.keys import Signed
from sync_server.database.schema import epochs, stores, tills
from sync_server.database.transaction import Work
from sync_server.journal.chains import add_epoch
from sync_server.ledger.finding import Finding, Rule

ZONE = "Asia/Shanghai"


def adopt(work: Work, certificate: Certificate, signed: Signed, now: str) -> Finding | None:
    """Take an epoch of ours that is not here; None where it is, or where its place is taken."""
    columns = epochs.c
    taken = select(columns.epoch).where(
        columns.shard == work.shard,
        (columns.key_id == certificate.key_id)
        | ((columns.journal == certificate.journal) & (columns.epoch == certificate.epoch)),
    )
    if certificate.till_id is None or work.connection.execute(taken).first() is not None:
        return None
    assert certificate.store_id is not None
    _ensure_store(work, certificate.store_id, now)
    _ensure_till(work, certificate, certificate.till_id, certificate.store_id, now)
    add_epoch(
        work,
        certificate=certificate,
        encoded=signed.payload,
        signed=msgspec.msgpack.encode(signed),
        created_at=now,
    )
    return Finding(
        rule=Rule.TILL_ADOPTED,
        natural_key=f"till-adopted:{certificate.journal}:{certificate.epoch}",
        facts=(),
    )


def _ensure_store(work: Work, store_id: StoreId, now: str) -> None:
    row = {"store_id": store_id, "name": f"? {store_id[:8]}", "zone": ZONE, "created_at": now}
    known = select(stores.c.store_id).where(
        stores.c.shard == work.shard, stores.c.store_id == store_id
    )
    if work.connection.execute(known).first() is None:
        work.insert(stores, [row])


def _ensure_till(
    work: Work, certificate: Certificate, till_id: TillId, store_id: StoreId, now: str
) -> None:
    of_till = (tills.c.shard == work.shard, tills.c.till_id == till_id)
    if work.connection.execute(select(tills.c.till_id).where(*of_till)).first() is None:
        number = certificate.till_number
        same = select(tills.c.till_id).where(
            tills.c.shard == work.shard, tills.c.number == certificate.till_number
        )
        if work.connection.execute(same).first() is not None:
            # Given again since the restore. Receipts say the number of the certificate.
            highest = select(func.max(tills.c.number)).where(tills.c.shard == work.shard)
            number = 1 + int(work.connection.execute(highest).scalar_one())
        row = {"till_id": till_id, "store_id": store_id, "name": f"? {till_id[:8]}"}
        work.insert(tills, [{**row, "number": number, "created_at": now}])
    work.connection.execute(
        update(tills)
        .where(*of_till, tills.c.journal.is_(None))
        .values(journal=certificate.journal, last_contact_at=now)
    )

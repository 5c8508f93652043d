"""Leases whose signing key was taken back: the server granted them, and another key says so."""

import msgspec
from sqlalchemy import select, update

from shared.journal.keys import KeyId, Signed, SigningKey
from shared.protocol.lease import sign_lease
from shared.trade.lease import LeaseTerms
from sync_server.database.schema import leases
from sync_server.database.transaction import Work
from sync_server.leases.claims import LeaseState


def sign_leases_anew(work: Work, key: SigningKey, *, of: KeyId) -> None:
    """Sign open leases again that another key has signed: their tills would not believe it."""
    columns = leases.c
    rows = work.connection.execute(
        select(columns.lease_id, columns.statement).where(
            columns.shard == work.shard, columns.state == LeaseState.OPEN.value
        )
    ).all()
    for row in rows:
        before = msgspec.msgpack.decode(row.statement, type=Signed)
        if before.key_id != of:
            continue
        signed = sign_lease(key, msgspec.json.decode(before.payload, type=LeaseTerms))
        work.connection.execute(
            update(leases)
            .where(columns.shard == work.shard, columns.lease_id == row.lease_id)
            .values(statement=msgspec.msgpack.encode(signed))
        )

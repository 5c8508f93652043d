"""Programmes that were published, read again by the facts that name them."""

from functools import lru_cache
from typing import Final

from sqlalchemy import bindparam, select

from shared.errors import EvertillError
from shared.loyalty.bundle import load_programme
from shared.loyalty.programme import Programme
from shared.trade.fact import BundleRef
from sync_server.database.schema import bundles
from sync_server.database.transaction import Snapshot

_NAMED: Final = select(bundles.c.document).where(
    bundles.c.shard == bindparam("shard"),
    bundles.c.version == bindparam("version"),
    bundles.c.sha256 == bindparam("sha256"),
)
"""Asked for every sale that is judged: made once."""


def programme_of(snapshot: Snapshot, ref: BundleRef) -> Programme | None:
    """The programme that a fact names; None where nobody published it, or it cannot be read."""
    told = {"shard": snapshot.shard, "version": ref.version, "sha256": ref.sha256}
    document = snapshot.connection.execute(_NAMED, told).scalar()
    return _read_programme(document) if document is not None else None


def newest_programme(snapshot: Snapshot) -> Programme | None:
    """The programme in force; None before the first, or where this release cannot read it."""
    found = in_force(snapshot)
    return found[1] if found else None


def in_force(snapshot: Snapshot, before: str | None = None) -> tuple[BundleRef, Programme] | None:
    """The same with what facts name it by; the last one published ``before`` a time of the server.

    The first one where none had been published by then.
    """
    statement = (
        select(bundles.c.version, bundles.c.sha256, bundles.c.document)
        .where(bundles.c.shard == snapshot.shard)
        .limit(1)
    )
    newest = statement.order_by(bundles.c.version.desc())
    if before is None:
        row = snapshot.connection.execute(newest).first()
    else:
        then = newest.where(bundles.c.published_at < before)
        row = snapshot.connection.execute(then).first()
        row = row or snapshot.connection.execute(statement.order_by(bundles.c.version)).first()
    programme = _read_programme(row.document) if row is not None else None
    if row is None or programme is None:
        return None
    return BundleRef(version=row.version, sha256=row.sha256), programme


@lru_cache(maxsize=8)
def _read_programme(document: bytes) -> Programme | None:
    """One programme prices many sales; one that this release cannot read prices none."""
    try:
        return load_programme(document)
    except EvertillError:
        return None

"""Programme bundles; the newest is in force, the others explain old sales."""

from typing import Final

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.schema import bundles
from desktop.store.settings import read_value, write_value
from shared.journal.keys import Signed
from shared.loyalty.bundle import load_bundle
from shared.loyalty.programme import Programme
from shared.trade.fact import BundleRef

PROVED: Final = "programme-proved"
"""Where the server's statement about the programme in force is kept."""


def newest_version(connection: Connection) -> int:
    """The version in force; 0 before the first."""
    return connection.execute(select(func.max(bundles.c.version))).scalar() or 0


def bundle_hash(connection: Connection, version: int) -> str | None:
    """The SHA-256 of a version that is here, in hex."""
    return connection.execute(select(bundles.c.sha256).where(bundles.c.version == version)).scalar()


def prove_bundle(connection: Connection, ref: BundleRef, statement: Signed) -> None:
    """Keep the server's word for the programme in force, to show it to one that was restored."""
    if ref.version == newest_version(connection):
        write_value(connection, PROVED, statement)


def proved_bundle(connection: Connection) -> Signed | None:
    """The server's word for the newest programme that came with one kept."""
    return read_value(connection, PROVED, Signed)


def put_bundle(connection: Connection, ref: BundleRef, document: bytes) -> None:
    """Keep a bundle."""
    connection.execute(
        upsert(bundles)
        .values(version=ref.version, sha256=ref.sha256, document=document)
        .on_conflict_do_nothing()
    )


def read_bundle(
    connection: Connection, version: int | None = None
) -> tuple[BundleRef, Programme] | None:
    """The bundle of a version, or the one in force; None if it is not here."""
    wanted = newest_version(connection) if version is None else version
    row = connection.execute(select(bundles).where(bundles.c.version == wanted)).one_or_none()
    if row is None:
        return None
    ref = BundleRef(version=row.version, sha256=row.sha256)
    return ref, load_bundle(row.document, ref)

"""Putting a programme in force: checked, numbered, signed, and a fact of the server's journal."""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, select

from shared.clock import Clock
from shared.errors import DomainError
from shared.journal.keys import sign_statement
from shared.journal.strict import encode_strict
from shared.loyalty.bundle import load_programme
from shared.loyalty.coupon_code import new_coupon_code
from shared.trade.fact import BundleRef
from shared.trade.server import ProgrammePublished
from shared.trade.writing import Writing
from sync_server.database.schema import bundles, shards
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Work
from sync_server.journal.own import OwnJournal
from sync_server.keys.vault import Vault

COUPONS_AT_ONCE_MAX = 100_000
"""Of 10 billion codes of one coupon: two of a batch that are alike are drawn again."""


@dataclass(frozen=True, slots=True)
class ProgrammeDesk:
    """Publishes programmes, and the coupons they define."""

    database: Database
    clock: Clock
    own: OwnJournal
    vault: Vault

    def publish(self, document: bytes) -> BundleRef:
        """Put a programme in force under the next version.

        Raises the DomainErrors of ``load_programme``. Publishing what is in force changes nothing.
        """
        load_programme(document)
        sha256 = hashlib.sha256(document).hexdigest()
        with self.database.writing() as work:
            newest = work.connection.execute(
                select(bundles.c.version, bundles.c.sha256)
                .where(bundles.c.shard == work.shard)
                .order_by(bundles.c.version.desc())
                .limit(1)
            ).first()
            if newest is not None and newest.sha256 == sha256:
                return BundleRef(version=newest.version, sha256=sha256)
            ref = BundleRef(version=_next_version(work, newest), sha256=sha256)
            statement = sign_statement(
                self.vault.signing, purpose="bundle", audience="all", payload=encode_strict(ref)
            )
            row = {
                "version": ref.version,
                "sha256": sha256,
                "document": document,
                "statement": msgspec.msgpack.encode(statement),
                "published_at": format_time(self.clock.now()),
                "change_seq": work.take(1)[0],
            }
            work.insert(bundles, [row])
            self.own.write(work, [Writing(ProgrammePublished(programme=ref))])
        return ref

    def issue_coupons(self, coupon: str, count: int) -> list[str]:
        """Fresh codes that each claim a coupon of the programme in force, in any store.

        Codes are sealed with the chain's key; none is kept here. Raises DomainError
        ``coupon-not-in-programme`` and ``bad-coupon-count``.
        """
        if not 0 < count <= COUPONS_AT_ONCE_MAX:
            raise DomainError("bad-coupon-count", found=count, highest=COUPONS_AT_ONCE_MAX)
        with self.database.reading() as work:
            document = work.connection.execute(
                select(bundles.c.document)
                .where(bundles.c.shard == work.shard)
                .order_by(bundles.c.version.desc())
                .limit(1)
            ).scalar()
        known = [one.id for one in load_programme(document).coupons] if document else []
        if coupon not in known:
            raise DomainError("coupon-not-in-programme", coupon=coupon, known=", ".join(known))
        codes: set[str] = set()
        while len(codes) < count:
            codes.add(new_coupon_code(self.vault.lookup, coupon))
        return sorted(codes)


def _next_version(work: Work, newest: Row[Any, Any] | None) -> int:
    """One more than the newest, and than any that tills may know from before a restore."""
    floor = work.connection.execute(
        select(shards.c.bundle_floor).where(shards.c.shard == work.shard)
    ).scalar_one()
    return max(int(floor), newest.version + 1 if newest else 1)

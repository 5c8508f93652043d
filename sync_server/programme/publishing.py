"""Putting a programme in force: checked, numbered, signed, and a fact of the server's journal."""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, select, update

from shared.clock import Clock
from shared.errors import DomainError, ProtocolError
from shared.journal.keys import KeyId, Signed, SigningKey, sign_statement
from shared.journal.strict import encode_strict
from shared.loyalty.bundle import load_programme
from shared.loyalty.coupon_code import new_coupon_code
from shared.trade.fact import BundleRef
from shared.trade.server import ProgrammePublished
from shared.trade.writing import Writing
from sync_server.database.schema import bundles, shards
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.draws.desk import check_promises
from sync_server.journal.own import OwnJournal
from sync_server.keys.known import KnownKeys
from sync_server.keys.vault import Vault

COUPONS_AT_ONCE_MAX = 100_000
"""Of 10 billion codes of one coupon: two of a batch that are alike are drawn again."""

_Bundle = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class ProgrammeDesk:
    """Publishes programmes, and the coupons they define."""

    database: Database
    clock: Clock
    own: OwnJournal
    vault: Vault
    keys: KnownKeys

    def publish(self, document: bytes) -> BundleRef:
        """Put a programme in force under the next version.

        Raises the DomainErrors of ``load_programme``, and ``draw-promised`` for another rule of a
        draw that members have entered. Publishing what is in force changes nothing.
        """
        programme = load_programme(document)
        sha256 = hashlib.sha256(document).hexdigest()
        with self.database.writing() as work:
            newest = _newest(work)
            if newest is not None and newest.sha256 == sha256:
                return BundleRef(version=newest.version, sha256=sha256)
            check_promises(work, programme)
            ref = BundleRef(version=_next_version(work, newest), sha256=sha256)
            self._put_in_force(work, ref, document)
        return ref

    def outbid(self, shown: Signed) -> None:
        """Put the programme in force above one that a till shows, where this server lacks that one.

        It was restored from a copy made before: tills take no lower version than they have.
        Raises ProtocolError ``wrong-statement``, ``bad-signature``, ``bad-message``: only what this
        server signed itself moves its versions, and not what a key signed that was taken back.
        """
        key = self.keys.believed(shown)
        if key is None:
            return
        payload = shown.verify(key, purpose="bundle", audience="all")
        try:
            ref = msgspec.json.decode(payload, type=BundleRef)
        except msgspec.MsgspecError as error:
            raise ProtocolError("bad-message", reason="programme") from error
        with self.database.reading() as snapshot:
            if not _is_beyond(_newest(snapshot), ref):
                return
        with self.database.writing() as work:
            newest = _newest(work)
            if not _is_beyond(newest, ref):
                return
            floor = update(shards).where(shards.c.shard == work.shard)
            higher = shards.c.bundle_floor <= ref.version
            work.connection.execute(floor.where(higher).values(bundle_floor=ref.version + 1))
            self.again(work)

    def again(self, work: Work) -> None:
        """Put the programme in force once more, above what tills may have from before a restore."""
        newest = _newest(work)
        if newest is not None:
            ref = BundleRef(version=_next_version(work, newest), sha256=newest.sha256)
            self._put_in_force(work, ref, newest.document)

    def _put_in_force(self, work: Work, ref: BundleRef, document: bytes) -> None:
        statement = sign_statement(
            self.vault.signing, purpose="bundle", audience="all", payload=encode_strict(ref)
        )
        row = {
            "version": ref.version,
            "sha256": ref.sha256,
            "document": document,
            "statement": msgspec.msgpack.encode(statement),
            "published_at": format_time(self.clock.now()),
            "change_seq": work.take(1)[0],
        }
        work.insert(bundles, [row])
        self.own.write(work, [Writing(ProgrammePublished(programme=ref))])

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


def sign_bundles_anew(work: Work, key: SigningKey, *, of: KeyId) -> None:
    """Sign with this key what another one signed that is believed no more: new tills read it all,
    others get it again."""
    rows = work.connection.execute(select(bundles).where(bundles.c.shard == work.shard)).all()
    for row in rows:
        before = msgspec.msgpack.decode(row.statement, type=Signed)
        if before.key_id != of:
            continue
        signed = sign_statement(key, purpose="bundle", audience="all", payload=before.payload)
        work.connection.execute(
            update(bundles)
            .where(bundles.c.shard == work.shard, bundles.c.version == row.version)
            .values(statement=msgspec.msgpack.encode(signed), change_seq=work.take(1)[0])
        )


def _newest(snapshot: Snapshot) -> _Bundle | None:
    statement = select(bundles).where(bundles.c.shard == snapshot.shard)
    return snapshot.connection.execute(
        statement.order_by(bundles.c.version.desc()).limit(1)
    ).first()


def _is_beyond(newest: _Bundle | None, ref: BundleRef) -> bool:
    """Whether a programme is newer than the one in force, or another one of the same number."""
    if newest is None or ref.version > newest.version:
        return True
    is_other = ref.version == newest.version and ref.sha256 != newest.sha256
    return bool(is_other)


def _next_version(work: Work, newest: _Bundle | None) -> int:
    """One more than the newest, and than any that tills may know from before a restore."""
    floor = work.connection.execute(
        select(shards.c.bundle_floor).where(shards.c.shard == work.shard)
    ).scalar_one()
    return max(int(floor), newest.version + 1 if newest else 1)

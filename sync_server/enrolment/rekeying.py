"""A till that changes its key by itself: the next epoch of its journal, under the new one."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from sqlalchemy import select

from shared.clock import Clock
from shared.errors import ProtocolError
from shared.journal.certificate import (
    Certificate,
    encode_certificate,
    rekey_message,
)
from shared.journal.keys import KeyId, PublicKey, Signed, parse_public_key, sign_statement
from shared.protocol.message import RekeyReply, RekeyRequest
from shared.trade.server import TillRekeyed
from shared.trade.writing import Writing
from sync_server.database.schema import epochs, replaced_keys
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.enrolment.revoking import is_revoked
from sync_server.journal.chains import add_epoch, next_epoch
from sync_server.journal.own import OwnJournal
from sync_server.keys.vault import Vault

Follow = Callable[[Work, Certificate, Certificate], None]
"""Lets what waits for the first epoch's till wait for that of the second."""


@dataclass(frozen=True, slots=True)
class RekeyDesk:
    """Gives tills the epoch that they go on in."""

    database: Database
    clock: Clock
    own: OwnJournal
    vault: Vault
    follow: Follow

    def rekey(self, caller: Certificate, request: RekeyRequest) -> RekeyReply:
        """The next epoch for a key that both keys signed; asked again, the same one.

        Raises ProtocolError ``bad-key`` for a key that is known already, ``bad-signature``,
        ``revoked-key``, ``replaced-key`` where another key has taken the caller's place.
        """
        key = parse_public_key(request.public_key)
        message = rekey_message(
            journal=caller.journal,
            epoch=caller.epoch,
            old_key_id=caller.key_id,
            public_key=str(key),
        )
        caller.key.verify(message, request.old_signature)
        key.verify(message, request.new_signature)
        with self.database.writing() as work:
            if is_revoked(work, caller.key_id):
                raise ProtocolError("revoked-key", key_id=caller.key_id)
            successor = replaced_by(work, caller.key_id)
            if successor is not None and successor != key.id:
                raise ProtocolError("replaced-key", key_id=caller.key_id)
            if successor is None:
                if _is_known(work, key) or not is_newest(work, caller):
                    raise ProtocolError("bad-key")
                self._open(work, caller, key, request)
            return RekeyReply(certificate=_signed_certificate(work, key))

    def _open(self, work: Work, caller: Certificate, key: PublicKey, request: RekeyRequest) -> None:
        assert caller.till_id is not None
        now = format_time(self.clock.now())
        certificate = msgspec.structs.replace(
            caller,
            epoch=next_epoch(work, caller.journal),
            public_key=str(key),
            key_id=key.id,
            issued_at=now,
            forked_from=None,
        )
        encoded = encode_certificate(certificate)
        signed = sign_statement(
            self.vault.signing, purpose="certificate", audience=caller.journal, payload=encoded
        )
        add_epoch(
            work,
            certificate=certificate,
            encoded=encoded,
            signed=msgspec.msgpack.encode(signed),
            created_at=now,
        )
        row = {"key_id": caller.key_id, "replaced_by": key.id, "replaced_at": now}
        work.insert(replaced_keys, [row])
        fact = TillRekeyed(
            journal=caller.journal,
            epoch=certificate.epoch,
            till_id=caller.till_id,
            old_epoch=caller.epoch,
            old_key_id=caller.key_id,
            key_id=key.id,
            public_key=str(key),
            old_signature=request.old_signature.hex(),
            new_signature=request.new_signature.hex(),
        )
        self.own.write(work, [Writing(fact)])
        self.follow(work, caller, certificate)


def replaced_by(snapshot: Snapshot, key_id: KeyId) -> KeyId | None:
    """The key that took this one's place."""
    columns = replaced_keys.c
    found = snapshot.connection.execute(
        select(columns.replaced_by).where(columns.shard == snapshot.shard, columns.key_id == key_id)
    ).scalar()
    return KeyId(found) if found is not None else None


def _is_known(work: Work, key: PublicKey) -> bool:
    statement = select(epochs.c.epoch).where(
        epochs.c.shard == work.shard, epochs.c.key_id == key.id
    )
    return work.connection.execute(statement).first() is not None


def is_newest(snapshot: Snapshot, caller: Certificate) -> bool:
    """Whether no key took this one's place: a till changed its key, or was enrolled anew.

    The epochs say so, which tills bring back to a server that was restored from before.
    """
    columns = epochs.c
    statement = select(columns.epoch).where(
        columns.shard == snapshot.shard,
        columns.journal == caller.journal,
        columns.forked_epoch.is_(None),
        columns.epoch > caller.epoch,
    )
    return snapshot.connection.execute(statement).first() is None


def _signed_certificate(work: Work, key: PublicKey) -> Signed:
    columns = epochs.c
    encoded = work.connection.execute(
        select(columns.certificate_signed).where(
            columns.shard == work.shard,
            columns.key_id == key.id,
            columns.forked_epoch.is_(None),
        )
    ).scalar_one()
    return msgspec.msgpack.decode(encoded, type=Signed)

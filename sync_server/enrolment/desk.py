"""Enrolment: a till shows a one-time code and its public key, and gets an epoch to write."""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Row, select, update

from shared.clock import Clock
from shared.errors import DomainError, ProtocolError
from shared.ids import JournalId, TillId, random_id
from shared.journal.certificate import (
    HASH_ALGORITHM,
    SIGNATURE_ALGORITHM,
    Certificate,
    encode_certificate,
)
from shared.journal.keys import PublicKey, Signed, parse_public_key, sign_statement
from shared.protocol.message import EnrolReply, EnrolRequest
from shared.trade.server import TillEnrolled
from shared.trade.writing import Writing
from sync_server.database.schema import enrolment_codes, epochs, tills
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.enrolment.code import new_code, parse_code
from sync_server.journal.chains import add_epoch, next_epoch
from sync_server.journal.own import OwnJournal
from sync_server.keys.known import trusted_keys, vouched
from sync_server.keys.vault import Vault
from sync_server.stores.registry import Till, find_store, find_till

CODE_LIFETIME: Final = timedelta(hours=24)
ATTEMPTS_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class EnrolmentDesk:
    """Gives out codes, and certificates for them."""

    database: Database
    clock: Clock
    own: OwnJournal
    vault: Vault

    def issue_code(self, till_id: TillId) -> str:
        """A code for a till, shown once; DomainError ``unknown-till``."""
        with self.database.writing() as work:
            if find_till(work, till_id) is None:
                raise DomainError("unknown-till", till=till_id)
            code = new_code()
            while _find_code(work, code.selector) is not None:
                code = new_code()  # a million beginnings: with a thousand codes one in a thousand
            row = {
                "selector": code.selector,
                "secret_hash": code.hashed(self.vault),
                "till_id": till_id,
                "expires_at": format_time(self.clock.now() + CODE_LIFETIME),
                "attempts_left": ATTEMPTS_MAX,
            }
            work.insert(enrolment_codes, [row])
        return str(code)

    def enrol(self, request: EnrolRequest) -> EnrolReply:
        """Enrol a till; the same code with the same key is answered the same again.

        Raises ProtocolError ``code-refused`` (unknown, used, expired or guessed at too often: all
        the same to whoever guesses), ``code-of-another-till`` (left as it was) and ``bad-key``.
        """
        key = parse_public_key(request.public_key)
        code = parse_code(request.code)
        with self.database.writing() as work:
            row = _find_code(work, code.selector)
            is_right = row is not None and hmac.compare_digest(
                row.secret_hash, code.hashed(self.vault)
            )
            if row is not None and not is_right:
                _count_attempt(work, code.selector)
            reply = self._answer(work, row, key, request) if row is not None and is_right else None
        if reply is None:
            raise ProtocolError("code-refused")
        return reply

    def _answer(
        self, work: Work, row: Row[Any], key: PublicKey, request: EnrolRequest
    ) -> EnrolReply | None:
        if row.used_by is not None:
            is_repeat = row.used_by == key.id
            return self._reply(work, row.till_id, key) if is_repeat else None
        expired = row.expires_at < format_time(self.clock.now())
        if expired or row.attempts_left <= 0 or _is_known_key(work, key):
            return None
        till = find_till(work, row.till_id)
        assert till is not None
        if request.journal not in (None, till.journal):
            raise ProtocolError("code-of-another-till", till=till.name)
        self._open_epoch(work, till, key)
        statement = update(enrolment_codes).where(
            enrolment_codes.c.shard == work.shard, enrolment_codes.c.selector == row.selector
        )
        now = format_time(self.clock.now())
        work.connection.execute(statement.values(used_by=key.id, used_at=now))
        return self._reply(work, till.till_id, key)

    def _open_epoch(self, work: Work, till: Till, key: PublicKey) -> None:
        journal = till.journal or JournalId(random_id())
        now = format_time(self.clock.now())
        certificate = Certificate(
            journal=journal,
            epoch=next_epoch(work, journal),
            shard=work.shard,
            till_id=till.till_id,
            store_id=till.store_id,
            till_number=till.number,
            hash_algorithm=HASH_ALGORITHM,
            signature_algorithm=SIGNATURE_ALGORITHM,
            public_key=str(key),
            key_id=key.id,
            issued_at=now,
            forked_from=None,
        )
        encoded = encode_certificate(certificate)
        signed = sign_statement(
            self.vault.signing, purpose="certificate", audience=journal, payload=encoded
        )
        add_epoch(
            work,
            certificate=certificate,
            encoded=encoded,
            signed=msgspec.msgpack.encode(signed),
            created_at=now,
        )
        statement = update(tills).where(
            tills.c.shard == work.shard, tills.c.till_id == till.till_id
        )
        work.connection.execute(statement.values(journal=journal, last_contact_at=now))
        self.own.write(work, [_till_enrolled(certificate)])

    def _reply(self, snapshot: Snapshot, till_id: TillId, key: PublicKey) -> EnrolReply:
        till = find_till(snapshot, till_id)
        store = find_store(snapshot, till.store_id) if till else None
        assert till is not None
        assert store is not None
        statement = select(epochs.c.certificate_signed).where(
            epochs.c.shard == snapshot.shard,
            epochs.c.key_id == key.id,
            epochs.c.forked_epoch.is_(None),
        )
        certificate = snapshot.connection.execute(statement).scalar_one()
        trusted = trusted_keys(snapshot)
        return EnrolReply(
            certificate=msgspec.msgpack.decode(certificate, type=Signed),
            server_key=vouched(snapshot, self.vault.signing.id),
            root_key=str(trusted.root),
            lookup_key=self.vault.lookup,
            store_name=store.name,
            store_zone=store.zone,
            till_name=till.name,
        )


def _till_enrolled(certificate: Certificate) -> Writing:
    assert certificate.till_id is not None
    assert certificate.store_id is not None
    return Writing(
        TillEnrolled(
            journal=certificate.journal,
            epoch=certificate.epoch,
            till_id=certificate.till_id,
            store_id=certificate.store_id,
            key_id=certificate.key_id,
        )
    )


def _find_code(work: Work, selector: str) -> Row[Any] | None:
    columns = enrolment_codes.c
    statement = select(enrolment_codes).where(
        columns.shard == work.shard, columns.selector == selector
    )
    return work.connection.execute(statement).first()


def _count_attempt(work: Work, selector: str) -> None:
    columns = enrolment_codes.c
    statement = (
        update(enrolment_codes)
        .where(columns.shard == work.shard, columns.selector == selector)
        .values(attempts_left=columns.attempts_left - 1)
    )
    work.connection.execute(statement)


def _is_known_key(work: Work, key: PublicKey) -> bool:
    statement = select(epochs.c.epoch).where(
        epochs.c.shard == work.shard, epochs.c.key_id == key.id
    )
    return work.connection.execute(statement).first() is not None

"""A till that changes its key by itself: the next epoch of its journal, written under a new one.

The new key lies on disk before the server hears of it; the old epoch is closed and the new one
begun in one transaction. A lost answer or a power cut at any place repeats the question, which is
answered the same.
"""

from collections.abc import Callable, MutableMapping

import structlog
from sqlalchemy import Engine

from desktop.store.database import TillFolder
from desktop.store.driver import file_fault
from desktop.store.identity import (
    drop_next_key,
    has_next_key,
    keep_next_key,
    next_key,
    store_key,
)
from desktop.store.journal import Journal, begin_epoch, close_epoch, current_epoch
from desktop.store.writer import Transaction, Urgency, Writer
from desktop.sync.http import ServerConnection
from desktop.sync.server_keys import ServerTrust
from shared.errors import EnvironmentFault, EvertillError, ProtocolError
from shared.journal.certificate import Certificate, decode_certificate, rekey_message
from shared.journal.keys import KeyId, Signed, SigningKey
from shared.protocol.message import PROTOCOL, RekeyRequest

REFUSED = frozenset({"replaced-key", "revoked-key", "bad-key", "unknown-key", "not-found"})
"""Answers that will not be another one tomorrow: the till goes on with the key it has."""

log = structlog.get_logger("sync")


class KeyChange:
    """Changes the key of one till, while it sells."""

    def __init__(
        self,
        *,
        writer: Writer,
        reading: Engine,
        folder: TillFolder,
        journal: Journal,
        keys: MutableMapping[KeyId, SigningKey],
        trust: ServerTrust,
        on_change: Callable[[SigningKey], None] = lambda _key: None,
    ) -> None:
        """``keys`` are those of all epochs, ``on_change`` hears of the new one."""
        self._writer = writer
        self._reading = reading
        self._folder = folder
        self._journal = journal
        self._keys = keys
        self._trust = trust
        self._on_change = on_change
        self.refused: EvertillError | None = None
        """Why the last change came to nothing."""

    def ask(self) -> None:
        """Change the key with the next sync; nothing where that is under way.

        Raises EnvironmentFault ``disk-full``, ``disk-error`` where the new key cannot be kept.
        """
        try:
            keep_next_key(self._folder)
        except OSError as error:
            raise file_fault(error) from error

    @property
    def is_wanted(self) -> bool:
        """Whether a change is under way."""
        return has_next_key(self._folder)

    def go_on(self, server: ServerConnection) -> bool:
        """End a change that is under way; whether there is a new key now.

        Raises what the connection raises where nobody answers, and EnvironmentFault ``disk-full``,
        ``disk-error``. Where the server refuses, or what
        it answers cannot be believed, the till keeps its key and ``refused`` says why: nothing
        about keys holds up what was sold.
        """
        if not self.is_wanted:
            return False
        try:
            return self._go_on(server)
        except ProtocolError as error:
            self.refused = error
            if error.code in REFUSED:
                drop_next_key(self._folder)
            log.warning("rekey-refused", code=error.code)
        except EnvironmentFault as fault:
            if fault.code != "till-key-missing":
                raise
            # The new key's file is damaged: the old one goes on.
            self.refused = fault
            drop_next_key(self._folder)
            log.warning("rekey-failed", code=fault.code)
        return False

    def _go_on(self, server: ServerConnection) -> bool:
        key = next_key(self._folder)
        with self._reading.connect() as connection:
            epoch = current_epoch(connection)
        assert epoch is not None
        certificate = decode_certificate(epoch.certificate.payload)
        if certificate.key_id == key.id:
            # The power went after the commit.
            return self._taken(key)
        old = self._keys.get(certificate.key_id)
        if old is None:
            raise EnvironmentFault("till-key-missing", file=f"{epoch.head.epoch}")
        reply = server.rekey(_request(certificate, old, key))
        begun = self._checked(reply.certificate, certificate, key)
        try:
            store_key(self._folder, key, epoch=begun.epoch)
        except OSError as error:
            raise file_fault(error) from error
        self._keys[key.id] = key

        def work(transaction: Transaction) -> None:
            close_epoch(transaction, self._journal)
            begin_epoch(
                transaction.connection,
                journal=begun.journal,
                epoch=begun.epoch,
                signed=reply.certificate,
            )

        self._writer.run(work, Urgency.BACKGROUND)
        return self._taken(key)

    def _taken(self, key: SigningKey) -> bool:
        drop_next_key(self._folder)
        self._keys[key.id] = key
        self.refused = None
        self._on_change(key)
        return True

    def _checked(self, signed: Signed, before: Certificate, key: SigningKey) -> Certificate:
        payload = signed.verify(
            self._trust.key_for(signed), purpose="certificate", audience=before.journal
        )
        certificate = decode_certificate(payload)
        if (certificate.key_id, certificate.journal) != (key.id, before.journal):
            raise ProtocolError("bad-certificate", reason="for another key")
        if certificate.epoch <= before.epoch:
            raise ProtocolError("bad-certificate", reason="epoch")
        return certificate


def _request(certificate: Certificate, old: SigningKey, new: SigningKey) -> RekeyRequest:
    message = rekey_message(
        journal=certificate.journal,
        epoch=certificate.epoch,
        old_key_id=certificate.key_id,
        public_key=str(new.public),
    )
    return RekeyRequest(
        protocol=PROTOCOL,
        public_key=str(new.public),
        old_signature=old.sign(message),
        new_signature=new.sign(message),
    )

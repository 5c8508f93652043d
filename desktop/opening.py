"""A till's folder as a program has it: locked, decrypted, opened, and closed again."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from desktop.store.database import TillFolder, TillLock, open_reading, open_writing
from desktop.store.head_file import HeadFile
from desktop.store.identity import TillIdentity, read_identity
from desktop.store.journal import Journal, current_epoch, last_hybrid_time
from desktop.store.sealing import seal, unlock
from desktop.store.wiping import destroy_rest, wiped_fault
from desktop.store.writer import Writer
from desktop.sync.enrolment import enrol_till
from shared.clock import Clock, HybridClock, SystemClock
from shared.errors import DomainError, EnvironmentFault
from shared.journal.certificate import decode_certificate
from shared.journal.keys import KeyId, SigningKey
from shared.trade.writing import Scribe


class OpenStore:
    """A till's folder, locked and opened; enrolled or not yet."""

    def __init__(
        self,
        folder: TillFolder,
        *,
        make_writer: Callable[[Engine], Writer] = Writer,
        seals: bool = False,
    ) -> None:
        """``seals``: encrypt what is not encrypted yet; else files are opened as they are."""
        self._lock = TillLock(folder)
        try:
            wiped = destroy_rest(folder)
            if wiped is not None:
                raise wiped_fault(wiped)
            self.folder = seal(folder) if seals else unlock(folder)
            self.writer = make_writer(open_writing(self.folder))
        except BaseException:
            self._lock.close()
            raise
        self.reading: Engine = open_reading(self.folder)

    def identity(self) -> TillIdentity | None:
        """Who this till is; None before enrolment."""
        with self.reading.connect() as connection:
            return read_identity(connection)

    def current_key(self, keys: Mapping[KeyId, SigningKey]) -> SigningKey:
        """The key of the epoch that is written.

        Raises EnvironmentFault ``till-key-foreign`` where it is not among them, and
        ``journal-behind-server`` for an epoch that is known to have lost entries.
        """
        with self.reading.connect() as connection:
            epoch = current_epoch(connection)
        assert epoch is not None
        epoch.check_whole()
        key = keys.get(decode_certificate(epoch.certificate.payload).key_id)
        if key is None:
            raise EnvironmentFault("till-key-foreign", folder=str(self.folder.path))
        return key

    def enrol(self, *, url: str, code: str) -> TillIdentity:
        """Enrol with a one-time code."""
        return enrol_till(self.writer, self.folder, url=url, code=code)

    def enrol_again(self, *, url: str, code: str, clock: Clock | None = None) -> TillIdentity:
        """Give the journal a new epoch with a new key; the old one is closed and sent first."""
        identity = self.identity()
        if identity is None:
            raise DomainError("not-enrolled", folder=str(self.folder.path))
        with self.reading.connect() as connection:
            last = last_hybrid_time(connection)
        clock = clock or SystemClock()
        scribe = Scribe(clock, HybridClock(clock, last), identity.zone)
        head_file = HeadFile(self.folder.head)
        try:
            journal = Journal(scribe, head_file)
            return enrol_till(self.writer, self.folder, url=url, code=code, closing=journal)
        finally:
            head_file.close()

    def close(self) -> None:
        """Finish what is queued and let go of the folder."""
        try:
            self.writer.close()
        finally:
            self.reading.dispose()
            destroy_rest(self.folder)
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

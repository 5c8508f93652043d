"""Who this till is: told at enrolment, kept in the database; the private key lies beside it."""

import os
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from desktop.store.database import TillFolder
from desktop.store.settings import read_value, write_value
from shared.errors import EnvironmentFault
from shared.ids import JournalId, StoreId, TillId
from shared.journal.keys import Signed, SigningKey

KEY_NAME = "till.key"
IDENTITY = "identity"


class TillIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """What a till was told when it was enrolled."""

    journal: JournalId
    till_id: TillId
    till_number: int
    till_name: str
    store_id: StoreId
    store_name: str
    store_zone: str
    """IANA name."""
    lookup_key: bytes
    root_key: str
    """Pinned: whatever the server signs must chain to it."""
    server_key: Signed
    server_url: str

    @property
    def zone(self) -> ZoneInfo:
        """The store's time zone: dates on paper and of offers are its own."""
        return ZoneInfo(self.store_zone)


def read_identity(connection: Connection) -> TillIdentity | None:
    """None before enrolment."""
    return read_value(connection, IDENTITY, TillIdentity)


def write_identity(connection: Connection, identity: TillIdentity) -> None:
    """Keep it, in the transaction that starts the journal."""
    write_value(connection, IDENTITY, identity)


def store_key(folder: TillFolder, key: SigningKey) -> None:
    """Write the private key to a file only its owner can read, whole or not at all."""
    temporary = folder.path / f"{KEY_NAME}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.raw)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder.path / KEY_NAME)


def load_key(folder: TillFolder) -> SigningKey:
    """The till's key; EnvironmentFault ``till-key-missing`` where it is gone or damaged."""
    file: Path = folder.path / KEY_NAME
    try:
        return SigningKey(file.read_bytes())
    except (OSError, ValueError) as error:
        raise EnvironmentFault("till-key-missing", file=str(file)) from error

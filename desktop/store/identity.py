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
from shared.journal.keys import KeyId, Signed, SigningKey, new_signing_key

KEY_NAME = "till.key"
PENDING_KEY_NAME = "till-pending.key"
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


def store_key(folder: TillFolder, key: SigningKey, *, epoch: int | None = None) -> None:
    """Write the private key to a file only its owner can read, whole or not at all.

    The key of a later epoch gets a file of its own: what the older one has not sent yet still needs
    the older key.
    """
    name = KEY_NAME if epoch is None else f"till-{epoch}.key"
    _write_key(folder.path / name, key)


def pending_key(folder: TillFolder) -> SigningKey:
    """The key of an enrolment that has no answer yet; a fresh one where none is under way."""
    file = folder.path / PENDING_KEY_NAME
    try:
        return SigningKey(file.read_bytes())
    except (OSError, ValueError):
        key = new_signing_key()
        _write_key(file, key)
        return key


def forget_pending_key(folder: TillFolder) -> None:
    """The enrolment is over, one way or the other."""
    (folder.path / PENDING_KEY_NAME).unlink(missing_ok=True)


def _write_key(file: Path, key: SigningKey) -> None:
    temporary = file.with_name(f"{file.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(key.raw)
        opened.flush()
        os.fsync(opened.fileno())
    temporary.replace(file)


def load_key(folder: TillFolder) -> SigningKey:
    """The till's key; EnvironmentFault ``till-key-missing`` where it is gone or damaged."""
    file: Path = folder.path / KEY_NAME
    try:
        return SigningKey(file.read_bytes())
    except (OSError, ValueError) as error:
        raise EnvironmentFault("till-key-missing", file=str(file)) from error


def load_keys(folder: TillFolder) -> dict[KeyId, SigningKey]:
    """The keys of all epochs by their ids; EnvironmentFault ``till-key-missing``."""
    keys = [load_key(folder)]
    for file in sorted(folder.path.glob("till-[0-9]*.key")):
        try:
            keys.append(SigningKey(file.read_bytes()))
        except (OSError, ValueError) as error:
            raise EnvironmentFault("till-key-missing", file=str(file)) from error
    return {key.id: key for key in keys}

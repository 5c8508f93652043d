"""Who this till is: told at enrolment, kept in the database; the private key lies beside it."""

from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from desktop.store.database import TillFolder
from desktop.store.file_key import KEY_BYTES, write_private
from desktop.store.settings import read_value, write_value
from shared.errors import EnvironmentFault
from shared.ids import JournalId, StoreId, TillId
from shared.journal.keys import KeyId, Signed, SigningKey, new_signing_key

KEY_NAME = "till.key"
PENDING_KEY_NAME = "till-pending.key"
NEXT_KEY_NAME = "till-next.key"
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
    the older key. In an encrypted folder it is encrypted, too.
    """
    name = KEY_NAME if epoch is None else f"till-{epoch}.key"
    _write_key(folder, folder.path / name, key)


def pending_key(folder: TillFolder) -> SigningKey:
    """The key of an enrolment that has no answer yet; a fresh one where none is under way."""
    file = folder.path / PENDING_KEY_NAME
    try:
        return _read_key(folder, file)
    except (OSError, ValueError):
        key = new_signing_key()
        _write_key(folder, file, key)
        return key


def forget_pending_key(folder: TillFolder) -> None:
    """The enrolment is over, one way or the other."""
    (folder.path / PENDING_KEY_NAME).unlink(missing_ok=True)


def keep_next_key(folder: TillFolder) -> None:
    """Make the key that the till is to change to, unless it is there."""
    if not has_next_key(folder):
        _write_key(folder, folder.path / NEXT_KEY_NAME, new_signing_key())


def has_next_key(folder: TillFolder) -> bool:
    """Whether a change of the key is under way."""
    return (folder.path / NEXT_KEY_NAME).exists()


def next_key(folder: TillFolder) -> SigningKey:
    """The key that the till changes to; EnvironmentFault ``till-key-missing``."""
    return _load_key(folder, folder.path / NEXT_KEY_NAME)


def drop_next_key(folder: TillFolder) -> None:
    """The change is over, one way or the other."""
    (folder.path / NEXT_KEY_NAME).unlink(missing_ok=True)


def wrap_keys(folder: TillFolder) -> None:
    """Encrypt the keys that still lie in clear in an encrypted folder."""
    assert folder.key is not None
    for file in key_files(folder):
        if file.stat().st_size == KEY_BYTES:
            _write_key(folder, file, SigningKey(file.read_bytes()))


def has_wrapped_keys(folder: TillFolder) -> bool:
    """Whether a signing key is encrypted: so is the database then, which was so before."""
    return any(file.stat().st_size > KEY_BYTES for file in key_files(folder))


def key_files(folder: TillFolder) -> list[Path]:
    """The files of all signing keys that are here, the first epoch's first."""
    names = [KEY_NAME, PENDING_KEY_NAME, NEXT_KEY_NAME]
    later = sorted(folder.path.glob("till-[0-9]*.key"))
    return [file for file in (*(folder.path / name for name in names), *later) if file.exists()]


def _write_key(folder: TillFolder, file: Path, key: SigningKey) -> None:
    content = key.raw
    if folder.key is not None:
        content = folder.key.wrap(content, name=file.name)
    write_private(file, content)


def _read_key(folder: TillFolder, file: Path) -> SigningKey:
    content = file.read_bytes()
    # One that was written before the folder was encrypted is wrapped with the next start.
    if folder.key is not None and len(content) != KEY_BYTES:
        content = folder.key.unwrap(content, name=file.name)
    return SigningKey(content)


def load_key(folder: TillFolder) -> SigningKey:
    """The till's key; EnvironmentFault ``till-key-missing`` where it is gone or damaged."""
    return _load_key(folder, folder.path / KEY_NAME)


def load_keys(folder: TillFolder) -> dict[KeyId, SigningKey]:
    """The keys of all epochs by their ids; EnvironmentFault ``till-key-missing``."""
    files = sorted(folder.path.glob("till-[0-9]*.key"))
    keys = [load_key(folder), *(_load_key(folder, file) for file in files)]
    return {key.id: key for key in keys}


def _load_key(folder: TillFolder, file: Path) -> SigningKey:
    try:
        return _read_key(folder, file)
    except (OSError, ValueError) as error:
        raise EnvironmentFault("till-key-missing", file=str(file)) from error

"""The key of a till's own files: what it opens, and where it is kept.

One random key opens everything that a till keeps on disk: the database (SQLCipher), its signing
keys and the file of members that is being taken over, each by a key of its own that is derived from
it. It lies in the operating system's key store, or, where there is none, in a file that only the
owner of the folder can read. ``encryption.json`` says where, so that nobody has to guess.
"""

import hashlib
import os
import secrets
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.errors import EnvironmentFault

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
IV_BYTES: Final = 16
"""At the head of a stream; AES blocks are as long."""
MARKER_NAME: Final = "encryption.json"
OWNER_FILE_NAME: Final = "till-file.key"
SERVICE: Final = "evertill"
"""Under which name the key store lists our keys."""


class FileKey:
    """The key of one till's files."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self.raw = raw
        self.id = hashlib.sha256(b"evertill/file-key-id/1" + raw).hexdigest()[:32]

    @cached_property
    def pages(self) -> bytes:
        """What the database's pages are encrypted with, 32 bytes."""
        return self._derived(b"database")

    @cached_property
    def database(self) -> str:
        """As SQLCipher takes a key that needs no stretching: ``x'…'``, 32 bytes in hex."""
        return f"x'{self.pages.hex()}'"

    def wrap(self, content: bytes, *, name: str) -> bytes:
        """A short file's content, readable with this key and under this name only."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self._derived(b"short-file")).encrypt(nonce, content, name.encode())

    def unwrap(self, wrapped: bytes, *, name: str) -> bytes:
        """What was wrapped; ValueError for anything else."""
        nonce, content = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        try:
            return AESGCM(self._derived(b"short-file")).decrypt(nonce, content, name.encode())
        except InvalidTag as error:
            raise ValueError("not of this key") from error

    def mask(self, content: bytes, *, iv: bytes, at: int) -> bytes:
        """Encrypt or decrypt a stretch of a stream (AES-CTR) that begins at byte ``at``.

        Who alters the stream is not found by it: whoever reads one compares its hash.
        """
        blocks, skipped = divmod(at, IV_BYTES)
        counter = (int.from_bytes(iv) + blocks) % (1 << 8 * IV_BYTES)
        cipher = Cipher(
            algorithms.AES(self._derived(b"stream")), modes.CTR(counter.to_bytes(IV_BYTES))
        )
        return cipher.encryptor().update(bytes(skipped) + content)[skipped:]

    def _derived(self, purpose: bytes) -> bytes:
        info = b"evertill/till-file/1/" + purpose
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(self.raw)


def new_file_key() -> FileKey:
    """A fresh key from the operating system's random source."""
    return FileKey(secrets.token_bytes(KEY_BYTES))


class Kept(StrEnum):
    """Where the key of a till's files is."""

    KEY_STORE = "key-store"
    OWNER_FILE = "owner-file"


class Encryption(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``encryption.json``: how to find the key of the files beside it."""

    format: int = 1
    kept: Kept
    name: str
    """Of the key in its place: random, so that the folder may be moved."""
    key_id: str


class KeyPlace(Protocol):
    """Somewhere a key can be kept."""

    kept: Kept

    def read(self, name: str, /) -> bytes | None:
        """The key; None where it is not there. EnvironmentFault where nobody can tell."""
        ...

    def write(self, name: str, raw: bytes, /) -> bool:
        """Keep a key; False where this place cannot keep any."""
        ...

    def forget(self, name: str, /) -> None:
        """Let the key be gone; nothing where it is not there."""
        ...


class KeyStore:
    """The operating system's: Credential Locker, Keychain, Secret Service."""

    kept = Kept.KEY_STORE

    def read(self, name: str, /) -> bytes | None:
        """The key; EnvironmentFault ``key-store-closed`` where the store does not answer."""
        import keyring  # noqa: PLC0415 - only where a till's files are encrypted
        from keyring.errors import KeyringError  # noqa: PLC0415

        try:
            found = keyring.get_password(SERVICE, name)
        # The back-ends let errors of the systems below them through.
        except (KeyringError, OSError, RuntimeError) as error:
            raise EnvironmentFault("key-store-closed", name=name) from error
        try:
            return bytes.fromhex(found) if found is not None else None
        except ValueError:
            return b""

    def write(self, name: str, raw: bytes, /) -> bool:
        """Whether the store has the key now, as asked again."""
        import keyring  # noqa: PLC0415 - as above
        from keyring.errors import KeyringError  # noqa: PLC0415

        try:
            keyring.set_password(SERVICE, name, raw.hex())
            return keyring.get_password(SERVICE, name) == raw.hex()
        except (KeyringError, OSError, RuntimeError):
            return False

    def forget(self, name: str, /) -> None:
        """Delete the key."""
        import keyring  # noqa: PLC0415 - as above
        from keyring.errors import KeyringError, PasswordDeleteError  # noqa: PLC0415

        try:
            keyring.delete_password(SERVICE, name)
        except PasswordDeleteError:
            return
        except (KeyringError, OSError, RuntimeError) as error:
            raise EnvironmentFault("key-store-closed", name=name) from error


class OwnerFile:
    """A file beside the till's, for its owner's eyes only."""

    kept = Kept.OWNER_FILE

    def __init__(self, folder: Path) -> None:
        self._file = folder / OWNER_FILE_NAME

    def read(self, _name: str, /) -> bytes | None:
        """The key; EnvironmentFault ``file-key-unreadable`` where the system refuses."""
        try:
            return self._file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise EnvironmentFault("file-key-unreadable", file=str(self._file)) from error

    def write(self, _name: str, raw: bytes, /) -> bool:
        """Write it, flushed."""
        write_private(self._file, raw)
        return True

    def forget(self, _name: str, /) -> None:
        """Delete the file, overwritten first."""
        shred(self._file)


def places_of(folder: Path) -> tuple[KeyPlace, ...]:
    """Where a key may be kept, the better place first."""
    return KeyStore(), OwnerFile(folder)


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    temporary = file.with_name(f"{file.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    temporary.replace(file)
    flush_folder(file.parent)


def flush_file(file: Path) -> None:
    """Make what was written into a file outlive a power cut."""
    with file.open("r+b") as opened:
        os.fsync(opened.fileno())


def flush_folder(folder: Path) -> None:
    """Make renames and deletions in a folder outlive a power cut; Windows does so by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def shred(file: Path) -> None:
    """Overwrite a file and delete it; nothing where it is gone.

    A disk that writes elsewhere than told (flash, journals) may keep what was there: what must be
    unreadable is encrypted, and of the key no copy is made.
    """
    try:
        with file.open("r+b") as opened:
            opened.write(bytes(file.stat().st_size))
            opened.flush()
            os.fsync(opened.fileno())
    except FileNotFoundError:
        return
    file.unlink(missing_ok=True)


def read_encryption(folder: Path) -> Encryption | None:
    """What ``encryption.json`` says; EnvironmentFault ``encryption-unreadable``."""
    file = folder / MARKER_NAME
    try:
        return msgspec.json.decode(file.read_bytes(), type=Encryption)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise EnvironmentFault("encryption-unreadable", file=str(file)) from error


def write_encryption(folder: Path, encryption: Encryption) -> None:
    """Say where the key is."""
    write_private(folder / MARKER_NAME, msgspec.json.encode(encryption))


def keep_new_key(folder: Path) -> FileKey:
    """Make a key, keep it in the best place that takes it, and say which."""
    key, name = new_file_key(), secrets.token_hex(16)
    kept = next(place.kept for place in places_of(folder) if place.write(name, key.raw))
    write_encryption(folder, Encryption(kept=kept, name=name, key_id=key.id))
    return key


def find_key(folder: Path, encryption: Encryption) -> FileKey:
    """The key that ``encryption.json`` names.

    Raises EnvironmentFault ``file-key-missing``, ``file-key-not-stored``, ``file-key-wrong``,
    ``file-key-unreadable`` and ``key-store-closed``; no file is touched.
    """
    place = next(one for one in places_of(folder) if one.kept is encryption.kept)
    raw = place.read(encryption.name)
    named = {"folder": str(folder), "name": encryption.name}
    if raw is None:
        is_stored = encryption.kept is Kept.KEY_STORE
        raise EnvironmentFault("file-key-not-stored" if is_stored else "file-key-missing", **named)
    if len(raw) != KEY_BYTES or FileKey(raw).id != encryption.key_id:
        raise EnvironmentFault("file-key-wrong", **named)
    return FileKey(raw)

"""The server's secrets: files beside the database, readable by their owner only.

In the database they would be in every backup and every replica of it. ``root`` certifies the
signing key and is otherwise not needed: it may be kept on paper or a stick (docs/operations.md).
"""

import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from shared.errors import EnvironmentFault
from shared.journal.keys import SigningKey, new_signing_key

SECRET_BYTES = 32
ROOT_FILE = "root.key"
SIGNING_FILE = "signing.key"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Vault:
    """The secrets in memory."""

    signing: SigningKey
    """Signs certificates, bundles and the heads of the server's own journal."""
    lookup: bytes = field(repr=False)
    """For the keyed hashes of phones and cards; every till has it."""
    pepper: bytes = field(repr=False)
    """For hashes and stamps only the server makes: codes, nonces, sessions."""

    def stamp(self, purpose: str, message: bytes) -> bytes:
        """32 bytes that only this server can make for this purpose."""
        return hmac.digest(self.pepper, purpose.encode() + b"\0" + message, "sha256")


def create_vault(folder: Path, root: SigningKey) -> Vault:
    """Make and store fresh secrets; EnvironmentFault ``keys-exist`` rather than replace any."""
    vault = Vault(
        new_signing_key(), secrets.token_bytes(SECRET_BYTES), secrets.token_bytes(SECRET_BYTES)
    )
    secrets_made = {
        ROOT_FILE: root.raw,
        SIGNING_FILE: vault.signing.raw,
        "lookup.key": vault.lookup,
        "pepper.key": vault.pepper,
    }
    write_secrets(folder, secrets_made)
    return vault


def read_secrets(folder: Path) -> dict[str, bytes]:
    """All secrets by file name, for a backup; ``root.key`` may lie elsewhere.

    Raises EnvironmentFault as ``open_vault`` does.
    """
    names = (SIGNING_FILE, "lookup.key", "pepper.key")
    found = {name: _read(folder / name) for name in names}
    if (folder / ROOT_FILE).exists():
        found[ROOT_FILE] = _read(folder / ROOT_FILE)
    return found


def write_secrets(folder: Path, found: Mapping[str, bytes]) -> None:
    """Store secrets of a backup; EnvironmentFault ``keys-exist`` rather than replace any."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, secret in found.items():
        _write(folder / name, secret)


def open_vault(folder: Path) -> Vault:
    """Read the secrets.

    Raises EnvironmentFault ``key-missing``, ``key-damaged`` or ``key-open-to-others``.
    """
    return Vault(
        SigningKey(_read(folder / SIGNING_FILE)),
        _read(folder / "lookup.key"),
        _read(folder / "pepper.key"),
    )


def next_of(file: Path) -> Path:
    """Where a key waits that is to take this one's place."""
    return file.with_name(f"{file.name}.next")


def write_next(file: Path, secret: bytes) -> None:
    """Let a key wait, so that a power cut leaves it; one that waited before was never in force."""
    next_of(file).unlink(missing_ok=True)
    _write(next_of(file), secret)
    _flush_folder(file.parent)


def put_in_place(file: Path) -> None:
    """Let the key that waits take the old one's place, whose file goes.

    Where none waits another process has done so: one that started amid the change.
    """
    with suppress(FileNotFoundError):
        next_of(file).replace(file)
    _flush_folder(file.parent)


def _flush_folder(folder: Path) -> None:
    """Make what was made and renamed in it outlive a power cut; Windows does so by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_secret(path: Path) -> bytes:
    """One secret; EnvironmentFault as ``open_vault`` raises."""
    return _read(path)


def _write(path: Path, secret: bytes) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise EnvironmentFault("keys-exist", file=str(path)) from error
    with os.fdopen(handle, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> bytes:
    try:
        if os.name == "posix" and path.stat().st_mode & _OTHERS:
            raise EnvironmentFault("key-open-to-others", file=str(path))
        secret = path.read_bytes()
    except OSError as error:
        raise EnvironmentFault("key-missing", file=str(path)) from error
    if len(secret) != SECRET_BYTES:
        raise EnvironmentFault("key-damaged", file=str(path))
    return secret

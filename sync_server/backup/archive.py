"""The file of a copy: one encrypted stream of records that proves itself whole when it is read.

``EVBACKUP1\\n``, a length and the header as strict JSON, then frames: a length and AES-256-GCM of
one compressed record. The key comes from a passphrase by scrypt; each nonce holds the frame's
number and whether it is the last one, so that no frame can be left out, moved, or cut off at the
end unnoticed. The header is authenticated with every frame.
"""

import hashlib
import os
import secrets
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from shared.errors import EnvironmentFault
from shared.journal.strict import encode_strict

MAGIC: Final = b"EVBACKUP1\n"
FRAME_BYTES_MAX: Final = 16 * 1024 * 1024
"""A record is flushed near 1 MiB; a row more may be 64 KiB."""
RECORD_BYTES_MAX: Final = 64 * 1024 * 1024
SCRYPT_LOG2_N: Final = 17
"""128 MiB and some 0.4 s for each guess of a passphrase (OWASP's choice for scrypt)."""
SCRYPT_LOG2_N_MAX: Final = 20
PASSPHRASE_LENGTH_MIN: Final = 12
_LENGTH = struct.Struct(">I")
_SALT_BYTES = 16
_PREFIX_BYTES = 7


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be read of a copy without its passphrase."""

    format: int = 1
    revision: str
    """The migration its tables stand at."""
    generation: str
    made_at: str
    log2_n: int
    salt: str
    """Hex, as ``prefix``."""
    prefix: str


class Secrets(msgspec.Struct, frozen=True, tag="secrets"):
    """The server's keys by file name."""

    files: dict[str, bytes]


class Rows(msgspec.Struct, frozen=True, tag="rows"):
    """Rows of one table, values in the order of the columns."""

    table: str
    columns: tuple[str, ...]
    rows: list[list[Any]]


class End(msgspec.Struct, frozen=True, tag="end"):
    """The last record: how many rows each table has."""

    counts: dict[str, int]


Record = Secrets | Rows | End
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


class ArchiveWriter:
    """Writes a copy; ``close`` flushes it to the device."""

    def __init__(
        self,
        file: Path,
        passphrase: str,
        *,
        revision: str,
        generation: str,
        made_at: str,
        log2_n: int = SCRYPT_LOG2_N,
    ) -> None:
        """Begin the file, which must not be there; DomainError and OSError are the caller's."""
        salt, prefix = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_PREFIX_BYTES)
        header = Header(
            revision=revision,
            generation=generation,
            made_at=made_at,
            log2_n=log2_n,
            salt=salt.hex(),
            prefix=prefix.hex(),
        )
        head = encode_strict(header)
        self._cipher = _Cipher(header, head, passphrase)
        self._digest = hashlib.sha256()
        self._waiting: bytes | None = None
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file: IO[bytes] = os.fdopen(handle, "wb")
        self._write(MAGIC + _LENGTH.pack(len(head)) + head)

    def add(self, record: Record) -> None:
        """Append a record."""
        if self._waiting is not None:
            self._frame(self._waiting, is_last=False)
        self._waiting = zlib.compress(msgspec.msgpack.encode(record), level=6)

    def close(self) -> str:
        """End the file after its last record, flush it to the device; its SHA-256 in hex."""
        assert self._waiting is not None
        self._frame(self._waiting, is_last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._digest.hexdigest()

    def _frame(self, packed: bytes, *, is_last: bool) -> None:
        sealed = self._cipher.seal(packed, is_last=is_last)
        self._write(_LENGTH.pack(len(sealed)) + sealed)

    def _write(self, content: bytes) -> None:
        self._digest.update(content)
        self._file.write(content)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._file.close()


class ArchiveReader:
    """Reads a copy from the device, record by record."""

    def __init__(self, file: Path, passphrase: str) -> None:
        """Open a copy.

        Raises EnvironmentFault ``backup-unreadable``; ``backup-passphrase`` comes with the first
        record.
        """
        self._path = file
        self._file: IO[bytes] = file.open("rb")
        self._digest = hashlib.sha256()
        try:
            self._forget_cached()
            self.header, head = self._read_header()
            self._cipher = _Cipher(self.header, head, passphrase)
        except BaseException:
            self._file.close()
            raise

    @property
    def sha256(self) -> str:
        """Of everything read so far, in hex."""
        return self._digest.hexdigest()

    def records(self) -> Iterator[Record]:
        """All records; the last one is an ``End``.

        Raises EnvironmentFault ``backup-passphrase`` where the first one does not open, and
        ``backup-unreadable`` for whatever is wrong later.
        """
        is_first, is_last = True, False
        sealed = self._next_frame()
        while sealed is not None:
            following = self._next_frame()
            is_last = following is None
            try:
                packed = self._cipher.open(sealed, is_last=is_last)
            except InvalidTag as error:
                if is_first:
                    raise EnvironmentFault("backup-passphrase", file=str(self._path)) from error
                raise self._fault("a frame was changed or the end is missing") from error
            yield self._decode(packed)
            is_first, sealed = False, following
        if not is_last:
            raise self._fault("no frames")

    def _read_header(self) -> tuple[Header, bytes]:
        if self._read(len(MAGIC)) != MAGIC:
            raise self._fault("not a copy")
        head = self._read(self._length(4096))
        try:
            header = msgspec.json.decode(head, type=Header)
            sizes = (len(bytes.fromhex(header.salt)), len(bytes.fromhex(header.prefix)))
        except ValueError as error:
            raise self._fault("header") from error
        is_sound = sizes == (_SALT_BYTES, _PREFIX_BYTES) and 1 <= header.log2_n <= SCRYPT_LOG2_N_MAX
        if header.format != 1 or not is_sound:
            raise self._fault("header")
        return header, head

    def _next_frame(self) -> bytes | None:
        start = self._file.read(_LENGTH.size)
        if not start:
            return None
        self._digest.update(start)
        if len(start) < _LENGTH.size:
            raise self._fault("cut off")
        (length,) = _LENGTH.unpack(start)
        if length > FRAME_BYTES_MAX:
            raise self._fault("frame too large")
        return self._read(length)

    def _length(self, limit: int) -> int:
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        if length > limit:
            raise self._fault("header")
        return int(length)

    def _read(self, count: int) -> bytes:
        content = self._file.read(count)
        self._digest.update(content)
        if len(content) < count:
            raise self._fault("cut off")
        return content

    def _decode(self, packed: bytes) -> Record:
        unpacker = zlib.decompressobj()
        try:
            content = unpacker.decompress(packed, RECORD_BYTES_MAX)
            if not unpacker.eof:
                raise self._fault("record too large")
            return _decoder.decode(content)
        except (zlib.error, msgspec.MsgspecError) as error:
            raise self._fault("record") from error

    def _forget_cached(self) -> None:
        # What is read back must come from the device, as far as the system can be asked for it.
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def _fault(self, reason: str) -> EnvironmentFault:
        return EnvironmentFault("backup-unreadable", file=str(self._path), reason=reason)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._file.close()


class _Cipher:
    """Seals or opens frames one after another."""

    def __init__(self, header: Header, head: bytes, passphrase: str) -> None:
        derive = Scrypt(salt=bytes.fromhex(header.salt), length=32, n=1 << header.log2_n, r=8, p=1)
        self._key = AESGCM(derive.derive(passphrase.encode()))
        self._prefix = bytes.fromhex(header.prefix)
        self._about = hashlib.sha256(MAGIC + head).digest()
        self._number = 0

    def seal(self, content: bytes, *, is_last: bool) -> bytes:
        """The next frame."""
        return self._key.encrypt(self._nonce(is_last=is_last), content, self._about)

    def open(self, sealed: bytes, *, is_last: bool) -> bytes:
        """The next frame's content; InvalidTag where it is not what was sealed."""
        return self._key.decrypt(self._nonce(is_last=is_last), sealed, self._about)

    def _nonce(self, *, is_last: bool) -> bytes:
        nonce = self._prefix + _LENGTH.pack(self._number) + bytes([is_last])
        self._number += 1
        return nonce

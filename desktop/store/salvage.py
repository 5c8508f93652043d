"""Reading entries out of files that SQLite reads no more.

An entry lies in its row behind the hash before it and its own: ``previous_hash || hash || bytes``.
So whatever has become of the pages around it, bytes that hash to what stands before them are an
entry as it was written. Where one of the two hashes is harmed, the entries next to it prove it.
Encrypted files are decrypted piece by piece, whatever the HMACs of their pages say: entries prove
themselves. Nothing is written; the files are read as bytes, and once more through SQLite from a
copy, for what was counted.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count, groupby
from typing import Final, NamedTuple, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from desktop.store.damaged_key import unlock_damaged
from desktop.store.database import TillFolder, open_reading
from desktop.store.file_key import read_encryption
from desktop.store.head_file import HeadFile
from desktop.store.identity import TillIdentity, read_identity
from desktop.store.journal import Epoch, all_epochs
from desktop.store.page_cipher import PageCipher
from desktop.store.pages import Pages, Stretch, open_pages
from desktop.store.readable_copy import CheckedPages, readable_copy
from shared.errors import DomainError, EnvironmentFault, EvertillError, ProtocolError
from shared.ids import JournalId
from shared.journal.attachment import SALT_BYTES, Attachment
from shared.journal.entry import HASH_BYTES, Entry, chain_hash, decode_entry, genesis_hash

OPENING: Final = b'{"'
CONTENT_MAX: Final = 64 * 1024

Place = tuple[JournalId, int, int]
"""Journal, epoch, seq."""
Read = TypeVar("Read")


class Kept(NamedTuple):
    """An entry that is proved."""

    entry: Entry
    previous_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class _Found:
    """Bytes of an entry, with what stands before them."""

    entry: Entry
    previous_hash: bytes
    hash: bytes

    @property
    def is_whole(self) -> bool:
        """Whether its own hashes prove it."""
        return chain_hash(self.previous_hash, self.entry.encoded) == self.hash


@dataclass(slots=True)
class SalvagedEpoch:
    """What is left of one epoch."""

    journal: JournalId
    epoch: int
    entries: dict[int, Kept] = field(default_factory=dict)
    """By seq."""
    first_seq: int = 0
    """Entries before it were deleted when they were safe elsewhere."""
    next_seq: int = 0
    """What the file, or the record beside it, says was written."""
    known: Epoch | None = None
    """Where the file still tells of it."""

    @property
    def lost(self) -> list[tuple[int, int]]:
        """Stretches of entries that are gone: first and last number."""
        gone = [seq for seq in range(self.first_seq, self.next_seq) if seq not in self.entries]
        numbered = groupby(zip(gone, count(), strict=False), lambda pair: pair[0] - pair[1])
        runs = [[seq for seq, _ in run] for _, run in numbered]
        return [(run[0], run[-1]) for run in runs]

    def stretches(self) -> Iterator[list[Kept]]:
        """Entries that follow on each other."""
        stretch: list[Kept] = []
        for seq in sorted(self.entries):
            kept = self.entries[seq]
            if stretch and stretch[-1].hash != kept.previous_hash:
                yield stretch
                stretch = []
            stretch.append(kept)
        if stretch:
            yield stretch


@dataclass(slots=True)
class Salvaged:
    """What was found in a till's folder."""

    folder: TillFolder
    """With the key of its files, where they are encrypted."""
    checked: CheckedPages
    epochs: list[SalvagedEpoch]
    attachments: dict[str, Attachment]
    """By id."""
    identity: TillIdentity | None
    """Who the till was, where the file still tells."""

    @property
    def kept(self) -> int:
        """How many entries are there."""
        return sum(len(epoch.entries) for epoch in self.epochs)

    @property
    def lost(self) -> int:
        """How many are gone."""
        return sum(last - first + 1 for epoch in self.epochs for first, last in epoch.lost)


def salvage(folder: TillFolder) -> Salvaged:
    """Read what is left in a till's folder; changes nothing in it.

    Raises DomainError ``not-enrolled`` where there is no till's file and ``nothing-salvaged`` where
    neither an entry nor an epoch is left in it; EnvironmentFault as
    ``unlock_damaged`` does, and ``file-key-wrong`` where the key that was found opens nothing.
    """
    if not folder.database.exists():
        raise DomainError("not-enrolled", folder=str(folder.path))
    with open_pages(folder.database) as pages:
        folder = unlock_damaged(folder, pages)
        salt = pages.salt(folder.key.pages) if folder.key is not None else None
        with readable_copy(folder, salt) as (copy, checked):
            identity, epochs = _told(copy)
        documents = _Documents(_readings(pages, folder))
        found = _by_place(documents.entries())
        if not found and folder.key is not None and salt is None and pages.has_content():
            raise _wrong_key(folder)
        salvaged = [
            _epoch(journal, number, found, epochs.get((journal, number)))
            for journal, number in sorted({(j, e) for j, e, _ in found} | set(epochs))
        ]
        # An altered name of an epoch is no epoch.
        salvaged = [one for one in salvaged if one.entries or one.known is not None]
        if not salvaged:
            raise DomainError("nothing-salvaged", file=str(folder.database))
        wanted = {
            ref.sha256: ref.id
            for one in salvaged
            for kept in one.entries.values()
            for ref in kept.entry.envelope.attachments
        }
        attachments = documents.attachments(wanted)
    record = HeadFile(folder.head).read()
    for one in salvaged:
        if record is not None and (record.journal, record.epoch) == (one.journal, one.epoch):
            one.next_seq = max(one.next_seq, record.seq + 1)
    return Salvaged(folder, checked, salvaged, attachments, identity)


def _readings(pages: Pages, folder: TillFolder) -> tuple[Pages, ...]:
    """As encrypted files and as plain ones: a till that could not encrypt its file has a key."""
    if folder.key is None:
        return (pages,)
    return pages.read_as(PageCipher(folder.key.pages)), pages


def _wrong_key(folder: TillFolder) -> EnvironmentFault:
    encryption = read_encryption(folder.path)
    name = encryption.name if encryption is not None else ""
    return EnvironmentFault("file-key-wrong", folder=str(folder.path), name=name)


class _Documents:
    """Everything in the pages that looks like one of our documents."""

    def __init__(self, readings: tuple[Pages, ...]) -> None:
        self._readings = readings

    def entries(self) -> list[_Found]:
        """Documents that are entries, each once for every state in which it is found."""
        found = []
        seen: set[bytes] = set()
        for before, content in self._all():
            head = before[-2 * HASH_BYTES :].rjust(2 * HASH_BYTES, b"\0")
            # A log has a page as often as it was written.
            digest = sha256(head + content).digest()
            if digest in seen:
                continue
            with suppress(ProtocolError):
                entry = decode_entry(content)
                found.append(_Found(entry, head[:HASH_BYTES], head[HASH_BYTES:]))
                seen.add(digest)
        return found

    def attachments(self, wanted: Mapping[str, str]) -> dict[str, Attachment]:
        """Those that entries vouch for, by id."""
        found: dict[str, Attachment] = {}
        for before, content in self._all():
            salt = before[-SALT_BYTES:]
            digest = sha256(salt + content).hexdigest()
            if digest in wanted:
                named = wanted[digest]
                found[named] = Attachment(named, salt, content)  # type: ignore[arg-type]
        return found

    def _all(self) -> Iterator[tuple[bytes, bytes]]:
        """What stands before a document, and the document, wherever it lies by now."""
        for pages in self._readings:
            for stretch in pages.stretches():
                yield from _documents(pages, stretch)


def _documents(pages: Pages, stretch: Stretch) -> Iterator[tuple[bytes, bytes]]:
    at = stretch.content.find(OPENING)
    while at >= 0:
        content = _document(stretch.content[at : at + CONTENT_MAX])
        end = at + len(content or OPENING[:1])
        if content is None:
            content = _document(pages.continued(stretch, at))
        if content is not None:
            yield stretch.content[max(0, at - 2 * HASH_BYTES) : at], content
        at = stretch.content.find(OPENING, end)


_decoder = json.JSONDecoder()


def _document(content: bytes) -> bytes | None:
    """The JSON object that bytes begin with."""
    try:
        # Every byte is one character, so that the end is a place in the bytes.
        _value, end = _decoder.raw_decode(content.decode("latin-1"))
    except (ValueError, RecursionError):
        return None
    return content[:end]


def _by_place(found: list[_Found]) -> dict[Place, list[_Found]]:
    places: dict[Place, list[_Found]] = {}
    for one in found:
        envelope = one.entry.envelope
        places.setdefault((envelope.journal, envelope.epoch, envelope.seq), []).append(one)
    return places


def _epoch(
    journal: JournalId, number: int, found: dict[Place, list[_Found]], known: Epoch | None
) -> SalvagedEpoch:
    made = SalvagedEpoch(journal, number, known=known)
    seqs = sorted(seq for j, e, seq in found if (j, e) == (journal, number))
    for seq in seqs:
        for one in found[journal, number, seq]:
            if one.is_whole:
                made.entries[seq] = Kept(*_fields(one))
    if known is not None:
        made.first_seq, made.next_seq = known.oldest_seq, known.head.next_seq
    made.next_seq = max(made.next_seq, 1 + max(made.entries, default=-1))
    for seq in seqs:
        if seq not in made.entries:
            _prove_by_neighbours(made, seq, found[journal, number, seq])
    return made


def _fields(one: _Found) -> tuple[Entry, bytes, bytes]:
    return one.entry, one.previous_hash, one.hash


def _prove_by_neighbours(made: SalvagedEpoch, seq: int, candidates: list[_Found]) -> None:
    """An entry whose own hashes are harmed stands between two that say what they are."""
    before = _hash_before(made, seq)
    after = _hash_of(made, seq)
    for one in candidates:
        for previous in (before, one.previous_hash):
            if previous is None:
                continue
            digest = chain_hash(previous, one.entry.encoded)
            if digest == after or (previous == before and digest == one.hash):
                made.entries[seq] = Kept(one.entry, previous, digest)
                return


def _hash_before(made: SalvagedEpoch, seq: int) -> bytes | None:
    if seq - 1 in made.entries:
        return made.entries[seq - 1].hash
    if made.known is None:
        return None
    if seq == 0:
        return genesis_hash(made.known.certificate.payload)
    return made.known.forgotten_hash if seq == made.known.oldest_seq else None


def _hash_of(made: SalvagedEpoch, seq: int) -> bytes | None:
    if seq + 1 in made.entries:
        return made.entries[seq + 1].previous_hash
    if made.known is not None and seq == made.known.head.last_seq:
        return made.known.head.hash
    return None


def _told(
    copy: TillFolder,
) -> tuple[TillIdentity | None, dict[tuple[JournalId, int], Epoch]]:
    """What SQLite still reads of the till and its epochs."""
    nothing: list[Epoch] = []
    engine = open_reading(copy)
    try:
        with engine.connect() as connection:
            identity = _unless_damaged(connection, read_identity, None)
            epochs = _unless_damaged(connection, all_epochs, nothing)
    except (SQLAlchemyError, EvertillError, UnicodeDecodeError):
        return None, {}
    finally:
        engine.dispose()
    return identity, {(one.head.journal, one.head.epoch): one for one in epochs}


def _unless_damaged(
    connection: Connection, read: Callable[[Connection], Read], otherwise: Read
) -> Read:
    try:
        return read(connection)
    except (SQLAlchemyError, EvertillError, ValueError, TypeError):
        return otherwise

"""The record a till keeps in ``journal.head`` beside its database after each commit.

Two slots of 512 bytes, written in turn. A database whose newest entry lies behind the newest valid
slot has lost entries: SQLite opens cleanly after its log was damaged, with later commits silently
gone, and only this notices.
"""

import struct
import uuid
import zlib
from dataclasses import dataclass

from shared.ids import JournalId

MAGIC = b"EVTHEAD1"
SLOT_BYTES = 512
SLOTS = 2
# magic, journal (UUID bytes), epoch, seq, hash; then the CRC-32 of all of it.
_FIELDS = struct.Struct(">8s16sIQ32s")
_CRC = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class HeadRecord:
    """The newest entry that a till knows it has committed."""

    journal: JournalId
    epoch: int
    seq: int
    hash: bytes

    @property
    def order(self) -> tuple[int, int]:
        """Later heads compare greater."""
        return (self.epoch, self.seq)


def encode_slot(record: HeadRecord) -> bytes:
    """One slot, padded to a disk sector so that a torn write harms one slot only."""
    journal = uuid.UUID(record.journal).bytes
    fields = _FIELDS.pack(MAGIC, journal, record.epoch, record.seq, record.hash)
    return (fields + _CRC.pack(zlib.crc32(fields))).ljust(SLOT_BYTES, b"\0")


def decode_slots(content: bytes) -> HeadRecord | None:
    """The newest valid record of the file's bytes; None where no slot is valid."""
    slots = (content[at : at + SLOT_BYTES] for at in range(0, SLOTS * SLOT_BYTES, SLOT_BYTES))
    records = [record for slot in slots if (record := _decode_slot(slot))]
    return max(records, key=lambda record: record.order, default=None)


def _decode_slot(slot: bytes) -> HeadRecord | None:
    if len(slot) < _FIELDS.size + _CRC.size:
        return None
    fields = slot[: _FIELDS.size]
    (crc,) = _CRC.unpack_from(slot, _FIELDS.size)
    magic, journal, epoch, seq, head = _FIELDS.unpack(fields)
    if magic != MAGIC or crc != zlib.crc32(fields):
        return None
    return HeadRecord(JournalId(str(uuid.UUID(bytes=journal))), epoch, seq, head)

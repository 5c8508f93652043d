"""Identifiers. The writer makes them, stores them, then sends; a repeat is recognised by its id."""

import secrets
import uuid
from collections.abc import Callable
from typing import NewType

from shared.clock import Clock

EntryId = NewType("EntryId", str)
"""UUIDv7 of a journal entry, made by its writer."""
JournalId = NewType("JournalId", str)
"""UUIDv4 of a journal; belongs to one till or to the server."""
MemberId = NewType("MemberId", str)
"""UUIDv4 of a member: random, so that it tells nothing about the person or the time."""
OperatorId = NewType("OperatorId", str)
"""UUIDv4 of a person who works at a till or in head office."""
StoreId = NewType("StoreId", str)
TillId = NewType("TillId", str)
ShiftId = NewType("ShiftId", str)
GoodsId = NewType("GoodsId", str)
"""The retailer's own code of an article (SKU)."""
LotId = NewType("LotId", str)
"""A lot of points is named by the entry that earned it."""
CouponId = NewType("CouponId", str)
AttachmentId = NewType("AttachmentId", str)
LeaseId = NewType("LeaseId", str)
"""UUIDv4 of a right to spend, made by the server."""
CardId = NewType("CardId", str)
"""A gift card in journals: a keyed hash of its code."""

RandomBytes = Callable[[int], bytes]
"""A source of random bytes; ``secrets.token_bytes`` outside simulations."""


def time_ordered_id(clock: Clock, random_bytes: RandomBytes = secrets.token_bytes) -> str:
    """A UUIDv7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = int(clock.now().timestamp() * 1000)
    value = milliseconds << 80 | int.from_bytes(random_bytes(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def random_id(random_bytes: RandomBytes = secrets.token_bytes) -> str:
    """A UUIDv4 (RFC 9562, 5.4): 122 random bits that tell nothing."""
    return str(uuid.UUID(bytes=random_bytes(16), version=4))

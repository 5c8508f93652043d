"""What a till holds of a stream, in two numbers that both sides keep up row by row.

A row counts with the first 8 bytes of its SHA-256; tombstones do not count. The sum does not
depend on the order, so it is kept where rows are written and compared when a till has them all.
"""

import hashlib
from dataclasses import dataclass
from typing import assert_never

import msgspec

from shared.errors import ProtocolError
from shared.protocol.message import BundleRow, GoodsRow, MemberRow, OperatorRow, Row
from shared.trade.fact import BundleRef

_MODULUS = 2**64


@dataclass(frozen=True, slots=True)
class Scope:
    """How many rows there are, and the sum of their hashes modulo 2^64."""

    rows: int = 0
    total: int = 0

    def changed(self, before: int | None, after: int | None) -> "Scope":
        """One row's hash is another now; None where there is no row."""
        rows = self.rows + (after is not None) - (before is not None)
        return Scope(rows, (self.total + (after or 0) - (before or 0)) % _MODULUS)

    @property
    def checksum(self) -> str:
        """The sum as 16 hex digits, as pages tell it."""
        return f"{self.total:016x}"


def row_hash(encoded: bytes) -> int:
    """What a row counts with: 64 bits of its SHA-256."""
    return int.from_bytes(hashlib.sha256(encoded).digest()[:8], "big")


def row_key(row: Row) -> str:
    """What a row is about; a later row of the same key replaces it."""
    match row:
        case GoodsRow():
            return row.goods_id
        case BundleRow():
            try:
                ref = msgspec.json.decode(row.statement.payload, type=BundleRef)
            except msgspec.MsgspecError as error:
                raise ProtocolError("bad-page", stream="programme") from error
            return str(ref.version)
        case OperatorRow():
            return row.operator_id
        case MemberRow():
            return row.member_id
        case _:
            assert_never(row)


def is_tombstone(row: Row) -> bool:
    """Whether the row only tells that there is none."""
    return (isinstance(row, GoodsRow) and row.deleted) or (isinstance(row, MemberRow) and row.gone)

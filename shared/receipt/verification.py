"""The code by which whoever holds a receipt is known.

It follows from the hash of the entry: till and server reckon it alike, offline, for receipts of
every release. Nobody else can: the hash covers the entry's random id and all entries before it.
"""

import hashlib
from typing import Final

from shared.trade.fact import Fact
from shared.trade.ticket import SaleCompleted, SaleReturned

DIGITS: Final = 12
GROUP: Final = 4
SHOWN_ONLINE: Final[tuple[type[Fact], ...]] = (SaleCompleted, SaleReturned)
"""What the server shows to whoever has number and code; slips of money are bearer papers."""
_PURPOSE: Final = b"evertill receipt code 1\0"


def verification_code(entry_hash: bytes) -> str:
    """Twelve digits, of 10^12 equally likely ones, from the 32 bytes of an entry's hash."""
    digest = hashlib.sha256(_PURPOSE + entry_hash).digest()
    return f"{int.from_bytes(digest) % 10**DIGITS:0{DIGITS}d}"


def in_groups(code: str) -> str:
    """To be read and typed: ``1234 5678 9012``."""
    return " ".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def receipt_address(web: str, number: str, code: str) -> str:
    """Where the receipt is shown."""
    return f"{web}/r/{number}/{code}"

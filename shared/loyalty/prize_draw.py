"""Prize draws that anybody can check.

Before the draw the SHA-256 of a secret seed is published, after it the seed. Each entry's ticket is
``HMAC-SHA256(seed, draw NUL entry)``; the lowest tickets win, prize by prize in their order. Nobody
can know a ticket before the seed is revealed, and nobody can change the seed after its hash.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from shared.errors import DomainError
from shared.loyalty.engagement import PrizeDraw


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """An entry's place in the draw."""

    number: str
    entry: str


@dataclass(frozen=True, slots=True)
class Win:
    """An entry and what it won."""

    prize: str
    entry: str


def commitment(seed: str) -> str:
    """What is published of a seed before the draw."""
    return hashlib.sha256(seed.encode()).hexdigest()


def ticket(draw: str, seed: str, entry: str) -> Ticket:
    """An entry's ticket."""
    message = f"{draw}\0{entry}".encode()
    return Ticket(hmac.new(seed.encode(), message, hashlib.sha256).hexdigest(), entry)


def outcome(draw: PrizeDraw, seed: str, entries: Iterable[str]) -> tuple[Win, ...]:
    """Who wins what; each entry wins at most once. Entries are ids, each given once.

    Raises DomainError ``draw-seed-wrong`` for a seed that is not the one promised.
    """
    if commitment(seed) != draw.seed_sha256:
        raise DomainError("draw-seed-wrong", draw=draw.id)
    tickets = sorted({ticket(draw.id, seed, entry) for entry in entries})
    prizes = [prize.id for prize in draw.prizes for _ in range(prize.units)]
    return tuple(Win(prize, one.entry) for prize, one in zip(prizes, tickets, strict=False))


def chance_ppm(draw: PrizeDraw, entries: int) -> int:
    """How likely one of so many entries wins anything, in parts per million."""
    prizes = sum(prize.units for prize in draw.prizes)
    return 1_000_000 if entries <= prizes else prizes * 1_000_000 // entries

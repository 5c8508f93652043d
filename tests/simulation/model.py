"""What every till must show and the server must hold, reckoned from the facts' own JSON.

Nothing here is the product's: entries are read as text from the files, and sums are made by the
words of the facts (opening, earned, spent, adjusted), never by postings.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Effect(NamedTuple):
    """What a fact moves for one member."""

    points: int = 0
    spend: int = 0
    growth: int = 0

    def plus(self, other: "Effect") -> "Effect":
        """Both."""
        return Effect(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


NOTHING = Effect()


class Base(NamedTuple):
    """A member's balances at the server at some moment, and which own entries are in them."""

    effect: Effect
    own_seq: int
    """The first own entry that is not in it."""


def effects_of(told: dict[str, Any]) -> dict[str, Effect]:
    """By member, what an entry moves."""
    body, found = told["body"], {}
    member = body.get("member")
    if told["kind"] in {"sale_completed", "sale_returned"} and member:
        points = member["points"]
        moved = points.get("earned", 0) - points.get("spent", 0) + points.get("adjusted", 0)
        found[member["member_id"]] = Effect(moved, member.get("spend", 0), member.get("growth", 0))
    if told["kind"] == "points_transferred":
        for side, sign in (("from", -1), ("to", 1)):
            moved = sign * sum(draw["points"] for draw in body[f"{side}_lots"])
            owner = body[f"{side}_member"]
            if owner:
                found[owner] = found.get(owner, NOTHING).plus(Effect(moved))
    return found


@dataclass
class ServerModel:
    """The facts that the server has booked, in the order in which it took them."""

    sums: defaultdict[str, Effect] = field(default_factory=lambda: defaultdict(Effect))
    booked: set[str] = field(default_factory=set)
    hashes: set[bytes] = field(default_factory=set)
    next_seqs: Counter[tuple[str, int]] = field(default_factory=Counter)
    enrolled: dict[str, str] = field(default_factory=dict)
    """Members whose enrolment has arrived, with the entry that told it."""
    erased: set[str] = field(default_factory=set)
    _seen: int = 0

    def absorb(self, reading: Any) -> None:
        """Read what is new in the server's file; each fact counts once, whatever comes twice."""
        rows = reading.execute(
            "SELECT server_seq, journal, epoch, seq, hash, bytes FROM entries"
            " WHERE server_seq > ? ORDER BY server_seq",
            (self._seen,),
        ).fetchall()
        for server_seq, journal, epoch, seq, digest, encoded in rows:
            self._seen = server_seq
            self.hashes.add(digest)
            self.next_seqs[journal, epoch] = seq + 1
            told = json.loads(encoded)
            if told["id"] in self.booked:
                continue
            self.booked.add(told["id"])
            for member, effect in effects_of(told).items():
                self.sums[member] = self.sums[member].plus(effect)
            if told["kind"] == "member_enrolled":
                self.enrolled[told["body"]["member_id"]] = told["id"]
            if told["kind"] == "member_erased":
                self.erased.add(told["body"]["member_id"])


@dataclass
class TillModel:
    """What one till has written and been told."""

    journal: str = ""
    epoch: int = 0
    own: list[dict[str, Effect]] = field(default_factory=list)
    """By seq."""
    bases: dict[str, list[Base]] = field(default_factory=dict)
    """By member: what was told last; before it, what may still hold if that was cut off."""
    gone: set[str] = field(default_factory=set)
    """Told to be forgotten; still here if that was cut off."""

    def read(self, reading: Any) -> None:
        """Read own entries that are new in the till's file."""
        rows = reading.execute(
            "SELECT bytes FROM entries WHERE epoch = ? AND seq >= ? ORDER BY seq",
            (self.epoch, len(self.own)),
        ).fetchall()
        for (encoded,) in rows:
            told = json.loads(encoded)
            self.own.append(effects_of(told))
            if told["kind"] == "member_enrolled":
                self.bases.setdefault(told["body"]["member_id"], [Base(NOTHING, 0)])

    def begin_anew(self) -> None:
        """The disk is another: nothing of what was read need be there."""
        self.own.clear()

    def told(self, member: str, base: Base) -> None:
        """A page, or a look-up, told a member's balances; it may yet be cut off."""
        self.bases.setdefault(member, []).append(base)

    def settle(self) -> None:
        """All that was told has been taken over."""
        for member in self.gone:
            self.bases.pop(member, None)
        self.gone.clear()
        self.bases = {member: bases[-1:] for member, bases in self.bases.items()}

    def possible(self, member: str) -> list[Effect]:
        """What the till may show of a member; one value, unless it was cut off while being told."""
        found: list[Effect] = []
        for base in self.bases.get(member, []):
            shown = base.effect
            for effects in self.own[base.own_seq :]:
                shown = shown.plus(effects.get(member, NOTHING))
            found.append(shown)
        return found

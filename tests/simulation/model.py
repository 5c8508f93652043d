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
    value: int = 0
    """Stored value that the shop owes, principal and bonus, minor units."""

    def plus(self, other: "Effect") -> "Effect":
        """Both."""
        return Effect(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


NOTHING = Effect()


class Base(NamedTuple):
    """A member's balances at the server at some moment, and which own entries are in them."""

    effect: Effect
    own_seq: int
    """The first own entry that is not in it."""


STORED, CARD = "stored-value", "gift-card"
TICKETS = {"sale_completed": -1, "sale_returned": 1}
"""What a tender of value does to it: a sale takes, a return gives back."""


def effects_of(told: dict[str, Any]) -> dict[str, Effect]:
    """By member, what an entry moves."""
    body, kind, found = told["body"], told["kind"], {}
    member = body.get("member")
    if kind in TICKETS and member:
        points = member["points"]
        moved = points.get("earned", 0) - points.get("spent", 0) + points.get("adjusted", 0)
        value = TICKETS[kind] * sum(one["amount"] for one in _tenders(told, STORED))
        found[member["member_id"]] = Effect(
            moved, member.get("spend", 0), member.get("growth", 0), value
        )
    if kind == "value_topped_up":
        paid_in = body["amount"] + body.get("bonus", 0)
        found[body["member_id"]] = Effect(points=body.get("points", 0), value=paid_in)
    if kind == "value_closed":
        found[body["member_id"]] = Effect(value=-body["principal"] - body.get("forfeited", 0))
    if kind == "points_transferred":
        for side, sign in (("from", -1), ("to", 1)):
            moved = sign * sum(draw["points"] for draw in body[f"{side}_lots"])
            owner = body[f"{side}_member"]
            if owner:
                found[owner] = found.get(owner, NOTHING).plus(Effect(moved))
    return found


def cards_of(told: dict[str, Any]) -> Counter[str]:
    """By gift card, what an entry moves."""
    body, kind, found = told["body"], told["kind"], Counter[str]()
    if kind in TICKETS:
        for one in _tenders(told, CARD):
            found[one["reference"]] += TICKETS[kind] * one["amount"]
    if kind == "gift_card_sold":
        found[body["card_id"]] += body["amount"]
    if kind == "gift_card_closed":
        found[body["card_id"]] -= body["amount"]
    return found


def spent_of(told: dict[str, Any]) -> Counter[str]:
    """By lease, what an entry spends by it."""
    body, found = told["body"], Counter[str]()
    if told["kind"] == "sale_completed":
        for one in body["tenders"]:
            if one.get("lease_id"):
                points = one["tender"] == "points"
                found[one["lease_id"]] += one["points"] if points else one["amount"]
    if told["kind"] in {"value_closed", "gift_card_closed"} and body.get("lease_id"):
        paid_out = body.get("principal", 0) + body.get("forfeited", 0) + body.get("amount", 0)
        found[body["lease_id"]] += paid_out
    return found


def _tenders(told: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    named = "tenders" if told["kind"] == "sale_completed" else "refunds"
    return [one for one in told["body"][named] if one["tender"] == kind]


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
    cards: Counter[str] = field(default_factory=Counter)
    """What is left on gift cards, minor units."""
    spent: Counter[str] = field(default_factory=Counter)
    """By lease."""
    kinds: Counter[str] = field(default_factory=Counter)
    """What was booked: facts, reasons for which leases ended, rules of exceptions."""
    waiting: dict[tuple[str, int, int], dict[str, Any]] = field(default_factory=dict)
    """Facts that lie in quarantine: kept, acknowledged, and counting for nothing."""
    _seen: int = 0

    def absorb(self, reading: Any) -> None:
        """Read what is new in the server's file; each fact counts once, whatever comes twice."""
        rows = reading.execute(
            "SELECT server_seq, journal, epoch, seq, hash, bytes FROM entries"
            " WHERE server_seq > ? ORDER BY server_seq",
            (self._seen,),
        ).fetchall()
        quarantined = set(
            reading.execute("SELECT journal, epoch, seq FROM quarantine WHERE resolved_at IS NULL")
        )
        self._take_out(quarantined)
        for server_seq, journal, epoch, seq, digest, encoded in rows:
            self._seen = server_seq
            self.hashes.add(digest)
            self.next_seqs[journal, epoch] = seq + 1
            place = (journal, epoch, seq)
            told = json.loads(encoded)
            if place in quarantined:
                self.waiting[place] = told
            else:
                self._book(told)

    def _take_out(self, quarantined: set[tuple[str, int, int]]) -> None:
        """What an upgraded server could read counts from now on."""
        for place in [one for one in self.waiting if one not in quarantined]:
            self._book(self.waiting.pop(place))

    def _book(self, told: dict[str, Any]) -> None:
        if told["id"] in self.booked:
            return
        self.booked.add(told["id"])
        self.kinds[f"fact: {told['kind']}"] += 1
        if told["kind"] == "lease_closed":
            self.kinds[f"given back: {told['body']['reason']}"] += 1
        if told["kind"] == "exception_raised":
            self.kinds[f"exception: {told['body']['rule']}"] += 1
        for member, effect in effects_of(told).items():
            self.sums[member] = self.sums[member].plus(effect)
        for card, moved in cards_of(told).items():
            self.cards[card] += moved
        self.spent.update(spent_of(told))
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

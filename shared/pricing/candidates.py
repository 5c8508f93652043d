"""Which offers may apply to a basket, and why others cannot, before the best ones are searched."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from shared.loyalty.document import EVERYTHING, GoodsSet
from shared.loyalty.effects import Addition, Bundle
from shared.loyalty.offers import Offer
from shared.loyalty.programme import Programme
from shared.pricing.basket import Basket, OfferUse
from shared.pricing.claims import Claiming, Try
from shared.pricing.conditions import Hindrance, hindrance
from shared.pricing.effects import Candidate
from shared.pricing.gates import OPEN, Gate, Positions, gate_of
from shared.pricing.net import NetPart
from shared.pricing.quote import Explanation, Reason
from shared.pricing.ringing import Ringing
from shared.pricing.rulebook import Rule, goods_of, rulebook

USES_MAX: Final = 10**9
"""What no limit means."""
_TOLD: Final = frozenset(
    {
        Reason.MEMBERS_ONLY,
        Reason.MISSING_UNITS,
        Reason.OTHER_TENDER,
        Reason.USED_UP,
    }
)
"""What a cashier can do something about, or will be asked; the rest is told of claims only."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Offers that may take something off, those that may give something, and the rest."""

    discounts: list[Candidate]
    additions: list[Candidate]
    hindered: list[Explanation]


def candidates_of(
    basket: Basket,
    ringing: Ringing,
    programme: Programme,
    claims: Claiming,
    *,
    tells_all: bool = False,
) -> Candidates:
    """Every attempt of every offer that concerns the basket, in order of id.

    ``tells_all`` explains those, too, of which a till says nothing.
    """
    rules = rulebook(programme)
    meant: dict[int, list[int]] = {index: [] for index in rules.always}
    meant.update(dict.fromkeys(rules.for_all, ringing.open_lines))
    for number in ringing.open_lines:
        for index in rules.concerned_by(ringing.lines[number].goods):
            meant.setdefault(index, []).append(number)
    for number in ringing.closed_lines:
        for index in rules.concerned_by(ringing.lines[number].goods):
            meant.setdefault(index, [])
    for claimed in claims.by_offer:
        if claimed in rules.claimed:
            index = rules.claimed[claimed]
            one, *others = goods_of(rules.offers[index])
            found = _of_goods(one, ringing)
            if others:
                more = (n for goods in others for n in _of_goods(goods, ringing))
                found = tuple(sorted({*found, *more}))
            meant[index] = list(found)
    sorting = _Sorting(
        _seen_by_offers(basket, ringing),
        ringing,
        uses={use.offer: use for use in basket.uses},
        listed=ringing.listed,
        typed=frozenset([n for n, line in enumerate(ringing.lines) if line.is_manual]),
        nets=ringing.nets,
        tells_all=tells_all,
    )
    for index in sorted(meant):
        rule = rules.rules[index]
        if tries := claims.of_offer(rule.offer):
            sorting.sort_in(rule, tries, meant[index])
    return sorting.found


def _seen_by_offers(basket: Basket, ringing: Ringing) -> Basket:
    """What no offer may look at counts for no condition of an offer either."""
    if not ringing.closed_lines:
        return basket
    return replace(basket, lines=tuple([one for one in basket.lines if one.is_open_to_offers]))


@dataclass(frozen=True, slots=True)
class _Sorting:
    """One basket's offers, as far as they are sorted."""

    basket: Basket
    ringing: Ringing
    uses: Mapping[str, OfferUse]
    listed: Sequence[int]
    typed: frozenset[int]
    """Positions of lines whose price somebody typed."""
    nets: Sequence[NetPart]
    tells_all: bool
    found: Candidates = field(default_factory=lambda: Candidates([], [], []))

    def sort_in(self, rule: Rule, tries: Iterable[Try], meant: Sequence[int]) -> None:
        """Each attempt as a candidate, or as an explanation of why it is none.

        ``meant`` are the positions of the offer's goods.
        """
        offer, use = rule.offer, self.uses.get(rule.offer.id)
        uses_left = _uses_left(offer, use) if rule.is_limited else USES_MAX
        against = _hindrance(offer, self.basket, used_up=use is not None and not uses_left)
        lines = () if against else self._open_to(offer, meant)
        is_addition = isinstance(offer.effect, Addition)
        kind = self.found.additions if is_addition else self.found.discounts
        for number, one in enumerate(tries):
            if number >= uses_left and not against:
                told = Explanation(offer=offer.id, reason=Reason.USED_UP, coupon=one.coupon)
                self.found.hindered.append(told)
            elif lines:
                kind.append(self._candidate(rule, one, lines))
            elif one.coupon or one.time or (against and self._is_told(against.reason, meant)):
                reason, units = against or Hindrance(Reason.NO_GOODS)
                self.found.hindered.append(
                    Explanation(
                        offer=offer.id, reason=reason, missing_units=units, coupon=one.coupon
                    )
                )

    def _is_told(self, reason: Reason, meant: Sequence[int]) -> bool:
        return reason in _TOLD or (self.tells_all and bool(meant))

    def _open_to(self, offer: Offer, meant: Sequence[int]) -> Positions:
        """Lines that the offer may work on; none where a part of a bundle has none."""
        lines = tuple(meant)
        if self.typed and not offer.on_manual_prices:
            lines = tuple([index for index in meant if index not in self.typed])
        is_whole = not isinstance(offer.effect, Bundle) or all(self._parts(offer, lines))
        return lines if is_whole else ()

    def _parts(self, offer: Offer, lines: Positions) -> tuple[Positions, ...]:
        if not isinstance(offer.effect, Bundle):
            return ()
        return tuple(
            tuple(i for i in lines if part.goods.contains(self.ringing.lines[i].goods))
            for part in offer.effect.parts
        )

    def _candidate(self, rule: Rule, one: Try, lines: Positions) -> Candidate:
        offer = rule.offer
        return Candidate(
            offer=offer,
            place=rule.place,
            lines=lines,
            gate=self._gate(offer, lines) if offer.conditions else OPEN,
            group=rule.group,
            mode=rule.mode,
            coupon=one.coupon,
            parts=self._parts(offer, lines),
            time=one.time,
            nets=tuple(self.nets[index] for index in lines) if offer.net else (),
        )

    def _gate(self, offer: Offer, lines: Positions) -> Gate:
        return gate_of(
            offer.conditions,
            self.basket,
            offer.goods,
            own_positions=lines,
            positions_of=lambda goods: _of_goods(goods, self.ringing),
            listed=self.listed,
            nets=self.nets,
        )


def _hindrance(offer: Offer, basket: Basket, *, used_up: bool) -> Hindrance | None:
    if used_up:
        return Hindrance(Reason.USED_UP)
    return hindrance(offer.conditions, basket, offer.goods)


def _uses_left(offer: Offer, use: OfferUse | None) -> int:
    """How often an offer can still be used, this sale included."""
    limits, so_far = offer.limits, use or OfferUse(offer=offer.id)
    pairs = (
        (limits.per_member, so_far.by_member),
        (limits.per_member_and_day, so_far.by_member_today),
        (limits.per_store, so_far.in_store),
        (limits.in_total, so_far.in_total),
    )
    return min((max(0, most - used) for most, used in pairs if most), default=USES_MAX)


def _of_goods(goods: GoodsSet, ringing: Ringing) -> Positions:
    if goods is EVERYTHING:
        return tuple(ringing.open_lines)
    lines = ringing.lines
    return tuple([n for n in ringing.open_lines if goods.contains(lines[n].goods)])

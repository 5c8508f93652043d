"""What a return should have given and taken back, and by how much it did otherwise."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from shared.errors import DomainError
from shared.loyalty.prepaid_tax import tax_in
from shared.loyalty.programme import Floor, Programme
from shared.pricing.cash import cash_refund, cash_rounding, settled_in_cash
from shared.pricing.engine import ENGINE
from shared.pricing.sale_basket import Difference, Measured, Unjudged
from shared.returning.coupons_kept import coupons_voided
from shared.returning.engagement import cards_taken_back, referral_lost
from shared.returning.history import total
from shared.returning.lines import SoldBy, Wanted, lines_back
from shared.returning.refunds import prepaid_back
from shared.returning.without_goods import amount_back
from shared.trade.fact import CardTakenBack, TenderKind
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleReturned


def judge_return(
    returned: SaleReturned,
    sale: SaleCompleted,
    before: Sequence[Sequence[SaleReturned]],
    sold_by: SoldBy,
    *,
    own: Programme,
    is_forgotten: bool,
) -> list[Difference] | Unjudged:
    """Make the lines of a return again, and compare.

    ``before`` are the earlier returns of the sale that the till may have known of, likeliest first:
    agreeing with one of them is enough. The return's ``own`` programme rounds cash and may forgive
    points that were spent already; of a member who ``is_forgotten`` nothing could be taken back.
    """
    rounding = _Rounding(returned, sale, own, is_forgotten=is_forgotten)
    if any(line.quantity < 0 for line in returned.lines):
        return _differences(returned, [], own, rounding.right(next(iter(before), ())))
    if sold_by.needs_the_basket(sale):
        if {sale.engine, returned.engine} != {ENGINE}:
            return Unjudged.OTHER_ENGINE
        if sold_by.basket_again(sale) is None:
            return Unjudged.UNKNOWN_GOODS
    wanted = [Wanted(line.of_line, line.quantity) for line in returned.lines if line.quantity]
    is_nobody = is_forgotten and returned.member is None
    verdicts: list[list[Difference]] = []
    for earlier in before:
        right = (
            _goods_again(sale, earlier, wanted, sold_by, is_forgotten=is_nobody)
            if wanted
            else _amount_again(sale, earlier, total(returned.lines, "amount"))
        )
        if right is None:
            continue
        beside = _Beside(returned, right, sale, earlier)
        found = _differences(returned, right, own, rounding.right(earlier), beside.points)
        if beside.stamps:
            found.append(Difference(Measured.STAMPS, beside.stamps))
        found += _put_back(returned, sale, earlier)
        if coupons := _coupons_left(returned, right, sale, earlier, sold_by):
            found.append(Difference(Measured.COUPONS, coupons))
        if not found:
            return []
        verdicts.append(found)
    return verdicts[0] if verdicts else Unjudged.RETURNED_TWICE


def _goods_again(
    sale: SaleCompleted,
    earlier: Sequence[SaleReturned],
    wanted: Sequence[Wanted],
    sold_by: SoldBy,
    *,
    is_forgotten: bool,
) -> Sequence[ReturnLine] | None:
    """None where so much cannot have come back."""
    try:
        return lines_back(sale, earlier, wanted, sold_by, is_forgotten=is_forgotten)
    except DomainError:
        return None


def _amount_again(
    sale: SaleCompleted, earlier: Sequence[SaleReturned], amount: int
) -> Sequence[ReturnLine]:
    """Nothing where it is more than was left: no goods tell so, as they do of goods."""
    try:
        return amount_back(sale, earlier, amount)
    except DomainError:
        return ()


def _differences(
    returned: SaleReturned,
    right: Sequence[ReturnLine],
    own: Programme,
    rounding: int,
    beside: int = 0,
) -> list[Difference]:
    lines, member = returned.lines, returned.member
    growth, spend = (-member.growth, -member.spend) if member else (0, 0)
    in_points = [one for one in returned.refunds if one.tender is TenderKind.POINTS]
    given = sum(draw.points for one in in_points for draw in one.lots)
    found = {
        Measured.TOTAL: total(lines, "amount") - total(right, "amount"),
        Measured.TAX: _taxes(lines) - _taxes(right),
        Measured.POINTS: _kept_points(returned, total(right, "points") + beside, own),
        Measured.GROWTH: total(right, "growth") - growth,
        Measured.SPEND: total(right, "spend") - spend,
        Measured.POINTS_BACK: given - total(right, "points_spent"),
        Measured.ROUNDING: returned.rounding - rounding,
        Measured.MONEY: total(right, "points_paid") - sum(one.amount for one in in_points),
    }
    differences = [Difference(what, amount) for what, amount in found.items() if amount]
    is_same = _by_line(lines) == _by_line(right) and returned.total == total(lines, "amount")
    if not differences and not is_same:
        differences.append(Difference(Measured.LINES, 0))
    return differences


def _put_back(
    returned: SaleReturned, sale: SaleCompleted, earlier: Sequence[SaleReturned]
) -> list[Difference]:
    """Tax that it puts back into gift cards otherwise than their payments had used it up."""
    cards = [one for one in returned.refunds if one.tender is TenderKind.GIFT_CARD]
    pairs = [(one.prepaid, prepaid_back(sale, earlier, one.reference, one.amount)) for one in cards]
    if all(told == right for told, right in pairs):
        return []
    too_much = sum(tax_in(told) - tax_in(right) for told, right in pairs)
    return [Difference(Measured.PREPAID_TAX, too_much)]


def _coupons_left(
    returned: SaleReturned,
    right: Sequence[ReturnLine],
    sale: SaleCompleted,
    earlier: Sequence[SaleReturned],
    sold_by: SoldBy,
) -> int:
    """How many issued coupons are good that should be void; which of an offer is the till's choice.

    Tills of earlier engines voided them with all of the sale only: nothing is said of them.
    """
    if {sale.engine, returned.engine} != {ENGINE}:
        return 0
    due = coupons_voided(sale, earlier, right, sold_by)
    before = {coupon for one in earlier for coupon in one.coupons_voided}
    of_cards = {coupon for card in sale.cards for coupon in card.coupons}
    issued = {one.coupon_id for one in sale.coupons_issued} - of_cards
    return len(due) - len((issued & set(returned.coupons_voided)) - before)


class _Beside:
    """What a return should take of visit cards and a referral.

    Whether a card's coupon could still be voided the till has to know: its word is taken for it.
    """

    def __init__(
        self,
        returned: SaleReturned,
        right: Sequence[ReturnLine],
        sale: SaleCompleted,
        earlier: Sequence[SaleReturned],
    ) -> None:
        cards = cards_taken_back(sale, earlier, right, returned.coupons_voided)
        referral = referral_lost(sale, earlier, right) if returned.member else None
        self.points = cards.points + (referral.for_friend if referral else 0)
        self.stamps = _stamps(cards.cards) - _stamps(returned.cards) if returned.member else 0


def _stamps(cards: Sequence[CardTakenBack]) -> int:
    return sum(card.taken - card.reopened * card.size for card in cards)


def _told_beside(returned: SaleReturned) -> int:
    """Points that a return says it takes beside those of its lines."""
    referral = returned.referral.from_friend if returned.referral else 0
    return sum(card.points for card in returned.cards) + referral


def _kept_points(returned: SaleReturned, right: int, own: Programme) -> int:
    """How many points stay with the member that should have gone; ``right`` are to go."""
    told = total(returned.lines, "points") + _told_beside(returned)
    taken = sum(draw.points for draw in returned.points_taken)
    if own.returns.points_floor is Floor.ZERO and 0 <= taken < told:
        taken = told
    return right - min(told, taken)


@dataclass(frozen=True, slots=True)
class _Rounding:
    """Rounds what a return gives back in cash, as it was before it was rounded."""

    returned: SaleReturned
    sale: SaleCompleted
    own: Programme
    _: KW_ONLY
    is_forgotten: bool

    def right(self, earlier: Sequence[SaleReturned]) -> int:
        """The rounding after those returns; tills of earlier engines rounded each by itself."""
        refunds = self.returned.refunds
        paid = sum(one.amount for one in refunds if one.tender is TenderKind.CASH)
        amount = paid - self.returned.rounding
        if self.returned.engine != ENGINE:
            return cash_rounding(amount, self.own).rounding_minor
        if not amount:
            return 0
        settled = settled_in_cash(self.sale, earlier, is_forgotten=self.is_forgotten)
        return cash_refund(amount, settled, self.own).rounding_minor


def _taxes(lines: Sequence[ReturnLine]) -> int:
    return sum(tax.tax for line in lines for tax in line.taxes)


def _by_line(lines: Sequence[ReturnLine]) -> Counter[tuple[object, ...]]:
    """What each line of the sale gives, without how the return numbers it."""
    return Counter(
        (
            line.of_line,
            line.goods_id,
            line.quantity,
            line.amount,
            line.levy,
            line.tax_class,
            line.taxes,
        )
        for line in lines
    )

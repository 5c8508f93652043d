"""What a sale earns where the bonus of stored value pays a part: bonus earns no second time."""

from msgspec.structs import replace

from shared.loyalty.programme import Programme
from shared.pricing.basket import Basket
from shared.pricing.earning import earn
from shared.pricing.quote import EarningQuote, Quote
from shared.pricing.redemption import PointsPayment
from shared.shares import largest_remainder


def earning_of(
    basket: Basket,
    quote: Quote,
    programme: Programme,
    payment: PointsPayment | None,
    bonus: int,
) -> EarningQuote:
    """What the lines earn, knowing what points pay and that bonus pays ``bonus`` minor units."""
    values = payment.line_values if payment else [0] * len(quote.lines)
    if not covers(programme, bonus):
        return payment.earning if payment else quote.earning
    return earned_beside(basket, quote, programme, values, bonus)


def covers(programme: Programme, bonus: int) -> bool:
    """Whether what bonus pays is left out of what earns."""
    stored = programme.stored_value
    return bool(bonus) and not (stored is not None and stored.bonus_earns)


def earned_beside(
    basket: Basket,
    quote: Quote,
    programme: Programme,
    points_paid: list[int] | tuple[int, ...],
    bonus: int,
) -> EarningQuote:
    """What is left to earn beside the bonus, which is spread over the lines by amount."""
    covered = largest_remainder(bonus, [line.pay_minor for line in quote.lines])
    if any(points_paid) and not programme.earning.points_tender_counts:
        covered = [one + other for one, other in zip(covered, points_paid, strict=True)]
    plain = replace(programme, earning=replace(programme.earning, points_tender_counts=False))
    return earn(basket, quote.lines, plain, covered)

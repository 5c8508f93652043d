"""A backtest from its inputs to its comparison."""

import msgspec

from desktop.backtest.past import PastSales
from desktop.backtest.pool import Tell, play_all
from shared.backtest.comparing import Comparison, Trial, compare
from shared.backtest.player import Terms
from shared.backtest.result import Assumed
from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.loyalty.effects import Gift
from shared.loyalty.programme import Programme


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a backtest is to answer: what ``new`` would have brought instead of ``old``."""

    old: Programme
    new: Programme
    spenders_percent: int = 0
    against_same_without_offers: bool = False


def without_offers(programme: Programme) -> Programme:
    """The same tax, tiers, points and prices, without any offer."""
    return msgspec.structs.replace(programme, offers=(), coupons=(), groups=())


def backtest(question: Question, past: PastSales, *, workers: int, tell: Tell) -> Comparison:
    """Play past sales under both programmes.

    Raises DomainError ``backtest-currency`` where programmes and sales are not in one currency,
    ``unknown-tax-class`` where goods have a tax class that a programme lacks, and what the pool
    raises.
    """
    _check(question, past)
    first, last = past.days
    programmes = (question.old, question.new)
    terms = Terms(
        until=last,
        spenders_percent=question.spenders_percent,
        given=_gifts(programmes, past),
    )
    old, new = play_all(past.events, programmes, terms, workers=workers, tell=tell)
    assumed = Assumed(
        source=past.source,
        first_day=first,
        last_day=last,
        lines=past.lines,
        refused_lines=past.refused_lines,
        members=past.members,
        spenders_percent=question.spenders_percent,
        returned_units=past.returned_units,
        loose_units=past.loose_units,
        against_same_without_offers=question.against_same_without_offers,
    )
    return compare(Trial(question.old, old), Trial(question.new, new), assumed)


def _check(question: Question, past: PastSales) -> None:
    for programme in (question.old, question.new):
        if programme.currency != past.currency:
            raise DomainError(
                "backtest-currency",
                programme=programme.id,
                currency=programme.currency,
                sales=past.currency,
            )
        for tax_class in sorted({goods.tax_class for goods in past.goods.values()} - {""}):
            programme.tax_class(tax_class)


def _gifts(programmes: tuple[Programme, ...], past: PastSales) -> dict[str, Goods]:
    """Articles that offers may give, as far as they are known."""
    effects = (offer.effect for programme in programmes for offer in programme.offers)
    named = {sku for effect in effects if isinstance(effect, Gift) for sku in effect.choices}
    return {sku: past.goods[sku] for sku in sorted(named & past.goods.keys())}

"""An explanation as a sentence, in the language of whoever reads it."""

from shared.language import Words
from shared.loyalty.programme import Programme
from shared.money import Money
from shared.points import format_points
from shared.pricing.quote import Explanation


def explanation_text(told: Explanation, programme: Programme, words: Words) -> str:
    """What an offer did, or what is missing for it: ``3.50 more for 满100减20``."""
    names = {offer.id: offer.names.get(words.language) for offer in programme.offers}

    def money(minor: int) -> str:
        return str(Money(minor, programme.money))

    reason = told.reason.value
    if told.reason == "missing-spend" and told.gain_minor:
        reason = "missing-spend-gain"
    if told.reason == "applied" and not told.amount_minor:
        reason = "given"
    if told.reason == "better-without" and not told.instead:
        reason = "better-without-it"
    return words(
        f"pricing.reason.{reason}",
        offer=names.get(told.offer, told.offer),
        instead=names.get(told.instead, told.instead),
        amount=money(told.amount_minor),
        missing=money(told.missing_minor),
        gain=money(told.gain_minor),
        units=told.missing_units,
        points=format_points(told.missing_points, programme.points.decimals),
    )

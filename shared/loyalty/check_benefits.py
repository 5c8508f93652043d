"""What cannot be in the sections on accounts, tenders, referral, partners, cards and draws."""

import re
from collections.abc import Iterator

from shared.errors import DomainError
from shared.loyalty.check_conditions import condition_problems
from shared.loyalty.findings import WHOLE, tiers_of, twice, unknown, within
from shared.loyalty.programme import Programme
from shared.money import AMOUNT_MINOR_MAX

POINTS_MAX = 10**9


def benefit_problems(programme: Programme) -> Iterator[DomainError]:
    """Everything that is wrong with these sections; messages name the rule and the field."""
    yield from _stored_value(programme)
    yield from _gift_cards(programme)
    yield from _leases(programme)
    yield from _at_the_till(programme)
    yield from _referral_and_partners(programme)
    yield from _visit_cards(programme)
    yield from _draws(programme)


def _coupon(programme: Programme, coupon: str, rule: str) -> Iterator[DomainError]:
    if coupon and all(known.id != coupon for known in programme.coupons):
        yield unknown(rule, "coupon", coupon)


def _stored_value(programme: Programme) -> Iterator[DomainError]:
    if programme.stored_value is None:
        return
    most = programme.stored_value.maximum_minor
    yield from within(most, 0, AMOUNT_MINOR_MAX, "stored_value", "maximum_minor")
    yield from twice((one.id for one in programme.stored_value.top_ups), "stored_value/top_ups")
    for one in programme.stored_value.top_ups:
        rule = f"stored_value/{one.id}"
        yield from within(one.minimum_minor, 1, AMOUNT_MINOR_MAX, rule, "minimum_minor")
        yield from within(one.bonus_minor, 0, AMOUNT_MINOR_MAX, rule, "bonus_minor")
        yield from within(one.bonus_basis_points, 0, 10 * WHOLE, rule, "bonus_basis_points")
        yield from within(one.points, 0, POINTS_MAX, rule, "points")
        if not (one.bonus_minor or one.bonus_basis_points or one.points or one.coupon):
            yield DomainError("programme-gives-nothing", rule=rule)
        yield from _coupon(programme, one.coupon, rule)
        yield from condition_problems(tiers_of(programme), one.conditions, rule)


def _gift_cards(programme: Programme) -> Iterator[DomainError]:
    cards = programme.gift_cards
    if cards is None:
        return
    most = AMOUNT_MINOR_MAX
    yield from within(cards.minimum_minor, 1, most, "gift_cards", "minimum_minor")
    least = cards.minimum_minor
    yield from within(cards.maximum_minor, least, most, "gift_cards", "maximum_minor")
    yield from within(cards.valid_months, 0, 1_200, "gift_cards", "valid_months")
    known = {one.id for one in programme.tax_classes}
    if cards.taxed_when_sold_as and cards.taxed_when_sold_as not in known:
        yield unknown("gift_cards", "taxed_when_sold_as", cards.taxed_when_sold_as)


def _leases(programme: Programme) -> Iterator[DomainError]:
    rules = programme.leases
    yield from within(rules.share_basis_points, 1, WHOLE, "leases", "share_basis_points")
    yield from within(rules.hours, 1, 24 * 31, "leases", "hours")
    yield from within(rules.at_once_minutes, 1, 24 * 60, "leases", "at_once_minutes")
    yield from within(rules.budget_points, 0, POINTS_MAX, "leases", "budget_points")
    most = rules.budget_points
    yield from within(rules.budget_per_member, 0, most, "leases", "budget_per_member")
    if rules.coupons_offline_minor is not None:
        limit = rules.coupons_offline_minor
        yield from within(limit, 0, AMOUNT_MINOR_MAX, "leases", "coupons_offline_minor")


def _at_the_till(programme: Programme) -> Iterator[DomainError]:
    yield from twice((one.tender for one in programme.tenders), "tenders")
    for tender in programme.tenders:
        rule = f"tenders/{tender.tender}"
        yield from within(tender.at_most_minor, 0, AMOUNT_MINOR_MAX, rule, "at_most_minor")
        share = tender.at_most_basis_points
        yield from within(share, 1, WHOLE, rule, "at_most_basis_points")
    yield from twice((one.id for one in programme.restrictions), "restrictions")
    for one in programme.restrictions:
        rule = f"restrictions/{one.id}"
        yield from within(one.minimum_age, 0, 120, rule, "minimum_age")
        yield from within(one.units_per_sale, 0, 10**6, rule, "units_per_sale")
        yield from within(one.units_per_day, 0, 10**6, rule, "units_per_day")


def _referral_and_partners(programme: Programme) -> Iterator[DomainError]:
    if (referral := programme.referral) is not None:
        yield from within(
            referral.points_for_friend, 0, POINTS_MAX, "referral", "points_for_friend"
        )
        given = referral.points_for_referrer
        yield from within(given, 0, POINTS_MAX, "referral", "points_for_referrer")
        least = referral.minimum_minor
        yield from within(least, 0, AMOUNT_MINOR_MAX, "referral", "minimum_minor")
        yield from within(referral.per_member, 0, 10**6, "referral", "per_member")
    yield from twice((one.id for one in programme.partners), "partners")
    for partner in programme.partners:
        rule = f"partners/{partner.id}"
        yield from within(partner.points, 0, POINTS_MAX, rule, "points")
        yield from within(partner.per_minor, 1, AMOUNT_MINOR_MAX, rule, "per_minor")
        price = partner.price_per_block_minor
        yield from within(price, 0, AMOUNT_MINOR_MAX, rule, "price_per_block_minor")
        yield from within(partner.points_per_block, 1, POINTS_MAX, rule, "points_per_block")
        value = partner.value_per_block_minor
        yield from within(value, 0, AMOUNT_MINOR_MAX, rule, "value_per_block_minor")
    yield from twice((one.id for one in programme.actions), "actions")
    for action in programme.actions:
        rule = f"actions/{action.id}"
        yield from within(action.points, 1, POINTS_MAX, rule, "points")
        for name in ("per_member", "per_member_and_year", "per_member_and_day"):
            yield from within(getattr(action, name), 0, 10**6, rule, name)


def _visit_cards(programme: Programme) -> Iterator[DomainError]:
    yield from twice((one.id for one in programme.visit_cards), "visit_cards")
    for card in programme.visit_cards:
        rule = f"visit_cards/{card.id}"
        yield from within(card.stamps, 1, 10_000, rule, "stamps")
        yield from within(card.points, 0, POINTS_MAX, rule, "points")
        yield from _coupon(programme, card.coupon, rule)
        if not card.coupon and not card.points:
            yield DomainError("programme-gives-nothing", rule=rule)


def _draws(programme: Programme) -> Iterator[DomainError]:
    yield from twice((one.id for one in programme.draws), "draws")
    for draw in programme.draws:
        rule = f"draws/{draw.id}"
        yield from within(len(draw.prizes), 1, 1_000, rule, "prizes")
        for prize in draw.prizes:
            yield from within(prize.units, 1, 10**6, rule, f"prizes/{prize.id}")
        yield from within(draw.entry_points, 0, POINTS_MAX, rule, "entry_points")
        yield from within(draw.per_member, 0, 10**6, rule, "per_member")
        if not re.fullmatch(r"[0-9a-f]{64}", draw.seed_sha256):
            yield DomainError("programme-draw-seed", rule=rule)
        if draw.closes < draw.opens:
            yield DomainError("programme-draw-times", rule=rule)

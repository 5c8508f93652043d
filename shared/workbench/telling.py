"""From a shop's state to plain values, with every explanation in both languages."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from shared.catalogue.goods import Goods
from shared.language import Language, words
from shared.loyalty.lots import spendable
from shared.loyalty.partners import statement
from shared.loyalty.prepaid_tax import tax_in
from shared.loyalty.reminding import lapsing_soon
from shared.pricing.basket import Basket
from shared.pricing.quote import (
    ComponentShare,
    EarningQuote,
    Explanation,
    LineDiscount,
    LineQuote,
    Quote,
)
from shared.pricing.redemption import offered
from shared.pricing.tender_rules import demands_of
from shared.pricing.words import explanation_text
from shared.trade.fact import CardStamped, ReferralPaid
from shared.workbench.account import Account
from shared.workbench.coupons import Code
from shared.workbench.engaging import cards_of, referral_of
from shared.workbench.result import (
    AddedState,
    CardState,
    CouponState,
    DemandState,
    EarnedState,
    IssuedState,
    LapsingState,
    LineState,
    LotState,
    MemberState,
    OfferState,
    PartnerState,
    RefusedState,
    RewardState,
    StampedState,
    State,
    TaxState,
)
from shared.workbench.shop import Shop


def state_of(shop: Shop, step: int, title: str = "", refused: Sequence[RefusedState] = ()) -> State:
    """Everything after a step; ``refused`` are those that could not be done."""
    basket, quote = shop.basket(), shop.quote()
    earning, (due, in_cash) = shop.earning(quote), shop.due(quote)
    can_pay = _can_pay(shop, basket, quote)
    cards = cards_of(shop, basket, quote)
    earned = tuple(_earned(earning, cards, referral_of(shop, basket, quote)))
    return State(
        step=step,
        title=title,
        at=shop.at.isoformat(),
        currency=quote.currency,
        member=shop.member,
        lines=tuple(
            _line(line, earning.line_points[index], earning.line_growth[index])
            for index, line in enumerate(quote.lines)
        ),
        offers=tuple(_offer(told, shop) for told in quote.explanations),
        added=tuple(
            AddedState(offer=one.offer, goods=one.goods, units=one.units, choices=one.choices)
            for one in quote.added
        ),
        taxes=tuple(
            TaxState(
                tax_class=row.tax_class,
                net_minor=row.net_minor,
                tax_minor=_sum(row.taxes),
                levy_minor=_sum(row.levies),
                taxed_minor=row.taxed_minor,
            )
            for row in quote.taxes
        ),
        total_minor=quote.total_minor,
        net_minor=sum(line.net_minor for line in quote.lines),
        saved_minor=quote.saved_minor,
        due_minor=due,
        due_in_cash_minor=in_cash,
        tenders=tuple(shop.tenders),
        earned=earned,
        points_earned=sum(one.points for one in earned),
        cards=tuple(
            StampedState(
                card=one.card,
                before=one.before,
                added=one.added,
                filled=one.filled,
                points=one.points_total,
            )
            for one in cards
        ),
        growth_earned=earning.growth_total,
        reward_points=quote.reward_points,
        points_offered=can_pay,
        is_best_price=quote.is_best_price,
        members=tuple(_member(one, shop) for one in shop.accounts.values()),
        drawer_minor=shop.drawer,
        sales=shop.sales,
        repeats=shop.repeats,
        credit_minor=shop.credit,
        issued=tuple(
            IssuedState(offer=one.offer, coupon=one.coupon, units=one.units) for one in quote.issued
        ),
        coupons=tuple(_code(one) for one in shop.coupons.values()),
        gift_cards=tuple(
            CardState(
                code=one.code,
                left_minor=one.left,
                last_day=_day(one.last_day),
                tax_minor=tax_in(one.unused),
            )
            for one in shop.gift_cards.values()
        ),
        rewards=tuple(_rewards(shop)),
        demands=tuple(
            DemandState(restriction=one.restriction, demand=one.demand.value, years=one.years)
            for one in demands_of(basket, shop.programme, _given(shop, quote))
        ),
        refund=shop.refund,
        expected_minor=shop.float_minor + shop.drawer,
        drawer_count=shop.drawer_count,
        days=tuple(shop.days),
        liability=shop.liability,
        partners=tuple(_partners(shop)),
        wins=tuple(shop.wins),
        refused=tuple(refused),
        point_decimals=shop.programme.points.decimals,
    )


def _earned(
    earning: EarningQuote, cards: Iterable[CardStamped], referral: ReferralPaid | None
) -> Iterator[EarnedState]:
    for one in earning.points:
        yield EarnedState(rule=one.rule, points=one.points)
    for card in cards:
        if card.points_total:
            yield EarnedState(rule=card.card, points=card.points_total)
    if referral is not None and referral.for_friend:
        yield EarnedState(rule="referral", points=referral.for_friend)


def _can_pay(shop: Shop, basket: Basket, quote: Quote) -> int:
    """Points that can still be taken for this basket."""
    account = shop.account
    if account is None or shop.lowering is not None:
        return 0
    return offered(basket, quote, shop.programme, shop.free_lots()).points


def _given(shop: Shop, quote: Quote) -> list[Goods]:
    """The articles that offers give on top."""
    return [shop.goods[one.goods] for one in quote.added if one.goods in shop.goods]


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _code(held: Code) -> CouponState:
    return CouponState(
        code=held.code,
        coupon=held.coupon,
        member=held.member,
        uses_left=held.uses_left,
        from_day=_day(held.from_day),
        last_day=_day(held.last_day),
    )


def _rewards(shop: Shop) -> Iterator[RewardState]:
    """Rewards that the points are enough for."""
    account = shop.account
    if account is None:
        return
    points = spendable(account.usable(shop.programme), shop.at.date())
    for offer in shop.programme.offers:
        if 0 < offer.costs_points <= points:
            times = points // offer.costs_points
            yield RewardState(offer=offer.id, points=offer.costs_points, times=times)


def _partners(shop: Shop) -> Iterator[PartnerState]:
    for partner in shop.programme.partners:
        sales = shop.partner_sales.get(partner.id, [])
        back = [one for sale in sales for one in sale.returns]
        told = statement(partner, [sale.whole for sale in sales], back)
        yield PartnerState(
            partner=told.partner,
            sales=told.sales,
            returns=told.returns,
            spend_minor=told.spend_minor,
            points=told.points,
            owed_minor=told.owed_minor,
            points_spent=told.points_spent,
            settlement_minor=told.settlement_minor,
        )


def _sum(shares: Sequence[ComponentShare]) -> int:
    return sum(share.amount_minor for share in shares)


def _line(line: LineQuote, points: int, growth: int) -> LineState:
    return LineState(
        line=line.line,
        goods=line.goods,
        quantity=line.quantity,
        gross_minor=line.gross_minor,
        hand_minor=line.hand_minor,
        discounts=tuple(_discount(one) for one in line.discounts),
        net_minor=line.net_minor,
        tax_minor=_sum(line.taxes),
        levy_minor=line.levy_minor,
        pay_minor=line.pay_minor,
        points=points,
        growth=growth,
    )


def _discount(one: LineDiscount) -> dict[str, Any]:
    return {
        "offer": one.offer,
        "version": one.version,
        "amount_minor": one.amount_minor,
        "units": one.units,
        "coupon": one.coupon,
    }


def _offer(told: Explanation, shop: Shop) -> OfferState:
    chinese, english = (
        explanation_text(told, shop.programme, words(language)) for language in Language
    )
    return OfferState(
        offer=told.offer,
        reason=told.reason.value,
        amount_minor=told.amount_minor,
        missing_minor=told.missing_minor,
        missing_units=told.missing_units,
        missing_points=told.missing_points,
        gain_minor=told.gain_minor,
        coupon=told.coupon,
        zh=chinese,
        en=english,
    )


def _member(account: Account, shop: Shop) -> MemberState:
    stands = account.standing(shop.programme, shop.at)
    nearest, today = stands.nearest, shop.at.date()
    lots = account.usable(shop.programme)
    # What is owed never lapses.
    held = [lot for lot in lots if lot.points < 0 or lot.is_alive(today)]
    return MemberState(
        member=account.person.id,
        tier=stands.tier,
        points=sum(lot.points for lot in held),
        spendable=spendable(lots, today),
        lapsed=sum(lot.points for lot in lots) - sum(lot.points for lot in held),
        lots=tuple(
            LotState(
                lot=lot.lot,
                points=lot.points,
                earned_on=lot.earned_on.isoformat(),
                last_day=_day(lot.last_day),
                usable_from=_day(lot.usable_from),
            )
            for lot in held
        ),
        spend_minor=sum(one.spend_minor for one in account.spending),
        growth=sum(one.growth for one in account.spending),
        next_tier=stands.next_tier,
        missing_to_next_minor=nearest.missing if nearest else None,
        principal_minor=account.wallet.principal,
        bonus_minor=account.wallet.bonus,
        stamps=dict(account.stamps),
        lapsing=tuple(_lapsing(account, shop)),
    )


def _lapsing(account: Account, shop: Shop) -> Iterator[LapsingState]:
    """What the member is reminded of today."""
    lots = account.usable(shop.programme)
    for one in lapsing_soon(lots, shop.programme.expiry, shop.at.date()):
        yield LapsingState(
            last_day=one.last_day.isoformat(), points=one.points, days_left=one.days_left
        )

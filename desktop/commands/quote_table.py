"""A state of the workbench as people read it: a table of lines like a receipt, and what is to say.

Every section that has nothing to say is left out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from desktop.commands.quote_names import Called
from shared.language import Language, Words, words
from shared.money import Currency, format_amount
from shared.points import format_points
from shared.workbench.result import (
    DayState,
    LineState,
    MemberState,
    RefundState,
    RefusedState,
    State,
    TenderState,
)


@dataclass(frozen=True, slots=True)
class Telling:
    """How figures and goods are written in one language."""

    say: Words
    currency: Currency
    point_decimals: int
    called: Called

    def money(self, minor: int) -> str:
        """An amount."""
        return format_amount(minor, self.currency)

    def points(self, points: int) -> str:
        """Points of the programme."""
        return format_points(points, self.point_decimals)

    def goods(self, sku: str) -> str:
        """What an article is called."""
        return self.called("goods", sku)


def telling_of(state: State, called: Called, language: Language) -> Telling:
    """How a state is told."""
    return Telling(words(language), Currency(state.currency), state.point_decimals, called)


def lines_table(state: State, telling: Telling) -> Table:
    """The lines with their discounts below them."""
    say = telling.say
    table = Table(
        *(say(f"quote.column-{name}") for name in ("line", "goods")),
        title=escape(title_of(state, telling)),
        title_justify="left",
    )
    for name in ("quantity", "gross", "off", "pay", "tax", "points"):
        table.add_column(say(f"quote.column-{name}"), justify="right")
    for line in state.lines:
        table.add_row(*map(escape, _cells(line, telling)))
        if line.hand_minor:
            table.add_row("", f"  {say('quote.by-hand')}", "", "", telling.money(line.hand_minor))
        for one in line.discounts:
            times = f" ×{one['units']}" if one["units"] else ""
            off = telling.money(one["amount_minor"])
            name = telling.called("offer", one["offer"])
            rule = f" [{one['offer']} v{one['version']}]" if one["version"] else ""
            table.add_row("", escape(f"  {name}{times}{rule}"), "", "", off)
    for added in state.added:
        what = " / ".join(map(telling.goods, [added.goods] if added.goods else added.choices))
        price = telling.money(0)
        told = escape(f"{what}  ({telling.called('offer', added.offer)})")
        table.add_row("+", told, str(added.units), price, "", price)
    return table


def title_of(state: State, telling: Telling) -> str:
    """What a state is called."""
    return state.title or telling.say("quote.after-step", step=state.step)


def _cells(line: LineState, telling: Telling) -> Iterable[str]:
    off = line.hand_minor + sum(one["amount_minor"] for one in line.discounts)
    yield line.line
    yield telling.goods(line.goods)
    yield str(line.quantity)
    yield telling.money(line.gross_minor)
    yield telling.money(off) if off else ""
    yield telling.money(line.pay_minor)
    yield telling.money(line.tax_minor)
    yield telling.points(line.points)


def sentences(state: State, telling: Telling) -> Iterator[str]:
    """Everything beside the lines, one thing a line."""
    for one in state.refused:
        yield refused_text(one, telling.say)
    yield from _totals(state, telling)
    yield from _offers(state, telling)
    if state.refund is not None:
        yield from _refund(state.refund, telling)
    for member in state.members:
        yield from _member(member, telling)
    yield from _bearers(state, telling)
    yield from _till(state, telling)
    for number, day in enumerate(state.days, start=1):
        yield from _day(number, day, telling)
    yield from _others(state, telling)
    if state.liability is not None:
        owed = state.liability
        yield telling.say(
            "quote.liability",
            on=owed.on,
            points=telling.points(owed.outstanding),
            value=telling.money(owed.value_minor),
            lapsed=telling.points(owed.breakage),
        )


def refused_text(one: RefusedState, say: Words) -> str:
    """Which step could not be done, and why."""
    why = one.zh if say.language is Language.CHINESE else one.en
    return say("quote.refused", step=one.step, do=one.do, why=why)


def _earned(state: State, telling: Telling) -> Iterator[str]:
    say = telling.say
    for earned in state.earned:
        yield say(
            "quote.earned",
            rule=telling.called("rule", earned.rule),
            points=telling.points(earned.points),
        )
    for card in state.cards:
        name = telling.called("card", card.card)
        told = {"card": name, "before": card.before, "added": card.added}
        yield say("quote.card-full" if card.filled else "quote.card", **told, full=card.filled)


def _totals(state: State, telling: Telling) -> Iterator[str]:
    say, money = telling.say, telling.money
    if state.lines:
        figures = {
            "total": money(state.total_minor),
            "net": money(state.net_minor),
            "saved": money(state.saved_minor),
        }
        yield say("quote.total", **figures)
        if not state.is_best_price:
            yield say("quote.not-proved")
    for row in state.taxes:
        amounts = {
            "net": money(row.net_minor),
            "tax": money(row.tax_minor),
            "levy": money(row.levy_minor),
        }
        yield say("quote.tax", tax_class=telling.called("tax", row.tax_class), **amounts)
    for one in state.tenders:
        yield _tender("quote.tender", one, telling)
    if state.credit_minor:
        yield say("quote.credit", amount=money(state.credit_minor))
    if state.lines or state.credit_minor:
        cash = money(state.due_in_cash_minor)
        yield say("quote.due", amount=money(state.due_minor), cash=cash)
    yield from _earned(state, telling)
    if state.reward_points:
        yield say("quote.reward-points", points=telling.points(state.reward_points))
    if state.points_offered:
        yield say("quote.points-offered", points=telling.points(state.points_offered))


def _tender(key: str, one: TenderState, telling: Telling) -> str:
    money = telling.money(one.amount_minor)
    told = telling.say(key, tender=telling.called("tender", one.tender), amount=money)
    if one.code:
        told += f" [{one.code}]"
    if one.points:
        told += f" ({telling.say('quote.in-points', points=telling.points(one.points))})"
    if one.change_minor:
        told += f" ({telling.say('quote.change', amount=telling.money(one.change_minor))})"
    return told


def _offers(state: State, telling: Telling) -> Iterator[str]:
    is_chinese = telling.say.language is Language.CHINESE
    for offer in state.offers:
        text = offer.zh if is_chinese else offer.en
        yield f"{text} [{offer.coupon}]" if offer.coupon else text
    for issued in state.issued:
        yield telling.say(
            "quote.issues", coupon=telling.called("coupon", issued.coupon), units=issued.units
        )
    for reward in state.rewards:
        points = telling.points(reward.points)
        yield telling.say(
            "quote.reward",
            offer=telling.called("offer", reward.offer),
            points=points,
            times=reward.times,
        )
    for demand in state.demands:
        key = f"quote.demand-{demand.demand}"
        yield telling.say(
            key, rule=telling.called("restriction", demand.restriction), years=demand.years
        )


def _refund(refund: RefundState, telling: Telling) -> Iterator[str]:
    say = telling.say
    amount, tax = telling.money(refund.amount_minor), telling.money(refund.tax_minor)
    key = "quote.refund" if refund.sale else "quote.refund-without-receipt"
    yield say(key, sale=refund.sale, amount=amount, tax=tax)
    if refund.gifts_charged_minor:
        yield say("quote.gifts-charged", amount=telling.money(refund.gifts_charged_minor))
    for one in refund.tenders:
        yield _tender("quote.refund-tender", one, telling)
    if refund.points_taken_back:
        yield say("quote.points-taken", points=telling.points(refund.points_taken_back))
    if refund.coupons_given_back:
        yield say("quote.coupons-back", codes=", ".join(refund.coupons_given_back))
    if refund.coupons_voided:
        yield say("quote.coupons-voided", codes=", ".join(refund.coupons_voided))


def _member(member: MemberState, telling: Telling) -> Iterator[str]:
    say, points = telling.say, telling.points
    balance = {"points": points(member.points), "spendable": points(member.spendable)}
    yield say(
        "quote.member", member=member.member, tier=telling.called("tier", member.tier), **balance
    )
    if member.next_tier and member.missing_to_next_minor is not None:
        missing = telling.money(member.missing_to_next_minor)
        yield say("quote.next-tier", tier=telling.called("tier", member.next_tier), amount=missing)
    if member.growth:
        yield say("quote.growth", growth=points(member.growth))
    for lot in member.lots:
        yield say(
            "quote.lot",
            lot=lot.lot,
            points=points(lot.points),
            until=lot.last_day or say("quote.for-ever"),
        )
    if member.lapsed:
        yield say("quote.lapsed", points=points(member.lapsed))
    for lapsing in member.lapsing:
        left = {"points": points(lapsing.points), "days": lapsing.days_left}
        yield say("quote.lapsing", on=lapsing.last_day, **left)
    if member.principal_minor or member.bonus_minor:
        bonus = telling.money(member.bonus_minor)
        yield say("quote.wallet", principal=telling.money(member.principal_minor), bonus=bonus)
    for card, stamps in member.stamps.items():
        yield say("quote.stamps", card=telling.called("card", card), stamps=stamps)


def _bearers(state: State, telling: Telling) -> Iterator[str]:
    for coupon in state.coupons:
        until = coupon.last_day or telling.say("quote.for-ever")
        named = {"code": coupon.code, "coupon": telling.called("coupon", coupon.coupon)}
        yield telling.say("quote.coupon", uses=coupon.uses_left, until=until, **named)
    for card in state.gift_cards:
        until = card.last_day or telling.say("quote.for-ever")
        left = telling.money(card.left_minor)
        yield telling.say("quote.gift-card", code=card.code, amount=left, until=until)


def _till(state: State, telling: Telling) -> Iterator[str]:
    if state.sales or state.expected_minor:
        expected = telling.money(state.expected_minor)
        yield telling.say("quote.drawer", amount=expected, sales=state.sales)
    if state.drawer_count is not None:
        yield telling.say(
            "quote.drawer-count",
            expected=telling.money(state.drawer_count.expected_minor),
            counted=telling.money(state.drawer_count.counted_minor),
            difference=telling.money(state.drawer_count.difference_minor),
        )


def _day(number: int, day: DayState, telling: Telling) -> Iterator[str]:
    say, money = telling.say, telling.money
    turnover, refunded = money(day.turnover_minor), money(day.refunded_minor)
    sums = {"sales": day.sales, "turnover": turnover, "refunds": day.refunds}
    yield say("quote.day", number=number, refunded=refunded, **sums)
    for tax_class, tax in day.tax_minor.items():
        back = day.refunded_tax_minor.get(tax_class, 0)
        key = "quote.day-tax-back" if back else "quote.day-tax"
        name = telling.called("tax", tax_class)
        yield say(key, tax_class=name, tax=money(tax), back=money(back))
    for tender, amount in day.tenders_minor.items():
        yield say("quote.tender", tender=telling.called("tender", tender), amount=money(amount))
    if day.paid_in_minor or day.paid_out_minor:
        paid_out = money(day.paid_out_minor)
        yield say("quote.day-paid", paid_in=money(day.paid_in_minor), paid_out=paid_out)
    points = (day.points_earned, day.points_spent, day.points_taken_back)
    earned, spent, taken = map(telling.points, points)
    if any(points):
        yield say("quote.day-points", earned=earned, spent=spent, taken=taken)


def _others(state: State, telling: Telling) -> Iterator[str]:
    for one in state.partners:
        if one.sales or one.points_spent:
            settled = telling.money(one.settlement_minor)
            points = telling.points(one.points)
            name = telling.called("partner", one.partner)
            yield telling.say("quote.partner", partner=name, points=points, amount=settled)
    for win in state.wins:
        draw, prize = telling.called("draw", win.draw), telling.called("prize", win.prize)
        yield telling.say("quote.win", draw=draw, prize=prize, entry=win.entry)

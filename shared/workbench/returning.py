"""Returns, exchanges and refunds without goods: what they give back and take back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.errors import DomainError
from shared.ids import LotId
from shared.loyalty.lots import ClawBack, claw_back
from shared.loyalty.offers import Coupon
from shared.loyalty.programme import ReturnPolicy
from shared.loyalty.referral import counts
from shared.loyalty.returns import (
    Paid,
    check_return_day,
    points_to_lots,
    return_share,
    split_refund,
)
from shared.money import Rounding, divide_rounded
from shared.pricing.cash import cash_refund, cash_rounding
from shared.returning.coupons_kept import coupons_kept, first_to_go
from shared.returning.engagement import CardsBack, take_back, units_worth
from shared.returning.kept import price_kept
from shared.shares import cumulative_share, largest_remainder
from shared.trade.fact import LotDraw, TenderKind
from shared.workbench import later_steps as told
from shared.workbench.account import Account
from shared.workbench.coupons import Code
from shared.workbench.gifts_back import Charge, charge_gifts, gift_points, gifts_coming, more
from shared.workbench.result import RefundState, TenderState
from shared.workbench.shop import Shop
from shared.workbench.sold import Coming, Sold


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """What a return comes to. ``amount`` is money and points together."""

    amount: int
    points_paid: int
    """The part of it that points had paid."""
    points_spent: int
    """Points that go back; decided by what is left of the sale."""
    points: int
    """Earned points that are taken back."""
    growth: int
    spend: int
    taxes: Mapping[str, int] = field(default_factory=dict)
    """By tax class."""
    levy: int
    rewards: int = 0
    """Points of rewards on lines that go back."""
    gift_points: int = 0
    """Points of rewards of goods that go back."""

    @property
    def tax(self) -> int:
        """The tax in it."""
        return sum(self.taxes.values())


NOTHING = Back(amount=0, points_paid=0, points_spent=0, points=0, growth=0, spend=0, levy=0)


def return_goods(shop: Shop, step: told.Return) -> None:
    """Goods come back; the money goes where it came from."""
    sold = _sold(shop, step.sale)
    if any(one.sold is sold for one in shop.exchanges):
        raise DomainError("exchange-first", sale=sold.sale)
    coming = Coming(sold, Counter(_wanted(sold, step.lines)), gifts_coming(sold, step))
    back, charge = _bring_back(shop, coming)
    money = back.amount - back.points_paid - charge.amount
    shop.refund = _give(shop, sold, back, money, charge)


def _bring_back(shop: Shop, coming: Coming) -> tuple[Back, Charge]:
    """What goods and gifts give back, and what of it is charged for gifts; both are noted."""
    sold = coming.sold
    back, points = _back(sold, coming.lines), gift_points(sold, coming.gifts)
    back = replace(back, points_spent=back.points_spent + points, gift_points=points)
    return back, charge_gifts(shop, sold, coming.gifts, back.amount - back.points_paid)


def exchange(shop: Shop, step: told.Exchange) -> None:
    """Goods come back onto the running ticket; what they are worth pays for it."""
    sold = _sold(shop, step.sale)
    if shop.exchanges and shop.exchanges[0].sold is not sold:
        raise DomainError("one-exchange-per-ticket", sale=step.sale)
    shop.untendered()
    before = shop.exchanges[0] if shop.exchanges else Coming(sold, Counter(), Counter())
    wanted = Counter(_wanted(sold, step.lines, before.lines))
    coming = Coming(
        sold, before.lines + wanted, before.gifts + gifts_coming(sold, step, before.gifts)
    )
    _check_units(sold, coming.lines)
    shop.exchanges = [coming]
    shop.credit = _credit(shop, coming)


def settle_exchanges(shop: Shop, due: int) -> None:
    """Book the goods that came back with a ticket; what is over after ``due`` is paid out."""
    for coming in shop.exchanges:
        back, charge = _bring_back(shop, coming)
        money = back.amount - back.points_paid - charge.amount
        into_sale = min(money, due)
        due -= into_sale
        shop.refund = _give(shop, coming.sold, back, money - into_sale, charge)
        _note_taken_over(coming.sold, into_sale)


def _credit(shop: Shop, coming: Coming) -> int:
    """What the goods that come back are worth in money, without noting it."""
    sold = coming.sold
    noted = sold.returned.copy(), sold.gifts_back.copy()
    charged = sold.gifts_charged_minor, sold.gift_taxes, sold.gifts_paid
    back, charge = _bring_back(shop, coming)
    sold.returned, sold.gifts_back = noted
    sold.gifts_charged_minor, sold.gift_taxes, sold.gifts_paid = charged
    return back.amount - back.points_paid - charge.amount


def refund_amount(shop: Shop, step: told.RefundAmount) -> None:
    """Money without goods: points are taken back on the amount, in all rounded down.

    What points had paid goes back as points in the same proportion.
    """
    sold = _sold(shop, step.sale)
    left = sold.total_minor - sold.refunded_minor
    if not 0 < step.amount_minor <= left:
        raise DomainError("refund-exceeds-sale", amount=step.amount_minor, left=left)
    so_far = sold.refunded_without_goods_minor

    def taken(whole: int) -> int:
        """What of a figure belongs to the amount, cumulatively and rounded down."""
        until = divide_rounded(
            whole * (so_far + step.amount_minor), sold.total_minor, Rounding.DOWN
        )
        return until - divide_rounded(whole * so_far, sold.total_minor, Rounding.DOWN)

    earning = sold.earning
    back = replace(
        NOTHING,
        amount=step.amount_minor,
        points_paid=taken(sold.paid_with_points),
        points=taken(earning.points_total),
        growth=taken(earning.growth_total),
        spend=taken(earning.spend_minor),
        rewards=taken(sum(sold.line_rewards)),
        taxes=_taxes_of_amount(sold, taken(sum(sold.taxes.values()))),
    )
    back = _fitted(sold, back)
    sold.refunded_without_goods_minor += step.amount_minor
    shop.refund = _give(shop, sold, back, back.amount - back.points_paid)


def _taxes_of_amount(sold: Sold, tax: int) -> dict[str, int]:
    """The tax in money that is about no goods, shared over what is left of each class's tax."""
    left = {name: max(0, tax) for name, tax in more(sold.taxes, sold.taxes_given).items()}
    part = min(tax, sum(left.values()))
    return dict(zip(left, largest_remainder(part, list(left.values())), strict=True))


def _sold(shop: Shop, sale: str) -> Sold:
    """A sale by its name; the last one where none is given."""
    sale = sale or next(reversed(shop.sold), "")
    sold = shop.sold.get(sale)
    if sold is None:
        raise DomainError("no-such-sale", sale=sale)
    check_return_day(sold.programme.returns, sold=sold.at.date(), today=shop.at.date())
    return sold


def _wanted(
    sold: Sold, lines: Sequence[told.Units], coming: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Quantities by line; everything that is left where none is named."""
    before = coming or {}
    names = {sold.name_of(line): line for line in sold.lines}
    left = {name: sold.left_of(line) - before.get(name, 0) for name, line in names.items()}
    if not lines:
        wanted = {name: quantity for name, quantity in left.items() if quantity}
        if not wanted:
            raise DomainError("nothing-to-return")
        return wanted
    wanted = {}
    for one in lines:
        if one.line not in left:
            raise DomainError("line-not-in-sale", sale=sold.sale, line=one.line)
        sold_line = sold.basket.lines[names[one.line].line - 1]
        said, other = (one.units, one.grams) if sold_line.units else (one.grams, one.units)
        quantity = left[one.line] if said is None else said
        if other is not None:
            raise DomainError("bad-quantity", sku=sold_line.goods.sku, quantity=other)
        if not quantity:
            raise DomainError("nothing-to-return")
        wanted[one.line] = wanted.get(one.line, 0) + quantity
    return wanted


def _check_units(sold: Sold, wanted: Mapping[str, int]) -> None:
    for number, line in enumerate(sold.lines, start=1):
        quantity, left = wanted.get(sold.name_of(line), 0), sold.left_of(line)
        if quantity > left:
            raise DomainError("return-exceeds-sale", quantity=quantity, left=left, line=number)


def _back(sold: Sold, wanted: Mapping[str, int]) -> Back:
    """What goods give back; their quantities are noted."""
    _check_units(sold, wanted)
    back = _by_shares(sold, wanted)
    sold.returned.update(wanted)
    if sold.programme.returns.policy is ReturnPolicy.RE_PRICE:
        back = replace(_by_what_is_kept(sold), rewards=back.rewards)
    return _fitted(sold, back)


def _fitted(sold: Sold, back: Back) -> Back:
    """No more than is left of the sale; the last part takes all that is left.

    Money that was refunded without goods is not given back a second time, and money never goes
    back for what points had paid, nor the other way round.
    """
    paid_in_points, earning = sold.paid_with_points, sold.earning
    amount = min(back.amount, sold.total_minor - sold.refunded_minor)
    until = sold.refunded_minor + amount
    money_left = sold.total_minor - paid_in_points - (sold.refunded_minor - sold.points_given_minor)
    points_left = paid_in_points - sold.points_given_minor
    # A refund without goods may have given back more of the points than what is kept asks for.
    in_points = min(max(back.points_paid, amount - money_left, 0), points_left, amount)
    spent = _part(_paying_points(sold), sold.points_given_minor + in_points, paid_in_points)
    is_last = until == sold.total_minor and (until > 0 or sold.is_all_back)
    rewards, points, growth, spend = (
        left if is_last else min(part, left)
        for part, left in (
            (back.rewards, sum(sold.line_rewards) - sold.rewards_given),
            (back.points, earning.points_total - sold.points_taken),
            (back.growth, earning.growth_total - sold.growth_taken),
            (back.spend, earning.spend_minor - sold.spend_taken),
        )
    )
    return replace(
        back,
        amount=amount,
        points_paid=in_points,
        points_spent=spent - sold.payment_given + rewards,
        taxes={
            name: left if is_last else min(back.taxes.get(name, 0), left)
            for name, left in more(sold.taxes, sold.taxes_given).items()
        },
        rewards=rewards,
        points=points,
        growth=growth,
        spend=spend,
    )


def _paying_points(sold: Sold) -> int:
    return sum(draw.points for draw in sold.draws) - sold.reward_draws


def _by_shares(sold: Sold, wanted: Mapping[str, int]) -> Back:
    back = NOTHING
    for line, rewards in zip(sold.lines, sold.line_rewards, strict=True):
        name = sold.name_of(line)
        if not wanted.get(name):
            continue
        share = return_share(line, wanted[name], returned_before=sold.returned[name])
        back = Back(
            amount=back.amount + share.amount,
            points_paid=back.points_paid + share.points_paid,
            points_spent=0,
            points=back.points + share.points,
            growth=back.growth + share.growth,
            spend=back.spend + share.spend,
            taxes={
                **back.taxes,
                line.tax_class: back.taxes.get(line.tax_class, 0)
                + sum(tax.tax for tax in share.taxes),
            },
            levy=back.levy + share.levy,
            rewards=back.rewards
            + cumulative_share(rewards, sold.returned[name], wanted[name], line.quantity),
        )
    return back


def _by_what_is_kept(sold: Sold) -> Back:
    """What was paid less what the kept goods would have cost then, as far as not given back yet."""
    kept = price_kept(
        sold.basket, sold.programme, sold.returned, paid_with_points=sold.paid_with_points
    )
    earning = sold.earning
    due_back = max(0, sold.total_minor - kept.total_minor) - _with_goods(sold)
    amount = max(0, due_back)
    until = _with_goods(sold) + amount
    points_back = _part(sold.paid_with_points, until, sold.total_minor)
    taxes = more(sold.taxes, sold.taxes_given)
    for line in kept.lines.values():
        taxes[line.tax_class] -= sum(tax.amount_minor for tax in line.taxes)
    return Back(
        amount=amount,
        points_paid=points_back - sold.points_given_minor,
        points_spent=0,
        points=max(0, earning.points_total - kept.points - sold.points_taken),
        growth=max(0, earning.growth_total - kept.growth - sold.growth_taken),
        spend=max(0, earning.spend_minor - kept.spend - sold.spend_taken),
        taxes=taxes if sum(taxes.values()) >= 0 else {},
        levy=0,
    )


def _with_goods(sold: Sold) -> int:
    return sold.refunded_minor - sold.refunded_without_goods_minor


def _part(whole: int, amount: int, of: int) -> int:
    return divide_rounded(whole * amount, of) if of else 0


def _give(
    shop: Shop, sold: Sold, back: Back, money: int, charge: Charge | None = None
) -> RefundState:
    """Move money, points and tier, and tell what was given, and charged for gifts that stay."""
    charge = charge or Charge()
    sold.refunded_minor += back.amount
    sold.taxes_given.update(back.taxes)
    sold.points_taken += back.points
    sold.growth_taken += back.growth
    sold.spend_taken += back.spend
    tenders = _pay_out(shop, sold, money)
    lots = _points_back(sold, back)
    if back.points_spent or back.points_paid:
        tenders.append(
            TenderState(
                tender=sold.points_tender,
                amount_minor=back.points_paid,
                change_minor=0,
                points=sum(lot.points for lot in lots),
            )
        )
    cards = _cards_back(shop, sold)
    points = back.points + cards.points + _referral_back(shop, sold)
    taken = _move_member(shop, sold, replace(back, points=points), lots)
    given_back = _give_coupons_back(shop, sold)
    voided = (*_void_coupons(shop, sold), *cards.coupons)
    _give_uses_back(shop, sold)
    taxes = more(Counter(back.taxes), Counter(charge.taxes))
    shop.day.give_back(back.amount - charge.amount, taxes)
    if back.points_paid:
        shop.day.tenders[sold.points_tender] -= back.points_paid
    shop.day.points_taken_back += taken
    return RefundState(
        sale=sold.sale,
        amount_minor=back.amount,
        tax_minor=back.tax,
        tenders=tuple(tenders),
        points_taken_back=taken,
        points_given_back=sum(lot.points for lot in lots),
        coupons_given_back=given_back,
        coupons_voided=voided,
        gifts_charged_minor=charge.amount,
        points_forgiven=sold.points_forgiven,
    )


def _pay_out(shop: Shop, sold: Sold, money: int) -> list[TenderState]:
    kinds = {kind.value: kind for kind in TenderKind}
    paid = [
        Paid(
            tender=kinds.get(one.tender.replace("-", "_"), TenderKind.VOUCHER),
            amount=one.amount,
            refunded=one.refunded,
            reference=str(number),
        )
        for number, one in enumerate(sold.took)
    ]
    tenders: list[TenderState] = []
    for refund in split_refund(money, paid):
        amount = refund.amount
        took = sold.took[int(refund.reference)] if refund.reference else None
        if took is not None:
            took.refunded += amount
            shop.give_to(took, amount, sold.member)
        tender = took.tender if took else "cash"
        if tender == "cash":
            amount = _cash_back(sold, amount)
            shop.drawer -= amount
        shop.day.tenders[tender] -= amount
        if amount:
            told_so = TenderState(tender=tender, amount_minor=amount, change_minor=0, points=0)
            tenders.append(told_so)
    return tenders


def _cash_back(sold: Sold, amount: int) -> int:
    """What is paid out for a refund in cash, after rounding."""
    cash = sold.cash
    paid = cash_refund(amount, cash, sold.programme).due_minor
    due_back, paid_back = cash.due_back + amount, cash.paid_back + paid
    sold.cash = replace(cash, due_back=due_back, paid_back=paid_back)
    return paid


def _note_taken_over(sold: Sold, money: int) -> None:
    """Money that pays for the new goods counts as given back to the tenders it came from."""
    for took in sold.took:
        part = min(money, took.amount - took.refunded)
        took.refunded += part
        money -= part
        if took.tender == "cash" and part:
            due = max(0, sold.cash.due - part)
            # What is left to be paid out is what the drawer can pay.
            paid = cash_rounding(due, sold.programme).due_minor
            sold.cash = replace(sold.cash, due=due, paid=paid)


def _points_back(sold: Sold, back: Back) -> tuple[LotDraw, ...]:
    lots = points_to_lots(back.points_spent, sold.draws, before=sold.points_given)
    sold.points_given += back.points_spent
    sold.rewards_given += back.rewards
    sold.gift_points_given += back.gift_points
    sold.points_given_minor += back.points_paid
    return lots


def _move_member(shop: Shop, sold: Sold, back: Back, lots: Sequence[LotDraw]) -> int:
    """Points, growth and spend of the member; how many points were taken back."""
    account = shop.accounts.get(sold.member or "")
    if account is None:
        return 0
    today = shop.at.date()
    account.give_back(lots, sold.programme, today)
    claw = _claw(shop, account, sold, back.points, forgiven_before=sold.points_forgiven)
    sold.points_forgiven = claw.forgiven
    account.spending = [
        replace(one, spend_minor=one.spend_minor - back.spend, growth=one.growth - back.growth)
        if one.sale == sold.sale
        else one
        for one in account.spending
    ]
    return claw.points


def _cards_back(shop: Shop, sold: Sold) -> CardsBack:
    """Visit cards count what is kept; coupons of cards that are not full any more are void."""
    kept = {line.line: units_worth(line, sold.left_of(line)) for line in sold.lines}
    if sold.refunded_minor >= sold.total_minor:
        kept = {}
    rules = {coupon.id: coupon for coupon in sold.programme.coupons}
    voidable = {
        coupon
        for card in sold.cards
        for coupon in card.coupons
        if _is_whole(code := shop.coupons[coupon], rules[code.coupon])
        and rules[code.coupon].is_voided
    }
    back = take_back(sold.cards, kept, sold.cards_back, voidable)
    sold.cards_back += back.cards
    for coupon in back.coupons:
        shop.coupons[coupon].uses_left = 0
    account = shop.accounts.get(sold.member or "")
    if account is not None:
        day = sold.at.date()
        for card in back.cards:
            account.stamp(card.card, -card.taken, day, filled=-card.reopened, size=card.size)
    return back


def _is_whole(code: Code, rule: Coupon) -> bool:
    """Whether nothing was used of a code: what was cannot be taken away."""
    return code.uses_left == rule.uses


def _referral_back(shop: Shop, sold: Sold) -> int:
    """Points of the friend that go where too little is kept; the referrer's are taken back."""
    paid = sold.referral
    if paid is None or counts(sold.total_minor - sold.refunded_minor, paid.minimum):
        return 0
    sold.referral = None
    friend, referrer = shop.accounts.get(sold.member or ""), shop.accounts.get(paid.referrer_id)
    if friend is not None:
        friend.is_referral_paid = False
    if referrer is not None:
        referrer.friends -= 1
        shop.day.points_taken_back += _claw(shop, referrer, sold, paid.for_referrer).points
    return paid.for_friend


def _claw(
    shop: Shop, account: Account, sold: Sold, points: int, *, forgiven_before: int = 0
) -> ClawBack:
    """Take back what a sale gave."""
    today = shop.at.date()
    claw = claw_back(
        account.lots,
        points,
        of_sale=LotId(sold.sale),
        today=today,
        floor=sold.programme.returns.points_floor,
        forgiven_before=forgiven_before,
    )
    account.take(claw.draws, today)
    return claw


def _give_uses_back(shop: Shop, sold: Sold) -> None:
    """An offer of which nothing is left may be used again, by the member and by others."""
    gone = Counter({one: sold.uses[one] for one in sold.uses.keys() - sold.offers_kept})
    sold.uses -= gone
    shop.uses -= gone
    account = shop.accounts.get(sold.member or "")
    if account is not None:
        account.uses -= gone
        day = sold.at.date()
        account.uses_on -= Counter({(day, offer): times for offer, times in gone.items()})


def _give_coupons_back(shop: Shop, sold: Sold) -> tuple[str, ...]:
    """When all is back, used codes go back, as their coupons say."""
    if not sold.is_all_back:
        return ()
    rules = {coupon.id: coupon for coupon in sold.programme.coupons}
    given = []
    for code in sold.used:
        held = shop.coupons.get(code)
        if held is not None and rules[held.coupon].goes_back:
            held.uses_left += 1
            given.append(code)
    return tuple(given)


def _void_coupons(shop: Shop, sold: Sold) -> tuple[str, ...]:
    """Codes that what is kept would not have issued are void, as their coupons say."""
    rules = {coupon.id: coupon for coupon in sold.programme.coupons}
    issued = [
        (code, rules[shop.coupons[code].coupon].offer)
        for code in sold.issued
        if code not in sold.voided and rules[shop.coupons[code].coupon].is_voided
    ]
    if not issued:
        return ()
    kept: Counter[str] = Counter()
    if not sold.is_all_back and sold.refunded_minor < sold.total_minor:
        kept = coupons_kept(
            sold.basket,
            sold.programme,
            sold.returned,
            refunded_minor=sold.refunded_without_goods_minor,
        )
    used = {code for code, _ in issued if not shop.coupons[code].uses_left}
    gone = first_to_go(issued, kept, used)
    for code in gone:
        shop.coupons[code].uses_left = 0
    sold.voided = (*sold.voided, *gone)
    return tuple(code for code in gone if code not in used)

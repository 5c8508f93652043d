"""Returns, exchanges and refunds without goods: the account follows the fact of the return."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date

from shared.errors import DomainError
from shared.ids import CouponId, EntryId
from shared.loyalty.lots import Lot
from shared.loyalty.returns import check_return_day
from shared.loyalty.tiers import Spending, TierFloor
from shared.returning.goods_back import GoodsBack, TakingBack
from shared.returning.history import money_back, units_back
from shared.returning.kept import gifts_unearned
from shared.returning.members import forgiven
from shared.returning.offers_kept import offers_kept
from shared.returning.refunds import set_off_by
from shared.returning.sold import ReturnableSale
from shared.trade.fact import Tender, TenderKind
from shared.workbench import later_steps as told
from shared.workbench.account import Account
from shared.workbench.coming import coming_back
from shared.workbench.facts import return_ticket
from shared.workbench.result import RefundState, TenderState
from shared.workbench.shop import Shop
from shared.workbench.sold import Coming, Sold
from shared.workbench.tenders import name_of


def return_goods(shop: Shop, step: told.Return) -> None:
    """Goods come back; the money goes where it came from."""
    sold = _sold(shop, step.sale)
    if any(one.sold is sold for one in shop.exchanges):
        raise DomainError("exchange-first", sale=sold.name)
    coming = coming_back(sold, step)
    _touch(shop, sold)
    _book(shop, sold, _of_goods(shop, coming))


def exchange(shop: Shop, step: told.Exchange) -> None:
    """Goods come back onto the running ticket; what they are worth pays for it."""
    sold = _sold(shop, step.sale)
    if shop.exchanges and shop.exchanges[0].sold is not sold:
        raise DomainError("one-exchange-per-ticket", sale=step.sale)
    shop.untendered()
    coming = coming_back(sold, step, shop.exchanges[0].lines if shop.exchanges else None)
    shop.credit = _of_goods(shop, coming).money
    shop.exchanges = [coming]


def settle_exchanges(shop: Shop, due: int) -> None:
    """Book the goods that came back with a ticket; what is over after ``due`` is paid out."""
    for coming in shop.exchanges:
        sold = coming.sold
        _touch(shop, sold)
        set_off = min(_of_goods(shop, coming).money, due)
        _book(shop, sold, _of_goods(shop, coming, set_off=set_off))
        sold.set_off = set_off_by(_returnable(shop, sold), set_off)


def refund_amount(shop: Shop, step: told.RefundAmount) -> None:
    """Money without goods: points are taken back on the amount, in all rounded down.

    What points had paid goes back as points in the same proportion.
    """
    sold = _sold(shop, step.sale)
    _touch(shop, sold)
    _book(shop, sold, _taking(shop, sold).of_amount(step.amount_minor))


def _sold(shop: Shop, sale: str) -> Sold:
    """A sale by its name; the last one where none is given."""
    sale = sale or next(reversed(shop.sold), "")
    sold = shop.sold.get(sale)
    if sold is None:
        raise DomainError("no-such-sale", sale=sale)
    check_return_day(sold.programme.returns, sold=sold.at.date(), today=shop.at.date())
    return sold


def _touch(shop: Shop, sold: Sold) -> None:
    """Who brings something back does something: what lapsed before stays lapsed."""
    account = shop.accounts.get(sold.member or "")
    if account is not None:
        account.touch(shop.programme, shop.at.date())


@dataclass(frozen=True, slots=True)
class _Holder:
    """A member as a return sees them."""

    member_id: str
    lots: tuple[Lot, ...]
    spending: tuple[Spending, ...]
    floors: tuple[TierFloor, ...]
    balance_as_of: str

    @property
    def person(self) -> str:
        """Who was merged has the other's id already."""
        return self.member_id


def _holder(shop: Shop, member: str | None) -> _Holder | None:
    account = shop.accounts.get(member or "")
    if account is None:
        return None
    return _Holder(
        account.person.id,
        tuple(account.lots),
        tuple(account.spending),
        account.floors,
        shop.at.isoformat(),
    )


def _of_goods(shop: Shop, coming: Coming, *, set_off: int = 0) -> GoodsBack:
    _check_prices(shop, coming)
    return _taking(shop, coming.sold, set_off=set_off).of_goods(coming.wanted)


def _taking(shop: Shop, sold: Sold, *, set_off: int = 0) -> TakingBack:
    referral = sold.fact.referral
    return TakingBack(
        _returnable(shop, sold),
        shop.programme,
        _holder(shop, sold.member),
        today=shop.at.date(),
        sold_by=sold.sold_by,
        referrer=_holder(shop, referral.referrer_id) if referral else None,
        set_off=set_off,
    )


def _returnable(shop: Shop, sold: Sold) -> ReturnableSale:
    uses = {coupon.id: coupon.uses for coupon in sold.programme.coupons}
    codes = [shop.coupons[one.coupon_id] for one in sold.fact.coupons_issued]
    return ReturnableSale(
        EntryId(sold.name),
        sold.at,
        sold.fact,
        tuple(sold.returns),
        frozenset(CouponId(one.code) for one in codes if one.uses_left < uses[one.coupon]),
        frozenset(CouponId(one.code) for one in codes if not one.uses_left),
        sold.set_off,
    )


def _check_prices(shop: Shop, coming: Coming) -> None:
    """DomainError ``unknown-goods`` for a gift that would be charged and that nobody has priced."""
    sold = coming.sold
    units = units_back(sold.returns) + coming.lines
    held: Counter[str] = Counter()
    for line in sold.fact.lines:
        if line.given_by and line.goods_id not in shop.goods:
            held[line.goods_id] += line.quantity - units[line.line]
    if +held:
        returned = {line.id: units[n] for n, line in enumerate(sold.basket.lines, start=1)}
        for goods in gifts_unearned(sold.basket, sold.programme, returned, held):
            shop.article(goods)


def _book(shop: Shop, sold: Sold, back: GoodsBack) -> None:
    """Move money, points, coupons and cards, and tell what was given."""
    kept = offers_kept(sold.fact, sold.returns)
    used_up = _returnable(shop, sold).coupons_used_up
    sold.returns.append(back.fact(return_ticket(shop, _returnable(shop, sold))))
    tenders = tuple(_pay_out(shop, sold, one) for one in back.refunds)
    _move_member(shop, sold, back)
    _move_referral(shop, sold, back)
    for code in back.coupons_voided:
        shop.coupons[code].uses_left = 0
    given_back = tuple(code for code in back.coupons_given_back if code in shop.coupons)
    for code in given_back:
        shop.coupons[code].uses_left += 1
    _give_uses_back(shop, sold, kept - offers_kept(sold.fact, sold.returns))
    taken = sum(draw.points for draw in back.points_taken)
    taxes: Counter[str] = Counter()
    for line in back.lines:
        taxes[line.tax_class] += sum(tax.tax for tax in line.taxes)
    shop.day.give_back(back.total, taxes, back.refunds)
    shop.day.points_taken_back += taken
    amount = money_back((), back.lines)
    shop.refund = RefundState(
        sale=sold.name,
        amount_minor=amount,
        tax_minor=sum(tax.tax for line in back.lines if not line.given_by for tax in line.taxes),
        tenders=tenders,
        points_taken_back=taken,
        points_given_back=sum(draw.points for one in back.refunds for draw in one.lots),
        coupons_given_back=given_back,
        coupons_voided=tuple(one for one in back.coupons_voided if one not in used_up),
        gifts_charged_minor=amount - back.total,
        points_forgiven=forgiven(sold.returns),
    )


def _pay_out(shop: Shop, sold: Sold, refund: Tender) -> TenderState:
    """Give one tender back; points go to their lots with what else the member gets."""
    name = name_of(refund)
    if refund.tender is TenderKind.POINTS:
        # Somebody else may owe the shop for them.
        name = next(name_of(one) for one in sold.fact.tenders if one.tender is refund.tender)
    elif refund.tender is TenderKind.CASH:
        shop.drawer -= refund.amount
    else:
        shop.give_to(refund, sold.member)
    shop.day.tenders[name] -= refund.amount
    points = sum(draw.points for draw in refund.lots)
    return TenderState(tender=name, amount_minor=refund.amount, change_minor=0, points=points)


def _move_member(shop: Shop, sold: Sold, back: GoodsBack) -> None:
    """Points, growth, spend and stamps of the member."""
    account = shop.accounts.get(sold.member or "")
    if account is None or back.member is None:
        return
    given = [draw for one in back.refunds for draw in one.lots]
    account.give_back(given, back.points_taken, shop.programme, shop.at.date())
    _stamp_back(account, back, sold.at.date())
    change = back.member
    account.spending = [
        replace(one, spend_minor=one.spend_minor + change.spend, growth=one.growth + change.growth)
        if one.sale == sold.name
        else one
        for one in account.spending
    ]


def _stamp_back(account: Account, back: GoodsBack, day: date) -> None:
    for card in back.cards:
        account.stamp(card.card, -card.taken, day, filled=-card.reopened, size=card.size)


def _move_referral(shop: Shop, sold: Sold, back: GoodsBack) -> None:
    """What a friend's sale has paid goes where too little is kept; another one may pay it."""
    if back.referral is None:
        return
    friend = shop.accounts.get(sold.member or "")
    if friend is not None:
        friend.is_referral_paid = False
    referrer = shop.accounts.get(back.referral.referrer_id)
    if referrer is not None:
        referrer.friends -= 1
        referrer.take(back.referral.lots, shop.at.date())
        shop.day.points_taken_back += sum(draw.points for draw in back.referral.lots)


def _give_uses_back(shop: Shop, sold: Sold, gone: Counter[str]) -> None:
    """An offer of which nothing is left may be used again, by the member and by others."""
    shop.uses -= gone
    account = shop.accounts.get(sold.member or "")
    if account is not None:
        account.uses -= gone
        day = sold.at.date()
        account.uses_on -= Counter({(day, offer): times for offer, times in gone.items()})

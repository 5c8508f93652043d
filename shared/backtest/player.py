"""Plays events under one programme: prices each basket and moves each member's balances."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from typing import assert_never

import msgspec

from shared.backtest.account import Account
from shared.backtest.bringing_back import KeptSale, bring_back, pay_out, ticket_of
from shared.backtest.counting import cost_of, count_sale, uses_of
from shared.backtest.events import Bought, BroughtBack, Part
from shared.backtest.figures import MemberTally, Played
from shared.catalogue.goods import Goods
from shared.ids import LotId, StoreId
from shared.loyalty.lots import draw
from shared.loyalty.offers import Limits
from shared.loyalty.programme import Programme
from shared.pricing.basket import Basket, BasketLine, OfferUse
from shared.pricing.engine import price
from shared.pricing.quote import Quote
from shared.pricing.redemption import THIS_SALE, PointsPayment, offered, redeem
from shared.pricing.sale_fact import articles_given, own_lot_named, sale_fact
from shared.trade.fact import LotDraw, Tender, TenderKind

NO_LIMITS = Limits()


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What is assumed beside the events."""

    until: date
    """The last day: balances and tiers are those of its evening."""
    spenders_percent: int = 0
    """So many of a hundred members pay with points whenever they can."""
    given: Mapping[str, Goods] = msgspec.field(default_factory=dict)
    """Articles that offers may give on top, by SKU."""

    def spends(self, member: str) -> bool:
        """Whether a member pays with points.

        By the hash of the id, so the same members do under each programme and in each run.
        """
        digest = sha256(member.encode()).digest()
        return int.from_bytes(digest[:8], "big") % 100 < self.spenders_percent


def has_shared_limits(programme: Programme) -> bool:
    """Whether what one member may have depends on what others had."""
    return any(offer.limits.per_store or offer.limits.in_total for offer in programme.offers)


def play(part: Part, programme: Programme, terms: Terms) -> Played:
    """Play a part from its first event to the last day of the terms.

    Raises the DomainErrors of ``shared.pricing.engine.price``.
    """
    player = _Player(programme, terms, _sales_to_keep(part))
    for event in part.events:
        match event:
            case Bought():
                player.buy(event)
            case BroughtBack():
                player.take_back(event)
            case _:
                assert_never(event)
    return player.end()


def _sales_to_keep(part: Part) -> frozenset[str]:
    """Sales of which something will come back; the others are forgotten once they are counted."""
    returns = (event for event in part.events if isinstance(event, BroughtBack))
    return frozenset(back.sale for event in returns for back in event.matched)


@dataclass(slots=True)
class _Player:
    """One programme's shop while a part is played."""

    programme: Programme
    terms: Terms
    keep: frozenset[str]
    played: Played = field(default_factory=Played)
    accounts: dict[str, Account] = field(default_factory=dict)
    kept: dict[str, KeptSale] = field(default_factory=dict)
    in_store: Counter[tuple[StoreId, str]] = field(default_factory=Counter)
    in_total: Counter[str] = field(default_factory=Counter)
    limited: tuple[str, ...] = field(init=False)
    without_offers: Programme = field(init=False)
    classified: dict[int, Goods] = field(default_factory=dict)
    """Goods with the tax class of this programme, by the identity of those without."""

    def __post_init__(self) -> None:
        offers = self.programme.offers
        self.limited = tuple(offer.id for offer in offers if offer.limits != NO_LIMITS)
        self.without_offers = msgspec.structs.replace(self.programme, offers=(), coupons=())

    def buy(self, bought: Bought) -> None:
        """Price a basket and book it."""
        today = bought.basket.at.date()
        account = self._account(bought.member)
        if account is not None:
            self._expire(account, today)
        basket = self._basket(bought.basket, account)
        quote = price(basket, self.programme)
        payment = self._pay_with_points(account, basket, quote)
        count_sale(self.played, basket, quote, account, self.terms.given)
        self._use_offers(basket, quote, account)
        if account is not None:
            self._earn(bought.sale, account, quote, payment, today)
        if bought.sale in self.keep:
            self.kept[bought.sale] = self._kept(bought.sale, account, basket, quote, payment)

    def take_back(self, event: BroughtBack) -> None:
        """Take goods back."""
        today = event.at.date()
        self.played.figures.returns += 1
        for sale in dict.fromkeys(back.sale for back in event.matched):
            kept = self.kept[sale]
            if kept.account is not None:
                self._expire(kept.account, today)
            backs = [back for back in event.matched if back.sale == sale]
            gone = bring_back(self.played, kept, backs, self.programme, event.at)
            self._give_uses_back(kept, gone)
        if event.loose:
            lines = tuple(map(self._line, event.loose))
            basket = Basket(lines=lines, at=event.at, store=StoreId(""))
            pay_out(self.played, price(basket, self.without_offers), today)

    def _kept(
        self,
        sale: str,
        account: Account | None,
        basket: Basket,
        quote: Quote,
        payment: PointsPayment | None,
    ) -> KeptSale:
        known = {**self.terms.given, **{str(one.goods.sku): one.goods for one in basket.lines}}
        articles = articles_given(quote, known, self.programme)
        paid = () if payment is None else (points_tender(payment),)
        fact = sale_fact(
            ticket_of(sale, basket),
            (basket, quote, payment.earning if payment else quote.earning),
            self.programme,
            tenders=own_lot_named(paid, sale),
            payment=payment,
            articles=articles,
        )
        return KeptSale(
            sale=sale,
            account=account,
            fact=fact,
            programme=self.programme,
            basket=basket,
            costs=tuple(map(_known_cost, basket.lines)),
            gift_costs={sku: one.cost_minor or 0 for sku, one in articles.items()},
        )

    def _give_uses_back(self, kept: KeptSale, gone: Counter[str]) -> None:
        """Offers of which nothing is left of a sale may be used again."""
        for offer, times in gone.items():
            self.in_store[kept.basket.store, offer] -= times
            self.in_total[offer] -= times
            if kept.account is not None:
                kept.account.unuse(offer, times, kept.basket.at.date())

    def end(self) -> Played:
        """What was counted, with balances and tiers as on the last day."""
        figures, until = self.played.figures, self.terms.until
        for account in self.accounts.values():
            self._expire(account, until)
            account.tally.points_live = account.spendable(until)
            account.tally.tier = account.tier(self.programme, until)
            figures.points_live += account.tally.points_live
            figures.points_owed += account.owed
            self.played.members.append(account.tally)
        return self.played

    def _account(self, member: str) -> Account | None:
        if not member:
            return None
        if member not in self.accounts:
            self.accounts[member] = Account(MemberTally(member=member))
        return self.accounts[member]

    def _expire(self, account: Account, today: date) -> None:
        lapsed = account.expire(today)
        account.tally.points_kept -= lapsed
        self.played.figures.points_expired += lapsed

    def _basket(self, basket: Basket, account: Account | None) -> Basket:
        """The basket as this programme sees it."""
        today = basket.at.date()
        return replace(
            basket,
            lines=tuple(map(self._line, basket.lines)),
            member=account.context(self.programme, today) if account else None,
            uses=tuple(self._use(offer, basket, account) for offer in self.limited),
        )

    def _line(self, line: BasketLine) -> BasketLine:
        """A line whose goods have a tax class: the programme's first one where none is known."""
        if line.goods.tax_class:
            return line
        goods = self.classified.get(id(line.goods))
        if goods is None:
            goods = replace(line.goods, tax_class=self.programme.tax_classes[0].id)
            self.classified[id(line.goods)] = goods
        return replace(line, goods=goods)

    def _use(self, offer: str, basket: Basket, account: Account | None) -> OfferUse:
        return OfferUse(
            offer=offer,
            by_member=account.uses[offer] if account else 0,
            by_member_today=account.used_on(offer, basket.at.date()) if account else 0,
            in_store=self.in_store[basket.store, offer],
            in_total=self.in_total[offer],
        )

    def _pay_with_points(
        self, account: Account | None, basket: Basket, quote: Quote
    ) -> PointsPayment | None:
        """Take what rewards cost and, where the member pays with points, all that can pay."""
        if account is None:
            return None
        today, lots = basket.at.date(), account.lots
        account.draw(draw(lots.values(), quote.reward_points, today), today)
        if not self.terms.spends(account.tally.member):
            return None
        most = offered(basket, quote, self.programme, lots.values())
        if not most.value_minor:
            return None
        payment = redeem(basket, quote, most.points, self.programme, lots.values())
        account.draw([one for one in payment.draws if one.lot != THIS_SALE], today)
        return payment

    def _use_offers(self, basket: Basket, quote: Quote, account: Account | None) -> None:
        for offer, times in uses_of(quote).items():
            self.in_store[basket.store, offer] += times
            self.in_total[offer] += times
            if account is not None:
                is_first = account.use(offer, times, basket.at.date())
                self.played.offer(offer).members += is_first

    def _earn(
        self,
        sale: str,
        account: Account,
        quote: Quote,
        payment: PointsPayment | None,
        today: date,
    ) -> None:
        earning = payment.earning if payment else quote.earning
        issued = account.earn(sale, earning, self.programme, today)
        draws = payment.draws if payment else ()
        own = [LotDraw(lot=LotId(sale), points=d.points) for d in draws if d.lot == THIS_SALE]
        account.draw(own, today)
        figures = self.played.figures
        figures.points_issued += issued
        figures.points_spent += quote.reward_points + (payment.points if payment else 0)
        figures.points_paid_minor += payment.value_minor if payment else 0
        self.played.day(today).points_issued += issued
        account.tally.points_kept += issued


def points_tender(payment: PointsPayment) -> Tender:
    """Points that paid a part."""
    return Tender(
        tender=TenderKind.POINTS,
        amount=payment.value_minor,
        points=payment.points,
        lots=payment.draws,
    )


def _known_cost(line: BasketLine) -> int | None:
    return None if line.goods.cost_minor is None else cost_of(line)

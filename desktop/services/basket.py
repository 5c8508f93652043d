"""The basket on the screen: lines, member and claimed coupons, priced anew after each change."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, tzinfo

from desktop.services.earlier import Earlier
from desktop.store.members import Member
from shared.catalogue.batches import check_batch
from shared.catalogue.goods import Goods, SoldBy
from shared.clock import Clock
from shared.errors import DomainError
from shared.ids import CouponId, MemberId, StoreId, TillId
from shared.loyalty.lots import spendable
from shared.loyalty.member_now import lots_now, standing_now
from shared.loyalty.offers import mixed_gifts
from shared.loyalty.programme import Programme
from shared.money import AMOUNT_MINOR_MAX
from shared.pricing.basket import (
    WHOLE,
    Basket,
    BasketLine,
    CouponClaim,
    HandDiscount,
    MemberContext,
    PlannedTender,
    RewardClaim,
)
from shared.pricing.claims import claims_on
from shared.pricing.conditions import around_birthday
from shared.pricing.engine import price
from shared.pricing.quote import AddedUnits, Quote
from shared.pricing.redemption import Lowering, lowered
from shared.pricing.search import SearchMemory
from shared.pricing.tender_rules import Demanded, demands, demands_of
from shared.trade.fact import Approval, BundleRef
from shared.trade.profile import birthday_of


@dataclass(frozen=True, slots=True)
class Pricing:
    """What prices come from: one programme bundle, at one till of a store."""

    ref: BundleRef
    programme: Programme
    store_id: StoreId
    till_id: TillId


@dataclass(frozen=True, slots=True)
class BasketState:
    """Everything about a basket; a value, so that a change that fails leaves the old one."""

    lines: tuple[BasketLine, ...] = ()
    barcodes: tuple[tuple[str, str], ...] = ()
    """Line id and the code that was scanned for it."""
    member: Member | None = None
    claims: tuple[CouponClaim, ...] = ()
    approvals: tuple[Approval, ...] = ()
    hold_id: str | None = None
    gifts: tuple[tuple[str, str], ...] = ()
    """Offer and the article chosen of its gifts, where they may be mixed once for each unit; an
    empty one where the customer wants none, or no more."""
    rewards: tuple[RewardClaim, ...] = ()
    lowering: Lowering | None = None
    """Points that are to lower the price; how much they do follows the basket."""
    seen: tuple[str, ...] = ()
    """What the cashier has looked at: ``restriction/demand``."""
    paying: str = ""
    """The tender that is about to pay everything, for offers that ask for one."""
    discount: HandDiscount | None = None
    """Typed by hand on the whole, with its approval."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it and nobody attached."""
        return not self.lines and self.member is None and not self.claims

    def line(self, line_id: str) -> BasketLine:
        """One line; DomainError ``no-such-line``."""
        for line in self.lines:
            if line.id == line_id:
                return line
        raise DomainError("no-such-line")


def _id(member: Member | None) -> MemberId | None:
    return member.member_id if member else None


def member_context(member: Member, today: date, programme: Programme) -> MemberContext:
    """What prices depend on about a member, as far as a till knows it."""
    bought = [one.day for one in member.spending if one.spend_minor > 0]
    return MemberContext(
        tier=standing_now(member, programme, today).tier,
        birthday=around_birthday(birthday_of(member.birthday), today),
        segments=member.segments,
        sales=len(bought),
        visits=len(set(bought)),
        was_here_today=today in bought,
        points=spendable(lots_now(member, programme), today),
    )


def demand_key(demanded: Demanded) -> str:
    """How a fact names what was looked at."""
    return f"{demanded.restriction}/{demanded.demand.value}"


class OpenBasket:
    """The basket being rung up."""

    def __init__(self, pricing: Pricing, clock: Clock, zone: tzinfo, earlier: Earlier) -> None:
        self.pricing = pricing
        self._clock = clock
        self._zone = zone
        self._state = BasketState()
        self._priced: tuple[BasketState, Basket, Quote] | None = None
        self._next_line = 1
        self._memory = SearchMemory()
        self._earlier = earlier
        self._known: tuple[Member, date, Programme, MemberContext] | None = None
        self.guard: Callable[[Quote], None] = lambda _quote: None
        """Raises where a change must not be; the checkout minds what was paid already."""
        self.on_opened: Callable[[], None] = lambda: None
        """Hears when the first goods are in it."""
        self.on_attached: Callable[[Member], None] = lambda _member: None
        """Hears of each member that comes into the basket."""
        self.on_left: Callable[[Member | None], None] = lambda _member: None
        """Hears of each that leaves it for another or nobody; None: the basket is over."""

    @property
    def state(self) -> BasketState:
        """The basket as a value."""
        return self._state

    def priced(self) -> tuple[Basket, Quote]:
        """The basket as the engine saw it, and its answer; computed once per change."""
        if self._priced is None or self._priced[0] is not self._state:
            basket = self._basket(self._state)
            self._priced = (
                self._state,
                basket,
                price(basket, self.pricing.programme, self._memory),
            )
        return self._priced[1:]

    @property
    def quote(self) -> Quote:
        """What the basket costs, and why."""
        return self.priced()[1]

    def _basket(self, state: BasketState) -> Basket:
        at = self._clock.now().astimezone(self._zone)
        basket = Basket(
            lines=state.lines,
            at=at,
            store=self.pricing.store_id,
            till=self.pricing.till_id,
            member=self._context(state.member, at.date()) if state.member else None,
            claims=claims_on(state.claims, _id(state.member) or "", at.date()),
            rewards=state.rewards,
            gifts=tuple(one for one in state.gifts if one[1]),
            paying=(PlannedTender(tender=state.paying),) if state.paying else (),
            discount=state.discount,
            uses=self._earlier.uses(self.pricing.programme, _id(state.member), at.date()),
        )
        if state.lowering is None or state.member is None:
            return basket
        programme = self.pricing.programme
        return lowered(basket, programme, state.lowering, lots_now(state.member, programme))

    def _context(self, member: Member, today: date) -> MemberContext:
        """Looked through once for a member, not with each scan: years of sales may make a tier."""
        known = self._known
        if known is None or known[:2] != (member, today) or known[2] is not self.pricing.programme:
            programme = self.pricing.programme
            known = member, today, programme, member_context(member, today, programme)
            self._known = known
        return known[3]

    def _become(self, state: BasketState) -> None:
        """Take a change over only if it can be priced: what fails leaves the basket as it was."""
        basket = self._basket(state)
        quote = price(basket, self.pricing.programme, self._memory)
        self.guard(quote)
        programme = self.pricing.programme
        demands(basket, programme, self._earlier.bought(programme, _id(state.member)))
        self._priced = (state, basket, quote)
        is_opened = bool(state.lines) and not self._state.lines
        self._state = state
        if is_opened:
            self.on_opened()

    def add(
        self,
        goods: Goods,
        *,
        units: int = 0,
        grams: int = 0,
        label_minor: int | None = None,
        barcode: str = "",
        comes_in: bool = False,
        batch: str = "",
    ) -> str:
        """Add goods; units of what is already there join its line. Returns the line's id.

        What ``comes_in`` is handed in by the customer and counts against the total.

        Raises DomainError ``bad-quantity``, ``unknown-tax-class``, ``too-many-units`` of goods that
        are restricted, ``batch-recalled``, ``batch-lapsed``, and what the engine raises.
        """
        line = BasketLine(
            id=str(self._next_line),
            goods=goods,
            units=units,
            grams=grams,
            label_minor=label_minor,
            comes_in=comes_in,
            batch=batch,
        )
        self._check_batch(line)
        same = self._joinable(line)
        if same is not None and units > 0:
            # The newest line is the one that is looked at: it moves to the end.
            joined = replace(same, units=same.units + units)
            others = tuple(line for line in self._state.lines if line.id != same.id)
            self._become(replace(self._state, lines=(*others, joined)))
            return same.id
        self._become(
            replace(
                self._state,
                lines=(*self._state.lines, line),
                barcodes=(*self._state.barcodes, (line.id, barcode)),
            )
        )
        self._next_line += 1
        return line.id

    def _check_batch(self, line: BasketLine) -> None:
        if not line.comes_in:
            today = self._clock.now().astimezone(self._zone).date()
            check_batch(line.goods.sku, line.goods.batches, line.batch, today)

    def _joinable(self, added: BasketLine) -> BasketLine | None:
        if added.goods.sold_by is not SoldBy.UNIT or added.label_minor is not None:
            return None
        return next(
            (
                line
                for line in self._state.lines
                if (line.goods, line.comes_in, line.batch)
                == (added.goods, added.comes_in, added.batch)
                and not line.is_manual
                and line.label_minor is None
            ),
            None,
        )

    def set_quantity(self, line_id: str, quantity: int) -> None:
        """Change the units (or grams) of a line."""
        line = self._state.line(line_id)
        by_weight = line.goods.sold_by is SoldBy.WEIGHT
        changed = replace(line, grams=quantity) if by_weight else replace(line, units=quantity)
        self._replace(changed)

    def void(self, line_id: str) -> BasketLine:
        """Take a line off."""
        gone = self._state.line(line_id)
        lines = tuple(line for line in self._state.lines if line.id != line_id)
        if not lines:
            # What was allowed was allowed for these goods.
            self.discount_all(None)
        self._become(replace(self._state, lines=lines))
        return gone

    def override_price(self, line_id: str, price_minor: int, approval: Approval) -> None:
        """A price typed by hand, with the approval that allows it."""
        line = self._state.line(line_id)
        changed = replace(line, price_minor=price_minor, price_approval=approval.approval_id)
        self._replace(changed, approval)

    def discount(self, line_id: str, hand: HandDiscount, approval: Approval) -> None:
        """A discount typed by hand, with the approval that allows it."""
        line = self._state.line(line_id)
        self._replace(
            replace(line, discount=replace(hand, approval=approval.approval_id)), approval
        )

    def approve(self, approval: Approval) -> None:
        """A manager allows something that the sale then does; it stands in its fact."""
        self._state = replace(self._state, approvals=(*self._state.approvals, approval))
        self._priced = None

    def discount_all(self, hand: HandDiscount | None, approval: Approval | None = None) -> None:
        """A discount on the whole basket, with the approval that allows it; None takes it off.

        Raises DomainError ``basket-empty``, and ``bad-discount`` beyond 100% or the largest amount.
        """
        if hand is not None and not self._state.lines:
            raise DomainError("basket-empty")
        if hand is not None and not (
            0 <= hand.basis_points <= WHOLE and 0 <= hand.amount_minor <= AMOUNT_MINOR_MAX
        ):
            raise DomainError("bad-discount")
        before = self._state.discount
        kept = tuple(
            one
            for one in self._state.approvals
            if before is None or one.approval_id != before.approval
        )
        if hand is not None and approval is not None:
            kept, hand = (*kept, approval), replace(hand, approval=approval.approval_id)
        self._become(replace(self._state, discount=hand, approvals=kept))

    def _replace(self, changed: BasketLine, approval: Approval | None = None) -> None:
        lines = tuple(changed if line.id == changed.id else line for line in self._state.lines)
        approvals = self._state.approvals + ((approval,) if approval else ())
        self._become(replace(self._state, lines=lines, approvals=approvals))

    def attach(self, member: Member | None) -> None:
        """Price for a member from now on (None: for nobody), before, between or after the goods."""
        known = self._state.member
        is_same = known is not None and member is not None and known.member_id == member.member_id
        lowering = self._state.lowering if is_same else None
        # A till stands overnight: whoever comes is looked up anew.
        self._earlier.forget()
        self._become(replace(self._state, member=member, lowering=lowering))
        if known is not None and not is_same:
            self.on_left(known)
        if member is not None:
            self.on_attached(member)

    def claim(self, claim: CouponClaim) -> None:
        """Claim a coupon; DomainError ``coupon-claimed-already``."""
        if any(known.instance == claim.instance for known in self._state.claims):
            raise DomainError("coupon-claimed-already")
        self._become(replace(self._state, claims=(*self._state.claims, claim)))

    def unclaim(self, instance: CouponId) -> None:
        """Give a claimed coupon back."""
        claims = tuple(claim for claim in self._state.claims if claim.instance != instance)
        self._become(replace(self._state, claims=claims))

    def reward(self, offer: str, times: int) -> None:
        """Want a reward, or an offer that is claimed by hand, so many times; 0 gives it back."""
        others = tuple(one for one in self._state.rewards if one.offer != offer)
        wanted = (RewardClaim(offer, times),) if times else ()
        self._become(replace(self._state, rewards=(*others, *wanted)))

    def choose_gift(self, offer: str, goods: str) -> None:
        """One of an offer's gifts; an empty SKU where the customer wants none.

        Where units may be mixed it is one more unit, or no more of them; once all are chosen, or
        none is wanted twice, the choice begins anew.
        """
        others = tuple(one for one in self._state.gifts if one[0] != offer)
        kept: tuple[tuple[str, str], ...] = ()
        if offer in mixed_gifts(self.pricing.programme.offers) and any(
            one.offer == offer for one in self._undecided(goods)
        ):
            kept = tuple(one for one in self._state.gifts if one[0] == offer and one[1])
        self._become(replace(self._state, gifts=(*others, *kept, (offer, goods))))

    def _undecided(self, goods: str) -> list[AddedUnits]:
        """Gifts of which units are left to be chosen; declined ones for an article only."""
        return [one for one in self.quote.added if not one.goods] if goods else self.open_choices()

    def lower(self, lowering: Lowering | None) -> None:
        """Points lower the price, or no more."""
        self._become(replace(self._state, lowering=lowering))

    def plan(self, tender: str) -> None:
        """Price for all being paid with a tender; for no tender in particular where empty."""
        if tender != self._state.paying:
            self._become(replace(self._state, paying=tender))

    def total_if_paid_with(self, tender: str) -> int:
        """What the basket would cost."""
        return self._total_of(replace(self._state, paying=tender))

    def saved_by(self, hand: HandDiscount) -> int:
        """What a discount on the whole basket takes off it, or would."""
        without = self._total_of(replace(self._state, discount=None))
        return without - self._total_of(replace(self._state, discount=hand))

    def _total_of(self, state: BasketState) -> int:
        return price(self._basket(state), self.pricing.programme, self._memory).total_minor

    def note_seen(self, demands: Iterable[str]) -> None:
        """The cashier has looked at these."""
        self._state = replace(self._state, seen=tuple(sorted({*self._state.seen, *demands})))
        self._priced = None

    def open_choices(self) -> list[AddedUnits]:
        """Gifts of which the customer has yet to choose one, or none."""
        declined = {offer for offer, goods in self._state.gifts if not goods}
        return [one for one in self.quote.added if not one.goods and one.offer not in declined]

    def unseen(self, given: Collection[Goods]) -> list[Demanded]:
        """What the cashier has yet to look at before these goods, and those given, are sold."""
        basket, _ = self.priced()
        return [
            one
            for one in demands_of(basket, self.pricing.programme, given)
            if demand_key(one) not in self._state.seen
        ]

    def load(self, state: BasketState) -> None:
        """Go on with a basket that was held."""
        self._become(state)
        self._next_line = 1 + max((int(line.id) for line in state.lines), default=0)

    def clear(self, pricing: Pricing | None = None) -> None:
        """Start the next sale, with the programme in force by now."""
        self.pricing = pricing or self.pricing
        self._earlier.forget()
        self._state = BasketState()
        self._priced = None
        self._next_line = 1
        self.on_left(None)

    def look_again(self) -> None:
        """Goods came back: uses and units are counted anew, from the next change on."""
        self._earlier.forget()

    def barcode_of(self, line_id: str) -> str:
        """What was scanned for a line."""
        return dict(self._state.barcodes).get(line_id, "")

"""The member's points: as a payment, as a lower price, as the cost of rewards."""

from desktop.services.basket import OpenBasket
from desktop.services.books import Books
from desktop.services.leases import LeasedAccount, Leases, LeaseUnit
from desktop.store.members import Member
from shared.errors import DomainError
from shared.ledger.account import AccountKind
from shared.loyalty.lots import Lot, at_most, draw, less, spendable
from shared.loyalty.member_now import lots_now
from shared.loyalty.programme import Treatment
from shared.pricing.quote import Quote
from shared.pricing.redemption import Lowering, PointsPayment, PointsValue, offered, redeem, reduce
from shared.trade.fact import LotDraw, Tender, TenderKind


class Redeeming:
    """What the points of a basket's member are spent on."""

    def __init__(self, books: Books, basket: OpenBasket, leases: Leases) -> None:
        self._books = books
        self._leases = leases
        self._basket = basket
        self.payment: PointsPayment | None = None
        """What points pay, spread over the basket; None where they do not."""
        self._for: Quote | None = None

    @property
    def is_stale(self) -> bool:
        """Whether the basket changed after the payment was spread over it."""
        return self.payment is not None and self._for is not self._basket.quote

    def offered(self) -> PointsValue:
        """The most that the member's points can pay of what is due."""
        member = self._basket.state.member
        is_taken = self.payment is not None or self._basket.state.lowering is not None
        if member is None or is_taken:
            return PointsValue(points=0, value_minor=0)
        basket, quote = self._basket.priced()
        lots = self._free_lots(member, quote)
        return offered(basket, quote, self._basket.pricing.programme, lots)

    def _free_lots(self, member: Member, quote: Quote) -> list[Lot]:
        """The member's lots without what the rewards of the basket cost."""
        today = self._books.today()
        held = lots_now(member, self._basket.pricing.programme)
        # What was good, or enough, when the basket was priced may have lapsed since.
        lots = [lot for lot in held if lot.points < 0 or lot.is_alive(today)]
        points = min(quote.reward_points, spendable(lots, today))
        free = less(lots, draw(lots, points, today))
        if not self._needs_lease:
            return free
        right = self._leases.right(_account(member), reserved=points).amount
        return at_most(free, right, today)

    @property
    def _needs_lease(self) -> bool:
        return self._basket.pricing.programme.leases.for_points

    @property
    def _unit(self) -> LeaseUnit:
        return LeaseUnit(decimals=self._basket.pricing.programme.points.decimals)

    def ask(self, member: Member) -> None:
        """A member came into the basket: the server is asked for the right to spend."""
        if self._needs_lease and member.points > 0:
            self._leases.want(_account(member))

    def check_rewards(self) -> None:
        """DomainError ``beyond-lease`` and the like where rewards cost more than may be spent."""
        points, member = self._basket.quote.reward_points, self._basket.state.member
        if points and member is not None and self._needs_lease:
            self._leases.check(_account(member), points, self._unit)

    def _check(self, member: Member, points: int) -> None:
        """What a lease forbids is told before what the programme forbids."""
        quote = self._basket.quote
        held = lots_now(member, self._basket.pricing.programme)
        if self._needs_lease and points <= spendable(held, self._books.today()):
            self._leases.check(_account(member), points, self._unit, reserved=quote.reward_points)

    def can_lower(self) -> bool:
        """Whether the programme's best rule for the member's points lowers the price."""
        best = self._best_rule()
        rules = self._basket.pricing.programme.redemptions
        return any(one.id == best and one.treatment is Treatment.PRICE_REDUCTION for one in rules)

    def _best_rule(self) -> str:
        return self.offered().rule if self._basket.state.member else ""

    def lower(self, points: int) -> None:
        """Lower the price by that rule; raises what ``redeem`` raises."""
        member, best = self._basket.state.member, self._best_rule()
        assert member is not None
        self._check(member, points)
        basket, quote = self._basket.priced()
        lots = self._free_lots(member, quote)
        reduce(basket, quote, points, self._basket.pricing.programme, lots, best)
        self._basket.lower(Lowering(points, best))

    def redeem(self, points: int) -> PointsPayment:
        """What points would pay of the basket as it is.

        Raises DomainError ``points-need-member``, ``points-tendered-already`` and what the
        programme's rules for points raise.
        """
        member = self._basket.state.member
        if member is None:
            raise DomainError("points-need-member")
        if self.payment is not None:
            raise DomainError("points-tendered-already")
        self._basket.plan("")
        self._check(member, points)
        return self._redeem(member, points)

    def _redeem(self, member: Member, points: int) -> PointsPayment:
        basket, quote = self._basket.priced()
        lots = self._free_lots(member, quote)
        return redeem(basket, quote, points, self._basket.pricing.programme, lots)

    def take(self, payment: PointsPayment) -> Tender:
        """They pay."""
        self.payment, self._for = payment, self._basket.quote
        return Tender(
            tender=TenderKind.POINTS,
            amount=payment.value_minor,
            points=payment.points,
            lots=payment.draws,
        )

    def give_back(self) -> None:
        """They pay no more."""
        self.payment = None

    def renew(self, paid_otherwise: int) -> Tender | None:
        """Spread the payment anew over a basket that changed after it was taken.

        No more points than were asked for; none where the basket takes none any more.
        """
        assert self.payment is not None
        asked, member, quote = self.payment.points, self._basket.state.member, self._basket.quote
        self.payment = None
        if member is None or not quote.lines:
            return None
        try:
            payment = self._redeem(member, asked)
        except DomainError:
            return None
        if payment.value_minor > quote.total_minor - paid_otherwise:
            # What else was paid leaves too little for them now.
            return None
        return self.take(payment)

    def reward_draws(self, member: Member | None, paid: tuple[LotDraw, ...]) -> tuple[LotDraw, ...]:
        """The lots that the basket's rewards take at this very moment, beside those that ``paid``.

        Raises DomainError ``balance-changed`` where they hold too little by now.
        """
        points = self._basket.quote.reward_points
        lots = lots_now(member, self._basket.pricing.programme) if member else []
        try:
            return draw(less(lots, paid), points, self._books.today())
        except DomainError as error:
            raise DomainError("balance-changed") from error


def _account(member: Member) -> LeasedAccount:
    return LeasedAccount(AccountKind.POINTS, member.member_id, member.member_id)

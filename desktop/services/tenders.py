"""How a basket is paid: any number of tenders until nothing is due."""

from collections.abc import Callable
from dataclasses import dataclass

from desktop.services.articles import Articles
from desktop.services.basket import OpenBasket, Pricing
from desktop.services.books import Books
from desktop.services.earlier import Earlier
from desktop.services.exchanging import Exchange
from desktop.services.gift_cards import card_account, card_code, payable_taxed, told_card
from desktop.services.leases import Leases, LeaseUnit
from desktop.services.readiness import Readiness
from desktop.services.redeeming import Redeeming
from desktop.services.stored_value import value_account
from desktop.store.members import Member
from shared.errors import DomainError
from shared.loyalty.accounts import StoredValue
from shared.loyalty.gift_card_code import card_instance
from shared.loyalty.wallet import spend
from shared.money import AMOUNT_MINOR_MAX
from shared.pricing.card_tax import covers_cards
from shared.pricing.cash import Handed, handed_over
from shared.pricing.quote import Quote
from shared.pricing.redemption import PointsValue
from shared.pricing.rulebook import rulebook
from shared.pricing.tender_rules import payable, rule_of, tender_name
from shared.trade.fact import Tender, TenderKind

CASH_OUT = "cash-out"
"""The action that a manager approves: so much cash for more that comes in than is bought."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is still to be paid, and what that is in cash after rounding."""

    amount: int
    in_cash: int


class Tenders:
    """A basket and what was paid for it so far."""

    def __init__(
        self,
        books: Books,
        pricing: Pricing,
        leases: Leases,
        is_offline: Callable[[], bool] = lambda: False,
    ) -> None:
        self.basket = OpenBasket(pricing, books.clock, books.identity.zone, Earlier(books))
        self.basket.guard = self._check_change
        self.articles = Articles(books, self.basket)
        self._readiness = Readiness(self.basket, self.articles, is_offline)
        self._books = books
        self._leases = leases
        self._is_offline = is_offline
        self._redeeming = Redeeming(books, self.basket, leases)
        self.basket.on_attached = self._ask_for
        self.basket.on_left = self._forget
        self._tenders: tuple[Tender, ...] = ()
        self._exchange: Exchange | None = None

    def _ask_for(self, member: Member) -> None:
        """A member came into the basket: the server is asked for the right to spend."""
        self._redeeming.ask(member)
        if member.wallet.total > 0:
            self._leases.want(value_account(member.member_id))

    def _forget(self, member: Member | None) -> None:
        """Nobody needs the leases of a member who left, or of a basket that is over."""
        self._leases.forget(member.member_id if member else None)

    @property
    def tenders(self) -> tuple[Tender, ...]:
        """What was paid so far."""
        return self._tenders

    @property
    def is_tendering(self) -> bool:
        """Whether money was taken for the basket on the screen."""
        return bool(self._tenders)

    def due(self) -> Due:
        """What is still to be paid."""
        self._renew_points()
        total = self.basket.quote.total_minor
        in_cash = self._handed.due_in_cash(total, self.basket.pricing.programme)
        return Due(self._handed.due(total), in_cash if self.is_paid_out else max(0, in_cash))

    @property
    def _handed(self) -> Handed:
        # Goods that come back and pay nothing here (all of it goes back to a card) move no cash.
        return handed_over(one for one in self._tenders if one.given or not one.is_set_off)

    @property
    def is_paid_out(self) -> bool:
        """Whether the customer gets money: more came in than they buy, and nothing was paid."""
        return self.basket.quote.total_minor < 0 and not self._tenders

    def _check_change(self, quote: Quote) -> None:
        """A basket may not fall below what was paid for it; points follow it by themselves."""
        handed = handed_over(
            one
            for one in self._tenders
            if one.tender is not TenderKind.POINTS and (one.given or not one.is_set_off)
        )
        fits = handed.fits(max(0, quote.total_minor), self.basket.pricing.programme)
        if not (fits and covers_cards(quote, self._tenders)):
            raise DomainError("tenders-first")

    def plan(self, kind: TenderKind | None) -> None:
        """A tender is about to pay all of the basket: offers that ask for it apply.

        Nothing changes once something was paid; without any offer that asks, neither.
        """
        if not self._tenders and rulebook(self.basket.pricing.programme).asks_for_tender:
            self.basket.plan(tender_name(kind) if kind else "")

    def saved_by_paying(self) -> list[tuple[TenderKind, int]]:
        """What paying everything with a tender would save, where it saves anything."""
        if self._tenders or not rulebook(self.basket.pricing.programme).asks_for_tender:
            return []
        found = []
        for kind in (TenderKind.WALLET, TenderKind.CARD, TenderKind.CASH):
            total = self.basket.total_if_paid_with(tender_name(kind))
            if (off := self.basket.total_if_paid_with("") - total) > 0:
                found.append((kind, off))
        return found

    def check_ready(self) -> None:
        """What must hold before any money is asked for.

        Raises DomainError ``basket-empty``, ``basket-too-large``, ``amount-too-large``,
        ``coupons-beyond-offline``, and where rewards cost points that may not be spent here
        ``beyond-lease`` and the like.
        """
        self.check_sale()
        if not self._tenders:
            # The line may go down while the customer pays: what was begun is not refused for it.
            self._readiness.check_coupons()

    def check_sale(self) -> None:
        """What must hold also after money was taken; raises the rest of the above."""
        self._readiness.check()
        self._redeeming.check_rewards()

    def points_offered(self) -> PointsValue:
        """The most that the member's points can pay of what is due."""
        return self._redeeming.offered()

    def lower_with_points(self, points: int) -> bool:
        """Lower the price with points, where the programme's best rule for them says so.

        Whether it did. Raises what ``tender_points`` raises, and DomainError ``tenders-first``.
        """
        if not self._redeeming.can_lower():
            return False
        if self._tenders:
            raise DomainError("tenders-first")
        self._redeeming.lower(points)
        return True

    def tender_points(self, points: int) -> Tender:
        """Pay with points; once per sale, before other tenders have paid too much for it.

        Raises DomainError ``points-need-member``, ``points-tendered-already``, ``points-too-late``
        and what ``redeem`` raises.
        """
        self.check_ready()
        payment = self._redeeming.redeem(points)
        if payment.value_minor > self.due().amount:
            raise DomainError("points-too-late")
        return self._take(self._redeeming.take(payment))

    def _renew_points(self) -> None:
        """Points follow a basket that changed after they were taken."""
        if self._redeeming.is_stale:
            others = tuple(t for t in self._tenders if t.tender is not TenderKind.POINTS)
            again = self._redeeming.renew(sum(tender.amount for tender in others))
            self._tenders = (again, *others) if again else others

    def tender(
        self,
        kind: TenderKind,
        amount: int,
        *,
        provider: str = "",
        attempt_id: str = "",
        reference: str = "",
    ) -> Tender:
        """Take a card, wallet or voucher payment.

        One that gives change settles what is due, and the rest is handed out in cash, rounded as
        cash is.

        DomainError ``tender-exceeds-due``, and ``tender-may-not-pay`` where the programme does not
        let this tender pay for so much of the goods.
        """
        if attempt_id:
            self.check_sale()
        else:
            self.check_ready()
        self._forget_plan(kind)
        given, change = 0, 0
        if attempt_id:
            # Somebody has paid it: what may be paid was looked at before.
            self._check_due(amount)
        else:
            needed = self._needed_of(kind, amount)
            self.check_tender(kind, needed)
            if needed < amount:
                total, programme = self.basket.quote.total_minor, self.basket.pricing.programme
                given, change = amount, self._handed.change_for(amount, total, programme)
        return self._take(
            Tender(
                tender=kind,
                amount=amount - change,
                given=given,
                change=change,
                provider=provider,
                attempt_id=attempt_id,
                reference=reference,
            )
        )

    def value_offered(self) -> int:
        """What the member's stored value could pay now, by what may be spent here."""
        member = self.basket.state.member
        if member is None or not self.basket.state.lines or self._taken(TenderKind.STORED_VALUE):
            return 0
        right = self._leases.right(value_account(member.member_id)).amount
        return max(0, min(member.wallet.total, right, self.payable(TenderKind.STORED_VALUE)))

    def tender_stored_value(self, amount: int | None = None) -> Tender:
        """Pay with the member's stored value, principal and bonus as the programme orders them.

        Raises DomainError ``stored-value-needs-member``, ``stored-value-tendered-already``,
        ``stored-value-short``, what ``tender`` raises and what ``Leases.check`` raises.
        """
        self.check_ready()
        member = self.basket.state.member
        if member is None:
            raise DomainError("stored-value-needs-member")
        if self._taken(TenderKind.STORED_VALUE):
            raise DomainError("stored-value-tendered-already")
        self._forget_plan(TenderKind.STORED_VALUE)
        most = min(member.wallet.total, self.payable(TenderKind.STORED_VALUE))
        amount = most if amount is None else amount
        rules = self.basket.pricing.programme.stored_value or StoredValue()
        if not 0 < amount <= member.wallet.total:
            raise DomainError("stored-value-short", amount=amount, most=member.wallet.total)
        parts = spend(member.wallet, amount, rules.spend_first)
        self.check_tender(TenderKind.STORED_VALUE, amount)
        self._leases.check(value_account(member.member_id), amount, self._money)
        return self._take(
            Tender(
                tender=TenderKind.STORED_VALUE,
                amount=amount,
                bonus=parts.bonus,
                left=member.wallet.total - amount,
            )
        )

    def tender_gift_card(self, code: str, amount: int | None = None) -> Tender:
        """Pay with a gift card, as far as the server has given the right to it.

        One that was taxed when it was sold pays for goods of its tax class only.

        Raises DomainError ``unknown-card``, ``card-tendered-already``, ``gift-card-empty``,
        ``card-asked`` and ``card-asked-offline`` (no right yet, or not known what is left of its
        tax: the server is asked), what ``told_card``, ``tender`` and ``Leases.check`` raise.
        """
        self.check_ready()
        card_id = card_instance(self._books.identity.lookup_key, card_code(code))
        if any(one.reference == card_id for one in self._tenders):
            raise DomainError("card-tendered-already")
        self._forget_plan(TenderKind.GIFT_CARD)
        account, payable = card_account(card_id), self.payable(TenderKind.GIFT_CARD)
        answer, right = self._leases.answer(account), self._leases.right(account)
        if answer is None and (right.is_taxed or not right.amount):
            self._leases.want(account, payable if amount is None else amount)
            raise DomainError("card-asked-offline" if self._is_offline() else "card-asked")
        card = None if answer is None else told_card(answer, self._books.today())
        if card is not None and not card.left:
            raise DomainError("gift-card-empty")
        if card is not None and card.as_sold:
            payable = payable_taxed(card, self.basket.quote, self._tenders, payable, amount)
        most = min(payable, right.amount if card is None else card.left)
        amount = most if amount is None else amount
        self.check_tender(TenderKind.GIFT_CARD, amount)
        self._leases.check(account, amount, self._money)
        return self._take(
            Tender(
                tender=TenderKind.GIFT_CARD,
                amount=amount,
                reference=card_id,
                left=card.left - amount if card is not None else None,
                prepaid=card.tax_used_by(amount) if card is not None else (),
            )
        )

    @property
    def _money(self) -> LeaseUnit:
        return LeaseUnit(currency=self.basket.pricing.programme.currency)

    def _needed_of(self, kind: TenderKind, amount: int) -> int:
        """What of an amount is due; the rest is change, where there may be any."""
        rule = rule_of(tender_name(kind), self.basket.pricing.programme)
        if rule is None or not rule.gives_change or amount > AMOUNT_MINOR_MAX:
            return amount
        return min(amount, max(0, self.due().amount))

    def _taken(self, kind: TenderKind) -> bool:
        return any(one.tender is kind for one in self._tenders)

    def check_tender(self, kind: TenderKind, amount: int) -> None:
        """Raise what ``tender`` would raise for an amount."""
        self._check_due(amount)
        if amount > (most := self.payable(kind)):
            raise DomainError("tender-may-not-pay", tender=kind.value, amount=amount, most=most)

    def _check_due(self, amount: int) -> None:
        if self.is_paid_out:
            raise self._only_paid_out()
        if not 0 < amount <= self.due().amount:
            raise DomainError("tender-exceeds-due", amount=amount, due=self.due().amount)

    def _forget_plan(self, kind: TenderKind) -> None:
        """Something else pays as well: offers that asked for one tender are withdrawn."""
        if self._tenders and self.basket.state.paying not in {"", tender_name(kind)}:
            self.basket.plan("")

    def payable(self, kind: TenderKind) -> int:
        """The most that a way of paying may still pay of what is due."""
        basket, quote = self.basket.priced()
        most = payable(tender_name(kind), basket, quote, self.basket.pricing.programme)
        taken = sum(tender.amount for tender in self._tenders if tender.tender is kind)
        return max(0, min(self.due().amount, most - taken))

    def tender_cash(self, given: int | None = None) -> Tender:
        """Take cash: exactly what is due (None), more (change is due), or a part of it.

        Where more comes in than is bought, it is paid out: ``approval-needed`` unless a manager has
        approved that amount.
        """
        self.check_ready()
        if self.is_paid_out:
            return self._pay_out(given)
        if self.due().amount < 0:
            # More was taken for a basket that costs less by now: a payment goes back first.
            raise DomainError("tenders-first")
        self._forget_plan(TenderKind.CASH)
        self.plan(TenderKind.CASH)
        if given is not None and given < self.due().in_cash:
            self.plan(None)
        in_cash = self.due().in_cash
        given = in_cash if given is None else given
        if not 0 <= given <= AMOUNT_MINOR_MAX:
            raise DomainError("bad-cash-amount", amount=given)
        amount = min(given, in_cash)
        return self._take(
            Tender(tender=TenderKind.CASH, amount=amount, given=given, change=given - amount)
        )

    def exchange(self, exchange: Exchange) -> Tender:
        """Goods come back for what is in the basket: what goes back in cash pays for it.

        Raises what ``check_ready`` raises, and DomainError ``one-exchange-per-ticket``,
        ``paid-out-in-cash`` and ``tenders-first``.
        """
        self.check_ready()
        if self._exchange is not None:
            raise DomainError("one-exchange-per-ticket", sale=exchange.sold.sale.receipt_no)
        if self.is_paid_out:
            raise self._only_paid_out()
        if self.due().amount < 0:
            raise DomainError("tenders-first")
        self._forget_plan(TenderKind.CASH)
        self._exchange = exchange
        return self._take(exchange.pays(self.due().in_cash))

    def _pay_out(self, given: int | None) -> Tender:
        """What came in is worth more than what is bought: the rest goes out in cash."""
        if given:
            raise self._only_paid_out()
        amount = self.due().in_cash
        allowed = (one.amount for one in self.basket.state.approvals if one.action == CASH_OUT)
        if amount and -amount not in allowed:
            raise DomainError("approval-needed", action=CASH_OUT)
        return self._take(Tender(tender=TenderKind.CASH, amount=amount, change=-amount))

    def _only_paid_out(self) -> DomainError:
        return DomainError("paid-out-in-cash", amount=-self.due().in_cash)

    def _take(self, tender: Tender) -> Tender:
        self._tenders = (*self._tenders, tender)
        return tender

    def withdraw(self, index: int) -> Tender:
        """Take a tender off; what was charged outside is then to be reversed by its provider."""
        gone = self._tenders[index]
        self._tenders = self._tenders[:index] + self._tenders[index + 1 :]
        if gone.tender is TenderKind.POINTS:
            self._redeeming.give_back()
        if gone.is_set_off:
            self._exchange = None
        self.plan(None)
        return gone

    def rounding(self) -> int | None:
        """The cash rounding that settles the basket with these tenders; None while money is due."""
        self._renew_points()
        return self._handed.rounding(self.basket.quote.total_minor, self.basket.pricing.programme)

    @property
    def can_finish(self) -> bool:
        """Whether the tenders settle the basket."""
        return bool(self.basket.state.lines) and self.rounding() is not None

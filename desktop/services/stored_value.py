"""Stored value over the counter: paid in and paid out."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from desktop.services.basket import Pricing, member_context
from desktop.services.books import Books, EntryPlace
from desktop.services.giving import issued_coupons
from desktop.services.leases import LeasedAccount, Leases, LeaseUnit
from desktop.store import members as member_store
from desktop.store.members import Member
from desktop.store.tickets import OpenShift
from desktop.store.writer import Transaction
from shared.errors import DomainError
from shared.ids import EntryId, MemberId, OperatorId
from shared.ledger.account import AccountKind, money_unit
from shared.ledger.spending import Spend
from shared.loyalty.accounts import StoredValue, TopUpOffer
from shared.loyalty.calendar import last_day
from shared.loyalty.wallet import ToppedUp, closing, top_up
from shared.money import AMOUNT_MINOR_MAX
from shared.pricing.basket import Basket
from shared.pricing.conditions import hindrance
from shared.pricing.sale_lines import names_by_language
from shared.trade.fact import Approval, Fact, Tender, TenderKind
from shared.trade.value import (
    ValueBalance,
    ValueClosed,
    ValueToppedUp,
)
from shared.trade.writing import Writing

VALUE_OUT = "value-out"
"""The action that a manager approves: so much cash for stored value, or what is left on a card."""
PAYING_IN = (TenderKind.CASH, TenderKind.CARD)


@dataclass(frozen=True, slots=True)
class By:
    """Who does it, in which shift."""

    shift: OpenShift
    operator_id: OperatorId


class Written(NamedTuple):
    """A fact whose commit has returned."""

    entry_id: EntryId
    fact: Fact


class ValueDesk:
    """Money that is paid in before anything is bought, and paid out again."""

    def __init__(
        self,
        books: Books,
        leases: Leases,
        *,
        is_offline: Callable[[], bool] = lambda: False,
    ) -> None:
        self._books = books
        self._leases = leases
        self._is_offline = is_offline

    def top_up(
        self, pricing: Pricing, member: Member, amount: int, tender: Tender, by: By
    ) -> Written:
        """Take stored value in; the programme's best top-up offer applies.

        Raises DomainError ``no-stored-value``, ``top-up-amount``, ``stored-value-limit``,
        ``tender-not-for-value``.
        """
        rules = pricing.programme.stored_value
        if rules is None:
            raise DomainError("no-stored-value")
        check_tender(tender, amount)

        def work(transaction: Transaction) -> Written:
            known = member_store.find(transaction.connection, member.member_id)
            if known is None:
                raise DomainError("unknown-member", member=member.member_id)
            filled = top_up(known.wallet, amount, rules, partial(self._holds, pricing, known))
            place = self._books.next_place(transaction)
            fact = self._topped_up(pricing, known, amount, tender, by, filled, rules, place)
            return write(self._books, transaction, fact, by, place)

        return self._books.writer.run(work)

    def _holds(self, pricing: Pricing, member: Member, offer: TopUpOffer) -> bool:
        at = self._books.clock.now().astimezone(self._books.identity.zone)
        basket = Basket(
            lines=(),
            at=at,
            store=pricing.store_id,
            till=pricing.till_id,
            member=member_context(member, at.date(), pricing.programme),
        )
        return hindrance(offer.conditions, basket) is None

    def _topped_up(
        self,
        pricing: Pricing,
        member: Member,
        amount: int,
        tender: Tender,
        by: By,
        filled: ToppedUp,
        rules: StoredValue,
        place: EntryPlace,
    ) -> ValueToppedUp:
        programme = pricing.programme
        today = self._books.today()
        names = next((one.names for one in rules.top_ups if one.id == filled.offer), None)
        lapses = last_day(today, programme.expiry) if filled.points else None
        return ValueToppedUp(
            receipt_no=self._books.receipt_no(place),
            store_id=self._books.identity.store_id,
            till_id=self._books.identity.till_id,
            shift_id=by.shift.shift_id,
            operator_id=by.operator_id,
            currency=programme.currency,
            programme=pricing.ref,
            member_id=member.member_id,
            amount=amount,
            bonus=filled.bonus,
            offer_id=filled.offer,
            names=names_by_language(names) if names else None,
            points=filled.points,
            points_decimals=programme.points.decimals,
            points_expire_on=lapses.isoformat() if lapses else None,
            coupons_issued=tuple(
                issued_coupons(
                    self._books.identity.lookup_key,
                    programme,
                    [(filled.coupon, filled.coupons)] if filled.coupons else [],
                    entry_id=place.entry_id,
                    today=today,
                )
            ),
            tenders=(tender,),
            after=ValueBalance(
                principal=filled.wallet.principal,
                bonus=filled.wallet.bonus,
                as_of=member.balance_as_of,
                offline=self._is_offline(),
            ),
        )

    def to_pay_out(self, pricing: Pricing, member: Member) -> int:
        """What closing pays out.

        Raises DomainError ``nothing-to-pay-out``, and what ``Leases.check`` raises.
        """
        principal, bonus = closing(member.wallet)
        if principal <= 0:
            raise DomainError("nothing-to-pay-out")
        self._leases.check(
            value_account(member.member_id),
            principal + bonus,
            LeaseUnit(currency=pricing.programme.currency),
        )
        return principal

    def close(
        self, pricing: Pricing, member: Member, by: By, approvals: tuple[Approval, ...]
    ) -> Written:
        """Pay the principal out in cash; the bonus is forfeited.

        Raises what ``to_pay_out`` raises, ``approval-needed`` and ``lease-gone``.
        """
        principal = self.to_pay_out(pricing, member)
        check_approved(approvals, principal)

        def work(transaction: Transaction) -> Written:
            known = member_store.find(transaction.connection, member.member_id)
            if known is None or known.wallet.principal != principal:
                raise DomainError("balance-changed")
            place = self._books.next_place(transaction)
            _, bonus = closing(known.wallet)
            spend = Spend(
                position=0,
                account=AccountKind.STORED_VALUE,
                owner=member.member_id,
                unit=money_unit(pricing.programme.currency),
                amount=principal + bonus,
                member_id=member.member_id,
                lease_id=None,
            )
            fact = ValueClosed(
                receipt_no=self._books.receipt_no(place),
                store_id=self._books.identity.store_id,
                till_id=self._books.identity.till_id,
                shift_id=by.shift.shift_id,
                operator_id=by.operator_id,
                currency=pricing.programme.currency,
                member_id=member.member_id,
                principal=principal,
                forfeited=bonus,
                lease_id=self._leases.choose(transaction.connection, spend),
                approvals=approvals,
            )
            return write(self._books, transaction, fact, by, place)

        return self._books.writer.run(work)


def value_account(member_id: MemberId) -> LeasedAccount:
    """A member's stored value: principal and bonus together."""
    return LeasedAccount(AccountKind.STORED_VALUE, member_id, member_id)


def paying(kind: TenderKind, amount: int, given: int | None = None) -> Tender:
    """A tender for money that is paid in: exact, or in cash with change."""
    given = amount if given is None else given
    if kind is TenderKind.CASH:
        return Tender(tender=kind, amount=amount, given=given, change=given - amount)
    return Tender(tender=kind, amount=amount)


def check_tender(tender: Tender, amount: int) -> None:
    """Neither points nor other stored money pay for it."""
    if tender.tender not in PAYING_IN:
        raise DomainError("tender-not-for-value")
    if not 0 < amount <= AMOUNT_MINOR_MAX or tender.amount != amount or tender.change < 0:
        raise DomainError("bad-value-amount")


def check_approved(approvals: tuple[Approval, ...], amount: int) -> None:
    """DomainError ``approval-needed`` unless a manager has allowed to pay out just that."""
    if all((one.action, one.amount) != (VALUE_OUT, amount) for one in approvals):
        raise DomainError("approval-needed", action=VALUE_OUT)


def write(books: Books, transaction: Transaction, fact: Fact, by: By, place: EntryPlace) -> Written:
    """Append a fact of stored value or cards, and queue its paper."""
    writing = Writing(fact, business_date=by.shift.business_date)
    chained = books.append_printed(transaction, writing, place.entry_id)
    return Written(chained.id, fact)

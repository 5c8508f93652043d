"""Gift cards over the counter: sold, and what is left on them paid out."""

from collections.abc import Callable, Sequence
from datetime import date

from sqlalchemy import select

from desktop.services.basket import Pricing
from desktop.services.books import Books
from desktop.services.leases import LeasedAccount, Leases, LeaseUnit
from desktop.services.stored_value import By, Written, check_approved, check_tender, write
from desktop.store.card_codes import keep_code
from desktop.store.schema import postings
from desktop.store.writer import Transaction
from shared.catalogue.codes import GiftCardCode, classify
from shared.errors import DomainError
from shared.ids import CardId
from shared.ledger.account import AccountKind, money_unit
from shared.ledger.spending import Spend
from shared.loyalty.gift_card import GiftCard, check_lapsed, sold
from shared.loyalty.gift_card_code import card_instance, new_gift_card_code
from shared.loyalty.prepaid_tax import class_of
from shared.pricing.card_tax import payable_by_card, taxes_of_card
from shared.pricing.quote import Quote
from shared.protocol.lease import LeaseAnswer
from shared.trade.fact import Approval, Tender, TenderKind
from shared.trade.value import GiftCardClosed, GiftCardSold


class GiftCardDesk:
    """Cards that whoever bears them pays with."""

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

    def sell(
        self, pricing: Pricing, amount: int, tender: Tender, by: By, *, code: str = ""
    ) -> Written:
        """Sell a gift card; without a ``code`` of a card in stock a fresh one is printed.

        Where the programme says so it is taxed now, for goods of one tax class.

        Raises DomainError ``no-gift-cards``, ``gift-card-amount``, ``unknown-card``,
        ``card-known-already``, ``tender-not-for-value``.
        """
        rules = pricing.programme.gift_cards
        if rules is None:
            raise DomainError("no-gift-cards")
        check_tender(tender, amount)
        is_fresh = not code.strip()
        code = new_gift_card_code(self._books.scribe.random_bytes) if is_fresh else card_code(code)
        card_id = card_instance(self._books.identity.lookup_key, code)
        taxes = taxes_of_card(amount, pricing.programme)
        card = sold(code, amount, rules, self._books.today(), taxes)

        def work(transaction: Transaction) -> Written:
            known = select(postings.c.owner).where(postings.c.owner == card_id).limit(1)
            if transaction.connection.execute(known).first():
                raise DomainError("card-known-already")
            place = self._books.next_place(transaction)
            fact = GiftCardSold(
                receipt_no=self._books.receipt_no(place),
                store_id=self._books.identity.store_id,
                till_id=self._books.identity.till_id,
                shift_id=by.shift.shift_id,
                operator_id=by.operator_id,
                currency=pricing.programme.currency,
                programme=pricing.ref,
                card_id=card_id,
                amount=amount,
                last_day=card.last_day.isoformat() if card.last_day else None,
                tenders=(tender,),
                taxes=card.as_sold,
            )
            if is_fresh:
                keep_code(transaction.connection, place.entry_id, code)
            return write(self._books, transaction, fact, by, place)

        return self._books.writer.run(work)

    def is_card(self, text: str) -> bool:
        """Whether a text is the code of a gift card."""
        return isinstance(classify(text), GiftCardCode)

    def left_on(self, pricing: Pricing, code: str) -> int:
        """What is left on a card, once the server has said so and given the right to it.

        Raises DomainError ``unknown-card``, ``card-asked`` (the server was asked just now),
        ``card-asked-offline``, ``nothing-to-pay-out``, what ``told_card`` and what
        ``Leases.check`` raise.
        """
        return self._to_pay_out(pricing, code).left

    def _to_pay_out(self, pricing: Pricing, code: str) -> GiftCard:
        account = card_account(card_instance(self._books.identity.lookup_key, card_code(code)))
        answer = self._leases.answer(account)
        if answer is None:
            self._leases.want(account)
            raise DomainError("card-asked-offline" if self._is_offline() else "card-asked")
        card = told_card(answer, self._books.today())
        if not card.left:
            raise DomainError("nothing-to-pay-out")
        self._leases.check(account, card.left, LeaseUnit(currency=pricing.programme.currency))
        return card

    def close(
        self, pricing: Pricing, code: str, by: By, approvals: tuple[Approval, ...]
    ) -> Written:
        """Pay out what is left on a card.

        Raises what ``left_on`` raises, ``approval-needed`` and ``lease-gone``.
        """
        card = self._to_pay_out(pricing, code)
        amount, card_id = card.left, CardId(card.code)
        check_approved(approvals, amount)

        def work(transaction: Transaction) -> Written:
            place = self._books.next_place(transaction)
            spend = Spend(
                position=0,
                account=AccountKind.GIFT_CARD,
                owner=card_id,
                unit=money_unit(pricing.programme.currency),
                amount=amount,
                member_id="",
                lease_id=None,
            )
            fact = GiftCardClosed(
                receipt_no=self._books.receipt_no(place),
                store_id=self._books.identity.store_id,
                till_id=self._books.identity.till_id,
                shift_id=by.shift.shift_id,
                operator_id=by.operator_id,
                currency=pricing.programme.currency,
                card_id=card_id,
                amount=amount,
                lease_id=self._leases.choose(transaction.connection, spend),
                approvals=approvals,
                taxes=card.tax_used_by(amount),
            )
            return write(self._books, transaction, fact, by, place)

        done = self._books.writer.run(work)
        self._leases.forget(card_id)
        return done


def card_account(card_id: str) -> LeasedAccount:
    """What is left on a card."""
    return LeasedAccount(AccountKind.GIFT_CARD, card_id)


def card_code(text: str) -> str:
    """The digits of a gift card; DomainError ``unknown-card`` for anything else."""
    code = classify(text)
    if not isinstance(code, GiftCardCode):
        raise DomainError("unknown-card")
    return code.code


def told_card(answer: LeaseAnswer, today: date) -> GiftCard:
    """A card as the server told it; DomainError ``gift-card-lapsed``, ``card-held-elsewhere``.

    The tax that goes with a payment follows from what is left: a card that was taxed when it was
    sold pays at one till at a time.
    """
    last = date.fromisoformat(answer.last_day) if answer.last_day else None
    check_lapsed(last, today)
    tax = answer.card_tax
    if tax is None:
        return GiftCard(code=answer.owner, left=answer.balance, last_day=last)
    if answer.elsewhere and answer.balance:
        raise DomainError("card-held-elsewhere")
    return GiftCard(
        code=answer.owner,
        left=answer.balance,
        last_day=last,
        as_sold=tax.as_sold,
        unused=tax.unused,
    )


def payable_taxed(
    card: GiftCard, quote: Quote, tendered: Sequence[Tender], payable: int, amount: int | None
) -> int:
    """What of a ``payable`` amount a card may pay that was taxed when it was sold.

    Raises DomainError ``tender-may-not-pay`` where that is nothing, or less than a stated amount.
    """
    own = payable_by_card(quote, class_of(card.as_sold), tendered)
    wanted = min(payable, card.left) if amount is None else amount
    if not own or (amount is not None and wanted > own):
        kind = TenderKind.GIFT_CARD.value
        raise DomainError("tender-may-not-pay", tender=kind, amount=wanted, most=own)
    return min(payable, own)

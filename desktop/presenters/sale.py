"""The sale page: scanning, the entry line, paying. Everything a cashier does all day."""

from collections.abc import Callable

from desktop.presenters import sale_view
from desktop.presenters.approval import ask
from desktop.presenters.before_paying import is_ready_to_pay
from desktop.presenters.coupons import Coupons
from desktop.presenters.elsewhere import ask_member, ask_receipt
from desktop.presenters.functions import open_function
from desktop.presenters.intent import Act, Key, PaymentTold, Press
from desktop.presenters.members import Enrolment
from desktop.presenters.open_payments import OpenPayments, ask_about_payments, outstanding
from desktop.presenters.refund_told import tell_refund
from desktop.presenters.returning import ReceiptReturn, ReturnStart
from desktop.presenters.session import Session
from desktop.presenters.tendering import Tendering
from desktop.presenters.text import Amount, Tone, goods_name, say
from desktop.presenters.undo import ask_undo
from desktop.presenters.view import ChangeStrip, Choice, Hint, SaleView
from desktop.presenters.weight import WeightNeededOverlay
from desktop.services.basket import BasketState
from desktop.services.checkout import CompletedSale
from desktop.services.favourites import often_sold
from desktop.services.scanning import (
    ApproverNamed,
    CardOffered,
    CouponTaken,
    GoodsAdded,
    MemberAttached,
    MemberUnknown,
    ReceiptElsewhere,
    ReceiptFound,
    Scanned,
    WalletOffered,
    WeightNeeded,
)
from desktop.services.tenders import CASH_OUT
from desktop.store.payments import PaymentAttempt
from shared.catalogue.codes import GiftCardCode, WalletCode, classify
from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.money import parse_amount
from shared.returning.sold import ReturnableSale
from shared.trade.fact import Approval, Tender, TenderKind
from shared.trade.profile import KeyKind

FINISH_PAUSE_S = 0.3
"""A key that bounces, or a hand that hits twice, must not finish the next sale too."""
ENTRY_LENGTH_MAX = 40
TILES_MAX = 12


def _moves_cash(tender: Tender) -> bool:
    """Whether a hand reaches into the drawer for it."""
    return bool(tender.change) or (tender.tender is TenderKind.CASH and not tender.is_set_off)


class SalePage:
    """The basket on the screen and what can be done with it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tendering = Tendering(session)
        session.in_payment = lambda: self.tendering.is_waiting
        session.attempt_id = lambda: self.tendering.attempt_id
        self._entry = ""
        self._quantity = 0
        self._comes_in = False
        self._selected = ""
        self._finished_at = float("-inf")
        self._last: CompletedSale | None = None
        self._tiles: tuple[Goods, ...] = ()
        self._renew_programme = False

    def enter(self) -> None:
        """The page comes up: after a sign-in or a shift opened."""
        self._tiles = tuple(often_sold(self.session.till.books, limit=TILES_MAX))
        self._take_up_draft()
        ask_about_payments(self.session)
        if outstanding(self.session):
            self.session.push(OpenPayments(self.session, self.use_payment))

    def _take_up_draft(self) -> None:
        """A till that died had a basket on its screen: it comes back, with what was taken."""
        session = self.session
        restored = session.counter.draft.restore(session.signed_in.operator_id)
        if restored is None:
            return
        if restored.is_held:
            held = say("till.sale.restored-held", amount=Amount(restored.paid))
            session.tell(held, Tone.ATTENTION)
            return
        session.tell(say("till.sale.restored"), Tone.ATTENTION)
        if session.counter.checkout.is_tendering:
            self.tendering.open()

    @property
    def _state(self) -> BasketState:
        return self.session.counter.checkout.basket.state

    @property
    def is_empty(self) -> bool:
        """Whether somebody else could start here."""
        return self._state.is_empty and not self.session.counter.checkout.is_tendering

    @property
    def selected(self) -> str:
        """The line that keys work on: the chosen one, else the newest; empty without lines."""
        ids = [line.id for line in self._state.lines]
        return self._selected if self._selected in ids else (ids[-1] if ids else "")

    # What comes in

    def scan(self, text: str) -> None:
        """A code: the strip of the last sale goes, the code goes where it belongs."""
        self._last = None
        quantity, self._quantity = self._quantity or 1, 0
        if not isinstance(classify(text), WalletCode | GiftCardCode):
            self.tendering.make_changeable()
        scanning = self.session.counter.scanning
        self._follow(scanning.scan(text, quantity=quantity, comes_in=self._comes_in))

    def add(self, goods: Goods, *, grams: int = 0, batch: str = "") -> None:
        """Goods that were tapped or found by name."""
        self._last = None
        if goods.sold_by == "weight" and not grams:
            self._follow(WeightNeeded(goods, batch))
            return
        self.tendering.make_changeable()
        units = 0 if grams else self._quantity or 1
        self._quantity = 0
        basket = self.session.counter.checkout.basket
        line = basket.add(goods, units=units, grams=grams, comes_in=self._comes_in, batch=batch)
        self._follow(GoodsAdded(line))

    def _follow(self, found: Scanned) -> None:  # noqa: C901 - one arm a kind
        session = self.session
        match found:
            case GoodsAdded(line_id):
                self._selected, self._comes_in = line_id, False
            case WeightNeeded(goods, batch):
                session.push(WeightNeededOverlay(session, goods, self.add, batch=batch))
            case MemberAttached(member):
                session.tell(say("till.sale.member-attached", name=member.name), Tone.GOOD)
            case MemberUnknown(code):
                self._enrol(code)
                ask_member(session, KeyKind.CARD, code)
                session.tell(say("till.sale.member-unknown"), Tone.ATTENTION)
            case CouponTaken():
                session.tell(say("till.sale.coupon-taken"), Tone.GOOD)
            case ReceiptFound(sold):
                self._open_return(sold)
            case ReceiptElsewhere(receipt_no):
                session.push(ReturnStart(session, asked=receipt_no))
                ask_receipt(session, receipt_no)
            case WalletOffered(_, code):
                self._wallet(code)
            case CardOffered(code):
                self._take(lambda: self.tendering.gift_card(code), session.clock.monotonic())
            case ApproverNamed(operator):
                session.tell(say("till.sale.nothing-to-approve", name=operator.name))

    def _wallet(self, code: str) -> None:
        if is_ready_to_pay(self.session):
            self.tendering.wallet(code)

    def _open_return(self, sold: ReturnableSale) -> None:
        """The sheet of a receipt; once, however often it is scanned."""
        known = [one for one in self.session.overlays if isinstance(one, ReceiptReturn)]
        if not any(one.entry_id == sold.entry_id for one in known):
            self.session.push(ReceiptReturn(self.session, sold))

    def _enrol(self, card: str) -> None:
        """The sheet of an unknown card; once, however often it is scanned."""
        known = [one for one in self.session.overlays if isinstance(one, Enrolment)]
        if not any(one.card == card for one in known):
            self.session.push(Enrolment(self.session, card=card))

    def typed(self, text: str) -> None:
        """Characters that no field took."""
        if self.tendering.is_open:
            self.tendering.type(text)
        else:
            self._entry = (self._entry + text)[:ENTRY_LENGTH_MAX]

    def press(self, press: Press) -> None:  # noqa: C901, PLR0912 - one arm a key
        """A key."""
        match press.key:
            case Key.F12:
                self._pay(press.at)
            case Key.PLUS if not self._entry and not self.tendering.entry:
                self._pay(press.at)
            case Key.ENTER:
                self._enter(press.at)
            case Key.MINUS if self._entry:
                self.typed("-")
            case Key.MINUS if not self.tendering.is_open:
                self.next_comes_in()
            case Key.TIMES:
                self._times()
            case Key.ESC:
                self._back()
            case Key.DELETE if self.session.counter.checkout.is_tendering:
                self.tendering.withdraw_last()
            case Key.DELETE:
                self._void()
            case Key.BACKSPACE if self.tendering.is_open:
                self.tendering.press_back(press.key)
            case Key.BACKSPACE:
                self._entry = self._entry[:-1]
            case Key.UP | Key.DOWN:
                self._move(-1 if press.key is Key.UP else 1)
            case Key.F7:
                self._points(press.at)
            case Key.F6 if self.tendering.is_open:
                self._take(self.tendering.card, press.at)
            case Key.F4 if self.tendering.is_open and self.tendering.value_offered():
                self._take(self.tendering.stored_value, press.at)
            case Key.F8 if self.tendering.is_open:
                self._take(self.tendering.voucher, press.at)
            case Key.F11 if not self.tendering.is_open:
                if is_ready_to_pay(self.session):
                    self.tendering.open()
            case key:
                open_function(self, key)

    def act(self, act: Act) -> None:
        """Something was tapped."""
        match act.name:
            case "line" if act.value.startswith(sale_view.GIVEN):
                self.session.push(Coupons(self.session))
            case "line":
                self._selected = act.value
            case "tile":
                goods = next(one for one in self._tiles if one.sku == act.value)
                self.add(goods)
            case "note":
                self._take(lambda: self.tendering.cash(int(act.value)), act.at)
            case "digit":
                self.typed(act.value)
            case "withdraw":
                self.tendering.withdraw(int(act.value))
            case "undo":
                self._ask_undo()
            case "exchanged":
                self.tendering.open()
                paid = Amount(int(act.value))
                self.session.tell(say("till.exchange.taken", amount=paid), Tone.GOOD)
            case "member-off":
                self.tendering.make_changeable()
                self.session.counter.checkout.basket.attach(None)

    def payment(self, told: PaymentTold) -> None:
        """A wallet payment went on."""
        if self.tendering.progressed(told.progress):
            self._finish_if_settled(told.at)

    # Keys

    def _enter(self, at: float) -> None:
        if self.tendering.is_open:
            amount = self.tendering.amount_typed()
            if amount is None:
                self.session.tell(say("till.tender.type-amount"))
                return
            self._take(lambda: self.tendering.cash(amount), at)
        elif self._entry:
            code, self._entry = self._entry, ""
            self.scan(code)
        elif self._quantity and self.selected:
            self.tendering.make_changeable()
            quantity, self._quantity = self._quantity, 0
            session = self.session
            session.counter.holding.change_quantity(
                self.selected, quantity, session.shift, session.signed_in.operator_id
            )

    def _times(self) -> None:
        text, self._entry = self._entry, ""
        if text.isdecimal() and int(text) > 0:
            self._quantity = int(text)
        elif text:
            raise DomainError("bad-quantity", sku="", quantity=text)

    def _back(self) -> None:
        """One step: what was typed, the quantity, the tender panel. Lines stay."""
        if self.tendering.is_open:
            self.tendering.back()
        elif self._entry:
            self._entry = ""
        else:
            self._quantity, self._comes_in = 0, False
            self._selected = ""

    def next_comes_in(self) -> None:
        """The next goods are handed in by the customer; asked again, they are not."""
        self.check_untendered()
        self._comes_in = not self._comes_in
        if self._comes_in:
            self.session.tell(say("till.sale.comes-in-next"), Tone.ATTENTION)

    def _void(self) -> None:
        if not self.selected:
            return
        self.check_untendered()
        session = self.session
        name = sale_view.line_name(self._state.line(self.selected))
        session.counter.holding.void_line(
            self.selected, session.shift, session.signed_in.operator_id
        )
        session.tell(say("till.sale.voided", name=name))

    def _move(self, step: int) -> None:
        ids = [line.id for line in self._state.lines]
        if ids:
            self._selected = ids[max(0, min(len(ids) - 1, ids.index(self.selected) + step))]

    def check_untendered(self) -> None:
        """Points go back by themselves; money that was taken must be given back first."""
        self.tendering.make_changeable()
        if self.session.counter.checkout.is_tendering:
            raise DomainError("tenders-first")

    # Paying

    def _pay(self, at: float) -> None:
        """The whole rest in cash in one action; digits before it are the amount given."""
        if at < self._finished_at + FINISH_PAUSE_S:
            if self._state.lines:
                self.session.tell(say("till.sale.too-soon"), Tone.ATTENTION)
            return
        checkout = self.session.counter.checkout
        checkout.check_ready()
        self.tendering.check_quiet()
        if not is_ready_to_pay(self.session):
            return
        given = self._given()
        if checkout.is_paid_out and given is None:
            self._ask_to_pay_out()
            return
        if not checkout.can_finish:
            checkout.tender_cash(given)
        self._finish_if_settled(at)
        if checkout.is_tendering:
            self.tendering.open()

    def _ask_to_pay_out(self) -> None:
        """More comes in than is bought: a manager allows the cash that goes out."""
        checkout, session = self.session.counter.checkout, self.session
        amount = -checkout.due().in_cash

        def pay_out(approval: Approval) -> None:
            session.check_quiet()
            checkout.basket.approve(approval)
            checkout.tender_cash()
            self._finish_if_settled(session.clock.monotonic())

        what = say("till.sale.paid-out-what")
        ask(session, action=CASH_OUT, what=what, amount=amount, then=pay_out)

    def _take(self, tender: Callable[[], None], at: float) -> None:
        """A payment, once nothing is open that comes before it: goods may have come since."""
        if is_ready_to_pay(self.session):
            tender()
            self._finish_if_settled(at)

    def _given(self) -> int | None:
        if self.tendering.is_open:
            return self.tendering.amount_typed()
        if not self._entry:
            return None
        text, self._entry = self._entry, ""
        return parse_amount(text, self.session.pricing.programme.money)

    def _points(self, at: float) -> None:
        if not is_ready_to_pay(self.session):
            return
        if self.tendering.lower():
            return
        self.tendering.open()
        self.tendering.points()
        self._finish_if_settled(at)

    def _finish_if_settled(self, at: float) -> None:
        if at < self._finished_at + FINISH_PAUSE_S or not self.session.counter.checkout.can_finish:
            return
        if not is_ready_to_pay(self.session):
            return
        session = self.session
        sale = session.counter.checkout.finish(session.shift, session.signed_in.operator_id)
        self._finished_at = session.clock.monotonic()
        self._last = sale
        self._entry, self._quantity, self._selected, self._comes_in = "", 0, "", False
        self.tendering.reset()
        session.close_overlays()
        if any(_moves_cash(tender) for tender in sale.fact.tenders):
            session.open_drawer()
        session.written()
        if sale.returned is not None:
            tell_refund(session, "till.exchange.done", sale.returned)
        self._take_new_programme()

    def use_payment(self, found: PaymentAttempt) -> None:
        """Settle with a payment that was approved before the till died."""
        self.tendering.use(found)
        self._finish_if_settled(self.session.clock.monotonic())

    def give_up(self) -> None:
        """Take everything off the screen, on the record."""
        session = self.session
        if not self._state.lines:
            raise DomainError("basket-empty")
        self.check_untendered()
        session.counter.holding.abandon(session.shift, session.signed_in.operator_id)
        self._entry, self._quantity, self._selected, self._comes_in = "", 0, "", False
        self.tendering.reset()
        session.written()
        session.tell(say("till.sale.given-up"))
        self._take_new_programme()

    # Programme, undo

    def programme_changed(self) -> None:
        """Another programme is in force: from the next sale on."""
        self._renew_programme = True
        if self.session.counter_in_use is not None and self.is_empty:
            self._take_new_programme()

    def _take_new_programme(self) -> None:
        if self._renew_programme:
            self._renew_programme = False
            self.session.counter.checkout.clear(self.session.till.pricing())

    def _ask_undo(self) -> None:
        if self._last is not None:
            ask_undo(self.session, self._last, self._forget_last)

    def _forget_last(self) -> None:
        self._last = None

    # What is seen

    def view(self) -> SaleView:
        """Everything on the page."""
        checkout = self.session.counter.checkout
        basket = checkout.basket
        books = self.session.till.books
        now = books.clock.now().astimezone(books.identity.zone)
        state, quote = basket.state, basket.quote
        articles = checkout.articles.given()
        rows = sale_view.line_rows(basket, self.selected)
        return SaleView(
            lines=(*rows, *sale_view.given_rows(basket, articles, len(rows) + 1)),
            entry=self._entry,
            quantity=self._quantity,
            comes_in=self._comes_in,
            items=sale_view.item_count(state),
            saved=quote.saved_minor + sale_view.given_worth(basket, articles),
            total=quote.total_minor,
            member=sale_view.member_panel(state.member, checkout, now) if state.member else None,
            coupons=sale_view.coupon_rows(basket),
            unlock=sale_view.unlock_text(quote, basket.pricing.programme),
            tiles=tuple(
                Choice(one.sku, goods_name(one), trailing=Amount(one.list_price_minor))
                for one in self._tiles
            ),
            tiles_title=say("till.sale.often"),
            tender=self.tendering.view(),
            change=self._change(),
            is_best_price=quote.is_best_price,
        )

    def _change(self) -> ChangeStrip | None:
        if self._last is None:
            return None
        fact = self._last.fact
        # What was paid out was not given by anybody.
        given = sum(tender.given or max(0, tender.amount) for tender in fact.tenders)
        return ChangeStrip(fact.total + fact.rounding, given, self._last.change, fact.receipt_no)

    def hints(self) -> tuple[Hint, ...]:
        """The keys that do something now."""
        lines, is_open = bool(self._state.lines), self.tendering.is_open
        if is_open:
            found = [
                Hint("Esc", say("till.key.back")),
                Hint("F6", say("till.key.card")),
                Hint("F8", say("till.key.voucher")),
            ]
            if self.session.counter.checkout.is_tendering:
                found.append(Hint("Del", say("till.tender.withdraw")))
            if self.tendering.value_offered():
                found.insert(1, Hint("F4", say("till.key.stored-value")))
            if self.tendering.offered():
                found.insert(2, Hint("F7", say("till.key.points")))
            return (*found, Hint("F12", say("till.key.cash-rest"), is_primary=True))
        found = [Hint(key, say(f"till.key.{name}")) for key, name in _ALWAYS[:2]]
        found.append(Hint("F3", say("till.key.member")))
        found.append(Hint("F4", say("till.key.hold" if lines else "till.key.recall")))
        found += [Hint("F5", say("till.key.return")), Hint("F6", say("till.key.coupon"))]
        if self.tendering.offered():
            found.append(Hint("F7", say("till.key.points")))
        if lines:
            found.append(Hint("F8", say("till.key.price")))
        found += [Hint(key, say(f"till.key.{name}")) for key, name in _ALWAYS[2:]]
        if lines:
            found.append(Hint("F11", say("till.key.tender")))
            found.append(Hint("F12", say("till.key.pay"), is_primary=True))
        return tuple(found)


_ALWAYS = (("F1", "help"), ("F2", "goods"), ("F9", "drawer"), ("F10", "menu"))

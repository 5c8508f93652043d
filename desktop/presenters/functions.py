"""Which overlay a function key opens on the sale page."""

from collections.abc import Callable
from typing import Protocol

from desktop.presenters.basket_discount import BasketDiscountSheet
from desktop.presenters.coupons import Coupons
from desktop.presenters.drawer import DrawerMenu
from desktop.presenters.goods_search import GoodsSearch
from desktop.presenters.help import Help
from desktop.presenters.holds import hold_or_recall
from desktop.presenters.intent import Key
from desktop.presenters.members import MemberSearch
from desktop.presenters.menu import Menu
from desktop.presenters.price import PriceOverride
from desktop.presenters.returning import ReturnStart
from desktop.presenters.session import Session
from desktop.presenters.weight import AddGoods
from desktop.store.payments import PaymentAttempt
from shared.errors import DomainError


class Counter(Protocol):
    """What overlays need of the sale page."""

    @property
    def session(self) -> Session: ...

    @property
    def selected(self) -> str: ...

    @property
    def add(self) -> AddGoods: ...

    def check_untendered(self) -> None: ...

    def use_payment(self, found: PaymentAttempt) -> None: ...

    def give_up(self) -> None: ...

    def next_comes_in(self) -> None: ...


def open_function(page: Counter, key: Key) -> None:
    """Open what a key stands for; keys without a meaning do nothing."""
    session = page.session
    match key:
        case Key.F1:
            session.push(Help())
        case Key.F2:
            session.push(GoodsSearch(session, page.add))
        case Key.F3:
            session.push(MemberSearch(session))
        case Key.F4:
            page.check_untendered()
            hold_or_recall(session)
        case Key.F5:
            session.push(ReturnStart(session))
        case Key.F6:
            session.push(Coupons(session))
        case Key.F8 if page.selected:
            page.check_untendered()
            session.push(PriceOverride(session, page.selected))
        case Key.F9:
            session.push(DrawerMenu(session))
        case Key.F10:
            session.push(Menu(session, use=page.use_payment, does=_from_menu(page)))
        case _:
            pass


def _from_menu(page: Counter) -> dict[str, Callable[[], None]]:
    """What the menu leaves to the sale page."""

    def discount() -> None:
        if not page.session.counter.checkout.basket.state.lines:
            raise DomainError("basket-empty")
        page.check_untendered()
        page.session.push(BasketDiscountSheet(page.session))

    return {"discount": discount, "comes-in": page.next_comes_in, "give-up": page.give_up}

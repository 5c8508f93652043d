"""Coupons: typed where they cannot be scanned, given back where the customer changed their mind."""

from desktop.presenters.intent import Key
from desktop.presenters.sale_view import coupon_rows
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Tone, say
from desktop.presenters.view import Button, Choice, Choices, Field, FieldKind, Fields, Sheet
from desktop.services.scanning import CouponTaken
from shared.catalogue.codes import CouponCode, classify
from shared.errors import DomainError
from shared.ids import CouponId


class Coupons(PlainOverlay):
    """The claimed ones, and a field for one more."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._typed = 0
        """How many were typed: the field is empty for the next one."""

    def sheet(self) -> Sheet:
        """Claimed coupons with what became of them."""
        basket = self._session.counter.checkout.basket
        rows = tuple(
            Choice(
                claim.instance,
                row.name,
                detail=say("till.coupon.used" if row.is_used else "till.coupon.unused"),
                trailing=say("till.coupon.give-back"),
            )
            for claim, row in zip(basket.state.claims, coupon_rows(basket), strict=True)
        )
        return Sheet(
            kind=f"coupons-{self._typed}",
            title=say("till.coupon.title"),
            parts=(
                Choices("coupon", rows, empty=say("till.coupon.none")),
                Fields((Field("code", say("till.coupon.code"), FieldKind.NUMBER),)),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("claim", say("till.coupon.claim"), key="Enter", is_primary=True),
            ),
        )

    def press(self, key: Key, values: Values) -> None:
        """Enter claims."""
        if key is Key.ENTER:
            self.act("claim", "", values)

    def act(self, name: str, value: str, values: Values) -> None:
        """A row gives back, the button claims."""
        session = self._session
        session.check_quiet()
        if name == "coupon":
            session.counter.checkout.basket.unclaim(CouponId(value))
        elif name == "claim":
            code = values.get("code", "")
            if not isinstance(classify(code), CouponCode):
                raise DomainError("unknown-coupon")
            found = session.counter.scanning.scan(code)
            assert isinstance(found, CouponTaken)
            self._typed += 1
            session.tell(say("till.sale.coupon-taken"), Tone.GOOD)

"""Coupons, rewards and gifts: claimed, chosen, and given back by who changed their mind."""

from desktop.presenters.benefits import (
    claim_or_give_back,
    gift_parts,
    reward_part,
    take_gift,
)
from desktop.presenters.intent import Key
from desktop.presenters.sale_view import coupon_rows
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Tone, say
from desktop.presenters.view import Button, Choice, Choices, Field, FieldKind, Fields, Note, Sheet
from desktop.services.scanning import CouponTaken
from shared.catalogue.codes import CouponCode, classify
from shared.errors import DomainError
from shared.ids import CouponId


class Coupons(PlainOverlay):
    """The claimed coupons and a field for one more; gifts to choose, rewards to claim."""

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
        several = [one for one in basket.quote.added if len(one.choices) > 1]
        rewards = reward_part(basket)
        return Sheet(
            kind=f"coupons-{self._typed}",
            title=say("till.coupon.title"),
            parts=(
                Choices("coupon", rows, empty=say("till.coupon.none")),
                Fields((Field("code", say("till.coupon.code"), FieldKind.NUMBER),)),
                *gift_parts(self._session, several),
                *((Note(say("till.reward.title")), rewards) if rewards else ()),
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
        elif name == "gift":
            take_gift(session, value)
        elif name == "reward":
            claim_or_give_back(session.counter.checkout.basket, value)
        elif name == "claim":
            code = values.get("code", "")
            if not isinstance(classify(code), CouponCode):
                raise DomainError("unknown-coupon")
            found = session.counter.scanning.scan(code)
            assert isinstance(found, CouponTaken)
            self._typed += 1
            session.tell(say("till.sale.coupon-taken"), Tone.GOOD)

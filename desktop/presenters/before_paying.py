"""What has to be settled before money is asked for: gifts to choose, things to look at."""

from desktop.presenters.benefits import gift_parts, take_gift
from desktop.presenters.intent import Key
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Text, Tone, name_of, say
from desktop.presenters.view import Button, Choices, Note, Sheet
from desktop.services.basket import demand_key
from shared.pricing.tender_rules import Demanded


def is_ready_to_pay(session: Session) -> bool:
    """Whether nothing is open; else the sheet for it comes up.

    Raises DomainError ``batch-recalled``, ``batch-lapsed``: a line has to be taken off first.
    """
    checkout = session.counter.checkout
    if not checkout.basket.state.lines:
        return True
    if not checkout.is_tendering:
        checkout.check_batches()
    if checkout.unseen():
        _push_once(session, LookedAt)
        return False
    if checkout.basket.open_choices():
        _push_once(session, ChooseGift)
        return False
    return True


def _push_once(session: Session, kind: type["LookedAt | ChooseGift"]) -> None:
    """The sheet comes up, however often somebody tries to pay."""
    if not any(isinstance(one, kind) for one in session.overlays):
        session.push(kind(session))


class LookedAt(PlainOverlay):
    """Age, prescription, name: the cashier looks, and says so."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def sheet(self) -> Sheet:
        """One paragraph for each."""
        checkout = self._session.counter.checkout
        names = {
            one.id: name_of(one.names) for one in checkout.basket.pricing.programme.restrictions
        }
        return Sheet(
            kind="looked-at",
            title=say("till.demand.title"),
            parts=tuple(
                Note(_asked(one, names.get(one.restriction, one.restriction)), Tone.ATTENTION)
                for one in checkout.unseen()
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("seen", say("till.demand.seen"), key="Enter", is_primary=True),
            ),
        )

    def press(self, key: Key, values: Values) -> None:
        """Enter says that all was looked at."""
        if key is Key.ENTER:
            self.act("seen", "", values)

    def act(self, name: str, value: str, values: Values) -> None:
        """It is on the record with the sale."""
        del value, values
        if name == "seen":
            checkout = self._session.counter.checkout
            checkout.basket.note_seen(demand_key(one) for one in checkout.unseen())
            self._session.remove(self)
            is_ready_to_pay(self._session)


def _asked(one: Demanded, name: Text) -> Text:
    return say(f"till.demand.{one.demand.value}", name=name, years=one.years)


class ChooseGift(PlainOverlay):
    """Which of several gifts, or none."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def sheet(self) -> Sheet:
        """One offer with its gifts, then the next."""
        basket = self._session.counter.checkout.basket
        return Sheet(
            kind="choose-gift",
            title=say("till.gift.title"),
            parts=gift_parts(self._session, basket.open_choices()[:1], is_numbered=True),
            buttons=(Button("back", say("till.key.back"), key="Esc"),),
        )

    def typed(self, text: str) -> None:
        """A digit chooses the tile that bears it."""
        for part in self.sheet().parts:
            for item in part.items if isinstance(part, Choices) else ():
                if item.trailing == text:
                    self.act("gift", item.value, {})
                    return

    def act(self, name: str, value: str, values: Values) -> None:
        """A tap chooses; after the last choice the sale goes on."""
        del values
        if name == "gift":
            take_gift(self._session, value)
            if not self._session.counter.checkout.basket.open_choices():
                self._session.remove(self)
                is_ready_to_pay(self._session)

"""Members at the counter: looked up by anything, enrolled beside the sale."""

from desktop.presenters import sale_view
from desktop.presenters.intent import Key
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Tone, say
from desktop.presenters.view import Button, Choice, Choices, Field, Fields, Sheet
from desktop.store.members import Member
from shared.errors import DomainError
from shared.ids import MemberId
from shared.points import format_points


class MemberSearch(PlainOverlay):
    """Card, phone, last four digits or part of a name."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._text = ""
        self._found: list[Member] = []
        self._selected = 0

    def sheet(self) -> Sheet:
        """The search field and who was found."""
        programme = self._session.pricing.programme
        rows = tuple(
            Choice(
                member.member_id,
                member.name or "—",
                detail=say("till.member.tail", tail=member.phone_tail or member.card_tail),
                trailing=sale_view.tier_name(programme, member.tier),
                is_selected=index == self._selected,
            )
            for index, member in enumerate(self._found)
        )
        attached = self._session.counter.checkout.basket.state.member is not None
        off = (Button("member-off", say("till.member.off")),) if attached else ()
        return Sheet(
            kind="member-search",
            title=say("till.member.title"),
            parts=(
                Fields((Field("text", say("till.member.search"), is_live=True),)),
                Choices("member", rows, empty=say("till.member.none") if self._text else ""),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                *off,
                Button("enrol", say("till.member.enrol")),
                Button("take", say("till.member.take"), key="Enter", is_primary=True),
            ),
        )

    def edit(self, name: str, text: str) -> None:
        """Search while typing."""
        if name == "text":
            self._text, self._selected = text, 0
            self._found = self._session.till.members.search(text)

    def press(self, key: Key, values: Values) -> None:
        """Enter takes the selected one."""
        if key is Key.ENTER:
            self.edit("text", values.get("text", self._text))
            self._take(self._selected)
        elif key in (Key.UP, Key.DOWN) and self._found:
            step = 1 if key is Key.DOWN else -1
            self._selected = (self._selected + step) % len(self._found)

    def act(self, name: str, value: str, values: Values) -> None:
        """A row or a button."""
        match name:
            case "member":
                member = self._session.till.members.by_id(MemberId(value))
                self._attach(member)
            case "take":
                self.press(Key.ENTER, values)
            case "enrol":
                self._session.pop()
                text = values.get("text", self._text).strip()
                is_phone = text.isdecimal()
                self._session.push(
                    Enrolment(
                        self._session,
                        phone=text if is_phone else "",
                        name="" if is_phone else text,
                    )
                )
            case "member-off":
                self._attach(None)
            case _:
                pass

    def _take(self, index: int) -> None:
        if not self._found:
            self._session.tell(say("till.member.none"), Tone.ATTENTION)
            return
        self._attach(self._found[index])

    def _attach(self, member: Member | None) -> None:
        attach(self._session, member)
        self._session.pop()


def attach(session: Session, member: Member | None) -> None:
    """Price the basket for a member; a points payment already taken goes back first."""
    checkout = session.counter.checkout
    for index, tender in reversed(list(enumerate(checkout.tenders))):
        if tender.tender == "points":
            checkout.withdraw(index)
    checkout.basket.attach(member)
    if member is not None:
        decimals = session.pricing.programme.points.decimals
        points = format_points(member.points, decimals)
        session.tell(say("till.sale.member-found", name=member.name, points=points), Tone.GOOD)


class Enrolment(PlainOverlay):
    """Three fields beside the sale; scanning goes on meanwhile."""

    def __init__(
        self, session: Session, *, card: str = "", phone: str = "", name: str = ""
    ) -> None:
        self._session = session
        self._card = card
        self._phone = phone
        self._name = name

    def sheet(self) -> Sheet:
        """Name, phone, card."""
        return Sheet(
            kind=f"enrolment-{self._card[-6:]}-{self._phone}",
            title=say("till.enrol.title"),
            parts=(
                Fields(
                    (
                        Field("name", say("till.enrol.name"), value=self._name),
                        Field("phone", say("till.enrol.phone"), value=self._phone),
                        Field("card", say("till.enrol.card"), value=self._card),
                    )
                ),
            ),
            buttons=(
                Button("back", say("till.enrol.later"), key="Esc"),
                Button("enrol", say("till.enrol.go"), key="Enter", is_primary=True),
            ),
        )

    def press(self, key: Key, values: Values) -> None:
        """Enter enrols."""
        if key is Key.ENTER:
            self._enrol(values)

    def act(self, name: str, value: str, values: Values) -> None:
        """The button enrols."""
        del value
        if name == "enrol":
            self._enrol(values)

    def _enrol(self, values: Values) -> None:
        session = self._session
        if not values.get("name", "").strip():
            raise DomainError("member-needs-name")
        member = session.till.members.enrol(
            name=values["name"],
            phone=values.get("phone", ""),
            card=values.get("card", ""),
            operator_id=session.signed_in.operator_id,
            tier=session.pricing.programme.tiers.ladder[0].id,
        )
        session.written()
        session.pop()
        attach(session, member)

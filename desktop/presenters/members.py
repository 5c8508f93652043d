"""Members at the counter: looked up by anything, enrolled beside the sale."""

from desktop.presenters import sale_view
from desktop.presenters.elsewhere import ask_member, member_question, members_message
from desktop.presenters.intent import Key, MembersTold, ReceiptTold
from desktop.presenters.profile import ProfileChange
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Message, Text, Tone, say
from desktop.presenters.view import Button, Choice, Choices, Field, Fields, Note, Sheet
from desktop.store.members import Member
from shared.errors import DomainError
from shared.ids import MemberId
from shared.loyalty.member_now import points_now, standing_now
from shared.points import format_points


class MemberSearch(PlainOverlay):
    """Card, phone, last four digits or part of a name."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._text = ""
        self._found: list[Member] = []
        self._selected = 0
        self._asked = ""
        self._answer: Text = ""

    def sheet(self) -> Sheet:
        """The search field and who was found."""
        programme = self._session.pricing.programme
        today = self._session.till.books.today()
        rows = tuple(
            Choice(
                member.member_id,
                member.name or "—",
                detail=say("till.member.tail", tail=member.phone_tail or member.card_tail),
                trailing=sale_view.tier_name(
                    programme, standing_now(member, programme, today).tier
                ),
                is_selected=index == self._selected,
            )
            for index, member in enumerate(self._found)
        )
        attached = self._session.counter.checkout.basket.state.member is not None
        off = (Button("member-off", say("till.member.off")),) if attached else ()
        can_change = self._to_change() is not None
        change = (Button("change", say("till.member.change"), key="F8"),) if can_change else ()
        return Sheet(
            kind="member-search",
            title=say("till.member.title"),
            parts=(
                Fields((Field("text", say("till.member.search"), is_live=True),)),
                Choices("member", rows, empty=self._empty()),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                *off,
                *change,
                Button("enrol", say("till.member.enrol")),
                Button("take", say("till.member.take"), key="Enter", is_primary=True),
            ),
        )

    def _to_change(self) -> Member | None:
        """Whose profile F8 changes: the selected one, else whoever the sale is for."""
        if self._found:
            return self._found[self._selected]
        return None if self._text else self._session.counter.checkout.basket.state.member

    def _empty(self) -> Text:
        if self._answer:
            return self._answer
        if self._asked:
            return say("till.elsewhere.asking-member")
        return say("till.member.none") if self._text else ""

    def edit(self, name: str, text: str) -> None:
        """Search while typing."""
        if name == "text":
            if text != self._text:
                self._asked, self._answer = "", ""
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
        elif key is Key.F8:
            self._change()

    def act(self, name: str, value: str, values: Values) -> None:
        """A row or a button."""
        match name:
            case "member":
                member = self._session.till.members.by_id(MemberId(value))
                self._attach(member)
            case "take":
                self.press(Key.ENTER, values)
            case "change":
                self._change()
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

    def _change(self) -> None:
        member = self._to_change()
        if member is not None:
            self._session.pop()
            self._session.push(ProfileChange(self._session, member))

    def _take(self, index: int) -> None:
        if self._found:
            self._attach(self._found[index])
        elif question := member_question(self._text):
            kind, self._asked = question
            self._answer = ""
            ask_member(self._session, kind, self._asked)
        else:
            self._session.tell(say("till.member.none"), Tone.ATTENTION)

    def answered(self, news: ReceiptTold | MembersTold) -> bool:
        """Whoever was found alone is attached; of several, the cashier chooses."""
        if not isinstance(news, MembersTold) or news.text != self._asked:
            return False
        self._asked = ""
        self._found = list(news.found)
        if len(news.found) == 1 and may_attach(self._session):
            attach(self._session, news.found[0])
            self._session.remove(self)
            return True
        if not news.found:
            self._answer = members_message(news).text
        return True

    def _attach(self, member: Member | None) -> None:
        attach(self._session, member)
        self._session.pop()


def attach(session: Session, member: Member | None) -> None:
    """Price the basket for a member; a points payment already taken goes back first."""
    session.check_quiet()
    checkout = session.counter.checkout
    for index, tender in reversed(list(enumerate(checkout.tenders))):
        if tender.tender == "points":
            checkout.withdraw(index)
    checkout.basket.attach(member)
    if member is not None:
        programme = session.pricing.programme
        held = points_now(member, programme, session.till.books.today())
        points = format_points(held, programme.points.decimals)
        session.tell(say("till.sale.member-found", name=member.name, points=points), Tone.GOOD)


def may_attach(session: Session) -> bool:
    """Whether nobody is attached, and no money was taken or asked for the basket as it is."""
    checkout = session.counter.checkout
    return not (
        checkout.is_tendering or session.in_payment() or checkout.basket.state.member is not None
    )


class Enrolment(PlainOverlay):
    """A few fields beside the sale; scanning goes on meanwhile."""

    def __init__(
        self, session: Session, *, card: str = "", phone: str = "", name: str = ""
    ) -> None:
        self._session = session
        self.card = card
        self._phone = phone
        self._name = name
        self._told: Message | None = None

    def sheet(self) -> Sheet:
        """Name, phone, card, and a birthday where the customer tells it."""
        return Sheet(
            kind=f"enrolment-{self.card[-6:]}-{self._phone}",
            title=say("till.enrol.title"),
            parts=(
                self._note(),
                Fields(
                    (
                        Field("name", say("till.enrol.name"), value=self._name),
                        Field("phone", say("till.enrol.phone"), value=self._phone),
                        Field("card", say("till.enrol.card"), value=self.card),
                        Field("birthday", say("till.enrol.birthday"), is_optional=True),
                        *self._referrer(),
                    )
                ),
            ),
            buttons=(
                Button("back", say("till.enrol.later"), key="Esc"),
                Button("enrol", say("till.enrol.go"), key="Enter", is_primary=True),
            ),
        )

    def _referrer(self) -> tuple[Field, ...]:
        """Asked for where the programme pays for it."""
        if self._session.pricing.programme.referral is None:
            return ()
        return (Field("referred_by", say("till.enrol.referred-by"), is_optional=True),)

    def _note(self) -> Note:
        if self._told is not None:
            return Note(self._told.text, self._told.tone)
        asking = self.card in self._session.asked
        return Note(say("till.elsewhere.asking-member" if asking else "till.enrol.note"))

    def answered(self, news: ReceiptTold | MembersTold) -> bool:
        """Somebody enrolled at another till is attached; the sheet goes."""
        if not isinstance(news, MembersTold) or not self.card or news.text != self.card:
            return False
        if not news.found:
            self._told = members_message(news)
            return True
        self._session.remove(self)
        if not may_attach(self._session):
            return False
        attach(self._session, news.found[0])
        return True

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
            birthday=values.get("birthday", ""),
            referred_by=values.get("referred_by", ""),
            operator_id=session.signed_in.operator_id,
            tier=session.pricing.programme.tiers.ladder[0].id,
        )
        session.written()
        session.pop()
        attach(session, member)

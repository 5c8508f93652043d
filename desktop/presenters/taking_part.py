"""What a member does beside buying: actions that give points, entries of prize draws."""

from desktop.presenters.intent import Key
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.stored_value import refresh
from desktop.presenters.text import Tone, name_of, say
from desktop.presenters.view import Button, Choice, Choices, Field, Fields, Note, Part, Sheet
from desktop.services.stored_value import By
from desktop.store.members import Member
from shared.errors import DomainError
from shared.loyalty.engagement import Action, PrizeDraw
from shared.loyalty.member_now import points_now
from shared.points import format_points
from shared.trade.benefit import ActionCounted, DrawEntered

KEYS = "123456789"


class TakingPart(PlainOverlay):
    """Tiles for what the programme has and the member can still do, numbered for the keys."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def sheet(self) -> Sheet:
        """Actions and draws; without a member, who is missing."""
        member = self._member
        parts: list[Part] = []
        if member is None:
            parts.append(Note(say("till.taking-part.member-first"), Tone.ATTENTION))
        else:
            session = self._session
            held = points_now(member, session.pricing.programme, session.till.books.today())
            points = format_points(held, self._decimals)
            parts.append(Note(say("till.taking-part.has", name=member.name, points=points)))
            parts += self._offers(member)
        return Sheet(
            kind="taking-part",
            title=say("till.menu.taking-part"),
            parts=tuple(parts),
            buttons=(Button("back", say("till.key.back"), key="Esc"),),
        )

    def _offers(self, member: Member) -> list[Part]:
        actions, draws = self._open(member)
        if not actions and not draws:
            return [Note(say("till.taking-part.nothing"))]
        tiles = [
            Choice(
                f"action {one.id}",
                name_of(one.names),
                detail=say("till.taking-part.gives", points=self._points(one.points)),
            )
            for one in actions
        ]
        tiles += [
            Choice(
                f"draw {one.id}",
                name_of(one.names),
                detail=say("till.taking-part.costs", points=self._points(one.entry_points)),
            )
            for one in draws
        ]
        numbered = [
            Choice(one.value, one.title, one.detail, trailing=KEYS[number : number + 1])
            for number, one in enumerate(tiles)
        ]
        return [Choices("take-part", tuple(numbered), columns=2)]

    @property
    def _member(self) -> Member | None:
        return self._session.counter.checkout.basket.state.member

    @property
    def _decimals(self) -> int:
        return self._session.pricing.programme.points.decimals

    def _points(self, points: int) -> str:
        return format_points(points, self._decimals)

    def _open(self, member: Member) -> tuple[list[Action], list[PrizeDraw]]:
        desk, programme = self._session.counter.benefits, self._session.pricing.programme
        return list(desk.actions(programme, member)), list(desk.draws(programme, member))

    def typed(self, text: str) -> None:
        """A tile by its number."""
        member = self._member
        if member is None or text not in KEYS:
            return
        actions, draws = self._open(member)
        names = [f"action {one.id}" for one in actions] + [f"draw {one.id}" for one in draws]
        if KEYS.index(text) < len(names):
            self._take(names[KEYS.index(text)])

    def press(self, key: Key, values: Values) -> None:
        """Enter alone does nothing: it would have to guess what."""

    def act(self, name: str, value: str, values: Values) -> None:
        """A tile."""
        del values
        if name == "take-part":
            self._take(value)

    def _take(self, what: str) -> None:
        session, member = self._session, self._member
        if member is None:
            raise DomainError("taking-part-needs-member")
        kind, _, name = what.partition(" ")
        if kind == "draw":
            rule = next(one for one in session.pricing.programme.draws if one.id == name)
            session.push(Entering(session, member, rule))
            return
        _check_untendered(session)
        by = By(session.shift, session.signed_in.operator_id)
        done = session.counter.benefits.count_action(session.pricing, member, name, by)
        refresh(session, member)
        session.remove(self)
        session.written()
        outcome = done.fact
        assert isinstance(outcome, ActionCounted)
        points = outcome.member.points
        session.tell(
            say(
                "till.taking-part.counted",
                given=self._points(points.earned),
                points=self._points(points.closing),
            ),
            Tone.GOOD,
        )


class Entering(PlainOverlay):
    """How many entries of a draw."""

    def __init__(self, session: Session, member: Member, rule: PrizeDraw) -> None:
        self._session = session
        self._member = member
        self._rule = rule

    def sheet(self) -> Sheet:
        """What an entry costs, and how many."""
        decimals = self._session.pricing.programme.points.decimals
        cost = format_points(self._rule.entry_points, decimals)
        return Sheet(
            kind=f"entering-{self._rule.id}",
            title=name_of(self._rule.names),
            parts=(
                Note(say("till.taking-part.costs", points=cost)),
                Fields((Field("entries", say("till.taking-part.entries"), value="1"),)),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("enter", say("till.taking-part.enter"), key="Enter", is_primary=True),
            ),
        )

    def press(self, key: Key, values: Values) -> None:
        """Enter buys them."""
        if key is Key.ENTER:
            self._enter(values)

    def act(self, name: str, value: str, values: Values) -> None:
        """The button."""
        del value
        if name == "enter":
            self._enter(values)

    def _enter(self, values: Values) -> None:
        session, member = self._session, self._member
        _check_untendered(session)
        by = By(session.shift, session.signed_in.operator_id)
        entries = _count(values.get("entries", "1"))
        done = session.counter.benefits.enter_draw(
            session.pricing, member, self._rule.id, entries, by
        )
        refresh(session, member)
        session.remove(self)
        session.pop()
        session.written()
        outcome = done.fact
        assert isinstance(outcome, DrawEntered)
        decimals = session.pricing.programme.points.decimals
        points = format_points(outcome.member.points.closing, decimals)
        told = say("till.taking-part.entered", entries=outcome.entries, points=points)
        session.tell(told, Tone.GOOD)


def _check_untendered(session: Session) -> None:
    """The points of a basket that is being paid for are not touched."""
    session.check_quiet()
    if session.counter.checkout.is_tendering:
        raise DomainError("tenders-first")


def _count(text: str) -> int:
    """How many entries; DomainError ``bad-entries``."""
    text = text.strip() or "1"
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:6]) <= 9_999 or text[6:]:
        raise DomainError("bad-entries", text=text[:20])
    return int(text)

"""A member's profile changed beside the sale: a new phone, a wrong name, what is agreed to."""

from desktop.presenters.approval import ask
from desktop.presenters.intent import Key
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.stored_value import refresh
from desktop.presenters.text import Text, Tone, say
from desktop.presenters.view import Button, Field, FieldKind, Fields, Sheet
from desktop.services.profiles import ACTION, Edit, consents_of
from desktop.store.members import Member
from shared.language import Language
from shared.trade.consent import Consent
from shared.trade.fact import Approval

YES, NO = "yes", "no"


class ProfileChange(PlainOverlay):
    """The fields that a till may know; those left empty stay as they are."""

    def __init__(self, session: Session, member: Member) -> None:
        self._session = session
        self._member = member

    def sheet(self) -> Sheet:
        """Name, phone, card, birthday, language, and each consent."""
        member = self._member
        languages = tuple((one.value, say(f"till.profile.language.{one}")) for one in Language)
        asked = (("", say("till.profile.language.none")), *languages)
        return Sheet(
            kind=f"profile-{member.member_id}",
            title=say("till.profile.title"),
            parts=(
                Fields(
                    (
                        Field("name", say("till.enrol.name"), value=member.name),
                        Field(
                            "phone",
                            say("till.enrol.phone"),
                            hint=_tail(member.phone_tail),
                            is_optional=True,
                        ),
                        Field(
                            "card",
                            say("till.enrol.card"),
                            hint=_tail(member.card_tail),
                            is_optional=True,
                        ),
                        Field(
                            "birthday",
                            say("till.enrol.birthday"),
                            value=member.birthday.removeprefix("--"),
                            is_optional=True,
                        ),
                        Field(
                            "language",
                            say("till.profile.language"),
                            kind=FieldKind.CHOICE,
                            value=member.language,
                            options=asked,
                            is_optional=True,
                        ),
                        *self._consents(),
                    )
                ),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("save", say("till.profile.save"), key="Enter", is_primary=True),
            ),
        )

    def _consents(self) -> tuple[Field, ...]:
        agreed = consents_of(self._member.consents)
        options = ((NO, say("till.profile.no")), (YES, say("till.profile.yes")))
        return tuple(
            Field(
                one.value,
                say(f"till.profile.consent.{one}"),
                kind=FieldKind.CHOICE,
                value=YES if one in agreed else NO,
                options=options,
                is_optional=True,
            )
            for one in Consent
        )

    def press(self, key: Key, values: Values) -> None:
        """Enter saves."""
        if key is Key.ENTER:
            self._save(values)

    def act(self, name: str, value: str, values: Values) -> None:
        """The button saves."""
        del value
        if name == "save":
            self._save(values)

    def _save(self, values: Values) -> None:
        session = self._session
        edit = session.till.profiles.edit(
            self._member,
            name=values.get("name", ""),
            phone=values.get("phone", ""),
            card=values.get("card", ""),
            birthday=values.get("birthday", ""),
            language=values.get("language", ""),
            consents={one: values[one] == YES for one in Consent if one in values},
        )
        if edit.replaces:
            what = say("till.profile.approve", name=self._member.name)
            ask(session, action=ACTION, what=what, amount=0, then=lambda by: self._write(edit, by))
        else:
            self._write(edit, None)

    def _write(self, edit: Edit, approval: Approval | None) -> None:
        session = self._session
        operator = session.signed_in.operator_id
        changed = session.till.profiles.write(
            edit, operator_id=operator, approvals=(approval,) if approval else ()
        )
        refresh(session, changed)
        session.remove(self)
        session.written()
        told = "till.profile.same" if edit.is_empty else "till.profile.saved"
        session.tell(say(told, name=changed.name), Tone.GOOD)


def _tail(tail: str) -> Text:
    return say("till.member.tail", tail=tail) if tail else ""

"""What stands on the shop's papers: fields and blocks, with the paper itself beside them."""

from typing import Final

import msgspec

from desktop.presenters.approval import ask
from desktop.presenters.intent import Key
from desktop.presenters.printer_test import PrinterTest
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Tone, say
from desktop.presenters.view import (
    Button,
    Choice,
    Choices,
    Field,
    Fields,
    Picture,
    Sheet,
)
from desktop.services.paper import issue_now
from desktop.services.receipt_form import ACTION
from shared.receipt.document import Document
from shared.receipt.form import LANGUAGES, PLAIN, TEXTS
from shared.receipt.issue import Issue, Part
from shared.receipt.sample import sample_receipt
from shared.receipt.trial import trial_page
from shared.receipt.voice import PaperLanguage
from shared.trade.fact import Approval
from shared.trade.paper import ReceiptForm

WIDTHS: Final = (32, 42, 48)
_AT_END: Final = frozenset({"conditions", "greeting", "web", "invoice", Part.CODE.value})
"""Fields and blocks that stand at the end of the paper."""
_PATH: Final = "."
"""Between a field and its language."""


class ReceiptFormSheet(PlainOverlay):
    """Every change is seen on the paper at once; nothing is used before it is saved."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._form = session.till.receipt_form.form
        self._columns = session.till.paper_columns()
        self._paper_language = PaperLanguage(session.till.books.paper_language)
        self._picture = b""
        self._at_end = False
        self._draw()

    def sheet(self) -> Sheet:
        """Fields, blocks and paper."""
        return Sheet(
            kind="receipt-form",
            title=say("till.form.title"),
            parts=(
                Fields(tuple(self._fields()), columns=2),
                Choices("part", tuple(self._blocks()), columns=4, is_compact=True),
                Choices("paper", (*self._widths(), *self._languages()), columns=6, is_compact=True),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("test", say("till.form.test")),
                Button("printer-test", say("till.printer-test.title")),
                Button("save", say("till.form.save"), key="Enter", is_primary=True),
            ),
            aside=Picture(self._picture, say("till.form.paper"), shows_end=self._at_end),
        )

    def _fields(self) -> list[Field]:
        texts = [
            Field(
                f"{field}{_PATH}{language}",
                say(f"till.form.{field}.{language}"),
                value=getattr(self._form, field).get(language, ""),
                is_live=True,
                is_optional=True,
            )
            for field in TEXTS
            for language in LANGUAGES
        ]
        plain = [
            Field(
                field,
                say(f"till.form.{field}"),
                value=getattr(self._form, field),
                is_live=True,
                is_optional=True,
            )
            for field in PLAIN
        ]
        return texts + plain

    def _blocks(self) -> list[Choice]:
        return [
            Choice(
                part.value,
                say(f"till.form.part.{part}"),
                trailing="" if part in self._form.left_out else "✓",
                is_selected=part not in self._form.left_out,
            )
            for part in Part
        ]

    def _widths(self) -> list[Choice]:
        return [
            Choice(
                str(columns),
                say("till.form.columns", count=columns),
                is_selected=columns == self._columns,
            )
            for columns in WIDTHS
        ]

    def _languages(self) -> list[Choice]:
        return [
            Choice(one.value, say(f"till.form.in.{one}"), is_selected=one is self._paper_language)
            for one in PaperLanguage
        ]

    def edit(self, name: str, text: str) -> None:
        """A field changed: the paper shows it."""
        self._form = _with(self._form, name, text)
        self._at_end = name.partition(_PATH)[0] in _AT_END
        self._draw()

    def press(self, key: Key, values: Values) -> None:
        """Enter saves."""
        if key is Key.ENTER:
            self._save(values)

    def act(self, name: str, value: str, values: Values) -> None:
        """A block on or off, another paper, the buttons."""
        match name:
            case "part":
                self._toggle(value)
                self._at_end = value in _AT_END
            case "paper" if value.isdecimal():
                self._columns = int(value)
            case "paper":
                self._paper_language = PaperLanguage(value)
            case "test":
                session = self._session
                session.till.print_page(trial_page(self._issue()), "paper.title.test")
                session.tell(say("till.form.tested"), Tone.GOOD)
                return
            case "printer-test":
                self._session.push(PrinterTest(self._session))
                return
            case "save":
                self._save(values)
                return
            case _:
                return
        self._draw()

    def _toggle(self, part: str) -> None:
        out = self._form.left_out
        left = tuple(one for one in out if one != part) if part in out else (*out, part)
        self._form = msgspec.structs.replace(self._form, left_out=left)

    def _draw(self) -> None:
        document = self._document()
        self._picture = self._session.till.paper_picture(document, self._columns, self._form.logo)

    def _document(self) -> Document:
        return sample_receipt(self._issue(), self._session.pricing.programme.currency)

    def _issue(self) -> Issue:
        session = self._session
        return issue_now(
            session.till.books,
            session.till.receipt_form.shop(self._form),
            operator_label=session.signed_in.name,
            language=self._paper_language,
        )

    def _save(self, values: Values) -> None:
        session, wanted = self._session, self._form
        for name, text in values.items():
            wanted = _with(wanted, name, text)
        wanted = session.till.receipt_form.checked(wanted)
        session.till.check_logo(wanted.logo)

        def write(*approvals: Approval) -> None:
            session.till.receipt_form.change(
                wanted, operator_id=session.signed_in.operator_id, approvals=approvals
            )
            session.remove(self)
            session.written()
            session.tell(say("till.form.saved"), Tone.GOOD)

        ask(session, action=ACTION, what=say("till.form.approve"), amount=0, then=write)


def _with(form: ReceiptForm, name: str, text: str) -> ReceiptForm:
    """The form with one field as it was typed."""
    field, _, language = name.partition(_PATH)
    if not language:
        return msgspec.structs.replace(form, **{field: text})
    texts = {**getattr(form, field), language: text}
    return msgspec.structs.replace(form, **{field: {k: v for k, v in texts.items() if v}})

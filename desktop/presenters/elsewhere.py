"""Asking the server about what is not here, while the cashier goes on.

An answer acts where somebody still waits for it; anywhere else it is only told, so that it never
changes a sale it was not asked for, nor puts a sheet under somebody's hands.
"""

from desktop.presenters.intent import MembersTold, ReceiptTold
from desktop.presenters.session import Session
from desktop.presenters.text import Message, Text, Tone, error_text, say
from desktop.store.members import Member
from shared.catalogue.card_numbers import holds_card_number
from shared.catalogue.codes import MemberCode, PaymentCard, classify
from shared.errors import EnvironmentFault, EvertillError
from shared.returning.sold import ReturnableSale
from shared.trade.profile import KeyKind, normalize_phone

PHONE_DIGITS_MIN = 7
"""Fewer are the last digits of a number; the server finds whole numbers only."""


def ask_receipt(session: Session, receipt_no: str) -> None:
    """Ask for a receipt of another till; once, however often it is scanned meanwhile."""
    if not session.begin_asking(receipt_no):
        return

    def tell(sold: ReturnableSale) -> None:
        session.post(ReceiptTold(receipt_no, sold=sold))

    def failed(error: EvertillError) -> None:
        session.post(ReceiptTold(receipt_no, error=error))

    session.till.elsewhere.find_receipt(receipt_no, tell=tell, failed=failed)


def ask_member(session: Session, kind: KeyKind, text: str) -> None:
    """Ask for a member by card or phone; once, however often."""
    if not session.begin_asking(text):
        return

    def tell(found: list[Member]) -> None:
        session.post(MembersTold(text, found=tuple(found)))

    def failed(error: EvertillError) -> None:
        session.post(MembersTold(text, error=error))

    session.till.elsewhere.find_member(kind, text, tell=tell, failed=failed)


def member_question(text: str) -> tuple[KeyKind, str] | None:
    """What a typed text can be asked as; None where it is part of a name or of a number."""
    code = classify(text)
    if isinstance(code, MemberCode):
        return KeyKind.CARD, code.code
    if isinstance(code, PaymentCard) or holds_card_number(text):
        return None  # not even its hash leaves the till
    plain = text.replace(" ", "").replace("-", "").removeprefix("+")
    if plain.isdecimal() and len(normalize_phone(plain)) >= PHONE_DIGITS_MIN:
        return KeyKind.PHONE, normalize_phone(plain)
    return None


def told(session: Session, news: ReceiptTold | MembersTold) -> None:
    """An answer came: to the overlay that waits for it, else as a message."""
    session.end_asking(news.receipt_no if isinstance(news, ReceiptTold) else news.text)
    if session.operator is None:
        return
    if any(overlay.answered(news) for overlay in reversed(session.overlays)):
        return
    if isinstance(news, ReceiptTold):
        session.found_receipt = news.sold or session.found_receipt
        message = receipt_message(news)
        session.tell(message.text, message.tone)
    elif news.found:
        # Whoever went on without a member has no use for hearing that there is none.
        message = members_message(news)
        session.tell(message.text, message.tone)


def receipt_message(news: ReceiptTold) -> Message:
    """What became of a question for a receipt, and what can be done instead."""
    number = news.receipt_no
    if news.sold is not None:
        return Message(say("till.elsewhere.receipt-found", receipt_no=number), Tone.GOOD)
    if isinstance(news.error, EnvironmentFault):
        return Message(say("till.elsewhere.receipt-offline", receipt_no=number), Tone.ATTENTION)
    return Message(
        _why(news.error, say("till.elsewhere.no-receipt", receipt_no=number)), Tone.REFUSED
    )


def members_message(news: MembersTold) -> Message:
    """What became of a question for a member, and what can be done instead."""
    if news.found:
        return Message(say("till.elsewhere.member-found", name=news.found[0].name), Tone.GOOD)
    if isinstance(news.error, EnvironmentFault):
        return Message(say("till.elsewhere.member-offline"), Tone.ATTENTION)
    return Message(_why(news.error, say("till.elsewhere.no-member")), Tone.ATTENTION)


def _why(error: EvertillError | None, nobody_has_it: Text) -> Text:
    if error is None or error.code == "unknown-receipt":
        return nobody_has_it
    return error_text(error)

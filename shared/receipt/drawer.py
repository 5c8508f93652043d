"""Slips of the till itself: held sale, enrolment, cash movement."""

from shared.money import Currency
from shared.receipt.document import (
    Align,
    Document,
    Feed,
    Item,
    Pair,
    Rule,
    Style,
    Text,
)
from shared.receipt.issue import Issue
from shared.receipt.parts import HEAVY, foot, head
from shared.receipt.points import tier_name
from shared.receipt.voice import amount, full_amount, quantity
from shared.trade.till import (
    BasketHeld,
    CashDirection,
    CashMoved,
    MemberEnrolled,
)


def held_slip(held: BasketHeld, issue: Issue) -> Document:
    """A slip to find a held basket by; it is no receipt and says so."""
    currency, voice = Currency(held.currency), issue.voice
    blocks = head(issue, title="paper.title.held")
    for line in held.lines:
        names = issue.names.goods.get(line.goods_id, {})
        count = quantity(line.quantity, line.measure)
        name = voice.name(names, otherwise=line.goods_id)
        blocks.append(Item(name, f"×{count}", amount(line.amount, currency)))
    blocks += [
        HEAVY,
        Pair(voice.say("paper.held-total"), full_amount(held.total, currency), Style.TALL),
        *(Text(line, Align.CENTER) for line in voice.tell("paper.not-a-receipt")),
    ]
    return Document((*blocks, *foot(issue, with_conditions=False)))


def enrolment_slip(enrolled: MemberEnrolled, issue: Issue) -> Document:
    """A welcome with what was agreed."""
    voice, face = issue.voice, issue.member
    blocks = head(issue, title="paper.title.enrolment")
    if face and face.masked_name:
        blocks.append(Pair(voice.say("paper.member"), face.masked_name))
    if face and face.masked_card:
        blocks.append(Pair(voice.say("paper.card"), face.masked_card))
    blocks.append(Pair(voice.say("paper.tier"), tier_name(issue, enrolled.tier), Style.STRONG))
    agreed = voice.tell("paper.terms-accepted", version=enrolled.terms_version)
    blocks += [Text(line) for line in agreed]
    return Document((*blocks, Rule(), *foot(issue, with_conditions=True)))


def cash_slip(moved: CashMoved, issue: Issue) -> Document:
    """Cash in or out, with a line to sign on."""
    currency, voice = Currency(moved.currency), issue.voice
    blocks = head(issue, title=f"paper.title.{moved.direction}")
    figure = moved.amount if moved.direction is CashDirection.PAID_IN else -moved.amount
    blocks += [
        Pair(voice.say("paper.amount"), full_amount(figure, currency), Style.LARGE),
        Pair(voice.say("paper.reason"), voice.reason(moved.reason)),
        Feed(2),
        Text(voice.say("paper.signature") + " " + "_" * 16),
    ]
    return Document((*blocks, *foot(issue, with_conditions=False)))

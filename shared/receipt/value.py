"""Papers of stored value and gift cards: paid in, sold, paid out."""

from shared.loyalty.prepaid_tax import tax_in
from shared.money import Currency
from shared.points import format_points
from shared.receipt.document import (
    Align,
    Block,
    Document,
    Feed,
    Pair,
    Qr,
    Rule,
    Style,
    Text,
)
from shared.receipt.issue import Issue
from shared.receipt.parts import HEAVY, coupons, foot, head, tax_table, tenders
from shared.receipt.voice import amount, full_amount
from shared.trade.value import GiftCardClosed, GiftCardSold, ValueClosed, ValueToppedUp

CODE_GROUP = 4
CODE_GROUPS_IN_ROW = 4


def top_up_slip(fact: ValueToppedUp, issue: Issue) -> Document:
    """What was paid in, what came on top, and what there is now."""
    currency, voice = Currency(fact.currency), issue.voice
    title = "paper.title.top-up"
    blocks = head(issue, title=title, number=fact.receipt_no, training=fact.training)
    blocks += _member(issue)
    blocks.append(
        Pair(voice.say("paper.value.paid-in"), full_amount(fact.amount, currency), Style.LARGE)
    )
    if fact.names:
        blocks.append(Text(voice.name(fact.names)))
    if fact.bonus:
        blocks.append(Pair(voice.say("paper.value.bonus"), amount(fact.bonus, currency)))
    if fact.points:
        points = format_points(fact.points, fact.points_decimals)
        blocks.append(Pair(voice.say("paper.value.points"), points))
    blocks.append(Rule())
    blocks += tenders(issue, fact.tenders, currency, decimals=fact.points_decimals)
    blocks.append(HEAVY)
    blocks += _balance(issue, fact, currency)
    blocks += coupons(issue, fact.coupons_issued)
    return Document((*blocks, Rule(), *foot(issue, with_conditions=True)))


def _balance(issue: Issue, fact: ValueToppedUp, currency: Currency) -> list[Block]:
    voice, after = issue.voice, fact.after
    star = " *" if after.offline else ""
    blocks: list[Block] = [
        Pair(voice.say("paper.value.principal"), amount(after.principal, currency)),
        Pair(voice.say("paper.value.bonus-left"), amount(after.bonus, currency)),
        Pair(
            voice.say("paper.value.balance"),
            full_amount(after.principal + after.bonus, currency) + star,
            Style.STRONG,
        ),
    ]
    if after.offline:
        blocks += [Text(line) for line in voice.tell("paper.value.offline")]
    return blocks


def value_closed_slip(fact: ValueClosed, issue: Issue) -> Document:
    """What was paid out and what is forfeited, with a line to sign on."""
    currency, voice = Currency(fact.currency), issue.voice
    blocks = head(issue, title="paper.title.value-closed", number=fact.receipt_no)
    blocks += _member(issue)
    blocks.append(
        Pair(voice.say("paper.paid-out"), full_amount(fact.principal, currency), Style.LARGE)
    )
    if fact.forfeited:
        forfeited = amount(fact.forfeited, currency)
        blocks.append(Pair(voice.say("paper.value.forfeited"), forfeited))
    return Document((*blocks, *_signature(issue), *foot(issue, with_conditions=False)))


def card_sold_slip(fact: GiftCardSold, issue: Issue) -> Document:
    """The gift card itself where its code was made here: whoever has the paper has the money."""
    currency, voice = Currency(fact.currency), issue.voice
    blocks = head(issue, title="paper.title.gift-card", number=fact.receipt_no)
    blocks.append(Pair(voice.say("paper.amount"), full_amount(fact.amount, currency), Style.LARGE))
    if fact.last_day:
        blocks.append(Pair(voice.say("paper.value.valid-until"), fact.last_day))
    blocks.append(Rule())
    blocks += tenders(issue, fact.tenders, currency, decimals=0)
    blocks += tax_table(issue, fact.taxes, currency)
    if fact.taxes:
        blocks += [Text(line) for line in voice.tell("paper.value.taxed-now")]
    code = issue.names.gift_card_code
    if code:
        told = voice.tell("paper.value.bearer")
        blocks += [Rule(), *(Text(line) for line in told), Feed(1), Qr(code), *_digits(code)]
    elif issue.copy:
        blocks += [Text(line) for line in voice.tell("paper.value.no-code-on-copy")]
    return Document((*blocks, Rule(), *foot(issue, with_conditions=True)))


def _digits(code: str) -> list[Block]:
    """To be typed where no scanner reads it: too many digits for a bar code on 58 mm paper."""
    groups = [code[at : at + CODE_GROUP] for at in range(0, len(code), CODE_GROUP)]
    rows = (groups[:CODE_GROUPS_IN_ROW], groups[CODE_GROUPS_IN_ROW:])
    return [Text(" ".join(row), Align.CENTER) for row in rows]


def card_closed_slip(fact: GiftCardClosed, issue: Issue) -> Document:
    """What was left on a card and was paid out."""
    currency, voice = Currency(fact.currency), issue.voice
    blocks = head(issue, title="paper.title.card-closed", number=fact.receipt_no)
    blocks.append(
        Pair(voice.say("paper.paid-out"), full_amount(fact.amount, currency), Style.LARGE)
    )
    if tax := tax_in(fact.taxes):
        blocks.append(Pair(voice.say("paper.tax.in-card"), amount(tax, currency)))
    return Document((*blocks, *_signature(issue), *foot(issue, with_conditions=False)))


def _member(issue: Issue) -> list[Block]:
    voice, face = issue.voice, issue.member
    if face is None:
        return []
    blocks: list[Block] = [Pair(voice.say("paper.member"), face.masked_name)]
    if face.masked_card:
        blocks.append(Pair(voice.say("paper.card"), face.masked_card))
    return blocks


def _signature(issue: Issue) -> list[Block]:
    return [Feed(2), Text(issue.voice.say("paper.signature") + " " + "_" * 16)]

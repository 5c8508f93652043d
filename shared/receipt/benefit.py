"""Papers of what members do beside buying."""

from shared.money import Currency
from shared.receipt.document import Block, Document, Pair, Rule, Style, Text
from shared.receipt.issue import Issue
from shared.receipt.parts import foot, head
from shared.receipt.points import member_part
from shared.trade.benefit import ActionCounted, DrawEntered
from shared.trade.fact import MemberOutcome


def action_slip(fact: ActionCounted, issue: Issue) -> Document:
    """What was counted, and the points that it gave."""
    blocks = head(issue, title="paper.title.action", number=fact.receipt_no)
    blocks.append(Text(issue.voice.name(fact.names, otherwise=fact.action), style=Style.STRONG))
    return _with_member(issue, blocks, fact.member, fact.currency)


def draw_slip(fact: DrawEntered, issue: Issue) -> Document:
    """The entries that were bought, and what the points are now."""
    voice = issue.voice
    blocks = head(issue, title="paper.title.draw", number=fact.receipt_no)
    name = voice.name(fact.names, otherwise=fact.draw)
    blocks.append(Pair(name, voice.say("paper.draw-entries", count=fact.entries), Style.STRONG))
    return _with_member(issue, blocks, fact.member, fact.currency)


def _with_member(
    issue: Issue, blocks: list[Block], member: MemberOutcome, currency: str
) -> Document:
    told = member_part(issue, member, Currency(currency))
    return Document((*blocks, *told, Rule(), *foot(issue, with_conditions=False)))

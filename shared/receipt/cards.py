"""What a receipt tells of visit cards: how far they are, what a sale or a return did to them."""

from collections.abc import Iterable

from shared.receipt.document import Block, Pair, Style, Text
from shared.receipt.issue import Issue, Part
from shared.receipt.voice import signed
from shared.trade.fact import CardStamped, CardTakenBack


def stamped_cards(issue: Issue, cards: Iterable[CardStamped]) -> list[Block]:
    """Each card with the stamps it has now, those that are new, and how many are full."""
    voice = issue.voice
    blocks: list[Block] = []
    for card in cards if issue.shows(Part.CARDS) else ():
        count = voice.say("paper.card-count", stamps=card.after, size=card.size)
        new = f" ({signed(str(card.added))})" if card.added else ""
        blocks.append(Pair(voice.name(card.names, otherwise=card.card), count + new))
        if card.filled:
            told = voice.tell("paper.card-full", count=card.filled)
            blocks += [Text(line, style=Style.STRONG) for line in told]
    return blocks


def cards_taken_back(issue: Issue, cards: Iterable[CardTakenBack]) -> list[Block]:
    """Stamps that go with the goods, and the cards that are not full any more."""
    voice = issue.voice
    blocks: list[Block] = []
    for card in cards:
        name = voice.name(card.names, otherwise=card.card)
        if card.taken:
            count = voice.say("paper.card-stamps", stamps=signed(str(-card.taken)))
            blocks.append(Pair(name, count))
        if card.reopened:
            told = voice.tell("paper.card-reopened", card=card.names or {"": card.card})
            blocks += [Text(line) for line in told]
    return blocks

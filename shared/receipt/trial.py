"""A page that shows what the printer makes of the shop's papers."""

from shared.receipt.document import (
    Align,
    Barcode,
    Block,
    Document,
    Pair,
    Qr,
    Rule,
    Style,
    Symbology,
    Text,
)
from shared.receipt.issue import Issue
from shared.receipt.parts import HEAVY, foot, head
from shared.receipt.verification import DIGITS

SIGNS = "¥ £ € é “引号” ‘’ × — … ① ㎡"
WIDTHS = (32, 42, 48)
SAMPLE_DIGITS = "0" * DIGITS
SAMPLE_EAN = "6901234567892"
SAMPLE_WEB = "https://receipts.example"


def trial_page(issue: Issue) -> Document:
    """Widths, styles, signs, codes: each named, so that somebody can see what is missing."""
    voice = issue.voice
    blocks: list[Block] = head(issue, title="paper.title.test")
    blocks += [Text(line) for line in voice.tell("paper.test.widths")]
    blocks += [Text(_ruler(columns)) for columns in WIDTHS]
    blocks += [Rule(), Pair(voice.say("paper.test.normal"), "1,234.50")]
    for style in (Style.STRONG, Style.TALL, Style.LARGE):
        blocks.append(Pair(voice.say(f"paper.test.{style}"), "9.50", style))
    blocks += [HEAVY, Text(SIGNS), Rule()]
    blocks += [Text(line, Align.CENTER) for line in voice.tell("paper.test.codes")]
    blocks += [Barcode(SAMPLE_DIGITS), Barcode(SAMPLE_EAN, Symbology.EAN)]
    blocks.append(Qr(issue.shop.web or SAMPLE_WEB))
    return Document((*blocks, Rule(), *foot(issue, with_conditions=True)))


def _ruler(columns: int) -> str:
    """As long as the paper is wide: ``32------…|``; on narrower paper it goes on below."""
    name = str(columns)
    return name + "-" * (columns - len(name) - 1) + "|"

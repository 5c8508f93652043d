"""Parts that several receipts share: head, foot, payments, tax table."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from shared.loyalty.prepaid_tax import tax_in
from shared.money import Currency
from shared.points import format_points
from shared.receipt.document import (
    Align,
    Barcode,
    Block,
    Cut,
    Document,
    Feed,
    Heading,
    Logo,
    Pair,
    Qr,
    Rule,
    RuleKind,
    Style,
    Table,
    Text,
)
from shared.receipt.issue import Issue, Part
from shared.receipt.verification import in_groups, receipt_address
from shared.receipt.voice import amount, percent
from shared.trade.fact import CouponIssued, TaxTotal, Tender, TenderKind

THIN = Rule()
HEAVY = Rule(RuleKind.HEAVY)
COPY_MARK = "副本 COPY"
"""On every copy, whatever its language: an original never bears it."""


def head(
    issue: Issue,
    *,
    title: str = "",
    number: str = "",
    number_key: str = "paper.receipt-number",
    training: bool = False,
) -> list[Block]:
    """Shop, title, COPY mark, number, till, operator, time with zone."""
    voice, shop = issue.voice, issue.shop
    blocks: list[Block] = [Logo()] if issue.shows(Part.LOGO) else []
    blocks += [Heading(name) for name in voice.names(shop.names)]
    blocks += [Text(line, Align.CENTER) for line in voice.names(shop.address)]
    if shop.phone:
        blocks.append(Text(f"{voice.say('paper.phone')} {shop.phone}", Align.CENTER))
    if shop.tax_number:
        blocks.append(Text(f"{voice.say('paper.tax-number')} {shop.tax_number}", Align.CENTER))
    blocks += marks(issue, title=title, training=training)
    blocks.append(THIN)
    if number:
        blocks.append(Pair(voice.say(number_key), number))
    if issue.business_date:
        blocks.append(Pair(voice.say("paper.business-date"), issue.business_date))
    return [
        *blocks,
        Pair(voice.say("paper.time"), voice.time(issue.occurred_at)),
        Pair(voice.say("paper.till"), issue.till_label),
        Pair(voice.say("paper.operator"), issue.operator_label),
        THIN,
    ]


def marks(issue: Issue, *, title: str, training: bool) -> list[Block]:
    """What kind of paper this is: its title, a copy, a training."""
    voice = issue.voice
    blocks: list[Block] = []
    if title:
        blocks += [Text(line, Align.CENTER, Style.LARGE) for line in voice.tell(title)]
    if issue.copy:
        blocks.append(_copy_mark(issue.copy))
    if training:
        blocks += [Text(line, Align.CENTER, Style.STRONG) for line in voice.tell("paper.training")]
    return blocks


def _copy_mark(number: int) -> Text:
    return Text(f"{COPY_MARK} {number}", Align.CENTER, Style.LARGE)


def as_copy(document: Document, number: int) -> Document:
    """A paper that was made before, marked as its copy of this number; 0 is no copy."""
    return Document((_copy_mark(number), *document.blocks)) if number else document


def foot(issue: Issue, *, with_conditions: bool, invoice_total: str = "") -> list[Block]:
    """Conditions, greeting, barcode, the mark of the hash, the codes for the web, the cut.

    ``invoice_total`` is the amount an e-invoice may be asked for; empty where for none.
    """
    voice = issue.voice
    blocks: list[Block] = []
    if with_conditions and issue.shows(Part.CONDITIONS):
        blocks += [Text(line, Align.CENTER) for line in voice.names(issue.shop.conditions)]
    if with_conditions and issue.shows(Part.GREETING):
        blocks += [
            Text(line, Align.CENTER, Style.STRONG) for line in voice.names(issue.shop.greeting)
        ]
    if issue.barcode:
        blocks += [Feed(1), Barcode(issue.barcode)]
    if issue.hash_mark:
        mark = f"{voice.say('paper.hash')} {issue.hash_mark}"
        blocks.append(Text(mark, Align.CENTER))
    if issue.code:
        blocks += _look_up(issue) + _invoice(issue, invoice_total)
    return [*blocks, Feed(2), Cut()]


def _look_up(issue: Issue) -> list[Block]:
    """The code that shows this receipt on the web to whoever holds it."""
    if not issue.shows(Part.CODE):
        return []
    voice, web = issue.voice, issue.shop.web
    code = f"{voice.say('paper.code')} {in_groups(issue.code)}"
    blocks: list[Block] = [Text(code, Align.CENTER)]
    if web:
        blocks += [Text(line, Align.CENTER) for line in voice.tell("paper.code-scan")]
        blocks.append(Qr(receipt_address(web, issue.barcode, issue.code)))
    return blocks


def _invoice(issue: Issue, total: str) -> list[Block]:
    """Where the customer asks for an e-invoice."""
    if not issue.shop.invoice or not total:
        return []
    address = issue.shop.invoice
    for place, text in (("number", issue.barcode), ("code", issue.code), ("total", total)):
        address = address.replace("{" + place + "}", text)
    told = issue.voice.tell("paper.invoice-scan")
    return [Rule(), *(Text(line, Align.CENTER) for line in told), Qr(address)]


def tenders(
    issue: Issue, given: Iterable[Tender], currency: Currency, *, decimals: int
) -> list[Block]:
    """Each payment; with what was given and the change."""
    voice = issue.voice
    blocks: list[Block] = []
    for tender in given:
        label = tender_label(issue, tender, decimals=decimals)
        shows_given = tender.given > 0
        if tender.amount < 0:
            blocks.append(Pair(voice.say("paper.paid-out"), amount(-tender.amount, currency)))
            continue
        paid = tender.given if shows_given else tender.amount
        blocks.append(Pair(label, amount(paid, currency)))
        if tender.reference and tender.tender is not TenderKind.GIFT_CARD:
            blocks.append(Text(tender.reference, indent=2))
        if tender.left is not None:
            left = amount(tender.left, currency)
            blocks.append(Pair(voice.say("paper.value.left"), left, indent=2))
        if prepaid := tax_in(tender.prepaid):
            tax = amount(prepaid, currency)
            blocks.append(Pair(voice.say("paper.tax.prepaid"), tax, indent=2))
        if shows_given and tender.change:
            change = amount(tender.change, currency)
            blocks.append(Pair(voice.say("paper.change"), change, Style.STRONG))
    return blocks


def tender_label(issue: Issue, tender: Tender, *, decimals: int) -> str:
    """``现金``, ``微信``, ``积分 (500)``."""
    kind = "exchange" if tender.is_set_off else tender.tender.value
    label = issue.voice.say(f"paper.tender.{kind}")
    if tender.provider:
        label += f" {tender.provider}"
    if tender.points:
        label += f" ({format_points(tender.points, decimals)})"
    return label


def tax_table(issue: Issue, taxes: Sequence[TaxTotal], currency: Currency) -> list[Block]:
    """Rate, net, tax and gross of every tax class."""
    if not taxes:
        return []
    voice = issue.voice
    columns = [voice.tell(f"paper.tax.{column}") for column in ("rate", "net", "tax", "gross")]
    header = tuple(zip_longest(*columns, fillvalue=""))
    rows = tuple(
        (
            _tax_label(issue, row),
            amount(row.net, currency),
            amount(row.tax, currency),
            amount(row.net + row.tax, currency),
        )
        for row in taxes
    )
    return [THIN, Table((*header, *rows))]


def _tax_label(issue: Issue, row: TaxTotal) -> str:
    names = issue.names.tax_components.get(row.component, {})
    return f"{issue.voice.name(names)} {percent(row.rate_ppm)}".strip()


def coupons(issue: Issue, issued: Iterable[CouponIssued]) -> list[Block]:
    """Coupons for a later sale, each with its code."""
    return [block for coupon in issued for block in (Rule(), *coupon_block(issue, coupon))]


def coupon_block(issue: Issue, coupon: CouponIssued) -> list[Block]:
    """What it gives, when it is good, and its code."""
    voice = issue.voice
    name = issue.names.offers.get(coupon.offer_id) or {"": coupon.offer_id}
    told = voice.tell("paper.coupon", name=name)
    valid = voice.tell("paper.coupon-validity", start=coupon.valid_from, end=coupon.valid_until)
    blocks: list[Block] = [Text(line, style=Style.STRONG) for line in told]
    blocks += [Text(line) for line in valid]
    code = issue.names.coupon_codes.get(coupon.coupon_id)
    return [*blocks, Feed(1), Barcode(code)] if code else blocks

"""Receipts of a sale and of a return."""

from collections.abc import Iterable
from dataclasses import replace

from shared.money import Currency
from shared.pricing.sale_lines import BASKET_DISCOUNT, HAND_DISCOUNT, HAND_DISCOUNTS
from shared.receipt.cards import cards_taken_back, stamped_cards
from shared.receipt.document import Block, Document, Item, Pair, Rule, Style, Text
from shared.receipt.fiscal import fiscal_part
from shared.receipt.issue import Exchanged, Issue, Names, Part
from shared.receipt.parts import HEAVY, coupons, foot, head, tax_table, tenders
from shared.receipt.points import member_part
from shared.receipt.voice import amount, full_amount, quantity
from shared.trade.fact import LineDiscount, Measure, PriceSource
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned


def sale_receipt(sale: SaleCompleted, issue: Issue) -> Document:
    """The receipt a customer takes home, and can check with a pencil."""
    currency = Currency(sale.currency)
    decimals = sale.member.points.decimals if sale.member else 0
    title = "paper.title.exchange" if issue.exchange else ""
    blocks = head(issue, title=title, number=sale.receipt_no, training=sale.training)
    for line in sale.lines:
        blocks += _line(issue, sale, line, currency)
    blocks += _sums(issue, sale, currency)
    blocks += tenders(issue, sale.tenders, currency, decimals=decimals)
    blocks += tax_table(issue, sale.taxes, currency)
    if issue.exchange:
        blocks += _exchanged(issue, issue.exchange, sale, currency)
    if sale.member:
        blocks += member_part(issue, sale.member, currency)
    blocks += stamped_cards(issue, sale.cards)
    blocks += coupons(issue, sale.coupons_issued)
    blocks += fiscal_part(issue, sale.fiscal)
    total = sale.total + sale.rounding
    invoiced = amount(total, currency) if total > 0 and not sale.training else ""
    closing = foot(issue, with_conditions=True, invoice_total=invoiced.replace(",", ""))
    return Document((*blocks, Rule(), *closing))


def return_receipt(returned: SaleReturned, issue: Issue) -> Document:
    """What came back and what was paid out for it."""
    blocks = head(issue, title="paper.title.return", number=returned.receipt_no)
    blocks += _came_back(issue, returned)
    return Document((*blocks, Rule(), *foot(issue, with_conditions=False)))


def _came_back(issue: Issue, returned: SaleReturned) -> list[Block]:
    """The lines, the refund, and what it took back."""
    currency, voice = Currency(returned.currency), issue.voice
    decimals = returned.member.points.decimals if returned.member else 0
    blocks: list[Block] = []
    if returned.original_receipt_no:
        blocks.append(Pair(voice.say("paper.original-receipt"), returned.original_receipt_no))
    else:
        blocks += [Text(line) for line in voice.tell("paper.without-receipt")]
    has_goods = any(line.quantity for line in returned.lines)
    for line in returned.lines:
        blocks += _returned_line(issue, line, currency, has_goods=has_goods)
    refund = returned.total + returned.rounding
    blocks.append(HEAVY)
    if returned.rounding:
        blocks.append(Pair(voice.say("paper.returned"), amount(returned.total, currency)))
        blocks.append(Pair(voice.say("paper.rounding"), amount(returned.rounding, currency)))
    blocks.append(Pair(voice.say("paper.refund"), full_amount(refund, currency), Style.LARGE))
    blocks += tenders(issue, returned.refunds, currency, decimals=decimals)
    blocks += tax_table(issue, returned.taxes, currency)
    if returned.member:
        blocks += member_part(issue, returned.member, currency)
    blocks += cards_taken_back(issue, returned.cards)
    return blocks + fiscal_part(issue, returned.fiscal)


def _exchanged(
    issue: Issue, exchange: Exchanged, sale: SaleCompleted, currency: Currency
) -> list[Block]:
    """What came back for these goods, and what the two leave to pay or to give."""
    returned, voice = exchange.returned, issue.voice
    left = sale.total + sale.rounding - returned.total - returned.rounding
    return [
        Rule(),
        *(Text(line, style=Style.STRONG) for line in voice.tell("paper.exchange.came-back")),
        Pair(voice.say("paper.exchange.return-number"), returned.receipt_no),
        *_came_back(replace(issue, fiscal=exchange.fiscal, member=exchange.member), returned),
        HEAVY,
        Pair(voice.say("paper.exchange.difference"), full_amount(left, currency), Style.LARGE),
    ]


def _named(issue: Issue, names: Names, goods_id: str, detail: str, figure: str) -> list[Block]:
    """The first language carries the figures, the second stands below it."""
    first, *more = issue.voice.names(names, otherwise=goods_id)
    return [Item(first, detail, figure), *(Text(name, indent=2) for name in more)]


def _line(issue: Issue, sale: SaleCompleted, line: SaleLine, currency: Currency) -> list[Block]:
    detail = f"{quantity(line.quantity, line.measure)}×{amount(line.unit_price, currency)}"
    blocks = _named(issue, line.names, line.goods_id, detail, amount(line.gross, currency))
    if line.price_source is PriceSource.MANUAL and line.unit_price != line.list_price:
        was = amount(line.list_price, currency)
        blocks.append(Text(issue.voice.say("paper.list-price", price=was), indent=2))
    if line.comes_in:
        blocks.append(Text(issue.voice.say("paper.comes-in"), indent=2))
    for discount in line.discounts:
        if not _is_of_basket(discount, sale):
            label = _offer_name(issue, sale, discount.offer_id)
            blocks.append(Pair(label, amount(-discount.amount, currency), indent=2))
    return blocks


def _returned_line(
    issue: Issue, line: ReturnLine, currency: Currency, *, has_goods: bool
) -> list[Block]:
    if not line.quantity:
        # Kept: money went back without it, or it is dearer now that something else has come back.
        kept = "kept-priced-again" if has_goods else "kept-refunded"
        told = issue.voice.say("paper.gift-kept" if line.given_by else f"paper.{kept}")
        named = _named(issue, line.names, line.goods_id, "", amount(line.amount, currency))
        return [*named, Text(told, indent=2)]
    count = quantity(line.quantity, line.measure)
    detail = count if line.measure is Measure.GRAM else f"×{count}"
    return _named(issue, line.names, line.goods_id, detail, amount(line.amount, currency))


def _is_of_basket(discount: LineDiscount, sale: SaleCompleted) -> bool:
    """Whether an offer is on the basket: it counts no units and several lines share it. Such an
    offer is shown once, below the subtotal, and not as a fraction under every line."""
    if discount.offer_id in HAND_DISCOUNTS:
        return discount.offer_id == BASKET_DISCOUNT
    shared = sum(
        any(share.offer_id == discount.offer_id for share in line.discounts) for line in sale.lines
    )
    return discount.units == 0 and shared > 1


def _offer_name(issue: Issue, sale: SaleCompleted, offer_id: str) -> str:
    if offer_id == HAND_DISCOUNT:
        return issue.voice.say("paper.manual-discount")
    if offer_id == BASKET_DISCOUNT:
        return issue.voice.say("paper.basket-discount")
    names = next((offer.names for offer in sale.offers if offer.offer_id == offer_id), None)
    return issue.voice.name(names or issue.names.offers.get(offer_id, {}), otherwise=offer_id)


def _sums(issue: Issue, sale: SaleCompleted, currency: Currency) -> list[Block]:
    """From the lines to what is due; every figure printed can be added up."""
    voice = issue.voice
    shares = [
        (share, _is_of_basket(share, sale)) for line in sale.lines for share in line.discounts
    ]
    saved = sum(share.amount for share, _ in shares)
    on_lines = sum(share.amount for share, of_basket in shares if not of_basket)
    gross = sum(line.gross for line in sale.lines)
    levies = sum(line.levy for line in sale.lines)
    added_tax = sale.total - (gross - saved) - levies
    blocks: list[Block] = [HEAVY]
    if saved != on_lines or levies or added_tax:
        blocks.append(Pair(voice.say("paper.subtotal"), amount(gross - on_lines, currency)))
    for offer_id in dict.fromkeys(share.offer_id for share, of_basket in shares if of_basket):
        taken = sum(share.amount for share, _ in shares if share.offer_id == offer_id)
        label = _offer_name(issue, sale, offer_id)
        blocks.append(Pair(label, amount(-taken, currency)))
    if levies:
        blocks.append(Pair(voice.say("paper.levies"), amount(levies, currency)))
    if added_tax:
        blocks.append(Pair(voice.say("paper.added-tax"), amount(added_tax, currency)))
    due = sale.total + sale.rounding
    if sale.rounding:
        blocks.append(Pair(voice.say("paper.before-rounding"), amount(sale.total, currency)))
        blocks.append(Pair(voice.say("paper.rounding"), amount(sale.rounding, currency)))
    blocks.append(Pair(voice.say("paper.total"), full_amount(due, currency), Style.LARGE))
    if issue.shows(Part.SAVINGS):
        blocks.append(_counts(issue, sale.lines, saved, currency))
    return blocks


def _counts(issue: Issue, lines: Iterable[SaleLine], saved: int, currency: Currency) -> Block:
    """Pieces that were bought; a weighed line counts as one."""
    bought = (line for line in lines if not line.comes_in)
    pieces = sum(1 if line.measure is Measure.GRAM else line.quantity for line in bought)
    count = issue.voice.say("paper.pieces", count=pieces)
    told = issue.voice.say("paper.saved", amount=full_amount(saved, currency)) if saved else ""
    return Pair(count, told)

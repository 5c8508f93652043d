"""Tills with sales of five lines to send, a third of them of members: a chain's day."""

import random
from typing import Final

import msgspec

from shared.ids import MemberId
from shared.trade.fact import LineTax, MemberOutcome, PointsOutcome, TaxTotal, Tender, TenderKind
from shared.trade.ticket import SaleCompleted, SaleLine
from tests.support.till_writer import TillWriter, where

LINES: Final = 5
RATE_PPM: Final = 130_000
ONE_IN: Final = 3
"""So many sales are of a member."""


def write_sales(
    till: TillWriter,
    count: int,
    members: list[MemberId],
    draw: random.Random,
    *,
    training: bool = False,
) -> None:
    """Append sales with taxes; those of members earn points, growth and spend."""
    for number in range(count):
        member = draw.choice(members) if number % ONE_IN == 0 else None
        sale = _sale(till, member, draw)
        till.write(msgspec.structs.replace(sale, training=training))


def _sale(till: TillWriter, member: MemberId | None, draw: random.Random) -> SaleCompleted:
    lines = tuple(_line(number + 1, member is not None, draw) for number in range(LINES))
    total = sum(line.amount for line in lines)
    tax = sum(one.tax for line in lines for one in line.taxes)
    return SaleCompleted(
        **where(till),
        lines=lines,
        total=total,
        taxes=(
            TaxTotal(
                tax_class="standard",
                component="vat",
                rate_ppm=RATE_PPM,
                net=total - tax,
                tax=tax,
            ),
        ),
        tenders=(Tender(tender=TenderKind.CASH, amount=total),),
        member=_outcome(till, member, lines) if member else None,
    )


def _line(number: int, is_earning: bool, draw: random.Random) -> SaleLine:
    quantity, price = draw.randint(1, 3), draw.randrange(200, 9900, 10)
    amount = quantity * price
    counted = amount if is_earning else 0
    goods = draw.randrange(20_000)
    return SaleLine(
        line=number,
        goods_id=f"S{goods:06}",
        names={"zh_CN": f"商品{goods:06}号", "en": f"Article {goods:06}"},
        barcode=f"69{goods:011}",
        quantity=quantity,
        list_price=price,
        unit_price=price,
        gross=amount,
        amount=amount,
        tax_class="standard",
        taxes=(LineTax(component="vat", tax=amount * 13 // 113),),
        points=counted // 100,
        growth=counted // 100,
        spend=counted,
    )


def _outcome(till: TillWriter, member: MemberId, lines: tuple[SaleLine, ...]) -> MemberOutcome:
    points = sum(line.points for line in lines)
    return MemberOutcome(
        member_id=member,
        tier="member",
        tier_after="member",
        growth=points,
        spend=sum(line.spend for line in lines),
        points=PointsOutcome(
            opening=0,
            earned=points,
            spent=0,
            closing=points,
            as_of=till.clock.at.isoformat(),
            expires_on="2027-12-31",
        ),
    )

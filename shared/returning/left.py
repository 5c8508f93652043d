"""What is left of a sale after what came back of it."""

from collections import Counter
from collections.abc import Sequence

from shared.returning.history import bought, lines_of, total
from shared.trade.fact import LineTax
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned


def left_of(sale: SaleCompleted, returns: Sequence[SaleReturned]) -> list[ReturnLine]:
    """All that is left of each line, in one line of a return without units."""
    back: dict[int, list[ReturnLine]] = {}
    for line in lines_of(returns):
        back.setdefault(line.of_line, []).append(line)
    return [_line_left(line, back.get(line.line, [])) for line in bought(sale)]


def _line_left(sold: SaleLine, back: Sequence[ReturnLine]) -> ReturnLine:
    given = Counter[str]()
    for tax in (tax for line in back for tax in line.taxes):
        given[tax.component] += tax.tax
    return ReturnLine(
        line=0,
        of_line=sold.line,
        goods_id=sold.goods_id,
        names=sold.names,
        quantity=0,
        measure=sold.measure,
        amount=sold.amount - total(back, "amount"),
        tax_class=sold.tax_class,
        taxes=tuple(
            LineTax(component=tax.component, tax=tax.tax - given[tax.component])
            for tax in sold.taxes
        ),
        levy=sold.levy - total(back, "levy"),
        points=sold.points - total(back, "points"),
        growth=sold.growth - total(back, "growth"),
        spend=sold.spend - total(back, "spend"),
        points_paid=sold.points_paid - total(back, "points_paid"),
        points_spent=sold.points_spent - total(back, "points_spent"),
    )

"""A shop's own file as past sales: invoices become baskets, cancellations find what they cancel."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from desktop.backtest.goods_file import GoodsNotes
from desktop.backtest.past import PastSales
from desktop.past_sales.invoices import Invoice, invoices_of
from desktop.past_sales.lines import Layout, Refused, ShopLine, read_lines
from desktop.past_sales.matching import Ledger, Place, Sold
from shared.backtest.events import Back, Bought, BroughtBack, Event
from shared.catalogue.goods import Goods
from shared.errors import EnvironmentFault
from shared.ids import GoodsId, StoreId
from shared.money import Currency
from shared.pricing.basket import LINES_MAX, Basket, BasketLine, PlannedTender


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Where a file's sales were made, and with which tender they were paid, if that is known."""

    zone: ZoneInfo
    store: str = "store"
    paying: str = ""


def read_file_sales(
    file: Path, *, currency: Currency, layout: Layout, counter: Counter, notes: GoodsNotes
) -> PastSales:
    """Read a whole file.

    Raises what ``read_lines`` raises, and EnvironmentFault ``replay-nothing-to-sell``.
    """
    accepted: list[ShopLine] = []
    refused = 0
    for line in read_lines(file, currency=currency, zone=counter.zone, layout=layout):
        if isinstance(line, Refused):
            refused += 1
        else:
            accepted.append(line)
    telling = _Telling(counter, notes)
    events = tuple(telling.events(invoices_of(accepted, counter.zone)))
    if not any(isinstance(event, Bought) for event in events):
        raise EnvironmentFault("replay-nothing-to-sell", file=str(file), refused=refused)
    alone = {sku: note.alone() for sku, note in notes.items()}
    return PastSales(
        source=file.name,
        currency=currency.code,
        events=events,
        goods={**alone, **telling.articles},
        lines=len(accepted),
        refused_lines=refused,
        returned_units=telling.returned_units,
        loose_units=telling.loose_units,
    )


@dataclass(slots=True)
class _Telling:
    """Invoices on their way to events."""

    counter: Counter
    notes: GoodsNotes
    sold: Ledger = field(default_factory=Ledger)
    articles: dict[str, Goods] = field(default_factory=dict)
    priced: dict[tuple[str, int], Goods] = field(default_factory=dict)
    sales: int = 0
    returned_units: int = 0
    loose_units: int = 0

    def events(self, invoices: Sequence[Invoice]) -> Iterator[Event]:
        """What happened, invoice by invoice."""
        for invoice in invoices:
            if invoice.is_cancellation:
                yield self._cancelled(invoice)
            else:
                for start in range(0, len(invoice.lines), LINES_MAX):
                    yield self._bought(invoice.lines[start : start + LINES_MAX])

    def _bought(self, lines: Sequence[ShopLine]) -> Bought:
        self.sales += 1
        # Of one width, so that names sort as the sales came.
        sale, member = f"{self.sales:09d}", lines[0].member
        for number, line in enumerate(lines):
            sold = Sold(Place(0, sale, number), line.units)
            self.sold.sell(member, line.code, line.price_minor, sold)
        paying = self.counter.paying
        basket = Basket(
            lines=tuple(self._line(n, line, line.units) for n, line in enumerate(lines)),
            at=self._wall_clock(lines[0]),
            store=StoreId(self.counter.store),
            paying=(PlannedTender(tender=paying),) if paying else (),
        )
        return Bought(sale=sale, member=member, basket=basket)

    def _cancelled(self, invoice: Invoice) -> BroughtBack:
        matched: list[Back] = []
        loose: list[BasketLine] = []
        for number, line in enumerate(invoice.lines):
            units = -line.units
            for match in self.sold.take_back(line.member, line.code, line.price_minor, units):
                matched.append(Back(match.place.receipt_no, match.place.line, match.units))
                units -= match.units
            self.returned_units -= line.units
            self.loose_units += units
            if units:
                loose.append(self._line(number, line, units))
        return BroughtBack(
            at=self._wall_clock(invoice.lines[0]), matched=tuple(matched), loose=tuple(loose)
        )

    def _line(self, number: int, line: ShopLine, units: int) -> BasketLine:
        return BasketLine(id=str(number), goods=self._goods(line), units=units)

    def _goods(self, line: ShopLine) -> Goods:
        """The article at the line's price: one value for all its lines, to keep memory small."""
        key = line.code, line.price_minor
        if key not in self.priced:
            article = self.articles.setdefault(line.code, self._article(line))
            self.priced[key] = replace(article, list_price_minor=line.price_minor)
        return self.priced[key]

    def _article(self, line: ShopLine) -> Goods:
        goods = Goods(
            sku=GoodsId(line.code),
            name_zh=line.name,
            name_en=line.name,
            tax_class="",
            list_price_minor=line.price_minor,
        )
        note = self.notes.get(line.code)
        return note.onto(goods) if note else goods

    def _wall_clock(self, line: ShopLine) -> datetime:
        return line.at.astimezone(self.counter.zone)

"""A till's own journal as past sales: what its facts say was sold and came back."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from desktop.backtest.file_sales import Counter
from desktop.backtest.goods_file import GoodsNotes
from desktop.backtest.past import PastSales
from desktop.store.database import TillFolder, unlock_connection
from desktop.store.driver import DriverError, sqlite_module
from desktop.store.sealing import is_plain, unlock
from shared.backtest.events import Back, Bought, BroughtBack, Event
from shared.catalogue.goods import Goods, SoldBy
from shared.errors import EnvironmentFault
from shared.ids import GoodsId, StoreId
from shared.journal.entry import decode_entry
from shared.pricing.basket import Basket, BasketLine, HandDiscount, PlannedTender
from shared.pricing.sale_basket import hand_discount
from shared.pricing.sale_lines import HAND_DISCOUNT
from shared.trade.fact import Measure, PriceSource
from shared.trade.kinds import read_fact
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned


def is_journal(file: Path) -> bool:
    """Whether a file is a database, of an encrypted till too, rather than lines of text."""
    return file.is_file() and (is_plain(file) or _folder(file) is not None)


def _folder(file: Path) -> TillFolder | None:
    """The till whose database a file is by its name, as far as that tells."""
    folder = TillFolder(file.parent)
    return folder if folder.database.name == file.name else None


def read_journal_sales(
    file: Path, *, currency: str, counter: Counter, notes: GoodsNotes
) -> PastSales:
    """Read the sales and returns of a till's database, which is left as it is.

    Prices are those of the day, typed ones included; times are the store's wall clock. Raises
    EnvironmentFault ``backtest-no-journal`` for a database without a journal and
    ``replay-nothing-to-sell``.
    """
    telling = _Telling(counter, notes)
    events = tuple(telling.events(_entries(file)))
    if not any(isinstance(event, Bought) for event in events):
        raise EnvironmentFault("replay-nothing-to-sell", file=str(file), refused=0)
    alone = {sku: note.alone() for sku, note in notes.items()}
    return PastSales(
        source=file.name,
        currency=telling.currency or currency,
        events=events,
        goods={**alone, **telling.articles},
        lines=telling.lines,
        returned_units=telling.returned_units,
        loose_units=telling.loose_units,
    )


def _entries(file: Path) -> list[bytes]:
    """Every entry of the file, in the order in which they happened."""
    folder = _folder(file)
    key = unlock(folder).key if folder is not None else None
    try:
        with closing(sqlite_module.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            if key is not None:
                unlock_connection(connection, key)
            rows = connection.execute("SELECT bytes FROM entries ORDER BY epoch, seq").fetchall()
    except DriverError as error:
        raise EnvironmentFault("backtest-no-journal", file=str(file), detail=str(error)) from error
    return [row[0] for row in rows]


@dataclass(slots=True)
class _Telling:
    """Facts on their way to events."""

    counter: Counter
    notes: GoodsNotes
    currency: str = ""
    lines: int = 0
    returned_units: int = 0
    loose_units: int = 0
    articles: dict[str, Goods] = field(default_factory=dict)
    sold: dict[str, set[int]] = field(default_factory=dict)
    """The lines of each sale that were rung up: what offers give on top, they give again."""

    def events(self, entries: Sequence[bytes]) -> Iterator[Event]:
        """What happened, fact by fact; facts about anything else are passed over."""
        for encoded in entries:
            entry = decode_entry(encoded)
            fact, at = read_fact(entry.envelope), datetime.fromisoformat(entry.envelope.occurred_at)
            if isinstance(fact, SaleCompleted) and not fact.training:
                yield self._bought(str(entry.envelope.id), fact, at)
            elif isinstance(fact, SaleReturned):
                yield self._back(fact, at)

    def _bought(self, sale: str, fact: SaleCompleted, at: datetime) -> Bought:
        rung_up = [line for line in fact.lines if not line.given_by]
        self.sold[sale] = {line.line for line in rung_up}
        self.currency = fact.currency
        self.lines += len(rung_up)
        paying = self.counter.paying
        basket = Basket(
            lines=tuple(self._line(line) for line in rung_up),
            at=at,
            store=StoreId(fact.store_id),
            paying=(PlannedTender(tender=paying),) if paying else (),
            discount=hand_discount(fact),
        )
        member = fact.member.member_id if fact.member else ""
        return Bought(sale=sale, member=member, basket=basket)

    def _back(self, fact: SaleReturned, at: datetime) -> BroughtBack:
        original = str(fact.original or "")
        known = self.sold.get(original)
        # Lines without units are about goods that are kept, and gifts were not bought.
        coming = [line for line in fact.lines if line.quantity and not line.given_by]
        matched = [line for line in coming if known is not None and line.of_line in known]
        loose = [line for line in coming if known is None or not line.of_line]
        self.returned_units += sum(line.quantity for line in (*matched, *loose))
        self.loose_units += sum(line.quantity for line in loose)
        return BroughtBack(
            at=at,
            matched=tuple(Back(original, line.of_line - 1, line.quantity) for line in matched),
            loose=tuple(self._loose(line) for line in loose),
        )

    def _line(self, line: SaleLine) -> BasketLine:
        by_hand = sum(one.amount for one in line.discounts if one.offer_id == HAND_DISCOUNT)
        is_typed = line.price_source is not PriceSource.LIST
        is_weighed = line.measure is Measure.GRAM
        return BasketLine(
            id=str(line.line),
            goods=self._goods(line, line.list_price, is_weighed=is_weighed),
            units=0 if is_weighed else line.quantity,
            grams=line.quantity if is_weighed else 0,
            price_minor=line.unit_price if is_typed else None,
            discount=HandDiscount(amount_minor=by_hand) if by_hand else None,
            comes_in=line.comes_in,
        )

    def _loose(self, line: ReturnLine) -> BasketLine:
        """Goods without their sale: at what was given for them."""
        each = line.amount // line.quantity
        return BasketLine(
            id=str(line.line),
            goods=self._goods(line, each, is_weighed=False),
            units=line.quantity,
        )

    def _goods(self, line: SaleLine | ReturnLine, price: int, *, is_weighed: bool) -> Goods:
        sku, names = line.goods_id, line.names
        goods = Goods(
            sku=GoodsId(sku),
            name_zh=names.get("zh_CN", sku),
            name_en=names.get("en", sku),
            tax_class=line.tax_class,
            list_price_minor=price,
            sold_by=SoldBy.WEIGHT if is_weighed else SoldBy.UNIT,
        )
        note = self.notes.get(sku)
        told = note.onto(goods) if note else goods
        self.articles.setdefault(sku, told)
        return told

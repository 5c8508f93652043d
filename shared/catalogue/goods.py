"""An article as the till knows it."""

from dataclasses import dataclass
from enum import StrEnum

from shared.catalogue.batches import Batch
from shared.errors import DomainError
from shared.ids import GoodsId
from shared.language import Language
from shared.money import AMOUNT_MINOR_MAX


class SoldBy(StrEnum):
    """What the list price of an article is for."""

    UNIT = "unit"
    """One piece; quantities are whole units."""
    WEIGHT = "weight"
    """One kilogram; quantities are whole grams."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """An article: names, price and the marks that price, tax and points look at.

    ``list_price_minor`` is what stands on the shelf, per piece or per kilogram (``sold_by``), with
    the included components of its tax class and without the excluded ones. ``category`` is a path
    (``drinks/tea``); a rule for ``drinks`` includes it. ``barcodes`` are GTINs as scanned, 13
    digits for UPC-A (with its leading zero), or the item number of an in-store code.

    Raises DomainError ``bad-goods`` for a missing name or a price that is negative or absurd.
    """

    sku: GoodsId
    name_zh: str
    name_en: str
    tax_class: str
    list_price_minor: int
    category: str = ""
    brand: str = ""
    sold_by: SoldBy = SoldBy.UNIT
    no_discount: bool = False
    no_points: bool = False
    barcodes: tuple[str, ...] = ()
    supplier: str = ""
    marks: tuple[str, ...] = ()
    """Tags and labels that rules can name: ``organic``, ``clearance``."""
    cost_minor: int | None = None
    """What a piece or kilogram costs the shop, without tax; None where nobody knows."""
    batches: tuple[Batch, ...] = ()
    """Those that are watched: with a last day, or called back."""

    def __post_init__(self) -> None:
        if not self.sku or not (self.name_zh or self.name_en):
            raise DomainError("bad-goods", sku=self.sku, field="name")
        if not 0 <= self.list_price_minor <= AMOUNT_MINOR_MAX:
            raise DomainError("bad-goods", sku=self.sku, field="list_price_minor")
        if "" in (names := [one.batch for one in self.batches]) or len({*names}) != len(names):
            raise DomainError("bad-goods", sku=self.sku, field="batches")

    def name(self, language: Language) -> str:
        """Its name in a language; the other language's where it has none."""
        chinese = language is Language.CHINESE
        return (self.name_zh or self.name_en) if chinese else (self.name_en or self.name_zh)

"""The articles that offers give, as the catalogue has them."""

from collections.abc import Iterable

from desktop.services.basket import OpenBasket
from desktop.services.books import Books
from desktop.store.catalogue import find_by_id
from shared.catalogue.goods import Goods
from shared.ids import GoodsId


class Articles:
    """Articles as the catalogue had them when they were first asked for in this sale."""

    def __init__(self, books: Books, basket: OpenBasket) -> None:
        self._books = books
        self._basket = basket
        self._known: dict[str, Goods] = {}

    def given(self) -> dict[str, Goods]:
        """Those that offers give on top of the basket, by SKU."""
        return self.find(one.goods for one in self._basket.quote.added if one.goods)

    def find(self, skus: Iterable[str]) -> dict[str, Goods]:
        """Articles by SKU."""
        wanted = set(skus)
        if missing := sorted(wanted - self._known.keys()):
            with self._books.reading() as connection:
                for sku in missing:
                    found = find_by_id(connection, GoodsId(sku))
                    self._known[sku] = found or self._unknown(sku)
        return {sku: self._known[sku] for sku in wanted}

    def _unknown(self, sku: str) -> Goods:
        """A gift that the catalogue does not have is still given: its offer names it."""
        tax_class = self._basket.pricing.programme.tax_classes[0].id
        return Goods(
            sku=GoodsId(sku), name_zh=sku, name_en=sku, tax_class=tax_class, list_price_minor=0
        )

    def forget(self) -> None:
        """The next sale asks anew."""
        self._known.clear()

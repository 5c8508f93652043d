"""What every part of a programme document has in common."""

from datetime import datetime, time
from typing import Annotated

import msgspec

from shared.catalogue.goods import Goods
from shared.language import Language

WallTime = Annotated[time, msgspec.Meta(tz=False)]
"""An hour on the store's wall; one with an offset is refused."""
WallDateTime = Annotated[datetime, msgspec.Meta(tz=False)]


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of the programme: a value that refuses fields it does not know.

    Defaults are left out of the bytes, so a later release may add a field with a default without
    changing the bytes of programmes that do not use it. For the same reason **a default, once
    released, never changes**.
    """


class Names(Document, frozen=True, kw_only=True):
    """What customers read, in both languages."""

    zh: str
    en: str

    def get(self, language: Language) -> str:
        """The name in a language."""
        return self.zh if language is Language.CHINESE else self.en


class GoodsSet(Document, frozen=True, kw_only=True):
    """Which goods a rule is about: those that any list names, all goods where none is given.

    ``categories`` are paths and include everything below; ``marks`` are tags and labels alike. The
    ``except_`` lists take away again.
    """

    skus: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    suppliers: tuple[str, ...] = ()
    except_skus: tuple[str, ...] = ()
    except_categories: tuple[str, ...] = ()
    except_brands: tuple[str, ...] = ()
    except_marks: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether no goods are left out."""
        return self == EVERYTHING

    @property
    def is_selective(self) -> bool:
        """Whether goods have to be named to belong to it."""
        return bool(self.skus or self.categories or self.brands or self.marks or self.suppliers)

    def contains(self, goods: Goods) -> bool:
        """Whether the rule is about these goods."""
        if self is EVERYTHING:
            return True
        if self._excludes(goods):
            return False
        if not self.is_selective:
            return True
        return (
            goods.sku in self.skus
            or goods.brand in self.brands
            or goods.supplier in self.suppliers
            or _shares_one(goods.marks, self.marks)
            or _below(goods.category, self.categories)
        )

    def _excludes(self, goods: Goods) -> bool:
        return (
            goods.sku in self.except_skus
            or goods.brand in self.except_brands
            or _shares_one(goods.marks, self.except_marks)
            or _below(goods.category, self.except_categories)
        )


EVERYTHING = GoodsSet()


def _shares_one(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return any(one in others for one in some)


def _below(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith(f"{root}/") for root in roots)

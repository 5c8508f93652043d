"""What every part of a programme document has in common."""

import msgspec

from shared.catalogue.goods import Goods
from shared.language import Language


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

    ``categories`` are paths and include everything below. The ``except_`` lists take away again.
    """

    skus: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    except_skus: tuple[str, ...] = ()
    except_categories: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether no goods are left out."""
        return self == EVERYTHING

    def contains(self, goods: Goods) -> bool:
        """Whether the rule is about these goods."""
        if goods.sku in self.except_skus or _below(goods.category, self.except_categories):
            return False
        if not (self.skus or self.categories or self.brands):
            return True
        return (
            goods.sku in self.skus
            or goods.brand in self.brands
            or _below(goods.category, self.categories)
        )


EVERYTHING = GoodsSet()


def _below(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith(f"{root}/") for root in roots)

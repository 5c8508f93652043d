"""Finding goods by name, pinyin, initials or part of a code."""

from desktop.presenters.intent import Key
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Amount, Tone, goods_name, say
from desktop.presenters.view import Button, Choice, Choices, Field, Fields, Sheet
from desktop.presenters.weight import AddGoods
from desktop.store import catalogue
from shared.catalogue.goods import Goods

FOUND_MAX = 8


class GoodsSearch(PlainOverlay):
    """A search field and what was found; Enter adds the selected one and stays for the next."""

    def __init__(self, session: Session, add: AddGoods) -> None:
        self._session = session
        self._add = add
        self._text = ""
        self._found: list[Goods] = []
        self._selected = 0

    def sheet(self) -> Sheet:
        """Rows with prices."""
        rows = tuple(
            Choice(
                goods.sku,
                goods_name(goods),
                detail=goods.barcodes[0] if goods.barcodes else goods.sku,
                trailing=Amount(goods.list_price_minor),
                is_selected=index == self._selected,
            )
            for index, goods in enumerate(self._found)
        )
        return Sheet(
            kind="goods-search",
            title=say("till.goods.title"),
            parts=(
                Fields((Field("text", say("till.goods.search"), is_live=True),)),
                Choices("goods", rows, empty=say("till.goods.none") if self._text else ""),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("take", say("till.goods.take"), key="Enter", is_primary=True),
            ),
        )

    def edit(self, name: str, text: str) -> None:
        """Search while typing."""
        if name != "text":
            return
        self._text, self._selected = text.strip(), 0
        if not self._text:
            self._found = []
            return
        with self._session.till.books.reading() as connection:
            self._found = catalogue.search(connection, self._text, limit=FOUND_MAX)

    def press(self, key: Key, values: Values) -> None:
        """Enter adds, up and down choose."""
        if key is Key.ENTER:
            text = values.get("text", self._text)
            if text.strip() != self._text:
                self.edit("text", text)
            if self._found:
                self._take(self._found[self._selected])
            else:
                self._session.tell(say("till.goods.none"), Tone.ATTENTION)
        elif key in (Key.UP, Key.DOWN) and self._found:
            step = 1 if key is Key.DOWN else -1
            self._selected = (self._selected + step) % len(self._found)

    def act(self, name: str, value: str, values: Values) -> None:
        """A row or the button."""
        if name == "goods":
            self._take(next(goods for goods in self._found if goods.sku == value))
        elif name == "take":
            self.press(Key.ENTER, values)

    def _take(self, goods: Goods) -> None:
        self._session.pop()
        self._add(goods)

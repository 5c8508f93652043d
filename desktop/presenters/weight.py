"""Weighed goods without a weight: typed in kilograms."""

import re
from decimal import Decimal
from typing import Protocol

from desktop.presenters.intent import Key
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Amount, goods_name, say
from desktop.presenters.view import Button, Field, FieldKind, Fields, Note, Sheet
from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.pricing.basket import GRAMS_MAX


class AddGoods(Protocol):
    """Puts goods into the basket."""

    def __call__(self, goods: Goods, *, grams: int = 0, batch: str = "") -> None: ...


def parse_grams(text: str) -> int:
    """Kilograms as people write them (``0.45``) into grams; DomainError ``bad-weight``."""
    plain = text.strip()
    if not re.fullmatch(r"\d{1,6}(\.\d{0,3})?|\.\d{1,3}", plain):
        raise DomainError("bad-weight", text=plain[:20])
    grams = int(Decimal(plain) * 1000)
    if not 0 < grams <= GRAMS_MAX:
        raise DomainError("bad-weight", text=plain[:20])
    return grams


def format_kilograms(grams: int) -> str:
    """Grams as kilograms, the way they are typed: 450 is ``0.450``."""
    kilograms, rest = divmod(grams, 1000)
    return f"{kilograms}.{rest:03}"


class WeightNeededOverlay(PlainOverlay):
    """Asks how much."""

    def __init__(self, session: Session, goods: Goods, add: AddGoods, *, batch: str = "") -> None:
        self._session = session
        self._goods = goods
        self._batch = batch
        self._add = add
        self._kind = f"weight-{len(session.overlays)}"
        """One of its own for each that lies over another: weights typed are not mixed up."""

    def sheet(self) -> Sheet:
        """Name, price per kilogram, and the weight."""
        return Sheet(
            kind=self._kind,
            title=goods_name(self._goods),
            parts=(
                Note(say("till.weight.price", price=Amount(self._goods.list_price_minor))),
                Fields((Field("kilograms", say("till.weight.kilograms"), FieldKind.NUMBER),)),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("add", say("till.weight.add"), key="Enter", is_primary=True),
            ),
        )

    def press(self, key: Key, values: Values) -> None:
        """Enter adds."""
        if key is Key.ENTER:
            self.act("add", "", values)

    def act(self, name: str, value: str, values: Values) -> None:
        """The button adds."""
        del value
        if name == "add":
            grams = parse_grams(values.get("kilograms", ""))
            self._session.pop()
            self._add(self._goods, grams=grams, batch=self._batch)

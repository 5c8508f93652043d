"""Weighed goods without a weight: taken from the scale where there is one, or typed."""

import re
from decimal import Decimal
from typing import Protocol

from desktop.presenters.intent import Key, ScaleTold
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Amount, Say, Tone, goods_name, say
from desktop.presenters.view import Button, Field, FieldKind, Fields, Figure, Figures, Note, Sheet
from hardware.scale.port import Reading, ScaleState
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
    """Asks how much. The scale is shown live and never waited for: a typed weight comes first."""

    def __init__(self, session: Session, goods: Goods, add: AddGoods, *, batch: str = "") -> None:
        self._session = session
        self.goods = goods
        self._batch = batch
        self._add = add
        self._kind = f"weight-{len(session.overlays)}"
        """One of its own for each that lies over another: weights typed are not mixed up."""

    def sheet(self) -> Sheet:
        """Name, price per kilogram, what the scale says, and a field."""
        label = say("till.weight.or-type" if self._session.scale else "till.weight.kilograms")
        return Sheet(
            kind=self._kind,
            title=goods_name(self.goods),
            parts=(
                Note(say("till.weight.price", price=Amount(self.goods.list_price_minor))),
                *self._scale_parts(),
                Fields((Field("kilograms", label, FieldKind.NUMBER),)),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("add", say("till.weight.add"), key="Enter", is_primary=True),
            ),
        )

    def _scale_parts(self) -> tuple[Figures | Note, ...]:
        if self._session.scale is None:
            return ()
        reading = self._session.scale.reading()
        is_stable = reading.state is ScaleState.STABLE
        shown = f"{format_kilograms(reading.grams)} kg" if is_stable else "—"
        on_scale = Figure(say("devices.name.scale"), shown, is_strong=True)
        tone = Tone.GOOD if is_stable else Tone.ATTENTION
        return Figures((on_scale,)), Note(_said(reading), tone)

    def press(self, key: Key, values: Values) -> None:
        """Enter adds."""
        if key is Key.ENTER:
            self.act("add", "", values)

    def act(self, name: str, value: str, values: Values) -> None:
        """The button adds."""
        del value
        if name == "add":
            grams = self._grams(values.get("kilograms", ""))
            if grams:
                self._session.pop()
                self._add(self.goods, grams=grams, batch=self._batch)

    def _grams(self, typed: str) -> int:
        """What was typed, else what lies on the scale; 0 after saying why there is no weight."""
        scale = self._session.scale
        if typed.strip() or scale is None:
            return parse_grams(typed)
        reading = scale.reading()
        if reading.state is not ScaleState.STABLE:
            self._session.tell(_said(reading), Tone.ATTENTION)
            return 0
        return reading.grams


def _said(reading: Reading) -> Say:
    return say(reading.message_key, device=say("devices.name.scale"))


class Weighing:
    """Lets the scale weigh while a sheet in front asks for a weight, and only then."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._watched: WeightNeededOverlay | None = None

    def follow(self) -> None:
        """After each intent: watch for the sheet that lies in front now."""
        scale = self._session.scale
        if scale is None:
            return
        overlays = self._session.overlays
        front = overlays[-1] if overlays else None
        wanted = front if isinstance(front, WeightNeededOverlay) else None
        if wanted is self._watched:
            return
        self._watched = wanted
        if wanted is None:
            scale.watch(None)
        else:
            scale.watch(self._told, unit_price_minor=wanted.goods.list_price_minor)

    def _told(self, _reading: Reading) -> None:
        self._session.post(ScaleTold())

"""Text as keys and fields: what the screen says before anybody chose a language."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from shared.catalogue.goods import Goods
from shared.errors import EvertillError
from shared.language import Language
from shared.loyalty.document import Names


@dataclass(frozen=True, slots=True)
class Amount:
    """Money in minor units of the till's currency."""

    minor: int


@dataclass(frozen=True, slots=True)
class Named:
    """A name in both languages: of goods, offers, tiers."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A time on the store's wall; ``is_date`` shows the day alone."""

    at: datetime
    is_date: bool = False


@dataclass(frozen=True, slots=True)
class Say:
    """A message of the catalogue with its fields."""

    key: str
    fields: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Join:
    """Several texts, one after the other."""

    parts: "tuple[Text, ...]"
    between: str = " "


Text = Say | Amount | Named | Moment | Join | str


def say(key: str, /, **fields: object) -> Say:
    """A message; fields may be texts themselves."""
    return Say(key, tuple(fields.items()))


def key_of(text: Text) -> str:
    """The message a text begins with, for whoever waits for it; empty for what is no message."""
    match text:
        case Say(key):
            return key
        case Join((first, *_)):
            return key_of(first)
        case _:
            return ""


def error_text(error: EvertillError) -> Say:
    """An expected failure as a message: what happened, to what, what to do."""
    return Say(f"error.{error.code}", tuple(error.fields.items()))


def wall_time(occurred_at: str, zone: tzinfo) -> Text:
    """When a fact happened, on the store's wall; nothing where nobody noted it."""
    return Moment(datetime.fromisoformat(occurred_at).astimezone(zone)) if occurred_at else ""


def goods_name(goods: Goods) -> Named:
    """An article's name."""
    return Named(goods.name_zh or goods.name_en, goods.name_en or goods.name_zh)


def name_of(names: Names) -> Named:
    """The names of something in the programme."""
    return Named(names.zh or names.en, names.en or names.zh)


def fact_name(names: dict[str, str]) -> Named:
    """Names as a fact keeps them."""
    zh, en = names.get(Language.CHINESE, ""), names.get(Language.ENGLISH, "")
    return Named(zh or en, en or zh)


class Tone(StrEnum):
    """How a message is meant; the screen shows it with a sign and a colour, and its own sound."""

    INFO = "info"
    """Nothing to do."""
    GOOD = "good"
    """It worked."""
    ATTENTION = "attention"
    """Look here before going on."""
    REFUSED = "refused"
    """It was not done."""


@dataclass(frozen=True, slots=True)
class Message:
    """What the cashier is told about the last thing they did."""

    text: Text
    tone: Tone


def refused(error: EvertillError) -> Message:
    """An expected failure, told where it happened."""
    return Message(error_text(error), Tone.REFUSED)

"""A programme as bytes with a name: what is signed, sent, and recorded by every sale."""

import hashlib
from importlib.resources import files
from typing import Any

import msgspec

from shared.documents import UNREADABLE
from shared.errors import DomainError
from shared.loyalty.programme import Programme
from shared.loyalty.validation import check
from shared.money import Currency
from shared.trade.fact import BundleRef

BUNDLE_BYTES_MAX = 4 * 1024 * 1024


def programme_bytes(programme: Programme) -> bytes:
    """The canonical bytes: JSON, fields in alphabetical order, defaults left out."""
    return msgspec.json.encode(programme, order="sorted")


def bundle_ref(version: int, data: bytes) -> BundleRef:
    """What sales record: the version at head office and the SHA-256 of the bytes, in hex."""
    return BundleRef(version=version, sha256=hashlib.sha256(data).hexdigest())


def load_programme(data: bytes) -> Programme:
    """Read and check a programme.

    Raises DomainError ``programme-unreadable`` when the bytes are no such document, and the errors
    of ``validation.check`` when a rule contradicts itself or another.
    """
    if len(data) > BUNDLE_BYTES_MAX:
        raise DomainError("programme-unreadable", detail=f"> {BUNDLE_BYTES_MAX} bytes")
    try:
        programme = msgspec.json.decode(data, type=Programme)
    except UNREADABLE as error:
        raise DomainError("programme-unreadable", detail=str(error)) from error
    check(programme)
    return programme


def load_bundle(data: bytes, ref: BundleRef) -> Programme:
    """Read the programme that ``ref`` names. Raises ``programme-altered`` for other bytes."""
    if hashlib.sha256(data).hexdigest() != ref.sha256:
        raise DomainError("programme-altered", version=ref.version)
    return load_programme(data)


TEMPLATES = ("default", "supermarket", "convenience", "pharmacy", "bakery", "fashion", "plain")
"""The programmes that come with the product; ``plain`` has no offers and no tax."""


def template(name: str) -> Programme:
    """A programme that comes with the product; DomainError ``unknown-template``."""
    if name not in TEMPLATES:
        raise DomainError("unknown-template", name=name, known=", ".join(TEMPLATES))
    return load_programme((files("shared.programmes") / f"{name}.json").read_bytes())


def with_currency(programme: Programme, currency: str) -> Programme:
    """The same figures in another currency: 5.00 stays 5.00, whatever its decimals.

    Raises DomainError ``programme-other-decimals`` for a figure finer than the other currency.
    """
    other = Currency(currency)
    shift = other.exponent - programme.money.exponent
    told = msgspec.to_builtins(programme)
    try:
        converted = {**_scaled(told, shift), "currency": other.code}
    except ValueError as error:
        raise DomainError(
            "programme-other-decimals", programme=programme.id, currency=other.code
        ) from error
    return msgspec.convert(converted, Programme)


def _scaled(told: Any, shift: int, *, is_money: bool = False) -> Any:
    """A document with its amounts at another exponent; ValueError where one is too fine."""
    match told:
        case dict():
            return {
                key: _scaled(value, shift, is_money=is_money or key == "prices" or _is_minor(key))
                for key, value in told.items()
            }
        case list() | tuple():
            return [_scaled(value, shift, is_money=is_money) for value in told]
        case int() if is_money:
            return _shifted(told, shift)
        case _:
            return told


def _is_minor(field: str) -> bool:
    """Whether a field of the document is an amount of minor units."""
    return field.endswith("_minor")


def _shifted(amount: int, shift: int) -> int:
    factor: int = 10 ** abs(shift)
    if shift >= 0:
        return amount * factor
    whole, rest = divmod(amount, factor)
    if rest:
        raise ValueError(amount)
    return whole

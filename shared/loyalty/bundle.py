"""A programme as bytes with a name: what is signed, sent, and recorded by every sale."""

import hashlib
from importlib.resources import files

import msgspec

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
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DomainError("programme-unreadable", detail=str(error)) from error
    check(programme)
    return programme


def load_bundle(data: bytes, ref: BundleRef) -> Programme:
    """Read the programme that ``ref`` names. Raises ``programme-altered`` for other bytes."""
    if hashlib.sha256(data).hexdigest() != ref.sha256:
        raise DomainError("programme-altered", version=ref.version)
    return load_programme(data)


def template(name: str) -> Programme:
    """A programme that comes with the product: ``default`` or ``plain``."""
    return load_programme((files("shared.programmes") / f"{name}.json").read_bytes())


def with_currency(programme: Programme, currency: str) -> Programme:
    """The same figures in another currency with as many decimals.

    Raises DomainError ``programme-other-decimals`` where the amounts would change their meaning.
    """
    other = Currency(currency)
    if other.exponent != programme.money.exponent:
        raise DomainError("programme-other-decimals", programme=programme.id, currency=other.code)
    return msgspec.structs.replace(programme, currency=other.code)

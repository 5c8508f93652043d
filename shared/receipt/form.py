"""The form of a shop's receipts: what may be in it, its file, and what papers make of it."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Final

import msgspec

from shared.catalogue.card_numbers import refuse_card_number
from shared.errors import DomainError
from shared.receipt.issue import Part, Shop
from shared.receipt.text import printable
from shared.trade.paper import ReceiptForm

LANGUAGES: Final = ("zh", "en")
TEXTS: Final = ("names", "address", "greeting", "conditions")
"""Fields with a text for each language."""
PLAIN: Final = ("phone", "tax_number", "logo", "web", "invoice")
LENGTHS: Final = {
    "names": 40,
    "address": 120,
    "greeting": 120,
    "conditions": 200,
    "phone": 40,
    "tax_number": 40,
    "logo": 100,
    "web": 100,
    "invoice": 200,
}
"""Characters of each text at most."""
_WEB: Final = re.compile(r"https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?")
_INVOICE: Final = re.compile(r"https://[a-z0-9][!-~]*")
_PLACES: Final = frozenset({"number", "code", "total"})
_FILE: Final = re.compile(r"[^/\\:\0]+\.(?:png|jpe?g|gif|bmp|webp)", re.IGNORECASE)


def check_form(form: ReceiptForm) -> ReceiptForm:
    """The form, with texts trimmed.

    Raises DomainError ``receipt-text-too-long``, ``receipt-text-not-printable``,
    ``bad-receipt-web``, ``bad-receipt-invoice``, ``bad-receipt-logo-name``,
    ``unknown-receipt-part``, ``unknown-receipt-language`` and ``payment-card-dropped``.
    """
    trimmed = msgspec.structs.replace(
        form,
        **{field: _texts(field, getattr(form, field)) for field in TEXTS},
        **{field: _text(field, getattr(form, field)) for field in PLAIN},
    )
    if trimmed.web and not _WEB.fullmatch(trimmed.web):
        raise DomainError("bad-receipt-web", text=trimmed.web)
    if trimmed.invoice and not _is_invoice(trimmed.invoice):
        raise DomainError("bad-receipt-invoice", text=trimmed.invoice)
    if trimmed.logo and not _FILE.fullmatch(trimmed.logo):
        raise DomainError("bad-receipt-logo-name", text=trimmed.logo)
    for part in form.left_out:
        if part not in set(Part):
            known = ", ".join(Part)
            raise DomainError("unknown-receipt-part", text=printable(part), known=known)
    return trimmed


def _is_invoice(text: str) -> bool:
    places = re.findall(r"\{([^}]*)\}", text)
    bare = re.sub(r"\{[a-z]*\}", "", text)
    return bool(_INVOICE.fullmatch(text)) and set(places) <= _PLACES and not set(bare) & {"{", "}"}


def _texts(field: str, texts: Mapping[str, str]) -> dict[str, str]:
    for language in texts:
        if language not in LANGUAGES:
            raise DomainError("unknown-receipt-language", text=printable(language))
    found = {language: _text(field, text) for language, text in texts.items()}
    return {language: text for language, text in found.items() if text}


def _text(field: str, text: str) -> str:
    text = text.strip()
    refuse_card_number(text)
    if len(text) > LENGTHS[field]:
        raise DomainError("receipt-text-too-long", text=printable(text), limit=LENGTHS[field])
    if printable(text) != text:
        raise DomainError("receipt-text-not-printable", text=printable(text))
    return text


def shop_of(form: ReceiptForm, *, store_name: str, zone: tzinfo) -> Shop:
    """What stands at the head and foot of papers by this form."""
    return Shop(
        names=form.names or {"zh": store_name, "en": store_name},
        address=form.address,
        phone=form.phone,
        tax_number=form.tax_number,
        conditions=form.conditions,
        greeting=form.greeting,
        web=form.web,
        invoice=form.invoice,
        left_out=frozenset(form.left_out),
        zone=zone,
    )


def read_form(text: str) -> ReceiptForm:
    """The form of a file (TOML); DomainError as ``check_form``, or ``receipt-form-unreadable``."""
    try:
        form = msgspec.convert(tomllib.loads(text), _FormFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DomainError("receipt-form-unreadable", detail=str(error)) from error
    return check_form(ReceiptForm(**msgspec.structs.asdict(form)))


class _FormFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """As ``ReceiptForm``, but a file with a misspelt name is refused."""

    names: dict[str, str] = {}
    address: dict[str, str] = {}
    phone: str = ""
    tax_number: str = ""
    conditions: dict[str, str] = {}
    greeting: dict[str, str] = {}
    logo: str = ""
    web: str = ""
    invoice: str = ""
    left_out: tuple[str, ...] = ()


def form_text(form: ReceiptForm) -> str:
    """A form as a file that ``read_form`` reads."""
    return "\n".join(_form_lines(form)) + "\n"


def _form_lines(form: ReceiptForm) -> Iterator[str]:
    for field in PLAIN:
        yield f"{field} = {_quoted(getattr(form, field))}"
    yield f"left_out = [{', '.join(map(_quoted, form.left_out))}]"
    for field in TEXTS:
        yield f"\n[{field}]"
        texts = getattr(form, field)
        yield from (f"{language} = {_quoted(texts.get(language, ''))}" for language in LANGUAGES)


def _quoted(text: str) -> str:
    """A basic string of TOML; what JSON escapes it escapes alike (TOML 1.0, String)."""
    return json.dumps(text, ensure_ascii=False)

"""Strict JSON: the only JSON that may stand in an entry or under a signature.

No floats, no duplicate keys, integers within ±2^53 (what every JSON reader keeps exactly), text in
Unicode NFC (so that equal names are equal bytes).
"""

import json
import re
import unicodedata

import msgspec

from shared.errors import ProtocolError

INTEGER_MAX = 2**53
ESCAPED_NUL = rb"\u0000"
"""In nearly no text: the search for it is fast where the pattern below is slow."""
NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""An escaped NUL in JSON, with the escaped backslashes before it."""


_KINDS = bytes.maketrans(b"123456789,[", b"000000000::")
"""Every digit as 0, and whatever a value follows in compact JSON as a colon."""
_LONG_INTEGERS = (b":" + b"0" * 16, b":-" + b"0" * 16)
"""What may lie beyond ±2^53 in bytes translated so; a pattern takes thrice as long to search."""


def encode_strict(value: object) -> bytes:
    """Encode structs, lists and mappings to compact UTF-8 JSON in field order.

    Text is brought to NFC and loses NUL characters, which not every database can keep.
    """
    encoded = msgspec.json.encode(value)
    if encoded.isascii() and b"\\u" not in encoded:
        return encoded
    if ESCAPED_NUL in encoded:
        encoded = NUL.sub(rb"\1", encoded)
    # JSON's own punctuation does not compose with any combining mark, so normalising the whole
    # text is the same as normalising each string in it.
    return unicodedata.normalize("NFC", encoded.decode()).encode()


def check_strict(encoded: bytes) -> None:
    """Raise ProtocolError ``not-strict-json`` with the reason unless the bytes keep the rules."""
    if not is_plainly_strict(encoded):
        judge(encoded)


def is_plainly_strict(encoded: bytes) -> bool:
    """Whether the bytes are what a writer of strict JSON writes; of others nothing is known.

    What reads and writes back as the same bytes has no key twice and no space or escape that could
    hide something. A quarter of the time that judging takes.
    """
    if encoded[:1] not in b"{[" or b"\\u" in encoded or _may_have_long_integers(encoded):
        return False
    try:
        is_same = msgspec.json.encode(_plain_decoder.decode(encoded)) == encoded
    except (msgspec.MsgspecError, ProtocolError, RecursionError, UnicodeError):
        return False
    return is_same and (encoded.isascii() or unicodedata.is_normalized("NFC", encoded.decode()))


def _may_have_long_integers(encoded: bytes) -> bool:
    kinds = encoded.translate(_KINDS)
    return any(one in kinds for one in _LONG_INTEGERS)


def judge(encoded: bytes) -> None:
    """Read every key and number; raise ProtocolError as ``check_strict`` does."""
    try:
        text = encoded.decode()
        json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_bounded_integer,
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ProtocolError("not-strict-json", reason=type(error).__name__) from error
    if not unicodedata.is_normalized("NFC", text):
        raise ProtocolError("not-strict-json", reason="not NFC")
    if "\\u" in text and any(not unicodedata.is_normalized("NFC", s) for s in _texts(text)):
        raise ProtocolError("not-strict-json", reason="not NFC")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ProtocolError("not-strict-json", reason="duplicate key")
    return result


def _refuse_number(text: str) -> None:
    raise ProtocolError("not-strict-json", reason=f"number {text[:20]}")


_plain_decoder = msgspec.json.Decoder(float_hook=_refuse_number)


def _bounded_integer(text: str) -> int:
    # The length comes first: int() of a very long text is slow by design.
    if len(text) > 17 or abs(int(text)) > INTEGER_MAX:
        raise ProtocolError("not-strict-json", reason=f"integer {text[:20]}")
    return int(text)


def _texts(text: str) -> list[str]:
    found: list[str] = []
    waiting: list[object] = [json.loads(text)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
    return found

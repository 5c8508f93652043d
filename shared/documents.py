"""Documents that people write: JSON or TOML, with or without a byte order mark."""

import json
import tomllib
from pathlib import PurePath
from typing import Any, Final

UNREADABLE: Final = (ValueError, RecursionError)
"""What reading raises: not its form, a field twice, a figure of thousands of digits, too deep."""
SHOWN: Final = 40


def is_toml(file: PurePath) -> bool:
    """Whether a file is TOML, by its name; anything else is JSON."""
    return file.suffix.lower() == ".toml"


def read_document(data: bytes, *, is_toml: bool) -> Any:
    """Plain values of a document. Raises ``UNREADABLE``; the words name the place."""
    text = data.decode("utf-8-sig")
    if is_toml:
        return tomllib.loads(text)
    return json.loads(text, object_pairs_hook=_each_once, parse_constant=_refuse)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"field `{name[:SHOWN]}` is there twice in one object")
        found[name] = value
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")

"""The line of a file in which a rule of a programme begins, so that people find it at once."""

import re
from collections.abc import Iterator
from typing import Final

HEADER: Final = re.compile(r"\s*\[{1,2}\s*([\w.-]+)\s*\]{1,2}\s*(?:#.*)?")
"""``[[offers]]`` or ``[earning]`` of TOML."""
TOKEN: Final = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*"|'[^']*')(?P<colon>\s*:)?"""
    r"""|(?P<bracket>[\[\]{}])|(?P<word>[\w-]+)\s*=|(?P<comment>\#)"""
)


def line_of_rule(text: str, rule: str) -> int | None:
    """The line, counted from 1, of a rule such as ``offers/ten``; None where it is not seen.

    The section is looked for first, and behind it what has the id, part by part.
    """
    section, *ids = rule.split("/")
    found = None
    for number, line in _lines_of(text, section):
        found = found or number
        while ids and _names(line, ids[0]):
            found = number
            ids.pop(0)
        if not ids:
            break
    return found


def _lines_of(text: str, wanted: str) -> Iterator[tuple[int, str]]:
    """The lines of a field of the document, numbered."""
    section, depth, is_table = "", 0, False
    for number, line in enumerate(text.splitlines(), start=1):
        header = HEADER.fullmatch(line) if not depth else None
        if header:
            section, is_table = header[1].partition(".")[0], True
        seen = {section}
        for token in TOKEN.finditer("" if header else line):
            if token["comment"]:
                break
            if token["bracket"]:
                depth += 1 if token["bracket"] in "[{" else -1
            elif token["word"] and not depth and not is_table:
                section = token["word"]
            elif token["colon"] and depth == 1:
                section = token["string"][1:-1]
            seen.add(section)
        if wanted in seen:
            yield number, line


def _names(line: str, name: str) -> bool:
    quoted = any(f"{mark}{name}{mark}" in line for mark in "\"'")
    return quoted or re.match(rf"\s*{re.escape(name)}\s*=", line) is not None

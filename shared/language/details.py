"""What is wrong with a document, as its readers tell it in English: told in another language.

Readers of JSON and TOML raise sentences. Those that are known here become messages of the
catalogue; what is not stays as it is.
"""

import re
from typing import Final

AT: Final = re.compile(r"(?P<what>.*?)(?: - at `(?P<place>.+)`)?", re.DOTALL)
KNOWN: Final = tuple(
    (re.compile(pattern), key)
    for pattern, key in (
        (r"Expected `(?P<expected>.+)`, got `(?P<found>.+)`", "detail.expected"),
        (r"Expected `(?P<expected>.+)`", "detail.expected-only"),
        (r"Object missing required field `(?P<field>.+)`", "detail.missing"),
        (r"Object contains unknown field `(?P<field>.+)`", "detail.unknown-field"),
        (r"Invalid RFC3339 encoded (?P<kind>\w+)", "detail.no-time"),
        (r"Invalid (?:enum )?value '?(?P<value>.+?)'?", "detail.no-such-value"),
        (r"(?:Number|Integer value) out of range", "detail.too-great"),
        (r"(?P<field>\w+) out of range", "detail.out-of-range"),
        (r"(?P<field>\w+) `(?P<value>.+)` is there (?P<times>\d+) times", "detail.same"),
        (r"field `(?P<field>.+)` is there twice in one object", "detail.field-twice"),
        (r"`(?P<field>.+)` is needed", "detail.needed"),
        (r"the programme has no (?P<kind>[a-z ]+) `(?P<value>.*)`", "detail.not-in-programme"),
        (r"there is no (?P<kind>[a-z ]+) `(?P<value>.*)`", "detail.not-there"),
        (r"a year from (?P<first>\d+) to (?P<last>\d+) is needed", "detail.year"),
        (r"a time with an offset needs the store's `zone`", "detail.offset"),
        (r"either programme or template", "detail.either"),
        (r"a code is needed", "detail.code"),
        (r"true, false or a code is needed", "detail.refused"),
        (r"at least one tax class is needed", "detail.tax-class"),
        (r"so many stamps fill the card of (?P<stamps>\d+)", "detail.stamps"),
        (r"(?P<value>\S+) is no number", "detail.no-number"),
        (r"maximum recursion depth exceeded.*", "detail.too-deep"),
        (r"(?P<why>.+): line (?P<line>\d+) column (?P<column>\d+) \(char \d+\)", "detail.form"),
        (r"(?P<why>.+) \(at line (?P<line>\d+), column (?P<column>\d+)\)", "detail.form"),
    )
)


def parts_of(detail: str) -> tuple[str, dict[str, str], str]:
    """The key of a detail's message with its fields, and the place; no key where none is known."""
    told = AT.fullmatch(detail)
    what, place = (told["what"], told["place"] or "") if told else (detail, "")
    for pattern, key in KNOWN:
        if found := pattern.fullmatch(what):
            return key, found.groupdict(), place
    return "", {}, ""

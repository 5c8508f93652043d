"""The options of every command that reads a shop's own file, and what they come to."""

from collections.abc import Collection
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from desktop.past_sales.lines import COLUMNS, DELIMITERS, Layout
from shared.errors import DomainError

ZoneName = Annotated[str, typer.Option(help="The shop's time zone.")]
Columns = Annotated[
    list[str] | None, typer.Option(help="field=header, for another file's columns.")
]
Delimiter = Annotated[
    str, typer.Option(help="Sign between columns; found in the header where left out.")
]
Encoding = Annotated[str, typer.Option(help="Of the file, such as latin-1.")]
TimeFormat = Annotated[str, typer.Option(help="Such as '%m/%d/%Y %H:%M'; ISO 8601 where left out.")]
DecimalSign = Annotated[str, typer.Option(help="Sign before the cents.")]


def layout_of(
    *, column: list[str] | None, delimiter: str, encoding: str, time_format: str, decimal: str
) -> Layout:
    """How the file is written. DomainErrors ``replay-bad-column`` and ``replay-bad-sign``."""
    return Layout(
        columns={**COLUMNS, **_mapping(column or [])},
        delimiter=_sign(delimiter, "delimiter", allowed=("", *DELIMITERS)),
        encoding=encoding,
        time_format=time_format,
        decimal=_sign(decimal, "decimal", allowed=(".", ",")),
    )


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name; DomainError ``bad-zone``."""
    try:
        return ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError, OSError) as error:
        raise DomainError("bad-zone", zone=name) from error


def _sign(text: str, option: str, *, allowed: Collection[str]) -> str:
    if text not in allowed:
        known = " ".join(repr(sign) for sign in allowed if sign)
        raise DomainError("replay-bad-sign", option=option, text=text, known=known)
    return text


def _mapping(columns: list[str]) -> dict[str, str]:
    pairs = [column.partition("=") for column in columns]
    for name, _, header in pairs:
        if name not in COLUMNS or not header:
            raise DomainError("replay-bad-column", column=name, known=", ".join(COLUMNS))
    return {name: header for name, _, header in pairs}

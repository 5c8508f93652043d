"""The result as files for spreadsheets and programs, each written whole or not at all."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from shared.backtest.comparing import Comparison
from shared.backtest.result import Had, OfferRow, Result
from shared.money import Currency

OLD, NEW = "old", "new"


def write_tables(folder: Path, comparison: Comparison) -> None:
    """Write ``summary.json``, ``offers.csv``, ``members.csv`` and ``tiers.csv``.

    Money in CSV is in whole currency units with its decimals, points in smallest units.
    """
    result = comparison.result
    write_whole(folder / "summary.json", msgspec.json.format(msgspec.json.encode(result)))
    write_whole(folder / "offers.csv", _offers(result))
    write_whole(folder / "members.csv", _members(comparison))
    write_whole(folder / "tiers.csv", _tiers(result))


def write_whole(file: Path, data: bytes) -> None:
    """Write a file beside its place and move it there, so that no half of one is ever seen."""
    beside = file.with_name(f".{file.name}.part")
    beside.write_bytes(data)
    beside.replace(file)


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    # Spreadsheets read UTF-8 by this mark.
    return text.getvalue().encode("utf-8-sig")


def _plain(minor: int, currency: Currency) -> str:
    """An amount without thousands marks, which spreadsheets take for a number."""
    digits = f"{abs(minor):0{currency.exponent + 1}d}"
    whole, cents = digits[: len(digits) - currency.exponent], digits[-currency.exponent :]
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{cents}" if currency.exponent else f"{sign}{whole}"


def _offers(result: Result) -> bytes:
    currency = Currency(result.currency)

    def row(side: str, programme: str, offer: OfferRow) -> list[object]:
        return [
            side,
            programme,
            offer.offer,
            offer.version,
            offer.names.zh,
            offer.names.en,
            offer.funded_by,
            offer.times,
            offer.baskets,
            offer.members,
            _plain(offer.discount_minor, currency),
            offer.share_basis_points,
            offer.points,
            offer.added_units,
            _plain(offer.added_value_minor, currency),
            _plain(offer.added_cost_minor, currency),
        ]

    header = (
        "side programme offer version name_zh name_en funded_by times baskets members discount "
        "share_basis_points points added_units added_value added_cost"
    )
    sides = ((OLD, result.old), (NEW, result.new))
    rows = (row(name, side.programme, offer) for name, side in sides for offer in side.offers)
    return _csv(header.split(), rows)


def _members(comparison: Comparison) -> bytes:
    currency = Currency(comparison.result.currency)
    had = ["revenue", "discount", "added_value", "points_kept", "points_value", "benefit", "tier"]
    header = ["member", "baskets"]
    header += [f"{side}_{name}" for side in (OLD, NEW) for name in had]

    def cells(one: Had) -> list[object]:
        return [
            _plain(one.revenue_minor, currency),
            _plain(one.discount_minor, currency),
            _plain(one.added_value_minor, currency),
            one.points_kept,
            _plain(one.points_value_minor, currency),
            _plain(one.benefit_minor, currency),
            one.tier,
        ]

    rows = (
        [
            row.member,
            row.baskets,
            *cells(row.old),
            *cells(row.new),
            _plain(row.change_minor, currency),
        ]
        for row in comparison.members
    )
    return _csv([*header, "change"], rows)


def _tiers(result: Result) -> bytes:
    movement = result.tiers
    rows = (
        [old.tier, new.tier, movement.members[row][column]]
        for row, old in enumerate(movement.old)
        for column, new in enumerate(movement.new)
    )
    return _csv(["old_tier", "new_tier", "members"], rows)

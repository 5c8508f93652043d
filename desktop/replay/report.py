"""The replay's table: what was rung up, what was refused, and whether all three agree."""

import csv
from collections import Counter
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from desktop.past_sales.lines import FileTotals, Refused, ShopLine
from desktop.reckoning.agreement import Agreement
from desktop.replay.run import Played
from shared.money import Currency, format_amount


@dataclass(slots=True)
class ReplayReport:
    """Figures of one replay; ``differences`` is empty when file, tills and server agree."""

    file_lines: int
    accepted_lines: int
    refused_lines: int
    refused_by_reason: dict[str, int]
    file_money: str
    accepted_money: str
    refused_money: str
    offers_money: str
    """What offers took off, less what came back of it; money is compared before offers."""
    invoices: int
    invoices_offline: int
    sales: int
    returns: int
    returned_lines_matched: int
    returned_lines_unmatched: int
    returned_units_matched: int
    returned_units_unmatched: int
    split: int
    days: int
    points_earned: int
    points_taken_back: int
    entries: int
    sync_batches: int
    seconds: float
    sales_per_second: float
    differences: list[str] = field(default_factory=list)

    def rows(self) -> list[tuple[str, str]]:
        """Name and figure, for a table."""
        rows: list[tuple[str, str]] = []
        for name, value in asdict(self).items():
            label = name.replace("_", " ")
            match value:
                case dict():
                    rows += [
                        (f"  {reason.replace('-', ' ')}", f"{n:,}") for reason, n in value.items()
                    ]
                case list():
                    rows.append((label, "\n".join(value) or "none"))
                case int():
                    rows.append((label, f"{value:,}"))
                case _:
                    rows.append((label, str(value)))
        return rows

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "is_consistent": not self.differences}


def make_report(
    accepted: list[ShopLine],
    refused: list[Refused],
    played: Played,
    agreement: Agreement,
    currency: Currency,
    totals_of_file: FileTotals,
) -> ReplayReport:
    """Compare the file's lines and money with what the files of till and server say."""
    taken = sum((line.raw.money for line in accepted), Decimal(0))
    left = sum((line.raw.money for line in refused), Decimal(0))
    totals = agreement.totals
    rung = totals.listed
    differences = list(agreement.differences)
    if Decimal(rung).scaleb(-currency.exponent) != taken:
        differences.append(f"the books say {format_amount(rung, currency)}, the file {taken}")
    if totals_of_file != (len(accepted) + len(refused), taken + left):
        differences.append(f"accepted and refused are not the file's {totals_of_file}")
    if agreement.entries_acknowledged != agreement.entries_written:
        differences.append("the server has not acknowledged every entry")
    seconds = played.sell_s + played.sync_s
    return ReplayReport(
        file_lines=totals_of_file.lines,
        accepted_lines=len(accepted),
        refused_lines=len(refused),
        refused_by_reason=dict(Counter(line.reason.value for line in refused)),
        file_money=str(totals_of_file.money),
        accepted_money=str(taken),
        refused_money=str(left),
        offers_money=format_amount(rung - totals.turnover + totals.refunded, currency),
        invoices=played.invoices,
        invoices_offline=played.invoices_offline,
        sales=totals.sales,
        returns=totals.returns,
        returned_lines_matched=played.returned_lines_matched,
        returned_lines_unmatched=played.returned_lines_unmatched,
        returned_units_matched=played.returned_units_matched,
        returned_units_unmatched=played.returned_units_unmatched,
        split=played.split,
        days=len(played.days),
        points_earned=totals.points_earned,
        points_taken_back=totals.points_taken,
        entries=agreement.entries_written,
        sync_batches=played.sync_batches,
        seconds=round(seconds, 2),
        sales_per_second=round(totals.sales / seconds, 1) if seconds else 0.0,
        differences=differences,
    )


def write_refused(path: Path, refused: list[Refused]) -> None:
    """Every line that could not be sold, with the reason, as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "reason", "money", "fields"])
        for line in refused:
            fields = " | ".join(line.raw.fields)
            writer.writerow([line.raw.number, line.reason.value, line.raw.money, fields])

"""What a demo left, judged by its files alone: ``python -m desktop.demo.summary FOLDER``.

Reads the tills' files, the server's file and the printed jobs, shares no counter with whoever made
them, and asks none of the product's own code.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desktop.reckoning.agreement import reckon
from desktop.reckoning.file import read_server, read_till
from desktop.reckoning.receipts import check_receipts, read_receipts
from desktop.reckoning.waiting import read_waiting

SALES_MIN = 30
FILE = "summary.json"


@dataclass(slots=True)
class Summary:
    """The figures, and what disagrees; nothing disagrees in a good demo."""

    figures: dict[str, Any]
    differences: list[str] = field(default_factory=list)

    @property
    def is_consistent(self) -> bool:
        """Whether everything agrees."""
        return not self.differences

    def write(self, folder: Path) -> None:
        """Leave ``summary.json``."""
        text = json.dumps(self.figures, indent=2, ensure_ascii=False)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")


def summarise(folder: Path) -> Summary:
    """Read everything a demo left in ``folder``."""
    tills = [read_till(path) for path in sorted(folder.glob("till-*/till.sqlite"))]
    database = folder / "server" / "evertill.db"
    agreement = reckon(tills, read_server(database))
    receipts = read_receipts(folder / "receipts")
    check_receipts(receipts, tills)
    journals = {journal for till in tills for journal, _epoch in till.chains}
    waiting = read_waiting(database, journals)
    differences = [*agreement.differences, *receipts.differences]
    if agreement.entries_written != agreement.entries_acknowledged:
        differences.append(
            f"{agreement.entries_written} entries written, "
            f"{agreement.entries_acknowledged} acknowledged"
        )
    if agreement.totals.sales < SALES_MIN:
        differences.append(f"{agreement.totals.sales} sales, at least {SALES_MIN} are played")
    figures = {
        "sales": agreement.totals.sales,
        "returns": agreement.totals.returns,
        "entries_written": agreement.entries_written,
        "entries_acknowledged": agreement.entries_acknowledged,
        "offline_entries": waiting.offline_entries,
        "receipts_printed": len(receipts.found),
        "ledger_imbalance": agreement.ledger_imbalance,
        "balances_equal": agreement.balances_equal,
        "chains_verified": agreement.chains_verified,
        "duration_s": waiting.duration_s,
    }
    return Summary(figures, differences)


def main() -> int:
    """Print the figures and every difference; the exit code."""
    summary = summarise(Path(sys.argv[1]))
    print(json.dumps(summary.figures, indent=2))
    for difference in summary.differences:
        print(difference, file=sys.stderr)
    return 0 if summary.is_consistent else 1


if __name__ == "__main__":
    sys.exit(main())

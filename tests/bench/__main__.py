"""``make bench``: figures as ratios inside one run, with machine and durability beside them.

``python -m tests.bench [NAME …]`` runs all or the named ones, prints tables and writes
``build/bench/<name>.json``. Nothing here passes or fails: a figure is for people to judge.
"""

import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

from desktop.store.driver import SQLITE_VERSION
from tests.bench import (
    backlog,
    ingest,
    peer,
    pricing,
    printing,
    pulling,
    pushing,
    sale_commit,
    scan_to_line,
    snapshot,
    waiting,
)

BENCHES = {
    "sale_commit": sale_commit.run,
    "pushing": pushing.run,
    "peer": peer.run,
    "ingest": ingest.run,
    "backlog": backlog.run,
    "pulling": pulling.run,
    "scan_to_line": scan_to_line.run,
    "printing": printing.run,
    "pricing": pricing.run,
    "waiting": waiting.run,
    "snapshot": snapshot.run,
}


def machine() -> dict[str, str]:
    """What the figures were taken on."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "system": platform.platform(),
        "processors": str(os.cpu_count()),
        "python": platform.python_version(),
        "sqlite": ".".join(map(str, SQLITE_VERSION)),
    }


def main(names: list[str]) -> None:
    """Run and tell."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    folder = Path("build/bench")
    folder.mkdir(parents=True, exist_ok=True)
    console = Console()
    for name in names or BENCHES:
        figures = BENCHES[name]()
        table = Table("figure", "value", title=name)
        for figure, value in {**figures, **machine()}.items():
            shown = f"{value:,.3f}" if isinstance(value, float) else str(value)
            table.add_row(figure, shown)
        console.print(table)
        text = json.dumps({**figures, **machine()}, indent=1, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main([name for name in sys.argv[1:] if name])

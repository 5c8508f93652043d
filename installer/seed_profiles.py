"""Writes ``hardware/escpos/models.toml`` from the printer database that python-escpos brings along.

Facts only: paper, code page, cutter, codes. Usage: ``python -m installer.seed_profiles``; needed
again when a new version of python-escpos knows more printers.
"""

import json
import re
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

TARGET: Final = Path(__file__).parents[1] / "hardware/escpos/models.toml"
CELL_DOTS: Final = 12
PAPERS: Final = {(384, 32): "58mm", (576, 48): "80mm", (512, 42): "80mm-narrow"}
PAPERS_BY_COLUMNS: Final = {columns: name for (_, columns), name in PAPERS.items()}
CODECS: Final = {"CP858": "cp858", "CP1252": "cp1252", "CP850": "cp850", "CP437": "cp437"}
"""Best first: the first two have the euro, the first three all letters of Western Europe."""
HEADER: Final = """\
# Printers by their model, one profile each: paper, code page, cutter and codes.
# Seeded from the printer database of python-escpos {version} (capabilities.json of the
# escpos-printer-db project, https://github.com/receipt-print-hq/escpos-printer-db, MIT licence) by
# installer/seed_profiles.py; do not edit. Printers without raster pictures, with papers narrower
# than 16 columns or with Star's own commands are left out. Firmware for China is not in that
# database: such a printer takes the profile `gb`.
"""


def database() -> dict[str, Any]:
    """All profiles of python-escpos, as they are."""
    text = (files("escpos") / "capabilities.json").read_text(encoding="utf-8")
    profiles: dict[str, Any] = json.loads(text)["profiles"]
    return profiles


def is_usable(record: dict[str, Any]) -> bool:
    """Whether the till can print on it: receipts need pictures, and ESC/POS."""
    features = record["features"]
    return bool(features["bitImageRaster"]) and not features["starCommands"]


def paper_of(record: dict[str, Any]) -> tuple[str, int, int]:
    """Name, dots and columns of a printer's paper; the nearest of ours where it names no dots."""
    dots, columns = record["media"]["width"].get("pixels"), record["fonts"]["0"]["columns"]
    if not isinstance(dots, int) or dots < columns * CELL_DOTS:
        columns = min(columns, max(PAPERS_BY_COLUMNS))
        name = PAPERS_BY_COLUMNS.get(columns, "80mm-narrow")
        return next((name, d, c) for (d, c), known in PAPERS.items() if known == name)
    if 2 * columns * CELL_DOTS < dots:
        columns = dots // CELL_DOTS  # one record has the cell's width in dots where columns belong
    dots -= dots % 8
    return PAPERS.get((dots, columns), f"{dots}x{columns}"), dots, columns


def code_page_of(record: dict[str, Any]) -> tuple[str, int]:
    """The best code page it knows: Python's codec and the number for ``ESC t``."""
    numbers = {name: int(number) for number, name in reversed(record["codePages"].items())}
    best = next(name for name in CODECS if name in numbers)
    return CODECS[best], numbers[best]


def models_text() -> str:
    """The whole file."""
    release = version("python-escpos")
    papers: dict[str, tuple[int, int]] = {}
    profiles = ""
    for key, record in sorted(database().items()):
        if not is_usable(record):
            continue
        name, dots, columns = paper_of(record)
        if name not in PAPERS.values():
            papers[name] = (dots, columns)
        profiles += _profile(key, record, name, release)
    text = HEADER.format(version=release)
    for name, (dots, columns) in sorted(papers.items()):
        text += f"\n[paper.{name}]\ndots = {dots}\ncolumns = {columns}\n"
    return text + profiles


def _profile(key: str, record: dict[str, Any], paper: str, release: str) -> str:
    features = record["features"]
    codec, page = code_page_of(record)
    cut = "partial" if features["paperPartCut"] else "full" if features["paperFullCut"] else "none"
    name = re.sub(r"[^a-z0-9]+", "-", f"{record['vendor']} {key}".lower()).strip("-")
    return f"""
[profile.{name}]
like = "latin"
description = "{record["vendor"]} {record["name"]}"
codec = "{codec}"
code_page = {page}
barcode = "{"native" if features["barcodeB"] else "raster"}"
qr = "{"native" if features["qrCode"] else "raster"}"
cut = "{cut}"
paper = "{paper}"
source = "python-escpos {release}, {key}"
"""


if __name__ == "__main__":
    TARGET.write_text(models_text(), encoding="utf-8")

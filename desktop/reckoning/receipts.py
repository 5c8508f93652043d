"""Receipts against facts: every job decoded anew, every ticket with exactly one original."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from desktop.reckoning.file import KeptFile
from desktop.reckoning.paper import DamagedPaper, Paper, read_paper

RULE = re.compile(r"([─━═])\1+")
COPY_SIGN = "副本 COPY"
TICKETS = ("sale_completed", "sale_returned")
ON_PAPER = frozenset({"confirmed", "confirmed-unverified", "uncertain", "settled"})
"""States of a print job after which paper can have come out."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One printed job."""

    name: str
    paper: Paper

    @property
    def text(self) -> str:
        """All of it without spaces and in plain forms, so that only content is compared."""
        return squeezed("".join(self.paper.lines))

    @property
    def is_original(self) -> bool:
        """Whether nothing marks it as a copy."""
        return squeezed(COPY_SIGN) not in self.text


@dataclass(slots=True)
class Receipts:
    """What a folder of printed jobs holds, and what is wrong with it."""

    found: list[Receipt] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


def squeezed(text: str) -> str:
    """Compatibility forms made one, no spaces, rules of any length: layout is the printer's."""
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    return RULE.sub(r"\1", plain)


def read_receipts(folder: Path) -> Receipts:
    """Decode every ``.bin``; compare it with the ``.txt`` beside it, and open the ``.png``."""
    receipts = Receipts()
    for path in sorted(folder.glob("*.bin")):
        try:
            paper = read_paper(path.read_bytes())
        except DamagedPaper as error:
            receipts.differences.append(f"{path.name}: {error}")
            continue
        receipts.found.append(Receipt(path.stem, paper))
        receipts.differences += _beside(path, paper)
    stems = {path.stem for path in folder.glob("*.bin")}
    for path in sorted([*folder.glob("*.txt"), *folder.glob("*.png")]):
        if path.stem not in stems:
            receipts.differences.append(f"{path.name}: no bytes were sent for it")
    return receipts


def _beside(path: Path, paper: Paper) -> Iterator[str]:
    try:
        shown = path.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        yield f"{path.name}: has no readable text beside it"
        return
    if _content(shown) != _content(paper.lines):
        yield f"{path.name}: the bytes say something else than the text beside it"
    if paper.cuts != 1:
        yield f"{path.name}: {paper.cuts} cuts"
    try:
        with Image.open(path.with_suffix(".png")) as picture:
            picture.verify()
    except (OSError, SyntaxError, UnidentifiedImageError):
        yield f"{path.name}: has no readable picture beside it"


def _content(lines: list[str]) -> list[str]:
    squeezed_lines = (squeezed(line) for line in lines)
    return [line for line in squeezed_lines if line and set(line) != {"-"}]


def check_receipts(receipts: Receipts, tills: list[KeptFile]) -> None:
    """Add what facts and paper say differently."""
    originals: dict[str, list[Receipt]] = {}
    copies: Counter[str] = Counter()
    for receipt in receipts.found:
        for code in receipt.paper.codes:
            if receipt.is_original:
                originals.setdefault(code, []).append(receipt)
            else:
                copies[code] += 1
    noted: Counter[str] = Counter()
    for till in tills:
        on_sales = {entry.told["body"].get("exchange") for entry in till.entries()}
        for entry in till.entries():
            told = entry.told
            if told["kind"] in TICKETS and told["id"] not in on_sales:
                receipts.differences += _check_ticket(told, entry.hash, originals)
            elif told["kind"] == "receipt_reprinted":
                noted[told["body"]["receipt_no"]] += 1
        receipts.differences += _check_jobs(till, receipts)
    receipts.differences += _check_rest(originals, copies, noted)


def _check_rest(
    originals: dict[str, list[Receipt]], copies: Counter[str], noted: Counter[str]
) -> Iterator[str]:
    """Papers that no ticket asked for."""
    for code in sorted(copies.keys() | noted.keys()):
        if copies[code] != noted[code]:
            yield f"receipt {code}: {copies[code]} copies on paper, {noted[code]} noted"
    for code, papers in sorted(originals.items()):
        for paper in papers:
            yield f"{paper.name}: no ticket has the number {code}"


def _check_ticket(
    told: dict[str, Any], entry_hash: bytes, originals: dict[str, list[Receipt]]
) -> Iterator[str]:
    body = told["body"]
    number = body["receipt_no"]
    papers = originals.pop(number, [])
    if len(papers) != 1:
        yield f"receipt {number}: {len(papers)} originals"
        return
    text = papers[0].text
    name = papers[0].name
    if _amount(body["total"] + body.get("rounding", 0)) not in text:
        yield f"{name}: does not show the total {_amount(body['total'])} of its ticket"
    if entry_hash.hex()[:4].upper() not in text:
        yield f"{name}: does not bear the mark of its entry"
    for line in body["lines"]:
        if not any(_is_told(called, papers[0]) for called in line["names"].values()):
            yield f"{name}: line {line['line']} is missing"
    member = body.get("member")
    if member and f"{member['points']['closing']:,}" not in text:
        yield f"{name}: does not show the member's points"


def _is_told(name: str, receipt: Receipt) -> bool:
    """Whether a name stands there, whole or wrapped over lines with figures between its parts."""
    if squeezed(name) in receipt.text:
        return True
    words = name.split()
    return len(words) > 1 and all(squeezed(word) in receipt.text for word in words)


def _check_jobs(till: KeptFile, receipts: Receipts) -> Iterator[str]:
    """As many papers as the till sent, and each bears its entry's mark."""
    marks = Counter(
        entry.hash.hex()[:4].upper()
        for entry in till.entries()
        for (entry_id, _copy), state in till.printed.items()
        if entry_id == entry.told["id"] and state in ON_PAPER
    )
    own = [one for one in receipts.found if one.name.startswith(till.name)]
    if sum(marks.values()) != len(own):
        yield f"{till.name}: sent {sum(marks.values())} jobs, {len(own)} papers came out"
    for mark, count in sorted(marks.items()):
        if sum(mark in one.text for one in own) < count:
            yield f"{till.name}: the paper of entry {mark} is missing"
    for (entry_id, copy), state in sorted(till.printed.items()):
        if state not in ON_PAPER:
            yield f"{till.name}: job {entry_id}/{copy} is still {state}"


def _amount(minor: int) -> str:
    """Two decimals, thousands separated: the demo's and all tested currencies have cents."""
    return f"{abs(minor) // 100:,}.{abs(minor) % 100:02d}"

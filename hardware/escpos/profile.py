"""Printer profiles: what a printer can do, read from ``profiles.toml``."""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from shared.errors import EnvironmentFault
from shared.receipt.layout import COLUMNS_MIN, Grid
from shared.receipt.text import gb18030_cells, single_cells

BUILT_IN_FILES = ("profiles.toml", "models.toml")
DOTS_MAX = 8 * 0xFF
"""Widest picture in one GS v 0 strip that we send (255 bytes)."""


class TextMode(StrEnum):
    """How letters reach the paper."""

    GB18030 = "gb18030"
    """As GB18030 double bytes in Chinese mode."""
    CODEPAGE = "codepage"
    """As single bytes of one code page."""
    RASTER = "raster"
    """As pictures drawn by the till."""


class Missing(StrEnum):
    """What becomes of a character that the printer does not have."""

    PICTURE = "picture"
    """Drawn inside the line; marked where no font is at hand."""
    MARK = "mark"
    """A visible mark in its place."""


class Drawing(StrEnum):
    """Who draws a code."""

    NATIVE = "native"
    """The printer."""
    RASTER = "raster"
    """The till, as a picture."""


class CutKind(StrEnum):
    """How the paper ends."""

    FULL = "full"
    """Cut through."""
    PARTIAL = "partial"
    """Cut leaving one point."""
    NONE = "none"
    """No cutter: the paper is fed to the tear bar."""


class Answers(StrEnum):
    """Whether the printer can speak."""

    ALWAYS = "always"
    """It answers; silence means it is off or stuck, and nothing is sent to it."""
    ASK = "ask"
    """Unknown until it has answered once; silence before that is no fault."""
    NEVER = "never"
    """It has no way back."""


class AskBy(StrEnum):
    """How the printer is asked for its state before a job."""

    DLE_EOT = "dle-eot"
    """``DLE EOT`` 1 to 4: answered at once, also off line."""
    ASB = "asb"
    """``GS a``: the automatic status, for printers that do not know ``DLE EOT``."""


class Confirm(StrEnum):
    """Which request at the end of a job proves that it was printed."""

    GS_H = "gs-h"
    """``GS ( H`` function 48: the printer echoes the job's own number."""
    GS_R = "gs-r"
    """``GS r 1``: answered in order, after everything before it."""
    NONE = "none"
    """It knows neither: its state is asked after the job, and nothing is called confirmed."""


@dataclass(frozen=True, slots=True)
class Paper:
    """The width of the paper in dots (203 dpi) and in cells of 12 dots."""

    name: str
    dots: int
    columns: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What a kind of printer can do; each field is explained in ``profiles.toml``."""

    name: str
    description: str
    text: TextMode
    codec: str
    code_page: int
    missing: Missing
    barcode: Drawing
    qr: Drawing
    cut: CutKind
    answers: Answers
    confirm: Confirm
    blank_first_line: bool
    ask_by: AskBy = AskBy.DLE_EOT
    paper: str = ""
    """The paper it is made for, where the settings name none."""
    source: str = ""
    """Where its data come from."""

    def grid(self, paper: Paper) -> Grid:
        """The cells of this printer on this paper."""
        if self.text is not TextMode.CODEPAGE:
            return Grid(paper.columns, gb18030_cells)
        lines = [self._first_in_codec("─-"), self._first_in_codec("═=")]
        return Grid(paper.columns, single_cells, *lines)

    def _first_in_codec(self, candidates: str) -> str:
        return next(sign for sign in candidates if sign.encode(self.codec, "ignore"))


class _PaperRecord(msgspec.Struct, forbid_unknown_fields=True):
    dots: int
    columns: int


class _ProfileRecord(msgspec.Struct, forbid_unknown_fields=True):
    text: TextMode
    missing: Missing
    barcode: Drawing
    qr: Drawing
    cut: CutKind
    answers: Answers
    confirm: Confirm
    blank_first_line: bool
    description: str = ""
    codec: str = "ascii"
    code_page: int = 0
    ask_by: AskBy = AskBy.DLE_EOT
    paper: str = ""
    source: str = ""
    like: str = ""


@dataclass(frozen=True, slots=True)
class ProfileBook:
    """All papers and profiles of one file."""

    papers: dict[str, Paper]
    profiles: dict[str, Profile]

    def paper(self, name: str) -> Paper:
        """A paper by name; EnvironmentFault ``unknown-paper`` names those there are."""
        if name not in self.papers:
            raise EnvironmentFault("unknown-paper", name=name, known=", ".join(self.papers))
        return self.papers[name]

    def profile(self, name: str) -> Profile:
        """A profile by name; EnvironmentFault ``unknown-printer-profile`` names those there are."""
        if name not in self.profiles:
            known = ", ".join(self.profiles)
            raise EnvironmentFault("unknown-printer-profile", name=name, known=known)
        return self.profiles[name]


@cache
def built_in_profiles() -> ProfileBook:
    """The papers and profiles that come with the product: ours, then the models by name."""
    book: ProfileBook | None = None
    for name in BUILT_IN_FILES:
        text = (files("hardware.escpos") / name).read_text(encoding="utf-8")
        book = read_profiles(text, source=name, base=book)
    assert book is not None
    return book


def load_profiles(path: Path) -> ProfileBook:
    """A shop's own profile file, on top of the built-in one; EnvironmentFault if unreadable."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault("bad-printer-profiles", path=str(path), reason=str(error)) from error
    return read_profiles(text, source=str(path), base=built_in_profiles())


def read_profiles(text: str, *, source: str, base: ProfileBook | None = None) -> ProfileBook:
    """Parse a profile file; EnvironmentFault ``bad-printer-profiles`` says where it is wrong."""
    papers = dict(base.papers) if base else {}
    profiles = dict(base.profiles) if base else {}
    try:
        document = tomllib.loads(text)
        for name, record in document.get("paper", {}).items():
            papers[name] = _paper(name, msgspec.convert(record, _PaperRecord))
        raw: dict[str, dict[str, object]] = {}
        for name, record in document.get("profile", {}).items():
            raw[name] = {**_inherited(record, raw, profiles), **record}
            profiles[name] = _profile(name, msgspec.convert(raw[name], _ProfileRecord), papers)
    except (ValueError, LookupError, TypeError, AttributeError, msgspec.ValidationError) as error:
        raise EnvironmentFault("bad-printer-profiles", path=source, reason=str(error)) from error
    return ProfileBook(papers, profiles)


def _inherited(
    record: dict[str, object], raw: dict[str, dict[str, object]], known: dict[str, Profile]
) -> dict[str, object]:
    like = record.get("like")
    if like is None:
        return {}
    if like in raw:
        return raw[str(like)]
    if like not in known:
        raise LookupError(f"like = {like!r} is not a profile above")
    profile = msgspec.to_builtins(known[str(like)])
    return {field: value for field, value in profile.items() if field != "name"}


def _paper(name: str, record: _PaperRecord) -> Paper:
    if not (record.columns >= COLUMNS_MIN and record.columns * 12 <= record.dots <= DOTS_MAX):
        raise ValueError(f"paper {name}: a column takes 12 dots, at most {DOTS_MAX} in all")
    if record.dots % 8:
        raise ValueError(f"paper {name}: dots come in eights")
    return Paper(name, record.dots, record.columns)


def _profile(name: str, record: _ProfileRecord, papers: dict[str, Paper]) -> Profile:
    "".encode(record.codec)
    if record.paper and record.paper not in papers:
        raise LookupError(f"profile {name}: paper = {record.paper!r} is not a paper above")
    if not 0 <= record.code_page <= 0xFF:
        raise ValueError(f"profile {name}: code_page is one byte")
    fields = {field: getattr(record, field) for field in record.__struct_fields__}
    del fields["like"]
    return Profile(name=name, **fields)

"""From question to question: what was seen decides what is asked next."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hardware.escpos import raster
from hardware.escpos.profile import (
    CutKind,
    Drawing,
    Missing,
    Paper,
    ProfileBook,
    TextMode,
    built_in_profiles,
)
from hardware.survey import pages
from hardware.survey.abilities import StatusAbilities
from hardware.survey.findings import Findings
from hardware.typeface import receipt_typeface
from shared.errors import EnvironmentFault

USUAL_PAPERS = ("58mm", "80mm-narrow", "80mm")
WESTERN_CODECS = ("cp858", "cp1252")
"""Code pages with the letters, the pound and the euro of Western Europe."""
NONE = "none"


@dataclass(frozen=True, slots=True)
class Choice:
    """One possible answer: words by ``message_key`` with ``line`` as its field."""

    value: str
    message_key: str
    line: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A page to be printed, what is asked about it, and the possible answers: words by
    ``message_key`` with ``sample`` as its field, the text to be looked for."""

    message_key: str
    page: bytes = field(repr=False)
    choices: tuple[Choice, ...]
    sample: str = ""


@dataclass(slots=True)
class Survey:
    """One test of one printer, whose ``abilities`` have been asked for before."""

    abilities: StatusAbilities
    book: ProfileBook = field(default_factory=built_in_profiles)
    findings: Findings = field(init=False)
    _no_chinese: bool = False

    def __post_init__(self) -> None:
        self.findings = Findings(self.abilities)

    def question(self) -> Question | None:
        """What to print and ask next; None when all is known."""
        step = self._step()
        return step[0]() if step else None

    def answer(self, value: str) -> None:
        """Take what was seen: the value of one of the choices."""
        step = self._step()
        assert step is not None
        step[1](value)

    def _step(self) -> tuple[Callable[[], Question], Callable[[str], None]] | None:
        found = self.findings
        steps = (
            (found.text is None and not self._no_chinese, self._chinese, self._take_chinese),
            (found.text is None, self._code_page, self._take_code_page),
            (not found.paper, self._width, self._take_width),
            (found.cut is None, self._cut, self._take_cut),
            (found.barcode is None, self._codes, self._take_codes),
            (self._asks_for_drawing(), self._drawing, self._take_drawing),
        )
        return next(((ask, take) for is_open, ask, take in steps if is_open), None)

    # The letters

    def _chinese(self) -> Question:
        return Question(
            "printer-test.chinese",
            pages.chinese_page(),
            _choices("printer-test.chinese", "both", "second", NONE),
            pages.CHINESE_SAMPLE,
        )

    def _take_chinese(self, value: str) -> None:
        if value == NONE:
            self._no_chinese = True
            return
        self.findings.text = TextMode.GB18030
        self.findings.blank_first_line = value == "second"

    def _code_pages(self) -> tuple[tuple[str, int], ...]:
        """Every code page with Western letters that a known printer has, the best first."""
        known = {
            (profile.codec, profile.code_page)
            for profile in self.book.profiles.values()
            if profile.text is TextMode.CODEPAGE and profile.codec in WESTERN_CODECS
        }
        ranked = sorted(known, key=lambda page: (WESTERN_CODECS.index(page[0]), page[1]))
        return tuple(ranked[: len(pages.LETTERS)])

    def _code_page(self) -> Question:
        candidates = self._code_pages()
        lines = tuple(
            Choice(letter, "printer-test.line", letter)
            for letter, _ in zip(pages.LETTERS, candidates, strict=False)
        )
        return Question(
            "printer-test.code-page",
            pages.code_page_page(candidates),
            (*lines, *_choices("printer-test.code-page", NONE)),
            pages.WESTERN_SAMPLE,
        )

    def _take_code_page(self, value: str) -> None:
        if value == NONE:
            self.findings.text = TextMode.RASTER
            return
        chosen = self._code_pages()[pages.LETTERS.index(value)]
        self.findings.text = TextMode.CODEPAGE
        self.findings.codec, self.findings.code_page = chosen

    # The paper

    def _papers(self) -> tuple[Paper, ...]:
        return tuple(map(self.book.paper, USUAL_PAPERS))

    def _width(self) -> Question:
        by_pictures = self.findings.text is TextMode.RASTER
        page = pages.width_pictures_page if by_pictures else pages.width_page
        key = "printer-test.width-pictures" if by_pictures else "printer-test.width"
        lines = tuple(
            Choice(paper.name, "printer-test.line", str(number))
            for number, paper in enumerate(self._papers(), 1)
        )
        return Question(key, page(self._papers()), lines)

    def _take_width(self, value: str) -> None:
        self.findings.paper = self.book.paper(value).name

    def _cut(self) -> Question:
        kinds = _choices("printer-test.cut", *(kind.value for kind in CutKind))
        return Question("printer-test.cut", pages.cut_page(), kinds)

    def _take_cut(self, value: str) -> None:
        self.findings.cut = CutKind(value)

    # Codes and pictures

    def _codes(self) -> Question:
        kinds = _choices("printer-test.codes", "both", "bars", "square", NONE)
        return Question("printer-test.codes", pages.codes_page(), kinds)

    def _take_codes(self, value: str) -> None:
        drawn = {True: Drawing.NATIVE, False: Drawing.RASTER}
        self.findings.barcode = drawn[value in ("both", "bars")]
        self.findings.qr = drawn[value in ("both", "square")]

    def _asks_for_drawing(self) -> bool:
        found = self.findings
        return found.missing is None and found.text is TextMode.GB18030 and _can_draw()

    def _drawing(self) -> Question:
        columns = raster.glyph_columns(receipt_typeface(), pages.RARE_SAMPLE)
        page = pages.drawn_character_page(columns)
        choices = _choices("printer-test.drawing", "yes", "no")
        return Question("printer-test.drawing", page, choices, pages.RARE_SAMPLE)

    def _take_drawing(self, value: str) -> None:
        self.findings.missing = Missing.PICTURE if value == "yes" else Missing.MARK


def _choices(key: str, *values: str) -> tuple[Choice, ...]:
    return tuple(Choice(value, f"{key}.{value}") for value in values)


def _can_draw() -> bool:
    """Whether this machine has a font to draw with at all."""
    try:
        receipt_typeface()
    except EnvironmentFault:
        return False
    return True

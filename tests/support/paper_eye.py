"""A pair of eyes for the printer test: reads the virtual paper and answers as a person would."""

from hardware.paper.sheet import CutMark, PrintedCode, PrintedLine, PrintedPicture, Sheet
from hardware.paper.text import sheet_text
from hardware.survey.course import Question
from hardware.survey.pages import CHINESE_SAMPLE, MARK_DOTS, WESTERN_SAMPLE


def look(question: Question, sheet: Sheet) -> str:
    """The value of the choice that is true of this paper."""
    _, _, name = question.message_key.partition(".")
    answer = {
        "chinese": _chinese,
        "code-page": _code_page,
        "width": _width,
        "width-pictures": _width_by_pictures,
        "cut": _cut,
        "codes": _codes,
        "drawing": _drawing,
    }[name](question, sheet)
    assert answer in {choice.value for choice in question.choices}, (name, sheet_text(sheet))
    return answer


def _lines(sheet: Sheet) -> list[str]:
    return sheet_text(sheet).splitlines()


def _chinese(_question: Question, sheet: Sheet) -> str:
    right = [f"{number} {CHINESE_SAMPLE}" in _lines(sheet) for number in (1, 2)]
    return {(True, True): "both", (False, True): "second"}.get((right[0], right[1]), "none")


def _code_page(question: Question, sheet: Sheet) -> str:
    letters = [choice.line for choice in question.choices if choice.line]
    lines = _lines(sheet)
    return next((one for one in letters if f"{one} {WESTERN_SAMPLE}" in lines), "none")


def _width(question: Question, sheet: Sheet) -> str:
    whole = [line[0] for line in _lines(sheet) if line[1:3] == " -" and line.endswith("|")]
    return next(choice.value for choice in question.choices if choice.line == whole[-1])


def _width_by_pictures(question: Question, sheet: Sheet) -> str:
    number, whole = "", ""
    for item in sheet.printed:
        if isinstance(item, PrintedLine):
            number = "".join(glyph.character for glyph in item.glyphs) or number
        elif isinstance(item, PrintedPicture):
            picture = item.picture
            end = picture.crop((picture.width - MARK_DOTS, 0, picture.width, picture.height))
            whole = number if end.getextrema() == (255, 255) else whole
    return next(choice.value for choice in question.choices if choice.line == whole)


def _cut(_question: Question, sheet: Sheet) -> str:
    above, cuts = "", {}
    for item in sheet.printed:
        if isinstance(item, PrintedLine) and item.glyphs:
            above = item.glyphs[0].character
        elif isinstance(item, CutMark):
            cuts[above] = item.is_partial
    if not cuts:
        return "none"
    return "partial" if cuts.get("1") else "full"


def _codes(_question: Question, sheet: Sheet) -> str:
    kinds = {item.kind for item in sheet.printed if isinstance(item, PrintedCode)}
    there = ("CODE128" in kinds, "QR" in kinds)
    return {(True, True): "both", (True, False): "bars", (False, True): "square"}.get(there, "none")


def _drawing(_question: Question, sheet: Sheet) -> str:
    return "yes" if any("甲▣乙" in line for line in _lines(sheet)) else "no"

"""What the test found out, as a profile in a file of the till's."""

from dataclasses import dataclass, field
from typing import Final

from hardware.escpos.profile import CutKind, Drawing, Missing, TextMode
from hardware.survey.abilities import StatusAbilities

FILE_NAME: Final = "printers.toml"
"""Beside the till's files: a till that finds it there uses it."""
PROFILE_NAME: Final = "tested"
LIKE: Final = {TextMode.GB18030: "gb", TextMode.CODEPAGE: "latin", TextMode.RASTER: "raster"}


@dataclass(slots=True)
class Findings:
    """Filled in answer by answer."""

    abilities: StatusAbilities = field(default_factory=StatusAbilities)
    text: TextMode | None = None
    codec: str = "cp858"
    code_page: int = 19
    blank_first_line: bool = False
    paper: str = ""
    cut: CutKind | None = None
    barcode: Drawing | None = None
    qr: Drawing = Drawing.RASTER
    missing: Missing | None = None


def profile_text(findings: Findings, *, tested_at: str) -> str:
    """The profile file; ``tested_at`` is an ISO date for whoever reads it."""
    assert findings.text is not None
    fields: dict[str, object] = {
        "like": LIKE[findings.text],
        "description": f"tested {tested_at}",
        "paper": findings.paper,
        "missing": findings.missing or Missing.MARK,
        "barcode": findings.barcode or Drawing.RASTER,
        "qr": findings.qr,
        "cut": findings.cut or CutKind.NONE,
        "answers": findings.abilities.answers,
        "ask_by": findings.abilities.ask_by,
        "confirm": findings.abilities.confirm,
        "blank_first_line": findings.blank_first_line,
        "source": "evertill printer-test",
    }
    if findings.text is TextMode.CODEPAGE:
        fields |= {"codec": findings.codec, "code_page": findings.code_page}
    return f"[profile.{PROFILE_NAME}]\n" + "".join(
        f"{name} = {_toml(value)}\n" for name, value in fields.items()
    )


def _toml(value: object) -> str:
    """Only flags, numbers and words of our own come here: nothing in them needs an escape."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else f'"{value}"'

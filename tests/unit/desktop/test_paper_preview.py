"""The paper beside the form is drawn at every key: what did not change is not made again."""

import os
from pathlib import Path
from typing import Any

import pytest
import segno
from PIL import Image, ImageDraw

from desktop.paper_preview import PAPERS, paper_picture
from hardware.escpos.logo import read_logo
from hardware.escpos.profile import built_in_profiles
from shared.receipt.document import Document, Qr, Text

WEB = Qr("https://receipts.example/r/1/2")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Characters that were painted, and codes whose modules were found."""
    found: list[str] = []
    text, qr = ImageDraw.ImageDraw.text, segno.make_qr

    def painted(self: Any, at: Any, character: str, **more: Any) -> None:
        found.append(character)
        text(self, at, character, **more)

    def encoded(data: Any, **more: Any) -> Any:
        if "mask" not in more:
            found.append("QR")
        return qr(data, **more)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", painted)
    monkeypatch.setattr(segno, "make_qr", encoded)
    return found


@pytest.mark.parametrize("columns", list(PAPERS))
def test_one_more_letter_paints_one_character(
    columns: int, made: list[str], tmp_path: Path
) -> None:
    before = paper_picture(Document((Text("常青便利 abcabc"), WEB)), columns, tmp_path, "")
    made.clear()
    after = paper_picture(Document((Text("常青便利 abcabcŝ常"), WEB)), columns, tmp_path, "")
    assert set(made) <= {"ŝ"}
    assert after != before


def test_a_logo_that_was_changed_is_read_again(tmp_path: Path) -> None:
    file, paper = tmp_path / "logo.png", built_in_profiles().paper("58mm")
    Image.new("L", (40, 40), 0).save(file)
    black = read_logo(file, paper)
    assert read_logo(file, paper) is black
    Image.new("L", (40, 40), 255).save(file)
    os.utime(file, ns=(1, 1))
    assert read_logo(file, paper) != black

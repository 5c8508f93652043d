"""Profile files: what a shop may write, and what is said when it is wrong."""

from pathlib import Path

import pytest

from hardware.escpos.profile import Answers, TextMode, built_in_profiles, load_profiles
from shared.errors import EnvironmentFault


def test_the_three_kinds_of_printer_are_built_in() -> None:
    book = built_in_profiles()
    assert book.profile("gb").text is TextMode.GB18030
    assert book.profile("latin").text is TextMode.CODEPAGE
    assert book.profile("raster").text is TextMode.RASTER


def test_paper_widths_are_those_of_58_and_80_millimetres() -> None:
    book = built_in_profiles()
    papers = [book.paper(name) for name in ("58mm", "80mm", "80mm-narrow")]
    assert [(paper.dots, paper.columns) for paper in papers] == [
        (384, 32),
        (576, 48),
        (512, 42),
    ]


def test_a_shops_file_adds_to_the_built_in_one(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[profile.mine]\nlike = "gb"\nanswers = "never"\n', encoding="utf-8")
    book = load_profiles(own)
    assert book.profile("mine").answers is Answers.NEVER
    assert book.profile("mine").text is TextMode.GB18030
    assert book.profile("gb") == built_in_profiles().profile("gb")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[profile.x", "Expected"),
        ('[profile.x]\nlike = "nothing"', "not a profile above"),
        ('[profile.x]\ntext = "braille"', "braille"),
        ('[profile.x]\nlike = "gb"\nsped = 3', "sped"),
        ('[profile.x]\nlike = "gb"\ncodec = "cp0"', "cp0"),
        ('[profile.x]\nlike = "gb"\ncode_page = 999', "one byte"),
        ("[paper.x]\ndots = 100\ncolumns = 48", "12 dots"),
        ("[paper.x]\ndots = 580\ncolumns = 48", "eights"),
        ("[paper.x]\ndots = 9999\ncolumns = 48", "at most"),
        ("profile = 3", "items"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, told: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(EnvironmentFault) as caught:
        load_profiles(own)
    assert caught.value.code == "bad-printer-profiles"
    assert told in str(caught.value.fields["reason"])
    assert caught.value.fields["path"] == str(own)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="bad-printer-profiles"):
        load_profiles(tmp_path / "none.toml")


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(EnvironmentFault) as profile:
        built_in_profiles().profile("epson")
    with pytest.raises(EnvironmentFault) as paper:
        built_in_profiles().paper("a4")
    assert "gb" in str(profile.value.fields["known"])
    assert "58mm" in str(paper.value.fields["known"])

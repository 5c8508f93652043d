"""Nothing anybody writes makes a line wider than the paper, or commands the printer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.receipt.document import (
    Align,
    Barcode,
    Cut,
    Document,
    Feed,
    Heading,
    Item,
    Pair,
    Qr,
    Rule,
    Style,
    Table,
    Text,
    code_128_modules,
)
from shared.receipt.layout import Grid, Line, lay_out, plain_text
from shared.receipt.text import (
    MARK,
    NO_LINE_START,
    gb18030_cells,
    on_screen,
    printable,
    single_cells,
    wrap,
)

foreign_text = st.text(max_size=80)
widths = st.sampled_from([32, 42, 48])


def lines_of(document: Document, columns: int) -> list[Line]:
    return [piece for piece in lay_out(document, Grid(columns)) if isinstance(piece, Line)]


@given(
    text=foreign_text, other=foreign_text, columns=widths, style=st.sampled_from(Style),
    indent=st.integers(0, 4),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_no_line_is_ever_wider_than_the_paper(
    text: str, other: str, columns: int, style: Style, indent: int
) -> None:
    document = Document(
        (
            Text(text, Align.CENTER, style),
            Text(text, style=style, indent=indent),
            Heading(text),
            Pair(text, other, style, indent),
            Item(text, other, text),
            Table(((text, other, "1.00"), ("a", "b", "c"))),
            Rule(),
        )
    )
    for line in lines_of(document, columns):
        assert gb18030_cells(line.text) * line.style.width_factor <= columns


@given(text=foreign_text, width=st.integers(4, 48))
@settings(max_examples=300, deadline=None)
def test_wrapping_loses_nothing_but_spaces(text: str, width: int) -> None:
    lines = wrap(printable(text), width, gb18030_cells)
    assert "".join(lines).replace(" ", "") == printable(text).replace(" ", "")


@given(text=foreign_text)
@settings(max_examples=300, deadline=None)
def test_printable_text_holds_no_control_code_and_nothing_that_turns_a_line_around(
    text: str,
) -> None:
    shown = printable(text)
    assert not any(character < " " or "\x7f" <= character < "\xa0" for character in shown)
    assert not any("\u202a" <= character <= "\u202e" for character in shown)
    assert printable(shown) == shown


def test_a_control_code_in_a_name_is_seen_and_does_nothing() -> None:
    assert printable("王\x1b@小\x1dV\x00") == f"王{MARK}@小{MARK}V{MARK}"
    assert printable("a\u202eb\u2066c\u200d") == "abc"
    assert printable("两\r\n行\t字") == "两  行 字"


def test_width_is_the_number_of_gb18030_bytes_not_the_width_on_a_screen() -> None:
    double = [chr(code) for code in range(0x80, 0xFFFF) if is_double_byte(chr(code))]
    assert len(double) > 20_000
    assert all(gb18030_cells(character) == 2 for character in double)
    assert gb18030_cells("é×①") == 6


def is_double_byte(character: str) -> bool:
    return not "\ud800" <= character <= "\udfff" and len(character.encode("gb18030")) == 2


def test_chinese_wraps_between_characters_and_never_starts_a_line_with_a_full_stop() -> None:
    lines = wrap("维达超韧三层抽取式面巾纸，家庭装。", 24, gb18030_cells)
    assert lines == ["维达超韧三层抽取式面巾", "纸，家庭装。"]
    assert not any(line[0] in NO_LINE_START for line in lines)


def test_english_wraps_at_spaces_and_cuts_only_words_wider_than_the_line() -> None:
    assert wrap("one two three", 8, single_cells) == ["one two", "three"]
    assert wrap("incomprehensible", 8, single_cells) == ["incompre", "hensible"]


def test_a_pair_keeps_its_figure_at_the_right_margin_and_wraps_its_words() -> None:
    rows = [line.text for line in lines_of(Document((Pair("很长" * 14, "1,234.00"),)), 32)]
    assert len(rows) == 3
    assert rows[-1].endswith(" 1,234.00")
    assert gb18030_cells(rows[-1]) == 32


def test_a_figure_as_wide_as_the_paper_gets_a_line_of_its_own() -> None:
    pair = Document((Pair("", "9" * 31), Pair("合计", "9" * 31)))
    assert [line.text for line in lines_of(pair, 32)] == ["9" * 31, "合计", "9" * 31]


def test_a_large_total_becomes_tall_where_it_does_not_fit() -> None:
    fits = lines_of(Document((Pair("合计", "￥96.50", Style.LARGE),)), 32)
    too_wide = lines_of(Document((Pair("合计 Total", "￥96.50", Style.LARGE),)), 32)
    assert [line.style for line in fits + too_wide] == [Style.LARGE, Style.TALL]


def test_goods_take_one_line_on_wide_paper_and_two_on_narrow_paper() -> None:
    item = Document((Item("可乐330ml", "2×3.00", "6.00"),))
    wide = [line.text for line in lines_of(item, 48)]
    narrow = [line.text for line in lines_of(item, 32)]
    assert wide == ["可乐330ml" + " " * 22 + "2×3.00" + " " * 6 + "6.00"]
    assert narrow == ["可乐330ml", "  2×3.00" + " " * 19 + "6.00"]


def test_centred_text_breaks_into_even_lines() -> None:
    text = Text("七日内凭小票退换，食品开封后恕不退换", Align.CENTER)
    assert [line.text for line in lines_of(Document((text,)), 32)] == [
        "七日内凭小票退换，",
        "食品开封后恕不退换",
    ]


def test_plain_text_keeps_its_columns_on_a_screen() -> None:
    shown = plain_text(Document((Rule(), Pair("2×2.00", "4.00"), Cut())), Grid(32))
    rule, pair, cut, _ = shown.split("\n")
    assert rule == "─" * 32
    assert pair == "2× 2.00" + " " * 21 + "4.00"
    assert len(pair) == 32
    assert cut == "- " * 16


def test_plain_text_shows_codes_and_feeds() -> None:
    shown = plain_text(Document((Barcode("12345678"), Feed(2), Qr("https://e.example"))), Grid(32))
    assert shown.split("\n") == [" " * 11 + "[12345678]", "", "", "[https://e.example]", ""]


def test_the_screen_form_leaves_wide_characters_alone() -> None:
    assert on_screen("农夫￥5") == "农夫￥5"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Document((Cut(), Feed(1))),
        lambda: Document((Cut(), Cut())),
        lambda: Barcode("12a"),
        lambda: Barcode("1" * 30),
        lambda: Barcode(""),
        lambda: Qr(""),
        lambda: Qr("x" * 600),
        lambda: Table((("a", "b"), ("c",))),
        lambda: Grid(8),
    ],
)
def test_a_document_that_no_paper_can_hold_is_refused_where_it_is_made(make: object) -> None:
    assert callable(make)
    with pytest.raises(AssertionError):
        make()


def test_the_width_of_a_barcode_is_known_before_it_is_printed() -> None:
    assert code_128_modules("1234") == 11 * 4 + 13
    assert code_128_modules("12345") == 11 * 6 + 13

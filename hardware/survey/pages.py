"""The pages of the printer test: each shows one thing, and a person says what is there."""

from typing import Final

from PIL import Image, ImageDraw

from hardware.escpos import code128, commands, raster
from hardware.escpos.profile import Paper

CHINESE_SAMPLE: Final = "农夫山泉，￥12.50"
WESTERN_SAMPLE: Final = "Café Größe £5 €5"
RARE_SAMPLE: Final = "𠮷"
BARCODE_SAMPLE: Final = "9900123456"
QR_SAMPLE: Final = "https://evertill.example/9900"
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BAR_ROWS: Final = 32
MARK_DOTS: Final = 24
END: Final = commands.feed(4)


def chinese_page() -> bytes:
    """The same text twice: some printers obey ``FS &`` only from the next line on."""
    text = CHINESE_SAMPLE.encode("gb18030")
    lines = b"".join(b"%d " % number + text + commands.LINE_FEED for number in (1, 2))
    return commands.INITIALISE + commands.SELECT_CHINESE + lines + END


def code_page_page(candidates: tuple[tuple[str, int], ...]) -> bytes:
    """The same text in every code page, each line with its letter."""
    page = commands.INITIALISE + commands.CHARACTER_SET_USA + commands.CANCEL_CHINESE
    for letter, (codec, number) in zip(LETTERS, candidates, strict=False):
        text = f"{letter} {WESTERN_SAMPLE}".encode(codec, "replace")
        page += commands.select_code_page(number) + text + commands.LINE_FEED
    return page + END


def width_page(papers: tuple[Paper, ...]) -> bytes:
    """Lines of text as wide as each paper, numbered: too wide ones go on in the next row."""
    page = commands.INITIALISE
    for number, paper in enumerate(papers, 1):
        page += b"%d " % number + b"-" * (paper.columns - 3) + b"|" + commands.LINE_FEED
    return page + END


def width_pictures_page(papers: tuple[Paper, ...]) -> bytes:
    """Bars as wide as each paper, a block at the right end: too wide ones lose their block."""
    page = commands.INITIALISE
    for number, paper in enumerate(papers, 1):
        bar = Image.new("L", (paper.dots, BAR_ROWS))
        draw = ImageDraw.Draw(bar)
        draw.rectangle((0, BAR_ROWS // 2 - 2, paper.dots, BAR_ROWS // 2 + 1), fill=255)
        draw.rectangle((paper.dots - MARK_DOTS, 0, paper.dots, BAR_ROWS), fill=255)
        page += b"%d" % number + commands.LINE_FEED
        page += commands.picture(raster.rows(bar), row_bytes=paper.dots // 8)
    return page + END


def cut_page() -> bytes:
    """A partial cut after the line 1, a full one after the line 2."""
    return (
        commands.INITIALISE
        + b"1\n" + commands.cut(partial=True)
        + b"2\n" + commands.cut(partial=False)
    )  # fmt: skip


def codes_page() -> bytes:
    """A bar code and a QR code drawn by the printer itself."""
    bars = commands.code_128(code128.escpos_data(BARCODE_SAMPLE), module_dots=2)
    return (
        commands.INITIALISE
        + b"1\n" + bars + commands.LINE_FEED
        + b"2\n" + commands.qr_code(QR_SAMPLE.encode(), module_dots=4) + commands.LINE_FEED + END
    )  # fmt: skip


def drawn_character_page(columns: bytes) -> bytes:
    """A character that is drawn between two others; ``columns`` are its dots for ``ESC *``."""
    return (
        commands.INITIALISE
        + commands.SELECT_CHINESE
        + commands.LINE_FEED
        + "甲".encode("gb18030")
        + commands.inline_picture(columns)
        + "乙".encode("gb18030")
        + commands.LINE_FEED
        + END
    )

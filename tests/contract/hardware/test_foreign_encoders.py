"""The virtual printer shows what others sent: it knows the language, not only our accent.

Judges: the encoders of receiptline and @point-of-sale/receipt-printer-encoder (npm); ZXing. Jobs of
python-escpos are in ``test_escpos_judges.py``.
"""

from collections.abc import Callable
from io import BytesIO

import zxingcpp
from PIL import Image

from hardware.paper.interpreter import Interpreter
from hardware.paper.picture import png
from hardware.paper.sheet import Sheet
from hardware.paper.text import sheet_text

Encode = Callable[[str], bytes]


def printed(job: bytes) -> tuple[Sheet, list[str]]:
    """The paper, and the codes that can be read from its picture."""
    sheet = Interpreter(dots=384).print_all(job)
    assert (sheet.unknown, sheet.malformed, sheet.not_drawn, sheet.overfull) == ([], [], [], 0)
    assert (sheet.cuts, sheet.pulses, sheet.truncated) == (1, [], b"")
    with Image.open(BytesIO(png(sheet))) as picture:
        return sheet, sorted(found.text for found in zxingcpp.read_barcodes(picture))


def test_a_job_of_receiptline_is_shown_with_its_table_text_and_codes(
    foreign_encoder: Encode,
) -> None:
    sheet, codes = printed(foreign_encoder("receiptline"))
    lines = sheet_text(sheet).splitlines()
    assert lines[0].startswith("╭")
    assert lines[0].endswith("╮")
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]
    flat = [[cell.replace(" ", "") for cell in row] for row in rows]
    assert ["EVERGREEN", "", ""] in flat
    assert ["农夫山泉550ml", "×2", "￥4.00"] in flat
    assert ["维达，抽取式", "×1", "￥69.90"] in flat
    assert ["TOTAL", "", "￥73.90"] in flat
    assert codes == ["6901285991219", "9900123456", "https://shop.example/r/1"]


def test_a_job_of_point_of_sale_is_shown_with_its_letters_and_codes(
    foreign_encoder: Encode,
) -> None:
    sheet, codes = printed(foreign_encoder("point-of-sale"))
    lines = sheet_text(sheet).splitlines()
    assert lines[0].strip() == "EVERGREEN"
    assert lines[1:3] == ["Café crème  3.50 €", "Total £5.00"]
    assert lines[3] == "─" * 32
    assert lines[4:6] == ["Tea                         2.00", "Größe                       1.50"]
    assert codes == ["12345678", "6901285991219", "https://shop.example/r/1"]

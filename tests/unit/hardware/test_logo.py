"""The shop's picture: as it is, never wider than the paper, never a bomb."""

from pathlib import Path

import pytest
from PIL import Image, ImageChops

from hardware.escpos.encoder import Encoder
from hardware.escpos.logo import ROWS_MAX, read_logo
from hardware.escpos.profile import built_in_profiles
from hardware.paper.interpreter import Interpreter
from hardware.paper.sheet import PrintedPicture
from shared.errors import EnvironmentFault
from shared.receipt.document import Cut, Document, Logo, Text
from shared.receipt.layout import plain_text

BOOK = built_in_profiles()
NARROW = BOOK.paper("58mm")


def save(path: Path, size: tuple[int, int], mode: str = "RGBA") -> Path:
    """A black square on a transparent ground, in the middle."""
    picture = Image.new(mode, size, (0, 0, 0, 0) if mode == "RGBA" else 255)
    width, height = size
    picture.paste((0, 0, 0, 255), (width // 4, height // 4, 3 * width // 4, 3 * height // 4))
    picture.save(path)
    return path


def printed(rows: bytes) -> Image.Image:
    """What comes out of the printer, all strips below each other."""
    document = Document((Logo(), Text("x"), Cut()))
    job = Encoder(BOOK.profile("gb"), NARROW, logo=rows).encode(document)
    sheet = Interpreter(dots=NARROW.dots).print_all(job)
    strips = [item.picture for item in sheet.printed if isinstance(item, PrintedPicture)]
    assert all(strip.height <= 64 for strip in strips)
    whole = Image.new("L", (NARROW.dots, sum(strip.height for strip in strips)))
    top = 0
    for strip in strips:
        whole.paste(strip, (0, top))
        top += strip.height
    assert sheet.overfull == 0
    return whole


def test_a_logo_stands_in_the_middle_and_transparent_stays_white(tmp_path: Path) -> None:
    whole = printed(read_logo(save(tmp_path / "logo.png", (200, 100)), NARROW))
    expected = Image.new("L", whole.size)
    left = (NARROW.dots - 200) // 2
    expected.paste(255, (left + 50, 25, left + 150, 75))
    assert ImageChops.difference(whole, expected).getbbox() is None


def test_a_logo_that_is_too_large_is_made_to_fit(tmp_path: Path) -> None:
    whole = printed(read_logo(save(tmp_path / "logo.png", (1200, 2400)), NARROW))
    assert whole.height <= ROWS_MAX + 8
    box = whole.getbbox()
    assert box is not None
    assert abs((box[0] + box[2]) / 2 - NARROW.dots / 2) <= 2


def test_without_a_logo_nothing_is_sent_and_text_shows_none() -> None:
    document = Document((Logo(), Text("x")))
    encoder = Encoder(BOOK.profile("gb"), NARROW)
    assert encoder.encode(document) == encoder.encode(Document((Text("x"),)))
    assert plain_text(document, BOOK.profile("gb").grid(NARROW)) == "x\n"


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\x00" * 40])
def test_what_is_no_picture_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "logo.png"
    path.write_bytes(content)
    with pytest.raises(EnvironmentFault) as caught:
        read_logo(path, NARROW)
    assert (caught.value.code, caught.value.fields["path"]) == ("bad-receipt-logo", str(path))


def test_a_picture_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "logo.png", (300, 300))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 60_000)  # 90,000 are more, and less than twice
    with pytest.raises(EnvironmentFault):
        read_logo(path, NARROW)

"""What is on the paper: printed things from top to bottom, as a person would find them."""

from dataclasses import dataclass, field

from PIL import Image


@dataclass(frozen=True, slots=True)
class Glyph:
    """One printed character and its box in dots."""

    character: str
    left: int
    width: int
    height: int
    strong: bool
    underlined: bool
    inverse: bool


@dataclass(frozen=True, slots=True)
class Sketch:
    """A small picture in a line of text (``ESC *``); grey, 255 is ink."""

    picture: Image.Image
    left: int


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """A row of text and sketches, already in its place."""

    glyphs: tuple[Glyph, ...]
    sketches: tuple[Sketch, ...]
    height: int


@dataclass(frozen=True, slots=True)
class PrintedPicture:
    """A raster picture; grey, 255 is ink."""

    picture: Image.Image
    left: int


@dataclass(frozen=True, slots=True)
class PrintedCode:
    """A bar code or QR code the printer drew by itself; without picture where this virtual printer
    knows its data but not its bars."""

    kind: str
    data: bytes
    picture: Image.Image | None
    left: int


@dataclass(frozen=True, slots=True)
class Blank:
    """Paper fed without print."""

    height: int


@dataclass(frozen=True, slots=True)
class CutMark:
    """Here the knife came down; a partial cut leaves one point."""

    is_partial: bool = False


Printed = PrintedLine | PrintedPicture | PrintedCode | Blank | CutMark


@dataclass(slots=True)
class Sheet:
    """The paper of one stream, and what was odd about the stream.

    ``overfull`` counts lines that did not fit and went on in the next row, ``pulses`` the drawer
    openings by connector pin, ``unknown`` what is no command, ``malformed`` commands with senseless
    parameters, ``not_drawn`` commands that a real printer may draw and this one does not.
    """

    dots: int
    printed: list[Printed] = field(default_factory=list)
    overfull: int = 0
    pulses: list[int] = field(default_factory=list)
    unknown: list[bytes] = field(default_factory=list)
    malformed: list[bytes] = field(default_factory=list)
    not_drawn: list[str] = field(default_factory=list)
    truncated: bytes = b""

    @property
    def cuts(self) -> int:
        """How often the paper was cut."""
        return sum(isinstance(item, CutMark) for item in self.printed)

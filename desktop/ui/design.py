"""The design system: colours, the 4 px grid, four type sizes, radius, as one style sheet."""

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtGui import QColor, QFont

from desktop.presenters.text import Tone

FAMILIES = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Microsoft YaHei UI",
    "Microsoft YaHei",
    "PingFang SC",
)
"""By name: a font without Han glyphs would draw boxes, silently."""
GRID = 4
RADIUS = 8
TOUCH = 48
"""The least height of what can be tapped."""
TILE = 88
COMPACT_TILE = 60


class Size(StrEnum):
    """The four type sizes."""

    SMALL = "small"
    """Secondary facts."""
    BODY = "body"
    """Nearly everything."""
    LARGE = "large"
    """Amounts and titles."""
    HUGE = "huge"
    """The total and the change: read from across the counter."""


PIXELS = {Size.SMALL: 14, Size.BODY: 17, Size.LARGE: 24, Size.HUGE: 42}


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by what they are for; text on its ground keeps WCAG 2.2 AA contrast."""

    name: str
    ground: str
    surface: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    accent_text: str
    selected: str
    info: str
    info_ground: str
    good: str
    good_ground: str
    attention: str
    attention_ground: str
    refused: str
    refused_ground: str

    def tone(self, tone: Tone) -> tuple[str, str]:
        """Text and ground of a message."""
        return {
            Tone.INFO: (self.info, self.info_ground),
            Tone.GOOD: (self.good, self.good_ground),
            Tone.ATTENTION: (self.attention, self.attention_ground),
            Tone.REFUSED: (self.refused, self.refused_ground),
        }[tone]


LIGHT = Theme(
    name="light",
    ground="#EEF1F4",
    surface="#FFFFFF",
    raised="#F6F8FA",
    line="#D3DAE1",
    text="#14202B",
    muted="#53616E",
    accent="#0A6B50",
    accent_text="#FFFFFF",
    selected="#DFF1EA",
    info="#24527F",
    info_ground="#E6EFF8",
    good="#0A5C45",
    good_ground="#DFF3EA",
    attention="#7A4700",
    attention_ground="#FFF0CF",
    refused="#9B1C16",
    refused_ground="#FCE4E2",
)
DARK = Theme(
    name="dark",
    ground="#10171D",
    surface="#18222B",
    raised="#202C37",
    line="#344350",
    text="#ECF1F5",
    muted="#A4B3C0",
    accent="#4CC79A",
    accent_text="#06251A",
    selected="#1E4237",
    info="#A9CDF0",
    info_ground="#1C3348",
    good="#8FE0BF",
    good_ground="#17392D",
    attention="#FFD27A",
    attention_ground="#453310",
    refused="#FFB3AD",
    refused_ground="#4C1F1D",
)
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


@dataclass(frozen=True, slots=True)
class Design:
    """A theme at a font scale."""

    theme: Theme = LIGHT
    scale_percent: int = 100

    def pixels(self, size: Size) -> int:
        """Height of a type size."""
        return PIXELS[size] * self.scale_percent // 100

    def font(self, size: Size, *, bold: bool = False) -> QFont:
        """A font of the family; its digits are tabular."""
        font = QFont(list(FAMILIES))
        font.setPixelSize(self.pixels(size))
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        return font

    def color(self, name: str) -> QColor:
        """A colour of the theme by its field."""
        return QColor(getattr(self.theme, name))

    def style_sheet(self) -> str:
        """The style of every widget."""
        theme = self.theme
        families = ", ".join(f'"{family}"' for family in FAMILIES)
        sizes = {f"px_{size.value}": self.pixels(size) for size in Size}
        tones = "".join(
            f'QLabel[tone="{tone.value}"] {{ color: {theme.tone(tone)[0]};'
            f" background: {theme.tone(tone)[1]}; }}\n"
            for tone in Tone
        )
        colors = {name: getattr(theme, name) for name in Theme.__slots__}
        return _STYLE.format(families=families, radius=RADIUS, touch=TOUCH, **sizes, **colors) + (
            tones
        )


_STYLE = """
* {{ font-family: {families}; font-size: {px_body}px; color: {text}; }}
QWidget#window {{ background: {ground}; }}
QFrame[card="true"] {{ background: {surface}; border: 1px solid {line};
  border-radius: {radius}px; }}
QLabel {{ background: transparent; }}
QLabel[type="small"] {{ font-size: {px_small}px; }}
QLabel[type="large"] {{ font-size: {px_large}px; }}
QLabel[type="huge"] {{ font-size: {px_huge}px; }}
QLabel[bold="true"] {{ font-weight: 600; }}
QLabel[muted="true"] {{ color: {muted}; }}
QLabel[note="true"] {{ border-radius: {radius}px; padding: 8px 12px; }}
QPushButton {{ background: {surface}; border: 1px solid {line}; border-radius: {radius}px;
  padding: 4px 12px; min-height: 40px; }}
QPushButton:pressed {{ background: {selected}; }}
QPushButton:focus {{ border: 2px solid {accent}; }}
QPushButton:disabled {{ color: {muted}; background: {raised}; }}
QPushButton[primary="true"] {{ background: {accent}; color: {accent_text};
  border-color: {accent}; font-weight: 600; }}
QPushButton[primary="true"]:disabled {{ background: {line}; color: {muted}; border-color: {line}; }}
QLineEdit, QComboBox {{ background: {surface}; border: 1px solid {line};
  border-radius: {radius}px; padding: 4px 12px; min-height: 38px;
  selection-background-color: {accent}; selection-color: {accent_text}; }}
QLineEdit:focus, QComboBox:focus {{ border: 2px solid {accent}; padding: 3px 11px; }}
QComboBox::drop-down {{ border: none; width: 32px; }}
QComboBox QAbstractItemView {{ background: {surface}; border: 1px solid {line};
  selection-background-color: {selected}; selection-color: {text}; outline: none; }}
QProgressBar {{ background: {line}; border: none; border-radius: 3px; max-height: 6px;
  min-height: 6px; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 3px; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 10px; }}
QScrollBar::handle:vertical {{ background: {line}; border-radius: 5px; min-height: 40px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
"""

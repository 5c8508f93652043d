"""Which keys do what."""

from desktop.presenters.session import PlainOverlay
from desktop.presenters.text import say
from desktop.presenters.view import Button, Figure, Figures, Sheet

ROWS = (
    ("0–9 Enter", "code"), ("0–9 *", "quantity"), ("0–9 F12", "given"), ("F12  +", "cash"),
    ("F11", "tender"), ("−", "comes-in"), ("Del", "void"), ("↑ ↓", "line"), ("F4", "hold"),
    ("Esc", "back"),
)  # fmt: skip


class Help(PlainOverlay):
    """A page to look at."""

    def sheet(self) -> Sheet:
        """Keys and what they do."""
        rows = tuple(Figure(say(f"till.help.{name}"), keys) for keys, name in ROWS)
        return Sheet(
            kind="help",
            title=say("till.help.title"),
            parts=(Figures(rows),),
            buttons=(Button("back", say("till.key.back"), key="Esc", is_primary=True),),
        )

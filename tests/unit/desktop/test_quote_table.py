"""What ``evertill quote`` prints for people: everything a state holds, in both languages."""

from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from desktop.commands.quote_names import Called
from desktop.commands.quote_table import lines_table, sentences, telling_of
from shared.language import Language
from shared.workbench.playing import play
from shared.workbench.scenario import read_scenario

CASES = sorted((Path(__file__).parents[2] / "vectors" / "pricing").glob("*.toml"))
UNTOLD = {
    "currency",
    "point_decimals",
    "at",
    "member",
    "step",
    "repeats",
    "points_earned",
    "growth_earned",
    "drawer_minor",
    "sales",
    "is_best_price",
}
"""What a figure beside them says already, or what only programs ask for."""


def states():
    for file in CASES:
        yield from play(read_scenario(file.read_bytes(), is_toml=True))


def printed(state, language):
    telling = telling_of(state, Called(), language)
    console = Console(width=200, no_color=True)
    with console.capture() as caught:
        console.print(lines_table(state, telling))
    return "\n".join([caught.get(), *sentences(state, telling)])


@pytest.mark.parametrize("language", list(Language))
def test_every_worked_case_can_be_told(language):
    assert all(printed(state, language).strip() for state in states())


def test_every_field_of_a_state_is_told():
    """Emptying a field makes the text another, in some state, or the field is not for people."""
    silent = set(msgspec.structs.asdict(next(states()))) - UNTOLD
    for state in states():
        text = printed(state, Language.ENGLISH)
        for name in sorted(silent):
            value = getattr(state, name)
            if value:
                empty = None if isinstance(value, msgspec.Struct) else type(value)()
                without = msgspec.structs.replace(state, **{name: empty})
                if printed(without, Language.ENGLISH) != text:
                    silent.remove(name)
    assert silent == set()


def test_a_sale_reads_like_a_receipt():
    file = next(one for one in CASES if one.stem.startswith("01-"))
    *_, state = play(read_scenario(file.read_bytes(), is_toml=True))
    text = printed(state, Language.ENGLISH)
    assert "37.50" in text
    assert "Total 32.50, net 28.76, saved 5.00" in text
    assert "spend: 32 points earned" in text

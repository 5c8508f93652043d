"""``make api-cases CASES=n``: valid, invalid and connected requests to every operation.

Half of the cases go to a server on SQLite, half to one on PostgreSQL, each a process of its own
that was started for it. schemathesis makes them from the description the server itself publishes;
``truth.py`` makes a part of them true (keys, chains, signatures, codes), with facts of all kinds of
which values were exchanged. Wrong is: a server error, an answer that is not described, data against
the description that is accepted, a stranger who is obeyed, memory that grows.

Rounds of some thousand cases; each is told by its number, so a failing one can be played again.
Progress lies in ``build/api_cases`` and holds for the state of the code it was made with.
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.console import Console

from tests.api_cases.playing import Played, Player
from tests.api_cases.world import new_world
from tests.mutants.table import ROOT, WHOLE, tree_fingerprint
from tests.support.scratch import scratch_root
from tests.support.servers import fresh_database, postgres_server, resident_bytes

FOLDER: Final = ROOT / "build" / "api_cases"
DATABASES: Final = ("sqlite", "postgresql")
EACH, STEPS = 100, 400
"""Per round: cases of an operation and kind of data, and steps of stories along links."""
WARM_SHARE: Final = 0.2
"""Of the cases; before that caches fill."""
GROWTH_MAX: Final = 1.15
"""Of memory from then on; a leak of 1 KiB per case would be some 40 MiB on 40,000 of them."""


class Memory(NamedTuple):
    """What the server has in RAM, by how many cases this process of it has answered."""

    cases: int
    resident: int


def main(arguments: list[str]) -> int:
    """Play what is missing; exit code 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="api_cases", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="in all, over both databases")
    parser.add_argument("--anew", action="store_true", help="forget what was played")
    told = parser.parse_args(arguments)
    FOLDER.mkdir(parents=True, exist_ok=True)
    state = tree_fingerprint(ROOT, WHOLE)
    share = told.cases // len(DATABASES)
    with ProcessPoolExecutor(len(DATABASES), mp_context=get_context("spawn")) as pool:
        done = [pool.submit(play, name, share, state, told.anew) for name in DATABASES]
        wrong = [one.result() for one in done]
    return int(any(wrong))


def play(database: str, cases: int, state: str, anew: bool) -> bool:
    """All cases against one database; whether something was wrong."""
    file = FOLDER / f"{database}.json"
    known = json.loads(file.read_text()) if file.exists() and not anew else {}
    played, number, spent = _taken_up(known, state)
    memory: list[Memory] = []
    console = Console()
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(dir=scratch_root())))
        url = None
        if database == "postgresql":
            cluster = closing.enter_context(postgres_server(f"api-cases-{folder.name}"))
            url = closing.enter_context(fresh_database(cluster))
        world = closing.enter_context(new_world(folder / "server", url=url))
        player = Player(world)
        before = played.cases
        player.played = played
        while played.cases < cases:
            began = time.monotonic()
            player.play_round(number, each=EACH, steps=STEPS)
            number += 1
            spent += time.monotonic() - began
            resident = resident_bytes(world.child.process.pid)
            memory.append(Memory(played.cases - before, resident))
            file.write_text(json.dumps(_as_json(state, played, number, spent, memory), indent=1))
            console.print(
                f"{database}: {played.cases:,} cases, {len(played.failures)} failures, "
                f"{spent:,.0f} s, server {resident / 2**20:,.1f} MiB"
            )
            if played.failures:
                log = (folder / "server" / "server.log").read_text(errors="replace")
                (FOLDER / f"{database}.log").write_text(log)
    grows = _grows(memory)
    _tell(console, database, played, memory, grows=grows)
    return bool(played.failures) or grows


def _taken_up(known: dict[str, Any], state: str) -> tuple[Played, int, float]:
    if known.get("state") != state:
        return Played(), 0, 0.0
    answers = Counter({(label, status): count for label, status, count in known["answers"]})
    return Played(answers, known["failures"]), known["round"], known["seconds"]


def _as_json(
    state: str, played: Played, number: int, spent: float, memory: list[Memory]
) -> dict[str, Any]:
    return {
        "state": state,
        "round": number,
        "cases": played.cases,
        "seconds": round(spent, 1),
        "memory": memory,
        "answers": [[*key, count] for key, count in sorted(played.answers.items())],
        "failures": played.failures,
    }


def _grows(memory: list[Memory]) -> bool:
    """Whether the server has more memory in the end than when it was warm."""
    if len(memory) < 5:
        return False
    warm = next(one for one in memory if one.cases >= WARM_SHARE * memory[-1].cases)
    return memory[-1].resident > GROWTH_MAX * warm.resident


def _tell(
    console: Console, database: str, played: Played, memory: list[Memory], *, grows: bool
) -> None:
    for (label, status), count in sorted(played.answers.items()):
        console.print(f"{database}  {label}  {status}  {count}", highlight=False)
    for what, shown in played.failures.items():
        console.rule(what)
        console.print(shown, markup=False, highlight=False)
    if memory and grows:
        console.print(f"{database}: memory grew: {[one.resident >> 20 for one in memory]} MiB")

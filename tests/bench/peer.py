"""Pushes against PouchDB replicating to express-pouchdb: the same entry bytes, over loopback HTTP.

The peer keeps a document per entry in LevelDB. It proves nothing, books nothing and does not wait
for the disk, so the ratio is what Evertill's promises cost, not two ways to the same thing. In
turns: booked sales, sales in training (which book nothing), the peer.
"""

import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec

from shared.ids import MemberId, random_id
from shared.protocol.message import CONTENT_TYPE
from tests.bench.chain import DATABASES, Chain, chain_of, client
from tests.bench.five_lines import write_sales
from tests.support.till_writer import TillWriter

PEER: Final = Path(__file__).with_name("pouchdb")
INSTALLED: Final = Path("build/bench/pouchdb")
SALES: Final = 2_000
BATCH: Final = 400
ROUNDS: Final = 3
ONE_BY_ONE: Final = 50
"""Sales that are sent as they are made."""


def run() -> dict[str, Any]:
    """Push to the peer and to both databases."""
    absent = install()
    figures: dict[str, Any] = {"sales a round": SALES, "rounds": ROUNDS, "batch": BATCH}
    if absent:
        return {**figures, "peer": absent}
    for database in DATABASES:
        with chain_of(2 * ROUNDS + 1, database) as chain, chain.serving() as [url]:
            figures |= {f"{database}: {name}": one for name, one in _rounds(chain, url).items()}
    return figures


def _rounds(chain: Chain, url: str) -> dict[str, Any]:
    draw = random.Random(1)
    members = [MemberId(random_id()) for _ in range(500)]
    *tills, slow = chain.tills
    taken: dict[str, list[float]] = {"booked": [], "not booked": [], "peer": []}
    sent = 0
    for number in range(ROUNDS):
        booked, training = tills[2 * number : 2 * number + 2]
        write_sales(booked, SALES, members, draw)
        write_sales(training, SALES, members, draw, training=True)
        seconds, sent = _push(url, booked, BATCH)
        taken["booked"].append(seconds)
        taken["not booked"].append(_push(url, training, BATCH)[0])
        taken["peer"].append(_push_to_peer(booked, BATCH))
    write_sales(slow, ONE_BY_ONE, members, draw)
    alone = _push(url, slow, 1)[0]
    peer_alone = _push_to_peer(slow, 1)
    rates = {name: SALES / median(seconds) for name, seconds in taken.items()}
    return {
        "sales/s, booked": rates["booked"],
        "sales/s, not booked": rates["not booked"],
        "peer's documents/s": rates["peer"],
        "ratio, booked": rates["booked"] / rates["peer"],
        "ratio, not booked": rates["not booked"] / rates["peer"],
        "spread of the booked": max(taken["booked"]) / min(taken["booked"]),
        "spread of the peer": max(taken["peer"]) / min(taken["peer"]),
        "one by one, ms a sale": alone / ONE_BY_ONE * 1000,
        "one by one, ratio to the peer": peer_alone / alone,
        "bytes of a sale's entry": sum(len(e.entry.encoded) for e in booked.entries) / SALES,
        "bytes over the wire a sale": sent / SALES,
        "durability": chain.durability,
    }


def _push(url: str, till: TillWriter, batch: int) -> tuple[float, int]:
    """Seconds until all is acknowledged, and the bytes of bodies both ways."""
    sent = 0
    with client(url) as line:
        began = time.perf_counter()
        for start in range(0, len(till.entries), batch):
            body = msgspec.msgpack.encode(till.push_request(start, start + batch))
            reply = line.post("/v1/sync/push", content=body, headers={"Content-Type": CONTENT_TYPE})
            assert reply.status_code == 200, reply.content
            sent += len(body) + len(reply.content)
        return time.perf_counter() - began, sent


def _push_to_peer(till: TillWriter, batch: int) -> float:
    lines = b"\n".join(entry.entry.encoded for entry in till.entries)
    with _peer() as port, tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["node", "push.js", folder, f"http://127.0.0.1:{port}", str(batch)],
            cwd=INSTALLED,
            input=lines,
            capture_output=True,
            check=True,
        )
    return float(done.stdout) / 1000


@contextmanager
def _peer() -> Iterator[int]:
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            ["node", "serve.js", folder], cwd=INSTALLED, stdout=subprocess.PIPE
        ) as process,
    ):
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def install() -> str:
    """Bring the peer in at the versions and hashes of its lock; or why it cannot be."""
    if shutil.which("npm") is None:
        return "not measured: needs node and npm (Debian: apt-get install nodejs npm)"
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for file in PEER.iterdir():
        shutil.copy(file, INSTALLED)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(command, cwd=INSTALLED, check=True)
    return ""

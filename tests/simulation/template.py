"""A shop before its first day: made once for each number of tills, then copied for every run."""

import json
import shutil
from datetime import timedelta
from functools import cache
from pathlib import Path

import msgspec

from desktop.bootstrap import OpenStore, Surroundings, Till
from desktop.store.database import TillFolder
from shared.clock import Clock, ManualClock
from shared.loyalty.bundle import template
from sync_server.bootstrap import Services, initialise
from sync_server.operators.desk import Role
from tests.simulation.coverage import Coverage
from tests.simulation.machine import Fuse, InlineWriter
from tests.simulation.network import Line, Network, carried_by
from tests.simulation.randomness import RandomSource, seeded
from tests.simulation.server import SimulatedServer, without_threads
from tests.support.enrolled_till import APPLES, BISCUITS, START, WATER
from tests.support.scratch import scratch_folder

GOODS = (WATER, BISCUITS, APPLES)
STORES = 3
COUPONS = 30
TOP_UP = {
    "id": "100",
    "names": {"zh": "充100送10", "en": "10 on 100"},
    "minimum_minor": 10_000,
    "bonus_minor": 1_000,
    "points": 50,
}
URL = "http://server.simulated"


def programme_document(points: int, *, leases_points: bool = False) -> bytes:
    """The default programme with stored value and gift cards, and so many points for each yuan.

    Where points are leased, tills have a budget beside: of few points, so that it is used up.
    """
    document = json.loads(msgspec.json.encode(template("default"), order="sorted"))
    document["earning"]["rules"][0]["points"] = points
    document["stored_value"] = {"top_ups": [TOP_UP]}
    document["gift_cards"] = {}
    document["leases"] = {
        "for_points": leases_points,
        "budget_points": 600 if leases_points else 0,
        "budget_per_member": 200 if leases_points else 0,
    }
    return json.dumps(document, ensure_ascii=False).encode()


def add_till(services: Services, number: int) -> str:
    """A till of one of the stores; its one-time code."""
    stores = services.stores.stores()
    till = services.stores.add_till(stores[number % len(stores)].store_id, f"Till {number}")
    return services.enrolment.issue_code(till.till_id)


def enrol(folder: TillFolder, code: str, clock: Clock, fuse: Fuse) -> bool:
    """Go on with an enrolment wherever it stands; whether the till can sell now.

    Raises what enrolling raises; a first pull that fails is tried again with the next call.
    """
    with OpenStore(folder, make_writer=lambda engine: InlineWriter(engine, fuse)) as opened:
        if opened.identity() is None:
            opened.enrol(url=URL, code=code)
        first = Till(opened, Surroundings(clock=clock, jitter=lambda: 0.5))
        first.sync.try_once()
        first.sync.disconnect()
        return not first.is_offline()


@cache
def shop_template(tills: int) -> Path:
    """A folder with ``server`` and ``till-1`` to ``till-n``, enrolled and up to date."""
    folder = scratch_folder()
    clock = ManualClock(START - timedelta(hours=1))
    with seeded(RandomSource(f"template {tills}")), without_threads():
        initialise(folder / "server", clock=clock)
        server = SimulatedServer(folder / "server", clock)
        server.start()
        services = server.services
        services.catalogue.put(GOODS)
        services.programme.publish(programme_document(1))
        services.operators.add("王芳", pin="1234", role=Role.MANAGER)
        for number in range(min(STORES, tills)):
            services.stores.add_store(f"店{number}", "Asia/Shanghai")
        coupons = services.programme.issue_coupons("ten-off-fifty", COUPONS)
        network = Network(server, clock, Coverage())
        network.acting = Line("template")
        with carried_by(network):
            for number in range(1, tills + 1):
                code = add_till(services, number)
                assert enrol(TillFolder(folder / f"till-{number}"), code, clock, Fuse())
        server.stop()
    (folder / "coupons.json").write_text(json.dumps(coupons), encoding="utf-8")
    return folder


def copy_of(tills: int) -> Path:
    """A shop for one run."""
    folder = scratch_folder()
    shutil.copytree(shop_template(tills), folder, dirs_exist_ok=True)
    return folder


def coupons_of(folder: Path) -> list[str]:
    """The codes that head office gave out."""
    codes: list[str] = json.loads((folder / "coupons.json").read_text(encoding="utf-8"))
    return codes

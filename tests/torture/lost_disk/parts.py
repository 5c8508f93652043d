"""Lost disks of servers, as a part of the torture."""

import random
import secrets
import shutil
from contextlib import ExitStack

from tests.support.little_chain import LittleChain
from tests.support.scratch import scratch_folder
from tests.support.servers import fresh_database, postgres_server
from tests.torture.lost_disk.shop import Kind, Losing
from tests.torture.part import Part

SEEDS = 10


class LostDisks(Part):
    """Of each kind of copy."""

    name = "lost-disk"
    about = "the server's disk is deleted after each kind of copy, restored and healed by tills"

    def _open(self, shared: ExitStack) -> None:
        self._cluster = shared.enter_context(postgres_server(secrets.token_hex(4)))
        self._promised = 0

    def cases(self) -> list[str]:
        return [f"{kind}/{seed}" for kind in Kind for seed in range(SEEDS)]

    def run(self, case: str) -> None:
        kind, _seed = case.split("/")
        folder = scratch_folder()
        with ExitStack() as closing:
            databases = closing.enter_context(ExitStack())
            chain = closing.enter_context(LittleChain(folder / "chain", tills=2))
            losing = Losing(
                chain,
                random.Random(case),
                lambda: databases.enter_context(fresh_database(self._cluster)),
            )
            self._promised += losing.play(Kind(kind))
        shutil.rmtree(folder)

    def told(self) -> str:
        return f"{self._promised:,} entries had been promised, none was lost."

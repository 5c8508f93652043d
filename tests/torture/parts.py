"""All parts of the torture, in the order in which they are played."""

from typing import Final

from tests.torture.batch.parts import SameBatch
from tests.torture.damage.parts import Damage
from tests.torture.kills.parts import Kills, PaperKills
from tests.torture.line.parts import LargeSnapshots, PushesAndPulls, SmallSnapshots
from tests.torture.lost_disk.parts import LostDisks
from tests.torture.part import Part
from tests.torture.writes.parts import ServerWrites, TillWrites

PARTS: Final[dict[str, type[Part]]] = {
    part.name: part
    for part in (
        TillWrites,
        ServerWrites,
        Kills,
        PaperKills,
        Damage,
        PushesAndPulls,
        SmallSnapshots,
        LargeSnapshots,
        SameBatch,
        LostDisks,
    )
}

"""Faults at every single write, as parts of the torture."""

from contextlib import ExitStack

from tests.torture.part import Part
from tests.torture.stage import staged
from tests.torture.writes import server_faults, till_faults
from tests.torture.writes.faults import on_a_drive


class TillWrites(Part):
    """Of a till."""

    name = "till-writes"
    about = "power cuts, a full disk, errors and failed flushes at every write of a till"

    def _open(self, shared: ExitStack) -> None:
        drive = shared.enter_context(on_a_drive())
        self._faults = till_faults.TillFaults(shared.enter_context(staged()), drive)

    def cases(self) -> list[str]:
        return [case for name in till_faults.SCENES for case in self._faults.cases(name)]

    def run(self, case: str) -> None:
        self._faults.run(case)


class ServerWrites(Part):
    """Of a server on SQLite."""

    name = "server-writes"
    about = "the same at every write of a server on SQLite"

    def _open(self, shared: ExitStack) -> None:
        drive = shared.enter_context(on_a_drive())
        self._faults = server_faults.ServerFaults(server_faults.make_chain(), drive)

    def cases(self) -> list[str]:
        return [case for name in server_faults.SCENES for case in self._faults.cases(name)]

    def run(self, case: str) -> None:
        self._faults.run(case)

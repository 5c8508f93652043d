"""A till's enrolment against every database: what a lost answer costs."""

from pathlib import Path

import pytest

from desktop.bootstrap import OpenStore
from desktop.store.database import TillFolder
from desktop.sync import http
from shared.errors import EnvironmentFault, ProtocolError
from shared.protocol.message import EnrolReply, EnrolRequest
from tests.support.servers import Server


def code_of(server: Server) -> str:
    stores = server.services.stores
    store = stores.add_store("East", "Asia/Shanghai")
    till = stores.add_till(store.store_id, "Till 1")
    return server.services.enrolment.issue_code(till.till_id)


def test_a_lost_answer_costs_nothing_with_the_same_code(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, url = code_of(server), str(server.line.client.base_url)
    real = http.ServerConnection.enrol

    def lost(connection: http.ServerConnection, request: EnrolRequest) -> EnrolReply:
        real(connection, request)
        raise EnvironmentFault("server-timeout", url=url)

    with OpenStore(TillFolder(tmp_path)) as store:
        monkeypatch.setattr(http.ServerConnection, "enrol", lost)
        with pytest.raises(EnvironmentFault):
            store.enrol(url=url, code=code)
        monkeypatch.setattr(http.ServerConnection, "enrol", real)
        assert store.enrol(url=url, code=code).till_name == "Till 1"
    assert {file.name for file in tmp_path.iterdir() if "key" in file.name} == {"till.key"}


def test_a_refused_code_leaves_the_way_free_for_the_right_one(
    server: Server, tmp_path: Path
) -> None:
    code, url = code_of(server), str(server.line.client.base_url)
    with OpenStore(TillFolder(tmp_path)) as store:
        with pytest.raises(ProtocolError):
            store.enrol(url=url, code="0000-0000-0000-0000")
        assert store.enrol(url=url, code=code).till_name == "Till 1"

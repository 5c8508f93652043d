"""A till's enrolment against every database: what a lost answer costs."""

from pathlib import Path

import pytest

from desktop.bootstrap import OpenStore
from desktop.store.database import TillFolder
from desktop.sync import http
from shared.errors import EnvironmentFault, ProtocolError
from shared.protocol.message import EnrolReply, EnrolRequest
from sync_server.api.tills import REFUSED_CODES
from sync_server.enrolment import desk
from sync_server.enrolment.code import parse_code
from tests.support.servers import Server
from tests.support.till_writer import Refused


def code_of(server: Server, store_name: str = "East") -> str:
    stores = server.services.stores
    store = stores.add_store(store_name, "Asia/Shanghai")
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


def test_a_code_typed_at_another_till_stays_good_for_its_own(
    server: Server, tmp_path: Path
) -> None:
    url = str(server.line.client.base_url)
    folder, other = TillFolder(tmp_path / "east"), TillFolder(tmp_path / "west")
    with OpenStore(folder) as store:
        store.enrol(url=url, code=code_of(server))
        code = code_of(server, "West")
        with pytest.raises(ProtocolError) as refused:
            store.enrol_again(url=url, code=code)
    assert (refused.value.code, refused.value.fields["till"]) == ("code-of-another-till", "Till 1")
    with OpenStore(other) as store:
        assert store.enrol(url=url, code=code).till_name == "Till 1"


def test_a_till_that_is_told_to_wait_keeps_its_key_for_the_next_try(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, url = code_of(server), str(server.line.client.base_url)
    real, keys = http.ServerConnection.enrol, []

    def watched(connection: http.ServerConnection, request: EnrolRequest) -> EnrolReply:
        keys.append(request.public_key)
        return real(connection, request)

    monkeypatch.setattr(http.ServerConnection, "enrol", watched)
    for _ in range(REFUSED_CODES.count):
        with pytest.raises(Refused):
            server.line.enrol("0000-0000-0000-0000")
    with OpenStore(TillFolder(tmp_path)) as store:
        with pytest.raises(ProtocolError) as refused:
            store.enrol(url=url, code=code)
        assert refused.value.code == "too-many-attempts"
        server.services.clock.advance(hours=2)
        store.enrol(url=url, code=code)
    assert keys[0] == keys[1]


def test_a_code_that_begins_like_an_older_one_is_drawn_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = code_of(server)
    drawn = iter(
        [parse_code(first), parse_code(first[:4] + "0" * 12), parse_code("ZZZZ" + "1" * 12)]
    )
    monkeypatch.setattr(desk, "new_code", lambda: next(drawn))

    second = code_of(server, "West")

    assert second == "ZZZZ-1111-1111-1111"
    assert server.line.enrol(first).certificate.till_id is not None
    assert server.line.enrol(second).certificate.till_id is not None

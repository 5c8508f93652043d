"""Files written by every release open in this one: till, server, and a push that was under way."""

import shutil
from pathlib import Path

import msgspec
import pytest

from desktop.bootstrap import OpenStore, Till
from desktop.reckoning.agreement import reckon
from desktop.reckoning.file import read_server, read_till
from desktop.store.database import TillFolder
from desktop.store.identity import load_key
from desktop.sync.http import ServerConnection
from shared.clock import SystemClock
from shared.protocol.message import PushRequest
from shared.trade.till import MemberEnrolled
from tests.support.servers import serve_here

FILES = Path(__file__).parents[1] / "vectors/files"
RELEASES = sorted(folder.name for folder in FILES.glob("release-*"))


@pytest.fixture(params=RELEASES)
def release(request, tmp_path) -> Path:
    folder = tmp_path / "files"
    shutil.copytree(FILES / request.param, folder)
    for key in (folder / "server/keys").iterdir():
        key.chmod(0o600)
    return folder


def test_there_are_files_of_the_first_release():
    assert "release-1" in RELEASES


def test_a_push_of_every_release_is_taken_and_the_till_goes_on(release):
    request = msgspec.msgpack.decode((release / "push.msgpack").read_bytes(), type=PushRequest)
    with serve_here(release / "server", clock=SystemClock()) as server:
        taken = server.services.ingest.push(request)
        assert taken.next_seq == request.first_seq + len(request.entries)
        till = Till(OpenStore(TillFolder(release / "till")))
        counter = till.counter()
        shift = counter.shifts.required()
        operator = till.operators.all()[0].operator_id
        counter.scanning.scan("6901285991219")
        counter.checkout.basket.attach(till.members.by_phone("13800138000")[0])
        counter.checkout.tender_cash()
        counter.checkout.finish(shift, operator)
        url = str(server.line.client.base_url)
        connection = ServerConnection(url, load_key(till.store.folder))
        till.sync.sync_once(connection)
        connection.close()
        assert till.pusher.unsent() == 0
        till.close()
    kept = read_till(release / "till/till.sqlite")
    agreement = reckon([kept], read_server(release / "server/evertill.db"))
    assert agreement.differences == []
    kinds = {entry.told["kind"] for entry in kept.entries()}
    assert MemberEnrolled.kind in kinds

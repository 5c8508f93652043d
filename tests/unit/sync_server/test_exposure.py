"""The exposure on the command line and at head office, and taking a lease back by hand."""

import io
import json
import sys
from pathlib import Path

import httpx
import msgspec
import pytest

from shared.clock import ManualClock
from shared.loyalty.bundle import programme_bytes, template
from shared.loyalty.leasing import Leases
from shared.protocol.lease import LeaseAsk, LeaseReply, LeaseRequest
from shared.protocol.message import PROTOCOL
from sync_server.commands import main
from tests.support.servers import Server, serve_here


def ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["evertill-server", *arguments])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(SystemExit) as done:
        main()
    return int(done.value.code or 0), capsys.readouterr().out


def lease_out(server: Server) -> str:
    """300 of a member's 600 points are with a till; its id."""
    rules = msgspec.structs.replace(template("default"), leases=Leases(for_points=True))
    server.services.programme.publish(programme_bytes(rules))
    till = server.enrol_till("east")
    member = till.enrol_member()
    till.sell(60_000, member=member, earned=600)
    server.line.push(till)
    request = LeaseRequest(protocol=PROTOCOL, asks=(LeaseAsk(account="points", owner=member),))
    reply = server.line.post("/v1/leases", request, LeaseReply, signer=till.key)
    granted = reply.answers[0].granted
    assert granted is not None
    return str(json.loads(granted.payload)["lease_id"])


def test_the_command_shows_the_exposure_and_takes_a_lease_back(
    folder: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serve_here(folder, clock=clock) as server:
        lease = lease_out(server)
    code, out = ended(monkeypatch, capsys, "leases", "--json", "--data", str(folder))
    told = json.loads(out)
    assert code == 0
    chain, store = told["exposure"]
    assert (chain["store"], chain["secured"], chain["total"]) == ("", 300, 300)
    assert store["total"] == 300
    assert [(one["lease_id"], one["left"]) for one in told["leases"]] == [(lease, 300)]
    assert "All stores" in ended(monkeypatch, capsys, "leases", "--data", str(folder))[1]

    code, out = ended(monkeypatch, capsys, "reclaim", lease, "--data", str(folder))

    assert (code, out.strip()) == (0, "300")
    _, out = ended(monkeypatch, capsys, "leases", "--json", "--data", str(folder))
    assert json.loads(out)["exposure"][0]["reclaimed"] == 300
    assert ended(monkeypatch, capsys, "reclaim", lease, "--data", str(folder))[0] == 2


@pytest.mark.parametrize(("language", "word"), [("en", "Exposure"), ("zh_CN", "未收回的额度")])
def test_head_office_shows_the_exposure(
    folder: Path, clock: ManualClock, language: str, word: str
) -> None:
    with serve_here(folder, clock=clock) as server:
        lease_out(server)
        server.services.users.add("boss", "a long password")
        browser: httpx.Client = server.line.client
        browser.cookies.set("evertill_language", language)
        door = browser.get("/office/sign-in").text
        token = door.split('name="form_token" value="')[1].split('"')[0]
        browser.post(
            "/office/sign-in",
            data={"login": "boss", "password": "a long password", "form_token": token},
        )
        page = browser.get("/office/").text
    table = page.split('id="exposure"')[1]
    assert word in table
    assert table.count(">300</td>") >= 2

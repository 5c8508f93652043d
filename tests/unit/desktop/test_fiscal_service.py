"""A fiscal device signs what was sold; whatever it does, the sale is written and says how it is."""

import base64
import hashlib
import io
import json
import tarfile
from threading import Event

import pytest
from typer.testing import CliRunner

from desktop.commands import application
from desktop.reckoning.file import read_till
from desktop.services.fiscal import Fiscal
from desktop.services.paper import Papers
from desktop.store.fiscal import fiscal_ticket, unsigned
from desktop.store.journal import read_chained
from desktop.store.print_jobs import PrintJob
from hardware.fiscal.port import FiscalStart
from hardware.ports import Condition, DeviceError, Health
from hardware.simulators.fiscal import FiscalBehaviour, FiscalSimulator, LocalFiscalDevice
from shared.ids import EntryId
from shared.receipt.layout import Grid, lay_out
from shared.trade.fact import FiscalOutcome
from shared.trade.fiscal import FiscalRecorded, FiscalState
from tests.support.desk import BISCUIT_CODE, WATER_CODE, Desk, open_desk
from tests.support.fiscal_judge import openssl_accepts

OFFLINE = "Fiscal device offline"
FAILED = "Fiscal device failed"


@pytest.fixture
def device():
    return LocalFiscalDevice()


def at_desk(folder, device, **around) -> Desk:
    return open_desk(folder, fiscal=device, fiscal_paper_waits_s=0.0, language="en", **around)


@pytest.fixture
def signing(folder, device):
    desk = at_desk(folder, device)
    yield desk
    desk.till.close()


def records(desk: Desk) -> list[dict[str, object]]:
    kept = read_till(desk.till.store.folder.database)
    told = [entry.told for entry in kept.entries()]
    return [one["body"] for one in told if one["kind"] == "fiscal_recorded"]


def paper(desk: Desk, entry_id: EntryId, copy: int = 0) -> str:
    job = PrintJob(
        job_id="1", entry_id=entry_id, copy=copy, language="en", state="queued", reason=""
    )
    document = Papers(desk.till.books, desk.till.shop()).document(job)
    return "\n".join(getattr(piece, "text", "") for piece in lay_out(document, Grid(48)))


def test_a_sale_is_signed_after_its_commit_and_its_copy_bears_the_signature(
    signing, device, tmp_path
):
    sale = signing.sell(BISCUIT_CODE)
    assert sale.fact.fiscal == FiscalOutcome()
    assert FAILED in paper(signing, sale.entry_id)
    assert signing.till.fiscal.work() is None
    (record,) = records(signing)
    assert (record["state"], record["of_entry"]) == ("signed", sale.entry_id)
    (kept,) = device.inside.signed.values()
    data = json.loads(kept.data)
    assert (data["total"], data["entry"]) == (sale.fact.total, sale.hash.hex())
    assert openssl_accepts(
        tmp_path,
        public_key=record["public_key"],
        signature=record["signature"],
        told=kept.signature.signed_bytes(kept.data),
    )
    shown = paper(signing, sale.entry_id, copy=1)
    assert FAILED not in shown
    printed = shown.replace("\n", "").replace(" ", "")
    assert f"Signature{record['signature']}" in printed
    assert record["device"] in printed


def test_the_transaction_begins_with_the_basket_and_one_that_came_to_nothing_is_ended(
    signing, device
):
    signing.scan(BISCUIT_CODE)
    assert device.inside.unfinished == []  # whoever scans does not ask it
    signing.till.fiscal.work()
    assert device.inside.unfinished == [1]
    signing.counter.checkout.clear()
    assert device.inside.unfinished == [1]
    signing.till.fiscal.work()
    assert device.inside.unfinished == []
    signing.scan(WATER_CODE)
    signing.till.fiscal.work()
    sale = signing.sell(BISCUIT_CODE)
    assert sale.entry_id not in device.inside.signed
    signing.till.fiscal.work()
    assert device.inside.signed[sale.entry_id].signature.number == 2
    assert records(signing)[-1]["number"] == 2


class StuckDevice(LocalFiscalDevice):
    """Answers nothing until it is let go; who calls it waits."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let_go = Event(), Event()

    def begin(self, *, deadline_s: float) -> FiscalStart:
        self.asked.set()
        self.let_go.wait()
        return super().begin(deadline_s=deadline_s)


def test_a_device_that_is_stuck_holds_up_no_sale_and_signs_all_of_them_later(folder):
    device = StuckDevice()
    desk = at_desk(folder, device)
    desk.till.fiscal.start()
    desk.scan(BISCUIT_CODE)
    device.asked.wait()
    sales = [desk.sell(WATER_CODE), desk.sell(BISCUIT_CODE)]
    for sale in sales:
        desk.till.fiscal.wait_for(sale.entry_id)  # as the spooler does: not for long
        assert FAILED in paper(desk, sale.entry_id)
    assert records(desk) == []
    device.let_go.set()
    desk.till.fiscal._paper_waits_s = None  # from here on as long as it takes
    for sale in sales:
        desk.till.fiscal.wait_for(sale.entry_id)
    assert [one["of_entry"] for one in records(desk)] == [sale.entry_id for sale in sales]
    desk.till.close()


def test_a_device_that_is_missing_is_told_once_and_what_it_missed_is_signed_when_it_is_back(
    folder, device
):
    told: list[Health] = []
    desk = at_desk(folder, device, on_device=told.append)
    first = desk.sell(BISCUIT_CODE)
    device.is_missing = True
    for _ in range(3):
        assert desk.till.fiscal.work() is not None
    # What is known when it is written stands in the sale itself.
    second = desk.sell(WATER_CODE)
    desk.till.fiscal.work()
    assert second.fact.fiscal == FiscalOutcome(failure="offline")
    assert [(one["of_entry"], one["failure"]) for one in records(desk)] == [
        (first.entry_id, "offline")
    ]
    for sale in (first, second):
        assert OFFLINE in paper(desk, sale.entry_id)
    assert [one.message_key for one in told] == ["devices.asked.nohardware"]
    device.is_missing = False
    assert desk.till.fiscal.work() is None
    assert [(one["of_entry"], one["state"]) for one in records(desk)[1:]] == [
        (first.entry_id, "signed"), (second.entry_id, "signed"),
    ]  # fmt: skip
    assert [one.is_ready for one in told] == [False, True]
    assert desk.till.fiscal.unsigned() == 0
    desk.till.close()


@pytest.mark.parametrize(
    "behaviour", [FiscalBehaviour.LOSE_ANSWER, FiscalBehaviour.LOSE_REQUEST, FiscalBehaviour.FAIL]
)
def test_what_the_device_did_not_answer_is_signed_exactly_once(signing, device, behaviour):
    sale = signing.sell(BISCUIT_CODE)
    device.inside.script(behaviour, behaviour)
    signing.till.fiscal.work()
    signing.till.fiscal.work()
    assert [one["state"] for one in records(signing)] in (["failed", "signed"], ["failed"])
    signing.till.fiscal.work()
    assert [one["state"] for one in records(signing)] == ["failed", "signed"]
    assert list(device.inside.signed) == [sale.entry_id]
    assert [one.signature.counter for one in device.inside.signed.values()] == [1]


def test_one_that_is_refused_holds_up_no_other(signing, device):
    refused, other = signing.sell(BISCUIT_CODE), signing.sell(WATER_CODE)
    device.inside.script(FiscalBehaviour.FAIL)
    signing.till.fiscal.work()
    with signing.till.books.reading() as connection:
        assert [one.entry_id for one in unsigned(connection, 9)] == [refused.entry_id]
        found = fiscal_ticket(connection, other.entry_id)
    assert found is not None
    assert found.state == "signed"
    told = [one["failure"] for one in records(signing) if one["of_entry"] == refused.entry_id]
    assert told == ["refused"]


def test_however_many_are_refused_the_others_are_signed(signing, device, monkeypatch):
    monkeypatch.setattr("desktop.services.fiscal.BATCH", 1)
    refused = [signing.sell(BISCUIT_CODE), signing.sell(BISCUIT_CODE)]
    other = signing.sell(WATER_CODE)
    device.inside.script(FiscalBehaviour.FAIL, FiscalBehaviour.FAIL)
    signing.till.fiscal.work()
    with signing.till.books.reading() as connection:
        left = [one.entry_id for one in unsigned(connection, 9)]
    assert left == [one.entry_id for one in refused]
    assert [one["of_entry"] for one in records(signing) if one["state"] == "signed"] == [
        other.entry_id
    ]


def test_what_a_killed_till_left_is_signed_by_the_next_run(folder, device):
    desk = at_desk(folder, device)
    sale = desk.sell(BISCUIT_CODE)
    desk.till.close()
    desk = at_desk(folder, device)
    assert desk.till.fiscal.unsigned() == 1
    desk.till.fiscal.start()
    desk.till.fiscal._paper_waits_s = None
    desk.till.fiscal.wait_for(sale.entry_id)
    assert [one["of_entry"] for one in records(desk)] == [sale.entry_id]
    desk.till.close()


def test_a_till_that_dies_between_the_signature_and_its_entry_asks_for_the_same_one(
    folder, device, monkeypatch
):
    desk = at_desk(folder, device)
    sale = desk.sell(BISCUIT_CODE)
    with monkeypatch.context() as patched:
        patched.setattr(Fiscal, "_write", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            desk.till.fiscal.work()
    desk.till.close()
    desk = at_desk(folder, device)
    desk.till.fiscal.work()
    (kept,) = device.inside.signed.values()
    (record,) = records(desk)
    assert (record["signature"], record["of_entry"]) == (kept.signature.signature, sale.entry_id)
    desk.till.close()


def test_returns_are_signed_too(signing, device):
    sale = signing.sell(BISCUIT_CODE)
    back = signing.take_back(sale, (1, 1))
    signing.till.fiscal.work()
    data = json.loads(device.inside.signed[back.entry_id].data)
    assert (data["kind"], data["total"]) == ("sale_returned", back.fact.total)
    assert "Signature" in paper(signing, back.entry_id)


def test_a_replaced_device_signs_what_was_begun_at_the_old_one(signing, device, monkeypatch):
    signing.scan(BISCUIT_CODE)
    signing.till.fiscal.work()
    fresh = LocalFiscalDevice()
    monkeypatch.setattr(device, "inside", fresh.inside)
    sale = signing.sell(WATER_CODE)
    assert signing.till.fiscal.work() is None
    assert list(fresh.inside.signed) == [sale.entry_id]


def test_without_a_device_nothing_is_said_and_nothing_waits(folder):
    desk = at_desk(folder, None)
    sale = desk.sell(BISCUIT_CODE)
    assert sale.fact.fiscal is None
    assert "iscal" not in paper(desk, sale.entry_id)
    assert (desk.till.fiscal.unsigned(), records(desk)) == (0, [])
    desk.counter.shifts.close(desk.shift.operator_id, [])
    desk.till.close()


def test_the_close_of_the_day_names_what_is_unsigned(signing, device):
    device.is_missing = True
    signing.sell(BISCUIT_CODE)
    signing.till.fiscal.work()
    operator = signing.shift.operator_id
    signing.counter.shifts.close(operator, [])
    assert "unsigned-receipts" in signing.counter.shifts.close_day(operator).left_open


def test_an_exported_file_is_judged_by_openssl_and_json_alone(folder, tmp_path):
    with FiscalSimulator() as simulator:
        device = LocalFiscalDevice()
        device.inside = simulator.inside
        desk = at_desk(folder, device)
        sales = [desk.sell(BISCUIT_CODE), desk.sell(WATER_CODE)]
        desk.till.fiscal.work()
        device.is_missing = True
        late = desk.sell(WATER_CODE)
        desk.till.fiscal.work()
        desk.till.close()
        (folder.path / "till.toml").write_text(
            f'[fiscal]\nhost = "127.0.0.1"\nport = {simulator.port}\n'
        )
        file = tmp_path / "export.tar"
        ran = CliRunner().invoke(
            application("fiscal-export"),
            ["fiscal-export", str(file), "--data", str(folder.path), "--json"],
        )
    assert ran.exit_code == 1, ran.output  # one has no signature
    assert json.loads(ran.stdout) == {
        "tickets": 3, "signed": 2, "unsigned": 1, "device": "exported",
    }  # fmt: skip
    with tarfile.open(file) as tar:
        lines = tar.extractfile("tickets.jsonl").read().splitlines()
        inner = io.BytesIO(tar.extractfile("device.tar").read())
    told = [json.loads(line) for line in lines]
    assert [one["entry"] for one in told] == [*(s.entry_id for s in sales), late.entry_id]
    assert [one["state"] for one in told] == ["signed", "signed", "failed"]
    for one in told:
        encoded = base64.b64decode(one["bytes"])
        chained = b"evertill/entry/1" + bytes.fromhex(one["prev_hash"]) + encoded
        assert hashlib.sha256(chained).hexdigest() == one["hash"]
        data = json.loads(base64.b64decode(one["data"]))
        assert data["entry"] == one["hash"]
        assert data["total"] == json.loads(encoded)["body"]["total"]
    for one in told[:2]:
        assert openssl_accepts(
            tmp_path,
            public_key=one["public_key"],
            signature=one["signature"],
            told=base64.b64decode(one["signed_bytes"]),
        )
    with tarfile.open(fileobj=inner) as tar:
        assert len(tar.extractfile("signatures.jsonl").read().splitlines()) == 2
    assert not list(tmp_path.glob("*.part"))


def test_every_failure_has_a_name_for_head_office(signing, device, monkeypatch):
    def broken(**_: object) -> FiscalStart:
        raise DeviceError(Condition.FAILURE, device="fiscal")

    monkeypatch.setattr(device, "begin", broken)
    signing.scan(BISCUIT_CODE)
    signing.till.fiscal.work()
    assert signing.sell(WATER_CODE).fact.fiscal == FiscalOutcome(failure="failure")


def test_a_signature_is_the_last_word(signing):
    sale = signing.sell(BISCUIT_CODE)
    with signing.till.books.reading() as connection:
        (waiting,) = unsigned(connection, 1)
        chained = read_chained(connection, sale.entry_id)
    signing.till.fiscal.work()
    late = FiscalRecorded(
        of_entry=sale.entry_id,
        receipt_no=sale.fact.receipt_no,
        till_id=sale.fact.till_id,
        state=FiscalState.FAILED,
        failure="timeout",
    )
    assert waiting.state == "waiting"
    signing.till.fiscal._write(chained, late)
    assert signing.till.fiscal.unsigned() == 0
    assert "Signature" in paper(signing, sale.entry_id)


def test_baskets_that_are_over_are_not_begun_any_more(signing, device):
    for _ in range(3):
        signing.scan(BISCUIT_CODE)
        signing.counter.checkout.clear()
    sale = signing.sell(WATER_CODE)
    signing.till.fiscal.work()
    assert list(device.inside.signed) == [sale.entry_id]
    assert records(signing)[-1]["number"] == 1

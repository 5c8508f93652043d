"""``evertill doctor`` on tills with and without devices, beside a till that runs, in both words."""

import json
import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from desktop.commands import application
from desktop.doctor import devices as asked
from desktop.doctor import machine
from desktop.doctor.examination import examine
from desktop.doctor.finding import Finding, Verdict, is_well
from desktop.presenters.text import key_of
from desktop.services.settings_file import FILE_NAME
from desktop.store.database import TillFolder, TillLock
from hardware.scale.protocols import ScaleProtocol
from hardware.simulators.fiscal import FiscalSimulator
from hardware.simulators.printer import PrinterSimulator
from hardware.simulators.scale import ScaleSimulator
from hardware.simulators.terminal import TerminalSimulator
from shared.clock import ManualClock, SystemClock
from shared.language import Language
from tests.support.enrolled_till import START, enrol_locally

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - what shutil returns


@pytest.fixture(autouse=True)
def nothing_plugged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.doctor.plugged.serial_ports", list)
    monkeypatch.setattr("desktop.doctor.plugged.usb_printers", list)
    monkeypatch.setattr(asked.examine_devices, "__kwdefaults__", {"deadline_s": 3.0})
    monkeypatch.setattr(machine, "SERVER_DEADLINE_S", 2.0)


@pytest.fixture
def scale() -> Iterator[ScaleSimulator]:
    simulator = ScaleSimulator(ScaleProtocol.CAS)
    yield simulator
    simulator.close()


def settings(folder: Path, text: str) -> TillFolder:
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    return TillFolder(folder)


def found(folder: TillFolder) -> dict[str, Verdict]:
    return {key_of(one.said): one.verdict for one in examine(folder, SystemClock())}


def test_without_settings_devices_or_a_till_all_is_well_and_nothing_is_made(tmp_path):
    folder = tmp_path / "none"
    findings = list(examine(TillFolder(folder), SystemClock()))
    assert is_well(findings)
    keys = [key_of(one.said) for one in findings]
    assert keys[:2] == ["doctor.plugged.nothing", "doctor.devices.none"]
    assert keys[-1] == "doctor.database.none"
    assert not folder.exists()


def test_each_device_is_asked_in_its_own_protocol(tmp_path, scale):
    with PrinterSimulator() as printer:
        folder = settings(
            tmp_path,
            f'[printer]\nhost = "127.0.0.1"\nport = {printer.port}\n[drawer]\nopen_when = "high"\n'
            f'[scale]\nprotocol = "cas"\nserial = "{scale.port}"\n',
        )
        told = found(folder)
        assert told["devices.printer.ready"] is Verdict.WELL
        assert told["devices.scale.ready"] is Verdict.WELL
        assert told["devices.drawer.closed"] is Verdict.WELL
        printer.faults.paper_low = True
        assert found(folder)["devices.printer.paper-low"] is Verdict.ATTENTION
        printer.faults.cover_open = True
        scale.faults.is_silent = True
        told = found(folder)
        assert told["devices.printer.cover-open"] is Verdict.BAD
        assert told["devices.scale.silent"] is Verdict.BAD


def test_terminals_and_the_fiscal_device_are_asked_over_their_line(tmp_path):
    with TerminalSimulator() as terminal, FiscalSimulator() as fiscal:
        folder = settings(
            tmp_path,
            f'[terminal]\nhost = "127.0.0.1"\nport = {terminal.port}\n'
            f'[wallet]\nhost = "127.0.0.1"\nport = {terminal.port}\n'
            f'[fiscal]\nhost = "127.0.0.1"\nport = {fiscal.port}\n',
        )
        names = {"devices.name.terminal", "devices.name.wallet", "devices.name.fiscal"}
        asked = [one for one in examine(folder, SystemClock()) if key_of(one.what) in names]
        assert [one.verdict for one in asked] == [Verdict.WELL] * 3
        fiscal.faults.garble = True
        terminal.stop()
        told = found(folder)
        assert told["devices.asked.nohardware"] is Verdict.BAD
        assert told["devices.asked.extended"] is Verdict.BAD


def test_devices_that_are_not_there_are_said(tmp_path):
    folder = settings(
        tmp_path,
        '[scale]\nprotocol = "cas"\nserial = "usb:1234:5678"\n[display]\nprotocol = "epson"\n'
        'serial = "/dev/no-such-port"\n',
    )
    findings = [one for one in examine(folder, SystemClock()) if one.verdict is Verdict.BAD]
    assert {key_of(one.said) for one in findings} == {"devices.line.nohardware"}
    assert len(findings) == 2


def test_a_till_that_runs_keeps_its_devices(tmp_path, scale):
    folder = settings(tmp_path, f'[scale]\nprotocol = "cas"\nserial = "{scale.port}"')
    with TillLock(folder):
        told = found(folder)
        assert told["doctor.devices.till-runs"] is Verdict.ATTENTION
        assert scale.line.received == b""
    assert found(folder)["devices.scale.ready"] is Verdict.WELL


@pytest.mark.parametrize("text", ["[scale", "[scanner]\nserial = 'usb:1'"])
def test_settings_that_cannot_be_used_are_told_and_the_rest_is_examined(tmp_path, text):
    told = found(settings(tmp_path, text))
    assert Verdict.BAD in told.values()
    assert told["doctor.database.none"] is Verdict.WELL


def test_an_enrolled_till_is_looked_at_beside_everything_else(tmp_path):
    folder = enrol_locally(tmp_path)
    told = found(folder)
    assert told["doctor.database.whole"] is Verdict.WELL
    assert told["doctor.keys.none"] is Verdict.ATTENTION
    assert Verdict.BAD not in told.values()


def test_a_damaged_database_is_bad(tmp_path):
    folder = enrol_locally(tmp_path)
    content = bytearray(folder.database.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    folder.database.write_bytes(content)
    assert not is_well(list(examine(folder, SystemClock())))


def test_a_clock_behind_the_last_entry_is_bad():
    behind = ManualClock(START)
    judged = machine._clock_by_journal(START.timestamp() + 500, behind)
    assert (judged.verdict, key_of(judged.said)) == (Verdict.BAD, "doctor.clock.behind-journal")
    assert machine._clock_by_journal(START.timestamp() - 500, behind).verdict is Verdict.WELL


@pytest.mark.parametrize(
    ("free", "verdict"),
    [(50 << 20, Verdict.BAD), (500 << 20, Verdict.ATTENTION), (5 << 30, Verdict.WELL)],
)
def test_a_disk_that_fills_up_is_told_before_it_is_full(tmp_path, monkeypatch, free, verdict):
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: Usage(10 << 30, 0, free))
    judged: Finding = machine.examine_disk(tmp_path / "none")
    assert judged.verdict is verdict


@pytest.mark.parametrize("language", list(Language))
def test_the_command_answers_in_either_language_and_by_its_exit_code(tmp_path, language):
    runner, command = CliRunner(), application("doctor")
    call = ["doctor", "--data", str(tmp_path), "--language", language.value]
    done = runner.invoke(command, call)
    assert done.exit_code == 0, done.output
    assert ("一切正常" in done.output) == (language is Language.CHINESE)
    settings(tmp_path, '[scale]\nprotocol = "cas"\nserial = "usb:1234:5678"')
    done = runner.invoke(command, [*call, "--json"])
    assert done.exit_code == 1
    told = [one for one in json.loads(done.stdout) if one["verdict"] == "bad"]
    assert len(told) == 1
    assert ("电子秤" in told[0]["said"]) == (language is Language.CHINESE)

"""A fiscal device over its line and without one: numbers, signatures, and every way to fail.

Judge of the signatures: openssl, as a program.
"""

import base64
import io
import json
import tarfile
from pathlib import Path

import pytest

from hardware.fiscal.line_device import LineFiscalDevice
from hardware.fiscal.port import FiscalDevice, FiscalSignature
from hardware.ports import Condition, DeviceError
from hardware.simulators.fiscal import FiscalBehaviour, FiscalSimulator, LocalFiscalDevice
from tests.support.fiscal_judge import openssl_accepts

LONG = 30.0
SOON = 0.15


@pytest.fixture(params=["line", "local"])
def device(request):
    if request.param == "local":
        yield LocalFiscalDevice()
        return
    with FiscalSimulator() as simulator:
        found = LineFiscalDevice("fiscal", simulator.host, simulator.port)
        found.inside = simulator.inside
        yield found


def is_genuine(folder: Path, signature: FiscalSignature, data: bytes) -> bool:
    """What openssl says of a signature."""
    return openssl_accepts(
        folder,
        public_key=signature.public_key,
        signature=signature.signature,
        told=signature.signed_bytes(data),
    )


def test_openssl_accepts_the_signature_and_no_other_data(device, tmp_path):
    _: FiscalDevice = device
    start = device.begin(deadline_s=LONG)
    signature = device.finish(start.number, "sale-1", "小票 ¥12.50".encode(), deadline_s=LONG)
    assert (signature.number, signature.started_at) == (start.number, start.started_at)
    assert is_genuine(tmp_path, signature, "小票 ¥12.50".encode())
    assert not is_genuine(tmp_path, signature, "小票 ¥12.51".encode())


def test_numbers_and_counters_have_no_gaps_and_a_reference_is_signed_once(device):
    first = device.begin(deadline_s=LONG)
    second = device.begin(deadline_s=LONG)
    late = device.sign("sale-3", b"3", deadline_s=LONG)
    done = [
        device.finish(one.number, f"sale-{one.number}", b"x", deadline_s=LONG)
        for one in (second, first)
    ]
    assert [late.number, *(one.number for one in done)] == [3, 2, 1]
    assert [late.counter, *(one.counter for one in done)] == [1, 2, 3]
    assert device.sign("sale-3", b"3", deadline_s=LONG) == late
    assert device.inside.unfinished == []


@pytest.mark.parametrize(
    ("behaviour", "condition", "is_signed"),
    [
        (FiscalBehaviour.FAIL, Condition.ILLEGAL, False),
        (FiscalBehaviour.LOSE_REQUEST, Condition.TIMEOUT, False),
        (FiscalBehaviour.LOSE_ANSWER, Condition.TIMEOUT, True),
    ],
)
def test_what_fails_is_signed_once_when_it_is_asked_again(
    device, tmp_path, behaviour, condition, is_signed
):
    device.inside.script(behaviour)
    start = device.begin(deadline_s=LONG)
    deadline_s = LONG if condition is Condition.ILLEGAL else SOON
    with pytest.raises(DeviceError) as failed:
        device.finish(start.number, "sale", b"data", deadline_s=deadline_s)
    assert failed.value.condition is condition
    assert ("sale" in device.inside.signed) == is_signed
    again = device.finish(start.number, "sale", b"data", deadline_s=LONG)
    assert (again.number, again.counter) == (start.number, 1)
    assert is_genuine(tmp_path, again, b"data")


def test_a_number_that_is_not_open_is_refused(device):
    with pytest.raises(DeviceError) as refused:
        device.finish(7, "sale", b"data", deadline_s=LONG)
    assert refused.value.condition is Condition.ILLEGAL


def test_its_archive_verifies_without_the_till(device, tmp_path):
    for number in range(300):  # more than one part on the line
        device.sign(f"sale-{number}", b"x" * 200, deadline_s=LONG)
    packed = b"".join(device.export(deadline_s=LONG))
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        (tmp_path / "key.pem").write_bytes(tar.extractfile("public_key.pem").read())
        lines = tar.extractfile("signatures.jsonl").read().splitlines()
    told = [json.loads(line) for line in lines]
    assert [one["counter"] for one in told] == list(range(1, 301))
    kept = {one: told[-1][one] for one in FiscalSignature.__slots__}
    assert is_genuine(tmp_path, FiscalSignature(**kept), base64.b64decode(told[-1]["data"]))


@pytest.mark.parametrize("fault", ["silent", "hang_up", "garble"])
def test_a_line_that_fails_raises_by_the_deadline(fault):
    with FiscalSimulator() as simulator:
        device = LineFiscalDevice("fiscal", simulator.host, simulator.port)
        setattr(simulator.faults, fault, True)
        with pytest.raises(DeviceError):
            device.begin(deadline_s=SOON)
        assert not device.check_health(deadline_s=SOON).is_ready

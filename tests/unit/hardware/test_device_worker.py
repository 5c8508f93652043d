"""A device that stalls stalls nobody else."""

from threading import Event

import pytest

from hardware.ports import Condition, DeviceError
from hardware.worker import Backoff, DeviceWorker


@pytest.fixture
def worker() -> object:
    made = DeviceWorker("printer")
    made.start()
    yield made
    made.stop()


def test_calls_return_and_raise_what_the_work_does(worker: DeviceWorker) -> None:
    assert worker.run(lambda: 42, deadline_s=5) == 42

    def fail() -> None:
        raise LookupError("inside")

    with pytest.raises(LookupError, match="inside"):
        worker.run(fail, deadline_s=5)


def test_a_stalled_device_lets_its_caller_go_at_the_deadline(worker: DeviceWorker) -> None:
    release = Event()
    with pytest.raises(DeviceError) as caught:
        worker.run(release.wait, deadline_s=0.05)
    release.set()
    assert caught.value.condition is Condition.TIMEOUT
    assert caught.value.code == "device-timeout"
    assert caught.value.fields["device"] == "printer"


def test_a_call_that_waited_in_vain_is_never_run_later(worker: DeviceWorker) -> None:
    release, ran = Event(), Event()
    with pytest.raises(DeviceError):
        worker.run(release.wait, deadline_s=0.05)
    with pytest.raises(DeviceError):
        worker.run(ran.set, deadline_s=0.05)
    release.set()
    assert worker.run(lambda: True, deadline_s=5)
    assert not ran.is_set()


def test_a_closed_device_says_so() -> None:
    with pytest.raises(DeviceError) as caught:
        DeviceWorker("printer").run(lambda: None, deadline_s=1)
    assert caught.value.condition is Condition.CLOSED


def test_a_device_can_be_opened_again_after_closing(worker: DeviceWorker) -> None:
    worker.stop()
    worker.start()
    assert worker.run(lambda: 1, deadline_s=5) == 1


def test_waiting_times_double_from_half_a_second_to_ten() -> None:
    backoff = Backoff()
    assert [backoff.failed() for _ in range(7)] == [0.5, 1, 2, 4, 8, 10, 10]
    backoff.succeeded()
    assert backoff.failed() == 0.5

"""One thread per device, so that a device that stalls stalls nobody else."""

from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, Queue
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

from hardware.ports import Condition, DeviceError

Result = TypeVar("Result")

WAITING_CALLS_MAX = 64
BACKOFF_FIRST_S = 0.5
BACKOFF_LAST_S = 10.0


@dataclass(slots=True)
class Backoff:
    """Waiting times before the next try: 0.5 s, doubling, at most 10 s."""

    first_s: float = BACKOFF_FIRST_S
    _next_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._next_s = self.first_s

    def failed(self) -> float:
        """How long to wait after one more failure, in seconds."""
        wait_s = self._next_s
        self._next_s = min(BACKOFF_LAST_S, 2 * wait_s)
        return wait_s

    def succeeded(self) -> None:
        """Start again from the shortest wait."""
        self._next_s = self.first_s


@dataclass(slots=True)
class _Call(Generic[Result]):
    work: Callable[[], Result]
    done: Event = field(default_factory=Event)
    result: Result | None = None
    error: BaseException | None = None
    _lock: Lock = field(default_factory=Lock)
    _state: str = "waiting"

    def claim(self, state: str) -> bool:
        """Take a waiting call, to run it or to withdraw it; whoever comes first."""
        with self._lock:
            if self._state != "waiting":
                return False
            self._state = state
            return True

    def run(self) -> None:
        if not self.claim("running"):
            return
        try:
            self.result = self.work()
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who decides
            self.error = error
        finally:
            self.done.set()


class DeviceWorker:
    """Runs calls on the device's own thread, in order, and lets callers go at their deadline."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._calls: Queue[_Call[object] | None] = Queue(WAITING_CALLS_MAX)
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the thread; again after ``stop`` is fine."""
        if self._thread is None:
            self._thread = Thread(target=self._serve, name=f"device {self._device}", daemon=True)
            self._thread.start()

    def stop(self, *, wait_s: float = 2.0) -> None:
        """End the thread after the call in hand; one that is stuck is left behind."""
        if self._thread is None:
            return
        self._drop_waiting()
        self._calls.put(None)
        self._thread.join(wait_s)
        self._thread = None

    def run(self, work: Callable[[], Result], *, deadline_s: float) -> Result:
        """Run ``work`` and return what it returns or raise what it raises.

        DeviceError TIMEOUT at the deadline: a call that has not begun is withdrawn and will not
        run; one that has begun goes on alone. CLOSED before ``start``, BUSY if too many wait.
        """
        if self._thread is None:
            raise DeviceError(Condition.CLOSED, device=self._device)
        if self._calls.qsize() >= WAITING_CALLS_MAX - 1:
            raise DeviceError(Condition.BUSY, device=self._device)
        call: _Call[Result] = _Call(work)
        self._calls.put(call)  # type: ignore[arg-type]  # a queue of calls of any result
        if not call.done.wait(deadline_s):
            call.claim("withdrawn")
            raise DeviceError(Condition.TIMEOUT, device=self._device)
        if call.error is not None:
            raise call.error
        return call.result  # type: ignore[return-value]  # set whenever there is no error

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            call.run()

    def _drop_waiting(self) -> None:
        while True:
            try:
                call = self._calls.get_nowait()
            except Empty:
                return
            if call and call.claim("withdrawn"):
                call.error = DeviceError(Condition.CLOSED, device=self._device)
                call.done.set()

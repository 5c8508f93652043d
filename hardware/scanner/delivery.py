"""Hands over what a device read, or keeps it while nobody takes it."""

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Data = TypeVar("Data")

WAITING_MAX = 16


class Delivery(Generic[Data]):
    """UnifiedPOS data events: they wait, the oldest kept, until delivery is on. Thread-safe."""

    def __init__(self) -> None:
        self._receive: Callable[[Data], None] | None = None
        self._waiting: deque[Data] = deque()
        self._lock = Lock()

    def deliver_to(self, receive: Callable[[Data], None] | None) -> None:
        """Switch delivery on, with what has waited, or off."""
        with self._lock:
            self._receive = receive
            waiting = list(self._waiting) if receive else []
            if receive:
                self._waiting.clear()
        for data in waiting:
            self.put(data)

    def put(self, data: Data) -> None:
        """Hand over or keep; beyond ``WAITING_MAX`` the newest is dropped."""
        with self._lock:
            receive = self._receive
            if receive is None and len(self._waiting) < WAITING_MAX:
                self._waiting.append(data)
        if receive:
            receive(data)

"""A scale on a serial line behind the port ``Scale``."""

from collections.abc import Callable
from dataclasses import replace
from threading import Condition as Signal
from threading import Event, Lock

import serial

from hardware.line_keeper import LineKeeper, read_some
from hardware.ports import Condition, DeviceState, Health, Power
from hardware.scale.port import OnReading, Reading, ScaleState
from hardware.scale.talk import Talk
from hardware.serial_port import LineSettings
from hardware.worker import Backoff
from shared.clock import Clock

ANSWER_S = 0.7
"""The longest pause within which a scale answers; a stream repeats several times in it."""
ANSWERS_MAX = 5
"""So many times that long may one weighing last: Dialog 06 has up to six exchanges in it."""
POLL_S = 0.15
IDLE_S = 0.1
STILL_THE_SAME = (ScaleState.STABLE, ScaleState.UNCHANGED)
"""A scale that gives each weight once says so when it is asked on: nothing has moved since, and the
weight stands. For the next goods the same answer means that they have to be lifted."""
PROBE_PRICE_MINOR = 1
"""Dialog 06 weighs at a price only; a health check is not shown to a customer."""

MakeTalk = Callable[[int], Talk]
"""A conversation at a unit price in minor units."""


class SerialScale:
    """Weighs on its own thread while somebody watches; comes back when it is plugged in again."""

    def __init__(
        self,
        name: str,
        line: LineSettings,
        make_talk: MakeTalk,
        *,
        clock: Clock,
        answer_s: float = ANSWER_S,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self._name = name
        self._make_talk = make_talk
        self._clock = clock
        self._answer_s = answer_s
        self._lock = Lock()
        self._wanted = Event()
        self._on_change: OnReading | None = None
        self._price = 0
        self._watch = 0
        self._reading = Reading(ScaleState.OFF)
        self._weighed = Signal()
        self._weighings = 0
        self._probes = 0
        self._keeper = LineKeeper(name, line, self._serve, on_lost=self._lost, backoff=backoff)

    @property
    def name(self) -> str:
        """How the settings call it."""
        return self._name

    def open(self) -> None:
        """Start its thread; connects, and connects again, in the background."""
        self._keeper.open()

    def close(self) -> None:
        """End its thread and free the port."""
        self._keeper.close()

    def wait_until_connected(self, *, timeout_s: float) -> bool:
        """Whether its port is open, waiting for that at most so long."""
        return self._keeper.wait_until_connected(timeout_s=timeout_s)

    def watch(self, on_change: OnReading | None, *, unit_price_minor: int = 0) -> None:
        """See ``Scale.watch``. A weight of an earlier watch is forgotten."""
        with self._lock:
            self._watch += 1
            self._on_change, self._price = on_change, unit_price_minor
            self._reading = self._nothing_yet()
        self._note_wanted()

    def reading(self) -> Reading:
        """See ``Scale.reading``."""
        with self._lock:
            return self._reading.as_of(self._clock.monotonic())

    def check_health(self, *, deadline_s: float) -> Health:
        """Weigh once and see whether it answers; an open port proves nothing."""
        if trouble := self._keeper.health():
            return trouble
        with self._weighed:
            seen = self._weighings
            self._probes += 1
            self._wanted.set()
            answered = self._weighed.wait_for(lambda: self._weighings > seen, deadline_s)
            self._probes -= 1
        self._note_wanted()
        with self._lock:
            reading = self._reading if answered else Reading(ScaleState.SILENT)
        return self._judged(reading)

    def _judged(self, reading: Reading) -> Health:
        speaks = reading.state not in (ScaleState.SILENT, ScaleState.NOISE, ScaleState.OFF)
        broken = reading.state in (ScaleState.REFUSED, ScaleState.FAULT)
        state = DeviceState.IDLE if speaks and not broken else DeviceState.ERROR
        power = Power.ONLINE if speaks else Power.UNKNOWN
        key = reading.message_key if state is DeviceState.ERROR else "devices.scale.ready"
        return Health(self._name, state, power, key)

    def _nothing_yet(self) -> Reading:
        is_there = self._keeper.is_connected
        return Reading(ScaleState.MOTION if is_there else ScaleState.OFF)

    def _note_wanted(self) -> None:
        with self._weighed, self._lock:
            if self._on_change is not None or self._probes:
                self._wanted.set()
            else:
                self._wanted.clear()

    # On the scale's own thread

    def _serve(self, line: serial.Serial) -> None:
        while not self._keeper.is_stopping:
            if not self._wanted.wait(IDLE_S):
                _ = line.in_waiting  # raises where it was unplugged
                continue
            with self._lock:
                watch, price = self._watch, self._price or PROBE_PRICE_MINOR
            self._note(watch, self._weigh(line, price))
            self._keeper.pause(POLL_S)

    def _weigh(self, line: serial.Serial, price: int) -> Reading:
        talk = self._make_talk(price)
        line.reset_input_buffer()
        heard = False
        now = self._clock.monotonic
        give_up, at_last = now() + self._answer_s, now() + ANSWERS_MAX * self._answer_s
        try:
            line.write(talk.begin())
            while now() < min(give_up, at_last) and not self._keeper.is_stopping:
                data = read_some(line)
                heard = heard or bool(data)
                step = talk.feed(data)
                if step.found is not None:
                    return Reading(step.found.state, step.found.grams, now())
                if step.send:
                    line.write(step.send)
                    give_up = now() + self._answer_s
        except serial.SerialTimeoutException:
            heard = False
        state = ScaleState.NOISE if heard else ScaleState.SILENT
        return Reading(state, 0, now())

    def _lost(self, _condition: Condition) -> None:
        with self._lock:
            watch = self._watch
        self._note(watch, Reading(ScaleState.OFF, 0, self._clock.monotonic()))

    def _note(self, watch: int, reading: Reading) -> None:
        """Keep it, unless the watch it was made for is over: its price was another."""
        with self._lock:
            told = None
            if watch == self._watch:
                before = self._reading
                if (before.state, reading.state) == STILL_THE_SAME:
                    reading = replace(before, at=reading.at)
                self._reading = reading
                changed = (before.state, before.grams) != (reading.state, reading.grams)
                told = self._on_change if changed else None
        with self._weighed:
            self._weighings += 1
            self._weighed.notify_all()
        if told is not None:
            told(reading)

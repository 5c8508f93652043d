"""The background sync: one thread, back-off with jitter, a status that is always true."""

import random
import threading
from collections.abc import Callable
from datetime import datetime

import structlog

from desktop.sync.commands import BEING_WIPED, WAITS_FOR_PAYMENTS, CommandKeeper
from desktop.sync.http import RefusedError, ServerConnection
from desktop.sync.leases import LeaseKeeper
from desktop.sync.listening import Listening
from desktop.sync.pull import Puller
from desktop.sync.push import Pusher
from desktop.sync.rekeying import KeyChange
from desktop.sync.server_keys import ServerTrust
from desktop.sync.status import SyncStatus
from shared.clock import Clock
from shared.errors import EnvironmentFault, EvertillError, ProtocolError
from shared.protocol.message import Stream

PULL_EVERY_S = 2.0
"""Where the server does not tell of news by itself."""
PULL_IN_ANY_CASE_S = 20.0
BACKOFF_FIRST_S = 1.0
BACKOFF_MAX_S = 30.0
BEHIND = "journal-behind-server"
STREAMS = (Stream.OPERATORS, Stream.PROGRAMME, Stream.CATALOGUE, Stream.MEMBERS)

log = structlog.get_logger("sync")


class SyncRunner:
    """Pushes when there is something, pulls every few seconds, survives everything."""

    def __init__(
        self,
        *,
        connect: Callable[[], ServerConnection],
        pusher: Pusher,
        puller: Puller,
        leases: LeaseKeeper,
        trust: ServerTrust,
        key_change: KeyChange,
        commands: CommandKeeper,
        clock: Clock,
        tidy: Callable[[], None] = lambda: None,
        on_status: Callable[[SyncStatus], None] = lambda _status: None,
        on_change: Callable[[Stream], None] = lambda _stream: None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._connect = connect
        self._pusher = pusher
        self._puller = puller
        self._leases = leases
        self._trust = trust
        self._key_change = key_change
        self._commands = commands
        self._is_over = False
        """Whether this till was wiped."""
        self._clock = clock
        self._tidy = tidy
        self._on_status = on_status
        self._on_change = on_change
        self._jitter = jitter
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._server: ServerConnection | None = None
        self._failures = 0
        self._since = clock.now()
        self._online = False
        self._last_contact: datetime | None = None
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)
        puller.gives_way = self._has_more_urgent
        self._unsent_left = 0
        """What the last push could not send: an older epoch that waits."""
        self._listening = Listening(connect=connect, wake=self.wake)

    def start(self) -> None:
        """Begin syncing."""
        self._thread.start()
        self._listening.start()

    def wake(self) -> None:
        """There is something to send."""
        self._wake.set()

    def close(self) -> None:
        """Stop after the request at hand."""
        self._closing.set()
        self._listening.close()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        self.disconnect()
        self._puller.close()

    def sync_once(self, server: ServerConnection) -> EvertillError | None:
        """Send everything, see to the leases, then bring every stream up to date.

        Returns why something of an older epoch waits, though all else went.
        """
        self._leases.tend()
        self._leases.present(server)
        while not (pushed := self._pusher.push_once(server)).is_done:
            self._contact()
            if self._closing.is_set():
                return None
            if pushed.went_back:
                self._leases.present(server)
        self._contact()
        self._unsent_left = self._pusher.unsent()
        self._leases.ask(server)
        for stream in STREAMS:
            if self._puller.pull(server, stream):
                self._on_change(stream)
            if self._puller.is_unfinished:
                return pushed.set_aside or self._puller.refused_snapshot
        self._trust.told_of(self._puller.key_statements)
        if self._puller.commands or self._commands.is_open:
            self._commands.tend(server)
            if self._commands.wipe is not None or self._key_change.is_wanted:
                self.wake()
        self._listening.up_to_date(self._puller.read_up_to(STREAMS))
        # What the server has safe may have grown old here.
        self._tidy()
        return pushed.set_aside or self._puller.refused_snapshot or self._key_change.refused

    def _has_more_urgent(self) -> bool:
        return self._closing.is_set() or self._pusher.unsent() > self._unsent_left

    def try_once(self) -> float:
        """Connect if need be and sync; returns the seconds to wait before the next try.

        A failure becomes the status, never an exception: whoever sells must not notice.
        """
        if self._is_over:
            return BACKOFF_MAX_S
        try:
            return self._try()
        except EvertillError as error:
            self.disconnect()
            return self._failed(error)
        except Exception:
            # The edge of this thread: a bug here must not end sync for the rest of the day.
            log.exception("sync-bug")
            self.disconnect()
            return self._failed(EnvironmentFault("sync-bug"))

    def _try(self) -> float:
        if self._commands.wipe is not None:
            self._server = self._server or self._connect()
            return self._wipe(self._server)
        try:
            set_aside = self._sync()
        except EvertillError as error:
            if _is_about_us(error) and self._hears_commands():
                return 0.0
            raise
        self._succeeded(set_aside)
        is_told = self._listening.is_heard and not self._leases.is_busy
        return PULL_IN_ANY_CASE_S if is_told else PULL_EVERY_S

    def _sync(self) -> EvertillError | None:
        """Connect, end a change of the key that is under way, sync; raises and returns as
        ``sync_once``.
        """
        self._puller.resume()
        self._server = self._server or self._connect()
        if self._key_change.go_on(self._server):
            # From here on the till signs with its new key.
            self.disconnect()
            self._server = self._connect()
        set_aside = self.sync_once(self._server)
        while self._puller.is_unfinished and not self._closing.is_set():
            # It gave way to what was sold meanwhile, and goes on where it stopped.
            set_aside = self.sync_once(self._server)
        return set_aside

    def _hears_commands(self) -> bool:
        """A till that is trusted no more may still be told to wipe itself; whether it was."""
        try:
            self._server = self._server or self._connect()
            self._commands.tend(self._server)
        except EvertillError as error:
            log.info("commands-failed", code=error.code)
        return self._commands.wipe is not None

    def _wipe(self, server: ServerConnection) -> float:
        """Send what can be sent, then end this till. Raises where the server is not reached."""
        refused: EvertillError | None = None
        has_all = False
        payments = self._commands.payments_under_way()
        try:
            while not (pushed := self._pusher.push_once(server)).is_done:
                self._contact()
                if self._closing.is_set():
                    return 0.0
            refused = pushed.set_aside
        except ProtocolError as error:
            refused = error
        except EnvironmentFault as error:
            # Of a copy of the disk: the server has all of it, and more.
            has_all = error.code == BEHIND
            if not has_all:
                raise
        self._contact()
        unsent = 0 if has_all else self._pusher.unsent()
        terms = self._commands.wipe
        assert terms is not None
        if (unsent or payments) and not terms.even_unsent:
            # It may have been taken back, or be told to go on in spite of that.
            self._commands.tend(server)
            if payments:
                raise EnvironmentFault(WAITS_FOR_PAYMENTS, payments=payments)
            raise refused or EnvironmentFault(BEING_WIPED, unsent=unsent)
        over = self._commands.finish_wipe(server, unsent=unsent)
        self._is_over = over is not None
        self._on_status(self._status(over or EnvironmentFault(BEING_WIPED, unsent=unsent)))
        return BACKOFF_FIRST_S

    def disconnect(self) -> None:
        """Let go of the connection; the next try makes a new one."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(self.try_once())
            self._wake.clear()

    def _contact(self) -> None:
        self._last_contact = self._clock.now()

    def _succeeded(self, set_aside: EvertillError | None) -> None:
        if not self._online:
            self._online, self._since = True, self._clock.now()
        self._failures = 0
        self._contact()
        self._on_status(self._status(set_aside))

    def _failed(self, error: EvertillError) -> float:
        if self._online:
            self._online, self._since = False, self._clock.now()
        self._failures += 1
        longest = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(self._failures - 1, 10))
        wait_s = longest * (0.5 + self._jitter() / 2)
        log.info("sync-failed", code=error.code, failures=self._failures)
        self._on_status(self._status(error, wait_s))
        return wait_s

    def _status(self, error: EvertillError | None = None, next_try_s: float = 0.0) -> SyncStatus:
        told = self._pusher.server_told()
        return SyncStatus(
            is_online=self._online,
            unsent=self._pusher.unsent(),
            since=self._since,
            last_contact=self._last_contact,
            error_code=error.code if error else "",
            error_fields=dict(error.fields) if error else {},
            next_try_s=next_try_s,
            backup_at=datetime.fromisoformat(told.backup_at) if told.backup_at else None,
            enrol_again=told.enrol_again,
            release_needed=self._commands.asked.release,
        )


def _is_about_us(error: EvertillError) -> bool:
    """Whether the server was reached and will not have this till as it is: it may be told why."""
    return isinstance(error, RefusedError) or error.code == BEHIND

"""What other code sees of devices: ports, their words, and what they promise.

Words and states follow UnifiedPOS 1.14.1. Promises that hold for every device behind a port:

- every call has a deadline and returns or raises ``DeviceError`` by then, whatever the device does;
- a device that fails is reported, and never makes a sale fail;
- callbacks come from the device's own thread; who paints a screen hands them over to its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from shared.errors import EnvironmentFault
from shared.money import Money


class DeviceState(StrEnum):
    """UnifiedPOS ``State``."""

    CLOSED = "closed"
    """Not open: nothing may be asked of it."""
    IDLE = "idle"
    """Open and ready."""
    BUSY = "busy"
    """Working on a call."""
    ERROR = "error"
    """The last call failed; the next one tries again."""


class Power(StrEnum):
    """UnifiedPOS ``PowerState``, as far as the device itself tells."""

    ONLINE = "online"
    """It answers and is ready."""
    OFF = "off"
    """Not there: nobody listens at its address."""
    OFFLINE = "offline"
    """It answers, but cannot work: cover open, paper out, switched off line."""
    UNKNOWN = "unknown"
    """It says nothing; an open port proves nothing."""


class Condition(StrEnum):
    """UnifiedPOS error codes, as the last part of ``error.device-…``."""

    CLOSED = "closed"
    """Used before it was opened."""
    CLAIMED = "claimed"
    """Another program holds it."""
    NOTCLAIMED = "notclaimed"
    """Used without holding it."""
    NOSERVICE = "noservice"
    """Its driver cannot work here (a missing library or permission)."""
    DISABLED = "disabled"
    """Used while switched off in the settings."""
    ILLEGAL = "illegal"
    """The request makes no sense for this device."""
    NOHARDWARE = "nohardware"
    """There is no such device at its address."""
    OFFLINE = "offline"
    """It is there and cannot work now."""
    NOEXIST = "noexist"
    """What the request names does not exist."""
    EXISTS = "exists"
    """What the request would make exists already."""
    FAILURE = "failure"
    """It is there and failed."""
    TIMEOUT = "timeout"
    """It did not answer by the deadline."""
    BUSY = "busy"
    """It is still working on an earlier call."""
    EXTENDED = "extended"
    """A condition of its own, named in the fields."""


class DeviceError(EnvironmentFault):
    """A device did not do what was asked. ``code`` is ``device-<condition>``.

    Fields: ``device`` as the settings name it, ``reason`` for the log (never payment data).
    """

    def __init__(self, condition: Condition, *, device: str, reason: str = "") -> None:
        super().__init__(f"device-{condition}", device=device, reason=reason)
        self.condition = condition


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of a health check: words by ``message_key`` with ``device`` as its field."""

    device: str
    state: DeviceState
    power: Power
    message_key: str

    @property
    def is_ready(self) -> bool:
        """Whether a sale can count on it now; silence counts as ready, since many never speak."""
        return self.state is not DeviceState.ERROR and self.power in (Power.ONLINE, Power.UNKNOWN)


class Device(Protocol):
    """What every device can be asked."""

    @property
    def name(self) -> str:
        """How the settings call it."""
        ...

    def open(self) -> None:
        """Start its thread and begin to connect; never waits for the hardware."""
        ...

    def close(self) -> None:
        """Give up the hardware and end the thread; may be called again."""
        ...

    def check_health(self, *, deadline_s: float) -> Health:
        """Ask the device how it is; never raises."""
        ...


# Scanners and cards


class ScanQuality(StrEnum):
    """Whether a scan can be believed."""

    WHOLE = "whole"
    """All characters arrived."""
    DAMAGED = "damaged"
    """Parts were lost, for example to an input method: the cashier scans again."""


@dataclass(frozen=True, slots=True)
class ScanData:
    """One read code.

    ``symbology`` is the AIM identifier's meaning (``EAN-13``) where the scanner sends one; the
    identifier itself is not part of ``text``. ``source`` names the scanner. The text may be a card
    or a wallet's payment code, so it stays out of logs.
    """

    text: str = field(repr=False)
    symbology: str | None
    source: str
    quality: ScanQuality = ScanQuality.WHOLE


OnScan = Callable[[ScanData], None]


class Scanner(Device, Protocol):
    """Reads codes. Data that come while delivery is off wait, up to a limit, oldest kept."""

    def deliver_to(self, on_scan: OnScan | None) -> None:
        """Where codes go from now on; None lets them wait."""
        ...


@dataclass(frozen=True, slots=True)
class CardData:
    """A member or approval card. Payment cards are dropped inside the driver and never come here.

    ``token`` is what identifies the card; it is personal data, so it stays out of logs.
    """

    token: str = field(repr=False)
    source: str


OnCard = Callable[[CardData], None]


class CardReader(Device, Protocol):
    """Reads cards that are tapped or swiped."""

    def deliver_to(self, on_card: OnCard | None) -> None:
        """Where cards go from now on; None drops them: a card is not kept waiting."""
        ...


# Printer and drawer


class PrintState(StrEnum):
    """How a print job ended, as far as it can be known. The spooler stores it as it is."""

    CONFIRMED = "confirmed"
    """The printer itself said so after the last byte."""
    CONFIRMED_UNVERIFIED = "confirmed-unverified"
    """All bytes were taken by a printer that cannot answer."""
    UNCERTAIN = "uncertain"
    """At least one byte may have left, and nothing proves the paper: the cashier decides, and new
    paper says COPY. Never repeated by itself."""
    FAILED_BEFORE_SEND = "failed-before-send"
    """Not one byte of the job left: it can be tried again by itself."""


@dataclass(frozen=True, slots=True)
class PrintOutcome:
    """The end of a print job.

    ``bytes_sent`` counts what the operating system took; ``condition`` says why it is not
    CONFIRMED, ``message_key`` says it to the cashier; ``retry_after_s`` is how long to wait before
    the next try after FAILED_BEFORE_SEND (0.5 s doubling to 10 s).
    """

    state: PrintState
    bytes_sent: int
    condition: Condition | None = None
    message_key: str = ""
    retry_after_s: float = 0.0


BeforeFirstByte = Callable[[], None]
"""Called on the printer's thread right before the first byte of the job is given to the operating
system. The spooler commits SENDING in it. If it raises, nothing is sent and the error comes out of
``print_job``. It never runs after ``print_job`` has returned: a running hook is waited for, even
beyond the deadline."""


class ReceiptPrinter(Device, Protocol):
    """Prints jobs, one after the other."""

    def print_job(
        self, data: bytes, *, deadline_s: float, before_first_byte: BeforeFirstByte
    ) -> PrintOutcome:
        """Send a job and wait for what the printer says about it, at most ``deadline_s``.

        Returns by the deadline in every case; raises nothing but what ``before_first_byte`` raised.
        A job whose deadline passes before its first byte is withdrawn: it is not printed later.
        """
        ...


class CashDrawer(Protocol):
    """Opens the drawer: an action of its own, once per tender, never part of a receipt."""

    @property
    def name(self) -> str:
        """How the settings call it."""
        ...

    def open_drawer(self, *, deadline_s: float) -> None:
        """Send the pulse; DeviceError if it cannot be sent. Never repeated by itself."""
        ...


class DrawerState(StrEnum):
    """What a drawer's switch says."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    """Nobody said anything; silence is no closed drawer."""


class DrawerSensor(Protocol):
    """Knows whether the drawer is open."""

    @property
    def name(self) -> str:
        """How the settings call it."""
        ...

    def state(self, *, deadline_s: float) -> DrawerState:
        """Ask now; DeviceError where its printer cannot be asked by the deadline."""
        ...


# Payment


class AttemptState(StrEnum):
    """What became of a payment attempt."""

    APPROVED = "approved"
    """The money is ours."""
    DECLINED = "declined"
    """No money moved, and none will under this attempt."""
    UNKNOWN = "unknown"
    """It may have been paid: ask again, then reverse; never simply try another."""
    REVERSED = "reversed"
    """Whatever was paid under this attempt has been or will be given back."""


NOT_REACHED: Final = "not-reached"
"""The reason of a DECLINED attempt whose request never left the till."""
CANCELLED: Final = "cancelled"
"""The reason of a DECLINED attempt that was stopped before the customer had paid."""


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """An attempt to be paid: its own id is written to the journal before the request.

    ``payer_code`` is the code on the customer's phone, empty for a card; it is never stored, shown
    or logged.
    """

    attempt_id: str
    amount: Money
    payer_code: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Money to be given back of an approved attempt, all of it or a part.

    ``refund_id`` is the refund's own id, at most 64 characters: a repeat is the same refund.
    """

    refund_id: str
    attempt_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class PaymentResult:
    """What is known of an attempt. ``reference`` is the provider's own number, ``reason`` a
    provider's word for a refusal (stable code, not a sentence)."""

    attempt_id: str
    state: AttemptState
    reference: str = ""
    reason: str = ""


class PaymentTerminal(Protocol):
    """A wallet gateway or a card terminal. The same attempt id never takes money twice.

    What it says of itself (``reference``, ``reason``) never holds a card's number.
    """

    @property
    def name(self) -> str:
        """How the settings call it."""
        ...

    def pay(self, request: PaymentRequest, *, deadline_s: float) -> PaymentResult:
        """Ask for the money. UNKNOWN by the deadline, whatever the line does; never raises."""
        ...

    def cancel(self, attempt_id: str, *, deadline_s: float) -> None:
        """Ask to stop an attempt that is on its way, as its own red key would; never raises.

        Whoever waits in ``pay`` is told what became of it: DECLINED ``cancelled``, or APPROVED
        where the customer was quicker. One that cannot stop goes on as if nobody had asked."""
        ...

    def query(self, attempt_id: str, *, deadline_s: float) -> PaymentResult:
        """What became of an attempt; UNKNOWN if that cannot be found out now. An attempt the
        provider never saw is DECLINED, and is refused if it arrives later."""
        ...

    def reverse(self, attempt_id: str, *, deadline_s: float) -> PaymentResult:
        """Undo an attempt, paid or not; may be repeated. REVERSED, or UNKNOWN if that is not
        certain yet or not possible any more."""
        ...

    def refund(self, request: RefundRequest, *, deadline_s: float) -> PaymentResult:
        """Give money back to whoever paid; may be repeated, and is done once. The result bears
        ``refund_id``: APPROVED if the money goes back, DECLINED if it never will this way (more
        than was paid, too long ago), UNKNOWN if that is not certain yet."""
        ...


WalletGateway = PaymentTerminal
"""A wallet (WeChat, Alipay) paid by scanning the customer's code."""

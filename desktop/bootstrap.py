"""The only place where the parts of a till are put together."""

import random
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from desktop.opening import OpenStore
from desktop.paper_preview import paper_picture
from desktop.printer_trial import PrinterTrial
from desktop.printers import check_logo, with_logo
from desktop.services.basket import Pricing
from desktop.services.benefits import BenefitDesk
from desktop.services.books import Books
from desktop.services.checkout import Checkout
from desktop.services.draft import Draft
from desktop.services.elsewhere import Elsewhere
from desktop.services.fiscal import PAPER_WAITS_S, Fiscal
from desktop.services.gift_cards import GiftCardDesk
from desktop.services.holding import Holding
from desktop.services.leases import Leases
from desktop.services.members import Members
from desktop.services.operators import Operators
from desktop.services.paper import Papers
from desktop.services.payments import Payments
from desktop.services.printing import Copies, PrinterStatus, Spooler
from desktop.services.profiles import Profiles
from desktop.services.receipt_form import ReceiptFormDesk
from desktop.services.returns import Returns
from desktop.services.scanning import Scanning
from desktop.services.shifts import Shifts
from desktop.services.stored_value import ValueDesk
from desktop.store.arriving import Arriving
from desktop.store.bundles import read_bundle
from desktop.store.head_file import HeadFile
from desktop.store.identity import load_keys
from desktop.store.journal import Journal, current_epoch, last_hybrid_time
from desktop.store.print_jobs import PrintJob
from desktop.store.retention import Retention
from desktop.store.wiping import (
    Wiped,
    destroy_keys,
    wiped_fault,
    write_wiped,
)
from desktop.sync.commands import CommandKeeper
from desktop.sync.http import ServerConnection
from desktop.sync.leases import LeaseKeeper
from desktop.sync.pull import Puller
from desktop.sync.push import Pusher
from desktop.sync.rekeying import KeyChange
from desktop.sync.runner import STREAMS, SyncRunner
from desktop.sync.server_keys import ServerTrust
from desktop.sync.status import SyncStatus
from hardware.escpos.encoder import Encoder
from hardware.fiscal.port import FiscalDevice
from hardware.ports import CashDrawer, Health, PaymentTerminal, ReceiptPrinter, WalletGateway
from hardware.scale.port import Scale
from shared.clock import Clock, HybridClock, SystemClock
from shared.errors import DomainError, EnvironmentFault
from shared.ids import EntryId, RandomBytes
from shared.journal.entry import format_occurred_at
from shared.journal.keys import Signed, SigningKey
from shared.protocol.command import CommandTerms
from shared.protocol.message import LookupReply, LookupRequest, Stream
from shared.receipt.document import Document
from shared.receipt.issue import Shop
from shared.receipt.voice import PaperLanguage
from shared.trade.fact import TenderKind
from shared.trade.writing import Scribe

WIDE = 48
"""Columns of 80 mm paper."""

__all__ = ["Counter", "OpenStore", "Surroundings", "Till"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a till runs on: clock, randomness, devices, and who listens to it."""

    clock: Clock = field(default_factory=SystemClock)
    random_bytes: RandomBytes = secrets.token_bytes
    jitter: Callable[[], float] = random.random
    printer: ReceiptPrinter | None = None
    encoder: Encoder | None = None
    gateway: WalletGateway | None = None
    terminal: PaymentTerminal | None = None
    """A card terminal that is told the amount; None where the cashier types it there."""
    drawer: CashDrawer | None = None
    printer_trial: Callable[[], PrinterTrial] | None = None
    """Begins a guided test of the printer that the settings name."""
    scale: Scale | None = None
    fiscal: FiscalDevice | None = None
    fiscal_paper_waits_s: float = PAPER_WAITS_S
    language: str = "zh_CN"
    on_sync: Callable[[SyncStatus], None] = lambda _status: None
    on_change: Callable[[Stream], None] = lambda _stream: None
    on_printer: Callable[[PrinterStatus], None] = lambda _status: None
    on_device: Callable[[Health], None] = lambda _health: None
    """News of a device that a service uses by itself: the fiscal one."""

    def payment_terminals(self) -> dict[TenderKind, PaymentTerminal]:
        """Who is asked for which payment."""
        found = {TenderKind.WALLET: self.gateway, TenderKind.CARD: self.terminal}
        return {kind: one for kind, one in found.items() if one is not None}


class Till:
    """All services of an enrolled till, wired."""

    def __init__(self, store: OpenStore, surroundings: Surroundings | None = None) -> None:
        self.store = store
        self.surroundings = around = surroundings or Surroundings()
        identity = store.identity()
        if identity is None:
            raise DomainError("not-enrolled", folder=str(store.folder.path))
        self.identity = identity
        self._keys = load_keys(store.folder)
        self._key = store.current_key(self._keys)
        with store.reading.connect() as connection:
            last = last_hybrid_time(connection)
        self._hybrid = HybridClock(around.clock, last)
        scribe = Scribe(around.clock, self._hybrid, identity.zone, around.random_bytes)
        self._head_file = HeadFile(store.folder.head)
        self._journal = Journal(scribe, self._head_file)
        self.books = Books(
            writer=store.writer,
            reading=store.reading,
            journal=self._journal,
            identity=identity,
            paper_language=around.language,
        )
        self._status: SyncStatus | None = None
        self._executor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="payments")
        # Threads of their own: a server that hangs must not hold up a payment or the drawer.
        self._lookups = ThreadPoolExecutor(max_workers=2, thread_name_prefix="look-ups")
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="asking")
        self._make_services(around)
        self._make_devices(around)
        self._make_sync(around)

    def _make_services(self, around: Surroundings) -> None:
        books = self.books
        self.operators = Operators(books)
        self.arriving = Arriving(books.writer)
        self.members = Members(books, self.arriving)
        self.profiles = Profiles(books, self.members)
        self.fiscal = Fiscal(
            books,
            around.fiscal,
            paper_waits_s=around.fiscal_paper_waits_s,
            on_health=around.on_device,
        )
        self.returns = Returns(books, self.fiscal, is_offline=self.is_offline)
        self.elsewhere = Elsewhere(books, self._ask, self._lookups)
        self.leases = Leases(books, is_offline=self.is_offline, wake=self.wake_sync)
        self.receipt_form = ReceiptFormDesk(books)

    def _make_devices(self, around: Surroundings) -> None:
        self.spooler: Spooler | None = None
        if around.printer is not None and around.encoder is not None:
            encode = self.encode

            def render(job: PrintJob) -> bytes:
                self.fiscal.wait_for(job.entry_id)
                return encode(Papers(self.books, self.shop()).document(job))

            self.spooler = Spooler(self.books, around.printer, render, on_status=around.on_printer)
        self.copies = Copies(self.books, wake=self.wake_printer)

    def _make_sync(self, around: Surroundings) -> None:
        self.trust = ServerTrust(
            writer=self.store.writer,
            reading=self.store.reading,
            identity=self.identity,
            fetch=self._server_keys,
        )
        self.key_change = KeyChange(
            writer=self.store.writer,
            reading=self.store.reading,
            folder=self.store.folder,
            journal=self._journal,
            keys=self._keys,
            trust=self.trust,
            on_change=self._take_key,
        )
        self.pusher = Pusher(
            writer=self.store.writer,
            reading=self.store.reading,
            keys=self._keys,
            hybrid=self._hybrid,
        )
        self.puller = Puller(
            writer=self.store.writer,
            reading=self.store.reading,
            trust=self.trust,
            clock=around.clock,
            folder=self.store.folder,
            arriving=self.arriving,
        )
        keeper = LeaseKeeper(
            writer=self.store.writer,
            reading=self.store.reading,
            journal=self._journal,
            identity=self.identity,
            trust=self.trust,
            clock=around.clock,
            basket=self.leases,
        )
        commands = CommandKeeper(
            writer=self.store.writer,
            reading=self.store.reading,
            journal=self._journal,
            identity=self.identity,
            trust=self.trust,
            key_change=self.key_change,
            destroy=self._destroy,
        )
        self.retention = Retention(self.store.writer, around.clock, self.store.folder.database)
        self.sync = SyncRunner(
            connect=self.connect,
            pusher=self.pusher,
            puller=self.puller,
            leases=keeper,
            trust=self.trust,
            key_change=self.key_change,
            commands=commands,
            clock=around.clock,
            tidy=self.retention.run_if_due,
            on_status=self._synced,
            on_change=around.on_change,
            jitter=around.jitter,
        )

    def _destroy(self, terms: CommandTerms) -> EnvironmentFault:
        """This till ends: the keys go now, the files when they are closed."""
        wiped = Wiped(
            command_id=terms.command_id,
            store_name=self.identity.store_name,
            till_name=self.identity.till_name,
            at=format_occurred_at(self.surroundings.clock.now()),
        )
        write_wiped(self.store.folder, wiped)
        destroy_keys(self.store.folder)
        self._keys.clear()
        return wiped_fault(wiped)

    def _take_key(self, key: SigningKey) -> None:
        self._key = key

    def _server_keys(self) -> tuple[Signed, ...]:
        server = self.connect()
        try:
            return server.keys()
        finally:
            server.close()

    def change_key(self) -> dict[str, object]:
        """Ask for a new key and go as far as the network lets; for a till that is not running.

        Raises ProtocolError where the server refuses: the till keeps the key that it has.
        """
        self.key_change.ask()
        self.sync.try_once()
        if self.key_change.refused is not None:
            raise self.key_change.refused
        with self.store.reading.connect() as connection:
            epoch = current_epoch(connection)
        assert epoch is not None
        return {
            "is_done": not self.key_change.is_wanted,
            "key_id": self._key.id,
            "epoch": epoch.head.epoch,
            "reason": self._status.error_code if self._status is not None else "",
        }

    def connect(self) -> ServerConnection:
        """A connection to this till's server."""
        return ServerConnection(self.identity.server_url, self._key)

    def _ask(self, request: LookupRequest) -> LookupReply:
        server = self.connect()
        try:
            return server.lookup(request)
        finally:
            server.close()

    def _synced(self, status: SyncStatus) -> None:
        self._status = status
        self.surroundings.on_sync(status)

    def is_offline(self) -> bool:
        """Whether the last try to reach the server failed (or none was made yet)."""
        return self._status is None or not self._status.is_online

    def pull_all(self, server: ServerConnection) -> None:
        """Bring everything up to date once, in the caller's thread; for the first start."""
        for stream in STREAMS:
            self.puller.pull(server, stream)

    def shop(self) -> Shop:
        """What stands at the head and foot of this till's papers from now on."""
        return self.receipt_form.shop()

    def encode(self, document: Document) -> bytes:
        """A document as the printer's bytes; with the logo as far as it can be read."""
        encoder = self.surroundings.encoder
        assert encoder is not None
        return with_logo(encoder, self.store.folder.path, self.receipt_form.form.logo).encode(
            document
        )

    def check_logo(self, logo: str) -> None:
        """EnvironmentFault ``bad-receipt-logo`` where the till's folder has no such picture."""
        check_logo(self.store.folder.path, logo)

    def paper_columns(self) -> int:
        """How many columns the printer's paper has; those of wide paper where there is none."""
        encoder = self.surroundings.encoder
        return encoder.paper.columns if encoder is not None else WIDE

    def paper_picture(self, document: Document, columns: int, logo: str) -> bytes:
        """A document on paper of so many columns, with a logo of the till's folder, as PNG."""
        return paper_picture(document, columns, self.store.folder.path, logo)

    def coupon_slips(self, entry_id: EntryId) -> list[Document]:
        """The coupons that an entry issued, each on a paper of its own."""
        language = PaperLanguage(self.books.paper_language)
        return Papers(self.books, self.shop()).coupon_slips(entry_id, language)

    def print_page(self, document: Document, title: str) -> None:
        """Print a paper without an entry, called by a message key; it waits in the till's file.

        DomainError ``no-printer`` where there is none.
        """
        if self.spooler is None:
            raise DomainError("no-printer")
        self.copies.print_paper(document, title)

    def printer_trial(self) -> PrinterTrial:
        """A guided test of the printer; DomainError ``no-printer`` where there is none."""
        if self.surroundings.printer_trial is None:
            raise DomainError("no-printer")
        return self.surroundings.printer_trial()

    def pricing(self) -> Pricing:
        """The programme in force; DomainError ``no-programme`` before the first pull."""
        with self.store.reading.connect() as connection:
            found = read_bundle(connection)
        if found is None:
            raise DomainError("no-programme")
        ref, programme = found
        return Pricing(ref, programme, self.identity.store_id, self.identity.till_id)

    def counter(self) -> "Counter":
        """The services of selling, on the programme in force."""
        return Counter(self)

    def wake_printer(self) -> None:
        """There may be something to print."""
        if self.spooler is not None:
            self.spooler.wake()

    def wake_sync(self) -> None:
        """There may be something to send."""
        self.sync.wake()

    def unsent(self) -> int:
        """How many entries the server has not acknowledged."""
        return self.pusher.unsent()

    def executor(self) -> ThreadPoolExecutor:
        """Threads for what waits on others: payments and look-ups."""
        return self._executor

    def background(self) -> ThreadPoolExecutor:
        """A thread for payments that nobody at the till waits for."""
        return self._background

    def start(self) -> None:
        """Start printing and syncing in the background."""
        self.fiscal.start()
        if self.spooler is not None:
            self.spooler.start()
        self.sync.start()

    def close(self) -> None:
        """Stop the background, then the store."""
        self.sync.close()
        self._executor.shutdown()
        self._lookups.shutdown(cancel_futures=True)
        self._background.shutdown(cancel_futures=True)
        self.fiscal.close()
        if self.spooler is not None:
            self.spooler.close()
        self._head_file.close()
        self.store.close()


class Counter:
    """What a cashier works with: one basket and everything that can be done with it."""

    def __init__(self, till: Till) -> None:
        pricing = till.pricing()
        self.till = till
        self.checkout = Checkout(
            till.books,
            pricing,
            leases=till.leases,
            fiscal=till.fiscal,
            returns=till.returns,
            is_offline=till.is_offline,
        )
        self.value = ValueDesk(till.books, till.leases, is_offline=till.is_offline)
        self.cards = GiftCardDesk(till.books, till.leases, is_offline=till.is_offline)
        self.benefits = BenefitDesk(till.books, till.leases, is_offline=till.is_offline)
        self.draft = Draft(till.books, self.checkout, till.members)
        self.shifts = Shifts(till.books, currency=pricing.programme.currency)
        self.holding = Holding(till.books, self.checkout.basket, till.members)
        self.scanning = Scanning(
            till.books,
            self.checkout.basket,
            members=till.members,
            operators=till.operators,
            returns=till.returns,
        )
        self.payments = Payments(
            till.books,
            till.surroundings.payment_terminals(),
            currency=pricing.programme.currency,
            executor=till.executor(),
            background=till.background(),
        )

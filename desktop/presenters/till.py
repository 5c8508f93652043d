"""The whole till: which page, which overlays, and where every intent goes."""

from collections.abc import Callable
from datetime import datetime, time, tzinfo
from typing import Protocol

from desktop.presenters import elsewhere
from desktop.presenters.close_day import CloseDayPage
from desktop.presenters.close_shift import CloseShiftPage
from desktop.presenters.device_names import device_name
from desktop.presenters.intent import (
    Act,
    DeviceTold,
    DrawerFailed,
    Edit,
    Intent,
    Key,
    MembersTold,
    PaymentTold,
    Press,
    PrinterTold,
    PrinterTried,
    ProgrammeChanged,
    ReceiptTold,
    Scan,
    SyncTold,
    Typed,
)
from desktop.presenters.open_shift import OpenShiftPage
from desktop.presenters.sale import SalePage
from desktop.presenters.services import TillServices
from desktop.presenters.session import Session, Values
from desktop.presenters.sign_in import SignInPage
from desktop.presenters.sync_sheet import (
    SyncSheet,
    printer_text,
    printer_tone,
    sync_text,
    sync_tone,
)
from desktop.presenters.text import Join, Moment, Text, Tone, refused, say
from desktop.presenters.view import Hint, Page, Sheet, TillView, TopBar
from desktop.presenters.weight import Weighing
from desktop.services.printing import PrinterStatus
from desktop.sync.status import SyncStatus
from hardware.ports import CashDrawer, Health
from hardware.scale.port import Scale
from shared.clock import Clock
from shared.errors import DomainError, EvertillError
from shared.language import Language

FUNCTION_KEYS = frozenset(key for key in Key if key.value[0] == "F" and key.value[1:].isdecimal())


class SheetPage(Protocol):
    """A page made of one sheet."""

    def sheet(self) -> Sheet: ...

    def press(self, key: Key, values: Values) -> None: ...

    def act(self, name: str, value: str, values: Values) -> None: ...

    def typed(self, text: str) -> None: ...

    def scan(self, text: str) -> None: ...


class TillPresenter:
    """One per window; everything runs on the till loop's thread."""

    def __init__(
        self,
        till: TillServices,
        *,
        clock: Clock,
        post: Callable[[Intent], None],
        language: Language = Language.CHINESE,
        drawer: CashDrawer | None = None,
        scale: Scale | None = None,
        has_printer: bool = False,
    ) -> None:
        self._session = Session(
            till=till, clock=clock, post=post, language=language, drawer=drawer, scale=scale
        )
        self._weighing = Weighing(self._session)
        self._has_printer = has_printer
        self._sync: SyncStatus | None = None
        self._gone: dict[str, Health] = {}
        """Devices that were said to be gone, and not to be back."""
        self._printer: PrinterStatus | None = None
        self._sale = SalePage(self._session)
        self._page = Page.SIGN_IN
        self._sheet: SheetPage = SignInPage(self._session, self._signed_in)

    # Where to

    def _signed_in(self) -> None:
        if self._session.counter.shifts.current() is None:
            self._page = Page.OPEN_SHIFT
            self._sheet = OpenShiftPage(self._session, opened=self._to_sale, left=self._to_sign_in)
        else:
            self._to_sale()

    def _to_sale(self) -> None:
        self._page = Page.SALE
        self._sale.enter()

    def _to_sign_in(self) -> None:
        self._session.operator = None
        self._session.found_receipt = None
        self._session.close_overlays()
        self._page = Page.SIGN_IN
        self._sheet = SignInPage(self._session, self._signed_in)

    def _to_close_shift(self) -> None:
        self._page = Page.CLOSE_SHIFT
        self._sheet = CloseShiftPage(
            self._session,
            back=self._to_sale,
            to_day=self._to_close_day,
            left=self._to_sign_in,
        )

    def _to_close_day(self) -> None:
        self._page = Page.CLOSE_DAY
        self._sheet = CloseDayPage(self._session, left=self._to_sign_in)

    # What comes in

    def handle(self, intent: Intent) -> None:
        """Do it; what cannot be done becomes a message where the cashier is looking."""
        try:
            self._route(intent)
        except EvertillError as error:
            self._session.message = refused(error)
            self._session.told += 1
        finally:
            self._weighing.follow()
            if self._session.counter_in_use is not None:
                self._session.counter_in_use.draft.keep()

    def confess(self, error: Exception) -> None:
        """A bug: said plainly, the basket kept."""
        self._session.tell(say("till.bug", kind=type(error).__name__), Tone.REFUSED)

    def _route(self, intent: Intent) -> None:
        session = self._session
        if isinstance(intent, Press | Scan | Act):
            session.message = None
        match intent:
            case Scan():
                self._scan(intent)
            case Press():
                self._press(intent)
            case Typed(text):
                (session.overlays[-1] if session.overlays else self._target()).typed(text)
            case Act():
                self._act(intent)
            case Edit(name, text):
                if session.overlays:
                    session.overlays[-1].edit(name, text)
            case _:
                self._note(intent)

    def _note(self, news: Intent) -> None:
        """News of the background."""
        match news:
            case SyncTold(status):
                self._sync = status
                self._refresh(status)
            case PrinterTold(printer):
                self._printer = printer
            case PaymentTold():
                self._sale.payment(news)
            case ProgrammeChanged():
                self._sale.programme_changed()
            case ReceiptTold() | MembersTold():
                elsewhere.told(self._session, news)
            case DeviceTold(health):
                self._tell_device(health)
            case PrinterTried(by, error):
                by.tried(error)
            case DrawerFailed(reason):
                self._session.tell(say("till.drawer.failed", reason=reason), Tone.ATTENTION)
            case _:
                pass

    def _tell_device(self, news: Health) -> None:
        """The news, and after it what else is still gone: one bar tells of all."""
        self._gone.pop(news.device, None)
        others = tuple(self._gone.values())
        if not news.is_ready:
            self._gone[news.device] = news
        said = (say(one.message_key, device=device_name(one.device)) for one in (news, *others))
        is_well = news.is_ready and not others
        self._session.tell(Join(tuple(said)), Tone.GOOD if is_well else Tone.ATTENTION)

    def _refresh(self, status: SyncStatus) -> None:
        for overlay in self._session.overlays:
            if isinstance(overlay, SyncSheet):
                overlay.status = status
        if isinstance(self._sheet, SignInPage):
            self._sheet.refresh()

    def _target(self) -> SalePage | SheetPage:
        return self._sale if self._page is Page.SALE else self._sheet

    def _scan(self, scan: Scan) -> None:
        if scan.is_damaged:
            raise DomainError("damaged-code", why="unreadable")
        overlays = self._session.overlays
        if overlays and overlays[-1].scan(scan.text):
            return
        self._target().scan(scan.text)

    def _press(self, press: Press) -> None:
        session, values = self._session, dict(press.values)
        if session.overlays:
            self._press_on_overlay(press, values)
        elif self._page is Page.SALE:
            self._sale.press(press)
        else:
            self._sheet.press(press.key, values)

    def _press_on_overlay(self, press: Press, values: Values) -> None:
        """An overlay never blocks the sale: function keys it has no use for go past it."""
        session = self._session
        own = {button.key for button in session.overlays[-1].sheet().buttons}
        if press.key is Key.ESC:
            session.pop()
        elif press.key in FUNCTION_KEYS and press.key not in own and self._page is Page.SALE:
            session.close_overlays()
            self._sale.press(press)
        else:
            session.overlays[-1].press(press.key, values)

    def _act(self, act: Act) -> None:
        session, values = self._session, dict(act.values)
        if act.name in ("language", "menu") and self._act_on_till(act):
            return
        if act.name == "back" and session.overlays:
            session.pop()
        elif session.overlays and not (self._page is Page.SALE and act.name == "line"):
            session.overlays[-1].act(act.name, act.value, values)
        elif self._page is Page.SALE:
            self._sale.act(act)
        else:
            self._sheet.act(act.name, act.value, values)

    def _act_on_till(self, act: Act) -> bool:
        """What changes pages or the whole screen; True if it was that."""
        session = self._session
        if act.name == "language":
            session.speak(Language(act.value))
            return True
        match act.value:
            case "sync":
                session.pop()
                session.push(SyncSheet(self._zone, self._sync))
            case "close-shift":
                self._check_empty()
                session.close_overlays()
                self._to_close_shift()
            case "sign-out":
                self._check_empty()
                self._to_sign_in()
            case _:
                return False
        return True

    def _check_empty(self) -> None:
        if not self._sale.is_empty:
            raise DomainError("basket-not-empty")

    # What is seen

    @property
    def _zone(self) -> tzinfo:
        return self._session.till.books.identity.zone

    def view(self) -> TillView:
        """Everything the window shows."""
        session = self._session
        overlay = self._overlay()
        body = self._sale.view() if self._page is Page.SALE else self._sheet.sheet()
        on_sale = self._page is Page.SALE
        return TillView(
            page=self._page,
            top=self._top(),
            body=body,
            overlay=overlay,
            message=session.message,
            hints=self._hints(overlay) if on_sale else (),
            language=session.language,
            currency=self._currency(),
            told=session.told,
            stack=tuple(session.numbers[one] for one in session.overlays),
        )

    def _currency(self) -> str:
        counter = self._session.counter_in_use
        return counter.checkout.basket.pricing.programme.currency if counter else "CNY"

    def _hints(self, overlay: Sheet | None) -> tuple[Hint, ...]:
        """The keys of the sale; one that the overlay uses itself stands on its button."""
        taken = {button.key for button in overlay.buttons} if overlay else set()
        return tuple(hint for hint in self._sale.hints() if hint.key not in taken)

    def _overlay(self) -> Sheet | None:
        overlays = self._session.overlays
        return overlays[-1].sheet() if overlays else None

    def _top(self) -> TopBar:
        session = self._session
        identity = session.till.books.identity
        return TopBar(
            store=identity.store_name,
            till=identity.till_name,
            operator=session.operator.name if session.operator else "",
            business_date=self._business_date(),
            sync=sync_text(self._sync, self._zone),
            sync_tone=sync_tone(self._sync),
            printer=printer_text(self._printer, has_printer=self._has_printer),
            printer_tone=printer_tone(self._printer, has_printer=self._has_printer),
        )

    def _business_date(self) -> Text:
        counter = self._session.counter_in_use
        shift = counter.shifts.current() if counter else None
        day = shift.business_date if shift else self._session.till.books.today()
        return Moment(datetime.combine(day, time(), self._zone), is_date=True)

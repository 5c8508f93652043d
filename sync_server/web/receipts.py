"""The public page of a receipt: for whoever holds the paper; no signing in, no scripts."""

import ipaddress
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from jinja2 import Environment
from markupsafe import Markup, escape

from shared.errors import EvertillError, ProtocolError
from shared.language import Language, words
from shared.receipt.document import Barcode, Cut, Document, Feed, Logo, Qr, Style
from shared.receipt.layout import Grid, Line, Piece, lay_out, placed
from shared.receipt.verification import DIGITS
from shared.receipt.voice import PaperLanguage
from sync_server.bootstrap import Services
from sync_server.keys.throttle import Limit
from sync_server.receipts.reader import ReceiptReader, ShownReceipt
from sync_server.web.description import page as told
from sync_server.web.figures import show_money
from sync_server.web.office import FOLDER

WRONG_FOR_RECEIPT: Final = Limit(count=10, window=timedelta(hours=1))
"""Per number, whether there is such a receipt or not."""
WRONG_FROM_ADDRESS: Final = Limit(count=60, window=timedelta(minutes=15))
"""Per address; a shop's guests may share one."""
COLUMNS: Final = 32
NUMBER: Final = re.compile(r"[0-9]{1,24}")
CODE: Final = re.compile(rf"[0-9]{{{DIGITS}}}")
_SPACES: Final = re.compile(r"[\s-]+")
_IPV6_NETWORK: Final = 64
"""What one customer of an access provider has (RFC 6177)."""
_OWN_PAGE: Final = re.compile(r"https://[^/]+/r/[0-9]+/[0-9]+")
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}


def receipt_routes(services: Services, environment: Environment) -> APIRouter:
    """``/r/``: the form, and the receipt of a number and its code."""
    router = APIRouter(prefix="/r", tags=["receipts"], default_response_class=Response)
    pages = ReceiptPages(services, environment)

    @router.get("/style.css", include_in_schema=False)
    def receipt_style() -> Response:
        return FileResponse(FOLDER / "static" / "receipt.css", media_type="text/css")

    @router.get("/", openapi_extra=told(200, 303, 400, 404, is_open=True))
    def ask_for_receipt(
        request: Request, number: str = "", code: str = "", language: str = ""
    ) -> Response:
        number, code = _SPACES.sub("", number), _SPACES.sub("", code)
        speaks = _language(request, language)
        if NUMBER.fullmatch(number) and CODE.fullmatch(code):
            chosen = f"?language={speaks}" if language else ""
            return RedirectResponse(
                f"/r/{number}/{code}{chosen}", status_code=303, headers=dict(HEADERS)
            )
        asked = bool(number or code)
        return pages.asking(speaks, status=404 if asked else 200, error="web.receipt.none" * asked)

    @router.get("/{number}/{code}", openapi_extra=told(200, 400, 404, 429, is_open=True))
    async def show_receipt(
        request: Request, number: str, code: str, language: str = ""
    ) -> Response:
        speaks = _language(request, language)
        address = request.client.host if request.client else ""
        return await run_in_threadpool(pages.answer, number, code, speaks, address)

    return router


class ReceiptPages:
    """Answers; a wrong code, an unknown number and a sale that is not here yet are one answer."""

    def __init__(self, services: Services, environment: Environment) -> None:
        self._throttle = services.throttle
        self._reader = ReceiptReader(services.database, services.vault.lookup)
        self._environment = environment

    def answer(self, number: str, code: str, speaks: PaperLanguage, address: str) -> Response:
        """The receipt, or that there is none, or that somebody tried too often."""
        if not (NUMBER.fullmatch(number) and CODE.fullmatch(code)):
            return self.asking(speaks, status=404, error="web.receipt.none")
        limits = (
            (f"receipt:{number}", WRONG_FOR_RECEIPT),
            (f"receipt-from:{network_of(address)}", WRONG_FROM_ADDRESS),
        )
        try:
            for subject, limit in limits:
                self._throttle.check(subject, limit)
        except ProtocolError as error:
            return self.asking(speaks, status=429, told=error)
        shown = self._reader.find(number, code, speaks)
        if shown is None:
            for subject, limit in limits:
                self._throttle.note(subject, limit)
            return self.asking(speaks, status=404, error="web.receipt.none")
        return self._receipt(shown, number, code, speaks)

    def asking(
        self,
        speaks: PaperLanguage,
        *,
        status: int = 200,
        error: str = "",
        told: EvertillError | None = None,
    ) -> Response:
        """The form, with what went wrong."""
        say = words(_spoken(speaks))
        text = say.error(told) if told is not None else say(error) if error else ""
        return self._page("receipt_form.html", speaks, status, error=text)

    def _receipt(
        self, shown: ShownReceipt, number: str, code: str, speaks: PaperLanguage
    ) -> Response:
        returns = [
            (one.receipt_no, one.at, show_money(one.currency, one.amount)) for one in shown.returns
        ]
        lines = list(page_lines(shown.document))
        return self._page(
            "receipt.html", speaks, 200, lines=lines, returns=returns, number=number, code=code
        )

    def _page(self, name: str, speaks: PaperLanguage, status: int, **context: Any) -> Response:
        language = _spoken(speaks)
        page = self._environment.get_template(name).render(
            t=words(language),
            tag="zh-CN" if language is Language.CHINESE else "en",
            speaks=speaks,
            choices=tuple(PaperLanguage),
            names={**{one.value: one.own_name for one in Language}, PaperLanguage.BOTH.value: ""},
            **context,
        )
        return HTMLResponse(page, status_code=status, headers=dict(HEADERS))


def network_of(address: str) -> str:
    """Whom attempts are counted for: an IPv4 address, or the network of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, _IPV6_NETWORK), strict=False))
    return str(parsed)


def page_lines(document: Document) -> Iterator[tuple[str, Markup]]:
    """The paper's rows, each with its look; in fixed columns, whatever fonts a phone has."""
    grid = Grid(COLUMNS)
    for piece in lay_out(document, grid):
        yield from _rows(piece, grid)


def _rows(piece: Piece, grid: Grid) -> Iterator[tuple[str, Markup]]:
    match piece:
        case Line(text=text, style=Style.LARGE, align=align):
            # Twice as wide: its place in normal columns says nothing.
            yield f"large {align}", _cells(text.rstrip(" "))
        case Line(text=text, style=style):
            yield _look(text, style), _cells(placed(piece, grid).rstrip(" "))
        case Barcode(digits=digits):
            yield "code", _cells(digits)
        case Qr(data=data) if not _OWN_PAGE.fullmatch(data):
            # The one link there is: where the shop lets its customers ask for an e-invoice.
            yield "link", Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(data)
        case Feed(rows=rows):
            yield from (("", Markup("")) for _ in range(rows))
        case Logo() | Cut() | Qr():
            return


def _look(text: str, style: Style) -> str:
    signs = set(text)
    if signs == {"─"}:
        return "thin"
    if signs == {"━"}:
        return "heavy"
    return "" if style is Style.NORMAL else style.value


def _cells(text: str) -> Markup:
    """ASCII as it is; every other character in two columns of its own, as on paper."""
    return Markup("").join(
        escape(character) if character < "\x80" else Markup("<i>{}</i>").format(character)
        for character in text
    )


def _language(request: Request, chosen: str) -> PaperLanguage:
    if chosen in set(PaperLanguage):
        return PaperLanguage(chosen)
    preferred = request.headers.get("accept-language", "zh").split(",")[0].lower()
    return PaperLanguage.CHINESE if preferred.startswith("zh") else PaperLanguage.ENGLISH


def _spoken(speaks: PaperLanguage) -> Language:
    return Language.ENGLISH if speaks is PaperLanguage.ENGLISH else Language.CHINESE

"""The first page ever: where the server is, and the one-time code that makes this a till."""

from collections.abc import Callable
from urllib.parse import urlsplit

from desktop.presenters.intent import Act, Intent, Key, Press, Scan
from desktop.presenters.text import Message, Tone, refused, say
from desktop.presenters.view import (
    Button,
    Choice,
    Choices,
    Field,
    Fields,
    Note,
    Page,
    Sheet,
    TillView,
)
from shared.errors import DomainError, EvertillError
from shared.language import Language

Enrol = Callable[[str, str], None]
"""Enrols with an address and a code, and puts the till's own presenter in place of this one."""


class FirstRunPresenter:
    """Drives the loop until the till is enrolled."""

    def __init__(self, enrol: Enrol, *, language: Language = Language.CHINESE) -> None:
        self._enrol = enrol
        self.language = language
        self._message: Message | None = None
        self._told = 0

    def handle(self, intent: Intent) -> None:
        """Language, or connect; a scan is told that it is too early."""
        if isinstance(intent, Scan):
            self._message = Message(say("till.first-run.too-early"), Tone.ATTENTION)
            self._told += 1
        if not isinstance(intent, Press | Act):
            return
        self._message = None
        try:
            self._do(intent)
        except EvertillError as error:
            self._message = refused(error)
            self._told += 1

    def _do(self, intent: Press | Act) -> None:
        if isinstance(intent, Act) and intent.name == "language":
            self.language = Language(intent.value)
        elif isinstance(intent, Act) or intent.key is Key.ENTER:
            values = dict(intent.values)
            self._enrol(checked_url(values.get("url", "")), values.get("code", "").strip())

    def confess(self, error: Exception) -> None:
        """A bug: said plainly."""
        self._message = Message(say("till.bug", kind=type(error).__name__), Tone.REFUSED)
        self._told += 1

    def view(self) -> TillView:
        """Two fields."""
        languages = tuple(
            Choice(one.value, one.own_name, is_selected=one is self.language) for one in Language
        )
        body = Sheet(
            kind="first-run",
            title=say("till.first-run.title"),
            parts=(
                Choices("language", languages, columns=2),
                Note(say("till.first-run.note")),
                Fields(
                    (
                        Field("url", say("till.first-run.url"), hint="https://"),
                        Field("code", say("till.first-run.code")),
                    )
                ),
            ),
            buttons=(Button("enrol", say("till.first-run.go"), key="Enter", is_primary=True),),
        )
        return _plain_view(Page.FIRST_RUN, body, self._message, self.language, self._told)


class FaultPresenter:
    """What stops the till from starting, and what to do about it."""

    def __init__(
        self, error: EvertillError, *, language: Language, close: Callable[[], None]
    ) -> None:
        self._error = error
        self._language = language
        self._close = close

    def handle(self, intent: Intent) -> None:
        """Close, or read it in the other language."""
        if isinstance(intent, Act) and intent.name == "language":
            self._language = Language(intent.value)
        elif isinstance(intent, Press) and intent.key is Key.ENTER:
            self._close()

    def confess(self, error: Exception) -> None:
        """Nothing more can be said."""

    def view(self) -> TillView:
        """The message alone."""
        languages = tuple(
            Choice(one.value, one.own_name, is_selected=one is self._language) for one in Language
        )
        body = Sheet(
            kind="fault",
            title=say("till.fault.title"),
            parts=(Choices("language", languages, columns=2),),
            buttons=(Button("close", say("till.fault.close"), key="Enter", is_primary=True),),
        )
        return _plain_view(Page.FAULT, body, refused(self._error), self._language, 1)


def _plain_view(
    page: Page, body: Sheet, message: Message | None, language: Language, told: int
) -> TillView:
    return TillView(
        page=page,
        top=None,
        body=body,
        overlay=None,
        message=message,
        hints=(),
        language=language,
        currency="CNY",
        told=told,
    )


def checked_url(text: str) -> str:
    """An address as people type it; DomainError ``bad-server-address``."""
    plain = text.strip().rstrip("/")
    if plain and "//" not in plain:
        plain = f"http://{plain}"
    try:
        parts = urlsplit(plain)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_address = is_address and (parts.port is None or parts.port > 0)
    except ValueError:
        is_address = False
    if not is_address:
        raise DomainError("bad-server-address", url=text.strip()[:60])
    return plain

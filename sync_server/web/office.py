"""What every page of head office needs: who is looking, in which language, and the templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.exc import SQLAlchemyError

from shared.errors import ProtocolError
from shared.language import Language, Words, words
from sync_server.bootstrap import Services
from sync_server.web.figures import show_ago, show_amount, show_time
from sync_server.web.users import User

FOLDER: Final = Path(__file__).parent
SESSION_COOKIE: Final = "evertill_session"
VISIT_COOKIE: Final = "evertill_visit"
LANGUAGE_COOKIE: Final = "evertill_language"
FORM_BYTES_MAX: Final = 8 * 1024
FORM_FIELDS_MAX: Final = 40
"""Twice as many as the largest form, of a profile, has."""
YEAR_S: Final = 365 * 24 * 3600
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class SignInNeeded(Exception):
    """Nobody is signed in; the edge sends the browser to the sign-in page."""

    def __init__(self, wanted: str) -> None:
        super().__init__(wanted)
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at a browser."""

    request: Request
    visit: str
    is_new: bool
    language: Language
    user: User | None

    @property
    def words(self) -> Words:
        """The words in the visitor's language."""
        return words(self.language)


class Office:
    """Greets visitors and renders pages."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals.update(
            show_amount=show_amount, show_time=show_time, languages=list(Language)
        )

    def greet(self, request: Request) -> Visitor:
        """Who is looking; perhaps nobody that is signed in."""
        cookies = request.cookies
        visit = cookies.get(VISIT_COOKIE, "")
        session = cookies.get(SESSION_COOKIE)
        sessions = self.services.sessions
        return Visitor(
            request=request,
            visit=visit or sessions.new_visit(),
            is_new=not visit,
            language=_language(request),
            user=self._signed_in(session) if session else None,
        )

    def _signed_in(self, session: str) -> User | None:
        try:
            return self.services.sessions.read(session)
        except SQLAlchemyError:
            return None  # the page that says so must not need the database

    def admit(self, request: Request) -> Visitor:
        """Somebody who is signed in; SignInNeeded otherwise."""
        visitor = self.greet(request)
        if visitor.user is None:
            raise SignInNeeded(request.url.path if request.method == "GET" else "/office/")
        return visitor

    def render(
        self, visitor: Visitor, template: str, *, status: int = 200, **context: Any
    ) -> Response:
        """A page in the visitor's language."""
        now = self.services.clock.now()
        page = self.environment.get_template(template).render(
            t=visitor.words,
            visitor=visitor,
            here=quote(_path_and_query(visitor.request), safe=""),
            form_token=self.services.sessions.form_token(visitor.visit),
            ago=lambda text: show_ago(visitor.words, text, now),
            **context,
        )
        response = HTMLResponse(page, status_code=status, headers=dict(HEADERS))
        if visitor.is_new:
            self.set_cookie(visitor.request, response, VISIT_COOKIE, visitor.visit)
        return response

    async def form(self, visitor: Visitor) -> Mapping[str, str]:
        """The fields of a form of our own.

        Raises ProtocolError ``body-too-large``, ``bad-message`` and ``foreign-form``.
        """
        body = bytearray()
        async for chunk in visitor.request.stream():
            body += chunk
            if len(body) > FORM_BYTES_MAX:
                raise ProtocolError("body-too-large", limit=FORM_BYTES_MAX)
        try:
            text = body.decode("utf-8", "replace")
            fields = dict(parse_qsl(text, max_num_fields=FORM_FIELDS_MAX))
        except ValueError as error:
            raise ProtocolError("bad-message", reason="too many fields") from error
        if not self.services.sessions.is_own_form(visitor.visit, fields.get("form_token", "")):
            raise ProtocolError("foreign-form")
        return fields

    def set_cookie(
        self, request: Request, response: Response, name: str, value: str, *, age_s: int = YEAR_S
    ) -> None:
        """A cookie that scripts and other sites do not get."""
        response.set_cookie(
            name,
            value,
            max_age=age_s,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )


def to(path: str) -> Response:
    """Send the browser on; only within this site."""
    safe = path if path.startswith("/office/") and "\\" not in path else "/office/"
    return RedirectResponse(safe, status_code=303, headers={"Cache-Control": "no-store"})


def _language(request: Request) -> Language:
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in set(Language):
        return Language(chosen)
    preferred = request.headers.get("accept-language", "zh").split(",")[0].lower()
    return Language.CHINESE if preferred.startswith("zh") else Language.ENGLISH


def _path_and_query(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return (request.url.path if request.method == "GET" else "/office/") + query

"""Sessions and form tokens: stamped by the server, kept by the browser, stored nowhere."""

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple

import msgspec

from shared.clock import Clock
from sync_server.keys.vault import Vault
from sync_server.web.users import User, UserDesk

LIFETIME: Final = timedelta(hours=12)
VISIT_BYTES: Final = 18


class _Session(NamedTuple):
    login: str
    session_epoch: str
    ends_ms: int


@dataclass(frozen=True, slots=True)
class Sessions:
    """Makes and reads the cookies of head office."""

    clock: Clock
    vault: Vault
    users: UserDesk

    def begin(self, user: User) -> str:
        """A cookie that signs a user in for twelve hours."""
        ends_ms = int((self.clock.now() + LIFETIME).timestamp() * 1000)
        told = msgspec.json.encode(_Session(user.login, user.session_epoch, ends_ms))
        return f"{_text(told)}.{_text(self.vault.stamp('session', told))}"

    def read(self, cookie: str) -> User | None:
        """The user a cookie signs in; None once it ended, the password changed, or it is forged."""
        try:
            told, stamp = (_raw(part) for part in cookie.split("."))
        except (ValueError, binascii.Error):
            return None
        if not hmac.compare_digest(stamp, self.vault.stamp("session", told)):
            return None
        session = msgspec.json.decode(told, type=_Session)
        if session.ends_ms < self.clock.now().timestamp() * 1000:
            return None
        found = self.users.find(session.login)
        return found[0] if found and found[0].session_epoch == session.session_epoch else None

    def new_visit(self) -> str:
        """A random name for a browser, to bind form tokens to."""
        return secrets.token_urlsafe(VISIT_BYTES)

    def form_token(self, visit: str) -> str:
        """What forms of this browser must carry; other sites cannot know it."""
        return _text(self.vault.stamp("form", visit.encode()))

    def is_own_form(self, visit: str, token: str) -> bool:
        """Whether a form came from a page given to this browser."""
        expected = self.form_token(visit).encode()
        return bool(visit) and hmac.compare_digest(token.encode(), expected)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

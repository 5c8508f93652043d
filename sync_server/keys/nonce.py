"""Nonces for request signatures: made and checked by any process, remembered by none."""

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock
from shared.errors import ProtocolError
from sync_server.keys.vault import Vault

LIFETIME: Final = timedelta(minutes=10)
_STAMP_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Nonces:
    """A nonce is its own expiry, randomness and the server's stamp on both."""

    clock: Clock
    vault: Vault

    def issue(self) -> str:
        """A nonce to sign requests with during the next ten minutes."""
        expires_ms = _milliseconds(self.clock.now() + LIFETIME)
        told = expires_ms.to_bytes(8, "big") + secrets.token_bytes(8)
        return base64.urlsafe_b64encode(told + self._stamp(told)).decode().rstrip("=")

    def check(self, nonce: str) -> None:
        """Raise ProtocolError ``bad-nonce`` for one not of this server, ``old-nonce`` if late."""
        try:
            raw = base64.urlsafe_b64decode(nonce + "=" * (-len(nonce) % 4))
        except ValueError as error:
            raise ProtocolError("bad-nonce") from error
        told, stamp = raw[:16], raw[16:]
        if len(told) != 16 or not hmac.compare_digest(stamp, self._stamp(told)):
            raise ProtocolError("bad-nonce")
        if _milliseconds(self.clock.now()) > int.from_bytes(told[:8], "big"):
            raise ProtocolError("old-nonce")

    def _stamp(self, told: bytes) -> bytes:
        return self.vault.stamp("nonce", told)[:_STAMP_BYTES]


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)

"""One-time codes: four characters that find it, twelve that prove it.

Only the first part can be guessed at, so a code counts its own wrong attempts and dies of them.
"""

import secrets
from typing import Final, NamedTuple

from shared.errors import ProtocolError
from sync_server.keys.vault import Vault

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U, so that it can be read out over a telephone."""
SELECTOR_LENGTH: Final = 4
SECRET_LENGTH: Final = 12
"""60 random bits."""
_LOOK_ALIKE = str.maketrans("ILO", "110")


class Code(NamedTuple):
    """A code in its two parts."""

    selector: str
    secret: str

    def __str__(self) -> str:
        text = self.selector + self.secret
        return "-".join(text[at : at + 4] for at in range(0, len(text), 4))

    def hashed(self, vault: Vault) -> str:
        """What is stored of it."""
        return vault.stamp("enrolment-code", (self.selector + self.secret).encode()).hex()


def new_code() -> Code:
    """A random code."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(SELECTOR_LENGTH + SECRET_LENGTH))
    return Code(text[:SELECTOR_LENGTH], text[SELECTOR_LENGTH:])


def parse_code(text: str) -> Code:
    """Read a code as people type it; ProtocolError ``code-refused`` for anything else."""
    plain = text.upper().replace("-", "").replace(" ", "").translate(_LOOK_ALIKE)
    if len(plain) != SELECTOR_LENGTH + SECRET_LENGTH or not set(plain) <= set(ALPHABET):
        raise ProtocolError("code-refused")
    return Code(plain[:SELECTOR_LENGTH], plain[SELECTOR_LENGTH:])

"""Ed25519 keys, their ids, and statements signed for one purpose and one audience."""

import base64
import hashlib
import secrets
from typing import NewType

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.errors import ProtocolError
from shared.journal.strict import encode_strict

KeyId = NewType("KeyId", str)
"""32 hex digits: the first half of SHA-256("evertill/key/1" || raw public key)."""

KEY_PREFIX = b"evertill/key/1"
KEY_BYTES = 32
"""Of a private Ed25519 key (RFC 8032, 5.1.5): random bytes, nothing else."""


class PublicKey:
    """A key that checks signatures."""

    def __init__(self, raw: bytes) -> None:
        try:
            self._key = Ed25519PublicKey.from_public_bytes(raw)
        except ValueError as error:
            raise ProtocolError("bad-key") from error
        self.raw = raw
        self.id = KeyId(hashlib.sha256(KEY_PREFIX + raw).hexdigest()[:32])

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise ProtocolError ``bad-signature`` unless the key's owner signed the message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature as error:
            raise ProtocolError("bad-signature", key_id=self.id) from error

    def __str__(self) -> str:
        return base64.b64encode(self.raw).decode()


def parse_public_key(text: str) -> PublicKey:
    """Read a key as certificates write it (base64 of 32 raw bytes)."""
    try:
        return PublicKey(base64.b64decode(text, validate=True))
    except ValueError as error:
        raise ProtocolError("bad-key") from error


class SigningKey:
    """A private key with its public half."""

    def __init__(self, raw: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(raw)
        public = self._key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        self.raw = raw
        self.public = PublicKey(public)

    @property
    def id(self) -> KeyId:
        """The id of the public half."""
        return self.public.id

    def sign(self, message: bytes) -> bytes:
        """A 64-byte signature."""
        return self._key.sign(message)


def new_signing_key() -> SigningKey:
    """A fresh key from the operating system's random source."""
    return SigningKey(secrets.token_bytes(KEY_BYTES))


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A payload that a key vouches for, for one purpose and one audience.

    The signature covers ``"evertill/<purpose>/1" || strict JSON [audience, key_id] || payload``.
    """

    purpose: str
    """``certificate``, ``server-key``, ``bundle``, ``command``, ``lease``, ``snapshot``."""
    audience: str
    """Whom it is meant for: a journal id, or ``all``."""
    key_id: KeyId
    payload: bytes
    signature: bytes

    def verify(self, key: PublicKey, *, purpose: str, audience: str) -> bytes:
        """The payload, if ``key`` signed it for this purpose and audience; else ProtocolError."""
        if (self.purpose, self.audience, self.key_id) != (purpose, audience, key.id):
            raise ProtocolError("wrong-statement", purpose=self.purpose, key_id=self.key_id)
        key.verify(_statement(purpose, audience, key.id, self.payload), self.signature)
        return self.payload


def sign_statement(key: SigningKey, *, purpose: str, audience: str, payload: bytes) -> Signed:
    """Vouch for a payload."""
    message = _statement(purpose, audience, key.id, payload)
    return Signed(purpose, audience, key.id, payload, key.sign(message))


def _statement(purpose: str, audience: str, key_id: KeyId, payload: bytes) -> bytes:
    return f"evertill/{purpose}/1".encode() + encode_strict([audience, key_id]) + payload

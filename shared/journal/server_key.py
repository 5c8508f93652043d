"""The server's keys: those that sign, vouched for by the offline root that tills pin at enrolment.

Keys change. A new signing key is one more statement of the root; a new root is a statement of the
old one. Whoever pinned a root reads all statements in the order in which they were made, takes
those that the root of the moment signed, and is where everybody else is, however long it was away.
"""

from collections.abc import Iterable

import msgspec

from shared.errors import ProtocolError
from shared.journal.keys import (
    KeyId,
    PublicKey,
    Signed,
    SigningKey,
    parse_public_key,
    sign_statement,
)
from shared.journal.strict import encode_strict

PURPOSE = "server-key"
ROOT_PURPOSE = "root-key"
REVOKED_PURPOSE = "server-key-revoked"
AUDIENCE = "all"
STATEMENTS_MAX = 1_000
"""More than a server makes in its life; a list that is longer is none."""


class ServerKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The payload: a key, and since when the root vouches for it."""

    public_key: str
    issued_at: str


class RevokedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The payload that takes a signing key back: nothing it signs is believed any more."""

    key_id: KeyId
    revoked_at: str


def certify_server_key(root: SigningKey, key: PublicKey, *, issued_at: str) -> Signed:
    """The root's statement for a signing key."""
    payload = encode_strict(ServerKey(str(key), issued_at))
    return sign_statement(root, purpose=PURPOSE, audience=AUDIENCE, payload=payload)


def certified_server_key(root: PublicKey, signed: Signed) -> PublicKey:
    """The server's key, if the pinned root vouches for it; else ProtocolError."""
    payload = signed.verify(root, purpose=PURPOSE, audience=AUDIENCE)
    try:
        return parse_public_key(msgspec.json.decode(payload, type=ServerKey).public_key)
    except msgspec.MsgspecError as error:
        raise ProtocolError("bad-key") from error


def certified_id(signed: Signed) -> KeyId:
    """Whose key a statement of purpose ``server-key`` is about, whoever made it."""
    return parse_public_key(msgspec.json.decode(signed.payload, type=ServerKey).public_key).id


def change_root(old: SigningKey, new: PublicKey, *, issued_at: str) -> Signed:
    """The old root's word for its successor."""
    payload = encode_strict(ServerKey(str(new), issued_at))
    return sign_statement(old, purpose=ROOT_PURPOSE, audience=AUDIENCE, payload=payload)


def revoke_server_key(root: SigningKey, key_id: KeyId, *, revoked_at: str) -> Signed:
    """The root takes a signing key back."""
    payload = encode_strict(RevokedKey(key_id, revoked_at))
    return sign_statement(root, purpose=REVOKED_PURPOSE, audience=AUDIENCE, payload=payload)


class TrustedKeys:
    """What follows from a pinned root and the statements about keys since then."""

    def __init__(self, root: PublicKey, statements: Iterable[Signed] = ()) -> None:
        self.root = root
        """The one that speaks now."""
        self.statements: list[Signed] = []
        """Those that were taken, in order: with the pinned root they give the same again."""
        self._keys: dict[KeyId, PublicKey] = {}
        self._revoked: set[KeyId] = set()
        for signed in statements:
            self.learn(signed)

    def learn(self, signed: Signed) -> bool:
        """Take one more statement; False where the root of the moment did not sign it, or where it
        says nothing new."""
        if signed in self.statements or signed.key_id != self.root.id:
            return False
        try:
            is_new = self._take(signed)
        except (ProtocolError, msgspec.MsgspecError):
            return False
        if is_new:
            self.statements.append(signed)
        return is_new

    def _take(self, signed: Signed) -> bool:
        match signed.purpose:
            case "server-key":
                key = certified_server_key(self.root, signed)
                is_new = key.id not in self._keys
                self._keys[key.id] = key
                return is_new
            case "root-key":
                payload = signed.verify(self.root, purpose=ROOT_PURPOSE, audience=AUDIENCE)
                told = msgspec.json.decode(payload, type=ServerKey)
                self.root = parse_public_key(told.public_key)
                return True
            case "server-key-revoked":
                payload = signed.verify(self.root, purpose=REVOKED_PURPOSE, audience=AUDIENCE)
                revoked = msgspec.json.decode(payload, type=RevokedKey).key_id
                is_new = revoked not in self._revoked
                self._revoked.add(revoked)
                return is_new
        return False

    def key_for(self, signed: Signed) -> PublicKey:
        """The key that should have signed a statement.

        Raises ProtocolError ``unknown-server-key`` for one that nobody vouched for (or not yet),
        ``revoked-server-key`` for one that was taken back.
        """
        if signed.key_id in self._revoked:
            raise ProtocolError("revoked-server-key", key_id=signed.key_id)
        key = self._keys.get(signed.key_id)
        if key is None:
            raise ProtocolError("unknown-server-key", key_id=signed.key_id)
        return key

    def author_of(self, signed: Signed) -> PublicKey:
        """The key that signed a statement, though it may have been taken back since: for what was
        accepted long ago. ProtocolError ``unknown-server-key``."""
        key = self._keys.get(signed.key_id)
        if key is None:
            raise ProtocolError("unknown-server-key", key_id=signed.key_id)
        return key

    @property
    def known_ids(self) -> frozenset[KeyId]:
        """Of all signing keys that a root vouched for, those taken back too."""
        return frozenset(self._keys)

    @property
    def signing_keys(self) -> list[PublicKey]:
        """All signing keys that are believed, the oldest first."""
        return [key for key_id, key in self._keys.items() if key_id not in self._revoked]

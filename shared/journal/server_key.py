"""The server's signing key, vouched for by the offline root that tills pin at enrolment."""

import msgspec

from shared.errors import ProtocolError
from shared.journal.keys import PublicKey, Signed, SigningKey, parse_public_key, sign_statement
from shared.journal.strict import encode_strict

PURPOSE = "server-key"
AUDIENCE = "all"


class ServerKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The payload: a key, and since when the root vouches for it."""

    public_key: str
    issued_at: str


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

"""HTTP message signatures (RFC 9421) with Ed25519 and a nonce given by the server.

One profile only: the covered components are method, path and content digest (RFC 9530), the
parameters ``keyid`` and ``nonce``. No clock is needed: the nonce is the server's own.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple

from shared.errors import ProtocolError
from shared.journal.keys import KeyId, PublicKey, SigningKey

COMPONENTS = '("@method" "@path" "content-digest")'
LABEL = "evertill"
_INPUT = re.compile(rf'{LABEL}={re.escape(COMPONENTS)};keyid="([0-9a-f]{{32}})";nonce="([\w.-]+)"')
_SIGNATURE = re.compile(rf"{LABEL}=:([A-Za-z0-9+/=]+):")


class SignatureClaim(NamedTuple):
    """What a request says about its signature, not yet verified."""

    key_id: KeyId
    nonce: str
    signature: bytes


def sign_request(
    key: SigningKey, *, method: str, path: str, body: bytes, nonce: str
) -> dict[str, str]:
    """The headers that sign a request."""
    digest = content_digest(body)
    parameters = f'{COMPONENTS};keyid="{key.id}";nonce="{nonce}"'
    signature = key.sign(_base(method, path, digest, parameters))
    return {
        "Content-Digest": digest,
        "Signature-Input": f"{LABEL}={parameters}",
        "Signature": f"{LABEL}=:{base64.b64encode(signature).decode()}:",
    }


def read_claim(headers: Mapping[str, str]) -> SignatureClaim:
    """Key and nonce a request names; ProtocolError ``unsigned-request`` where it names none."""
    claimed = _INPUT.fullmatch(headers.get("Signature-Input", ""))
    signature = _SIGNATURE.fullmatch(headers.get("Signature", ""))
    if claimed is None or signature is None:
        raise ProtocolError("unsigned-request")
    try:
        raw = base64.b64decode(signature[1], validate=True)
    except ValueError as error:
        raise ProtocolError("unsigned-request") from error
    return SignatureClaim(KeyId(claimed[1]), claimed[2], raw)


def verify_request(
    claim: SignatureClaim, key: PublicKey, *, method: str, path: str, body: bytes
) -> None:
    """Raise ProtocolError ``bad-signature`` unless ``key`` signed exactly this request."""
    parameters = f'{COMPONENTS};keyid="{claim.key_id}";nonce="{claim.nonce}"'
    key.verify(_base(method, path, content_digest(body), parameters), claim.signature)


def content_digest(body: bytes) -> str:
    """The Content-Digest header of a body (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _base(method: str, path: str, digest: str, parameters: str) -> bytes:
    lines = (
        f'"@method": {method}',
        f'"@path": {path}',
        f'"content-digest": {digest}',
        f'"@signature-params": {parameters}',
    )
    return "\n".join(lines).encode()

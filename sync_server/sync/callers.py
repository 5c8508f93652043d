"""Who is asking: the till behind a signed request."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from shared.errors import ProtocolError
from shared.journal.certificate import Certificate
from shared.protocol.request_signature import read_claim, verify_request
from sync_server.database.transaction import Database
from sync_server.enrolment.rekeying import is_newest
from sync_server.enrolment.revoking import is_revoked
from sync_server.journal.chains import find_certificate
from sync_server.keys.nonce import Nonces


class Former(Enum):
    """Which keys are heard that are in force no more."""

    REFUSED = "refused"
    REPLACED_TOO = "replaced-too"
    """The till may not have had the answer about its new key."""
    REVOKED_TOO = "revoked-too"
    """What a till that is trusted no more is told to do, it may hear."""


@dataclass(frozen=True, slots=True)
class Callers:
    """Checks request signatures."""

    database: Database
    nonces: Nonces

    def identify(
        self,
        headers: Mapping[str, str],
        *,
        method: str,
        path: str,
        body: bytes,
        former: Former = Former.REFUSED,
    ) -> Certificate:
        """The certificate of the till that signed this request with a nonce of ours.

        Raises ProtocolError ``unsigned-request``, ``bad-nonce``, ``old-nonce``, ``unknown-key``,
        ``revoked-key``, ``replaced-key``, ``bad-signature``.
        """
        claim = read_claim(headers)
        self.nonces.check(claim.nonce)
        with self.database.reading() as snapshot:
            certificate = find_certificate(snapshot, claim.key_id)
            revoked = is_revoked(snapshot, claim.key_id)
            replaced = certificate is not None and not is_newest(snapshot, certificate)
        if certificate is None:
            raise ProtocolError("unknown-key", key_id=claim.key_id)
        if revoked and former is not Former.REVOKED_TOO:
            raise ProtocolError("revoked-key", key_id=claim.key_id)
        if replaced and former is Former.REFUSED:
            raise ProtocolError("replaced-key", key_id=claim.key_id)
        verify_request(claim, certificate.key, method=method, path=path, body=body)
        return certificate

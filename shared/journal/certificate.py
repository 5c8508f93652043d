"""The enrolment certificate: who writes an epoch of a journal, with which key and algorithms.

Its bytes are the genesis of the epoch's chain. Algorithms are named here and change only with a new
epoch.
"""

import msgspec

from shared.errors import ProtocolError
from shared.ids import JournalId, StoreId, TillId
from shared.journal.keys import KeyId, PublicKey, SigningKey, parse_public_key
from shared.journal.strict import check_strict, encode_strict

HASH_ALGORITHM = "sha-256"
SIGNATURE_ALGORITHM = "ed25519"


class ForkPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a branch left the epoch it was copied from."""

    epoch: int
    seq: int
    """The first entry that differs."""


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The right of one key to write one epoch of one journal."""

    format: int = 1
    journal: JournalId
    epoch: int
    shard: int
    till_id: TillId | None
    """None for the server's own journal."""
    store_id: StoreId | None
    till_number: int
    """Short number for receipts, unique in the chain of stores; 0 for the server."""
    hash_algorithm: str
    signature_algorithm: str
    public_key: str
    key_id: KeyId
    issued_at: str
    forked_from: ForkPoint | None

    @property
    def key(self) -> PublicKey:
        """The key that signs the epoch's heads."""
        return parse_public_key(self.public_key)


def encode_certificate(certificate: Certificate) -> bytes:
    """The bytes that are signed and hashed into the genesis."""
    return encode_strict(certificate)


def decode_certificate(encoded: bytes) -> Certificate:
    """Read a certificate; ProtocolError ``bad-certificate`` where it contradicts itself."""
    check_strict(encoded)
    try:
        certificate = msgspec.json.decode(encoded, type=Certificate)
    except msgspec.MsgspecError as error:
        raise ProtocolError("bad-certificate", reason=str(error)) from error
    algorithms = (certificate.hash_algorithm, certificate.signature_algorithm)
    if algorithms != (HASH_ALGORITHM, SIGNATURE_ALGORITHM) or certificate.format != 1:
        raise ProtocolError("bad-certificate", reason=f"algorithms {algorithms}")
    if certificate.key.id != certificate.key_id:
        raise ProtocolError("bad-certificate", reason="key id")
    return certificate


def head_message(*, journal: str, epoch: int, seq: int, head_hash: bytes, key_id: str) -> bytes:
    """What a head signature covers: every entry of the epoch up to and including ``seq``."""
    return b"evertill/head/1" + encode_strict([journal, epoch, seq, head_hash.hex(), key_id])


def sign_head(
    key: SigningKey, *, journal: JournalId, epoch: int, seq: int, head_hash: bytes
) -> bytes:
    """Sign a head; both sides store the signature, so authorship can be proved years later."""
    return key.sign(
        head_message(journal=journal, epoch=epoch, seq=seq, head_hash=head_hash, key_id=key.id)
    )


def verify_head(certificate: Certificate, *, seq: int, head_hash: bytes, signature: bytes) -> None:
    """Raise ProtocolError ``bad-signature`` unless the epoch's own key signed this head."""
    message = head_message(
        journal=certificate.journal,
        epoch=certificate.epoch,
        seq=seq,
        head_hash=head_hash,
        key_id=certificate.key_id,
    )
    certificate.key.verify(message, signature)


def rekey_message(*, journal: str, epoch: int, old_key_id: str, public_key: str) -> bytes:
    """What the old key and the new one both sign, so that the journal goes on under the new one."""
    return b"evertill/rekey/1" + encode_strict([journal, epoch, old_key_id, public_key])

"""Personal data beside an entry, never in it.

The entry holds SHA-256(salt || content). Erasing the attachment with its salt leaves a hash of
256 unknown random bits: the chain stays whole and tells nothing.
"""

import hashlib
import hmac
import secrets

import msgspec

from shared.errors import ProtocolError
from shared.ids import AttachmentId, RandomBytes, random_id
from shared.journal.entry import AttachmentRef, decode_entry

SALT_BYTES = 32
CONTENT_BYTES_MAX = 16 * 1024


class Attachment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Content that can be erased, with the salt that makes its hash unguessable."""

    id: AttachmentId
    salt: bytes
    content: bytes

    def ref(self, role: str) -> AttachmentRef:
        """What the entry keeps of it."""
        return AttachmentRef(role, self.id, self._digest())

    def matches(self, ref: AttachmentRef) -> bool:
        """Whether this is what the entry's writer attached."""
        return ref.id == self.id and hmac.compare_digest(ref.sha256, self._digest())

    def _digest(self) -> str:
        return hashlib.sha256(self.salt + self.content).hexdigest()


def named_attachments(encoded: bytes | None) -> tuple[AttachmentRef, ...]:
    """What an entry vouches for; nothing where there is none or it cannot be read."""
    try:
        return decode_entry(encoded).envelope.attachments if encoded is not None else ()
    except ProtocolError:
        return ()


def attach(content: bytes, *, random_bytes: RandomBytes = secrets.token_bytes) -> Attachment:
    """Make an attachment with a fresh id and salt."""
    assert len(content) <= CONTENT_BYTES_MAX
    return Attachment(AttachmentId(random_id(random_bytes)), random_bytes(SALT_BYTES), content)

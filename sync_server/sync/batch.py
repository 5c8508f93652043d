"""Proving a push before any lock is taken: certificate, chain and signature.

Everything here is a function of the request and the server's public keys.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shared.errors import ProtocolError
from shared.journal.certificate import Certificate, decode_certificate, verify_head
from shared.journal.chain import ChainHead, verify_next
from shared.journal.entry import ENTRY_BYTES_MAX, HASH_BYTES, chain_hash
from shared.journal.keys import PublicKey, Signed
from shared.protocol.message import PUSH_BYTES_MAX, PUSH_ENTRIES_MAX, PushRequest
from sync_server.ledger.kept import Link, Reading, check_storable, link_of, read_till_link

_HYBRID = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Batch:
    """A push whose bytes are proved to be the till's own."""

    request: PushRequest
    certificate: Certificate
    links: tuple[Link, ...]
    outcomes: tuple[Reading | ProtocolError, ...]

    @property
    def next_seq(self) -> int:
        """The number after the last entry sent."""
        return self.request.first_seq + len(self.links)


def prove(request: PushRequest, author_of: Callable[[Signed], PublicKey]) -> Batch:
    """Check a push as far as it proves itself; ``author_of`` knows the server's own keys.

    Raises ProtocolError: ``too-many-entries``, ``push-too-large``, ``bad-certificate``,
    ``wrong-statement``, ``bad-signature``, ``wrong-place``, ``entry-too-large``, ``bad-message``.
    """
    _check_size(request)
    certificate = read_certificate(request, author_of)
    head = ChainHead(request.journal, request.epoch, request.first_seq, request.prev_hash)
    links = walk(head, request.entries)
    head_hash = links[-1].hash if links else request.prev_hash
    if head_hash != request.head_hash:
        raise ProtocolError("broken-chain", epoch=request.epoch, seq=request.first_seq)
    last_seq = request.first_seq + len(links) - 1
    verify_head(certificate, seq=last_seq, head_hash=head_hash, signature=request.head_signature)
    return Batch(request, certificate, links, tuple(read_till_link(link) for link in links))


def read_certificate(request: PushRequest, author_of: Callable[[Signed], PublicKey]) -> Certificate:
    """The push's certificate, if this server issued it for this journal and epoch."""
    encoded = request.certificate.verify(
        author_of(request.certificate), purpose="certificate", audience=request.journal
    )
    certificate = decode_certificate(encoded)
    if (certificate.journal, certificate.epoch) != (request.journal, request.epoch):
        raise ProtocolError("bad-certificate", reason="journal or epoch")
    return certificate


def _check_size(request: PushRequest) -> None:
    if len(request.entries) > PUSH_ENTRIES_MAX:
        raise ProtocolError("too-many-entries", limit=PUSH_ENTRIES_MAX)
    if sum(map(len, request.entries)) > PUSH_BYTES_MAX:
        raise ProtocolError("push-too-large", limit=PUSH_BYTES_MAX)
    if len(request.prev_hash) != HASH_BYTES or not 0 <= request.first_seq < 2**53:
        raise ProtocolError("bad-message", reason="prev_hash or first_seq")
    if not _HYBRID.fullmatch(request.hlc):
        raise ProtocolError("bad-message", reason="hlc")


def walk(head: ChainHead, entries: Iterable[bytes]) -> tuple[Link, ...]:
    """The links that entries make from ``head`` on; ProtocolError ``wrong-place`` or
    ``entry-too-large`` for one that cannot be kept."""
    links: list[Link] = []
    for encoded in entries:
        try:
            next_head, chained = verify_next(head, encoded)
            check_storable(encoded)
            links.append(link_of(chained))
        except ProtocolError as error:
            # The till signed these bytes. Out of place they prove nothing; in place and merely
            # unreadable they are kept, or one entry would block the till for ever.
            if error.code == "wrong-place" or len(encoded) > ENTRY_BYTES_MAX:
                raise
            next_head = ChainHead(
                head.journal, head.epoch, head.next_seq + 1, chain_hash(head.hash, encoded)
            )
            links.append(_unreadable(head, encoded, next_head.hash, error))
        head = next_head
    return tuple(links)


def _unreadable(head: ChainHead, encoded: bytes, entry_hash: bytes, error: ProtocolError) -> Link:
    return Link(
        seq=head.next_seq,
        encoded=encoded,
        prev_hash=head.hash,
        hash=entry_hash,
        envelope=None,
        failure=error,
    )

"""Making a till out of a folder, a server's address and a one-time code."""

from typing import Final

from desktop.store.database import TillFolder
from desktop.store.identity import (
    TillIdentity,
    forget_pending_key,
    pending_key,
    store_key,
    write_identity,
)
from desktop.store.journal import Epoch, Journal, begin_epoch, close_epoch, current_epoch
from desktop.store.writer import Transaction, Writer
from desktop.sync.http import RefusedError, ServerConnection
from shared.errors import DomainError, ProtocolError
from shared.journal.certificate import Certificate, decode_certificate
from shared.journal.keys import SigningKey, parse_public_key
from shared.journal.server_key import certified_server_key
from shared.protocol.message import PROTOCOL, EnrolReply, EnrolRequest
from shared.trade.till import EpochClosedWithLoss
from shared.trade.writing import Writing

TOO_MANY_REQUESTS: Final = 429


def enrol_till(
    writer: Writer, folder: TillFolder, *, url: str, code: str, closing: Journal | None = None
) -> TillIdentity:
    """Enrol: a fresh key, a certificate for it, and the journal's first epoch.

    The key is on disk before the server hears of it, so neither a crash nor a lost answer leaves a
    certificate whose key is lost: asked again with the same code and key, the server answers the
    same. Once it has refused, the next try has another key; asked to wait, it keeps the one it has.
    With ``closing``, the journal that is here goes on in a new epoch: the old one is closed in the
    same transaction. Raises DomainError ``already-enrolled``, and what the server refuses with:
    ``code-of-another-till`` for a code that stays good for that till.
    """

    before = writer.run(lambda transaction: current_epoch(transaction.connection))
    if before is not None and closing is None:
        raise DomainError("already-enrolled", folder=str(folder.path))
    key = pending_key(folder)
    connection = ServerConnection(url)
    try:
        connection.hello()
        reply = connection.enrol(
            EnrolRequest(
                protocol=PROTOCOL,
                code=code.strip(),
                public_key=str(key.public),
                journal=before.head.journal if before is not None else None,
            )
        )
    except RefusedError as refused:
        # Told to wait, an earlier request of this key may be the one that was answered.
        if refused.status != TOO_MANY_REQUESTS:
            forget_pending_key(folder)
        raise
    finally:
        connection.close()
    certificate = _checked(reply, key)
    if before is not None and certificate.journal != before.head.journal:
        raise ProtocolError("bad-certificate", reason="for another journal")
    store_key(folder, key, epoch=certificate.epoch if before is not None else None)
    identity = _identity(reply, certificate, url)

    def keep(transaction: Transaction) -> None:
        if before is not None and closing is not None and before.server_seq is None:
            close_epoch(transaction, closing)
        begin_epoch(
            transaction.connection,
            journal=certificate.journal,
            epoch=certificate.epoch,
            signed=reply.certificate,
        )
        write_identity(transaction.connection, identity)
        if before is not None and closing is not None and before.server_seq is not None:
            closing.append(transaction, Writing(_given_up(before)))

    writer.run(keep)
    forget_pending_key(folder)
    return identity


def _given_up(epoch: Epoch) -> EpochClosedWithLoss:
    """What stands first in the epoch after one that lost entries."""
    return EpochClosedWithLoss(
        lost_epoch=epoch.head.epoch,
        last_seq=epoch.head.last_seq,
        hash=epoch.head.hash.hex(),
        approvals=(),
    )


def _checked(reply: EnrolReply, key: SigningKey) -> Certificate:
    signer = certified_server_key(parse_public_key(reply.root_key), reply.server_key)
    audience = reply.certificate.audience
    payload = reply.certificate.verify(signer, purpose="certificate", audience=audience)
    certificate = decode_certificate(payload)
    if certificate.key_id != key.id or certificate.journal != audience:
        raise ProtocolError("bad-certificate", reason="for another key")
    return certificate


def _identity(reply: EnrolReply, certificate: Certificate, url: str) -> TillIdentity:
    assert certificate.till_id is not None
    assert certificate.store_id is not None
    return TillIdentity(
        journal=certificate.journal,
        till_id=certificate.till_id,
        till_number=certificate.till_number,
        till_name=reply.till_name,
        store_id=certificate.store_id,
        store_name=reply.store_name,
        store_zone=reply.store_zone,
        lookup_key=reply.lookup_key,
        root_key=reply.root_key,
        server_key=reply.server_key,
        server_url=url,
    )

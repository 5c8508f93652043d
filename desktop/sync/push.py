"""Pushing: whatever lies above the server's high-water mark, as the bytes it was written in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import structlog
from sqlalchemy import Engine, update
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.journal import (
    Batch,
    Epoch,
    all_epochs,
    is_head,
    read_batch,
    unsent_entries,
)
from desktop.store.schema import epochs, exceptions, head_signatures
from desktop.store.settings import read_value, write_value
from desktop.store.writer import Transaction, Urgency, Writer
from desktop.sync.http import RefusedError, ServerConnection
from shared.clock import HybridClock, HybridTime
from shared.errors import EnvironmentFault, EvertillError, ProtocolError
from shared.journal.certificate import decode_certificate, sign_head, verify_head
from shared.journal.keys import KeyId, SigningKey
from shared.protocol.message import (
    PROTOCOL,
    PUSH_BYTES_MAX,
    PUSH_ENTRIES_MAX,
    PushReply,
    PushRequest,
)

SERVER_TOLD: Final = "server-told"
_OF_EPOCHS: Final = frozenset({"till-key-missing", "server-error"})

log = structlog.get_logger("sync")


class ServerTold(msgspec.Struct, frozen=True, kw_only=True):
    """What the newest reply said besides where the copy stands."""

    backup_at: str | None = None
    """When the server's newest copy on another device was made; RFC 3339."""
    enrol_again: bool = False
    """The journal was found forked."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What one push did."""

    entries: int
    is_done: bool
    """Nothing is waiting any more, save what was set aside."""
    went_back: bool = False
    """The server has less than it had: it was restored, or the journal has left its copy."""
    set_aside: EvertillError | None = None
    """Why something of an older epoch cannot be sent; newer ones do not wait for it."""


class Pusher:
    """Sends the journal of one till."""

    def __init__(
        self,
        *,
        writer: Writer,
        reading: Engine,
        keys: Mapping[KeyId, SigningKey],
        hybrid: HybridClock,
    ) -> None:
        self._writer = writer
        self._reading = reading
        self._keys = keys
        self._hybrid = hybrid
        self._entries_max = PUSH_ENTRIES_MAX
        self._went_back_to: dict[int, int] = {}
        """By epoch, since all was sent or something failed; each time further than before."""
        self._set_aside: dict[int, EvertillError] = {}
        """Older epochs that cannot be sent, until all else was sent or something failed."""
        self.batches = 0
        """Pushes the server has taken since the start."""

    def unsent(self) -> int:
        """Entries the server has not acknowledged."""
        with self._reading.connect() as connection:
            return unsent_entries(connection)

    def server_told(self) -> ServerTold:
        """What the server said last, also before the first contact of this start."""
        with self._reading.connect() as connection:
            return read_value(connection, SERVER_TOLD, ServerTold) or ServerTold()

    def push_once(self, server: ServerConnection) -> Pushed:
        """Send one batch; a time-out or 413 halves the next one, success grows it again.

        What older epochs have not sent goes first, under their own keys; where one is refused, or
        its key is gone, the newer ones go on without it.

        Raises what the connection raises, and ProtocolError ``server-ahead``,
        ``server-stands-still``; nothing is lost by any of it: the server's high-water mark answers
        the repeat.
        """
        with self._reading.connect() as connection:
            epochs_here = all_epochs(connection)
        current = epochs_here[-1]
        epoch = next((one for one in epochs_here if self._is_to_send(one)), current)
        try:
            pushed = self._push(server, epoch, is_current=epoch is current)
        except EvertillError as error:
            if epoch is current or not _is_about_epoch(error):
                self._begin_round()
                raise
            log.warning("epoch-set-aside", epoch=epoch.head.epoch, code=error.code)
            self._set_aside[epoch.head.epoch] = error
            return Pushed(0, is_done=False)
        if pushed.is_done:
            pushed = replace(pushed, set_aside=next(iter(self._set_aside.values()), None))
            self._begin_round()
        return pushed

    def _is_to_send(self, epoch: Epoch) -> bool:
        return epoch.unsent > 0 and epoch.head.epoch not in self._set_aside

    def _begin_round(self) -> None:
        self._went_back_to.clear()
        self._set_aside.clear()

    def _push(self, server: ServerConnection, epoch: Epoch, *, is_current: bool) -> Pushed:
        with self._reading.connect() as connection:
            batch = read_batch(
                connection,
                epoch=epoch,
                first_seq=epoch.acknowledged_seq,
                entries_max=self._entries_max,
                bytes_max=PUSH_BYTES_MAX,
            )
        key = self._key_of(epoch)
        request = _request(epoch, batch, key, self._hybrid)
        try:
            reply = server.push(request)
        except RefusedError as refused:
            return self._refused(epoch, request, refused)
        except EnvironmentFault:
            self._entries_max = max(1, self._entries_max // 2)
            raise
        self._entries_max = min(PUSH_ENTRIES_MAX, self._entries_max + self._entries_max // 4 + 1)
        try:
            self._hybrid.witness(HybridTime(reply.hlc))
        except ValueError as error:
            raise ProtocolError("not-our-server") from error
        is_all = batch.next_seq == epoch.head.next_seq
        if reply.next_seq < batch.next_seq:
            raise ProtocolError("server-stands-still", sent=batch.next_seq, taken=reply.next_seq)
        # Before all of this journal was sent, more at the server may be of another branch.
        if is_all and is_current and reply.next_seq > epoch.head.next_seq:
            self._refuse_to_go_on(epoch, reply)
        next_seq = self._acknowledge(epoch, batch, request, reply, key.id)
        self.batches += bool(batch.entries)
        is_done = is_current and next_seq >= epoch.head.next_seq
        return Pushed(len(batch.entries), is_done)

    def _key_of(self, epoch: Epoch) -> SigningKey:
        key_id = decode_certificate(epoch.certificate.payload).key_id
        if key_id not in self._keys:
            raise EnvironmentFault("till-key-missing", file=f"{epoch.head.epoch}: {key_id}")
        return self._keys[key_id]

    def _refuse_to_go_on(self, epoch: Epoch, reply: PushReply) -> None:
        """The server has more than is here. Where this till's own signature proves it, the disk
        lost entries, whatever else vanished with them: nothing more is written to this epoch."""
        head = (reply.next_seq - 1, reply.head_hash, reply.head_signature)
        ahead = ProtocolError("server-ahead", ours=epoch.head.next_seq, theirs=reply.next_seq)
        if head[2] is None:
            raise ahead
        certificate = decode_certificate(epoch.certificate.payload)
        try:
            verify_head(certificate, seq=head[0], head_hash=head[1], signature=head[2])
        except ProtocolError as error:
            raise ahead from error
        self._writer.run(
            lambda transaction: _note_loss(transaction, epoch, reply.next_seq), Urgency.BACKGROUND
        )
        raise EnvironmentFault("journal-behind-server", known=head[0], found=epoch.head.last_seq)

    def _refused(self, epoch: Epoch, request: PushRequest, refused: RefusedError) -> Pushed:
        if refused.status == 413 and len(request.entries) > 1:
            self._entries_max = max(1, len(request.entries) // 2)
            return Pushed(0, is_done=False)
        next_seq = refused.reply.next_seq
        if refused.status != 409 or next_seq is None:
            raise refused
        before = min(request.first_seq, self._went_back_to.get(epoch.head.epoch, request.first_seq))
        if next_seq >= before or request.oldest_seq is not None:
            # No further back than before, or to where nothing is any more: asking again at once
            # would never end.
            raise refused
        self._went_back_to[epoch.head.epoch] = next_seq
        # The server stands elsewhere than we thought; go on from where it is.
        self._writer.run(
            lambda transaction: _move_mark(transaction, epoch, next_seq, durable_seq=0),
            Urgency.BACKGROUND,
        )
        return Pushed(0, is_done=False, went_back=True)

    def _acknowledge(
        self, epoch: Epoch, batch: Batch, request: PushRequest, reply: PushReply, key_id: KeyId
    ) -> int:
        """Note where the copy stands; the next entry to send."""

        def work(transaction: Transaction) -> int:
            connection = transaction.connection
            # What the server has beyond this push is this journal's own, or of another branch.
            is_own = is_head(connection, epoch, reply.next_seq, reply.head_hash)
            next_seq = reply.next_seq if is_own else batch.next_seq
            _move_mark(transaction, epoch, next_seq, durable_seq=reply.durable_seq)
            if batch.entries:
                connection.execute(
                    upsert(head_signatures)
                    .values(
                        journal=epoch.head.journal,
                        epoch=epoch.head.epoch,
                        seq=batch.head_seq,
                        hash=batch.head_hash,
                        key_id=key_id,
                        signature=request.head_signature,
                    )
                    .on_conflict_do_nothing()
                )
            write_value(connection, SERVER_TOLD, _told(reply))
            for notice in reply.exceptions:
                connection.execute(
                    upsert(exceptions)
                    .values(id=notice.id, rule=notice.rule, facts=" ".join(notice.facts))
                    .on_conflict_do_nothing()
                )
            return next_seq

        return self._writer.run(work, Urgency.BACKGROUND)


def _is_about_epoch(error: EvertillError) -> bool:
    """Whether another epoch may fare better; of what is wrong with the server it will tell, too."""
    return isinstance(error, ProtocolError) or error.code in _OF_EPOCHS


def _request(epoch: Epoch, batch: Batch, key: SigningKey, hybrid: HybridClock) -> PushRequest:
    return PushRequest(
        protocol=PROTOCOL,
        journal=epoch.head.journal,
        epoch=epoch.head.epoch,
        first_seq=batch.first_seq,
        prev_hash=batch.previous_hash,
        entries=batch.entries,
        attachments=batch.attachments,
        head_hash=batch.head_hash,
        head_signature=sign_head(
            key,
            journal=epoch.head.journal,
            epoch=epoch.head.epoch,
            seq=batch.head_seq,
            head_hash=batch.head_hash,
        ),
        hlc=hybrid.tick(),
        certificate=epoch.certificate,
        # Told only where it matters: the server asks for what was deleted here.
        oldest_seq=batch.first_seq if batch.first_seq > epoch.acknowledged_seq else None,
    )


def _note_loss(transaction: Transaction, epoch: Epoch, server_seq: int) -> None:
    transaction.connection.execute(
        update(epochs)
        .where(epochs.c.journal == epoch.head.journal, epochs.c.epoch == epoch.head.epoch)
        .values(server_seq=server_seq)
    )


def _told(reply: PushReply) -> ServerTold:
    return ServerTold(backup_at=reply.backup_at, enrol_again=reply.enrol_again)


def _move_mark(transaction: Transaction, epoch: Epoch, next_seq: int, *, durable_seq: int) -> None:
    transaction.connection.execute(
        update(epochs)
        .where(epochs.c.journal == epoch.head.journal, epochs.c.epoch == epoch.head.epoch)
        .values(acknowledged_seq=next_seq, durable_seq=durable_seq)
    )

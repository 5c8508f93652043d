"""Sending what was salvaged: stretch by stretch, under the keys of their epochs.

Between two stretches the server notes a hole; it books everything that is there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from desktop.store.salvage import Kept, Salvaged, SalvagedEpoch
from desktop.sync.http import ServerConnection
from shared.clock import HybridClock, SystemClock
from shared.errors import EnvironmentFault
from shared.journal.certificate import decode_certificate, sign_head
from shared.journal.keys import KeyId, SigningKey
from shared.protocol.message import PROTOCOL, PUSH_BYTES_MAX, PUSH_ENTRIES_MAX, PushRequest


@dataclass(frozen=True, slots=True)
class Sent:
    """How far the server's copy of an epoch reaches by now."""

    epoch: int
    next_seq: int


def send_salvaged(
    server: ServerConnection, salvaged: Salvaged, keys: Mapping[KeyId, SigningKey]
) -> list[Sent]:
    """Push everything; what the server has already is no matter.

    Raises EnvironmentFault ``till-key-missing`` and ``certificate-lost`` for an epoch that cannot
    be proved to the server, and what the connection raises: sent again, nothing doubles.
    """
    server.hello()
    hybrid = HybridClock(SystemClock())
    return [
        Sent(epoch.epoch, max(_send(server, salvaged, epoch, keys, hybrid), default=0))
        for epoch in salvaged.epochs
        if epoch.entries
    ]


def _send(
    server: ServerConnection,
    salvaged: Salvaged,
    epoch: SalvagedEpoch,
    keys: Mapping[KeyId, SigningKey],
    hybrid: HybridClock,
) -> Iterator[int]:
    if epoch.known is None:
        raise EnvironmentFault("certificate-lost", epoch=epoch.epoch)
    key_id = decode_certificate(epoch.known.certificate.payload).key_id
    if key_id not in keys:
        raise EnvironmentFault("till-key-missing", file=f"{epoch.epoch}: {key_id}")
    for stretch in epoch.stretches():
        for batch in _batches(stretch):
            first, last = batch[0].entry.envelope.seq, batch[-1].entry.envelope.seq
            request = PushRequest(
                protocol=PROTOCOL,
                journal=epoch.journal,
                epoch=epoch.epoch,
                first_seq=first,
                prev_hash=batch[0].previous_hash,
                entries=tuple(kept.entry.encoded for kept in batch),
                attachments=tuple(
                    salvaged.attachments[ref.id]
                    for kept in batch
                    for ref in kept.entry.envelope.attachments
                    if ref.id in salvaged.attachments
                ),
                head_hash=batch[-1].hash,
                head_signature=sign_head(
                    keys[key_id],
                    journal=epoch.journal,
                    epoch=epoch.epoch,
                    seq=last,
                    head_hash=batch[-1].hash,
                ),
                hlc=hybrid.tick(),
                certificate=epoch.known.certificate,
                oldest_seq=first if batch[0] is stretch[0] and first else None,
            )
            yield server.push(request).next_seq


def _batches(stretch: list[Kept]) -> Iterator[list[Kept]]:
    batch: list[Kept] = []
    size = 0
    for kept in stretch:
        more = len(kept.entry.encoded)
        if batch and (len(batch) == PUSH_ENTRIES_MAX or size + more > PUSH_BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(kept)
        size += more
    yield batch

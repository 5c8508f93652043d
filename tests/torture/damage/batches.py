"""A push that comes harmed is refused or books what was sent, and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import select

from shared.clock import ManualClock
from shared.protocol.message import CONTENT_TYPE
from sync_server.bootstrap import initialise
from sync_server.database import schema
from sync_server.journal.audit import audit
from tests.support.servers import Server, serve_here
from tests.support.till_writer import START, TillWriter
from tests.torture.damage.harm import harmed


@dataclass
class Pushing:
    """A server, and the till that pushes to it."""

    server: Server
    till: TillWriter
    taken: int = 0

    def play(self, seed: object) -> str:
        """Push something harmed, then what was meant."""
        member = self.till.enrol_member()
        sale = self.till.sell(700, member=member, earned=7)
        self.till.take_back(sale, 700)
        body = msgspec.msgpack.encode(self.till.push_request(self.taken))
        changed = harmed(body, f"batch {seed}")
        headers = {"Content-Type": CONTENT_TYPE}
        answer = self.server.line.client.post("/v1/sync/push", content=changed, headers=headers)
        assert answer.status_code < 500, answer.content
        kept = self._kept()
        sent = [entry.entry.encoded for entry in self.till.entries]
        assert kept == sent[: len(kept)], "something that was never written"
        assert len(kept) in {self.taken, len(sent)}, "a part of a push"
        assert answer.status_code == 200 or len(kept) == self.taken
        reply = self.server.line.push(self.till, self.taken)
        self.taken = len(self.till.entries)
        assert reply.next_seq == self.taken
        assert self._kept() == sent
        return f"status {answer.status_code}"

    def _kept(self) -> list[bytes]:
        with self.server.services.database.reading() as snapshot:
            statement = (
                select(schema.entries.c.bytes)
                .where(schema.entries.c.journal == self.till.journal)
                .order_by(schema.entries.c.seq)
            )
            return list(snapshot.connection.execute(statement).scalars())

    def check_books(self) -> None:
        """All of it, once."""
        with self.server.services.database.reading() as snapshot:
            assert audit(snapshot).flaws == []
            assert snapshot.connection.execute(select(schema.quarantine)).first() is None


@contextmanager
def pushing(folder: Path) -> Iterator[Pushing]:
    """A fresh server with a till."""
    initialise(folder, clock=ManualClock(START))
    with serve_here(folder, clock=ManualClock(START)) as server:
        made = Pushing(server, server.enrol_till())
        yield made
        made.check_books()

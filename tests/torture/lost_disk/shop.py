"""The server's disk is gone: it goes on from a copy, and tills send what the copy lacks."""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from sqlalchemy import select

from desktop.reckoning.file import reading
from desktop.store.retention import KEPT_FOR
from desktop.store.verification import verify_till
from shared.trade.fact import CashCount
from sync_server.backup.filling import fill_from
from sync_server.backup.restoring import Source, restore
from sync_server.bootstrap import open_copier
from sync_server.database import schema
from sync_server.journal.audit import audit
from tests.support.enrolled_till import BISCUITS, WATER
from tests.support.little_chain import LittleChain, TillHere

PASSPHRASE = "four words of a song"
BISCUIT, BOTTLE = BISCUITS.barcodes[0], WATER.barcodes[0]
FreshDatabase = Callable[[], str]


class Kind(StrEnum):
    """Which copy the server goes on from, and where."""

    OFF_MACHINE = "off-machine"
    ON_MACHINE = "on-machine"
    """A copy that makes nothing durable: tills must not have deleted anything for it."""
    OLDER = "older"
    """Not the newest one; the newest fills the hole afterwards."""
    TWICE = "twice"
    """The disk of the restored server is lost as well."""
    TO_POSTGRESQL = "to-postgresql"
    FROM_POSTGRESQL = "from-postgresql"


@dataclass
class Losing:
    """A small chain whose server loses its disk."""

    chain: LittleChain
    chance: random.Random
    fresh_database: FreshDatabase
    promised: dict[str, dict[int, bytes]] = field(default_factory=dict)
    """By journal: entries that a till was told are safe on another device."""
    copies: int = 0

    def play(self, kind: Kind) -> int:
        """Lose the disk and heal; how many entries had been promised."""
        self._work(kind)
        older = self._copy(kind)
        self._work(kind)
        newest = self._copy(kind)
        self._work(kind)
        if kind is Kind.OLDER:
            self._restore(older)
            self._heal()
            services = self.chain.server.services
            fill_from(services.database, services.ingest, newest, PASSPHRASE)
        elif kind is Kind.TWICE:
            self._restore(newest)
            self._work(kind)
            again = self._copy(kind)
            self._work(kind)
            self._restore(again)
        elif kind is Kind.FROM_POSTGRESQL:
            self._restore(newest, url=self.fresh_database())
            self._work(kind)
            again = self._copy(kind)
            self._work(kind)
            self._restore(again)
        else:
            is_moving = kind is Kind.TO_POSTGRESQL
            self._restore(newest, url=self.fresh_database() if is_moving else None)
        self._heal()
        self._check()
        promised = sum(len(entries) for entries in self.promised.values())
        assert (promised == 0) == (kind is Kind.ON_MACHINE)
        return promised

    def _work(self, kind: Kind) -> None:
        for _ in range(self.chance.randint(6, 12)):
            till = self.chance.choice(self.chain.tills)
            match self.chance.randrange(6):
                case 0:
                    number = self.chance.randrange(10**8)
                    member = till.enrol(f"顾客{number}", phone=f"139{number:08}")
                    till.sell(BISCUIT, BISCUIT, member=member)
                case 1:
                    self._sync(till)
                case 2:
                    self._end_day(till)
                case _:
                    till.sell(BISCUIT, BOTTLE)
        for till in self.chain.tills:
            self._sync(till)
            if kind is not Kind.ON_MACHINE:
                till.till.retention.run()
        # Some of it is not sent yet.
        self.chance.choice(self.chain.tills).sell(BOTTLE)

    def _end_day(self, till: TillHere) -> None:
        shifts = till.counter.shifts
        expected = shifts.figures().expected_cash
        shifts.close(till.operator_id, [CashCount(denomination=1, pieces=expected)])
        shifts.close_day(till.operator_id)
        self.chain.clock.advance(seconds=(KEPT_FOR + timedelta(days=1)).total_seconds() / 3)
        till.shift = shifts.open(till.operator_id, [])

    def _sync(self, till: TillHere) -> None:
        before = self._entries_of(till)
        assert till.sync()
        with reading(till.folder.database) as connection:
            rows = connection.execute("SELECT journal, durable_seq FROM epochs").fetchall()
        for journal, durable_seq in rows:
            safe = {seq: digest for seq, digest in before.items() if seq < durable_seq}
            self.promised.setdefault(journal, {}).update(safe)

    @staticmethod
    def _entries_of(till: TillHere) -> dict[int, bytes]:
        with reading(till.folder.database) as connection:
            return dict(connection.execute("SELECT seq, hash FROM entries").fetchall())

    def _copy(self, kind: Kind) -> Path:
        self.copies += 1
        folder = self.chain.folder / f"usb-{self.copies}"
        is_safe = kind is not Kind.ON_MACHINE
        with open_copier(self.chain.server.folder, clock=self.chain.clock) as copier:
            made = replace(copier, log2_n=4).make(folder, PASSPHRASE, off_machine=is_safe)
        for till in self.chain.tills:
            self._sync(till)
        return made.file

    def _restore(self, copy: Path, url: str | None = None) -> None:
        server = self.chain.server
        server.stop()
        shutil.rmtree(server.folder)
        source = Source(backup=copy, passphrase=PASSPHRASE)
        restore(server.folder, source, clock=self.chain.clock, url=url)
        server.start()

    def _heal(self) -> None:
        for till in self.chain.tills:
            till.sell(BISCUIT)
        self.chain.drain()

    def _check(self) -> None:
        with self.chain.server.services.database.reading() as snapshot:
            report = audit(snapshot)
            rows = snapshot.connection.execute(
                select(schema.entries.c.journal, schema.entries.c.seq, schema.entries.c.hash)
            ).all()
        assert (report.flaws, report.holes) == ([], [])
        kept = {(row.journal, row.seq): row.hash for row in rows}
        for journal, entries in self.promised.items():
            for seq, digest in entries.items():
                assert kept.get((journal, seq)) == digest, ("promised and lost", journal, seq)
        for till in self.chain.tills:
            assert verify_till(till.folder).flaws == []
            journal = till.till.identity.journal
            for seq, digest in self._entries_of(till).items():
                assert kept.get((journal, seq)) == digest, ("not healed", journal, seq)

"""One database file as a judge reads it: entries, postings, balances."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import sqlcipher3.dbapi2

Key = tuple[str, str, str, str]
"""Account, owner, lot, unit."""


@dataclass(frozen=True, slots=True)
class KeptEntry:
    """An entry as found: its bytes, what they say, and the hash beside them."""

    encoded: bytes
    hash: bytes

    @property
    def told(self) -> dict[str, Any]:
        """The entry as plain JSON."""
        value: dict[str, Any] = json.loads(self.encoded)
        return value


@dataclass(slots=True)
class KeptFile:
    """What one file holds."""

    name: str
    chains: dict[tuple[str, int], list[KeptEntry]] = field(default_factory=dict)
    """By journal and epoch, in order of seq."""
    certificates: dict[tuple[str, int], bytes] = field(default_factory=dict)
    acknowledged: dict[tuple[str, int], int] = field(default_factory=dict)
    """How many entries of a chain the server has acknowledged, as this till was told."""
    postings: Counter[Key] = field(default_factory=Counter)
    own_since_pull: Counter[Key] = field(default_factory=Counter)
    """Postings that the last pulled balance of their owner does not contain yet."""
    pulled: dict[Key, int] = field(default_factory=dict)
    balances: dict[Key, int] = field(default_factory=dict)
    printed: dict[tuple[str, int], str] = field(default_factory=dict)
    """State of each print job, by entry and copy."""

    def entries(self) -> Iterator[KeptEntry]:
        """All entries."""
        for chain in self.chains.values():
            yield from chain

    def broken_chains(self) -> list[str]:
        """Chains whose bytes do not give their hashes; empty when all are whole."""
        return [
            f"{journal}/{epoch}"
            for (journal, epoch), chain in self.chains.items()
            if not self._is_whole(journal, epoch, chain)
        ]

    def _is_whole(self, journal: str, epoch: int, chain: list[KeptEntry]) -> bool:
        certificate = self.certificates[journal, epoch]
        previous = hashlib.sha256(b"evertill/epoch/1" + certificate).digest()
        for seq, entry in enumerate(chain):
            previous = hashlib.sha256(b"evertill/entry/1" + previous + entry.encoded).digest()
            place = (entry.told["journal"], entry.told["epoch"], entry.told["seq"])
            if previous != entry.hash or place != (journal, epoch, seq):
                return False
        return True

    def imbalance(self) -> int:
        """How far the postings are from summing to zero, over all units."""
        units: Counter[str] = Counter()
        for (_account, _owner, _lot, unit), amount in self.postings.items():
            units[unit] += amount
        return sum(abs(amount) for amount in units.values())


@contextmanager
def reading(path: Path, key: str = "") -> Iterator[Any]:
    """A connection that cannot write; ``key`` is that of an encrypted file, as ``x'…'``."""
    connection = sqlcipher3.dbapi2.connect(f"file:{path}?mode=ro", uri=True)
    try:
        if key:
            connection.execute(f'PRAGMA key = "{key}"')
        yield connection
    finally:
        connection.close()


def read_till(path: Path, key: str = "") -> KeptFile:
    """Read a till's file; ``key`` as in ``reading``."""
    kept = KeptFile(path.parent.name)
    with reading(path, key) as connection:
        _read_epochs(connection, kept)
        for journal, epoch, encoded, entry_hash in connection.execute(
            "SELECT journal, epoch, bytes, hash FROM entries ORDER BY journal, epoch, seq"
        ):
            kept.chains.setdefault((journal, epoch), []).append(KeptEntry(encoded, entry_hash))
        _read_till_books(connection, kept)
        for entry_id, copy, state in connection.execute(
            "SELECT entry_id, copy, state FROM print_jobs"
        ):
            kept.printed[entry_id, copy] = state
    return kept


def _read_epochs(connection: Any, kept: KeptFile) -> None:
    for journal, epoch, signed, acknowledged in connection.execute(
        "SELECT journal, epoch, certificate, acknowledged_seq FROM epochs"
    ):
        kept.certificates[journal, epoch] = msgspec.msgpack.decode(signed)["payload"]
        kept.acknowledged[journal, epoch] = acknowledged


OF_MEMBERS = frozenset(
    {
        "points",
        "growth",
        "spend",
        "stored-value",
        "stored-bonus",
        "stamps",
        "referral",
        "friends",
        "action",
        "draw-entry",
    }
)
"""Accounts whose owner is a member."""


def _read_till_books(connection: Any, kept: KeptFile) -> None:
    since = {
        member: (epoch, seq)
        for member, epoch, seq in connection.execute(
            "SELECT member_id, applied_epoch, applied_through FROM members"
        )
    }
    for epoch, seq, account, owner, lot, unit, amount in connection.execute(
        "SELECT epoch, seq, account, owner, lot, unit, amount FROM postings"
    ):
        key = (account, owner, lot, unit)
        kept.postings[key] += amount
        is_forgotten = account in OF_MEMBERS and owner not in since
        if not is_forgotten and (epoch, seq) >= since.get(owner, (0, 0)):
            kept.own_since_pull[key] += amount
    for table, into in (("balances", kept.balances), ("pulled_balances", kept.pulled)):
        for account, owner, lot, unit, amount in connection.execute(
            f"SELECT account, owner, lot, unit, amount FROM {table}"  # noqa: S608 - our own names
        ):
            # Of somebody who was erased or has left the till's region it shows nothing.
            if account not in OF_MEMBERS or owner in since:
                into[account, owner, lot, unit] = amount


def read_server(path: Path) -> KeptFile:
    """Read a server's SQLite file."""
    kept = KeptFile("server")
    with reading(path) as connection:
        for journal, epoch, certificate in connection.execute(
            "SELECT journal, epoch, certificate FROM epochs"
        ):
            kept.certificates[journal, epoch] = certificate
        for journal, epoch, encoded, entry_hash in connection.execute(
            "SELECT journal, epoch, bytes, hash FROM entries ORDER BY journal, epoch, seq"
        ):
            kept.chains.setdefault((journal, epoch), []).append(KeptEntry(encoded, entry_hash))
        for account, owner, lot, unit, amount in connection.execute(
            "SELECT account, owner, lot, unit, amount FROM postings"
        ):
            kept.postings[account, owner, lot, unit] += amount
        for account, owner, lot, unit, amount in connection.execute(
            "SELECT account, owner, lot, unit, amount FROM balances"
        ):
            kept.balances[account, owner, lot, unit] = amount
    return kept

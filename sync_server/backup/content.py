"""What is read back of a copy, and whether it is whole: counts, chains, heads, by the bytes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.errors import EnvironmentFault
from shared.journal.entry import chain_hash
from sync_server.backup.archive import End, Header, Record, Rows, Secrets

EpochKey = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a copy was found to hold."""

    header: Header
    secrets: dict[str, bytes]
    counts: dict[str, int]
    next_seqs: dict[EpochKey, int]
    """How far each epoch of each journal is in it."""


@dataclass(slots=True)
class Inspection:
    """Checks a copy's records as they pass by."""

    file: Path
    header: Header
    secrets: dict[str, bytes] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)
    _reached: dict[EpochKey, tuple[int, bytes]] = field(default_factory=dict)
    _heads: dict[EpochKey, tuple[int, bytes]] = field(default_factory=dict)
    _starts: dict[EpochKey, int] = field(default_factory=dict)
    _end: End | None = None

    def watch(self, records: Iterable[Record]) -> Iterator[Record]:
        """Pass records on; EnvironmentFault ``backup-unreadable`` at the first that is wrong."""
        for record in records:
            match record:
                case Secrets():
                    self.secrets = record.files
                case Rows():
                    self._look(record)
                case End():
                    self._end = record
            yield record

    def finish(self) -> Contents:
        """What the copy holds, once all records have passed."""
        if self._end is None or self._end.counts != dict(self._counts):
            raise self._fault("rows are missing")
        for key, (next_seq, head_hash) in self._heads.items():
            reached = self._reached.get(key)
            is_empty = reached is None and next_seq == self._starts.get(key, 0)
            if not is_empty and reached != (next_seq, head_hash):
                raise self._fault(f"journal {key[0]}/{key[1]} does not end where its head says")
        return Contents(
            header=self.header,
            secrets=self.secrets,
            counts=dict(self._counts),
            next_seqs={key: next_seq for key, (next_seq, _hash) in self._heads.items()},
        )

    def _look(self, record: Rows) -> None:
        self._counts[record.table] += len(record.rows)
        rows = (dict(zip(record.columns, row, strict=True)) for row in record.rows)
        match record.table:
            case "entries":
                for row in rows:
                    self._follow(row)
            case "heads":
                for row in rows:
                    self._heads[_key(row)] = (row["next_seq"], row["head_hash"])
            case "epochs":
                for row in rows:
                    self._starts[_key(row)] = row["forked_seq"] or 0

    def _follow(self, row: dict[str, Any]) -> None:
        key = _key(row)
        reached = self._reached.get(key)
        is_next = reached is None or reached == (row["seq"], row["prev_hash"])
        # After a hole the chain goes on from a hash that no kept entry has; its own table names it.
        is_after_hole = reached is not None and row["seq"] > reached[0]
        if chain_hash(row["prev_hash"], row["bytes"]) != row["hash"] or not (
            is_next or is_after_hole
        ):
            raise self._fault(f"entry {key[0]}/{key[1]}/{row['seq']}")
        self._reached[key] = (row["seq"] + 1, row["hash"])

    def _fault(self, reason: str) -> EnvironmentFault:
        return EnvironmentFault("backup-unreadable", file=str(self.file), reason=reason)


def _key(row: dict[str, Any]) -> EpochKey:
    return str(row["journal"]), int(row["epoch"])

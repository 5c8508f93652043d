"""What is read back of a copy, and whether it is whole: counts, chains, heads, by the bytes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

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


class Gap(NamedTuple):
    """A stretch without entries, with the hashes around it."""

    key: EpochKey
    first_seq: int
    hash_before: bytes
    stop_seq: int
    hash_at_end: bytes


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
    _firsts: dict[EpochKey, int] = field(default_factory=dict)
    _gaps: list[Gap] = field(default_factory=list)
    _holes: set[Gap] = field(default_factory=set)
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
        for key, head in self._heads.items():
            self._check_head(key, head)
        ends = {(hole.key, hole.stop_seq) for hole in self._holes}
        for key, seq in self._firsts.items():
            if seq != self._starts.get(key) and (key, seq) not in ends:
                raise self._fault(f"entry {key[0]}/{key[1]}/{seq} is not the first one")
        for gap in self._gaps:
            if gap not in self._holes:
                journal, epoch = gap.key
                raise self._fault(f"entry {journal}/{epoch}/{gap.first_seq} is missing")
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

            case "holes":
                self._holes.update(_gap(row) for row in rows if row["filled_at"] is None)

    def _check_head(self, key: EpochKey, head: tuple[int, bytes]) -> None:
        reached = self._reached.get(key)
        is_empty = reached is None and head[0] == self._starts.get(key, 0)
        if is_empty or reached == head:
            return
        before = reached or next(
            ((hole.first_seq, hole.hash_before) for hole in self._holes if hole.key == key), None
        )
        if before is None or Gap(key, *before, *head) not in self._holes:
            raise self._fault(f"journal {key[0]}/{key[1]} does not end where its head says")

    def _follow(self, row: dict[str, Any]) -> None:
        key = _key(row)
        seq, before = row["seq"], row["prev_hash"]
        reached = self._reached.get(key)
        self._firsts.setdefault(key, seq)
        if chain_hash(before, row["bytes"]) != row["hash"]:
            raise self._fault(f"entry {key[0]}/{key[1]}/{seq}")
        if reached is not None and reached != (seq, before):
            self._gaps.append(Gap(key, *reached, seq, before))
        self._reached[key] = (seq + 1, row["hash"])

    def _fault(self, reason: str) -> EnvironmentFault:
        return EnvironmentFault("backup-unreadable", file=str(self.file), reason=reason)


def _gap(row: dict[str, Any]) -> Gap:
    sides = (row["first_seq"], row["hash_before"], row["stop_seq"], row["hash_at_end"])
    return Gap(_key(row), *sides)


def _key(row: dict[str, Any]) -> EpochKey:
    return str(row["journal"]), int(row["epoch"])

"""What tills were told over the line, as the model notes it: balances, rights, acknowledgements."""

import hashlib
import json
from collections import Counter, defaultdict
from typing import Any, NamedTuple

import msgspec

from shared.journal.keys import Signed
from shared.protocol.lease import LeaseReply
from shared.protocol.message import (
    LookupReply,
    MemberRow,
    PullReply,
    PullRequest,
    PushRequest,
    Stream,
)
from shared.protocol.snapshot import SnapshotReply, SnapshotTerms
from tests.simulation.coverage import Coverage
from tests.simulation.model import Base, Effect, ServerModel, TillModel
from tests.simulation.network import Answer, Line


class InFile(NamedTuple):
    """What a snapshot tells, by the model, as of when it was made."""

    sums: dict[str, Effect]
    next_seqs: Counter[tuple[str, int]]


class Hearing:
    """Listens on every line."""

    def __init__(self, coverage: Coverage) -> None:
        self.coverage = coverage
        self.booked = ServerModel()
        self.models: defaultdict[str, TillModel] = defaultdict(TillModel)
        """By the name of a till's line; before it is enrolled, too."""
        self.snapshots: dict[str, InFile] = {}
        """By the hash of the file."""
        self.acknowledged: set[bytes] = set()
        """Hashes of entries of which a till was told that the server has them."""
        self.granted: Counter[str] = Counter()
        """By lease, the most that any till was ever told it may spend by it."""
        self.lives = 1
        """Of the server: it has one more with each restore."""

    def heard(self, line: Line, path: str, body: bytes, answer: Answer) -> None:
        """A till hears an answer."""
        if answer.status != 200:
            return
        model = self.models[line.name]
        if path == "/v1/sync/push":
            self._note_acknowledged(body)
        if path == "/v1/sync/snapshot":
            self._note_in_file(answer.body, model)
        if path == "/v1/leases":
            self._note_granted(answer.body)
        if path in {"/v1/sync/pull", "/v1/lookup"}:
            self._note_told(path, body, answer.body, model)

    def _note_acknowledged(self, body: bytes) -> None:
        request = msgspec.msgpack.decode(body, type=PushRequest)
        previous = request.prev_hash
        for encoded in request.entries:
            previous = hashlib.sha256(b"evertill/entry/1" + previous + encoded).digest()
            self.acknowledged.add(previous)

    def _note_granted(self, told: bytes) -> None:
        try:
            reply = msgspec.msgpack.decode(told, type=LeaseReply)
        except msgspec.MsgspecError:
            return
        if reply.is_resting:
            self.coverage.did("lease", "rests")
        signed: list[Signed | None] = [one.granted for one in reply.answers]
        for one in (*signed, reply.budget):
            if one is not None:
                terms: dict[str, Any] = json.loads(one.payload)
                self.coverage.did("lease", f"{terms['lease_class']} of {terms['account']}")
                known = self.granted[terms["lease_id"]]
                self.granted[terms["lease_id"]] = max(known, terms["amount"])

    def _note_in_file(self, told: bytes, model: TillModel) -> None:
        """Each member of a snapshot that a till hears of may be taken over any time from now on."""
        try:
            statement = msgspec.msgpack.decode(told, type=SnapshotReply).snapshot
        except msgspec.MsgspecError:
            return
        if statement is None:
            return
        terms = msgspec.json.decode(statement.payload, type=SnapshotTerms)
        in_file = self.snapshots[terms.sha256]
        own_seq = in_file.next_seqs[model.journal, model.epoch]
        for member, effect in in_file.sums.items():
            model.told(member, Base(effect, own_seq))

    def _note_told(self, path: str, body: bytes, told: bytes, model: TillModel) -> None:
        """Rows of members, with what the model says of them at this moment."""
        try:
            if path == "/v1/lookup":
                found = msgspec.msgpack.decode(told, type=LookupReply).members
                rows = [row for row in found if row.member_id not in model.bases]
            elif msgspec.msgpack.decode(body, type=PullRequest).stream is Stream.MEMBERS:
                page = msgspec.msgpack.decode(told, type=PullReply)
                rows = [msgspec.msgpack.decode(row, type=MemberRow) for row in page.rows]
            else:
                return
        except msgspec.MsgspecError:
            return
        own_seq = self.booked.next_seqs[model.journal, model.epoch]
        for row in rows:
            if row.gone:
                model.gone.add(row.member_id)
            else:
                model.told(row.member_id, Base(self.booked.sums[row.member_id], own_seq))

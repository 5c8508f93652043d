"""Changing the server's keys: a new signing key, a new root, a signing key taken back.

The new key lies beside the old one before the database says that it is in force, and takes the old
one's place after that: whatever ends the process, one of the two is the right one, and the next
start puts it in place.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import msgspec
from sqlalchemy import func, select

from shared.clock import Clock
from shared.errors import DomainError, EnvironmentFault
from shared.ids import JournalId
from shared.journal.keys import KeyId, PublicKey, Signed, SigningKey, new_signing_key
from shared.journal.server_key import (
    certify_server_key,
    change_root,
    revoke_server_key,
)
from shared.trade.till import EpochClosed
from shared.trade.writing import Writing
from sync_server.database import schema
from sync_server.database.times import format_time, parse_time
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.journal.chains import next_epoch, read_chains
from sync_server.journal.own import OwnJournal
from sync_server.keys.known import trusted_keys
from sync_server.keys.signing_anew import sign_anew
from sync_server.keys.statement_list import StatementList
from sync_server.keys.vault import (
    ROOT_FILE,
    SIGNING_FILE,
    Vault,
    next_of,
    put_in_place,
    read_secret,
    write_next,
)


class OpenEpoch(Protocol):
    """Gives the server's own journal an epoch."""

    def __call__(
        self,
        work: Work,
        vault: Vault,
        root: SigningKey,
        *,
        journal: JournalId,
        epoch: int,
        now: str,
    ) -> None:
        """As ``bootstrap.open_own_epoch``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """One of the server's keys."""

    key_id: KeyId
    purpose: str
    """``signing`` or ``root``."""
    created_at: str
    is_in_force: bool
    is_revoked: bool


@dataclass(frozen=True, slots=True)
class KeyChange:
    """Changes the keys of a server that is not running otherwise."""

    database: Database
    clock: Clock
    own: OwnJournal
    vault: Vault
    folder: Path
    """Of the keys."""
    open_epoch: OpenEpoch
    statements: StatementList
    """Beside the database."""

    def new_signing_key(self, *, root: SigningKey | None = None) -> KeyId:
        """Sign with a new key from the next start on; tills learn it from the root's statement.

        What the old one signed stays good. Raises EnvironmentFault ``key-missing`` without the
        root, DomainError ``root-key-foreign`` for another one.
        """
        key = new_signing_key()
        # Another process must not take the key away that this one has written and not named yet.
        with self.database.alone():
            write_next(self.folder / SIGNING_FILE, key.raw)
            with self.database.writing() as work:
                root = self._root(work, root)
                now = self._now(work)
                certified = certify_server_key(root, key.public, issued_at=now)
                add_key(work, "signing", key.public, certified, now)
                add_statements(work, [certified], now)
                self._begin_epoch(work, root, key, now)
            put_in_place(self.folder / SIGNING_FILE)
            self._keep_statements()
        return key.id

    def new_root(self, *, root: SigningKey | None = None) -> KeyId:
        """Let another root speak from now on: the old one says so, and it vouches for the keys
        that are believed. Raises as ``new_signing_key`` does.
        """
        key = new_signing_key()
        with self.database.alone():
            write_next(self.folder / ROOT_FILE, key.raw)
            with self.database.writing() as work:
                root = self._root(work, root)
                now = self._now(work)
                believed = trusted_keys(work).signing_keys
                statements = [change_root(root, key.public, issued_at=now)]
                statements += [certify_server_key(key, one, issued_at=now) for one in believed]
                add_key(work, "root", key.public, None, now)
                add_statements(work, statements, now)
            put_in_place(self.folder / ROOT_FILE)
            self._keep_statements()
        return key.id

    def revoke(self, key_id: KeyId, *, root: SigningKey | None = None) -> None:
        """Let nothing be believed any more that a former signing key signs.

        Raises DomainError ``unknown-server-key-id``, ``signing-key-in-force``, and as above.
        """
        with self.database.writing() as work:
            root = self._root(work, root)
            if key_id == self.vault.signing.id:
                raise DomainError("signing-key-in-force", key=key_id)
            if key_id not in {key.id for key in trusted_keys(work).signing_keys}:
                raise DomainError("unknown-server-key-id", key=key_id)
            now = self._now(work)
            add_statements(work, [revoke_server_key(root, key_id, revoked_at=now)], now)
            sign_anew(work, self.vault.signing, of=key_id)
        self._keep_statements()

    def states(self) -> list[KeyState]:
        """All keys that there were, the oldest first."""
        with self.database.reading() as snapshot:
            return read_states(snapshot)

    def _keep_statements(self) -> None:
        with self.database.reading() as snapshot:
            self.statements.bring_up_to(snapshot)

    def _root(self, snapshot: Snapshot, given: SigningKey | None) -> SigningKey:
        root = given or SigningKey(read_secret(self.folder / ROOT_FILE))
        if root.id != trusted_keys(snapshot).root.id:
            raise DomainError("root-key-foreign", key=root.id)
        return root

    def _now(self, work: Work) -> str:
        return time_of_change(work, self.clock)

    def _begin_epoch(self, work: Work, root: SigningKey, key: SigningKey, now: str) -> None:
        """The server's own journal goes on under the new key, as a till's would."""
        chain = read_chains(work, self.own.journal)[-1]
        if chain.next_seq > 0:
            closed = EpochClosed(last_seq=chain.next_seq - 1, hash=chain.head_hash.hex())
            self.own.write(work, [Writing(closed)])
        self.open_epoch(
            work,
            replace(self.vault, signing=key),
            root,
            journal=self.own.journal,
            epoch=next_epoch(work, self.own.journal),
            now=now,
        )


def read_states(snapshot: Snapshot) -> list[KeyState]:
    """All keys that there were, the oldest first."""
    trusted = trusted_keys(snapshot)
    believed = {key.id for key in trusted.signing_keys}
    columns = schema.server_keys.c
    rows = snapshot.connection.execute(
        select(schema.server_keys)
        .where(columns.shard == snapshot.shard)
        .order_by(columns.created_at, columns.purpose)
    ).all()
    newest = {row.purpose: row.key_id for row in rows}
    return [
        KeyState(
            key_id=KeyId(row.key_id),
            purpose=row.purpose,
            created_at=row.created_at,
            is_in_force=newest[row.purpose] == row.key_id,
            is_revoked=row.purpose == "signing" and row.key_id not in believed,
        )
        for row in rows
    ]


def _in_force(snapshot: Snapshot) -> dict[str, str]:
    """The newest key of each purpose, whatever was said about it."""
    columns = schema.server_keys.c
    rows = snapshot.connection.execute(
        select(columns.purpose, columns.key_id)
        .where(columns.shard == snapshot.shard)
        .order_by(columns.created_at)
    )
    return {row.purpose: row.key_id for row in rows}


def settle_keys(snapshot: Snapshot, folder: Path, reopen: Callable[[], Vault]) -> Vault:
    """The vault whose signing key is the one in force; ends a change that was cut off.

    Raises EnvironmentFault ``signing-key-replaced`` for a folder with an older key: another server
    process changed it.
    """
    states = _in_force(snapshot)
    for name, purpose in ((SIGNING_FILE, "signing"), (ROOT_FILE, "root")):
        waiting = next_of(folder / name)
        if waiting.exists() and SigningKey(read_secret(waiting)).id == states[purpose]:
            put_in_place(folder / name)
    vault = reopen()
    if vault.signing.id != states["signing"]:
        raise EnvironmentFault("signing-key-replaced", folder=str(folder), key=states["signing"])
    return vault


def time_of_change(work: Work, clock: Clock) -> str:
    """Always after the newest key, for keys are in force in the order of their times: also where
    that one was made by a clock that was ahead, which must not bar a change.
    """
    newest = work.connection.execute(
        select(func.max(schema.server_keys.c.created_at)).where(
            schema.server_keys.c.shard == work.shard
        )
    ).scalar_one()
    next_moment = format_time(parse_time(newest) + timedelta(milliseconds=1))
    return max(format_time(clock.now()), next_moment)


def add_key(work: Work, purpose: str, key: PublicKey, certified: Signed | None, now: str) -> None:
    """Note a key that is in force from now on, for ``signing`` or as ``root``."""
    row = {
        "key_id": key.id,
        "purpose": purpose,
        "public_key": str(key),
        "certified": msgspec.msgpack.encode(certified) if certified is not None else None,
        "created_at": now,
    }
    work.insert(schema.server_keys, [row])


def add_statements(work: Work, statements: list[Signed], now: str) -> None:
    """Note what the root says of keys, behind what it said before."""
    columns = schema.key_statements.c
    newest = work.connection.execute(
        select(func.max(columns.number)).where(columns.shard == work.shard)
    ).scalar_one()
    first = 0 if newest is None else int(newest) + 1
    rows = [
        {"number": number, "statement": msgspec.msgpack.encode(signed), "made_at": now}
        for number, signed in enumerate(statements, first)
    ]
    work.insert(schema.key_statements, rows)

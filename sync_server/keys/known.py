"""The server's own keys as its database knows them: all that ever signed, and who vouched."""

from dataclasses import dataclass, field

import msgspec
from sqlalchemy import func, select

from shared.errors import ProtocolError
from shared.journal.keys import KeyId, PublicKey, Signed, parse_public_key
from shared.journal.server_key import PURPOSE, TrustedKeys, certified_id
from sync_server.database.schema import key_statements, server_keys
from sync_server.database.transaction import Database, Snapshot


@dataclass(slots=True)
class KnownKeys:
    """Who may have signed what tills show."""

    database: Database
    _trusted: TrustedKeys | None = field(default=None, repr=False)

    def author_of(self, signed: Signed) -> PublicKey:
        """Which own key signed this, taken back or not; ProtocolError ``wrong-statement``."""
        try:
            return self._of(signed).author_of(signed)
        except ProtocolError as error:
            raise _wrong(signed) from error

    def key_for(self, signed: Signed) -> PublicKey:
        """Which own key signed this; ProtocolError ``wrong-statement``, ``revoked-server-key``."""
        try:
            return self._of(signed).key_for(signed)
        except ProtocolError as error:
            if error.code == "revoked-server-key":
                raise
            raise _wrong(signed) from error

    def believed(self, signed: Signed) -> PublicKey | None:
        """Which own key signed this; None for one that was taken back, and ProtocolError
        ``wrong-statement``."""
        try:
            return self.key_for(signed)
        except ProtocolError as error:
            if error.code != "revoked-server-key":
                raise
            return None

    def _of(self, signed: Signed) -> TrustedKeys:
        """Read again for a key that is not known: another process may have made it."""
        trusted = self._trusted
        if trusted is not None:
            try:
                trusted.author_of(signed)
            except ProtocolError:
                trusted = None
        if trusted is None:
            with self.database.reading() as snapshot:
                trusted = self._trusted = trusted_keys(snapshot)
        return trusted


def _wrong(signed: Signed) -> ProtocolError:
    return ProtocolError("wrong-statement", purpose=signed.purpose, key_id=signed.key_id)


def first_root(snapshot: Snapshot) -> PublicKey:
    """The root that the server began with."""
    columns = server_keys.c
    found = snapshot.connection.execute(
        select(columns.public_key)
        .where(columns.shard == snapshot.shard, columns.purpose == "root")
        .order_by(columns.created_at)
        .limit(1)
    ).scalar_one()
    return parse_public_key(found)


def all_statements(snapshot: Snapshot) -> list[Signed]:
    """Every statement about keys, in the order in which they were made."""
    columns = server_keys.c
    first = snapshot.connection.execute(
        select(columns.certified)
        .where(columns.shard == snapshot.shard, columns.purpose == "signing")
        .order_by(columns.created_at)
        .limit(1)
    ).scalar_one()
    later = snapshot.connection.execute(
        select(key_statements.c.statement)
        .where(key_statements.c.shard == snapshot.shard)
        .order_by(key_statements.c.number)
    ).scalars()
    return [msgspec.msgpack.decode(encoded, type=Signed) for encoded in (first, *later)]


def count_statements(snapshot: Snapshot) -> int:
    """How many there are."""
    later = snapshot.connection.execute(
        select(func.count()).where(key_statements.c.shard == snapshot.shard)
    ).scalar_one()
    return 1 + int(later)


def trusted_keys(snapshot: Snapshot) -> TrustedKeys:
    """What follows from them for whoever pinned the first root."""
    return TrustedKeys(first_root(snapshot), all_statements(snapshot))


def vouched(snapshot: Snapshot, key_id: KeyId) -> Signed:
    """The newest word of a root for a signing key: what a new till is given."""
    for signed in reversed(all_statements(snapshot)):
        if signed.purpose == PURPOSE and certified_id(signed) == key_id:
            return signed
    raise AssertionError(key_id)


def is_noted(snapshot: Snapshot, key_id: KeyId) -> bool:
    """Whether a key is among those that this database knows."""
    columns = server_keys.c
    statement = select(columns.key_id).where(
        columns.shard == snapshot.shard, columns.key_id == key_id
    )
    return snapshot.connection.execute(statement).first() is not None

"""Whom a till believes: the root it pinned, and what was said about the server's keys since."""

import msgspec
from sqlalchemy import Connection

from desktop.store.identity import TillIdentity
from desktop.store.settings import read_value, write_value
from shared.journal.keys import Signed, parse_public_key
from shared.journal.server_key import TrustedKeys

LEARNED = "server-keys"


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned since a root was pinned."""

    root: str
    statements: tuple[Signed, ...]
    told: int = 1
    """How many statements the server had when it was asked last; one comes with the enrolment."""


def read_learned(connection: Connection, identity: TillIdentity) -> Learned:
    """What was learned since this root was pinned; of an earlier one nothing counts."""
    found = read_value(connection, LEARNED, Learned)
    if found is None or found.root != identity.root_key:
        return Learned(root=identity.root_key, statements=())
    return found


def write_learned(connection: Connection, learned: Learned) -> None:
    """Keep it."""
    write_value(connection, LEARNED, learned)


def read_trusted(connection: Connection, identity: TillIdentity) -> TrustedKeys:
    """The server's keys as this till knows them."""
    learned = read_learned(connection, identity)
    return TrustedKeys(
        parse_public_key(identity.root_key), (identity.server_key, *learned.statements)
    )

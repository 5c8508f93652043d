"""Operators: who may work at a till, in which role, with which PIN."""

import re
from dataclasses import dataclass
from enum import StrEnum

import msgspec
from argon2 import PasswordHasher
from sqlalchemy import select

from shared.errors import DomainError
from shared.ids import OperatorId, random_id
from shared.journal.attachment import attach
from shared.trade.profile import MemberProfile
from shared.trade.server import OperatorChanged
from shared.trade.writing import Writing
from sync_server.database.schema import operators
from sync_server.database.transaction import Database
from sync_server.journal.own import OwnJournal

_PIN = re.compile(r"\d{4,12}")
NAME_LENGTH_MAX = 80


class Role(StrEnum):
    """What an operator may do."""

    CASHIER = "cashier"
    """Sells, takes returns with a receipt, closes the own shift."""
    MANAGER = "manager"
    """Also approves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """An operator without secrets."""

    operator_id: OperatorId
    name: str
    role: Role
    active: bool


@dataclass(frozen=True, slots=True)
class OperatorDesk:
    """Adds and lists operators."""

    database: Database
    own: OwnJournal
    hasher: PasswordHasher

    def add(self, name: str, *, pin: str, role: Role) -> Operator:
        """A new operator; DomainError ``bad-name``, ``bad-pin``."""
        name = name.strip()
        if not name or len(name) > NAME_LENGTH_MAX or not name.isprintable():
            raise DomainError("bad-name", name=name[:NAME_LENGTH_MAX])
        if not _PIN.fullmatch(pin):
            raise DomainError("bad-pin")
        added = Operator(operator_id=OperatorId(random_id()), name=name, role=role, active=True)
        pin_hash = self.hasher.hash(pin)
        profile = attach(msgspec.json.encode(MemberProfile(name=name)))
        fact = OperatorChanged(operator_id=added.operator_id, role=role.value, active=True, by=None)
        with self.database.writing() as work:
            row = {
                "operator_id": added.operator_id,
                "name": name,
                "role": role.value,
                "pin_hash": pin_hash,
                "active": True,
                "change_seq": work.take(1)[0],
            }
            work.insert(operators, [row])
            self.own.write(work, [Writing(fact, attachments=(("profile", profile),))])
        return added

    def all(self) -> list[Operator]:
        """All operators by name."""
        with self.database.reading() as snapshot:
            statement = select(operators).where(operators.c.shard == snapshot.shard)
            rows = snapshot.connection.execute(statement.order_by(operators.c.name))
            return [
                Operator(
                    operator_id=row.operator_id,
                    name=row.name,
                    role=Role(row.role),
                    active=row.active,
                )
                for row in rows
            ]

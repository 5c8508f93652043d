"""Who may work at this till, and how often a PIN was guessed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.schema import operators, pin_attempts
from shared.ids import OperatorId
from shared.protocol.message import OperatorRow


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who may sign in."""

    operator_id: OperatorId
    name: str
    role: str
    pin_hash: str


@dataclass(frozen=True, slots=True)
class Attempts:
    """Wrong PINs in a row, and until when no more are taken."""

    failures: int
    locked_until: datetime | None


def active_operators(connection: Connection) -> list[Operator]:
    """Everybody who may sign in, by name."""
    rows = connection.execute(
        select(operators).where(operators.c.active).order_by(operators.c.name)
    )
    return [Operator(OperatorId(row.operator_id), row.name, row.role, row.pin_hash) for row in rows]


def find_operator(connection: Connection, operator_id: OperatorId) -> Operator | None:
    """One operator who may sign in."""
    return next((o for o in active_operators(connection) if o.operator_id == operator_id), None)


def find_by_card(connection: Connection, card_hash: str) -> Operator | None:
    """The operator an approval card names."""
    operator_id = connection.execute(
        select(operators.c.operator_id).where(operators.c.card_hash == card_hash)
    ).scalar()
    return find_operator(connection, OperatorId(operator_id)) if operator_id else None


def apply_operators(connection: Connection, rows: Iterable[OperatorRow]) -> None:
    """Take over operators as the server has them now."""
    for row in rows:
        values = {
            "name": row.name,
            "role": row.role,
            "pin_hash": row.pin_hash,
            "card_hash": row.card_hash,
            "active": row.active,
        }
        statement = upsert(operators).values(operator_id=row.operator_id, **values)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["operator_id"], set_=values)
        )


def forget_operators(connection: Connection, ids: Sequence[OperatorId]) -> None:
    """Drop operators whom the server does not know."""
    connection.execute(delete(operators).where(operators.c.operator_id.in_(ids)))


def read_attempts(connection: Connection, operator_id: OperatorId) -> Attempts:
    """How an operator's PIN stands."""
    row = connection.execute(
        select(pin_attempts).where(pin_attempts.c.operator_id == operator_id)
    ).one_or_none()
    if row is None:
        return Attempts(0, None)
    until = datetime.fromisoformat(row.locked_until) if row.locked_until else None
    return Attempts(row.failures, until)


def write_attempts(connection: Connection, operator_id: OperatorId, attempts: Attempts) -> None:
    """Keep it across restarts."""
    connection.execute(delete(pin_attempts).where(pin_attempts.c.operator_id == operator_id))
    until = attempts.locked_until.isoformat() if attempts.locked_until else None
    connection.execute(
        upsert(pin_attempts).values(
            operator_id=operator_id, failures=attempts.failures, locked_until=until
        )
    )


def operator_name(connection: Connection, operator_id: str | None) -> str:
    """What to call an operator on paper; empty for none, the id for one who is not known here."""
    if operator_id is None:
        return ""
    name = connection.execute(
        select(operators.c.name).where(operators.c.operator_id == operator_id)
    ).scalar()
    return name or operator_id

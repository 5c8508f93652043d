"""Baskets that were put aside."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from desktop.store.schema import holds


@dataclass(frozen=True, slots=True)
class Hold:
    """A held basket; ``document`` is for whoever held it to read back."""

    hold_id: str
    held_at: str
    operator_id: str
    total: int
    document: bytes


def put(connection: Connection, hold: Hold) -> None:
    """Keep a basket, in place of what was held under its id before."""
    drop(connection, hold.hold_id)
    connection.execute(
        insert(holds).values(
            hold_id=hold.hold_id,
            held_at=hold.held_at,
            operator_id=hold.operator_id,
            total=hold.total,
            document=hold.document,
        )
    )


def all_held(connection: Connection) -> list[Hold]:
    """Held baskets, oldest first."""
    rows = connection.execute(select(holds).order_by(holds.c.held_at, holds.c.hold_id))
    return [
        Hold(row.hold_id, row.held_at, row.operator_id, row.total, row.document) for row in rows
    ]


def drop(connection: Connection, hold_id: str) -> None:
    """Forget a hold: recalled, sold or abandoned."""
    connection.execute(delete(holds).where(holds.c.hold_id == hold_id))

"""When members' lots began, and until when what is left of them can be spent."""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, case, literal_column, null, or_
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.prepared import Prepared
from desktop.store.schema import lots
from shared.ledger.lot import LotTerms

Row = tuple[str, str, str, str | None]
"""Member, lot, first day, last day."""

_UNTOLD: ColumnElement[str] = literal_column("''")
"""The first day of a lot that only a return has told of."""
_NEW = upsert(lots)
_TOLD = _NEW.excluded
_PUT = Prepared(
    # ``LotTerms.joined``, between what is known and what is new.
    _NEW.on_conflict_do_update(
        index_elements=["member_id", "lot"],
        set_={
            "earned_on": case(
                (lots.c.earned_on == _UNTOLD, _TOLD.earned_on), else_=lots.c.earned_on
            ),
            "expires_on": case(
                (
                    or_(
                        (lots.c.earned_on != _UNTOLD) & lots.c.expires_on.is_(None),
                        (_TOLD.earned_on != _UNTOLD) & _TOLD.expires_on.is_(None),
                    ),
                    null(),
                ),
                (lots.c.expires_on > _TOLD.expires_on, lots.c.expires_on),
                else_=_TOLD.expires_on,
            ),
        },
    ),
    ("member_id", "lot", "earned_on", "expires_on"),
)


def put_lots(connection: Connection, terms: Iterable[LotTerms]) -> None:
    """Note what entries tell of lots."""
    put_lot_rows(
        connection,
        [(term.member_id, term.lot, term.earned_on, term.expires_on) for term in terms],
    )


def put_lot_rows(connection: Connection, rows: Sequence[Row]) -> None:
    """Note what the server tells of lots."""
    _PUT.run_many(connection, rows)

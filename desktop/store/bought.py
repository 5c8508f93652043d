"""What a member bought here on a business day, and kept."""

from collections import Counter
from datetime import date

from sqlalchemy import Connection, select

from desktop.store.schema import tickets
from desktop.store.tickets import find_sale, returns_of
from shared.ids import EntryId, MemberId
from shared.returning.history import units_kept
from shared.trade.ticket import SaleCompleted


def bought_on(connection: Connection, member_id: MemberId, day: date) -> Counter[str]:
    """Units by SKU in this till's sales, less those that came back; a weighed line counts as one.

    What offers gave on top was not bought, nor what came in.
    """
    sales = connection.execute(
        select(tickets.c.entry_id).where(
            tickets.c.member_id == member_id,
            tickets.c.business_date == day.isoformat(),
            tickets.c.kind == SaleCompleted.kind,
        )
    ).scalars()
    units: Counter[str] = Counter()
    for entry_id in sales.all():
        found = find_sale(connection, EntryId(entry_id))
        assert found is not None
        units += units_kept(found[1], returns_of(connection, EntryId(entry_id)))
    return units

"""What was used and bought before the basket on the screen, as far as this till knows."""

from collections import Counter
from collections.abc import Mapping
from datetime import date

from desktop.services.books import Books
from desktop.store.bought import bought_on
from desktop.store.catalogue import find_by_id
from desktop.store.offer_uses import uses_of
from desktop.store.tickets import open_shift
from shared.ids import GoodsId, MemberId
from shared.loyalty.programme import Programme
from shared.pricing.basket import OfferUse
from shared.pricing.known import asked_by


class Earlier:
    """Looked up once for a member in a sale: it stays the same until a ticket is written."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._uses: dict[tuple[MemberId | None, date], tuple[OfferUse, ...]] = {}
        self._bought: dict[MemberId, Mapping[str, int]] = {}

    def forget(self) -> None:
        """A ticket was written, or another programme is in force: look again."""
        self._uses, self._bought = {}, {}

    def uses(
        self, programme: Programme, member_id: MemberId | None, today: date
    ) -> tuple[OfferUse, ...]:
        """How often the offers that are limited were used."""
        limited = [one.id for one in asked_by(programme).limited]
        if not limited:
            return ()
        key = member_id, today
        if key not in self._uses:
            with self._books.reading() as connection:
                self._uses[key] = uses_of(connection, limited, member_id, today)
        return self._uses[key]

    def bought(self, programme: Programme, member_id: MemberId | None) -> Mapping[str, int]:
        """Units by restriction that a member bought on this business day, and kept.

        Empty for nobody, and where no restriction asks.
        """
        if member_id is None or not any(one.units_per_day for one in programme.restrictions):
            return {}
        if member_id not in self._bought:
            self._bought[member_id] = self._look_up(programme, member_id)
        return self._bought[member_id]

    def _look_up(self, programme: Programme, member_id: MemberId) -> Mapping[str, int]:
        units: Counter[str] = Counter()
        with self._books.reading() as connection:
            shift = open_shift(connection)
            day = shift.business_date if shift else self._books.today()
            for sku, kept in bought_on(connection, member_id, day).items():
                goods = find_by_id(connection, GoodsId(sku))
                for one in programme.restrictions:
                    if goods is not None and one.goods.contains(goods):
                        units[one.id] += kept
        return units

"""What comes back of a sale at a partner: its share of what was earned, paid and spent."""

from collections.abc import Sequence

from shared.ids import EntryId, LotId, MemberId
from shared.loyalty.grace import filled, last_days_of, living_on
from shared.loyalty.lots import claw_back
from shared.loyalty.partners import returned_at_partner
from shared.loyalty.programme import Programme
from shared.loyalty.returns import points_to_lots
from shared.trade.partner import PartnerReturned, PartnerSold
from sync_server.partners.booked import figures
from sync_server.partners.sales_file import ToldSale
from sync_server.points.held import HeldPoints


def return_fact(
    sale: PartnerSold,
    entry: EntryId,
    told: ToldSale,
    *,
    before: Sequence[PartnerReturned],
    member: MemberId,
    held: HeldPoints,
    programme: Programme,
) -> PartnerReturned:
    """The fact of a row; ``before`` came back earlier, ``programme`` is that of the day.

    Raises DomainError ``refund-exceeds-sale``.
    """
    whole = figures(sale)
    back = returned_at_partner(
        whole, told.spend_minor, before=sum(figures(one).price_minor for one in before)
    )
    given = living_on(
        points_to_lots(
            back.points_spent, sale.lots, before=sum(one.points_spent for one in before)
        ),
        last_days_of(sale.lots, held.lots),
        told.day,
        programme.expiry,
    )
    due = sum(one.points for one in before)
    taken = sum(draw.points for one in before for draw in one.points_taken)
    claw = claw_back(
        filled(held.lots, given),
        back.points,
        of_sale=LotId(entry),
        today=told.day,
        floor=programme.returns.points_floor,
        forgiven_before=due - taken,
    )
    return PartnerReturned(
        programme=sale.programme,
        partner=sale.partner,
        names=sale.names,
        reference=told.reference,
        of_reference=sale.reference,
        day=told.day.isoformat(),
        currency=sale.currency,
        member_id=member,
        spend=back.spend_minor,
        points_decimals=sale.points_decimals,
        points=back.points,
        paid=back.paid_minor,
        points_spent=back.points_spent,
        lots=given,
        points_taken=claw.draws,
    )

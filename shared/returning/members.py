"""What a return does to members: points from their lots, growth, spend, tier, a referral."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from shared.ids import LotId
from shared.loyalty.grace import filled
from shared.loyalty.lots import Lot, claw_back, less
from shared.loyalty.member_now import held, standing_now, standing_with, usable_lots
from shared.loyalty.programme import Programme
from shared.returning.engagement import referral_lost
from shared.returning.history import lines_of
from shared.returning.sold import MemberNow, ReturnableSale
from shared.trade.fact import LotDraw, MemberOutcome, PointsOutcome, ReferralTakenBack, Tender
from shared.trade.ticket import ReturnLine, SaleReturned


@dataclass(frozen=True, slots=True)
class Taken:
    """What a member has and loses."""

    outcome: MemberOutcome
    draws: tuple[LotDraw, ...]
    lots: tuple[Lot, ...]
    """As they are after it."""


@dataclass(frozen=True, slots=True)
class Taking:
    """Takes back what a sale gave, on a day, by the rules of that day."""

    sold: ReturnableSale
    programme: Programme
    today: date

    def from_member(
        self, lines: Sequence[ReturnLine], beside: int, refunds: Sequence[Tender], member: MemberNow
    ) -> Taken:
        """Points from the lots as they are once spent ones are given back.

        ``beside`` are those that no line has earned.
        """
        sale = self.sold.sale
        assert sale.member is not None
        given = [draw for tender in refunds for draw in tender.lots]
        lots = filled(member.lots, given)
        claw = claw_back(
            lots,
            sum(line.points for line in lines) + beside,
            of_sale=LotId(self.sold.entry_id),
            today=self.today,
            floor=self.programme.returns.points_floor,
            forgiven_before=forgiven(self.sold.returns),
        )
        spend, growth = sum(line.spend for line in lines), sum(line.growth for line in lines)
        history = [
            replace(one, spend_minor=one.spend_minor - spend, growth=one.growth - growth)
            if one.sale == self.sold.entry_id
            else one
            for one in member.spending
        ]
        returned = sum(draw.points for draw in given)
        usable_after = usable_lots(lots, member.spending, self.programme)
        lapsed = {
            lot.lot for lot in usable_after if lot.points > 0 and not lot.is_alive(self.today)
        }
        # What is taken out of points that have lapsed lowers nothing that the member has.
        taken = sum(draw.points for draw in claw.draws if draw.lot not in lapsed)
        closing = held(usable_after, self.today) - taken
        outcome = MemberOutcome(
            member_id=member.member_id,
            tier=standing_now(member, self.programme, self.today).tier,
            tier_after=standing_with(
                member, self.programme, self.today, points=closing, spending=history
            ).tier,
            growth=-growth,
            spend=-spend,
            points=PointsOutcome(
                decimals=sale.member.points.decimals,
                # With what has lapsed and goes back here, so that the paper adds up.
                opening=closing + claw.points - returned,
                earned=-claw.points,
                spent=-returned,
                closing=closing,
                as_of=member.balance_as_of,
            ),
        )
        return Taken(outcome, claw.draws, tuple(less(lots, claw.draws)))

    def referral(
        self, lines: Sequence[ReturnLine], lots: Sequence[Lot] | None
    ) -> ReferralTakenBack | None:
        """Both sides lose what the sale was worth to them, once too little of it is kept.

        ``lots`` are the referrer's; None where nobody knows them.
        """
        paid = referral_lost(self.sold.sale, self.sold.returns, lines)
        if paid is None:
            return None
        draws: tuple[LotDraw, ...] = ()
        if lots is not None:
            draws = claw_back(
                lots,
                paid.for_referrer,
                of_sale=LotId(self.sold.entry_id),
                today=self.today,
                floor=self.programme.returns.points_floor,
            ).draws
        return ReferralTakenBack(
            referrer_id=paid.referrer_id, from_friend=paid.for_friend, lots=draws
        )


def forgiven(returns: Sequence[SaleReturned]) -> int:
    """Points that returns of a sale should have taken back and did not find."""
    due = sum(line.points for line in lines_of(returns))
    due += sum(card.points for one in returns for card in one.cards)
    due += sum(one.referral.from_friend for one in returns if one.referral is not None)
    return max(0, due - sum(draw.points for one in returns for draw in one.points_taken))

"""What a player counts; sums of parts are the sums of the whole."""

from datetime import date

import msgspec


class Tally(msgspec.Struct, kw_only=True):
    """Counters that add up field by field."""

    def add(self, other: "Tally") -> None:
        """Add another one's counters to these."""
        assert type(other) is type(self)
        for field in self.__struct_fields__:
            setattr(self, field, getattr(self, field) + getattr(other, field))


class Figures(Tally, kw_only=True):
    """A programme's totals: money in minor units, net of what came back, without levies.

    ``gross − hand − discount = revenue`` and ``revenue − tax = net``. Of the points
    ``issued − taken_back − spent − expired = live − owed``.
    """

    baskets: int = 0
    member_baskets: int = 0
    lines: int = 0
    returns: int = 0
    """Times goods came back."""
    gross_minor: int = 0
    hand_minor: int = 0
    """Discounts typed by hand, as they were."""
    discount_minor: int = 0
    """What offers took off."""
    revenue_minor: int = 0
    tax_minor: int = 0
    net_minor: int = 0
    levy_minor: int = 0
    loose_minor: int = 0
    """Paid out for goods whose sale is not known; taken off the revenue."""
    costed_net_minor: int = 0
    """The part of ``net`` whose goods have a known cost."""
    cost_minor: int = 0
    added_units: int = 0
    """Units given on top at 0."""
    added_value_minor: int = 0
    """Their list prices, where known."""
    added_cost_minor: int = 0
    """Their cost, where known."""
    points_issued: int = 0
    points_taken_back: int = 0
    points_spent: int = 0
    """As payment and for rewards, less what returns gave back."""
    points_paid_minor: int = 0
    """Money of the revenue and levies that was paid with points."""
    points_expired: int = 0
    points_live: int = 0
    """Spendable at the end."""
    points_owed: int = 0
    """Taken back after they were spent, at the end."""
    unproved: int = 0
    """Baskets whose price is not proved to be the lowest."""


class OfferTally(Tally, kw_only=True):
    """What one offer did."""

    times: int = 0
    baskets: int = 0
    members: int = 0
    """Members who had it at least once."""
    discount_minor: int = 0
    """Net of what came back."""
    points: int = 0
    """What it cost members as a reward."""
    added_units: int = 0
    added_value_minor: int = 0
    added_cost_minor: int = 0


class DayTally(Tally, kw_only=True):
    """One day of the shop."""

    baskets: int = 0
    revenue_minor: int = 0
    discount_minor: int = 0
    points_issued: int = 0


class MemberTally(msgspec.Struct, kw_only=True):
    """What one member had of a programme."""

    member: str
    baskets: int = 0
    revenue_minor: int = 0
    discount_minor: int = 0
    added_value_minor: int = 0
    points_kept: int = 0
    """Issued, less taken back and expired: what the member spent or can spend."""
    points_live: int = 0
    tier: str = ""
    """At the end."""


class Played(msgspec.Struct, kw_only=True):
    """Everything a player counted."""

    figures: Figures = msgspec.field(default_factory=Figures)
    offers: dict[str, OfferTally] = msgspec.field(default_factory=dict)
    days: dict[date, DayTally] = msgspec.field(default_factory=dict)
    members: list[MemberTally] = msgspec.field(default_factory=list)

    def offer(self, offer: str) -> OfferTally:
        """The tally of an offer."""
        return self.offers.setdefault(offer, OfferTally())

    def day(self, day: date) -> DayTally:
        """The tally of a day."""
        return self.days.setdefault(day, DayTally())

    def add(self, other: "Played") -> None:
        """Add what another part counted; no member is in two parts."""
        self.figures.add(other.figures)
        for offer, tally in other.offers.items():
            self.offer(offer).add(tally)
        for day, counted in other.days.items():
            self.day(day).add(counted)
        self.members += other.members

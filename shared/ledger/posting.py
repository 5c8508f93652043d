"""``post(entry)``: the postings of a fact, a function of the fact alone.

Nothing else is looked at: no balance, no programme, no other entry. So the order in which journals
arrive cannot change a balance. Each ``(kind, post_version)`` that was ever released stays here as
it was; golden vectors freeze it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar, cast

from shared.errors import ProtocolError
from shared.ids import EntryId
from shared.ledger.account import Posting
from shared.ledger.booking_benefit import post_action_counted, post_draw_entered
from shared.ledger.booking_member import post_members_merged, post_members_unmerged, post_tier_set
from shared.ledger.booking_partner import post_partner_returned, post_partner_sold
from shared.ledger.booking_ticket import post_return, post_sale
from shared.ledger.booking_till import (
    post_cash_moved,
    post_member_enrolled,
    post_nothing,
    post_points_transferred,
    post_shift_closed,
    post_shift_opened,
)
from shared.ledger.booking_value import (
    post_gift_card_closed,
    post_gift_card_sold,
    post_value_closed,
    post_value_topped_up,
)
from shared.trade.benefit import ActionCounted, DrawEntered
from shared.trade.fact import Fact
from shared.trade.kinds import FACTS
from shared.trade.member import MembersMerged, MembersUnmerged, TierSet
from shared.trade.partner import PartnerReturned, PartnerSold
from shared.trade.server import PointsTransferred
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.till import CashMoved, MemberEnrolled, ShiftClosed, ShiftOpened
from shared.trade.value import GiftCardClosed, GiftCardSold, ValueClosed, ValueToppedUp

FactType = TypeVar("FactType", bound=Fact)
BookingRule = Callable[[EntryId, Fact], Iterable[Posting]]


class RuleKey(NamedTuple):
    """What a fact names its booking rule by."""

    kind: str
    post_version: int


class BookingRules:
    """The booking rules of every release; more can be installed, none replaced."""

    def __init__(self) -> None:
        self._rules: dict[RuleKey, BookingRule] = {}

    def install(
        self,
        fact: type[FactType],
        rule: Callable[[EntryId, FactType], Iterable[Posting]],
        *,
        post_version: int,
    ) -> None:
        """Add the rule of a new ``post_version``."""
        key = RuleKey(fact.kind, post_version)
        assert key not in self._rules, key
        self._rules[key] = cast("BookingRule", rule)

    def has(self, fact: type[Fact]) -> bool:
        """Whether a fact of this shape has a rule."""
        return RuleKey(fact.kind, fact.post_version) in self._rules

    def post(self, entry_id: EntryId, fact: Fact, *, post_version: int) -> tuple[Posting, ...]:
        """The postings of a fact, zero amounts left out.

        Raises ProtocolError ``unknown-post-version`` for a rule of a later release and
        ``unbalanced-fact`` where the outcomes written in the fact contradict each other.
        """
        rule = self._rules.get(RuleKey(fact.kind, post_version))
        if rule is None:
            raise ProtocolError("unknown-post-version", kind=fact.kind, version=post_version)
        postings = tuple([posting for posting in rule(entry_id, fact) if posting.amount])
        for unit, amount in sum_by_unit(postings):
            if amount:
                raise ProtocolError("unbalanced-fact", kind=fact.kind, unit=unit, amount=amount)
        return postings


def sum_by_unit(postings: Iterable[Posting]) -> Iterator[tuple[str, int]]:
    """Each unit's total; all are zero in books that are right."""
    totals: dict[str, int] = {}
    for account, amount in postings:
        unit = account.unit
        totals[unit] = totals.get(unit, 0) + amount
    return iter(totals.items())


def released_rules() -> BookingRules:
    """The rules of this release and all before it."""
    rules = BookingRules()
    rules.install(SaleCompleted, post_sale, post_version=1)
    rules.install(SaleReturned, post_return, post_version=1)
    rules.install(MemberEnrolled, post_member_enrolled, post_version=1)
    rules.install(ShiftOpened, post_shift_opened, post_version=1)
    rules.install(CashMoved, post_cash_moved, post_version=1)
    rules.install(ShiftClosed, post_shift_closed, post_version=1)
    rules.install(PointsTransferred, post_points_transferred, post_version=1)
    rules.install(ValueToppedUp, post_value_topped_up, post_version=1)
    rules.install(ValueClosed, post_value_closed, post_version=1)
    rules.install(GiftCardSold, post_gift_card_sold, post_version=1)
    rules.install(ActionCounted, post_action_counted, post_version=1)
    rules.install(DrawEntered, post_draw_entered, post_version=1)
    rules.install(GiftCardClosed, post_gift_card_closed, post_version=1)
    rules.install(PartnerSold, post_partner_sold, post_version=1)
    rules.install(PartnerReturned, post_partner_returned, post_version=1)
    rules.install(MembersMerged, post_members_merged, post_version=1)
    rules.install(MembersUnmerged, post_members_unmerged, post_version=1)
    rules.install(TierSet, post_tier_set, post_version=1)
    for fact in FACTS:
        if not rules.has(fact):
            rules.install(fact, post_nothing, post_version=1)
    return rules


RULES = released_rules()

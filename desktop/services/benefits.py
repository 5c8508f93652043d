"""What members do at the till beside buying: actions that give points, entries of prize draws."""

from collections.abc import Callable, Iterator
from datetime import date, datetime

from desktop.services.basket import Pricing
from desktop.services.books import Books, EntryPlace
from desktop.services.leases import LeasedAccount, Leases, LeaseUnit
from desktop.services.stored_value import By, Written
from desktop.store import members as member_store
from desktop.store.members import Member
from desktop.store.writer import Transaction
from shared.errors import DomainError
from shared.ledger.account import AccountKind
from shared.ledger.spending import tender_spends
from shared.loyalty.calendar import last_day
from shared.loyalty.engagement import Action, PrizeDraw
from shared.loyalty.lots import draw
from shared.loyalty.member_now import lots_now, points_now, standing_now, standing_with
from shared.loyalty.programme import Programme
from shared.loyalty.taking_part import check_action, check_entries
from shared.pricing.sale_lines import names_by_language
from shared.trade.benefit import ActionCounted, DrawEntered
from shared.trade.fact import Fact, MemberOutcome, PointsOutcome, RuleEarned, Tender, TenderKind
from shared.trade.writing import Writing


class BenefitDesk:
    """Points for something else than buying, and something else for points."""

    def __init__(
        self,
        books: Books,
        leases: Leases,
        *,
        is_offline: Callable[[], bool] = lambda: False,
    ) -> None:
        self._books = books
        self._leases = leases
        self._is_offline = is_offline

    def actions(self, programme: Programme, member: Member) -> Iterator[Action]:
        """Those that would count now."""
        for rule in programme.actions:
            try:
                check_action(rule, _done(member, rule), self._books.today())
            except DomainError:
                continue
            yield rule

    def draws(self, programme: Programme, member: Member) -> Iterator[PrizeDraw]:
        """Those that the member could enter now, were the points enough."""
        for rule in programme.draws:
            try:
                check_entries(rule, 1, own=member.draw_entries.get(rule.id, 0), at=self._wall())
            except DomainError:
                continue
            yield rule

    def count_action(self, pricing: Pricing, member: Member, action: str, by: By) -> Written:
        """Give the points of an action.

        Raises DomainError ``not-in-programme``, ``unknown-member``, ``action-counted-already``.
        """
        rule = next((one for one in pricing.programme.actions if one.id == action), None)
        if rule is None:
            raise DomainError("not-in-programme", what=action)

        def work(transaction: Transaction) -> Written:
            known, today = _known(transaction, member), self._books.today()
            check_action(rule, _done(known, rule), today)
            held = points_now(known, pricing.programme, today)
            place = self._books.next_place(transaction)
            lapses = last_day(today, pricing.programme.expiry)
            by_rule = RuleEarned(
                rule=rule.id, names=names_by_language(rule.names), points=rule.points
            )
            points = PointsOutcome(
                decimals=pricing.programme.points.decimals,
                opening=held,
                earned=rule.points,
                closing=held + rule.points,
                as_of=known.balance_as_of,
                offline=self._is_offline(),
                expires_on=lapses.isoformat() if lapses else None,
                by_rule=(by_rule,) if rule.points else (),
            )
            fact = ActionCounted(
                receipt_no=self._books.receipt_no(place),
                store_id=self._books.identity.store_id,
                till_id=self._books.identity.till_id,
                shift_id=by.shift.shift_id,
                operator_id=by.operator_id,
                currency=pricing.programme.currency,
                programme=pricing.ref,
                action=rule.id,
                names=names_by_language(rule.names),
                day=today.isoformat(),
                member=self._outcome(pricing.programme, known, points),
            )
            return self._write(transaction, fact, fact.member, by, place)

        return self._books.writer.run(work)

    def enter_draw(
        self, pricing: Pricing, member: Member, draw_id: str, entries: int, by: By
    ) -> Written:
        """Buy entries of a draw for points.

        Raises DomainError ``not-in-programme``, ``unknown-member``, ``draw-not-open``,
        ``draw-entries``, ``points-not-enough`` and what leases raise, where points need them.
        """
        programme = pricing.programme
        rule = next((one for one in programme.draws if one.id == draw_id), None)
        if rule is None:
            raise DomainError("not-in-programme", what=draw_id)
        if programme.leases.for_points:
            account = LeasedAccount(AccountKind.POINTS, member.member_id, member.member_id)
            unit = LeaseUnit(decimals=programme.points.decimals)
            self._leases.check(account, rule.entry_points * max(1, entries), unit)

        def work(transaction: Transaction) -> Written:
            known, today = _known(transaction, member), self._books.today()
            own = known.draw_entries.get(rule.id, 0)
            cost = check_entries(rule, entries, own=own, at=self._wall())
            lots = draw(lots_now(known, programme), cost, today)
            held = points_now(known, programme, today)
            place = self._books.next_place(transaction)
            points = PointsOutcome(
                decimals=programme.points.decimals,
                opening=held,
                spent=cost,
                closing=held - cost,
                as_of=known.balance_as_of,
                offline=self._is_offline(),
            )
            tender = Tender(tender=TenderKind.POINTS, amount=0, points=cost, lots=lots)
            fact = DrawEntered(
                receipt_no=self._books.receipt_no(place),
                store_id=self._books.identity.store_id,
                till_id=self._books.identity.till_id,
                shift_id=by.shift.shift_id,
                operator_id=by.operator_id,
                currency=programme.currency,
                programme=pricing.ref,
                draw=rule.id,
                names=names_by_language(rule.names),
                entries=entries,
                tenders=self._by_lease(transaction, programme, known, tender),
                member=self._outcome(programme, known, points),
            )
            return self._write(transaction, fact, fact.member, by, place)

        return self._books.writer.run(work)

    def _by_lease(
        self, transaction: Transaction, programme: Programme, member: Member, tender: Tender
    ) -> tuple[Tender, ...]:
        if not programme.leases.for_points or not tender.points:
            return (tender,)
        spends = tender_spends(
            (tender,),
            member.member_id,
            currency=programme.currency,
            decimals=programme.points.decimals,
            own_lot="",
        )
        return self._leases.assign(transaction.connection, (tender,), list(spends))

    def _outcome(
        self, programme: Programme, member: Member, points: PointsOutcome
    ) -> MemberOutcome:
        today = self._books.today()
        return MemberOutcome(
            member_id=member.member_id,
            tier=standing_now(member, programme, today).tier,
            tier_after=standing_with(member, programme, today, points=points.closing).tier,
            points=points,
        )

    def _write(
        self,
        transaction: Transaction,
        fact: Fact,
        member: MemberOutcome,
        by: By,
        place: EntryPlace,
    ) -> Written:
        writing = Writing(fact, business_date=by.shift.business_date)
        chained = self._books.append_printed(transaction, writing, place.entry_id)
        member_store.set_tier(transaction.connection, member.member_id, member.tier_after)
        return Written(chained.id, fact)

    def _wall(self) -> datetime:
        """The store's wall clock, as programmes mean it."""
        at = self._books.clock.now().astimezone(self._books.identity.zone)
        return at.replace(tzinfo=None)


def _done(member: Member, rule: Action) -> dict[date, int]:
    return {day: times for (action, day), times in member.acted.items() if action == rule.id}


def _known(transaction: Transaction, member: Member) -> Member:
    known = member_store.find(transaction.connection, member.member_id)
    if known is None:
        raise DomainError("unknown-member", member=member.member_id)
    return known

"""Finds lots, coupons and referrals of which facts have taken more than there was."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import select

from shared.ids import EntryId, MemberId
from shared.ledger.account import DEBT_LOT, Account, AccountKind, Unit
from shared.ledger.balance import Balances
from shared.ledger.lot import lot_terms
from shared.trade.server import ExceptionEffect
from shared.trade.ticket import SaleCompleted
from shared.trade.till import MemberEnrolled
from shared.trade.value import ValueToppedUp
from sync_server.database.among import among, among_rows
from sync_server.database.schema import balances, entries, lots, postings
from sync_server.database.transaction import Snapshot
from sync_server.ledger.coupon_rights import CouponRights, in_batches
from sync_server.ledger.finding import FACTS_MAX, Finding, Rule
from sync_server.ledger.kept import Reading
from sync_server.members.aliases import aliases_among
from sync_server.points.recovered import debtors_among, paid_by_lots

_WATCHED = {
    AccountKind.POINTS: (Rule.LOT_OVERSPENT, "overspent"),
    AccountKind.COUPON: (Rule.COUPON_OVERSPENT, "coupon-overspent"),
    AccountKind.REFERRAL: (Rule.REFERRAL_PAID_TWICE, "referral-paid-twice"),
}


def find_overspending(snapshot: Snapshot, readings: Sequence[Reading]) -> list[Finding]:
    """What booking these readings in order takes too much of; called before they are stored.

    A draw that arrives before its lot is no finding: the lot's own entry decides.
    """
    touched = {account for reading in readings for account in _watched(reading)}
    falling = {
        account
        for reading in readings
        for account, amount in reading.postings
        if amount < 0 and account in touched
    }
    if not touched:
        return []
    running = _with_merged(snapshot, touched)
    for account, gave in _paid(snapshot, touched).items():
        # What a lot gave for a debt was not spent: the spender may not have known of it.
        running[account] = running.get(account, 0) + gave
    if not falling and not running:
        return []
    known = _known_lots(snapshot, touched) | _noted_referrals(snapshot, touched)
    coupons = CouponRights(snapshot, touched)
    history: dict[Account, list[EntryId]] = defaultdict(list)
    found: list[Finding] = []
    for reading in readings:
        found += _step(snapshot, reading, running, known, coupons, history)
    return found


def _step(
    snapshot: Snapshot,
    reading: Reading,
    running: Balances,
    known: set[Account],
    coupons: CouponRights,
    history: dict[Account, list[EntryId]],
) -> Iterator[Finding]:
    coupons.note(reading)
    opened = _opens(reading)
    for account in _watched(reading):
        change = sum(amount for touched, amount in reading.postings if touched == account)
        running[account] = running.get(account, 0) + change
        history[account].append(reading.id)
        if account in opened:
            known.add(account)
        lowered = change < 0 or account in opened
        if account.kind is AccountKind.COUPON:
            is_overspent = running[account] < coupons.lowest(account)
        else:
            is_overspent = account in known and running[account] < 0
        if lowered and is_overspent:
            yield _finding(snapshot, account, running[account], reading, history[account])


def _paid(snapshot: Snapshot, touched: Iterable[Account]) -> Balances:
    owners = {MemberId(one.owner) for one in touched if one.kind is AccountKind.POINTS}
    return {
        Account(AccountKind.POINTS, member, lot, unit): gave
        for member in debtors_among(snapshot, owners)
        for unit, paid in paid_by_lots(snapshot, member).items()
        for lot, gave in paid.items()
    }


def _finding(
    snapshot: Snapshot, account: Account, amount: int, reading: Reading, recent: list[EntryId]
) -> Finding:
    rule, prefix = _WATCHED[account.kind]
    is_lot = account.kind is AccountKind.POINTS
    is_of_member = account.kind is not AccountKind.COUPON
    subject = account.lot if is_lot else account.owner
    earlier = _facts_on(snapshot, account)
    linked = dict.fromkeys([*([EntryId(subject)] if is_lot else []), *earlier, *recent])
    facts = [fact for fact in linked if fact != reading.id][: FACTS_MAX - 1]
    return Finding(
        rule=rule,
        natural_key=f"{prefix}:{subject}:{reading.id}",
        facts=(*facts, reading.id),
        member_id=MemberId(account.owner) if is_of_member else None,
        effects=(
            ExceptionEffect(
                account=account.kind, owner=account.owner, unit=account.unit, amount=amount
            ),
        ),
    )


def _watched(reading: Reading) -> dict[Account, None]:
    return {
        account: None
        for account, _amount in reading.postings
        if account.kind in _WATCHED and account.lot != DEBT_LOT
    }


def _opens(reading: Reading) -> set[Account]:
    lots_opened = {terms.lot for terms in lot_terms(reading.envelope, reading.fact)}
    is_sale = isinstance(reading.fact, SaleCompleted | ValueToppedUp)
    is_enrolment = isinstance(reading.fact, MemberEnrolled)
    return {
        account
        for account, amount in reading.postings
        if (account.kind is AccountKind.COUPON and amount > 0 and is_sale)
        or (account.kind is AccountKind.POINTS and account.lot in lots_opened)
        or (account.kind is AccountKind.REFERRAL and is_enrolment)
    }


def _stored(snapshot: Snapshot, accounts: Iterable[Account]) -> Balances:
    columns = balances.c
    found: Balances = {}
    for keys in in_batches(accounts):
        statement = select(
            columns.account, columns.owner, columns.lot, columns.unit, columns.amount
        )
        statement = statement.where(
            columns.shard == snapshot.shard,
            among_rows((columns.account, columns.owner, columns.lot, columns.unit), keys),
        )
        for kind, owner, lot, unit, amount in snapshot.connection.execute(statement):
            found[Account(AccountKind(kind), owner, lot, Unit(unit))] = amount
    return found


def _with_merged(snapshot: Snapshot, touched: set[Account]) -> Balances:
    """What accounts have; an alias' lot is where its merges have brought it."""
    found = _stored(snapshot, touched)
    lots_of = {account for account in touched if account.kind is AccountKind.POINTS}
    bearers = {account: account for account in lots_of}
    while aliases := aliases_among(snapshot, {MemberId(one.owner) for one in bearers.values()}):
        bearers = {
            account: bearer._replace(owner=aliases[bearer.owner])
            for account, bearer in bearers.items()
            if bearer.owner in aliases
        }
        amounts = _stored(snapshot, set(bearers.values()))
        for account, bearer in bearers.items():
            if bearer in amounts:
                found[account] = found.get(account, 0) + amounts[bearer]
    return found


def _known_lots(snapshot: Snapshot, accounts: set[Account]) -> set[Account]:
    by_lot: dict[str, set[Account]] = defaultdict(set)
    for account in accounts:
        if account.kind is AccountKind.POINTS:
            by_lot[account.lot].add(account)
    known: set[Account] = set()
    for keys in in_batches(by_lot):
        statement = select(lots.c.lot).where(
            lots.c.shard == snapshot.shard, among(lots.c.lot, keys), lots.c.earned_on != ""
        )
        for lot in snapshot.connection.execute(statement).scalars():
            known |= by_lot[lot]
    return known


def _noted_referrals(snapshot: Snapshot, accounts: set[Account]) -> set[Account]:
    """Those of which the enrolment has arrived; of others the first payment is no finding."""
    wanted = {one.owner: one for one in accounts if one.kind is AccountKind.REFERRAL}
    known: set[Account] = set()
    for owners in in_batches(wanted):
        statement = select(postings.c.owner, postings.c.lot).where(
            postings.c.shard == snapshot.shard,
            postings.c.account == AccountKind.REFERRAL.value,
            postings.c.owner.in_(owners),
            postings.c.amount > 0,
            postings.c.entry_id.in_(
                select(entries.c.id).where(
                    entries.c.shard == snapshot.shard, entries.c.kind == MemberEnrolled.kind
                )
            ),
        )
        for owner, lot in snapshot.connection.execute(statement):
            known.add(wanted[owner]._replace(lot=lot))
    return known


def _facts_on(snapshot: Snapshot, account: Account) -> list[EntryId]:
    columns = postings.c
    statement = (
        select(columns.entry_id)
        .where(
            columns.shard == snapshot.shard,
            columns.account == account.kind.value,
            columns.owner == account.owner,
            columns.lot == account.lot,
        )
        .order_by(columns.entry_id)
        .limit(FACTS_MAX)
    )
    return [EntryId(found) for found in snapshot.connection.execute(statement).scalars()]

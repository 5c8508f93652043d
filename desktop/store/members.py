"""Members on the till: found by keyed hash, name or last digits; balances with own entries on top.

A member's balances are the server's as of a checkpoint plus every own posting that the checkpoint
does not contain yet: never twice, never missing.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from desktop.store.catalogue import after_prefix
from desktop.store.journal import add_to_balances, postings_of
from desktop.store.lots import put_lots
from desktop.store.member_keys import put_keys
from desktop.store.profile_changes import with_own_changes
from desktop.store.schema import (
    attachments,
    balances,
    lots,
    member_keys,
    member_search,
    members,
    profile_changes,
    pulled_balances,
)
from shared.ids import LotId, MemberId
from shared.ledger.account import Account, AccountKind, Posting, Unit, action_of, card_of, tier_of
from shared.ledger.lot import LotTerms
from shared.loyalty.lots import Lot
from shared.loyalty.stamps import Stamps
from shared.loyalty.tiers import Spending, TierFloor
from shared.loyalty.wallet import Wallet
from shared.protocol.message import BalanceRow, ConsentRow, MemberRow

NO_WALLET = Wallet()


@dataclass(frozen=True, slots=True)
class Member:
    """A member as this till knows them now."""

    member_id: MemberId
    name: str
    phone_tail: str
    card_tail: str
    tier: str
    """As last told by the server or reached here."""
    lots: tuple[Lot, ...]
    """Of points; one named ``debt`` is what the member owes."""
    spending: tuple[Spending, ...]
    """What each sale counts towards tiers."""
    balance_as_of: str
    birthday: str = ""
    """``--MM-DD``; empty where it is not known."""
    segments: tuple[str, ...] = ()
    language: str = ""
    changed_hlc: str = ""
    """When the profile was last changed, as far as is known here."""
    consents: tuple[ConsentRow, ...] = ()
    """The decisions that stand."""
    wallet: Wallet = NO_WALLET
    """Stored value, minor units."""
    cards: Mapping[str, Stamps] = field(default_factory=dict)
    """How far every visit card is, by card."""
    referred_by: str = ""
    """Who is to be paid for having brought them; empty once that is done."""
    friends: int = 0
    """Friends that they were paid for."""
    acted: Mapping[tuple[str, date], int] = field(default_factory=dict)
    """How often actions have counted, by action and day."""
    draw_entries: Mapping[str, int] = field(default_factory=dict)
    """Entries of prize draws, by draw."""
    floors: tuple[TierFloor, ...] = ()
    """Tiers set by hand."""
    stands_for: MemberId | None = None
    """Whose this all is, for an alias under its own id."""

    @property
    def person(self) -> MemberId:
        """Who it is, whatever the enrolment."""
        return self.stands_for or self.member_id

    @property
    def points(self) -> int:
        """All points that are booked, lapsed ones too, less what is owed."""
        return sum(lot.points for lot in self.lots)


def find_by_key(connection: Connection, key: str) -> list[Member]:
    """Members with this keyed hash of a phone or card; more than one where enrolled twice."""
    ids = connection.execute(select(member_keys.c.member_id).where(member_keys.c.key == key))
    return [member for row in ids if (member := find(connection, row.member_id))]


def search(connection: Connection, text: str, *, limit: int) -> list[Member]:
    """Members by part of the name, or by the last digits of the phone."""
    text = text.strip().lower()
    by_name = select(member_search.c.member_id).where(
        member_search.c.key >= text, member_search.c.key < after_prefix(text)
    )
    by_phone = select(members.c.member_id).where(members.c.phone_tail == text[-4:])
    statement = by_phone if text.isdecimal() and len(text) >= 4 else by_name
    ids = connection.execute(statement.distinct().limit(limit))
    return [member for row in ids if (member := find(connection, row.member_id))]


def find(connection: Connection, member_id: str) -> Member | None:
    """One member with balances; None if unknown here or erased."""
    row = connection.execute(select(members).where(members.c.member_id == member_id)).one_or_none()
    return _member(connection, row) if row is not None else None


def stands_for(connection: Connection, member_id: str) -> MemberId:
    """Whom a member was merged into by now; itself as long as this till knows of nobody."""
    passed = [member_id]
    # Rows of one person may be true for different moments, so that they name each other.
    while (above := _alias_of(connection, passed[-1])) and above not in passed:
        passed.append(above)
    return MemberId(passed[-1])


def _alias_of(connection: Connection, member_id: str) -> str:
    row = connection.execute(
        select(
            members.c.alias_of, members.c.alias_of.in_(select(members.c.member_id)).label("here")
        ).where(members.c.member_id == member_id)
    ).one_or_none()
    return row.alias_of if row is not None and row.here else ""


def find_person(connection: Connection, member_id: str) -> Member | None:
    """Who a member is by now, under the id that they go on with; None if unknown or erased."""
    return find(connection, stands_for(connection, member_id))


def find_by_now(connection: Connection, member_id: str) -> Member | None:
    """A member under its own id with what it has by now: of an alias, what the other has.

    Facts about an alias go on naming it: the server moves what they change, and can move it back.
    """
    found = find(connection, stands_for(connection, member_id))
    if found is None or found.member_id == member_id:
        return found
    return replace(found, member_id=MemberId(member_id), stands_for=found.member_id)


def _member(connection: Connection, row: Row[tuple[str, ...]]) -> Member:
    terms = {
        term.lot: term
        for term in connection.execute(select(lots).where(lots.c.member_id == row.member_id))
    }
    held = connection.execute(
        select(balances).where(balances.c.owner == row.member_id, balances.c.amount != 0)
    ).all()
    return Member(
        member_id=MemberId(row.member_id),
        name=row.name,
        phone_tail=row.phone_tail,
        card_tail=row.card_tail,
        tier=row.tier,
        lots=tuple(
            _lot(balance, terms.get(balance.lot))
            for balance in held
            if balance.account == AccountKind.POINTS
        ),
        spending=_spending(held, terms),
        balance_as_of=row.balance_as_of,
        birthday=row.birthday,
        segments=msgspec.json.decode(row.segments, type=tuple[str, ...]),
        language=row.language,
        changed_hlc=row.changed_hlc,
        consents=msgspec.json.decode(row.consents, type=tuple[ConsentRow, ...]),
        wallet=Wallet(
            principal=-_total(held, AccountKind.STORED_VALUE),
            bonus=-_total(held, AccountKind.STORED_BONUS),
        ),
        cards=_cards(held, terms),
        referred_by=next(
            (b.lot for b in held if b.account == AccountKind.REFERRAL and b.amount > 0), ""
        ),
        friends=_total(held, AccountKind.FRIENDS),
        acted={
            (action_of(b.unit), date.fromisoformat(b.lot)): b.amount
            for b in held
            if b.account == AccountKind.ACTION
        },
        draw_entries={b.lot: b.amount for b in held if b.account == AccountKind.DRAW_ENTRY},
        floors=tuple(
            TierFloor(tier_of(b.unit), date.fromisoformat(b.lot))
            for b in held
            if b.account == AccountKind.TIER_FLOOR and b.amount > 0
        ),
    )


def _total(held: Sequence[Row[tuple[str, ...]]], kind: AccountKind) -> int:
    return sum(balance.amount for balance in held if balance.account == kind)


def _lot(balance: Row[tuple[str, ...]], terms: Row[tuple[str, ...]] | None) -> Lot:
    """Points of one lot; debt, and what a merge brought, have no terms of their own."""
    return Lot(
        lot=LotId(balance.lot),
        points=balance.amount,
        earned_on=_began(terms),
        last_day=date.fromisoformat(terms.expires_on) if terms and terms.expires_on else None,
    )


def _began(terms: Row[tuple[str, ...]] | None) -> date:
    """The first day of a lot; the earliest of all where nobody has told it."""
    return date.fromisoformat(terms.earned_on) if terms and terms.earned_on else date.min


def _cards(
    held: Sequence[Row[tuple[str, ...]]], terms: Mapping[str, Row[tuple[str, ...]]]
) -> dict[str, Stamps]:
    """A sale has a lot of its own as long as any of its stamps are kept."""
    stamps: Counter[str] = Counter()
    days: defaultdict[str, list[date]] = defaultdict(list)
    for one in held:
        if one.account == AccountKind.STAMPS:
            card = card_of(one.unit)
            stamps[card] += one.amount
            if one.amount > 0 and (began := _began(terms.get(one.lot))) > date.min:
                days[card].append(began)
    return {
        card: Stamps(
            stamps=total,
            last_on=max(days[card], default=None),
        )
        for card, total in stamps.items()
    }


def _spending(
    held: Sequence[Row[tuple[str, ...]]], terms: Mapping[str, Row[tuple[str, ...]]]
) -> tuple[Spending, ...]:
    spend = {b.lot: b.amount for b in held if b.account == AccountKind.SPEND}
    growth = {b.lot: b.amount for b in held if b.account == AccountKind.GROWTH}
    return tuple(
        Spending(
            sale=sale,
            day=_began(terms.get(sale)),
            spend_minor=spend.get(sale, 0),
            growth=growth.get(sale, 0),
        )
        for sale in sorted(spend | growth)
    )


def put_member(
    connection: Connection, row: MemberRow, *, epoch: int, applied_through: int, as_of: str
) -> None:
    """Take over a member's profile and balances as of a checkpoint, own later entries on top."""
    if row.left:
        # Not erased: what was not sent yet still goes.
        _drop_rows(connection, row.member_id)
        return
    row = with_own_changes(connection, row, epoch=epoch, applied_through=applied_through)
    _drop_rows(connection, row.member_id)
    if row.gone:
        # Enrolment attachments that were not sent yet would bring the person back.
        connection.execute(delete(attachments).where(attachments.c.member_id == row.member_id))
        return
    connection.execute(
        insert(members).values(
            member_id=row.member_id,
            name=row.name,
            phone_tail=row.phone_tail,
            card_tail=row.card_tail,
            tier=row.tier,
            applied_epoch=epoch,
            applied_through=applied_through,
            balance_as_of=as_of,
            birthday=row.birthday,
            segments=msgspec.json.encode(row.segments).decode(),
            alias_of=row.alias_of,
            language=row.language,
            changed_hlc=row.changed_hlc,
            consents=msgspec.json.encode(row.consents).decode(),
        )
    )
    put_keys(connection, row)
    _put_balances(connection, row, epoch=epoch, applied_through=applied_through)


def forget_member(connection: Connection, member_id: MemberId) -> None:
    """Drop what the till knows of a member besides its own journal."""
    _drop_rows(connection, member_id)
    connection.execute(delete(profile_changes).where(profile_changes.c.member_id == member_id))


def _drop_rows(connection: Connection, member_id: MemberId) -> None:
    for table in (members, member_keys, member_search):
        connection.execute(delete(table).where(table.c.member_id == member_id))
    for table in (balances, pulled_balances):
        connection.execute(delete(table).where(table.c.owner == member_id))


def _put_balances(
    connection: Connection, row: MemberRow, *, epoch: int, applied_through: int
) -> None:
    pulled = [posting_of(row.member_id, balance) for balance in row.balances]
    if pulled:
        connection.execute(
            insert(pulled_balances),
            [
                {
                    "owner": posting.account.owner,
                    "account": posting.account.kind.value,
                    "lot": posting.account.lot,
                    "unit": posting.account.unit,
                    "amount": posting.amount,
                }
                for posting in pulled
            ],
        )
    own = postings_of(connection, row.member_id, epoch=epoch, from_seq=applied_through)
    if pulled or own:
        add_to_balances(connection, [*pulled, *own])
    put_lots(
        connection,
        [
            LotTerms(LotId(b.lot), row.member_id, b.earned_on, b.expires_on)
            for b in row.balances
            if b.earned_on
        ],
    )


def posting_of(member_id: MemberId, balance: BalanceRow) -> Posting:
    """A pulled balance as an amount on its account."""
    account = Account(AccountKind(balance.account), member_id, balance.lot, Unit(balance.unit))
    return Posting(account, balance.amount)


def set_tier(connection: Connection, member_id: str, tier: str) -> None:
    """Show a tier reached or lost by a ticket at once; the server derives its own."""
    member_id = stands_for(connection, member_id)
    connection.execute(update(members).where(members.c.member_id == member_id).values(tier=tier))

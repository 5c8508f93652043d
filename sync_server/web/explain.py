"""Entries in words: what happened, where, and what it did to the books."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from shared.errors import DomainError
from shared.language import Language, Words
from shared.ledger.account import AccountKind
from shared.loyalty.programme import Programme
from shared.trade.benefit import ActionCounted, DrawEntered
from shared.trade.fact import Fact
from shared.trade.fiscal import FiscalRecorded
from shared.trade.member import MembersMerged, MembersUnmerged, TierSet
from shared.trade.partner import PartnerReturned, PartnerSold
from shared.trade.profile_change import MemberChanged
from shared.trade.server import DrawRun, ExceptionRaised, MemberErased, PointsTransferred
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.till import MemberEnrolled
from shared.trade.value import GiftCardClosed, GiftCardSold, ValueClosed, ValueToppedUp
from sync_server.web.figures import show_amount, show_money, show_quantity, show_time
from sync_server.web.reading import KeptFact

_PLAIN = {MemberErased: "web.fact.erased", MemberChanged: "web.fact.profile-changed"}
_BesideBuying = ActionCounted | DrawEntered | DrawRun | PartnerSold | PartnerReturned
_OFFICE_OWNERS = {AccountKind.DRAWER, AccountKind.CASH_DIFFERENCE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One posting in words."""

    account: str
    owner: str
    amount: str
    is_negative: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """An entry as a page shows it."""

    entry_id: str
    kind: str
    time: str
    title: str
    place: str
    points: str = ""
    is_loss: bool = False
    lines: tuple[str, ...] = ()
    bookings: tuple[Booking, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explainer:
    """Explains entries in one language."""

    words: Words
    stores: Mapping[str, str] = field(default_factory=dict)
    """Names by id."""
    tills: Mapping[str, str] = field(default_factory=dict)
    programme: Programme | None = None

    def tier(self, tier_id: str) -> str:
        """A tier's name in the programme in force."""
        ladder = self.programme.tiers.ladder if self.programme else ()
        names = {tier.id: tier.names.get(self.words.language) for tier in ladder}
        return names.get(tier_id, tier_id)

    def explain(self, kept: KeptFact) -> Explained:
        """One entry in words; by its kind alone where it says what has none (no such currency)."""
        try:
            return self._explained(kept)
        except DomainError:
            return Explained(
                entry_id=kept.envelope.id,
                kind=kept.envelope.kind,
                time=show_time(kept.envelope.occurred_at),
                title=self.words("web.fact.other", kind=kept.envelope.kind),
                place=self._place(kept),
            )

    def _explained(self, kept: KeptFact) -> Explained:
        unit, change = _points(kept)
        return Explained(
            entry_id=kept.envelope.id,
            kind=kept.envelope.kind,
            time=show_time(kept.envelope.occurred_at),
            title=self._title(kept),
            place=self._place(kept),
            points=show_amount(unit, change, signed=True) if change else "",
            is_loss=change < 0,
            lines=tuple(self._lines(kept)),
            bookings=tuple(self._bookings(kept)),
        )

    def _title(self, kept: KeptFact) -> str:
        fact, words = kept.fact, self.words
        if isinstance(fact, SaleCompleted | SaleReturned):
            key = "web.fact.sale" if isinstance(fact, SaleCompleted) else "web.fact.return"
            return words(key, total=show_money(fact.currency, fact.total), receipt=fact.receipt_no)
        if isinstance(fact, MemberEnrolled):
            return words("web.fact.enrolled", tier=self.tier(fact.tier))
        if isinstance(fact, MembersMerged | MembersUnmerged | TierSet):
            return self._by_office(fact)
        if isinstance(fact, PointsTransferred):
            return words(f"web.fact.transferred.{fact.reason}")
        if isinstance(fact, ValueToppedUp | ValueClosed | GiftCardSold | GiftCardClosed):
            key, amount = _value(fact)
            return words(key, amount=show_money(fact.currency, amount))
        if isinstance(fact, _BesideBuying):
            return self._beside_buying(fact)
        if isinstance(fact, ExceptionRaised):
            return words(f"web.rule.{fact.rule}")
        if isinstance(fact, FiscalRecorded):
            return words(f"web.fact.fiscal-{fact.state}", receipt=fact.receipt_no)
        return words(_PLAIN.get(type(fact), "web.fact.other"), kind=fact.kind)

    def _by_office(self, fact: MembersMerged | MembersUnmerged | TierSet) -> str:
        words = self.words
        if not isinstance(fact, TierSet):
            key = "merged" if isinstance(fact, MembersMerged) else "unmerged"
            return words(f"web.fact.{key}", alias=fact.from_member, into=fact.into_member)
        if not fact.tier:
            return words("web.fact.tier-ended")
        return words("web.fact.tier-set", tier=self.tier(fact.tier), on=fact.last_day)

    def _beside_buying(self, fact: _BesideBuying) -> str:
        words, name = self.words, name_in(self.words.language, fact.names)
        match fact:
            case ActionCounted():
                return words("web.fact.action", action=name)
            case DrawEntered():
                return words("web.fact.draw-entered", draw=name, entries=fact.entries)
            case DrawRun():
                return words("web.fact.draw-run", draw=name)
            case PartnerSold():
                price = show_money(fact.currency, fact.spend + fact.paid)
                return words("web.fact.partner-sold", partner=name, amount=price)
            case PartnerReturned():
                price = show_money(fact.currency, fact.spend + fact.paid)
                return words("web.fact.partner-returned", partner=name, amount=price)

    def _place(self, kept: KeptFact) -> str:
        store = getattr(kept.fact, "store_id", None)
        till = getattr(kept.fact, "till_id", None)
        if store is None:
            return self.words("web.head-office")
        names = [self.stores.get(store, store), self.tills.get(till, "") if till else ""]
        return " · ".join(name for name in names if name)

    def _lines(self, kept: KeptFact) -> Iterator[str]:
        fact = kept.fact
        if isinstance(fact, SaleCompleted):
            yield from self._sale(fact)
        elif isinstance(fact, SaleReturned):
            yield from self._return(fact)
        elif isinstance(fact, MemberChanged):
            yield from self._consents(fact)
        else:
            yield from self.effects(fact)

    def _consents(self, fact: MemberChanged) -> Iterator[str]:
        for one in fact.consents:
            key = "granted" if one.is_granted else "withdrawn"
            consent = self.words(f"web.consent.{one.consent}")
            yield self.words(f"web.fact.consent-{key}", consent=consent)

    def effects(self, fact: Fact) -> list[str]:
        """By how much an exception is off, account by account."""
        raised = fact.effects if isinstance(fact, ExceptionRaised) else ()
        return [
            self.words("web.effect.units", n=each.amount)
            if each.unit == "units"
            else self.words(
                "web.effect.balance",
                account=self.words(f"web.account.{each.account}"),
                amount=show_amount(each.unit, each.amount),
            )
            for each in raised
        ]

    def _sale(self, fact: SaleCompleted) -> Iterator[str]:
        words = self.words
        for line in fact.lines:
            yield words(
                "web.fact.line",
                name=self._named(line.names),
                quantity=show_quantity(line.quantity, line.measure),
                amount=show_money(fact.currency, line.amount),
            )
        for offer in fact.offers:
            amount = show_money(fact.currency, offer.amount)
            yield words("web.fact.offer", name=self._named(offer.names), amount=amount)
        paid = [
            f"{words(f'web.tender.{each.tender}')} {show_money(fact.currency, each.amount)}"
            for each in fact.tenders
        ]
        yield words("web.fact.paid", tenders=words("web.and").join(paid))
        if fact.member is not None:
            unit = f"points/{fact.member.points.decimals}"
            for rule in fact.member.points.by_rule:
                points = show_amount(unit, rule.points)
                yield words("web.fact.earned", name=self._named(rule.names), points=points)
            spent = sum(draw.points for each in fact.tenders for draw in each.lots)
            if spent:
                yield words("web.fact.spent", points=show_amount(unit, spent))
            if fact.member.tier_after != fact.member.tier:
                yield words("web.fact.tier", tier=self.tier(fact.member.tier_after))

    def _return(self, fact: SaleReturned) -> Iterator[str]:
        words = self.words
        if fact.original_receipt_no:
            yield words("web.fact.of-receipt", receipt=fact.original_receipt_no)
        for line in fact.lines:
            yield words(
                "web.fact.line",
                name=self._named(line.names),
                quantity=show_quantity(line.quantity, line.measure),
                amount=show_money(fact.currency, line.amount),
            )
        refunded = [
            f"{words(f'web.tender.{each.tender}')} {show_money(fact.currency, each.amount)}"
            for each in fact.refunds
        ]
        yield words("web.fact.refunded", tenders=words("web.and").join(refunded))
        if fact.member is not None:
            unit = f"points/{fact.member.points.decimals}"
            taken = sum(draw.points for draw in fact.points_taken)
            if taken:
                yield words("web.fact.taken", points=show_amount(unit, taken))
            if fact.member.tier_after != fact.member.tier:
                yield words("web.fact.tier", tier=self.tier(fact.member.tier_after))

    def _bookings(self, kept: KeptFact) -> Iterator[Booking]:
        for account, amount in kept.postings:
            yield Booking(
                account=self.words(f"web.account.{account.kind}"),
                owner=self._owner(account.kind, account.owner),
                amount=show_amount(account.unit, amount, signed=True),
                is_negative=amount < 0,
            )

    def _owner(self, kind: AccountKind, owner: str) -> str:
        if kind in _OFFICE_OWNERS:
            return self.tills.get(owner, owner)
        if owner == "programme":
            return self.words("web.owner.programme")
        if kind in {AccountKind.POINTS, AccountKind.GROWTH, AccountKind.SPEND}:
            return self.words("web.owner.member")
        return self.stores.get(owner, owner)

    def _named(self, names: Mapping[str, str]) -> str:
        return name_in(self.words.language, names)


def name_in(language: Language, names: Mapping[str, str]) -> str:
    """A name written into a fact, in a language or the next best."""
    short = language.value.partition("_")[0]
    wanted: Iterable[str | None] = (names.get(language.value), names.get(short), *names.values())
    return next((name for name in wanted if name), "")


def _value(fact: ValueToppedUp | ValueClosed | GiftCardSold | GiftCardClosed) -> tuple[str, int]:
    match fact:
        case ValueToppedUp():
            return "web.fact.topped-up", fact.amount
        case ValueClosed():
            return "web.fact.value-closed", fact.principal
        case GiftCardSold():
            return "web.fact.card-sold", fact.amount
        case GiftCardClosed():
            return "web.fact.card-closed", fact.amount


def _points(kept: KeptFact) -> tuple[str, int]:
    mine = [p for p in kept.postings if p.account.kind is AccountKind.POINTS]
    unit = mine[0].account.unit if mine else "points/0"
    return unit, sum(posting.amount for posting in mine)

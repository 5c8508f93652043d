"""Makes every return a second time: what it should have given, by the function that tills use."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from shared.ids import EntryId, MemberId
from shared.pricing.sale_basket import Difference, Measured, Unjudged
from shared.returning.history import money_back, without_goods, worth
from shared.returning.judging import judge_return
from shared.returning.lines import SoldBy
from shared.trade.ticket import SaleCompleted, SaleReturned
from sync_server.catalogue.goods import articles
from sync_server.database.schema import members
from sync_server.database.transaction import Snapshot, Work
from sync_server.ledger.audit_job import Audited, Verdict, Watched, fact_of
from sync_server.ledger.finding import Finding, Rule
from sync_server.ledger.price_audit import effects_of
from sync_server.ledger.sales_and_returns import (
    Sold,
    read_return,
    read_sale,
    returns_of,
    sale_before,
)
from sync_server.programme.bundles import programme_of

RETURNS: Final = Watched(job="returns", judged=SaleReturned.kind, beside=(SaleCompleted.kind,))


@dataclass(frozen=True, slots=True)
class ReturnJudge:
    """Judges returns; those that came before their sale when the sale is there."""

    watched: Watched = RETURNS

    def judge(self, work: Work, entry: Audited) -> Iterator[Verdict]:
        """One return, or those that have waited for this sale."""
        if entry.kind == SaleReturned.kind:
            returned = fact_of(entry)
            if isinstance(returned, SaleReturned):
                sold = sale_before(work, returned.original, entry.server_seq)
                yield _judged(work, entry, returned, sold)
            else:
                yield Verdict(unjudged=Unjudged.UNREADABLE)
            return
        for early in returns_of(work, entry.id, before=entry.server_seq):
            verdict = _judged(work, early, read_return(early), read_sale(entry))
            if verdict.unjudged is None:
                yield Verdict(verdict.findings, made_good=True)


def _judged(work: Work, entry: Audited, returned: SaleReturned, sold: Sold | None) -> Verdict:
    if returned.original is None:
        return Verdict(unjudged=Unjudged.NO_RECEIPT)
    if sold is None:
        return Verdict((_without_sale(entry),), unjudged=Unjudged.UNKNOWN_SALE)
    programme = programme_of(work, sold.sale.programme)
    own = programme_of(work, returned.programme)
    if programme is None or own is None:
        return Verdict(unjudged=Unjudged.UNKNOWN_PROGRAMME)
    goods = articles(work, {line.goods_id for line in sold.sale.lines})
    verdict = judge_return(
        returned,
        sold.sale,
        _known_before(work, entry, returned.original),
        SoldBy(programme, sold.at, goods),
        own=own,
        is_forgotten=_is_forgotten(work, sold.sale),
    )
    too_much = _money_beyond(work, entry, returned, sold.sale)
    findings: list[Finding] = []
    for rule, differences in (
        (Rule.RETURNED_TWICE, [Difference(Measured.MONEY, too_much)] if too_much else []),
        (Rule.RETURNED_OTHERWISE, [] if isinstance(verdict, Unjudged) else verdict),
    ):
        if differences:
            member = sold.sale.member
            findings.append(
                Finding(
                    rule=rule,
                    natural_key=f"{rule.value}:{entry.id}",
                    facts=(returned.original, entry.id),
                    member_id=MemberId(member.member_id) if member else None,
                    effects=effects_of(differences, returned.currency, programme),
                )
            )
    return Verdict(tuple(findings), unjudged=verdict if isinstance(verdict, Unjudged) else None)


def _money_beyond(
    snapshot: Snapshot, entry: Audited, returned: SaleReturned, sale: SaleCompleted
) -> int:
    """By how much more went back of a sale than it cost, where some went back without goods.

    Of goods that came back twice their units tell.
    """
    arrived = returns_of(snapshot, EntryId(returned.original or ""), before=entry.server_seq)
    returns = [*map(read_return, arrived), returned]
    if not without_goods(returns):
        return 0
    beyond = money_back(returns) - worth(sale)
    return max(0, min(beyond, returned.total))


def _without_sale(entry: Audited) -> Finding:
    """Tills take back what they sold or have looked up here: there is no such sale."""
    return Finding(
        rule=Rule.RETURN_WITHOUT_SALE,
        natural_key=f"{Rule.RETURN_WITHOUT_SALE.value}:{entry.id}",
        facts=(entry.id,),
    )


def _known_before(
    snapshot: Snapshot, entry: Audited, original: EntryId
) -> list[list[SaleReturned]]:
    """Earlier returns of the sale as the till may have known them.

    All that had arrived; those that also happened before; those of the till itself, if it had no
    network.
    """
    arrived = list(returns_of(snapshot, original, before=entry.server_seq))
    ways = (
        arrived,
        [one for one in arrived if one.hlc < entry.hlc],
        [one for one in arrived if one.journal == entry.journal],
    )
    return [[read_return(one) for one in way] for way in ways]


def _is_forgotten(snapshot: Snapshot, sale: SaleCompleted) -> bool:
    """Whether the sale's member was erased: tills then know nobody to take points from."""
    if sale.member is None:
        return True
    gone = snapshot.connection.execute(
        select(members.c.gone).where(
            members.c.shard == snapshot.shard, members.c.member_id == sale.member.member_id
        )
    ).scalar()
    return gone is not False

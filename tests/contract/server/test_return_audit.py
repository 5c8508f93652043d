"""Every return is made again, on every database: honest ones agree, forged ones are found once."""

from dataclasses import replace

import msgspec
import pytest
from sqlalchemy import select

from desktop.store.members import Member
from shared.ids import LotId, MemberId
from shared.loyalty.bundle import programme_bytes
from shared.loyalty.conditions import FirstSale
from shared.loyalty.effects import Ladder, PercentOff, Step
from shared.loyalty.lots import Lot
from shared.loyalty.programme import CashRounding, ReturnPolicy, Returns
from shared.pricing.basket import MemberContext
from shared.pricing.sale_basket import Unjudged
from shared.returning.goods_back import ReturnTicket, TakingBack
from shared.returning.lines import SoldBy, Wanted
from shared.returning.sold import ReturnableSale
from shared.trade.kinds import read_fact
from shared.trade.ticket import SaleReturned
from sync_server.background import Repeated
from sync_server.database import schema
from sync_server.ledger.audit_job import Outcome, progress_of
from sync_server.ledger.price_audit import SALES
from sync_server.ledger.return_audit import RETURNS
from tests.pricing_builders import (
    basket,
    earning,
    goods,
    line,
    offer,
    programme,
    rate,
    tax_class,
)
from tests.support.priced_facts import sale_of
from tests.support.servers import Server

TEA, CAKE = goods("TEA", 12_50), goods("CAKE", 8_99)
RULES = programme(
    offer("ladder", Ladder(steps=(Step(threshold_minor=30_00, off_minor=5_00),))),
    offer("first", PercentOff(basis_points_off=1_000), conditions=(FirstSale(),)),
    tax_classes=(tax_class("standard", rate(130_000, included=True)),),
    earning=earning(points=2),
    cash_rounding=CashRounding(),
)


class Shop:
    """A server, and tills that sell three TEA and a CAKE and take some back."""

    def __init__(self, server: Server, policy: ReturnPolicy):
        self.server = server
        server.services.catalogue.put([TEA, CAKE])
        self.rules = msgspec.structs.replace(RULES, returns=Returns(policy=policy))
        self.ref = server.services.programme.publish(programme_bytes(self.rules))
        self.till = server.enrol_till()
        self.member = self.till.enrol_member()

    def sell(self) -> ReturnableSale:
        at = self.till.clock.at
        shopping = replace(
            basket(line(TEA, 3, id="1"), line(CAKE, id="2"), at=at),
            member=MemberContext(tier="member"),
        )
        sale = sale_of(shopping, self.rules, self.ref, member=self.member)
        return ReturnableSale(self.till.write(sale), at, sale, ())

    def back(self, of: ReturnableSale, *wanted: tuple[int, int], known: bool = True):
        """The fact of an honest till, not written yet."""
        lots = (Lot(lot=LotId(of.entry_id), points=10_000, earned_on=of.sold_on),)
        who = Member(self.member, "", "", "", "member", lots=lots, spending=(), balance_as_of="")
        back = TakingBack(
            of,
            self.rules,
            who if known else None,
            today=of.sold_on,
            sold_by=SoldBy(self.rules, of.sold_at, {"TEA": TEA, "CAKE": CAKE}),
        ).of_goods([Wanted(*one) for one in wanted])
        ticket = ReturnTicket(
            receipt_no=f"01-{len(of.returns):06}",
            ticket_id="ticket",
            store_id=of.sale.store_id,
            till_id=of.sale.till_id,
            shift_id=of.sale.shift_id,
            operator_id=of.sale.operator_id,
            currency=of.sale.currency,
            programme=self.ref,
            original=of,
            reason="changed mind",
        )
        return back.fact(ticket)

    def judge(self) -> Outcome:
        self.server.line.push(self.till)
        return self.server.services.returns_audit.run()

    def raised(self) -> dict[str, dict[str, int]]:
        """What was raised of returns, and what the customer has too much."""
        with self.server.services.database.reading() as snapshot:
            rows = snapshot.connection.execute(
                select(schema.exceptions.c.natural_key, schema.entries.c.bytes)
                .join(schema.entries, schema.entries.c.id == schema.exceptions.c.entry_id)
                .where(schema.exceptions.c.rule == "returned-otherwise")
            ).all()
        bodies = {row.natural_key: msgspec.json.decode(row.bytes)["body"] for row in rows}
        return {
            key: {one["account"]: one["amount"] for one in body["effects"]}
            for key, body in bodies.items()
        }


def after(of: ReturnableSale, *facts: SaleReturned) -> ReturnableSale:
    return replace(of, returns=(*of.returns, *facts))


@pytest.fixture(params=[ReturnPolicy.LINE_SHARES, ReturnPolicy.RE_PRICE])
def shop(server: Server, request) -> Shop:
    return Shop(server, request.param)


def test_honest_returns_agree_in_any_order(shop):
    of = shop.sell()
    for wanted in [((1, 1),), ((2, 1), (1, 1)), ((1, 1),)]:
        fact = shop.back(of, *wanted)
        shop.till.write(fact)
        of = after(of, fact)
    assert sum(one.total for one in of.returns) == of.sale.total
    outcome = shop.judge()
    assert (outcome.judged, outcome.different, dict(outcome.unjudged)) == (3, 0, {})
    assert shop.raised() == {}


def more_money(fact):
    first, *rest = fact.lines
    dear = msgspec.structs.replace(first, amount=first.amount + 1)
    cash = msgspec.structs.replace(fact.refunds[0], amount=fact.refunds[0].amount + 1)
    return msgspec.structs.replace(
        fact, lines=(dear, *rest), total=fact.total + 1, refunds=(cash, *fact.refunds[1:])
    )


def less_tax(fact):
    first, *rest = fact.lines
    taxes = tuple(msgspec.structs.replace(one, tax=one.tax - 1) for one in first.taxes)
    return msgspec.structs.replace(fact, lines=(msgspec.structs.replace(first, taxes=taxes), *rest))


def points_kept(fact):
    taken = sum(one.points for one in fact.points_taken)
    assert taken
    return msgspec.structs.replace(fact, points_taken=())


@pytest.mark.parametrize(
    ("forge", "account", "amount"),
    [
        (more_money, "audit-total", 1),
        (less_tax, "audit-tax", -1),
        (points_kept, "audit-points", None),
    ],
)
def test_a_forged_return_is_found_and_only_once(shop, forge, account, amount):
    of = shop.sell()
    honest = shop.back(of, (1, 1))
    shop.till.write(honest)
    of = after(of, honest)
    second = shop.back(of, (1, 1))
    entry = shop.till.write(forge(second))

    first, again = shop.judge(), shop.server.services.returns_audit.run()

    assert (first.judged, first.different) == (2, 1)
    assert again == Outcome()
    ((key, effects),) = shop.raised().items()
    taken = sum(one.points for one in second.points_taken)
    assert key == f"returned-otherwise:{entry}"
    assert effects == {account: taken if amount is None else amount}


def test_line_shares_where_the_programme_prices_again_are_found(server):
    shop = Shop(server, ReturnPolicy.RE_PRICE)
    of = shop.sell()
    rules, shop.rules = shop.rules, RULES
    by_shares = shop.back(of, (1, 2))
    shop.rules = rules
    right = shop.back(of, (1, 2))
    entry = shop.till.write(by_shares)
    shop.judge()
    effects = shop.raised()[f"returned-otherwise:{entry}"]
    assert effects["audit-total"] == by_shares.total - right.total > 0


def test_a_return_that_arrives_before_its_sale_is_judged_when_the_sale_is_there(shop):
    other = shop.server.enrol_till("other")
    other.clock.at = shop.till.clock.at
    of = shop.sell()
    honest = shop.back(of, (1, 1))
    forged = more_money(shop.back(after(of, honest), (1, 1)))
    other.write(honest)
    entry = other.write(forged)
    shop.server.line.push(other)
    early = shop.server.services.returns_audit.run()
    assert (early.judged, early.unjudged[Unjudged.UNKNOWN_SALE]) == (0, 2)

    late = shop.judge()

    assert (late.judged, late.different, late.unjudged[Unjudged.UNKNOWN_SALE]) == (2, 1, -2)
    assert list(shop.raised()) == [f"returned-otherwise:{entry}"]
    with shop.server.services.database.reading() as snapshot:
        progress = progress_of(snapshot, RETURNS)
    assert (progress.judged, progress.unjudged, progress.waiting) == (2, 0, 0)
    assert shop.judge() == Outcome()


def test_tills_that_knew_nothing_of_each_other_agree_each_by_what_it_knew(server):
    shop = Shop(server, ReturnPolicy.LINE_SHARES)
    other = server.enrol_till("other")
    other.clock.at = shop.till.clock.at
    of = shop.sell()
    server.line.push(shop.till)
    other.write(shop.back(of, (1, 1)))
    server.line.push(other)
    shop.till.clock.advance(seconds=60)
    shop.till.write(shop.back(of, (1, 1)))
    outcome = shop.judge()
    assert (outcome.judged, outcome.different) == (2, 0)


def test_of_who_was_erased_everything_goes_back_as_money(shop):
    of = shop.sell()
    fact = shop.back(of, (1, 1), known=False)
    assert fact.member is None
    server = shop.server
    server.line.push(shop.till)
    entry = shop.till.write(fact)
    shop.judge()
    assert "audit-points" in shop.raised()[f"returned-otherwise:{entry}"]
    server.services.erasure.erase(MemberId(shop.member), reason="request")
    shop.till.write(shop.back(after(of, fact), (1, 1), known=False))
    outcome = shop.judge()
    assert (outcome.judged, outcome.different) == (1, 0)


def test_what_cannot_be_made_again_is_counted_with_its_reason(server):
    shop = Shop(server, ReturnPolicy.RE_PRICE)
    of = shop.sell()
    fact = shop.back(of, (1, 1))
    facts = (
        msgspec.structs.replace(fact, original=None),
        msgspec.structs.replace(fact, original="nobody"),
        msgspec.structs.replace(fact, engine="99"),
        msgspec.structs.replace(fact, programme=msgspec.structs.replace(shop.ref, version=9)),
        shop.back(of, (1, 3)),
        shop.back(of, (1, 3)),
    )
    for one in facts:
        shop.till.write(one)
    outcome = shop.judge()
    assert outcome.unjudged == {
        Unjudged.NO_RECEIPT: 1,
        Unjudged.UNKNOWN_SALE: 1,
        Unjudged.OTHER_ENGINE: 1,
        Unjudged.UNKNOWN_PROGRAMME: 1,
        Unjudged.RETURNED_TWICE: 2,
    }
    assert shop.raised() == {}


def test_an_audit_that_is_stopped_goes_on_where_it_was(shop, monkeypatch):
    of = shop.sell()
    for _ in range(3):
        fact = shop.back(of, (1, 1))
        shop.till.write(more_money(fact))
        of = after(of, more_money(fact))
    shop.server.line.push(shop.till)
    monkeypatch.setattr("sync_server.ledger.audit_job.BATCH", 2)
    own = shop.server.services.own
    raise_exceptions, broken = own.raise_exceptions, iter([False, True])

    def sometimes(self, work, findings):
        raise_exceptions(work, findings)
        if next(broken, False):
            raise KeyboardInterrupt

    monkeypatch.setattr(type(own), "raise_exceptions", sometimes)
    with pytest.raises(KeyboardInterrupt):
        shop.server.services.returns_audit.run()
    with shop.server.services.database.reading() as snapshot:
        assert progress_of(snapshot, RETURNS).waiting == 2
    monkeypatch.undo()
    shop.server.services.returns_audit.run()
    with shop.server.services.database.reading() as snapshot:
        assert progress_of(snapshot, RETURNS).waiting == 0
    assert shop.server.services.returns_audit.run() == Outcome()
    assert len(shop.raised()) == 3


def test_a_thread_behind_the_server_runs_both_audits(shop):
    of = shop.sell()
    shop.till.write(more_money(shop.back(of, (1, 1))))
    shop.server.line.push(shop.till)
    services = shop.server.services
    works = services.audit.run_behind, services.returns_audit.run_behind
    with Repeated("audit", *works, pause_s=0.01):
        while any(one.waiting for one in progress_of_both(services)):
            pass
    assert [one.judged for one in progress_of_both(services)] == [1, 1]
    assert len(shop.raised()) == 1


def progress_of_both(services):
    with services.database.reading() as snapshot:
        return [progress_of(snapshot, watched) for watched in (SALES, RETURNS)]


def test_metrics_tell_the_lag(shop):
    of = shop.sell()
    entry = shop.till.write(shop.back(of, (1, 1)))
    shop.server.line.push(shop.till)
    url = shop.server.line.client.base_url
    assert "evertill_unaudited_returns 1.0" in shop.server.line.client.get(f"{url}/metrics").text
    shop.judge()
    assert "evertill_unaudited_returns 0.0" in shop.server.line.client.get(f"{url}/metrics").text
    written = next(one for one in shop.till.entries if one.id == entry)
    assert isinstance(read_fact(written.envelope), SaleReturned)

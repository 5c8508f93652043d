"""Every sale is priced again, on every database: honest ones agree, forged ones are found once."""

from dataclasses import replace

import msgspec
import pytest
from sqlalchemy import select

from shared.ids import CouponId
from shared.loyalty.bundle import programme_bytes
from shared.loyalty.conditions import FirstSale
from shared.loyalty.effects import IssueCoupon, Ladder, NthItem, PercentOff, Step
from shared.loyalty.offers import Coupon
from shared.pricing.basket import MemberContext
from shared.pricing.cash import cash_rounding
from shared.pricing.sale_basket import Unjudged
from shared.trade.fact import Fact, OfferApplied
from sync_server.database import schema
from sync_server.ledger.audit_job import AuditJob, Outcome, progress_of
from sync_server.ledger.price_audit import SALES, SaleJudge
from tests.pricing_builders import (
    basket,
    earning,
    goods,
    line,
    names,
    offer,
    only,
    programme,
    rate,
    tax_class,
)
from tests.support.priced_facts import sale_of
from tests.support.servers import Server
from tests.support.till_writer import START

TEA, CAKE = goods("TEA", 12_50), goods("CAKE", 8_99, category="food")
RULES = programme(
    offer("ladder", Ladder(steps=(Step(threshold_minor=30_00, off_minor=5_00),))),
    offer("cakes", NthItem(nth=2, basis_points_off=5_000), only("CAKE")),
    offer("tenth", PercentOff(basis_points_off=1_000), claimed=True),
    tax_classes=(tax_class("standard", rate(130_000, included=True)),),
    earning=earning(points=2),
)
SHOPPING = basket(line(TEA, 3), line(CAKE, 2), at=START, member=None)


@pytest.fixture
def shop(server: Server):
    """A server with goods and a programme, and a till."""
    server.services.catalogue.put([TEA, CAKE])
    ref = server.services.programme.publish(programme_bytes(RULES))
    return server, server.enrol_till(), ref


def member_shopping(*claims: str):
    more = basket(line(TEA, 3), line(CAKE, 2), at=START, coupons=claims)
    return replace(more, member=MemberContext(tier="member"))


def push(server, till, *facts):
    for fact in facts:
        till.write(fact)
    server.line.push(till)


def test_a_personal_coupon_issued_to_nobody_is_found(server: Server) -> None:
    rules = programme(
        offer("giving", IssueCoupon(coupon="own")),
        offer("tenth", PercentOff(basis_points_off=1_000), claimed=True),
        coupons=(
            Coupon(
                id="own", version=1, names=names("own"), offer="tenth", valid_days=9, personal=True
            ),
        ),
    )
    server.services.catalogue.put([TEA])
    ref = server.services.programme.publish(programme_bytes(rules))
    till = server.enrol_till()
    honest = sale_of(basket(line(TEA), at=START), rules, ref, member=till.enrol_member())
    nobodys = sale_of(basket(line(TEA), at=START, member=None), rules, ref)
    push(server, till, honest, nobodys)
    assert server.services.audit.run().different == 0
    push(server, till, msgspec.structs.replace(nobodys, coupons_issued=honest.coupons_issued))
    assert server.services.audit.run().different == 1


def raised(server) -> list[dict]:
    with server.services.database.reading() as snapshot:
        return [
            row._asdict()
            for row in snapshot.connection.execute(
                select(schema.exceptions).where(schema.exceptions.c.rule == "priced-otherwise")
            )
        ]


def test_honest_sales_agree(shop):
    server, till, ref = shop
    member = till.enrol_member()
    push(
        server,
        till,
        sale_of(SHOPPING, RULES, ref),
        sale_of(member_shopping(), RULES, ref, member=member),
        sale_of(member_shopping("tenth"), RULES, ref, member=member),
    )

    outcome = server.services.audit.run()

    assert (outcome.judged, outcome.different, outcome.unjudged.total()) == (3, 0, 0)
    assert raised(server) == []


def one_cent_off(sale):
    first, *rest = sale.lines
    dear = msgspec.structs.replace(first, amount=first.amount + 1)
    return msgspec.structs.replace(sale, lines=(dear, *rest), total=sale.total + 1)


def one_point_too_many(sale):
    points = msgspec.structs.replace(sale.member.points, earned=sale.member.points.earned + 1)
    return msgspec.structs.replace(sale, member=msgspec.structs.replace(sale.member, points=points))


def an_offer_that_is_none(sale):
    first, *rest = sale.lines
    share = msgspec.structs.replace(first.discounts[0], offer_id="friends")
    line_ = msgspec.structs.replace(first, discounts=(share, *first.discounts[1:]))
    own = OfferApplied(offer_id="friends", version=1, names={}, amount=share.amount)
    return msgspec.structs.replace(sale, lines=(line_, *rest), offers=(*sale.offers, own))


def wrong_tax(sale):
    first, *rest = sale.lines
    taxes = tuple(msgspec.structs.replace(tax, tax=tax.tax - 1) for tax in first.taxes)
    return msgspec.structs.replace(sale, lines=(msgspec.structs.replace(first, taxes=taxes), *rest))


def given_away_as_rounding(sale):
    cash = msgspec.structs.replace(sale.tenders[0], amount=sale.tenders[0].amount - 500)
    return msgspec.structs.replace(sale, rounding=-500, tenders=(cash,))


def given_away_without_cash(sale):
    return msgspec.structs.replace(sale, rounding=-sale.total, tenders=())


def a_code_used_for_more(sale):
    offers = tuple(
        msgspec.structs.replace(one, coupon_id=CouponId("tenth/0")) if not number else one
        for number, one in enumerate(sale.offers)
    )
    return msgspec.structs.replace(sale, offers=offers, total=sale.total - 100)


@pytest.mark.parametrize(
    "forge",
    [
        one_cent_off,
        one_point_too_many,
        an_offer_that_is_none,
        wrong_tax,
        a_code_used_for_more,
        given_away_as_rounding,
        given_away_without_cash,
    ],
)
def test_a_forged_sale_is_found_and_only_once(shop, forge):
    server, till, ref = shop
    member = till.enrol_member()
    honest = sale_of(member_shopping(), RULES, ref, member=member)
    push(server, till, honest, forge(honest))

    first, second = server.services.audit.run(), server.services.audit.run()

    assert (first.judged, first.different) == (2, 1)
    assert second == Outcome()
    (found,) = raised(server)
    assert found["natural_key"].startswith("priced-otherwise:")


def test_cash_that_was_rounded_as_the_programme_says_agrees(shop):
    server, till, ref = shop
    honest = sale_of(SHOPPING, RULES, ref)
    due = cash_rounding(honest.total, RULES)
    assert due.rounding_minor
    cash = msgspec.structs.replace(honest.tenders[0], amount=due.due_minor)
    rounded = msgspec.structs.replace(honest, rounding=due.rounding_minor, tenders=(cash,))
    push(server, till, rounded)
    assert server.services.audit.run().different == 0


def test_what_a_fact_cannot_tell_is_counted_apart(server):
    server.services.catalogue.put([TEA])
    asking = programme(offer("first", PercentOff(basis_points_off=500), conditions=(FirstSale(),)))
    ref = server.services.programme.publish(programme_bytes(asking))
    till = server.enrol_till()
    plain = basket(line(TEA), at=START, member=None)
    strange = basket(line(CAKE), at=START, member=None)
    member = till.enrol_member()
    by_member = replace(plain, member=MemberContext(tier="member", sales=1))
    older = msgspec.structs.replace(sale_of(by_member, asking, ref, member=member), known=None)
    newer = msgspec.structs.replace(sale_of(plain, asking, ref), engine="99")
    other = msgspec.structs.replace(ref, version=7)
    push(
        server,
        till,
        older,
        newer,
        sale_of(plain, RULES, other),
        sale_of(strange, asking, ref),
    )

    outcome = server.services.audit.run()

    assert outcome.judged == outcome.different == 0
    assert outcome.unjudged == {
        Unjudged.NOT_TOLD: 1,
        Unjudged.OTHER_ENGINE: 1,
        Unjudged.UNKNOWN_PROGRAMME: 1,
        Unjudged.UNKNOWN_GOODS: 1,
    }
    assert raised(server) == []


@pytest.mark.parametrize("kind", ["sale_completed", "sale_returned"])
def test_what_is_in_quarantine_does_not_stop_the_audit(shop, kind):
    class Strange(Fact, frozen=True, kw_only=True):
        """A fact of that kind in a shape that nobody knows."""

        colour: str

    Strange.kind = kind
    server, till, ref = shop
    push(server, till, Strange(colour="red"), one_cent_off(sale_of(SHOPPING, RULES, ref)))
    sales, returns = server.services.audit.run(), server.services.returns_audit.run()
    is_sale = kind == "sale_completed"
    assert sales.judged == sales.different == 1
    assert sales.unjudged[Unjudged.UNREADABLE] == is_sale
    assert returns.unjudged[Unjudged.UNREADABLE] == (not is_sale)


def test_an_audit_that_is_stopped_goes_on_where_it_was(shop, monkeypatch):
    server, till, ref = shop
    push(server, till, *[one_cent_off(sale_of(SHOPPING, RULES, ref)) for _ in range(5)])
    monkeypatch.setattr("sync_server.ledger.audit_job.BATCH", 2)
    audit = AuditJob(server.services.database, server.services.own, SaleJudge())
    own, broken = server.services.own.raise_exceptions, iter([False, True])

    def sometimes(self, work, findings):
        own(work, findings)
        if next(broken, False):
            raise KeyboardInterrupt

    monkeypatch.setattr(type(server.services.own), "raise_exceptions", sometimes)
    with pytest.raises(KeyboardInterrupt):
        audit.run()
    with server.services.database.reading() as snapshot:
        assert progress_of(snapshot, SALES).judged == 2
        assert progress_of(snapshot, SALES).waiting == 3
    monkeypatch.undo()

    audit.run()

    assert len(raised(server)) == 5
    with server.services.database.reading() as snapshot:
        assert progress_of(snapshot, SALES).waiting == 0


def test_metrics_and_head_office_tell_the_lag(shop):
    server, till, ref = shop
    push(server, till, sale_of(SHOPPING, RULES, ref))
    url = server.line.client.base_url
    assert "evertill_unaudited_sales 1.0" in server.line.client.get(f"{url}/metrics").text
    server.services.audit.run()
    assert "evertill_unaudited_sales 0.0" in server.line.client.get(f"{url}/metrics").text

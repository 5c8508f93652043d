"""What a sale claims to have known is compared with what the server knew, on every database."""

from dataclasses import replace

import msgspec
import pytest
from sqlalchemy import select

from shared.ids import CouponId, MemberId
from shared.loyalty.bundle import programme_bytes
from shared.loyalty.conditions import Around, Birthday, FirstSale, NthVisit, Segments, Spend
from shared.loyalty.effects import AmountOff, IssueCoupon
from shared.loyalty.offers import Coupon, Limits
from shared.loyalty.programme import Basis, Earning, EarningRule
from shared.pricing.basket import CouponClaim, MemberContext, OfferUse
from shared.pricing.sale_basket import Unjudged
from shared.returning.lines import Wanted, lines_back
from shared.trade.fact import LotDraw
from shared.trade.kinds import read_fact
from shared.trade.profile import MemberProfile
from shared.trade.ticket import SaleCompleted, SaleReturned
from sync_server.database import schema
from sync_server.database.times import format_time
from sync_server.members.merging import Verified
from tests.pricing_builders import basket, earning, goods, line, names, offer, programme, tax_class
from tests.support.priced_facts import sale_of
from tests.support.servers import Server
from tests.support.till_writer import START

TEA = goods("TEA", 12_50)
TWO_OFF = AmountOff(off_minor=2_00)
DAY_S = 24 * 3600
NO_LIMITS = Limits()
UNTAXED = (tax_class("standard"),)


class Shop:
    """A server with one programme and one till that sells by what it claims to know."""

    def __init__(self, server: Server, *conditions, limits=NO_LIMITS, rules=None):
        self.server = server
        server.services.catalogue.put([TEA])
        asking = offer("asking", TWO_OFF, conditions=conditions, limits=limits)
        self.rules = rules or programme(asking, earning=earning(), tax_classes=UNTAXED)
        self.ref = server.services.programme.publish(programme_bytes(self.rules))
        self.till = server.enrol_till()

    def sell(self, member: MemberId | None = None, *, till=None, uses=(), **known) -> str:
        """A sale of one TEA by somebody of whom this is known; pushed and judged."""
        pen = till or self.till
        context = MemberContext(tier="member", **known) if member else None
        shopping = replace(basket(line(TEA), at=pen.clock.at), member=context, uses=uses)
        entry = pen.write(self.fact(shopping, member, pen))
        self.server.line.push(pen)
        return entry

    def fact(self, shopping, member, pen):
        sale = sale_of(shopping, self.rules, self.ref, member=member)
        return msgspec.structs.replace(sale, store_id=pen.certificate.store_id)

    def judge(self) -> list[tuple[str, dict[str, int]]]:
        """Run the audit: which entries were raised, and what they had too much."""
        self.server.services.audit.run()
        with self.server.services.database.reading() as snapshot:
            rows = snapshot.connection.execute(
                select(schema.exceptions.c.natural_key, schema.entries.c.bytes)
                .join(schema.entries, schema.entries.c.id == schema.exceptions.c.entry_id)
                .order_by(schema.entries.c.server_seq)
            ).all()
        return [
            (
                row.natural_key,
                {
                    one["account"]: one["amount"]
                    for one in msgspec.json.decode(row.bytes)["body"]["effects"]
                },
            )
            for row in rows
        ]


def claimed(entry: str) -> tuple[str, dict[str, int]]:
    return (f"claimed-otherwise:{entry}", {"audit-total": -2_00, "audit-points": -2})


def born(shop: Shop, birthday: str) -> MemberId:
    return shop.till.enrol_member(
        MemberProfile(name="Li Lei", phone="13800138000", birthday=birthday)
    )


@pytest.mark.parametrize("birthday", ["--03-01", "1990-03-01", "--03-31", ""])
def test_a_birthday_that_is_one_or_is_not_known_agrees(server, birthday):
    shop = Shop(server, Birthday(within=Around.MONTH))
    shop.sell(born(shop, birthday), birthday=(Around.MONTH,))
    assert shop.judge() == []
    assert server.services.audit.run().judged == 0


@pytest.mark.parametrize(
    ("within", "birthday"), [("day", "--03-02"), ("week", "1990-03-02"), ("month", "--04-01")]
)
def test_a_birthday_on_another_day_is_found_and_only_once(server, within, birthday):
    """The sale is of 1 March 2026, a Sunday."""
    shop = Shop(server, Birthday(within=Around(within)))
    sale = shop.sell(born(shop, birthday), birthday=(Around(within),))
    assert shop.judge() == [claimed(sale)]
    assert shop.judge() == [claimed(sale)]


def test_a_basket_rung_up_before_midnight_may_have_had_a_birthday(server):
    shop = Shop(server, Birthday(within=Around.DAY))
    member = born(shop, "--03-01")
    shop.till.clock.at = START.replace(hour=23, minute=59, second=58)
    shop.sell(member, birthday=(Around.DAY,))
    shop.till.clock.advance(seconds=60)
    shop.sell(member, birthday=(Around.DAY,))
    shop.till.clock.advance(seconds=3600)
    late = shop.sell(member, birthday=(Around.DAY,))
    assert shop.judge() == [claimed(late)]


def test_visits_of_a_basket_from_before_midnight_are_those_of_that_day(server):
    """The second sale of a day is its first visit still, also when it is paid after midnight."""
    shop = Shop(server, NthVisit(every=2))
    member = shop.till.enrol_member()
    shop.sell(member, visits=1)
    shop.till.clock.advance(seconds=DAY_S)
    shop.sell(member, visits=1)
    shop.till.clock.at = shop.till.clock.at.replace(hour=23, minute=59, second=58)
    shop.till.clock.advance(seconds=60)
    shop.sell(member, visits=2, was_here_today=True)
    shop.till.clock.advance(seconds=3600)
    late = shop.sell(member, visits=2, was_here_today=True)
    first, *others = shop.judge()
    assert [key for key, _ in others] == [f"claimed-otherwise:{late}"]
    assert first[1]["audit-total"] == -2_00


def test_nothing_is_known_any_more_of_who_was_erased(server):
    shop = Shop(server, Birthday(within=Around.DAY), Segments(segments=("young",)))
    member = born(shop, "--07-23")
    shop.sell(member, birthday=(Around.DAY,), segments=("young",))
    server.services.erasure.erase(member, reason="request")
    assert shop.judge() == []


def test_a_first_sale_is_the_first_and_the_next_one_is_not(server):
    shop = Shop(server, FirstSale())
    member = shop.till.enrol_member()
    shop.sell(member)
    second = shop.sell(member)
    shop.sell(member, sales=2)
    assert shop.judge() == [claimed(second)]


def test_a_first_sale_after_one_at_another_till_is_found_though_its_till_did_not_know(server):
    shop, other = Shop(server, FirstSale()), server.enrol_till("other")
    member = shop.till.enrol_member()
    shop.sell(member)
    other.clock.at = shop.till.clock.at
    second = shop.sell(member, till=other)
    assert shop.judge() == [claimed(second)]


def test_an_earlier_sale_that_arrives_late_was_the_first_all_the_same(server):
    shop, other = Shop(server, FirstSale()), server.enrol_till("other")
    member = shop.till.enrol_member()
    other.clock.at = shop.till.clock.at
    early = shop.fact(
        replace(basket(line(TEA), at=other.clock.at), member=MemberContext(tier="member")),
        member,
        other,
    )
    other.write(early)
    shop.till.clock.advance(seconds=DAY_S)
    shop.sell(member, sales=1)
    server.line.push(other)
    assert shop.judge() == []


def test_a_verdict_does_not_depend_on_when_the_audit_runs(server):
    """An earlier first sale arrives after this one, and before anybody looks."""
    shop, other = Shop(server, FirstSale()), server.enrol_till("other")
    member = shop.till.enrol_member()
    other.clock.at = shop.till.clock.at
    context = MemberContext(tier="member")
    early = replace(basket(line(TEA), at=other.clock.at), member=context)
    other.write(shop.fact(early, member, other))
    shop.till.clock.advance(seconds=DAY_S)
    shop.sell(member)
    server.line.push(other)
    assert shop.judge() == []


def test_a_sale_that_came_back_was_none(server):
    shop = Shop(server, FirstSale())
    member = shop.till.enrol_member()
    first = shop.sell(member)
    shop.till.write(all_back(shop, member, first))
    shop.sell(member)
    assert shop.judge() == []


def all_back(shop: Shop, member: MemberId, sale: str) -> SaleReturned:
    """Everything of a sale comes back, with all that it counted for."""
    entry = next(one for one in shop.till.entries if one.id == sale)
    sold = read_fact(entry.envelope)
    assert isinstance(sold, SaleCompleted)
    (line_,) = lines_back(sold, [], [Wanted(1, 1)], None)
    outcome = sold.member
    points = msgspec.structs.replace(outcome.points, earned=-outcome.points.earned)
    return SaleReturned(
        receipt_no="01-000009",
        ticket_id="ticket",
        store_id=sold.store_id,
        till_id=sold.till_id,
        shift_id=sold.shift_id,
        operator_id=sold.operator_id,
        currency=sold.currency,
        programme=shop.ref,
        engine=sold.engine,
        original=sale,
        lines=(line_,),
        total=line_.amount,
        refunds=sold.tenders,
        points_taken=(LotDraw(lot=sale, points=outcome.points.earned),),
        member=msgspec.structs.replace(
            outcome, growth=-outcome.growth, spend=-outcome.spend, points=points
        ),
        reason="changed mind",
    )


def other(shop: Shop) -> MemberId:
    return shop.till.enrol_member(MemberProfile(name="Han Mei", phone="13800138001"))


class CouponShop(Shop):
    """Two TEA issue a coupon for 2.00 off, for the member alone."""

    def __init__(self, server: Server):
        issuing = offer(
            "issuing", IssueCoupon(coupon="own"), conditions=(Spend(minimum_minor=25_00),)
        )
        own = Coupon(
            id="own", version=1, names=names("own"), offer="asking", valid_days=31, personal=True
        )
        rules = programme(
            issuing,
            offer("asking", TWO_OFF, claimed=True),
            coupons=(own,),
            earning=earning(),
            tax_classes=UNTAXED,
        )
        super().__init__(server, rules=rules)

    def buy(self, member: MemberId, units: int = 1, *, coupon: bool = False) -> str:
        """A sale; with the coupon that the first one issued."""
        claims = (CouponClaim("own", CouponId("own-0")),) if coupon else ()
        shopping = replace(
            basket(line(TEA, units), at=self.till.clock.at, claims=claims),
            member=MemberContext(tier="member"),
        )
        entry = self.till.write(self.fact(shopping, member, self.till))
        self.server.line.push(self.till)
        return entry


def test_a_personal_coupon_that_another_member_used_is_found(server):
    shop = CouponShop(server)
    member, friend = born(shop, ""), other(shop)
    shop.buy(member, 2)
    used = shop.buy(friend, coupon=True)
    assert shop.judge() == [claimed(used)]


def test_a_personal_coupon_of_the_member_or_an_alias_is_right(server):
    shop = CouponShop(server)
    member, alias = born(shop, ""), other(shop)
    shop.buy(alias, 2)
    server.services.merging.merge(alias, member, verified=Verified.PHONE)
    shop.buy(member, coupon=True)
    assert shop.judge() == []


def test_a_coupon_that_was_used_after_its_days_is_found(server):
    shop = CouponShop(server)
    member = shop.till.enrol_member()
    shop.buy(member, 2)
    shop.till.clock.advance(seconds=31 * DAY_S)
    used = shop.buy(member, coupon=True)
    assert shop.judge() == [claimed(used)]


@pytest.mark.parametrize("every", [2, 3])
def test_a_visit_that_was_not_the_nth_is_found(server, every):
    shop = Shop(server, NthVisit(minimum=every, every=every))
    member = shop.till.enrol_member()
    for visits in range(every):
        shop.sell(member, visits=visits)
        shop.till.clock.advance(seconds=DAY_S)
    forged = shop.sell(member, visits=2 * every - 1)
    assert shop.judge() == [claimed(forged)]


def test_a_till_that_knew_of_fewer_visits_to_the_customers_cost_has_claimed_nothing(server):
    shop = Shop(server, NthVisit(minimum=3, every=3))
    member = shop.till.enrol_member()
    for _ in range(3):
        shop.sell(member)
        shop.till.clock.advance(seconds=DAY_S)
    assert shop.judge() == []


def test_points_for_the_first_sale_of_a_day_are_earned_once(server):
    visit = EarningRule(id="v", names=names("v"), points=10, basis=Basis.VISIT)
    rules = programme(earning=Earning(rules=(visit,)), tax_classes=UNTAXED)
    shop = Shop(server, rules=rules)
    member = shop.till.enrol_member()
    shop.sell(member)
    shop.sell(member, was_here_today=True)
    twice = shop.sell(member)
    assert shop.judge() == [(f"claimed-otherwise:{twice}", {"audit-points": 10})]


@pytest.mark.parametrize(
    "limits", [Limits(per_member=2), Limits(per_member_and_day=2), Limits(in_total=2)]
)
def test_more_uses_than_a_limit_allows_are_found_whatever_the_till_says(server, limits):
    shop = Shop(server, limits=limits)
    member = shop.till.enrol_member()
    counted = "in_total" if limits.in_total else "by_member"
    counted = "by_member_today" if limits.per_member_and_day else counted
    shop.sell(member)
    shop.sell(member, uses=(OfferUse(offer="asking", **{counted: 1}),))
    shop.sell(member, uses=(OfferUse(offer="asking", **{counted: 2}),))  # at full price
    forged = shop.sell(member, uses=(OfferUse(offer="asking", **{counted: 1}),))
    assert shop.judge() == [claimed(forged)]


def test_a_limit_of_a_day_begins_anew_and_one_of_a_store_is_that_stores(server):
    shop = Shop(server, limits=Limits(per_member_and_day=1, per_store=2))
    other = server.enrol_till("other")
    member = shop.till.enrol_member()
    shop.sell(member)
    shop.till.clock.advance(seconds=DAY_S)
    shop.sell(member, uses=(OfferUse(offer="asking", in_store=1),))
    other.clock.at = shop.till.clock.at
    other.clock.advance(seconds=DAY_S)
    shop.sell(member, till=other)
    assert shop.judge() == []
    shop.till.clock.advance(seconds=2 * DAY_S)
    third = shop.sell(None)
    assert [key for key, _ in shop.judge()] == [f"claimed-otherwise:{third}"]


def test_what_came_back_used_nothing(server):
    shop = Shop(server, limits=Limits(in_total=1))
    member = shop.till.enrol_member()
    first = shop.sell(member)
    shop.till.write(all_back(shop, member, first))
    shop.sell(member)
    assert shop.judge() == []
    third = shop.sell(member)
    assert shop.judge() == [claimed(third)]


def test_two_tills_without_a_network_use_an_offer_more_often_than_there_is(server):
    shop, other = Shop(server, limits=Limits(in_total=1)), server.enrol_till("other")
    shop.sell()
    second = shop.sell(till=other)
    assert shop.judge() == [
        (f"claimed-otherwise:{second}", {"audit-total": -2_00}),
    ]


def test_a_segment_that_a_member_never_belonged_to_is_found(server):
    shop = Shop(server, Segments(segments=("young",)))
    member = shop.till.enrol_member()
    server.line.push(shop.till)
    forged = shop.sell(member, segments=("young",))
    assert shop.judge() == [claimed(forged)]
    server.services.segments.put("young", [member])
    shop.sell(member, segments=("young",))
    server.services.segments.take_out("young", [member])
    shop.sell(member, segments=("young",))  # its till has not heard of it
    assert shop.judge() == [claimed(forged)]


def untold(shop: Shop, member: MemberId | None, *, uses=(), **known) -> str:
    """A sale of a release that did not tell what its price saw, or of somebody who hides it."""
    context = MemberContext(tier="member", **known) if member else None
    shopping = replace(basket(line(TEA), at=shop.till.clock.at), member=context, uses=uses)
    fact = msgspec.structs.replace(shop.fact(shopping, member, shop.till), known=None)
    entry = shop.till.write(fact)
    shop.server.line.push(shop.till)
    return entry


@pytest.mark.parametrize("birthday", ["--03-15", "--04-15", ""])
def test_who_hides_what_a_sale_claims_is_found_all_the_same(server, birthday):
    shop = Shop(server, Birthday(within=Around.MONTH))
    entry = untold(shop, born(shop, birthday), birthday=(Around.MONTH,))
    assert shop.judge() == ([] if birthday == "--03-15" else [claimed(entry)])


@pytest.mark.parametrize("segments", [(), ("young",)])
def test_a_sale_that_tells_nothing_is_judged_where_the_server_knows_enough(server, segments):
    shop = Shop(server, FirstSale(), Segments(segments=("young",)), limits=Limits(in_total=2))
    member = shop.till.enrol_member()
    server.line.push(shop.till)
    server.services.segments.put("young", [member])
    untold(shop, member, segments=segments)
    outcome = server.services.audit.run()
    # With nothing known it costs more than it had to: maybe the till could not know.
    is_judged = bool(segments)
    assert (outcome.judged, outcome.unjudged[Unjudged.NOT_TOLD]) == (is_judged, not is_judged)
    assert outcome.different == 0


def test_uses_that_are_hidden_are_counted(server):
    shop = Shop(server, limits=Limits(in_total=1))
    untold(shop, None)
    second = untold(shop, None)
    untold(shop, None, uses=(OfferUse(offer="asking", in_total=2),))  # at full price
    outcome = server.services.audit.run()
    assert (outcome.judged, outcome.unjudged[Unjudged.NOT_TOLD]) == (3, 0)
    assert [key for key, _ in shop.judge()] == [f"claimed-otherwise:{second}"]


def test_uses_before_this_release_are_counted_by_the_migration(server):
    shop = Shop(server, limits=Limits(in_total=1))
    shop.sell()
    shop.judge()
    database = server.services.database
    with database.writing() as work:
        rows = work.connection.execute(select(schema.offer_uses)).all()
        assert [(row.offer_id, row.member_id, row.uses) for row in rows] == [("asking", "", 1)]
        stamp = format_time(START)[:10]
        assert rows[0].day == stamp
        migrated(work)
        assert work.connection.execute(select(schema.offer_uses)).all() == rows


def migrated(work):
    """The tables of the release before, and the step to this one."""
    import importlib  # noqa: PLC0415 - as Alembic finds it

    from alembic.migration import MigrationContext  # noqa: PLC0415 - 0.9 s for one test
    from alembic.operations import Operations  # noqa: PLC0415 - as above

    for table in (schema.offer_uses, schema.member_segments):
        table.drop(work.connection)
    step = importlib.import_module("sync_server.database.migrations.versions.r0003_what_prices_saw")
    with Operations.context(MigrationContext.configure(work.connection)):
        step.upgrade()

"""A coupon is good for as many sales as its programme says, chain-wide, on every database."""

from collections import Counter

import pytest
from sqlalchemy import select

from shared.ids import CouponId
from shared.loyalty.bundle import programme_bytes
from shared.loyalty.effects import AmountOff
from shared.loyalty.offers import Coupon
from shared.pricing.engine import ENGINE
from shared.pricing.sale_lines import names_by_language
from shared.trade.fact import CouponIssued, OfferApplied, Tender, TenderKind
from shared.trade.ticket import SaleCompleted, SaleReturned
from sync_server.database import schema
from tests.pricing_builders import names, offer, programme

OFF = offer("off", AmountOff(off_minor=1_00), claimed=True)
CODE = CouponId("c" * 32)


class Office:
    """A server whose programme has one coupon, and the tickets of its tills."""

    def __init__(self, server, uses=3):
        self.server = server
        rule = Coupon(id="off", version=1, names=names("off"), offer="off", valid_days=9, uses=uses)
        document = programme_bytes(programme(OFF, coupons=(rule,)))
        self.ref = server.services.programme.publish(document)
        self.tills = [server.enrol_till(name) for name in ("one", "two")]

    def ticket(self, till, ref=None):
        return {
            "receipt_no": "01-000001",
            "ticket_id": "ticket",
            "store_id": till.certificate.store_id,
            "till_id": till.certificate.till_id,
            "shift_id": "shift",
            "operator_id": "operator",
            "currency": "CNY",
            "programme": ref or self.ref,
            "engine": ENGINE,
        }

    def sale(self, number=0, *, used=True, issued=False, ref=None, push=True):
        till = self.tills[number]
        applied = OfferApplied(
            offer_id="off", version=1, names=names_by_language(names("off")), amount=100,
            coupon_id=CODE,
        )  # fmt: skip
        coupon = CouponIssued(coupon_id=CODE, offer_id="off", valid_from="", valid_until="")
        fact = SaleCompleted(
            **self.ticket(till, ref),
            lines=(),
            total=0,
            tenders=(Tender(tender=TenderKind.CASH, amount=0),),
            offers=(applied,) if used else (),
            coupons_issued=(coupon,) if issued else (),
        )
        entry = till.write(fact)
        if push:
            self.server.line.push(till)
        return entry

    def back(self, sale, *, given_back=False, voided=False, push=True):
        till = self.tills[0]
        fact = SaleReturned(
            **self.ticket(till),
            original=sale,
            lines=(),
            total=0,
            refunds=(),
            coupons_given_back=(CODE,) if given_back else (),
            coupons_voided=(CODE,) if voided else (),
            reason="changed mind",
        )
        entry = till.write(fact)
        if push:
            self.server.line.push(till)
        return entry

    def raised(self):
        with self.server.services.database.reading() as snapshot:
            rows = snapshot.connection.execute(
                select(schema.exceptions.c.natural_key).where(
                    schema.exceptions.c.rule == "coupon-overspent"
                )
            )
            return Counter(key.rpartition(":")[2] for key in rows.scalars())


@pytest.mark.parametrize("uses", [1, 2, 3])
def test_a_code_of_head_office_works_so_often_and_once_more_is_found(server, uses):
    office = Office(server, uses)
    for number in range(uses):
        office.sale(number % 2)
    assert office.raised() == {}
    once_more = office.sale(1)
    assert office.raised() == {once_more: 1}


@pytest.mark.parametrize("is_one_push", [True, False])
def test_the_size_of_a_push_changes_nothing(server, is_one_push):
    office = Office(server, 2)
    entries = [office.sale(push=not is_one_push) for _ in range(4)]
    server.line.push(office.tills[0])
    assert office.raised() == {entries[2]: 1, entries[3]: 1}


def test_a_coupon_that_a_sale_issued_works_so_often(server):
    office = Office(server, 3)
    office.sale(used=False, issued=True)
    for _ in range(3):
        office.sale(1)
    assert office.raised() == {}
    once_more = office.sale(1)
    assert office.raised() == {once_more: 1}


@pytest.mark.parametrize("is_one_push", [True, False])
def test_one_that_is_void_works_no_more_though_uses_were_left(server, is_one_push):
    office = Office(server, 3)
    issuing = office.sale(used=False, issued=True, push=not is_one_push)
    office.back(issuing, voided=True, push=not is_one_push)
    late = office.sale()
    assert office.raised() == {late: 1}


def test_one_that_was_used_before_it_became_void_is_found_with_the_return(server):
    office = Office(server, 3)
    issuing = office.sale(used=False, issued=True)
    office.sale(1)
    voiding = office.back(issuing, voided=True)
    assert office.raised() == {voiding: 1}


def test_one_that_was_given_back_is_used_again(server):
    office = Office(server, 1)
    first = office.sale()
    office.back(first, given_back=True)
    office.sale(1)
    assert office.raised() == {}
    once_more = office.sale(1)
    assert office.raised() == {once_more: 1}


def test_under_a_programme_that_nobody_published_it_is_good_once(server):
    office = Office(server, 3)
    strange = type(office.ref)(version=9, sha256=office.ref.sha256)
    office.sale(ref=strange)
    second = office.sale(ref=strange)
    assert office.raised() == {second: 1}

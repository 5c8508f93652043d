"""List prices that head office gave, gave once, or never gave, on every database."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select

from shared.clock import ManualClock
from shared.loyalty.bundle import programme_bytes
from sync_server.database import schema
from sync_server.ledger.finding import Rule
from tests.pricing_builders import basket, earning, goods, line, programme, tax_class
from tests.support.priced_facts import sale_of
from tests.support.servers import Server

TEA = goods("TEA", 12_50)
RULES = programme(earning=earning(), tax_classes=(tax_class("standard"),))


def sell(server: Server, price: int, *, later: timedelta = timedelta(0)) -> list[str]:
    """What is raised about a sale at a list price."""
    ref = server.services.programme.publish(programme_bytes(RULES))
    till = server.enrol_till()
    till.clock.at = server.services.clock.now() + later
    article = replace(TEA, list_price_minor=price)
    sold = sale_of(basket(line(article), at=till.clock.at), RULES, ref)
    till.write(msgspec.structs.replace(sold, store_id=till.certificate.store_id))
    server.line.push(till)
    server.services.audit.run()
    with server.services.database.reading() as snapshot:
        return list(snapshot.connection.execute(select(schema.exceptions.c.rule)).scalars())


@pytest.mark.parametrize(("price", "rules"), [(12_50, []), (12_49, [Rule.LISTED_OTHERWISE])])
def test_only_the_price_of_head_office_is_believed(server, price, rules):
    server.services.catalogue.put([TEA])
    assert sell(server, price) == rules


@pytest.mark.parametrize(("days", "rules"), [(30, []), (32, [Rule.LISTED_OTHERWISE])])
def test_a_till_that_was_away_may_sell_at_the_price_before(server, days, rules):
    server.services.catalogue.put([TEA])
    server.services.catalogue.put([replace(TEA, list_price_minor=15_00)])
    assert sell(server, 12_50, later=timedelta(days=days)) == rules
    server.services.catalogue.put([TEA])
    assert sell(server, 12_50, later=timedelta(days=days)) == rules


def test_of_goods_that_head_office_does_not_have_nothing_is_said(server):
    assert sell(server, 1) == []


def test_prices_of_before_they_were_kept_are_not_judged_for_a_month(
    server: Server, clock: ManualClock
) -> None:
    server.services.catalogue.put([TEA])
    with server.services.database.writing() as work:
        now = clock.now().isoformat(timespec="milliseconds")
        work.connection.execute(schema.goods_prices.update().values(whole_from=now))
    assert sell(server, 9_00, later=timedelta(days=30)) == []
    assert sell(server, 9_00, later=timedelta(days=32)) == [Rule.LISTED_OTHERWISE]

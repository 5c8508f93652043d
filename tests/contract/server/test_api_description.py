"""What the server publishes about itself is what it does; and what found it otherwise."""

import re
from typing import Any

import msgspec
import pytest

from shared.journal.strict import INTEGER_MAX
from shared.protocol.message import CONTENT_TYPE, ErrorReply, MemberRow, Stream
from shared.trade.profile import MemberProfile
from shared.trade.server import ExceptionEffect, PointsTransferred
from shared.trade.ticket import SaleCompleted
from sync_server.database.schema import attachments
from sync_server.journal.audit import audit
from sync_server.ledger.finding import Finding, Rule
from sync_server.web.office import FORM_FIELDS_MAX
from sync_server.web.reading import OfficeReader
from tests.support.every_fact import all_facts
from tests.support.servers import Server
from tests.support.till_writer import rows_of

BANK_CARD = "4111111111111111"


def references(told: Any) -> set[str]:
    """All names of schemas that a document refers to."""
    if isinstance(told, list):
        return set().union(*map(references, told))
    if not isinstance(told, dict):
        return set()
    mine = {told["$ref"].rpartition("/")[2]} if isinstance(told.get("$ref"), str) else set()
    return mine.union(*map(references, told.values()))


def test_the_description_names_only_what_it_describes(server: Server) -> None:
    document = server.line.client.get("/openapi.json").json()

    operations = [each for path in document["paths"].values() for each in path.values()]
    assert references(document) <= set(document["components"]["schemas"])
    assert not any("422" in each["responses"] for each in operations)
    named = [name for each in operations for one in each.get("security", ()) for name in one]
    assert set(named) == set(document["components"]["securitySchemes"])
    links = [
        link["operationId"]
        for each in operations
        for answer in each["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert links
    assert set(links) <= {each["operationId"] for each in operations}


def test_a_method_that_is_not_there_is_told_what_is(server: Server) -> None:
    response = server.line.client.delete("/v1/hello")

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET"


def test_made_up_methods_make_no_series_of_figures(server: Server) -> None:
    client = server.line.client
    for number in range(50):
        client.request(f"MADEUP{number}", "/healthz")

    figures = client.get("/metrics").text
    assert set(re.findall(r'evertill_requests_total\{method="(\w+)"', figures)) <= {"other", "GET"}


def test_a_truth_value_is_no_protocol_version(server: Server) -> None:
    body = msgspec.msgpack.encode({"protocol": False})
    response = server.line.client.post(
        "/v1/enrol", content=body, headers={"Content-Type": CONTENT_TYPE}
    )

    assert response.status_code == 400
    assert msgspec.msgpack.decode(response.content, type=ErrorReply).code == "bad-message"


@pytest.mark.parametrize("fields", [{"first_seq": 2**63}, {"epoch": 2**64 - 1}, {"first_seq": -1}])
def test_numbers_that_no_column_can_hold_are_refused(
    server: Server, fields: dict[str, int]
) -> None:
    till = server.enrol_till()
    told = msgspec.msgpack.decode(msgspec.msgpack.encode(till.push_request()))
    response = server.line.client.post(
        "/v1/sync/push",
        content=msgspec.msgpack.encode({**told, **fields}),
        headers={"Content-Type": CONTENT_TYPE},
    )

    assert response.status_code == 400


def test_a_form_with_too_many_fields_is_refused_in_words(server: Server) -> None:
    fields = {f"f{number}": "x" for number in range(FORM_FIELDS_MAX + 1)}
    response = server.line.client.post("/office/sign-out", data=fields)

    assert response.status_code == 400
    assert "text/html" in response.headers["Content-Type"]


def test_what_somebody_typed_into_an_address_is_not_logged(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.line.client.cookies.set("evertill_language", "en")
    server.line.client.post("/office/members/13800138000/erase")
    server.line.client.get("/v1/13800138000?q=13800138000")
    server.line.client.post("/v1/lookup?q=13800138000", content=b"13800138000")

    told = capsys.readouterr()
    assert "13800138000" not in told.out + told.err


def test_a_fact_in_a_currency_that_is_none_does_not_stop_its_till(server: Server) -> None:
    till = server.enrol_till()
    till.sell(100)
    sale = msgspec.json.decode(till.entries[0].envelope.body, type=SaleCompleted)
    till.write(msgspec.structs.replace(sale, currency="yuan", ticket_id="t2", receipt_no="r2"))
    till.sell(200)

    assert server.line.push(till).next_seq == 3
    waiting = OfficeReader(server.services.database).quarantined()
    assert [(each.seq, each.reason, each.detail) for each in waiting] == [
        (1, "bad-fact", "bad-currency")
    ]


def test_an_effect_beyond_all_figures_is_written_so_that_it_can_be_read(server: Server) -> None:
    services = server.services
    effect = ExceptionEffect(account="audit-total", owner="", unit="CNY/2", amount=3 * 2**53)
    found = Finding(
        rule=Rule.LISTED_OTHERWISE, natural_key="listed-otherwise:x", facts=(), effects=(effect,)
    )
    with services.database.writing() as work:
        services.own.raise_exceptions(work, [found])

    (shown,) = OfficeReader(services.database).exceptions(1).items
    assert [each.amount for each in shown.fact.effects] == [INTEGER_MAX]
    with services.database.reading() as snapshot:
        assert audit(snapshot).flaws == []


def test_a_fact_that_makes_no_sense_does_not_hide_the_exceptions_about_it(server: Server) -> None:
    """It has the server's kind, a reason that nobody knows, and stands in quarantine."""
    till = server.enrol_till()
    fact = next(each for each in all_facts() if isinstance(each, PointsTransferred))
    sent = till.write(msgspec.structs.replace(fact, reason="2026-02-30"))
    server.line.push(till)
    services = server.services
    found = Finding(rule=Rule.ID_REUSED, natural_key="entry-id-reused:x", facts=(sent,))
    with services.database.writing() as work:
        services.own.raise_exceptions(work, [found])

    (shown,) = OfficeReader(services.database).exceptions(1).items

    assert shown.rule == "entry-id-reused"
    assert shown.facts == ()
    assert [each.reason for each in OfficeReader(services.database).quarantined()] == [
        "fact-of-server"
    ]


def test_a_profile_with_a_payment_card_in_it_is_not_kept(server: Server) -> None:
    till = server.enrol_till()
    member = till.enrol_member(MemberProfile(name="Li Lei", phone="13800138000", card=BANK_CARD))
    assert server.line.push(till).next_seq == 1

    (row,) = rows_of(server.line.pull(till, Stream.MEMBERS), MemberRow)
    assert (row.member_id, row.name, row.keys) == (member, "", ())
    with server.services.database.reading() as snapshot:
        assert snapshot.connection.execute(attachments.select()).all() == []

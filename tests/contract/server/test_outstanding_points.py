"""What points a shop owes, and what lapsed, at any past day: against sums by hand."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from shared.clock import ManualClock
from shared.ids import LotId, MemberId
from shared.loyalty.bundle import programme_bytes, template
from shared.loyalty.programme import Expiry
from shared.trade.fact import LotDraw
from shared.trade.profile import MemberProfile
from sync_server.bootstrap import initialise
from sync_server.commands.application import application
from sync_server.points.outstanding import LotOutstanding, outstanding_points
from sync_server.points.reminders import reminders_on
from tests.support.servers import Server, serve_here
from tests.support.till_writer import START, TillWriter

DAY = 24 * 3600
RULES = template("default")


def told(server: Server, on: date, rules=RULES) -> dict[str, tuple[list[LotOutstanding], int]]:
    with server.services.database.reading() as snapshot:
        return {
            one.lots[0].member_id: (list(one.lots), one.value_minor)
            for one in outstanding_points(snapshot, rules, on)
        }


@pytest.fixture
def till(server: Server) -> TillWriter:
    server.services.programme.publish(programme_bytes(RULES))
    return server.enrol_till()


def member(till: TillWriter, name: str) -> MemberId:
    return till.enrol_member(MemberProfile(name=name, card=name))


def test_every_past_day_is_told_as_it_was(
    server: Server, clock: ManualClock, till: TillWriter
) -> None:
    li, han, zhao = (member(till, name) for name in ("Li", "Han", "Zhao"))
    till.clock.advance(seconds=DAY)
    first = till.sell(100_00, member=li, earned=100, expires_on="2026-03-10")
    debtor = till.sell(30_00, member=han, earned=30, expires_on="2026-12-31")
    till.clock.advance(seconds=3 * DAY)
    till.sell(40_00, member=li, earned=40, spend=(LotDraw(lot=LotId(first), points=60),))
    second = till.entries[-1].id
    till.take_back(debtor, 30_00, member=han, taken=(LotDraw(lot=LotId("debt"), points=50),))
    clock.advance(seconds=4 * DAY)
    server.line.push(till)
    start = START.date()
    assert told(server, start) == {}
    assert told(server, start + timedelta(days=1)) == {
        li: ([LotOutstanding(li, LotId(first), 100, 0, date(2026, 3, 10))], 100),
        han: ([LotOutstanding(han, LotId(debtor), 30, 0, date(2026, 12, 31))], 30),
    }
    fourth = told(server, start + timedelta(days=4))
    assert fourth[li] == (
        sorted(
            [
                LotOutstanding(li, LotId(first), 40, 0, date(2026, 3, 10)),
                LotOutstanding(li, LotId(second), 40, 0, None),
            ],
            key=lambda one: one.lot,
        ),
        80,
    )
    # 30 were there and 50 are owed: 30 of them are paid by a fact of the server.
    assert [(one.lot, one.outstanding) for one in fourth[han][0]] == [("debt", -20)]
    assert fourth[han][1] == 0
    lots = {one.lot: one for one in told(server, date(2026, 3, 11))[li][0]}
    assert (lots[LotId(first)].outstanding, lots[LotId(first)].lapsed) == (0, 40)
    assert (lots[LotId(second)].outstanding, lots[LotId(second)].lapsed) == (40, 0)
    assert zhao not in told(server, date(2027, 1, 1))


def test_what_sleeps_too_long_is_lost_and_what_wakes_is_not(
    server: Server, till: TillWriter
) -> None:
    rules = msgspec.structs.replace(RULES, expiry=Expiry(inactive_days=10))
    li = member(till, "Li")
    till.sell(10_00, member=li, earned=10)
    till.clock.advance(seconds=20 * DAY)
    till.sell(5_00, member=li, earned=5)
    server.line.push(till)
    sums = [
        (sum(one.outstanding for one in lots), sum(one.lapsed for one in lots))
        for days in (5, 15, 25, 40)
        for lots, _value in [told(server, START.date() + timedelta(days=days), rules)[li]]
    ]
    assert sums == [(10, 0), (0, 10), (5, 10), (0, 15)]


def test_the_command_tells_the_sum_and_writes_the_lots(tmp_path: Path) -> None:
    clock = ManualClock(START)
    data = tmp_path / "server"
    initialise(data, clock=clock)
    with serve_here(data, clock=clock) as server:
        server.services.programme.publish(programme_bytes(RULES))
        till = server.enrol_till()
        li = member(till, "Li")
        lapsing = till.sell(100_00, member=li, earned=100, expires_on="2026-03-10")
        till.sell(7_00, member=li, earned=7, expires_on="2026-12-31")
        server.line.push(till)
    asked = ["points", "--data", str(data), "--on", "2026-03-11"]
    rows = tmp_path / "lots.csv"
    done = CliRunner().invoke(application, [*asked, "--json", "--lots", str(rows)])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output) == {
        "on": "2026-03-11",
        "members": 1,
        "outstanding": 7,
        "value_minor": 7,
        "lapsed": 100,
        "owed_by_members": 0,
        "lapsing": {"2026-12": 7},
    }
    with rows.open(encoding="utf-8", newline="") as file:
        lots = {row["lot"]: row for row in csv.DictReader(file)}
    assert lots[lapsing] == {
        "member": li,
        "lot": lapsing,
        "outstanding": "0",
        "lapsed": "100",
        "last_day": "2026-03-10",
    }
    plain = CliRunner().invoke(application, asked)
    assert "1 members have 7 points" in plain.output
    assert "100 lapsed unused" in plain.output


def test_members_are_reminded_on_the_days_that_the_programme_names(
    server: Server, clock: ManualClock, till: TillWriter, tmp_path: Path
) -> None:
    rules = msgspec.structs.replace(RULES, expiry=Expiry(months=12, reminders_days=(30, 7)))
    li = till.enrol_member(MemberProfile(name="Li", phone="13800138000"))
    han, gone = member(till, "Han"), member(till, "Gone")
    for who, points, last in (
        (li, 100, "2026-04-01"),
        (li, 20, "2026-04-01"),
        (li, 5, "2026-03-31"),
        (han, 7, "2026-03-09"),
        (gone, 9, "2026-04-01"),
    ):
        till.sell(points * 100, member=who, earned=points, expires_on=last)
    server.line.push(till)
    server.services.erasure.erase(gone, reason="request")
    on = date(2026, 3, 2)
    with server.services.database.reading() as snapshot:
        found = list(reminders_on(snapshot, rules, on))
        none = list(reminders_on(snapshot, rules, on + timedelta(days=1)))
    assert [(one.member, one.points, one.days_left) for one in found] == sorted(
        [(li, 120, 30), (han, 7, 7)]
    )
    assert {one.phone for one in found} == {"13800138000", ""}
    assert none == []

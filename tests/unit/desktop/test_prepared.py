"""Statements that were compiled once do what they say, with values in the right columns."""

import pytest
from sqlalchemy import bindparam, insert, select

from desktop.store.database import TillFolder, open_writing
from desktop.store.prepared import Prepared, among, listed
from desktop.store.schema import lots


@pytest.fixture
def connection(folder: TillFolder):
    engine = open_writing(folder)
    with engine.begin() as opened:
        yield opened
    engine.dispose()


PUT = Prepared(insert(lots), ("member_id", "lot", "earned_on", "expires_on"))


def test_rows_go_into_the_columns_they_were_named_for(connection):
    PUT.run_many(connection, [("m", "a", "2026-01-01", None), ("m", "b", "2026-01-02", None)])
    PUT.run(connection, lot="c", member_id="m", expires_on="2027-01-01", earned_on="2026-01-03")
    found = connection.execute(select(lots).order_by(lots.c.lot)).all()
    assert [tuple(row) for row in found] == [
        ("m", "a", "2026-01-01", None),
        ("m", "b", "2026-01-02", None),
        ("m", "c", "2026-01-03", "2027-01-01"),
    ]


def test_columns_in_another_order_than_their_tables_are_refused():
    with pytest.raises(ValueError, match="order of columns"):
        Prepared(insert(lots), ("lot", "member_id", "earned_on", "expires_on"))


def test_keys_are_told_as_one_value_whatever_they_are(connection):
    odd = ["'", '"', "王", "a,b", "]"]
    PUT.run_many(connection, [(key, "lot", "2026-01-01", None) for key in [*odd, "other"]])
    found = Prepared(select(lots.c.member_id).where(among(lots.c.member_id, "ids")))
    told = found.run(connection, ids=listed([*odd, "nobody"])).scalars()
    assert sorted(told) == sorted(odd)


def test_what_a_statement_brings_along_need_not_be_told_and_the_rest_must(connection):
    PUT.run_many(connection, [("m", "a", "2026-01-01", None), ("m", "b", "2026-01-02", None)])
    newest = Prepared(
        select(lots.c.lot)
        .where(lots.c.member_id == bindparam("who"))
        .order_by(lots.c.lot.desc())
        .limit(1)
    )
    assert newest.run(connection, who="m").scalars().all() == ["b"]
    with pytest.raises(KeyError):
        newest.run(connection)

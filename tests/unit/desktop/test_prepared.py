"""Statements that were compiled once do what they say, with values in the right columns."""

import pytest
from sqlalchemy import bindparam, event, insert, select
from sqlalchemy.exc import IntegrityError, InvalidRequestError

from desktop.store.database import TillFolder, open_writing
from desktop.store.driver import sqlite_module
from desktop.store.prepared import Prepared, among, listed
from desktop.store.schema import lots
from shared.errors import EnvironmentFault


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
    assert newest.run(connection, who="m").scalars() == ["b"]
    with pytest.raises(KeyError):
        newest.run(connection)


def test_rows_have_their_columns_by_name_and_in_order(connection):
    PUT.run_many(connection, [("m", "a", "2026-01-01", None)])
    row = Prepared(select(lots)).run(connection).one_or_none()
    assert (row.member_id, row.lot, row.earned_on, row.expires_on) == tuple(row)
    assert Prepared(select(lots.c.lot).where(lots.c.lot == "b")).run(connection).scalar() is None


def test_a_statement_begins_the_transaction_that_the_next_one_is_in(folder):
    engine = open_writing(folder)
    with engine.connect() as undone:
        PUT.run(undone, member_id="m", lot="a", earned_on="2026-01-01", expires_on=None)
    with engine.connect() as kept:
        assert Prepared(select(lots)).run(kept).scalars() == []
        PUT.run(kept, member_id="m", lot="a", earned_on="2026-01-01", expires_on=None)
        kept.commit()
    with engine.connect() as after:
        assert Prepared(select(lots)).run(after).scalars() == ["m"]
    engine.dispose()


def test_nothing_is_run_in_a_transaction_that_is_over(connection):
    connection.get_transaction().rollback()
    with pytest.raises(InvalidRequestError):
        PUT.run(connection, member_id="m", lot="a", earned_on="2026-01-01", expires_on=None)


def test_what_the_driver_refuses_is_raised_as_of_any_other_statement(connection):
    row = {"member_id": "m", "lot": "a", "earned_on": "2026-01-01", "expires_on": None}
    PUT.run(connection, **row)
    with pytest.raises(IntegrityError) as prepared:
        PUT.run(connection, **row)
    with pytest.raises(IntegrityError) as other:
        connection.execute(insert(lots), row)
    assert str(prepared.value.orig) == str(other.value.orig)
    assert connection.execute(select(lots.c.lot)).scalars().all() == ["a"]


def test_a_page_that_is_found_damaged_is_named(folder, connection):
    def damage(*_told):
        raise sqlite_module.DatabaseError("database disk image is malformed")

    event.listen(connection.engine, "before_cursor_execute", damage)
    with pytest.raises(EnvironmentFault) as found:
        Prepared(select(lots)).run(connection)
    event.remove(connection.engine, "before_cursor_execute", damage)
    assert (found.value.code, found.value.fields["file"]) == (
        "database-damaged",
        str(folder.database),
    )


def test_who_listens_to_the_engine_hears_of_it_before_and_after(connection):
    heard = []
    for name in ("before_cursor_execute", "after_cursor_execute"):
        event.listen(
            connection.engine,
            name,
            lambda _c, _cursor, text, values, _context, is_many, name=name: heard.append(
                (name, text.split()[0], values, is_many)
            ),
        )
    PUT.run_many(connection, [("m", "a", "2026-01-01", None)])
    Prepared(select(lots.c.lot).where(lots.c.lot == bindparam("lot"))).run(connection, lot="a")
    rows = [("m", "a", "2026-01-01", None)]
    assert heard == [
        ("before_cursor_execute", "INSERT", rows, True),
        ("after_cursor_execute", "INSERT", rows, True),
        ("before_cursor_execute", "SELECT", ("a",), False),
        ("after_cursor_execute", "SELECT", ("a",), False),
    ]

"""Members taken over together become what each of them becomes taken over alone."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection

from desktop.store.database import TillFolder
from desktop.store.member_pages import apply_members
from desktop.store.members import put_member
from desktop.store.writer import Transaction
from shared.ids import MemberId
from shared.protocol.message import BalanceRow, MemberRow
from tests.support.desk import BISCUIT_CODE, open_desk
from tests.support.enrolled_till import CASHIER
from tests.support.new_till import COMPARED, holdings

TABLES = [one for one in COMPARED if not one.startswith("held")]


def drawn_row(drawn: random.Random, member: str) -> MemberRow:
    """A member, or what is left of one."""
    if drawn.random() < 0.2:
        return MemberRow(member_id=MemberId(member), gone=True, left=drawn.random() < 0.5)
    name = drawn.choice(("", "王小明", "Ann-Ann", "a" * 9))
    balances = tuple(
        BalanceRow(
            account=drawn.choice(("points", "growth", "spend", "stored-value")),
            lot=f"lot-{drawn.randrange(4)}",
            unit="points/0",
            amount=drawn.randint(-5, 90),
            earned_on=drawn.choice((None, "2026-01-01")),
        )
        for _ in range(drawn.randrange(4))
    )
    return MemberRow(
        member_id=MemberId(member),
        name=name,
        phone_tail=f"{drawn.randrange(10000):04}",
        keys=tuple(f"{drawn.randrange(30):032x}" for _ in range(drawn.randrange(3))),
        tier="member",
        balances=tuple({(one.account, one.lot): one for one in balances}.values()),
        segments=("vip",) * drawn.randrange(2),
        alias_of=drawn.choice(("", "somebody")),
    )


def as_job(work: Callable[[Connection], None]) -> Callable[[Transaction], None]:
    return lambda transaction: work(transaction.connection)


def test_a_page_makes_of_each_member_what_one_row_makes_of_it(
    folder: TillFolder, tmp_path: Path
) -> None:
    other = TillFolder(tmp_path / "other")
    desk = open_desk(folder)
    own = [desk.enrol(f"顾客{one}", f"1390000000{one}") for one in range(4)]
    desk.sell(BISCUIT_CODE, member=own[0])
    edit = desk.till.profiles.edit(own[1], language="en")
    desk.till.profiles.write(edit, operator_id=CASHIER)
    desk.till.close()
    shutil.copytree(folder.path, other.path)

    drawn = random.Random(11)
    names = [one.member_id for one in own] + [f"m-{one}" for one in range(30)]
    pages = [
        ([drawn_row(drawn, name) for name in drawn.sample(names, 25)], drawn.randrange(8))
        for _ in range(40)
    ]

    def together(connection: Connection) -> None:
        for rows, through in pages:
            apply_members(connection, rows, epoch=0, applied_through=through, as_of="now")

    def one_by_one(connection: Connection) -> None:
        for rows, through in pages:
            for row in rows:
                put_member(connection, row, epoch=0, applied_through=through, as_of="now")

    for place, work in ((folder, together), (other, one_by_one)):
        till = open_desk(place).till

        till.books.change(as_job(work))
        till.close()
    ours, theirs = holdings(folder), holdings(other)
    for table in TABLES:
        assert ours[table] == theirs[table], table
    assert len(ours["members"]) > 10

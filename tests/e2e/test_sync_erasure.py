"""A member is enrolled, buys, is erased: no trace of the person in any file of anybody."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.reckoning.file import read_server, read_till
from shared.catalogue.code_table import CodeKind
from shared.catalogue.codes import member_code, own_digits
from shared.ids import MemberId
from shared.trade.profile import KeyKind, lookup_hash
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere

BISCUIT = BISCUITS.barcodes[0]
NAME = "欧阳静雯"
PHONE = "13987650421"
BIRTHDAY = "--02-29"
TYPED = "0229"
CARD = member_code("573920461857302946"[: own_digits(CodeKind.MEMBER)].ljust(
    own_digits(CodeKind.MEMBER), "7"
))  # fmt: skip


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path) as made:
        yield made


def secrets_of(till: TillHere, name: str, phone: str, card: str) -> list[bytes]:
    """Everything that would name the person, in the encodings a file could hold it in."""
    key = till.till.identity.lookup_key
    texts = [name, phone, card, BIRTHDAY]
    texts += [lookup_hash(key, KeyKind.PHONE, phone), lookup_hash(key, KeyKind.CARD, card)]
    # Any part of a name is a search key: its endings must be gone too.
    texts += [name[start:] for start in range(len(name) - 1)]
    encodings = ("utf-8", "utf-16-le", "utf-16-be")
    return [text.encode(encoding) for text in texts if text for encoding in encodings]


def traces(folder: Path, secrets: list[bytes]) -> list[str]:
    """Where a secret stands in any file below a folder: logs, WAL, free pages, everything."""
    return [
        f"{file.relative_to(folder)}: {secret!r}"
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        for content in [file.read_bytes()]
        for secret in secrets
        if secret in content
    ]


def settle(chain: LittleChain) -> None:
    """Let every writer finish what it has been asked for."""
    for till in chain.tills:
        till.till.store.writer.scrub().result(10)


def check_gone(chain: LittleChain, member_id: MemberId, secrets: list[bytes]) -> None:
    """Nobody knows the person; the ledger keeps the random id; all chains verify."""
    settle(chain)
    assert traces(chain.folder, secrets) == []
    for till in chain.tills:
        assert till.member(member_id) is None
        assert till.till.members.search(PHONE) == []
    chain.close()
    assert traces(chain.folder, secrets) == []
    server = read_server(chain.server.database)
    assert member_id in {owner for _account, owner, _lot, _unit in server.balances}
    kept = [server, *(read_till(till.folder.database) for till in chain.tills)]
    assert [one.broken_chains() for one in kept] == [[]] * len(kept)
    assert [one.imbalance() for one in kept] == [0] * len(kept)


def test_the_search_for_traces_finds_what_is_there(chain):
    first = chain.tills[0]
    first.enrol(NAME, PHONE, CARD, TYPED)
    found = traces(chain.folder, secrets_of(first, NAME, PHONE, CARD))
    assert any("till.sqlite" in place for place in found)
    assert any(BIRTHDAY in place for place in found)


def test_an_erased_member_leaves_no_trace_on_server_or_tills(chain):
    first, second = chain.tills
    chain.plugs[0].pull()
    member = first.enrol(NAME, PHONE, CARD, TYPED)
    first.sell(BISCUIT, member=member)
    chain.plugs[0].plug_in()
    assert first.sync()
    assert second.sync()
    assert second.till.members.by_card(CARD) is not None
    secrets = secrets_of(first, NAME, PHONE, CARD)

    chain.server.services.erasure.erase(member.member_id, reason="request")
    for till in chain.tills:
        assert till.sync()

    check_gone(chain, member.member_id, secrets)


def test_a_till_that_was_away_does_not_bring_the_person_back(chain):
    first, second = chain.tills
    member = first.enrol(NAME, PHONE, CARD, TYPED)
    assert first.sync()
    assert second.sync()
    secrets = secrets_of(first, NAME, PHONE, CARD)
    chain.plugs[1].pull()
    second.sell(BISCUIT, member=member)
    second.counter.checkout.basket.attach(second.member(member.member_id))
    second.counter.scanning.scan(BISCUIT)
    second.counter.holding.hold(second.shift, second.operator_id)
    chain.server.services.erasure.erase(member.member_id, reason="request")
    assert first.sync()
    assert not second.sync()

    chain.plugs[1].plug_in()
    second.sell(BISCUIT, member=member)
    chain.drain()

    (held,) = second.counter.holding.held()
    second.counter.holding.recall(held.hold_id)
    assert second.counter.checkout.basket.state.member is None
    check_gone(chain, member.member_id, secrets)


def test_one_of_many_is_erased_and_the_others_stay(chain):
    """Hundreds of neighbours make the trees split and merge; freed bytes must not survive it."""
    first, second = chain.tills
    chance = random.Random(7)
    people = {}
    for number in range(300):
        phone = str(13_100_000_000 + chance.randrange(10**8))
        name = "".join(chance.choice("赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨") for _ in range(8))
        people[first.enrol(name + str(number), phone).member_id] = (name + str(number), phone)
    assert first.sync()
    assert second.sync()
    gone = chance.sample(sorted(people), 20)
    secrets = [
        text.encode(encoding)
        for member_id in gone
        for text in people[member_id]
        for encoding in ("utf-8", "utf-16-le")
    ]
    for member_id in gone:
        chain.server.services.erasure.erase(member_id, reason="request")
    chain.drain()
    settle(chain)
    assert traces(chain.folder, secrets) == []
    for till in chain.tills:
        left = [till.member(member_id) is not None for member_id in people]
        assert sum(left) == len(people) - len(gone)

"""Makes a part of what was generated true, so that cases get past the doors and into the rooms.

Data that only fits the schema is refused by the first check of a key or a hash. Here fields get a
certificate, a chain, a signature, a cursor, a code that are real; what they carry stays generated.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any, Final

import msgspec

from shared.journal.attachment import attach
from shared.journal.certificate import sign_head
from shared.journal.entry import chain_hash
from shared.protocol.message import EnrolReply
from shared.trade.fact import Fact
from tests.api_cases.wire import to_msgpack
from tests.api_cases.world import Till, World
from tests.support.every_fact import all_facts
from tests.support.every_spending import spending_facts

FACTS: Final[tuple[Fact, ...]] = (*all_facts(), *spending_facts())
EDGES: Final = (0, 1, -1, 2**31, 2**53, -(2**53), 2**63, 10**30)
TEXTS: Final = ("", "\0", "'", '"\\', "é", "e\u0301", "茶" * 40, "A" * 300, "\u202e", "2026-02-30")
ACCOUNTS: Final = ("points", "stored-value", "gift-card")
ROLES: Final = ("profile", "note")
ENTRY_BYTES_MAX: Final = 60_000

Body = dict[str, Any]


def make_true(world: World, random: Random, label: str, case: Any) -> None:
    """Change a valid case of an operation in place; invalid ones are left as they are."""
    if label.startswith(("POST /office/", "GET /office/")):
        _office(world, random, case)
    elif (make := _MAKERS.get(label)) is not None and isinstance(case.body, dict):
        make(world, random, case.body)


def make_sendable(world: World, random: Random, label: str, case: Any) -> None:
    """What even an invalid case needs: it must not wait for news, nor end at another's form."""
    if label == "POST /v1/sync/wait" and isinstance(case.body, dict):
        seconds = case.body.get("seconds")
        if type(seconds) is int and 0 < seconds <= 25:
            case.body["seconds"] = 0
    if label.startswith("POST /office/") and isinstance(case.body, dict) and random.random() < 0.8:
        case.body["form_token"] = world.form_token


def _office(world: World, random: Random, case: Any) -> None:
    known = {"till_id": world.till_ids, "member_id": world.members}
    for name in case.path_parameters or {}:
        if name in known and random.random() < 0.8:
            case.path_parameters[name] = random.choice(known[name])
    if isinstance(case.body, dict) and "sure" in case.body and random.random() < 0.9:
        case.body["sure"] = ""  # erasing takes seconds; one in ten erases
    if case.query and "q" in case.query and random.random() < 0.5:
        case.query["q"] = random.choice(["Li", "138", "8000", "%", "_", world.member_keys[0]])


def _enrol(world: World, random: Random, body: Body) -> None:
    if random.random() < 0.7:
        body["public_key"] = world.new_key()
        body.pop("journal", None)
    if random.random() < 0.5:
        body["code"] = world.new_code(random)


def _push(world: World, random: Random, body: Body) -> None:
    till = random.choice(world.tills)
    writer = till.writer
    body["certificate"] = msgspec.structs.asdict(writer.reply.certificate)
    body["journal"], body["epoch"] = writer.journal, writer.certificate.epoch
    if random.random() < 0.1:
        return  # a real certificate over generated entries
    body["hlc"] = writer.hybrid.tick()
    body.pop("oldest_seq", None)
    first, head = till.heads[-1] if random.random() < 0.93 else random.choice(till.heads)
    entries, attachments = [], []
    before = head
    for seq in range(first, first + random.choice([0, 1, 1, 1, 2, 5])):
        encoded, attached = _entry(random, till, seq)
        entries.append(encoded)
        attachments += attached
        head = chain_hash(head, encoded)
    body |= {
        "first_seq": first,
        "prev_hash": before,
        "entries": entries,
        "attachments": attachments,
        "head_hash": head,
        "head_signature": sign_head(
            writer.key,
            journal=writer.journal,
            epoch=writer.certificate.epoch,
            seq=first + len(entries) - 1,
            head_hash=head,
        ),
    }


def _entry(random: Random, till: Till, seq: int) -> tuple[bytes, list[Body]]:
    """An entry of a real kind with some of its values exchanged, as a till could sign it."""
    writer = till.writer
    fact = random.choice(FACTS)
    attached = [(random.choice(ROLES), attach(_content(random)))] if random.random() < 0.3 else []
    writer.heads = [replace(writer.head, next_seq=seq)]
    writer.write(fact, *attached)
    told = msgspec.json.decode(writer.entries[-1].entry.encoded)
    writer.entries.clear()
    for _ in range(random.choice([0, 1, 1, 2, 4])):
        _exchange(random, told if random.random() < 0.15 else told.get("body", told))
    encoded = msgspec.json.encode(told)[:ENTRY_BYTES_MAX]
    content = [
        {"id": each.id, "salt": each.salt, "content": each.content} for _role, each in attached
    ]
    return encoded, content


def _content(random: Random) -> bytes:
    profile: Body = {"name": "Li Lei", "phone": "13800138000", "card": "", "birthday": "1990-02-29"}
    _exchange(random, profile)
    return msgspec.json.encode(profile)


def _exchange(random: Random, told: Any) -> None:
    """Another value for one of the leaves or branches of a document."""
    places = list(_places(told))
    if not places:
        return
    holder, name = random.choice(places)
    value = holder[name]
    if random.random() < 0.1:
        if isinstance(holder, dict):
            del holder[name]
        else:
            holder.append(value)
    elif isinstance(value, bool):
        holder[name] = not value
    elif isinstance(value, int):
        holder[name] = random.choice([*EDGES, value + 1, -value, value * 1000])
    elif isinstance(value, str):
        holder[name] = random.choice([*TEXTS, value + value[:1]])
    elif isinstance(value, list):
        holder[name] = random.choice([[], value * 2, value[:1]])
    elif isinstance(value, dict):
        holder[name] = random.choice([{}, {**value, "more": 1}])
    else:
        holder[name] = random.choice([None, 0, "", "x"])


def _places(told: Any) -> Iterator[tuple[Any, Any]]:
    items: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(told, dict):
        items = iter(list(told.items()))
    elif isinstance(told, list):
        items = iter(list(enumerate(told)))
    for name, value in items:
        yield told, name
        yield from _places(value)


def _pull(world: World, random: Random, body: Body) -> None:
    if random.random() < 0.6:
        body["cursor"] = random.choice([None, *world.cursors[-20:]])
    if world.programmes and random.random() < 0.3:
        body["programme"] = random.choice(world.programmes)
    elif random.random() < 0.5:
        body.pop("programme", None)


def _look_up(world: World, random: Random, body: Body) -> None:
    if random.random() < 0.5:
        body["member_key"] = random.choice(world.member_keys)
    if random.random() < 0.5:
        body["receipt_no"] = random.choice(world.receipts) + random.choice(["", "-0000", "-FFFF"])


def _leases(world: World, random: Random, body: Body) -> None:
    for ask in body.get("asks", ()):
        if random.random() < 0.8:
            ask["account"] = random.choice(ACCOUNTS)
        if random.random() < 0.8:
            ask["owner"] = random.choice(world.members)
    if random.random() < 0.8:
        body["presented"] = random.choices(world.leases, k=2) if world.leases else []


_MAKERS: Final[dict[str, Callable[[World, Random, Body], None]]] = {
    "POST /v1/enrol": _enrol,
    "POST /v1/sync/push": _push,
    "POST /v1/sync/pull": _pull,
    "POST /v1/lookup": _look_up,
    "POST /v1/leases": _leases,
}


def learn(world: World, label: str, case: Any, response: Any) -> None:
    """Take over what an answer gave: further cases build on it."""
    if response.status_code != 200 or not label.startswith("POST /v1/"):
        return
    told = msgspec.msgpack.decode(response.content)
    sent = case.body if isinstance(case.body, dict) else {}
    if label == "POST /v1/enrol" and sent.get("public_key") in world.keys:
        world.take_in(sent["public_key"], msgspec.msgpack.decode(response.content, type=EnrolReply))
    elif label == "POST /v1/sync/push":
        for till in world.tills:
            if till.writer.journal == sent.get("journal"):
                till.heads = [*till.heads[-20:], (told["next_seq"], told["head_hash"])]
    elif label == "POST /v1/sync/pull":
        world.cursors = [*world.cursors[-40:], told["cursor"]]
    elif label == "POST /v1/leases":
        found = [each["granted"] for each in told["answers"] if each.get("granted")]
        world.leases = [*world.leases[-40:], *found]


def body_of(case: Any) -> bytes:
    """What is sent, to play it again."""
    body = case.body
    if isinstance(body, bytes):
        return body
    return to_msgpack(body) if isinstance(body, dict | list) else str(body).encode()

"""What must hold: after every step at the till it was about, and everywhere in the end.

Files are read with SQL, JSON and SHA-256; sums come from the model, which knows no posting.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from tests.simulation.model import NOTHING, Effect
from tests.simulation.rights import check_value
from tests.simulation.till import SimulatedTill
from tests.simulation.violation import must
from tests.simulation.world import World

BALANCES = ("points", "spend", "growth", "stored-value", "stored-bonus")
ENTRY, EPOCH = b"evertill/entry/1", b"evertill/epoch/1"


def shown_at(till: SimulatedTill) -> dict[str, Effect]:
    """What a till shows of each member it knows."""
    found: dict[str, dict[str, int]] = {}
    for member, account, amount in till.reading.execute(
        "SELECT m.member_id, b.account, SUM(b.amount) FROM members m"
        " LEFT JOIN balances b ON b.owner = m.member_id GROUP BY m.member_id, b.account"
    ):
        sums = found.setdefault(member, {})
        if account in BALANCES:
            sums[account] = amount
    return {member: as_effect(sums) for member, sums in found.items()}


def as_effect(sums: dict[str, int]) -> Effect:
    """Sums by account; stored value stands below zero, for the shop owes it."""
    points, spend, growth, principal, bonus = (sums.get(name, 0) for name in BALANCES)
    return Effect(points, spend, growth, -principal - bonus)


def check_shown(world: World, till: SimulatedTill) -> None:
    """Never twice, never missing: the checkpoint and the own entries that are not in it."""
    if till.is_forked:
        return
    model = world.model_of(till)
    sent = till.reading.execute("SELECT acknowledged_seq FROM epochs").fetchone()[0]
    taken = world.booked.next_seqs[model.journal, model.epoch]
    is_known = sent <= taken or till.is_ahead
    must(is_known, f"till {till.number} takes {sent} for sent, the server has {taken}")
    for member, shown in shown_at(till).items():
        possible = model.possible(member)
        must(shown in possible, f"till {till.number} shows {shown}, not {possible}, of {member}")


def check_end(world: World) -> None:
    """Everything that must hold once all lines are up and everything has been sent."""
    _check_chains(world.server.reading, "server", branches=True)
    _check_zero(world.server.reading, "server")
    _check_fold(world.server.reading, "server")
    _check_sums(world)
    _check_rights(world)
    _check_duplicates(world)
    _check_signatures(world.server.reading)
    _check_profiles(world)
    held = {row[0] for row in world.server.reading.execute("SELECT hash FROM entries")}
    must(world.hearing.acknowledged <= held, "an acknowledged entry is lost")
    waiting = "SELECT COUNT(*) FROM quarantine WHERE resolved_at IS NULL"
    must(world.server.reading.execute(waiting).fetchone()[0] == 0, "quarantine is not empty")
    check_value(world)
    for till in world.tills:
        _check_till(world, till, held)
    _check_forgotten(world)


def _check_till(world: World, till: SimulatedTill, held: set[bytes]) -> None:
    name = f"till {till.number}"
    _check_chains(till.reading, name, branches=False)
    _check_zero(till.reading, name)
    mine = {row[0] for row in till.reading.execute("SELECT hash FROM entries")}
    must(mine <= held, name, "wrote what the server has not")
    waiting = till.reading.execute(
        "SELECT COUNT(*) FROM print_jobs p LEFT JOIN entries e ON e.id = p.entry_id"
        " WHERE e.id IS NULL"
    ).fetchone()[0]
    must(waiting == 0, name, "has paper without a fact")
    unprinted = till.reading.execute(
        "SELECT COUNT(*) FROM tickets t LEFT JOIN print_jobs p"
        " ON p.entry_id = t.entry_id AND p.copy = 0 WHERE p.entry_id IS NULL"
    ).fetchone()[0]
    must(unprinted == 0, name, "has a ticket without its paper")
    if till.is_forked:
        return
    must(till.till.unsent() == 0, name, "has not sent everything")
    _check_prefix(world, till)
    check_replicas(world, till)
    check_shown(world, till)


def _check_chains(reading: Any, name: str, *, branches: bool) -> None:
    """Each epoch hashes from its certificate on; a branch from the entry where it left another."""
    column = "certificate, forked_epoch, forked_seq" if branches else "certificate, NULL, NULL"
    epochs = reading.execute(f"SELECT journal, epoch, {column} FROM epochs").fetchall()
    previous_column = "prev_hash" if branches else "previous_hash"
    kept: dict[tuple[str, int], dict[int, tuple[bytes, bytes, bytes]]] = {}
    for journal, epoch, seq, previous, digest, encoded in reading.execute(
        f"SELECT journal, epoch, seq, {previous_column}, hash, bytes FROM entries"
    ):
        kept.setdefault((journal, epoch), {})[seq] = (previous, digest, encoded)
    for journal, epoch, certificate, forked_epoch, forked_seq in epochs:
        chain = kept.get((journal, epoch), {})
        start = forked_seq or 0
        must(sorted(chain) == list(range(start, start + len(chain))), name, "has a gap")
        if not chain:
            continue
        if start:
            previous = _hash_before(kept, epochs, journal, forked_epoch, start)
        elif forked_epoch is not None:
            continue
        else:
            payload = certificate if branches else msgspec.msgpack.decode(certificate)["payload"]
            previous = hashlib.sha256(EPOCH + payload).digest()
        earlier = ""
        for seq in range(start, start + len(chain)):
            stored, digest, encoded = chain[seq]
            must(stored == previous, name, "broken chain at", journal, epoch, seq)
            previous = hashlib.sha256(ENTRY + previous + encoded).digest()
            must(previous == digest, name, "broken chain at", journal, epoch, seq)
            told = json.loads(encoded)
            must(told["seq"] == seq, name, "an entry stands elsewhere")
            must(told["hlc"] > earlier, name, "goes back in time at", journal, epoch, seq)
            earlier = told["hlc"]


def _hash_before(kept: Any, epochs: Any, journal: str, epoch: int, seq: int) -> bytes:
    """Of the entry before ``seq``, in the epoch a branch left or in the one that one left."""
    while seq - 1 not in kept.get((journal, epoch), {}):
        epoch = next(row[3] for row in epochs if row[:2] == (journal, epoch))
    digest: bytes = kept[journal, epoch][seq - 1][1]
    return digest


def _check_zero(reading: Any, name: str) -> None:
    for unit, amount in reading.execute("SELECT unit, SUM(amount) FROM postings GROUP BY unit"):
        must(amount == 0, name, "postings of", unit, "sum to", amount)


def _check_fold(reading: Any, name: str) -> None:
    columns = "account, owner, lot, unit"
    folded = {
        tuple(row[:4]): row[4]
        for row in reading.execute(
            f"SELECT {columns}, SUM(amount) FROM postings GROUP BY {columns}"
        )
    }
    stored = {
        tuple(row[:4]): row[4] for row in reading.execute(f"SELECT {columns}, amount FROM balances")
    }
    for key in folded.keys() | stored.keys():
        must(folded.get(key, 0) == stored.get(key, 0), name, "balance is no fold:", key)


def _check_sums(world: World) -> None:
    """The server's balances are what the facts' own words come to; each fact once."""
    held: dict[str, dict[str, int]] = {}
    for owner, account, amount in world.server.reading.execute(
        "SELECT owner, account, SUM(amount) FROM balances"
        f" WHERE account IN {BALANCES} AND owner != '' GROUP BY owner, account"
    ):
        held.setdefault(owner, {})[account] = amount
    members = {member for member, effect in world.booked.sums.items() if effect != NOTHING}
    for member in members | {
        row[0] for row in world.server.reading.execute("SELECT member_id FROM members")
    }:
        found = as_effect(held.get(member, {}))
        must(found == world.booked.sums[member], "server holds", found, "of", member)
    twice = world.server.reading.execute(
        "SELECT entry_id, position FROM postings GROUP BY entry_id, position HAVING COUNT(*) > 1"
    ).fetchall()
    must(not twice, "facts with two effects:", twice)


def _exceptions(world: World) -> Iterator[dict[str, Any]]:
    for (encoded,) in world.server.reading.execute(
        "SELECT bytes FROM entries WHERE kind = 'exception_raised'"
    ):
        yield json.loads(encoded)["body"]


def _check_rights(world: World) -> None:
    """Whatever was spent beyond a lot, or twice with one coupon, is an exception."""
    keys = [body["natural_key"] for body in _exceptions(world)]
    must(len(keys) == len(set(keys)), "an exception was raised twice")
    told = Counter(":".join(key.split(":")[:2]) for key in keys)
    for account, lot, owner, amount in world.server.reading.execute(
        "SELECT account, lot, owner, amount FROM balances"
        " WHERE amount < 0 AND owner != '' AND account IN ('points', 'coupon')"
    ):
        if account == "points" and lot in world.booked.booked:
            must(told[f"overspent:{lot}"], "lot", lot, "is overspent by", amount, "unseen")
        if account == "coupon" and amount < -1:
            must(told[f"coupon-overspent:{owner}"], "coupon", owner, "is used twice, unseen")


def _check_duplicates(world: World) -> None:
    """Two members of one phone are an exception about both."""
    by_phone: dict[str, list[str]] = {}
    for member, phone in world.shop.phones.items():
        if member in world.booked.enrolled and member not in world.booked.erased:
            by_phone.setdefault(phone, []).append(world.booked.enrolled[member])
    told = [
        set(json.loads(row[0])["depends_on"])
        for row in world.server.reading.execute(
            "SELECT bytes FROM entries WHERE kind = 'exception_raised'"
        )
        if json.loads(row[0])["body"]["rule"] == "duplicate-member-key"
    ]
    for phone, enrolments in by_phone.items():
        if len(enrolments) > 1:
            seen = any(len(facts & set(enrolments)) > 1 for facts in told)
            must(seen, "one phone, several members, unseen:", phone)


def _check_profiles(world: World) -> None:
    """Whoever was enrolled has a name and a phone, unless they were erased."""
    kept = {
        row[0]: row[1:]
        for row in world.server.reading.execute("SELECT member_id, name, phone FROM members")
    }
    for member, phone in world.shop.phones.items():
        if member in world.booked.enrolled and member not in world.booked.erased:
            told = (world.shop.names[member], phone)
            must(kept[member] == told, "the profile of", member, "is", kept[member])


def _check_signatures(reading: Any) -> None:
    """The head of each chain that tills wrote is signed."""
    unsigned = reading.execute(
        "SELECT h.journal, h.epoch FROM heads h LEFT JOIN head_signatures s"
        " ON s.journal = h.journal AND s.epoch = h.epoch AND s.seq = h.next_seq - 1"
        " WHERE h.next_seq > 0 AND s.seq IS NULL"
    ).fetchall()
    must(not unsigned, "chains without a signed head:", unsigned)


def _check_prefix(world: World, till: SimulatedTill) -> None:
    model = world.model_of(till)
    sql = "SELECT seq, bytes FROM entries WHERE journal = ? AND epoch = ? ORDER BY seq"
    place = (model.journal, model.epoch)
    ours = till.reading.execute(sql, place).fetchall()
    theirs = world.server.reading.execute(sql, place).fetchall()
    must(ours == theirs, "till", till.number, "and server keep different bytes")


MEMBERS_HOLD = (
    "SELECT owner, account, lot, unit, amount FROM balances WHERE amount != 0 AND owner IN"
)
REPLICAS = (
    (
        "goods",
        "SELECT goods_id, document FROM goods ORDER BY 1",
        "SELECT goods_id, document FROM goods WHERE NOT deleted ORDER BY 1",
    ),
    (
        "members",
        "SELECT member_id, name, phone_tail, tier FROM members ORDER BY 1",
        "SELECT member_id, name, SUBSTR(phone, -4), tier FROM members WHERE NOT gone ORDER BY 1",
    ),
    (
        "programme",
        "SELECT version, sha256 FROM bundles ORDER BY 1 DESC LIMIT 1",
        "SELECT version, sha256 FROM bundles ORDER BY 1 DESC LIMIT 1",
    ),
    (
        "operators",
        "SELECT operator_id, pin_hash FROM operators ORDER BY 1",
        "SELECT operator_id, pin_hash FROM operators ORDER BY 1",
    ),
    (
        "balances of members",
        f"{MEMBERS_HOLD} (SELECT member_id FROM members) ORDER BY 1, 2, 3, 4",
        f"{MEMBERS_HOLD} (SELECT member_id FROM members WHERE NOT gone) ORDER BY 1, 2, 3, 4",
    ),
)
"""What, at the till, at the server."""


def check_replicas(world: World, till: SimulatedTill) -> None:
    """What a till in sync holds of goods, members, programme and operators is the server's."""
    for what, here, there in REPLICAS:
        ours = till.reading.execute(here).fetchall()
        theirs = world.server.reading.execute(there).fetchall()
        more, less = sorted(set(ours) - set(theirs)), sorted(set(theirs) - set(ours))
        must(ours == theirs, f"till {till.number}: other {what}: has {more}, lacks {less}")


def _check_forgotten(world: World) -> None:
    """No name of somebody who was erased is left in a file, of the server or of an honest till."""
    names = [
        name.encode() for member, name in world.shop.names.items() if member in world.booked.erased
    ]
    folders = [world.server.database.parent]
    folders += [till.folder.path for till in world.tills if not till.is_forked]
    for folder in folders:
        for file in sorted(folder.glob("*.sqlite*")) + sorted(folder.glob("*.db*")):
            content = file.read_bytes()
            for name in names:
                must(name not in content, "an erased name is left in", file.name, "of", folder.name)

"""Members by the thousand, written straight into a server's tables."""

from shared.ids import random_id
from shared.trade.profile import KeyKind, lookup_hash
from sync_server.database import schema
from sync_server.database.transaction import Work


def write_members(work: Work, numbers: range, lookup_key: bytes) -> None:
    """Members with a phone, a card and one lot of points; the scopes are to be counted anew."""
    seqs = work.take(len(numbers))
    ids = [random_id() for _ in numbers]
    lots = [random_id() for _ in numbers]
    rows = list(zip(numbers, ids, lots, seqs, strict=True))
    work.insert(
        schema.members,
        [
            {
                "member_id": member,
                "name": f"顾客{number % 9973}",
                "phone": phone_of(number),
                "card": f"M{number:09}",
                "tier": "member",
                "gone": False,
                "change_seq": seq,
            }
            for number, member, _lot, seq in rows
        ],
    )
    keys = [
        {"member_id": member, "key_hash": lookup_hash(lookup_key, kind, text)}
        for number, member, _lot, _seq in rows
        for kind, text in ((KeyKind.PHONE, phone_of(number)), (KeyKind.CARD, f"M{number:09}"))
    ]
    work.insert(schema.member_keys, keys)
    work.insert(
        schema.lots,
        [
            {"lot": lot, "member_id": member, "earned_on": "2026-01-01", "expires_on": "2027-12-31"}
            for _number, member, lot, _seq in rows
        ],
    )
    work.insert(
        schema.balances,
        [
            {"account": "points", "owner": member, "lot": lot, "unit": "points/0", "amount": 120}
            for _number, member, lot, _seq in rows
        ],
    )


def phone_of(number: int) -> str:
    """Of a member by number."""
    return str(13_000_000_000 + number)

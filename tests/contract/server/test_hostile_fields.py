"""Whatever a till has signed is kept: booked, or in quarantine. No value of any field, within what
an entry may hold, keeps a push from being taken, on either database."""

from typing import Any

import msgspec
import pytest

from shared.journal.certificate import sign_head
from shared.journal.entry import ENTRY_BYTES_MAX, chain_hash
from shared.protocol.message import PROTOCOL, PushReply, PushRequest
from sync_server.journal.audit import audit
from tests.support import every_fact
from tests.support.servers import Server
from tests.support.till_writer import TillWriter

NUMBERS = (-(2**53) + 1, -1, 2**31, 2**53 - 1)
TEXTS = ("", "x" * 3000, "\ufffe", "\U0010fffd", "a\x01b", "a\x00b", "2026-99-99", "e\u0301")
ENVELOPE = ("id", "kind", "version", "post_version", "occurred_at", "hlc", "business_date")
AT_ONCE = 200
EVERY = (
    *every_fact.of_lots_that_live_on(),
    *every_fact.all_facts(),
    *every_fact.since_release_1(),
    *every_fact.since_release_2(),
    *every_fact.about_members(),
    *every_fact.of_partners_and_batches(),
    *every_fact.about_profiles(),
    *every_fact.about_papers(),
    *every_fact.about_signatures(),
    *every_fact.about_keys(),
)


def variants(value: Any) -> list[Any]:
    """A value with one leaf exchanged, for each leaf and each odd value."""
    if isinstance(value, dict):
        return [{**value, key: odd} for key, one in value.items() for odd in variants(one)]
    if isinstance(value, list):
        return [
            [*value[:at], odd, *value[at + 1 :]]
            for at, one in enumerate(value)
            for odd in variants(one)
        ]
    if isinstance(value, bool) or value is None:
        return []
    return list(NUMBERS if isinstance(value, int) else TEXTS)


def odd_entries(till: TillWriter) -> list[bytes]:
    """A till's only entry, and what it would be with each field exchanged, numbered on."""
    sound = msgspec.json.decode(till.entries[0].entry.encoded)
    odd = [{**sound, "body": body} for body in variants(sound["body"])]
    odd += [{**sound, key: one} for key in ENVELOPE for one in variants(sound[key])]
    for number, entry in enumerate(odd, 1):
        entry["seq"] = number
        if entry["id"] == sound["id"]:
            entry["id"] = f"{sound['id'][:-6]}{number:06x}"
    encoded = [till.entries[0].entry.encoded, *map(msgspec.json.encode, odd)]
    return [one for one in encoded if len(one) <= ENTRY_BYTES_MAX]


def push_all(server: Server, till: TillWriter, entries: list[bytes]) -> PushReply:
    """As a till does, some at a time."""
    hashes = [till.heads[0].hash]
    for encoded in entries:
        hashes.append(chain_hash(hashes[-1], encoded))
    for start in range(0, len(entries), AT_ONCE):
        part = entries[start : start + AT_ONCE]
        last = start + len(part)
        request = PushRequest(
            protocol=PROTOCOL,
            journal=till.journal,
            epoch=till.certificate.epoch,
            first_seq=start,
            prev_hash=hashes[start],
            entries=tuple(part),
            attachments=(),
            head_hash=hashes[last],
            head_signature=sign_head(
                till.key,
                journal=till.journal,
                epoch=till.certificate.epoch,
                seq=last - 1,
                head_hash=hashes[last],
            ),
            hlc=till.hybrid.tick(),
            certificate=till.reply.certificate,
        )
        reply = server.line.post("/v1/sync/push", request, PushReply)
        assert reply.next_seq == last
    return reply


def test_a_push_is_taken_whatever_its_fields_say(server: Server) -> None:
    for fact in EVERY:
        till = server.enrol_till()
        till.write(fact)
        push_all(server, till, odd_entries(till))
    with server.services.database.reading() as snapshot:
        report = audit(snapshot)
    assert report.flaws == []
    assert report.quarantined > 0


@pytest.mark.parametrize("day", ["2026-99-99", "soon", "20260301", "2026-W09-7", " 2026-03-01"])
def test_a_day_that_is_none_waits_in_quarantine_and_its_till_goes_on(
    server: Server, day: str
) -> None:
    till = server.enrol_till()
    member = till.enrol_member()
    till.sell(100, member=member, earned=5, expires_on=day)
    till.sell(100, member=member, earned=5, expires_on="2027-03-31")
    assert server.line.push(till).next_seq == 3
    (waiting,) = server.services.quarantine.waiting()
    assert (waiting.seq, waiting.reason) == (1, "bad-fact")

"""Strict JSON, entries, chains, attachments, keys and the head record, each with bad input."""

import hashlib
import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import DomainError, EvertillError, ProtocolError
from shared.ids import EntryId, JournalId
from shared.journal import strict
from shared.journal.attachment import Attachment, attach
from shared.journal.chain import append, begin_chain, verify_chain, verify_next
from shared.journal.entry import (
    ENTRY_BYTES_MAX,
    Envelope,
    decode_entry,
    encode_entry,
    format_occurred_at,
)
from shared.journal.head_record import SLOT_BYTES, HeadRecord, decode_slots, encode_slot
from shared.journal.keys import PublicKey, SigningKey, parse_public_key, sign_statement
from shared.journal.strict import INTEGER_MAX, check_strict, encode_strict

JOURNAL = JournalId("0b0c0d0e-0000-4000-8000-00000000000a")
CERTIFICATE = b'{"a":"certificate"}'


def envelope(seq: int = 0, body: bytes = b"{}", **changes: object) -> Envelope:
    values: dict[str, object] = {
        "format": 1,
        "journal": JOURNAL,
        "epoch": 1,
        "seq": seq,
        "id": EntryId(f"01900000-0000-7000-8000-{seq:012x}"),
        "kind": "no_sale",
        "version": 1,
        "post_version": 1,
        "occurred_at": "2026-03-02T09:00:00.000+08:00",
        "hlc": f"{seq:016x}",
        "business_date": None,
        "reverses": None,
        "depends_on": (),
        "attachments": (),
        "body": msgspec.Raw(body),
    }
    return Envelope(**{**values, **changes})


def refused(call, *arguments) -> EvertillError:
    with pytest.raises(EvertillError) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize(
    "encoded",
    [
        b"1.0",
        b"1e3",
        b"NaN",
        b"-Infinity",
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        str(INTEGER_MAX + 1).encode(),
        b"9" * 5000,
        b"-" + b"9" * 5000,
        '"e\u0301"'.encode(),
        b'"e\\u0301"',
        b'{"e\\u0301":1}',
        b"\xff",
        b"{",
        b"",
        b'{"a":1}x',
        b"[" * 100_000,
    ],
)
def test_json_that_two_readers_could_read_differently_is_refused(encoded):
    error = refused(check_strict, encoded)
    assert error.code == "not-strict-json"
    assert len(str(error.fields["reason"])) < 60


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


LOOSE = st.recursive(
    VALUES | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
WRITTEN = st.one_of(
    LOOSE.map(lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))),
    LOOSE.map(json.dumps),
    st.text(st.sampled_from('[]{}",:0123456789.eE+-\\u e\u0301'), max_size=30),
    st.integers(10**14, 10**18).map(lambda number: f'{{"a":1,"a":-{number}}}'),
)
LONG = st.integers(10**15, 10**18)
"""On both sides of what every reader keeps."""


@given(WRITTEN)
def test_what_is_plainly_strict_is_what_the_judge_finds_strict(text):
    encoded = text.encode(errors="surrogatepass")
    if strict.is_plainly_strict(encoded):
        strict.judge(encoded)


@pytest.mark.parametrize("place", ["[{}]", "[0,{}]", '{{"a":{}}}', '{{"a":0,"b":[{},1]}}'])
@given(LONG, st.sampled_from([1, -1]))
def test_an_integer_that_is_too_long_is_nowhere_plainly_strict(place, number, sign):
    encoded = place.format(sign * number).encode()
    assert number <= INTEGER_MAX or not strict.is_plainly_strict(encoded)


@given(st.lists(VALUES, max_size=5))
def test_what_is_encoded_strictly_is_strict_and_stays_the_same(value):
    encoded = encode_strict(value)
    try:
        check_strict(encoded)
    except ProtocolError as error:
        # Two keys of one mapping that are equal in NFC cannot be told apart.
        assert error.fields == {"reason": "duplicate key"}  # noqa: PT017 - both ends are right
        return
    assert encode_strict(json.loads(encoded)) == encoded


def test_an_entry_keeps_its_bytes():
    entry = encode_entry(envelope(body=b'{"name":"\xe6\xb0\xb4"}'))
    again = decode_entry(entry.encoded)
    assert again == entry
    assert (
        again.chained(b"\0" * 32)
        == hashlib.sha256(b"evertill/entry/1" + b"\0" * 32 + entry.encoded).digest()
    )


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"epoch": -1},
        {"seq": -1},
        {"occurred_at": "yesterday"},
        {"occurred_at": "2026-03-02T09:00:00"},
        {"hlc": "zz"},
        {"hlc": "00"},
    ],
)
def test_an_envelope_that_cannot_be_right_is_refused(change):
    encoded = msgspec.json.encode(envelope(**change))
    assert refused(decode_entry, encoded).code == "bad-envelope"


def test_missing_and_unknown_fields_of_an_envelope_are_refused():
    told = json.loads(encode_entry(envelope()).encoded)
    for name in told:
        less = {key: value for key, value in told.items() if key != name}
        assert refused(decode_entry, json.dumps(less).encode()).code == "bad-envelope"
    assert refused(decode_entry, json.dumps({**told, "x": 1}).encode()).code == "bad-envelope"


def test_64_kib_is_the_limit_to_the_byte():
    spare = ENTRY_BYTES_MAX - len(encode_entry(envelope(body=b'""')).encoded)
    fits = envelope(body=b'"' + b"x" * spare + b'"')
    assert len(decode_entry(encode_entry(fits).encoded).encoded) == ENTRY_BYTES_MAX
    over = envelope(body=b'"' + b"x" * (spare + 1) + b'"')
    with pytest.raises(DomainError) as caught:
        encode_entry(over)
    expected = {"size": ENTRY_BYTES_MAX + 1, "limit": ENTRY_BYTES_MAX}
    assert (caught.value.code, caught.value.fields) == ("entry-too-large", expected)
    assert refused(decode_entry, b" " * (ENTRY_BYTES_MAX + 1)).fields == expected


def chained(count: int) -> list[tuple[bytes, bytes]]:
    head = begin_chain(JOURNAL, 1, CERTIFICATE)
    rows = []
    for seq in range(count):
        head, entry = append(head, envelope(seq))
        rows.append((entry.entry.encoded, entry.hash))
    return rows


def test_a_chain_verifies_and_ends_where_it_was_written():
    rows = chained(5)
    head = verify_chain(begin_chain(JOURNAL, 1, CERTIFICATE), rows)
    assert (head.next_seq, head.last_seq, head.hash) == (5, 4, rows[-1][1])


@pytest.mark.parametrize("at", range(4))
def test_any_changed_byte_breaks_the_chain_at_its_row(at):
    rows = chained(4)
    encoded, entry_hash = rows[at]
    rows[at] = (encoded.replace(b"no_sale", b"no_salt"), entry_hash)
    error = refused(verify_chain, begin_chain(JOURNAL, 1, CERTIFICATE), rows)
    assert (error.code, error.fields) == ("broken-chain", {"epoch": 1, "seq": at})


def test_another_certificate_another_order_or_a_gap_is_another_chain():
    rows = chained(3)
    begin = begin_chain(JOURNAL, 1, CERTIFICATE)
    other = begin_chain(JOURNAL, 1, b"another")
    assert refused(verify_chain, other, rows).code == "broken-chain"
    assert refused(verify_chain, begin, [rows[1], rows[0]]).code == "wrong-place"
    assert refused(verify_chain, begin, [rows[0], rows[2]]).code == "wrong-place"
    error = refused(verify_next, begin_chain(JOURNAL, 2, CERTIFICATE), rows[0][0])
    assert error.fields == {"expected": "2/0", "found": "1/0"}


def test_an_attachment_proves_itself_and_tells_nothing_once_its_salt_is_gone():
    one, same = attach("李雷".encode()), attach("李雷".encode())
    ref = one.ref("profile")
    assert one.matches(ref)
    assert not same.matches(ref)
    assert ref.sha256 == hashlib.sha256(one.salt + one.content).hexdigest()
    assert not Attachment(one.id, one.salt, b"other").matches(ref)
    assert not Attachment(one.id, b"\0" * 32, one.content).matches(ref)
    assert one.ref("profile").sha256 != same.ref("profile").sha256


def test_signatures_hold_for_one_purpose_one_audience_one_key_and_these_bytes():
    key, other = SigningKey(b"k" * 32), SigningKey(b"o" * 32)
    signed = sign_statement(key, purpose="bundle", audience="all", payload=b"payload")
    assert signed.verify(key.public, purpose="bundle", audience="all") == b"payload"

    def verify(statement, by, purpose, audience):
        return statement.verify(by, purpose=purpose, audience=audience)

    assert refused(verify, signed, key.public, "lease", "all").code == "wrong-statement"
    assert refused(verify, signed, key.public, "bundle", "me").code == "wrong-statement"
    assert refused(verify, signed, other.public, "bundle", "all").code == "wrong-statement"
    changed = msgspec.structs.replace(signed, payload=b"Payload")
    assert refused(verify, changed, key.public, "bundle", "all").code == "bad-signature"
    moved = msgspec.structs.replace(signed, purpose="lease")
    assert refused(verify, moved, key.public, "lease", "all").code == "bad-signature"
    cut = msgspec.structs.replace(signed, signature=signed.signature[:-1])
    assert refused(verify, cut, key.public, "bundle", "all").code == "bad-signature"


@pytest.mark.parametrize("text", ["", "not base64!", "AAAA", "é", "A" * 1000])
def test_a_key_that_is_none_is_refused(text):
    assert refused(parse_public_key, text).code == "bad-key"


def test_a_key_is_written_and_read_and_named_by_its_hash():
    key = SigningKey(b"k" * 32)
    assert parse_public_key(str(key.public)).id == key.id
    expected = hashlib.sha256(b"evertill/key/1" + key.public.raw).hexdigest()[:32]
    assert PublicKey(key.public.raw).id == expected


def record(seq: int, epoch: int = 1) -> HeadRecord:
    return HeadRecord(JOURNAL, epoch, seq, bytes([seq]) * 32)


def test_the_newest_whole_slot_is_the_head():
    even, odd = encode_slot(record(4)), encode_slot(record(5))
    assert len(even) == SLOT_BYTES
    assert decode_slots(even + odd) == record(5)
    assert decode_slots(odd + even) == record(5)
    assert decode_slots(even + encode_slot(record(1, epoch=2))) == record(1, epoch=2)


@given(st.integers(0, 71), st.integers(1, 255))
def test_a_torn_slot_leaves_the_other_one(at, flip):
    torn = bytearray(encode_slot(record(5)))
    torn[at] ^= flip
    assert decode_slots(encode_slot(record(4)) + bytes(torn)) == record(4)


@pytest.mark.parametrize("content", [b"", b"\0" * 1024, b"x" * 7, b"EVTHEAD1" + b"\0" * 1016])
def test_a_file_without_a_whole_slot_knows_nothing(content):
    assert decode_slots(content) is None


def test_times_are_written_with_their_offset_to_the_millisecond():
    at = datetime(2026, 3, 2, 1, 0, 0, 123999, tzinfo=UTC)
    assert format_occurred_at(at) == "2026-03-02T01:00:00.123+00:00"


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a\0b", "ab"), ("\0", ""), ("a\\u0000b", "a\\u0000b"), ("\\\0x", "\\x"), ("é\0", "é")],
)
def test_text_loses_nul_when_it_is_written_and_nothing_else(text, kept):
    encoded = encode_strict({"text": text})
    check_strict(encoded)
    assert json.loads(encoded) == {"text": kept}

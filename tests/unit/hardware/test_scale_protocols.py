"""What scales say becomes an exact weight or the one right state, however the bytes arrive."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.scale.cas import CasAsked, CasStream
from hardware.scale.dialog_06 import ApprovedPair, Dialog06, encode_pair
from hardware.scale.port import FRESH_S, Reading, ScaleState
from hardware.scale.talk import Found, Step, Talk, weight_of
from hardware.scale.toledo_8217 import Toledo8217

PAIR = ApprovedPair(0x4711, 0x0815)


def cas(status: bytes = b"S", sign: bytes = b" ", data: bytes = b" 1.234", unit: bytes = b"kg"):
    body = status + sign + data + unit
    check = 0
    for byte in body:
        check ^= byte
    return b"\x01\x02" + body + bytes([check]) + b"\x03\x04"


def fed(talk: Talk, data: bytes) -> Found | None:
    """As the driver does: what stands behind an answer that asks for more is looked at again."""
    step = talk.feed(data)
    while step.send and step.found is None:
        step = talk.feed(b"")
    return step.found


def heard(talk: Talk, data: bytes) -> Found | None:
    talk.begin()
    return fed(talk, data)


@pytest.mark.parametrize(
    ("digits", "unit", "found"),
    [
        ("1.234", "kg", Found(ScaleState.STABLE, 1234)),
        ("01.2", "kg", Found(ScaleState.STABLE, 1200)),
        ("12", "kg", Found(ScaleState.STABLE, 12_000)),
        ("00.001", "KG", Found(ScaleState.STABLE, 1)),
        ("1.2340", "kg", Found(ScaleState.STABLE, 1234)),
        ("1234", " g", Found(ScaleState.STABLE, 1234)),
        ("0.000", "kg", Found(ScaleState.EMPTY)),
        ("1.2345", "kg", Found(ScaleState.UNSUITABLE)),
        ("250.5", "g", Found(ScaleState.UNSUITABLE)),
        ("1.234", "lb", Found(ScaleState.UNSUITABLE)),
        ("1.2.3", "kg", Found(ScaleState.NOISE)),
        ("", "kg", Found(ScaleState.NOISE)),
        ("1e3", "kg", Found(ScaleState.NOISE)),
        ("-1.0", "kg", Found(ScaleState.NOISE)),
        ("١.٢", "kg", Found(ScaleState.NOISE)),
    ],
)
def test_a_weight_is_exact_or_none(digits, unit, found):
    assert weight_of(digits, unit) == found


@given(grams=st.integers(1, 999_999))
def test_no_gram_is_lost_between_text_and_number(grams):
    assert weight_of(f"{grams // 1000}.{grams % 1000:03}", "kg").grams == grams


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"\x0201.234\r", Found(ScaleState.STABLE, 1234)),
        (b"\x0201.234N\r", Found(ScaleState.STABLE, 1234)),
        (b"\x02 1.234\r", Found(ScaleState.STABLE, 1234)),
        (b"\x0201234\r", Found(ScaleState.STABLE, 1234)),
        (b"\x02\xb01.234\r", Found(ScaleState.STABLE, 1234)),
        (b"\x0200.000\r", Found(ScaleState.EMPTY)),
        (b"\x02?\x61\r", Found(ScaleState.MOTION)),
        (b"\x02?\x63\r", Found(ScaleState.OVERLOAD)),
        (b"\x02?\x64\r", Found(ScaleState.UNDER_ZERO)),
        (b"\x02?\x68\r", Found(ScaleState.NOT_ZEROED)),
        (b"\x02?\x70\r", Found(ScaleState.EMPTY)),
        (b"\x02?\x60\r", Found(ScaleState.FAULT)),
        (b"\x0201.2\x0201.234\r", Found(ScaleState.STABLE, 1234)),
        (b"junk\r\x0201.234\r", Found(ScaleState.STABLE, 1234)),
        (b"\x0201:234\r", None),
        (b"01.234\r", None),
        (b"\x0201.234", None),
    ],
)
def test_toledo_8217(answer, found):
    assert heard(Toledo8217(), answer) == found


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"\x06" + cas(), Found(ScaleState.STABLE, 1234)),
        (b"\x06" + cas(data=b"  1234", unit=b" g"), Found(ScaleState.STABLE, 1234)),
        (b"\x06" + cas(status=b"U"), Found(ScaleState.MOTION)),
        (b"\x06" + cas(sign=b"F"), Found(ScaleState.OVERLOAD)),
        (b"\x06" + cas(sign=b"-"), Found(ScaleState.UNDER_ZERO)),
        (b"\x06" + cas(unit=b"lb"), Found(ScaleState.UNSUITABLE)),
        (b"\x06" + cas(data=b" 0.000"), Found(ScaleState.EMPTY)),
        (b"\x06" + cas(status=b"?"), Found(ScaleState.NOISE)),
        (b"\x15", Found(ScaleState.MOTION)),
        (b"\x06" + cas()[:7] + cas(), Found(ScaleState.STABLE, 1234)),
        (b"\x06\x01\x02S " + cas(), Found(ScaleState.STABLE, 1234)),
        (cas(), None),
    ],
)
def test_cas_when_asked(answer, found):
    assert CasAsked().begin() == b"\x05"
    assert heard(CasAsked(), answer) == found


def test_cas_is_asked_for_the_block_once_it_is_there():
    assert CasAsked().feed(b"\x06") == Step(send=b"\x11")


@pytest.mark.parametrize("at", range(2, 13))
def test_one_wrong_bit_in_a_cas_block_is_no_weight(at):
    block = bytearray(b"\x06" + cas())
    block[at + 1] ^= 0x01
    assert heard(CasAsked(), bytes(block)) is None


@pytest.mark.parametrize(
    ("block", "found"),
    [
        (b"ST,GS,1\xc0,+001.234 kg\r\n", Found(ScaleState.STABLE, 1234)),
        (b"ST,NT,1\xc2, 001.234 kg\r\n", Found(ScaleState.STABLE, 1234)),
        (b"ST,GS,1\xc0,00001234  g\r\n", Found(ScaleState.STABLE, 1234)),
        (b"US,GS,1\x80,+001.234 kg\r\n", Found(ScaleState.MOTION)),
        (b"OL,GS,1\x80,        kg\r\n", Found(ScaleState.OVERLOAD)),
        (b"ST,GS,1\xc0,-000.120 kg\r\n", Found(ScaleState.UNDER_ZERO)),
        (b"ST,GS,1\xc0,+001.234 lb\r\n", Found(ScaleState.UNSUITABLE)),
        (b"ST,GS,1\xc1,+000.000 kg\r\n", Found(ScaleState.EMPTY)),
        (b"1.234 kg\r\nST,GS,1\xc0,+002.000 kg\r\n", Found(ScaleState.STABLE, 2000)),
        (b"ST,GS,1\xc0,+001;234 kg\r\n", None),
        (b"ST,GS,1\xc0,+001.234 kg\r", None),
    ],
)
def test_cas_unasked(block, found):
    assert heard(CasStream(), block) == found


def test_of_a_cas_stream_the_newest_block_counts():
    both = b"ST,GS,1\xc0,+001.000 kg\r\nST,GS,1\xc0,+002.000 kg\r\n"
    assert heard(CasStream(), both) == Found(ScaleState.STABLE, 2000)


def talk_06(pair: ApprovedPair | None = PAIR) -> Dialog06:
    return Dialog06(unit_price_minor=1299, pair=pair)


RESULT = b"\x0202\x1b3\x1b01234\x1b001299\x1b001603\x03"


def test_dialog_06_tells_the_price_and_asks_for_the_weight():
    talk = talk_06()
    assert talk.begin() == b"\x04\x0201\x1b001299\x1b\x03"
    assert talk.feed(b"\x06") == Step(send=b"\x04\x05")
    assert talk.feed(RESULT).found == Found(ScaleState.STABLE, 1234)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("20", ScaleState.MOTION),
        ("21", ScaleState.UNCHANGED),
        ("22", ScaleState.MOTION),
        ("30", ScaleState.EMPTY),
        ("31", ScaleState.UNDER_ZERO),
        ("32", ScaleState.OVERLOAD),
        ("00", ScaleState.MOTION),
        ("01", ScaleState.FAULT),
        ("02", ScaleState.FAULT),
        ("11", ScaleState.FAULT),
        ("77", ScaleState.FAULT),
    ],
)
def test_dialog_06_says_why_there_is_no_weight(code, state):
    talk = talk_06()
    talk.feed(b"\x06")
    assert talk.feed(b"\x15") == Step(send=b"\x04\x0208\x03")
    assert talk.feed(f"\x0209\x1b{code}\x03".encode()).found == Found(state)


def test_dialog_06_proves_itself_and_then_begins_again():
    talk = talk_06()
    begun = talk.begin()
    asked = talk.feed(b"\x0211\x1b247\x03")
    # 0x4711 turned left by 4 is 0x7114; 0x0815 turned right by 7 is 0x2A10.
    assert asked == Step(send=b"\x04\x0210\x1b71142A10\x03")
    assert talk.feed(b"\x06") == Step(send=b"\x04\x05")
    assert talk.feed(b"\x0211\x1b1\x03") == Step(send=begun)
    assert talk.feed(b"\x06") == Step(send=b"\x04\x05")
    assert talk.feed(RESULT).found == Found(ScaleState.STABLE, 1234)


@pytest.mark.parametrize("random", [0, 1, 0x0F, 0xF0, 0xFF])
def test_the_pair_is_turned_as_strings_of_bits_are(random):
    left, right = divmod(random, 16)
    bits = [f"{0x4711:016b}", f"{0x0815:016b}"]
    turned = bits[0][left:] + bits[0][:left], bits[1][16 - right :] + bits[1][: 16 - right]
    assert encode_pair(PAIR, random) == "".join(f"{int(one, 2):04X}" for one in turned)


def test_a_scale_that_refuses_the_checksums_or_is_given_none_says_so():
    talk = talk_06()
    talk.feed(b"\x0211\x1b247\x03")
    assert talk.feed(b"\x0211\x1b0\x03").found == Found(ScaleState.REFUSED)
    assert talk_06(pair=None).feed(b"\x0211\x1b247\x03").found == Found(ScaleState.REFUSED)
    endless = talk_06()
    endless.feed(b"\x0211\x1b247\x03")
    assert endless.feed(b"\x0211\x1b248\x03").found == Found(ScaleState.REFUSED)


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (RESULT.replace(b"001299", b"001298"), ScaleState.NOISE),
        (RESULT.replace(b"\x1b3\x1b", b"\x1b1\x1b"), ScaleState.UNSUITABLE),
        (RESULT.replace(b"01234", b"00000"), ScaleState.EMPTY),
    ],
)
def test_dialog_06_gives_no_weight_at_another_price_or_in_another_unit(result, state):
    talk = talk_06()
    talk.feed(b"\x06")
    assert talk.feed(result).found == Found(state)


def test_a_result_that_nobody_asked_for_is_not_believed():
    assert talk_06().feed(RESULT).found is None


def test_a_price_that_the_scale_cannot_show_is_no_weighing():
    for price in (0, 1_000_000):
        talk = Dialog06(unit_price_minor=price)
        assert talk.begin() == b""
        assert talk.feed(b"").found == Found(ScaleState.FAULT)


PROVED = b"\x7f\x0211\x1b247\x03\x06\x0211\x1b1\x03"
STREAMS = [
    (Toledo8217, b"x\r\x02?\x61\r", Found(ScaleState.MOTION)),
    (Toledo8217, b"\x0201.2\x0201.234\r", Found(ScaleState.STABLE, 1234)),
    (CasAsked, b"\x06" + cas(sign=b"F"), Found(ScaleState.OVERLOAD)),
    (CasAsked, b"\x00\x06\x01" + cas(), Found(ScaleState.STABLE, 1234)),
    (CasStream, b"234 kg\r\nST,GS,1\xc0,+001.234 kg\r\n", Found(ScaleState.STABLE, 1234)),
    (talk_06, b"\x06" + RESULT, Found(ScaleState.STABLE, 1234)),
    (talk_06, PROVED + b"\x06" + RESULT, Found(ScaleState.STABLE, 1234)),
]


@pytest.mark.parametrize(("make", "stream", "found"), STREAMS)
@given(cuts=st.lists(st.integers(0, 60), max_size=12))
@settings(max_examples=60, deadline=None)
def test_however_the_answer_is_cut_it_says_the_same(make, stream, found, cuts):
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    talk: Talk = make()
    talk.begin()
    ends = [fed(talk, stream[start:end]) for start, end in pairwise(edges)]
    assert next(filter(None, ends)) == found


@pytest.mark.parametrize("make", [Toledo8217, CasAsked, CasStream, talk_06])
@given(noise=st.binary(max_size=600))
@settings(max_examples=60, deadline=None)
def test_noise_never_breaks_anything_and_keeps_no_memory(make, noise):
    talk = make()
    talk.begin()
    for at in range(0, len(noise), 40):
        talk.feed(noise[at : at + 40])
    assert len(talk._held) <= 256


def test_a_weight_expires():
    reading = Reading(ScaleState.STABLE, 1234, at=10.0)
    assert reading.as_of(10.0 + FRESH_S) == reading
    assert reading.as_of(10.1 + FRESH_S).state is ScaleState.STALE
    assert reading.as_of(10.1 + FRESH_S).grams == 0
    assert reading.as_of(9.0).state is ScaleState.STALE
    moving = Reading(ScaleState.MOTION, 0, at=1.0)
    assert moving.as_of(99.0) == moving

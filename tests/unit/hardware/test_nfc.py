"""PN532 frames, NDEF messages and cards: member numbers come through, bank cards never."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.nfc.card import CardKind, read_memory_card, read_smart_card
from hardware.nfc.frames import ACK, NACK, Acknowledged, Answer, FrameReader, Refused, encode
from hardware.nfc.ndef import first_text, message_end, message_of_tag
from hardware.nfc.tapping import Tapping
from hardware.ports import CardData
from hardware.simulators.nfc import SELECT_PAYMENT, BankCard, MemoryCard, SmartCard, text_message

UID = bytes.fromhex("04A2B3C4D5E680")
NUMBER = "8600123456781234"
PAN = "4111111111111111"
# NXP UM0701-02: GetFirmwareVersion and the PN532's answer to it.
FIRMWARE = bytes.fromhex("0000FF02FED4022A00")
FIRMWARE_ANSWER = bytes.fromhex("0000FF06FAD50332010607E800")


def test_a_command_is_framed_as_in_the_manual():
    assert encode(0x02) == FIRMWARE
    assert encode(0x14, b"\x01\x14\x01") == bytes.fromhex("0000FF05FBD4140114010200")


def test_answers_are_read_with_their_checksums():
    reader = FrameReader()
    assert list(reader.feed(ACK + FIRMWARE_ANSWER)) == [
        Acknowledged(),
        Answer(0x03, b"\x32\x01\x06\x07"),
    ]
    assert list(reader.feed(NACK)) == [Refused()]
    assert list(reader.feed(bytes.fromhex("0000FF01FF7F8100"))) == [Refused()]


@pytest.mark.parametrize("at", range(3, 12))
def test_one_wrong_bit_is_no_answer_and_the_next_frame_is_read(at):
    broken = bytearray(FIRMWARE_ANSWER)
    broken[at] ^= 0x10
    frames = [*FrameReader().feed(bytes(broken) + bytes(64) + FIRMWARE_ANSWER)]
    assert Answer(0x03, b"\x32\x01\x06\x07") in frames
    assert len(frames) == 1


def test_an_answer_keeps_its_data_out_of_logs():
    assert "32" not in repr(Answer(0x03, b"\x32\x01"))


@given(
    parts=st.lists(st.sampled_from([ACK, FIRMWARE_ANSWER, b"\x00\xff\x13", b"\x55"]), max_size=6),
    cuts=st.lists(st.integers(0, 100), max_size=10),
)
@settings(max_examples=200, deadline=None)
def test_however_frames_are_cut_they_are_the_same(parts, cuts):
    stream = b"".join(parts)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    reader = FrameReader()
    found = [frame for start, end in pairwise(edges) for frame in reader.feed(stream[start:end])]
    assert found == list(FrameReader().feed(stream))


@given(noise=st.binary(max_size=400))
def test_noise_is_no_frame_that_breaks_anything(noise):
    reader = FrameReader()
    list(reader.feed(noise))
    list(reader.feed(bytes(300)))
    assert Answer(0x03, b"\x32\x01\x06\x07") in list(reader.feed(FIRMWARE_ANSWER))


# NFC Forum RTD Text 1.0, example of annex C: "Hello, world!" in English.
HELLO = bytes.fromhex("D1011054") + b"\x02enHello, world!"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (HELLO, "Hello, world!"),
        (text_message(NUMBER), NUMBER),
        (b"\x91\x01\x04U\x03a.b" + b"\x51\x01\x04T" + b"\x01zAB", "AB"),
        (b"\xd1\x01\x07T\x82en\xfe\xff\x00A", "A"),
        (b"\xd1\x01\x05U\x03a.bc", None),
        (b"\xd1\x01\x10T\x02enshort", None),
        (b"\xd1\x01\x04T\x02en\xff", None),
        (b"", None),
        (b"\xd9\x01\x03\x01Ti\x01zA", "A"),
    ],
)
def test_the_text_of_a_message(message, text):
    assert first_text(message) == text


@given(data=st.binary(max_size=80))
def test_no_message_breaks_the_reader(data):
    first_text(data)
    message_of_tag(data)
    message_end(data)


@given(text=st.text(min_size=1, max_size=400))
def test_what_was_written_is_read_back(text):
    message = text_message(text)
    assert first_text(message) == text
    length = len(message)
    head = bytes([3, length]) if length < 255 else b"\x03\xff" + length.to_bytes(2)
    memory = b"\x01\x03\xa0\x0c\x34\x00" + head + message + b"\xfe"
    assert message_of_tag(memory) == message
    assert message_end(memory) == len(memory) - 1


def tap_memory(card: MemoryCard, *, takes_uid: bool = False):
    return read_memory_card(
        lambda page: card.answer(bytes([0x30, page])) or b"", card.uid, takes_uid=takes_uid
    )


def tap_smart(card: SmartCard | BankCard, *, takes_uid: bool = False):
    return read_smart_card(lambda one: card.answer(one) or b"", card.uid, takes_uid=takes_uid)


def test_a_number_written_on_a_card_is_the_member():
    found = tap_memory(MemoryCard(UID, text_message(NUMBER)))
    assert (found.kind, found.token) == (CardKind.MEMBER, NUMBER)
    found = tap_smart(SmartCard(UID, text_message(NUMBER)))
    assert (found.kind, found.token) == (CardKind.MEMBER, NUMBER)
    assert NUMBER not in repr(found)


def test_a_long_message_is_read_to_its_end():
    long = text_message("x" * 60)
    assert tap_memory(MemoryCard(UID, long)).token == "x" * 60
    assert tap_smart(SmartCard(UID, text_message("y" * 64))).token == "y" * 64


@pytest.mark.parametrize("tap", [tap_memory, tap_smart])
def test_the_serial_number_counts_only_where_that_is_set(tap):
    empty = MemoryCard(UID) if tap is tap_memory else SmartCard(UID)
    assert tap(empty).kind is CardKind.FOREIGN
    assert tap(empty, takes_uid=True).token == "NFC-04A2B3C4D5E680"


def test_a_serial_number_that_changes_at_each_tap_names_nobody():
    phone = SmartCard(bytes.fromhex("08123456"))
    assert tap_smart(phone, takes_uid=True).kind is CardKind.FOREIGN


def test_a_bank_card_is_asked_one_question_and_dropped():
    card = BankCard(UID, PAN)
    assert tap_smart(card, takes_uid=True).kind is CardKind.PAYMENT
    assert card.asked == [SELECT_PAYMENT]


@pytest.mark.parametrize("answer", ["9000", "6F009000", "6110", "6283", "63C2", "", "90"])
def test_in_doubt_it_is_a_bank_card(answer):
    found = read_smart_card(lambda _command: bytes.fromhex(answer), UID, takes_uid=True)
    assert (found.kind, found.token) == (CardKind.PAYMENT, "")


def test_a_bank_cards_number_written_as_text_is_dropped_too():
    assert tap_memory(MemoryCard(UID, text_message(PAN))).kind is CardKind.PAYMENT


def test_a_card_that_lies_there_is_one_tap():
    heard: list[CardData] = []
    tapping = Tapping("cards")
    tapping.deliver_to(heard.append)
    card = MemoryCard(UID, text_message(NUMBER))
    for _ in range(3):
        tapping.saw(UID, lambda: tap_memory(card))
    tapping.saw_none()
    tapping.saw(UID, lambda: tap_memory(card))
    assert heard == [CardData(NUMBER, "cards")] * 2

"""A keyboard scanner and a person at the same keys are told apart by time."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.ports import ScanData, ScanQuality
from hardware.scanner.wedge import Ruling, Verdict, WedgeDetector, WedgeSettings
from hardware.simulators.scanner import keystrokes

RECORDED = tomllib.loads(
    (Path(__file__).parents[2] / "data/keystrokes.toml").read_text(encoding="utf-8")
)["people"]


def detector(**changes: object) -> WedgeDetector:
    return WedgeDetector(WedgeSettings(**changes), "wedge")  # type: ignore[arg-type]  # as named


class Window:
    """Obeys rulings as the event filter does; remembers what a field would hold."""

    def __init__(self, wedge: WedgeDetector) -> None:
        self.wedge = wedge
        self.field = ""
        self.scans: list[ScanData] = []

    def obey(self, ruling: Ruling, character: str = "") -> None:
        if ruling.take_back:
            assert self.field.endswith(ruling.take_back)
            self.field = self.field[: -len(ruling.take_back)]
        self.field += ruling.release
        if ruling.scan:
            self.scans.append(ruling.scan)
        if ruling.verdict is Verdict.PASS:
            self.field += character

    def press(self, text: str, *, start: float, interval: float, caps_lock: bool = False) -> float:
        at = start
        for index, character in enumerate(text):
            at = start + index * interval
            self.pause(at)
            self.obey(self.wedge.key(character, at, caps_lock=caps_lock), character)
        return at

    def pause(self, until: float) -> None:
        deadline = self.wedge.deadline
        if deadline is not None and deadline < until:
            self.obey(self.wedge.tick(deadline + 0.001))

    @property
    def codes(self) -> list[str]:
        return [scan.text for scan in self.scans]


@pytest.mark.parametrize("interval", [0.007, 0.010, 0.016])
def test_a_scan_at_any_scanner_speed_leaves_no_trace_in_the_field(interval: float) -> None:
    window = Window(detector())
    window.press("6901234567892\r", start=0, interval=interval)
    assert window.codes == ["6901234567892"]
    assert window.field == ""


@pytest.mark.parametrize("interval", [0.012, 0.035, 0.050, 0.090])
def test_a_scanner_that_is_set_slower_is_heard_after_its_prefix(interval: float) -> None:
    """12, 35 and 50 ms: MagTek, MagneSafe V5 user manual, inter-key delay property."""
    window = Window(detector(prefix="~"))
    window.press("~6901234567892\r", start=0, interval=interval)
    assert window.codes == ["6901234567892"]
    assert window.field == ""


@pytest.mark.parametrize("interval", [0.080, 0.120, 0.250])
def test_typing_at_any_human_speed_reaches_the_field_with_its_enter(interval: float) -> None:
    window = Window(detector())
    end = window.press("6901234567892\r", start=0, interval=interval)
    window.pause(end + 1)
    assert window.field == "6901234567892\r"
    assert window.scans == []


@pytest.mark.parametrize("person", RECORDED, ids=lambda one: f"person {one['number']}")
@pytest.mark.parametrize("prefix", ["", "~"])
def test_recorded_hands_are_never_taken_for_a_scanner(person: dict[str, Any], prefix: str) -> None:
    window = Window(detector(prefix=prefix))
    at, typed = 0.0, ""
    for pauses in person["milliseconds"]:
        for character, pause in zip("69012345\r", [*pauses, 400, 1_000], strict=True):
            window.pause(at)
            window.obey(window.wedge.key(character, at), character)
            typed += character
            at += pause / 1000
    window.pause(at + 1)
    assert (window.field, window.scans) == (typed, [])


@pytest.mark.parametrize("person", RECORDED, ids=lambda one: f"person {one['number']}")
def test_a_scan_between_recorded_keys_takes_only_its_own(person: dict[str, Any]) -> None:
    """Somebody types while another hand holds a label to the scanner."""
    for pauses in person["milliseconds"]:
        window = Window(detector())
        at = 0.0
        for character, pause in zip("try4-mbs", [*pauses, 300], strict=True):
            window.pause(at)
            window.obey(window.wedge.key(character, at), character)
            at += pause / 1000
        end = window.press("6901234567892\r", start=at, interval=0.012)
        window.pause(end + 1)
        assert (window.field, window.codes) == ("try4-mbs", ["6901234567892"])


def test_a_typed_key_is_held_for_less_than_a_person_notices() -> None:
    wedge = detector()
    assert wedge.key("a", 5.0).verdict is Verdict.HOLD
    assert wedge.deadline == pytest.approx(5.035)
    assert wedge.tick(5.036).release == "a"
    assert wedge.deadline is None


def test_a_scan_in_the_middle_of_typing_takes_only_its_own_keys() -> None:
    window = Window(detector())
    window.press("ab", start=0, interval=0.1)
    window.press("6901234567892\r", start=0.3, interval=0.01)
    end = window.press("cd", start=0.6, interval=0.1)
    window.pause(end + 1)
    assert window.field == "abcd"
    assert window.codes == ["6901234567892"]


def test_a_scanner_without_suffix_is_recognised_by_the_pause() -> None:
    window = Window(detector(suffixes=""))
    end = window.press("6901234567892", start=0, interval=0.01)
    window.pause(end + 1)
    assert window.codes == ["6901234567892"]


def test_two_scans_within_a_second_are_both_delivered() -> None:
    window = Window(detector())
    for start in (0.0, 0.4):
        for character, at in keystrokes("6901234567892", start_s=start):
            window.pause(at)
            window.obey(window.wedge.key(character, at), character)
    assert window.codes == ["6901234567892"] * 2


def test_two_keys_rolled_over_quickly_are_typing() -> None:
    window = Window(detector())
    window.press("th", start=0, interval=0.02)
    window.pause(1)
    assert window.field == "th"


def test_a_held_down_key_is_never_a_scan() -> None:
    wedge = detector()
    rulings = [wedge.key("1", at * 0.03, auto_repeat=at > 0) for at in range(20)]
    assert rulings[1].release == "1"
    assert all(ruling.verdict is Verdict.PASS for ruling in rulings[1:])
    assert not any(ruling.scan for ruling in rulings)


def test_with_a_prefix_only_what_follows_it_is_a_scan() -> None:
    window = Window(detector(prefix="~"))
    window.press("~12345678\r", start=0, interval=0.05)
    window.press("1234\r", start=2, interval=0.01)
    assert window.codes == ["12345678"]
    assert window.field == "1234\r"


def test_a_typed_prefix_is_given_back() -> None:
    window = Window(detector(prefix="~"))
    window.press("~", start=0, interval=1)
    window.pause(1)
    assert window.field == "~"


def test_caps_lock_does_not_change_what_was_scanned() -> None:
    window = Window(detector())
    window.press("aBC-123\r", start=0, interval=0.01, caps_lock=True)
    assert window.codes == ["Abc-123"]


def test_an_aim_identifier_is_stripped_and_reported() -> None:
    window = Window(detector())
    window.press("]E06901234567892\r", start=0, interval=0.01)
    assert [(scan.text, scan.symbology) for scan in window.scans] == [("6901234567892", "EAN-13")]


def test_text_that_an_input_method_commits_inside_a_scan_damages_it() -> None:
    window = Window(detector())
    window.press("690", start=0, interval=0.01)
    ruling = window.wedge.committed("啊", 0.03)
    window.obey(ruling, "啊")
    window.press("4567892\r", start=0.04, interval=0.01)
    assert [scan.quality for scan in window.scans] == [ScanQuality.DAMAGED]
    assert window.codes == [""]
    assert window.field == ""


def test_text_committed_just_before_the_rest_of_a_scan_is_taken_back() -> None:
    window = Window(detector())
    window.obey(window.wedge.committed("吗", 0.0), "吗")
    assert window.field == "吗"
    window.press("567892\r", start=0.01, interval=0.01)
    assert [scan.quality for scan in window.scans] == [ScanQuality.DAMAGED]
    assert window.field == ""


def test_full_width_digits_committed_at_scanner_speed_are_a_damaged_scan() -> None:
    window = Window(detector())
    for index, digit in enumerate("６９０１２３"):
        window.obey(window.wedge.committed(digit, index * 0.01), digit)
    window.pause(1)
    assert [scan.quality for scan in window.scans] == [ScanQuality.DAMAGED]
    assert window.field == ""


def test_a_person_with_an_input_method_is_left_alone() -> None:
    window = Window(detector())
    for index, word in enumerate(["你好", "世界", "超市"]):
        at = index * 0.4
        window.pause(at)
        window.obey(window.wedge.committed(word, at), word)
    end = window.press("12", start=2, interval=0.1)
    window.pause(end + 1)
    assert window.field == "你好世界超市12"
    assert window.scans == []


def test_keys_without_text_pass_and_end_what_was_held() -> None:
    wedge = detector()
    wedge.key("a", 0.0)
    ruling = wedge.key("", 0.01)
    assert (ruling.verdict, ruling.release) == (Verdict.PASS, "a")


@given(
    text=st.text(st.characters(codec="ascii", min_codepoint=33), max_size=12),
    gaps=st.lists(st.floats(0.07, 0.5), min_size=12, max_size=12),
)
@settings(max_examples=200, deadline=None)
def test_whatever_a_person_types_arrives_complete_and_in_order(
    text: str, gaps: list[float]
) -> None:
    window = Window(detector())
    at = 0.0
    for character, gap in zip(text, gaps, strict=False):
        at += gap
        window.pause(at)
        window.obey(window.wedge.key(character, at), character)
    window.pause(at + 1)
    assert window.field == text
    assert window.scans == []


@given(
    code=st.text("0123456789", min_size=4, max_size=20),
    gaps=st.lists(st.floats(0.005, 0.03), min_size=21, max_size=21),
)
@settings(max_examples=200, deadline=None)
def test_whatever_a_scanner_sends_arrives_whole(code: str, gaps: list[float]) -> None:
    window = Window(detector())
    at = 0.0
    for character, gap in zip(code + "\r", gaps, strict=False):
        at += gap
        window.pause(at)
        window.obey(window.wedge.key(character, at), character)
    assert window.codes == [code]
    assert window.field == ""

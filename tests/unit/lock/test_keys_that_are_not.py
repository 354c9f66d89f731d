"""What comes from a keypad and is no key, and rows of keys that are at a bound of what they could mean."""

from __future__ import annotations

import pytest

from device.lock import keypad
from device.lock.keypad import KEY_TIMEOUT_NS, Entry, OpenDoor, Reading
from device.wire import MAX_DIGITS
from tests.unit.lock.support import NOW
from tests.unit.lock.test_input_events import DROPPED, SYN, event, tap, typed


@pytest.mark.parametrize("kind", [2, 3, 4, 5, 17, 20, 21])
def test_what_is_no_key_event_types_nothing_whatever_its_numbers(kind: int) -> None:
    """A mouse that moves by one along axis 2 is not the key 1."""
    assert typed(b"".join(event(kind, code, 1) for code in range(1, 90))) == ""
    assert typed(event(1, 2, 1)) == "1"


@pytest.mark.parametrize("code", [1, 2, 4, 15])
def test_reports_of_other_kinds_lose_no_keys(code: int) -> None:
    assert typed(tap(2) + event(0, code, 0) + tap(3)) == "12"


def test_two_holes_in_a_row_clear_the_row_once_and_end_with_the_next_report() -> None:
    assert typed(tap(2) + event(*DROPPED) + event(*DROPPED) + event(1, 3, 1) + event(*SYN) + tap(4)) == "1*3"


def test_a_hole_ends_with_a_report_and_not_with_another_word() -> None:
    assert typed(event(*DROPPED) + event(0, 2, 0) + tap(2) + tap(3)) == "*2"


def test_a_pause_forgets_the_keys_before_it_to_the_nanosecond() -> None:
    entry = Entry("12#", NOW)
    at_the_end = keypad.press(entry, "4", NOW + KEY_TIMEOUT_NS)
    too_late = keypad.press(entry, "4", NOW + KEY_TIMEOUT_NS + 1)
    assert at_the_end is not None
    assert too_late is not None
    assert (at_the_end.keys, too_late.keys) == ("12#4", "4")


# ---- after a face was looked at


@pytest.mark.parametrize("command", ["00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "010"])
def test_a_pin_behind_a_command_opens_nothing_although_a_face_named_the_flat(command: str) -> None:
    assert keypad.read(Entry(f"{command}#482913#", NOW), 12) is Reading.NONSENSE
    assert keypad.read(Entry("482913#", NOW), 12) == OpenDoor(12, "482913")


@pytest.mark.parametrize(("size", "is_a_pin"), [(1, False), (5, False), (6, True), (MAX_DIGITS, True)])
def test_a_first_field_is_a_pin_if_it_is_too_long_for_a_flat(size: int, is_a_pin: bool) -> None:
    digits = "1" * size
    assert keypad.read(Entry(f"{digits}#", NOW), 12) == (OpenDoor(12, digits) if is_a_pin else Reading.MORE)


def test_a_first_field_that_is_longer_than_any_pin_is_nonsense() -> None:
    assert keypad.read(Entry("1" * (MAX_DIGITS + 1) + "#", NOW), 12) is Reading.NONSENSE


@pytest.mark.parametrize("before", ["", "12#", "05#12#482913#"])
def test_a_field_that_no_key_can_complete_any_more_is_refused_at_once(before: str) -> None:
    """Whoever leans on a key fills nothing: the row ends with the first digit that is too many."""
    assert keypad.read(Entry(before + "1" * MAX_DIGITS, NOW)) is Reading.MORE
    assert keypad.read(Entry(before + "1" * (MAX_DIGITS + 1), NOW)) is Reading.NONSENSE

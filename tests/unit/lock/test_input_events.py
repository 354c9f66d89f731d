"""Input events as keys: every keypad's spelling of the same twelve, and nothing from anything else."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.lock.input_events import EVENT, Reader
from device.lock.keypad import KEYS

SYN, DROPPED = (0, 0, 0), (0, 3, 0)
LEFT_SHIFT, RIGHT_SHIFT = 42, 54


def event(kind: int, code: int, value: int) -> bytes:
    return struct.pack("@qqHHi", 1_700_000_000, 250_000, kind, code, value)


def tap(code: int) -> bytes:
    """What a keypad sends for one key: scan code, down, report, up, report."""
    return event(4, 4, 458_000 + code) + event(1, code, 1) + event(*SYN) + event(1, code, 0) + event(*SYN)


def typed(content: bytes) -> str:
    return Reader().read(content).keys


def test_an_event_has_the_size_that_the_kernel_gives_it() -> None:
    assert EVENT.size == 24


@pytest.mark.parametrize(
    "codes",
    [
        (11, 2, 3, 4, 5, 6, 7, 8, 9, 10),  # the row
        (82, 79, 80, 81, 75, 76, 77, 71, 72, 73),  # the numeric block
        tuple(range(512, 522)),  # a telephone's
    ],
)
def test_ten_digits_of_three_kinds_of_keypads(codes: tuple[int, ...]) -> None:
    assert typed(b"".join(tap(code) for code in codes)) == "0123456789"


@pytest.mark.parametrize(
    ("code", "key"), [(28, "#"), (96, "#"), (523, "#"), (55, "*"), (522, "*"), (14, "*"), (1, "*")]
)
def test_the_two_other_keys(code: int, key: str) -> None:
    assert typed(tap(code)) == key


def test_shift_3_and_shift_8_are_keys_and_the_other_shifted_digits_are_nothing() -> None:
    held = event(1, LEFT_SHIFT, 1)
    assert typed(held + b"".join(tap(code) for code in range(2, 12))) == "#*"
    assert typed(held + event(1, LEFT_SHIFT, 0) + tap(4)) == "3"


@pytest.mark.exhaustive(64)
@pytest.mark.parametrize("shift", [LEFT_SHIFT, RIGHT_SHIFT])
@pytest.mark.parametrize("code", range(128))
def test_no_key_but_3_and_8_means_anything_with_a_shift(shift: int, code: int) -> None:
    assert typed(event(1, shift, 1) + tap(code)) == {4: "#", 9: "*"}.get(code, "")


def test_a_key_counts_when_it_goes_down_and_its_end_never() -> None:
    assert typed(event(1, 2, 1) + event(*SYN)) == "1"
    assert typed(event(1, 2, 0) + event(*SYN)) == ""


def test_a_key_that_is_held_down_counts_once() -> None:
    assert typed(event(1, 2, 1) + b"".join(event(1, 2, 2) + event(*SYN) for _ in range(50)) + event(1, 2, 0)) == "1"


def test_a_row_with_a_hole_is_cleared_and_never_sent_on() -> None:
    """After SYN_DROPPED nothing counts up to the next report, as the kernel's documentation asks for."""
    row = tap(2) + tap(3) + event(*DROPPED) + event(1, 4, 1) + event(1, 5, 1) + event(*SYN) + tap(6)
    assert typed(row) == "12*5"


def test_a_shift_whose_end_was_dropped_is_not_held_for_ever() -> None:
    assert typed(event(1, LEFT_SHIFT, 1) + event(*DROPPED) + event(*SYN) + tap(4)) == "*3"


events = st.tuples(
    st.sampled_from([0, 1, 4, 17, 65535]), st.one_of(st.integers(0, 90), st.integers(500, 65535)), st.integers(-2, 3)
)


@given(st.lists(events, max_size=80), st.lists(st.integers(1, 70), max_size=60))
def test_a_stream_reads_the_same_in_whatever_pieces_it_comes(
    sent: list[tuple[int, int, int]], sizes: list[int]
) -> None:
    content = b"".join(event(*one) for one in sent)
    pieces, reader, at = "", Reader(), 0
    for size in [*sizes, len(content)]:
        pieces += reader.read(content[at : at + size]).keys
        at += size
    assert pieces == typed(content)


@given(st.binary(max_size=3000))
def test_any_bytes_are_keys_of_a_keypad_or_nothing(content: bytes) -> None:
    read = Reader().read(content)
    assert set(read.keys) <= set(KEYS)
    assert len(read.keys) <= read.events == len(content) // EVENT.size


def test_what_was_typed_is_in_no_repr() -> None:
    reader = Reader()
    read = reader.read(tap(8) + event(1, 8, 1)[:-1])
    assert read.keys == "7"
    assert "7" not in repr(read)
    assert "rest" not in repr(reader)

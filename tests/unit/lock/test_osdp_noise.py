"""Noise on an OSDP line: what comes before and around a good frame costs nobody that frame; and how long one may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.lock.osdp_frames import MAX_FRAME_BYTES
from tests.unit.lock.test_osdp_frames import ADDRESS, PDID, SECURED, frame, taken

GOOD = frame(PDID)
LINE = 2 * MAX_FRAME_BYTES


def torn(length: int, control: int = 0x04) -> bytes:
    """The beginning of a frame that says it has `length` bytes, and whose rest never came."""
    return bytes((0x53, 0x80 | ADDRESS)) + length.to_bytes(2, "little") + bytes((control,))


@pytest.mark.parametrize("noise", [b"\x53", b"\x53\x53", b"\x53\x85", b"\x00\x53", b"\xff" * 40, GOOD[:4]])
def test_a_frame_behind_noise_that_looks_like_a_beginning_is_found(noise: bytes) -> None:
    assert taken(noise + GOOD, most=LINE) == GOOD


def test_a_torn_frame_does_not_swallow_the_good_one_behind_it() -> None:
    """Whatever length it said, it is no frame: its check is wrong."""
    for length in range(8, 5 + len(GOOD) + 1):
        assert taken(torn(length) + GOOD, most=LINE) == GOOD, length


@given(st.binary(max_size=60))
def test_noise_without_a_beginning_costs_nothing(noise: bytes) -> None:
    assert taken(noise.replace(b"\x53", b"\x54") + GOOD, most=LINE) == GOOD


def test_a_whole_frame_that_may_not_go_on_is_left_out_as_a_whole() -> None:
    """A good answer within the data of another is none."""
    hidden = frame(b"\x50" + GOOD)
    assert taken(hidden, most=LINE) == b""
    assert taken(hidden + GOOD, most=LINE) == GOOD


# ---- how long


def test_the_shortest_frame_is_one_reply_and_its_check() -> None:
    assert taken(frame(b"\x79", crc=False)) == frame(b"\x79", crc=False)
    assert len(frame(b"\x79", crc=False)) == 7
    assert taken(frame(b"", crc=False)) == b""


def test_the_longest_frame_passes_and_one_byte_more_does_not() -> None:
    most = frame(b"\x45" + bytes(MAX_FRAME_BYTES - 5 - 1 - 2))
    assert len(most) == MAX_FRAME_BYTES
    assert taken(most, most=LINE) == most
    assert taken(frame(b"\x45" + bytes(MAX_FRAME_BYTES - 5 - 2)), most=LINE) == b""


@pytest.mark.parametrize(("size", "may"), [(3, False), (4, False), (5, True)])
def test_under_a_mac_there_is_more_than_the_mac(size: int, may: bool) -> None:
    body = SECURED[:2] + bytes(size)
    assert bool(taken(frame(body, block=True), secured=True)) is may


@pytest.mark.parametrize(
    ("block", "may"),
    [
        (b"\x03\x12\x01", True),
        (b"\x02\x12", True),
        (b"\x01\x12", False),
        (b"\x00\x12", False),
        (b"\xff\x12", False),
    ],
)
def test_a_security_block_has_two_bytes_at_least_and_ends_within_the_frame(block: bytes, may: bool) -> None:
    assert bool(taken(frame(block + b"\x76" + bytes(32), block=True))) is may
    alone = bytes((len(block),)) + block[1:]
    assert taken(frame(alone, block=True)) == b"", "a block and nothing behind it"


@pytest.mark.parametrize("alone", [b"", b"\x00", b"\x01", b"\x02", b"\xff"])
def test_a_frame_of_a_byte_or_none_that_should_be_a_block_is_none_and_raises_nothing(alone: bytes) -> None:
    for crc in (True, False):
        assert taken(frame(alone, block=True, crc=crc)) == b""

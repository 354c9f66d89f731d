"""What passes from an OSDP line, and what does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.lock.osdp_frames import MAX_FRAME_BYTES, Gate, check_of, passes, whole

ADDRESS = 5
PDID = b"\x45" + bytes(12)
CCRYPT = b"\x03\x12\x01\x76" + bytes(32)
KEYPAD = b"\x53\x00\x011"
SECURED = b"\x02\x18" + b"\x53" + bytes(16) + b"MACM"
EVERY_BLOCK = [b"", *(bytes((2, kind)) for kind in range(256))]


def frame(body: bytes, *, block: bool = False, crc: bool = True, address: int = ADDRESS) -> bytes:
    control = 0x04 * crc | 0x08 * block
    length = 5 + len(body) + (2 if crc else 1)
    begun = bytes((0x53, 0x80 | address)) + length.to_bytes(2, "little") + bytes((control,)) + body
    return begun + check_of(begun, crc=crc)


def taken(content: bytes, *, secured: bool = False, most: int = MAX_FRAME_BYTES) -> bytes:
    gate = Gate(ADDRESS)
    gate.asked()
    return gate.take(content, most, secured=secured)


def test_the_check_is_the_one_of_a_command_as_libosdp_sends_it() -> None:
    """osdp_ID to address 5, sequence 0, from the line."""
    assert check_of(bytes.fromhex("5305090004 6100"), crc=True) == bytes.fromhex("c125")


def test_before_the_channel_only_what_builds_it_passes() -> None:
    assert taken(frame(PDID)) == frame(PDID)
    assert taken(frame(PDID, crc=False)) == frame(PDID, crc=False)
    assert taken(frame(CCRYPT, block=True)) == frame(CCRYPT, block=True)
    for block in EVERY_BLOCK:
        for body in (KEYPAD, KEYPAD + bytes(16) + b"MACM"):
            assert taken(frame(block + body, block=bool(block))) == b""


def test_once_the_channel_stands_only_what_is_under_its_mac_passes() -> None:
    assert taken(frame(SECURED, block=True), secured=True) == frame(SECURED, block=True)
    for block in EVERY_BLOCK:
        if block[1:] in (b"\x16", b"\x18"):
            continue  # libosdp looks at the MAC of these
        for body in (KEYPAD, PDID, b"\x40", b"\x48\x00\x00"):
            assert taken(frame(block + body, block=bool(block)), secured=True) == b""


def test_a_no_and_a_wait_may_be_in_the_clear() -> None:
    for secured in (False, True):
        assert taken(frame(b"\x41\x06"), secured=secured)
        assert taken(frame(b"\x79"), secured=secured)


def test_another_address_a_command_and_a_wrong_check_do_not_pass() -> None:
    wrong = frame(PDID)[:-1] + bytes((frame(PDID)[-1] ^ 1,))
    for content in (frame(PDID, address=6), frame(PDID, address=0x7F), wrong, b"\x53\x05\x09\x00\x04\x61\x00\xc1\x25"):
        assert taken(content) == b""


def test_a_frame_that_says_nothing_does_not_pass_and_does_no_harm() -> None:
    for secured in (False, True):
        for body in (b"", b"\x02\x18", b"\x02\x12", b"\x00", b"\x01"):
            for crc in (False, True):
                for block in (False, True):
                    assert taken(frame(body, block=block, crc=crc), secured=secured) == b""


def test_one_answer_for_each_question() -> None:
    gate = Gate(ADDRESS)
    assert gate.take(frame(PDID), 300, secured=False) == b"", "nothing was asked"
    gate.asked()
    assert gate.take(frame(PDID) + frame(CCRYPT, block=True), 300, secured=False) == frame(PDID)
    assert gate.take(frame(PDID), 300, secured=False) == b""
    gate.asked()
    assert gate.take(frame(CCRYPT, block=True), 300, secured=False)


def test_what_came_before_a_question_is_no_answer_to_it() -> None:
    gate = Gate(ADDRESS)
    gate.asked()
    assert gate.take(frame(PDID)[:7], 300, secured=False) == b""
    gate.asked()
    assert gate.take(frame(PDID)[7:], 300, secured=False) == b""


def test_a_frame_in_pieces_arrives_and_is_handed_on_in_pieces() -> None:
    long = frame(b"\x46" + bytes((9, 1, 1)) * 30)
    gate = Gate(ADDRESS)
    handed: list[bytes] = []
    gate.asked()
    handed += [gate.take(bytes((byte,)), 64, secured=False) for byte in long]
    while len(b"".join(handed)) < len(long):
        handed.append(gate.take(b"", 64, secured=False))
    assert b"".join(handed) == long
    assert max(map(len, handed)) <= 64


@given(noise=st.binary(max_size=40), rest=st.binary(max_size=40))
def test_a_frame_between_noise_is_found(noise: bytes, rest: bytes) -> None:
    noise = noise.replace(b"\x53", b"\x52")
    assert taken(noise + frame(PDID) + rest) == frame(PDID)


@given(st.binary(max_size=400), st.booleans())
def test_whatever_comes_only_a_whole_frame_of_the_reader_passes(content: bytes, secured: bool) -> None:
    passed = taken(content, secured=secured)
    assert not passed or (whole(passed) and passed[1] == 0x80 | ADDRESS and passed in content)


@given(
    st.integers(0, 15), st.binary(min_size=1, max_size=60), st.booleans(), st.binary(max_size=9), st.integers(0, 255)
)
def test_well_formed_frames_with_anything_in_them_are_judged_alike(
    control: int, body: bytes, secured: bool, block: bytes, kind: int
) -> None:
    inside = (bytes((2 + len(block), kind)) + block if control & 0x08 else b"") + body
    length = 5 + len(inside) + (2 if control & 0x04 else 1)
    begun = bytes((0x53, 0x80 | ADDRESS)) + length.to_bytes(2, "little") + bytes((control,)) + inside
    made = begun + check_of(begun, crc=bool(control & 0x04))
    passed = passes(made, secured=secured)
    if passed and secured:
        assert kind in (0x16, 0x18) if control & 0x08 else body[0] in (0x41, 0x79)
    if passed and not secured:
        assert body[0] in (0x41, 0x45, 0x46, 0x76, 0x78, 0x79)

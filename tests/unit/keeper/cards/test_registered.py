"""The cards in a slot's record: written one way, read only that way."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import RecordRefused
from device.keeper.cards.content import (
    COUNTER_BYTES,
    MARK_BYTES,
    pack_counter,
    pack_place,
    unpack_counter,
    unpack_mark,
)
from device.keeper.cards.registered import CARDS_BYTES, CardKind, Registered, pack, unpack

CARDS = st.builds(
    Registered,
    st.sampled_from(CardKind),
    st.sampled_from((4, 7, 10)).flatmap(lambda size: st.binary(min_size=size, max_size=size)),
    st.integers(1, 2**32 - 1),
)
ONE = Registered(CardKind.NTAG_424, bytes.fromhex("04782e21801d80"), 77)
TWO = Registered(CardKind.DESFIRE_EV1, bytes.fromhex("04aabbccddeeff"), 78)


@given(st.lists(CARDS, max_size=2, unique_by=(lambda card: card.uid, lambda card: card.serial)))
def test_what_was_packed_comes_back(cards: list[Registered]) -> None:
    packed = pack(tuple(cards))
    assert len(packed) == CARDS_BYTES == 40
    assert unpack(packed) == tuple(cards)


@pytest.mark.slow
@given(st.binary(min_size=CARDS_BYTES, max_size=CARDS_BYTES), st.integers(0, 39), st.integers(1, 255))
def test_only_what_was_packed_is_read(noise: bytes, at: int, change: int) -> None:
    whole = pack((ONE, TWO))
    for data in (noise, whole[:at] + bytes((whole[at] ^ change,)) + whole[at + 1 :]):
        with contextlib.suppress(RecordRefused):
            assert pack(unpack(data)) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(39),
        bytes(41),
        bytes(20) + pack((ONE,))[:20],  # the second place before the first
        pack((ONE,))[:20] * 2,
        b"\4" + pack((ONE,))[1:],  # no such kind
        b"\3\6" + pack((ONE,))[2:],
        pack((ONE,))[:9] + b"\1" + pack((ONE,))[10:],  # something after the UID
        pack((ONE,))[:12] + bytes(28),  # no serial
        pack((ONE,))[:19] + b"\1" + bytes(20),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(RecordRefused):
        unpack(data)


@pytest.mark.parametrize(
    "cards",
    [
        (ONE, ONE),
        (ONE, Registered(ONE.kind, ONE.uid, 5)),
        (ONE, Registered(ONE.kind, TWO.uid, ONE.serial)),
        (ONE, TWO, Registered(ONE.kind, b"1234", 5)),
        (Registered(ONE.kind, b"12345", 5),),
        (Registered(ONE.kind, ONE.uid, 0),),
        (Registered(ONE.kind, ONE.uid, 1 << 32),),
    ],
)
def test_cards_that_cannot_be_are_not_packed(cards: tuple[Registered, ...]) -> None:
    with pytest.raises(RecordRefused):
        pack(cards)


def test_no_card_and_two_cards_are_of_one_length() -> None:
    assert len(pack(())) == len(pack((ONE, TWO)))
    assert pack(()) == bytes(40)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 15), st.integers(1, 255))
def test_a_counter_is_read_whole_and_for_its_own_card_or_not_at_all(
    serial: int, counter: int, at: int, change: int
) -> None:
    packed = pack_counter(serial, counter)
    assert len(packed) == COUNTER_BYTES
    assert unpack_counter(packed, serial) == counter
    assert unpack_counter(packed, serial ^ 1) is None
    assert unpack_counter(packed[:at] + bytes((packed[at] ^ change,)) + packed[at + 1 :], serial) is None
    assert unpack_counter(packed[:-1], serial) is None


def test_a_fresh_file_holds_no_counter_and_no_mark() -> None:
    assert unpack_counter(bytes(COUNTER_BYTES), 0) is None
    assert unpack_mark(bytes(MARK_BYTES)) == (None, None)
    assert unpack_mark(pack_place(0) * 2) == (None, None)


def test_each_place_of_a_mark_names_its_serial_whatever_the_other_says() -> None:
    assert unpack_mark(pack_place(9) + pack_place(10)) == (9, 10)
    assert unpack_mark(bytes(8) + pack_place(10)) == (None, 10)
    assert unpack_mark(pack_place(9) + b"\xff" * 8) == (9, None)
    assert unpack_mark(pack_place(9)) == (None, None), "half a mark is none"

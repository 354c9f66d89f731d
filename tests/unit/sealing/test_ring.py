"""The ring's byte form: round trip, and everything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import StoreFault
from device.sealing import box, ring
from device.sealing.binding import Binding
from device.sealing.ring import Entry, Ring

BINDING = Binding(b"one door", "face", b"m" * 32)
SECRET = b"s" * 32
KEYS = st.binary(min_size=32, max_size=32)


@st.composite
def rings(draw: st.DrawFn) -> Ring:
    slots = sorted(draw(st.sets(st.integers(0, 2**32 - 1), max_size=6)))
    ids = draw(st.lists(st.binary(min_size=16, max_size=16), min_size=len(slots), max_size=len(slots), unique=True))
    generation = draw(st.integers(0, 2**64 - 1))
    return Ring(
        generation,
        draw(KEYS),
        tuple(
            Entry(slot, draw(st.integers(0, generation)), file_id, draw(KEYS), draw(KEYS))
            for slot, file_id in zip(slots, ids, strict=True)
        ),
    )


@given(rings())
def test_ring_survives_its_byte_form(value: Ring) -> None:
    assert ring.parse(ring.pack(value)) == value
    assert ring.unseal(ring.seal(value, b"k" * 32, BINDING), b"k" * 32, BINDING) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_are_exactly_a_ring(data: bytes) -> None:
    try:
        parsed = ring.parse(data)
    except StoreFault:
        return
    assert ring.pack(parsed) == data


@given(rings(), st.data())
def test_every_flipped_bit_of_a_sealed_ring_is_noticed(value: Ring, data: st.DataObject) -> None:
    stored = bytearray(ring.seal(value, b"k" * 32, BINDING))
    bit = data.draw(st.integers(0, len(stored) * 8 - 1))
    stored[bit // 8] ^= 1 << (bit % 8)
    assert ring.unseal(bytes(stored), b"k" * 32, BINDING) is None


@given(rings(), st.data())
def test_every_torn_ring_is_noticed(value: Ring, data: st.DataObject) -> None:
    stored = ring.seal(value, b"k" * 32, BINDING)
    assert ring.unseal(stored[: data.draw(st.integers(0, len(stored) - 1))], b"k" * 32, BINDING) is None


def entry(slot: int, generation: int = 1, file_id: bytes = b"f" * 16) -> Entry:
    return Entry(slot, generation, file_id, b"k" * 32)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (Ring(1, SECRET, (entry(2), entry(1, file_id=b"g" * 16))), "ascending"),
        (Ring(1, SECRET, (entry(2), entry(2, file_id=b"g" * 16))), "ascending"),
        (Ring(1, SECRET, (entry(1), entry(2))), "share a file"),
        (Ring(1, SECRET, (entry(1, generation=2),)), "newer than the ring"),
    ],
)
def test_ring_that_no_store_would_make_is_refused(value: Ring, why: str) -> None:
    with pytest.raises(StoreFault, match=why):
        ring.parse(ring.pack(value))


def test_next_ring_counts_on_and_keeps_the_order() -> None:
    value = Ring.empty().with_entry(entry(5)).with_entry(entry(3, file_id=b"g" * 16)).with_entry(entry(5, 2))
    assert [each.slot for each in value.entries] == [3, 5]
    assert value.generation == 3
    assert value.without(3).entries == (entry(5, 2),)


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_a_box_opens_only_with_its_key_and_its_binding(plaintext: bytes, aad: bytes) -> None:
    sealed = box.seal(b"k" * 32, plaintext, aad)
    assert box.unseal(b"k" * 32, sealed, aad) == plaintext
    assert box.unseal(b"l" * 32, sealed, aad) is None
    assert box.unseal(b"k" * 32, sealed, aad + b"\0") is None
    assert box.unseal(b"k" * 32, sealed[:-1], aad) is None


def test_binding_of_another_size_or_kind_is_refused() -> None:
    for door, kind, model in (
        (b"short", "face", bytes(32)),
        (b"one door", "card", bytes(32)),
        (b"one door", "pin", b""),
    ):
        with pytest.raises(StoreFault, match="bound to"):
            Binding(door, kind, model)

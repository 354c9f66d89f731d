"""What every place for the epoch key promises: one suite for the file and for a TPM."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.errors import KeyFault
from device.sealing.store import Binding, SealedStore
from tests.support.key_places import OTHER_ROOT_KEY, Place, place

OLD, NEW = b"o" * 32, b"n" * 32
BINDING = Binding(b"one door", "face", b"m" * 32)


@pytest.fixture(params=["file", "tpm-nv"])
def door(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place(request.param, tmp_path) as new:
        yield new


def opened(door: Place) -> SealedStore:
    return SealedStore.open(door.state, door.keys(), BINDING)


def test_a_new_door_has_no_key(door: Place) -> None:
    assert door.keys().load() is None
    assert door.keys().load() is None


def test_the_key_that_was_set_last_is_there_after_a_restart(door: Place) -> None:
    keys = door.keys()
    keys.replace(OLD)
    assert keys.load() == OLD
    keys.replace(NEW)
    keys.confirm()
    assert keys.load() == door.keys().load() == NEW
    door.boot()
    assert door.keys().load() == NEW
    door.keys().replace(OLD)
    assert door.keys().load() == OLD


def test_another_root_key_reads_nothing_and_harms_nothing(door: Place) -> None:
    door.keys().replace(OLD)
    with pytest.raises(KeyFault):
        door.keys(OTHER_ROOT_KEY).load()
    assert door.keys().load() == OLD


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_any_other_length_is_refused(door: Place, size: int) -> None:
    door.keys().replace(OLD)
    with pytest.raises(KeyFault, match="exactly 32 bytes"):
        door.keys(bytes(size)).load()
    with pytest.raises(KeyFault, match="exactly 32 bytes"):
        door.keys().replace(bytes(size))
    assert door.keys().load() == OLD


def test_an_interrupted_replacement_leaves_the_old_key_or_the_new_one(door: Place) -> None:
    found = list(door.interrupted(OLD, NEW))
    assert [moment for moment, key in found if key not in (OLD, NEW)] == []
    assert {key for _, key in found} == {OLD, NEW}, "the power was never lost at both sides of the commit point"


def test_sealed_records_live_over_it_and_survive_a_restart(door: Place) -> None:
    store = opened(door)
    store.put(1, b"one")
    store.put(2, b"two")
    store.put(1, b"one again")
    door.boot()
    assert opened(door).records() == {1: b"one again", 2: b"two"}
    assert opened(door).remove(2)
    door.boot()
    assert opened(door).records() == {1: b"one again"}

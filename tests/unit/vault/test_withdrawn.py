"""A place that was withdrawn or offered anew: its face sleeps at once and is erased, whatever the clock and disk do."""

from __future__ import annotations

import pytest

from device import wire
from device.edges import Room
from device.errors import StoreFault
from device.vault.expiry import LOOK_EVERY_NS, Expiry
from device.vault.faces import Faces
from device.wire import Result
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.vault.house import House
from tests.unit.vault.values import SECOND, unit

ANNA, BO, NEW = unit(1), unit(2), unit(3)


def lived_in(house: House) -> None:
    assert house.enrol(11, ANNA) is Result.DONE
    assert house.enrol(12, BO) is Result.DONE


def withdrawn(house: House, slot: int = 11) -> None:
    house.tenancies.pop(slot, None)
    house.say(Room.KEEPER, wire.PlaceEnded(slot))


def test_face_of_a_withdrawn_place_sleeps_at_once_and_is_erased_without_a_grace(house: House) -> None:
    lived_in(house)
    withdrawn(house)
    assert house.vault.deadline() == 0.0, "the erasure is due now, and nobody at the door waits for it"
    assert not house.claims(11)
    assert 11 in house.vault.faces, "asleep, and not erased yet"
    assert house.recognised(ANNA) is None
    house.wait(0)
    assert 11 not in house.vault.faces
    assert house.recognised(BO) == 12


def test_face_is_gone_from_the_disk_and_stays_gone(house: House) -> None:
    assert isinstance(house.disk, SimulatedDisk)
    lived_in(house)
    before = house.disk.all_names()
    withdrawn(house)
    house.wait(0)
    assert house.disk.all_names() != before
    house.restart()
    house.connect()
    assert 11 not in house.vault.faces
    assert house.recognised(ANNA) is None


def test_a_paused_face_and_a_clock_far_behind_change_nothing(house: House) -> None:
    lived_in(house)
    house.act(wire.Pause, 11)
    house.unix_s = 0.0
    withdrawn(house)
    house.wait(0)
    assert 11 not in house.vault.faces


def test_erasure_that_the_power_cut_off_is_made_at_the_next_start(house: House) -> None:
    lived_in(house)
    withdrawn(house)  # and no tick any more
    house.asks_keeper = False
    house.restart()
    house.connect()
    assert house.recognised(ANNA) is None, "nobody is awake on trust"
    assert house.got(Room.KEEPER, wire.HasCredential)
    withdrawn(house)  # keeper's answer
    house.wait(0)
    assert 11 not in house.vault.faces


def test_face_that_could_not_be_erased_sleeps_and_is_tried_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    lived_in(house)
    full = [True]
    erase = Faces.erase

    def failing(faces: Faces, slot: int) -> object:
        if full[0]:
            msg = "the disk is full"
            raise StoreFault(msg)
        return erase(faces, slot)

    monkeypatch.setattr(Faces, "erase", failing)
    withdrawn(house)
    house.wait(1)
    assert 11 in house.vault.faces
    assert house.recognised(ANNA) is None
    full[0] = False
    house.wait(LOOK_EVERY_NS / SECOND + 1)
    assert 11 not in house.vault.faces


def test_next_tenant_of_the_place_enrols_and_keeps_their_face(house: House) -> None:
    lived_in(house)
    withdrawn(house)
    house.wait(0)
    house.move_in(11, tenant=2)
    house.tell(11)
    assert house.enrol(11, NEW) is Result.DONE
    house.wait(3 * LOOK_EVERY_NS / SECOND)
    assert (house.recognised(NEW), house.recognised(ANNA)) == (11, None)


def test_a_place_without_a_face_that_ends_costs_nothing(house: House) -> None:
    lived_in(house)
    withdrawn(house, 77)
    house.wait(120)
    assert (house.recognised(ANNA), house.recognised(BO)) == (11, 12)
    assert house.vault.deadline() is None


def test_seeded_fault_a_word_that_is_not_remembered_leaves_the_face(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Expiry, "end", lambda _expiry, _slot: None)
    lived_in(house)
    withdrawn(house)
    house.wait(3 * LOOK_EVERY_NS / SECOND)
    assert 11 in house.vault.faces

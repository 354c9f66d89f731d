"""A slot that was taken anew belongs to somebody else: the face of the one before is neither compared nor kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from device import wire
from device.edges import Room
from device.errors import StoreFault
from device.vault.credentials import Place
from device.vault.faces import Faces
from device.wire import Result
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.vault.house import House
from tests.unit.vault.values import tenancy_of, unit

ANNA, BO, NEW = unit(1), unit(2), unit(3)

# ---- how the slot changes hands


def while_vault_listens(house: House) -> None:
    house.lose_pin(11)  # a newer offer cancels the PIN
    assert house.recognised(ANNA) is None, "asleep from the first moment on"
    house.move_in(11, tenant=2)
    house.tell(11)


def at_one_blow(house: House) -> None:
    """Keeper's disk did both at once, or its first word was lost."""
    house.move_in(11, tenant=2)
    house.tell(11)


def while_keeper_is_not_heard(house: House) -> None:
    house.disconnect(Room.KEEPER)
    house.move_in(11, tenant=2)
    house.connect(Room.KEEPER)


def while_vault_is_down(house: House) -> None:
    house.vault.stop()
    house.move_in(11, tenant=2)
    house.restart()
    house.connect()


def while_vault_is_down_and_keeper_comes_late(house: House) -> None:
    house.move_in(11, tenant=2)
    house.restart()
    house.connect(Room.LOCK, Room.EYE, Room.DESK)
    assert house.recognised(ANNA) is None, "nobody is awake on trust"
    house.connect(Room.KEEPER)


def the_face_was_paused(house: House) -> None:
    house.act(wire.Pause, 11)
    at_one_blow(house)
    house.act(wire.Resume, 11)


CHANGES = [
    while_vault_listens,
    at_one_blow,
    while_keeper_is_not_heard,
    while_vault_is_down,
    while_vault_is_down_and_keeper_comes_late,
    the_face_was_paused,
]


def what_is_left_of_the_last_tenant(house: House, change: Callable[[House], None]) -> set[str]:
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    change(house)
    left = set()
    if house.recognised(ANNA) is not None:
        left.add("recognised")
    if 11 in house.vault.faces:
        left.add("kept")
    house.restart()
    house.connect()
    if house.recognised(ANNA) is not None or 11 in house.vault.faces:
        left.add("back after a restart")
    assert house.recognised(BO) == 12
    return left


@pytest.mark.parametrize("change", CHANGES)
def test_the_face_of_the_last_tenant_is_erased_when_the_slot_is_taken_anew(
    house: House, change: Callable[[House], None]
) -> None:
    assert what_is_left_of_the_last_tenant(house, change) == set()
    assert house.enrol(11, NEW) is Result.DONE
    assert (house.recognised(NEW), house.recognised(ANNA)) == (11, None)


@pytest.mark.parametrize("change", CHANGES)
def test_a_vault_that_asks_only_whether_there_is_a_pin_is_seen(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[House], None]
) -> None:
    """The seeded fault: present means awake, whoever's PIN it is."""

    def present_is_enough(self: Faces, slot: int, place: Place) -> None:
        face = self._records.get(slot)
        self._places[slot] = replace(place, tenancy=face.tenancy) if face and place.taken else place
        self._note(slot)

    monkeypatch.setattr(Faces, "credential", present_is_enough)
    house = House()
    house.connect()
    assert what_is_left_of_the_last_tenant(house, change) == {"recognised", "kept", "back after a restart"}
    house.close()


@pytest.mark.parametrize("change", CHANGES)
def test_a_vault_that_only_lets_the_face_sleep_is_seen(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[House], None]
) -> None:
    def sleeps(self: Faces, slot: int, place: Place) -> None:
        self._places[slot] = place
        self._note(slot)

    monkeypatch.setattr(Faces, "credential", sleeps)
    house = House()
    house.connect()
    assert what_is_left_of_the_last_tenant(house, change) == {"kept", "back after a restart"}
    house.close()


# ---- what is not a new tenant


def test_a_changed_pin_and_a_pause_in_keeper_s_word_leave_the_face(house: House) -> None:
    house.enrol(11, ANNA)
    house.tell(11)
    house.lose_pin(11)
    house.move_in(11)
    house.tell(11)
    assert house.recognised(ANNA) == 11


def test_a_slot_without_a_pin_keeps_its_face_asleep(house: House) -> None:
    """No PIN works there now; until somebody else has moved in, the same person may come back to it."""
    house.enrol(11, ANNA)
    house.lose_pin(11)
    house.restart()
    house.connect()
    assert house.recognised(ANNA) is None
    assert 11 in house.vault.faces


def test_the_new_tenant_s_word_about_one_slot_says_nothing_about_another(house: House) -> None:
    house.enrol(11, ANNA)
    house.say(Room.KEEPER, wire.CredentialAnswer(12, tenancy_of(12, 2), wire.NO_END))
    house.say(Room.KEEPER, wire.CredentialAnswer(13, tenancy_of(11), wire.NO_END))
    assert house.recognised(ANNA) == 11


# ---- the disk


def test_a_face_that_could_not_be_erased_sleeps_and_is_erased_the_next_time(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    house.enrol(11, ANNA)
    assert isinstance(house.disk, SimulatedDisk)
    house.disk.full = True
    at_one_blow(house)
    assert "No space left" in capfd.readouterr().err
    assert house.recognised(ANNA) is None
    assert 11 in house.vault.faces
    assert house.act(wire.Resume, 11) is Result.NOTHING_TO_DO
    house.disk.full = False
    house.restart()
    house.connect()
    assert 11 not in house.vault.faces


def test_a_face_whose_enrolment_ran_into_the_next_tenancy_never_wakes(house: House) -> None:
    """Keeper changed hands while it was not heard, and the last tenant's confirmation came first."""
    house.capture(ANNA)
    house.asks_keeper = False
    house.disconnect(Room.KEEPER)
    house.move_in(11, tenant=2)
    house.connect(Room.KEEPER)
    house.confirm()
    house.tell(11)
    assert house.recognised(ANNA) is None
    assert 11 not in house.vault.faces


def test_an_erasure_that_fails_is_told_by_the_store_and_not_hidden(house: House) -> None:
    house.enrol(11, ANNA)
    assert isinstance(house.disk, SimulatedDisk)
    house.disk.full = True
    with pytest.raises(StoreFault):
        house.vault.faces.credential(11, Place(tenancy_of(11, 2)))
    assert len(house.vault.faces.awake) == 0

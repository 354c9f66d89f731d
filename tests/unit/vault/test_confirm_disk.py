"""A disk that fails while a face is kept: it is told, nothing is left of the face, and nobody else is lost."""

from __future__ import annotations

import pytest

from device import wire
from device.vault.faces import Faces
from device.wire import Result
from tests.unit.sealing.simulated_disk import Loss, SimulatedDisk
from tests.unit.vault.faulty_disk import FaultyDisk
from tests.unit.vault.house import House
from tests.unit.vault.values import unit

ANNA, BO = unit(1), unit(2)


def steps_of_a_confirmation() -> int:
    disk = FaultyDisk()
    house = House(disk)
    house.connect()
    house.enrol(12, BO)
    house.capture(ANNA)
    before = disk.steps
    house.confirm()
    house.close()
    return disk.steps - before


def confirmed_on_a_disk_that_fails(at: int, *, for_good: bool) -> tuple[Result, House]:
    disk = FaultyDisk()
    house = House(disk)
    house.connect()
    house.enrol(12, BO)
    grant = house.capture(ANNA)
    disk.fails_at, disk.for_good = disk.steps + at, for_good
    house.confirm()
    disk.fails_at = None
    return house.result(grant), house


def booted(house: House) -> House:
    assert isinstance(house.disk, SimulatedDisk)
    after = House(house.disk.after_power_cut(Loss.ALL, 0))
    after.tenancies = house.tenancies
    after.connect()
    return after


def answers_and_what_is_there() -> set[tuple[Result, bool]]:
    """Over every step of the writing, now and after the power was cut: (what desk was told, whether 11 is known)."""
    found = set()
    for at in range(1, steps_of_a_confirmation() + 1):
        result, house = confirmed_on_a_disk_that_fails(at, for_good=False)
        for door in (house, booted(house)):
            found.add((result, 11 in door.vault.faces))
            assert door.recognised(ANNA) == (11 if 11 in door.vault.faces else None), at
            assert door.recognised(BO) == 12, at
            door.close()
    return found


def test_a_fault_while_a_face_is_kept_is_told_and_leaves_nothing_of_it(capfd: pytest.CaptureFixture[str]) -> None:
    # Done in spite of a fault: only the sweeping of what was there before had failed.
    assert answers_and_what_is_there() == {(Result.DONE, True), (Result.FAULT, False)}
    assert "Input/output error" in capfd.readouterr().err


@pytest.mark.slow
def test_a_face_that_a_fault_left_behind_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Faces, "erase", lambda _self, _slot: None)
    assert (Result.FAULT, True) in answers_and_what_is_there()


def test_a_disk_that_stays_broken_is_a_fault_and_memory_says_what_the_disk_says() -> None:
    for at in range(1, steps_of_a_confirmation() + 1):
        result, house = confirmed_on_a_disk_that_fails(at, for_good=True)
        restarted = House(house.disk)
        assert (11 in restarted.vault.faces) == (11 in house.vault.faces), at
        assert 12 in restarted.vault.faces, at
        if result is Result.DONE:
            assert 11 in house.vault.faces, at
        restarted.close()
        house.close()


def test_full_disk_ends_the_enrolment_with_a_fault_and_nobody_is_lost(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    house.enrol(12, BO)
    assert isinstance(house.disk, SimulatedDisk)
    before = house.disk.all_names()
    grant = house.capture(ANNA)
    house.disk.full = True
    house.confirm()
    assert house.result(grant) is Result.FAULT
    assert "No space left" in capfd.readouterr().err
    assert house.recognised(ANNA) is None
    assert house.recognised(BO) == 12
    house.disk.full = False
    house.act(wire.Pause, 12)
    assert len(house.disk.all_names()) == len(before)

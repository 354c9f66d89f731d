"""A rekey on a disk that fails, or loses its power, at any step: everybody is recognised afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from device.sealing.files import Files
from device.sealing.store import Renew, SealedStore
from device.wire import Result
from tests.unit.sealing.simulated_disk import Loss, PowerCut, SimulatedDisk
from tests.unit.vault.faulty_disk import FaultyDisk
from tests.unit.vault.house import House, another_house
from tests.unit.vault.values import unit

PEOPLE = {11: unit(1), 12: unit(2), 13: unit(3)}


def everybody(house: House) -> None:
    for slot, face in PEOPLE.items():
        assert house.enrol(slot, face) is Result.DONE


def known(house: House) -> list[int | None]:
    return [house.recognised(face) for face in PEOPLE.values()]


def steps_of_a_rekey() -> int:
    disk = FaultyDisk()
    with another_house(disk) as house:
        everybody(house)
        before = disk.steps
        house.rekey()
        return disk.steps - before


STEPS = steps_of_a_rekey()


@contextlib.contextmanager
def next_boot(house: House, disk: Files) -> Iterator[House]:
    """The house as it starts on what is left on `disk`; keeper still holds all PINs."""
    booted = House(disk)
    try:
        booted.tenancies = house.tenancies
        booted.connect()
        yield booted
    finally:
        booted.close()


def rekeyed_on_a_disk_that_fails(at: int, *, for_good: bool) -> tuple[Result, list[list[int | None]]]:
    """What desk is told, and who is known: by the same vault, by its next start, after a power cut."""
    disk = FaultyDisk()
    with another_house(disk) as house:
        everybody(house)
        disk.fails_at, disk.for_good = disk.steps + at, for_good
        result = house.rekey()
        disk.fails_at = None
        found = [known(house)]
        for after in (house.disk, disk.after_power_cut(Loss.ALL, at), disk.after_power_cut(Loss.SOME, at)):
            with next_boot(house, after) as next_house:
                found.append(known(next_house))
        return result, found


@pytest.mark.slow
@pytest.mark.parametrize("for_good", [False, True])
def test_a_disk_that_fails_at_any_step_costs_nobody_their_face(for_good: bool) -> None:
    results = set()
    for at in range(1, STEPS + 1, 4):
        result, found = rekeyed_on_a_disk_that_fails(at, for_good=for_good)
        assert found == [[11, 12, 13]] * 4, at
        results.add(result)
    assert Result.FAULT in results


def test_a_power_cut_at_any_step_costs_nobody_their_face() -> None:
    for at in range(0, STEPS, 4):
        disk = SimulatedDisk()
        with another_house(disk) as house:
            everybody(house)
            disk.cut_at = disk.steps + at
            with contextlib.suppress(PowerCut):
                house.rekey()
            disk.cut_at = None
            with next_boot(house, disk.after_power_cut(Loss.SOME, at)) as booted:
                assert known(booted) == [11, 12, 13], at


def test_a_rekey_that_turned_one_by_one_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: a commit per record instead of one for all."""
    store_rekey = SealedStore.rekey

    def one_by_one(self: SealedStore, renew: Renew) -> None:
        payloads = self.records()
        for slot, payload in payloads.items():
            self.put(slot, renew(payload, self.secret, b"s" * 32), self.consent(slot))
        store_rekey(self, lambda payload, _old, _new: payload)

    monkeypatch.setattr(SealedStore, "rekey", one_by_one)
    _, found = rekeyed_on_a_disk_that_fails(STEPS // 2, for_good=False)
    assert [11, 12, 13] not in found

"""The power goes before every step of every change: what was acknowledged holds, nobody else's record is touched."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device.errors import Fault
from device.sealing import ring
from device.sealing.keys import FileKeyStore
from device.sealing.ring import Ring
from device.sealing.store import Binding, SealedStore
from tests.unit.sealing.simulated_disk import Loss, PowerCut, SimulatedDisk

FOLDER = Path("/state")
ROOT_KEY = b"r" * 32
BINDING = Binding(b"one door", "face", b"m" * 32)
Records = dict[int, bytes]
Opener = Callable[[SimulatedDisk], SealedStore]

CHANGES: tuple[tuple[int, bytes | None], ...] = (
    (1, b"first of one"),
    (2, b"first of two"),
    (1, b"second of one"),
    (2, None),
    (3, b"first of three"),
    (1, None),
    (2, b"second of two"),
)


def open_store(disk: SimulatedDisk) -> SealedStore:
    return SealedStore.open(FOLDER, FileKeyStore(FOLDER / "epoch.key", ROOT_KEY, disk), BINDING, disk)


class Ledger:
    """What the door acknowledged, and the one change it was asked for and did not."""

    def __init__(self) -> None:
        self.acknowledged: Records = {}
        self.asked: tuple[int, bytes | None] | None = None

    def run(self, disk: SimulatedDisk, opener: Opener) -> None:
        store = opener(disk)
        for slot, payload in CHANGES:
            self.asked = (slot, payload)
            if payload is None:
                store.remove(slot)
            else:
                store.put(slot, payload)
            self.acknowledged = self.after_asked()
            self.asked = None

    def after_asked(self) -> Records:
        if self.asked is None:
            return self.acknowledged
        slot, payload = self.asked
        others = {other: held for other, held in self.acknowledged.items() if other != slot}
        return others if payload is None else {**others, slot: payload}

    def possible(self) -> tuple[Records, ...]:
        return self.acknowledged, self.after_asked()


def steps_of_everything() -> int:
    disk = SimulatedDisk()
    Ledger().run(disk, open_store)
    return disk.steps


STEPS = steps_of_everything()


def losses() -> Iterator[tuple[Loss, int]]:
    yield Loss.ALL, 0
    yield Loss.NOTHING, 0
    for seed in range(6):
        yield Loss.SOME, seed


def cut(at: int, opener: Opener = open_store) -> tuple[SimulatedDisk, Ledger]:
    disk, ledger = SimulatedDisk(cut_at=at), Ledger()
    with contextlib.suppress(PowerCut):
        ledger.run(disk, opener)
    disk.cut_at = None
    return disk, ledger


def problem_after(disk: SimulatedDisk, ledger: Ledger, opener: Opener = open_store) -> str | None:
    """What is wrong with the store that the next boot opens; None if it is as it must be."""
    try:
        store = opener(disk)
    except Fault as fault:
        return f"it does not open: {fault}"
    if store.refused:
        return f"it refuses a record: {store.refused[0]}"
    if store.records() not in ledger.possible():
        return "an acknowledged change is lost, or another record with it"
    named = {entry.file_name for entry in store._ring.entries}
    if disk.all_names() - {"epoch.key.new"} != {"epoch.key", store._ring_name, *named}:
        return "leftovers of the interrupted change are still there"
    before = store.records()
    store.put(9, b"and on it goes")
    if opener(disk).records() != {**before, 9: b"and on it goes"}:
        return "it cannot be changed any more"
    return None


def test_there_are_at_least_a_thousand_ways_to_cut_the_power() -> None:
    assert STEPS * len(list(losses())) >= 1000


@pytest.mark.parametrize(("loss", "seed"), list(losses()))
def test_power_cut_before_any_step_loses_nothing_acknowledged(loss: Loss, seed: int) -> None:
    for at in range(STEPS + 1):
        disk, ledger = cut(at)
        problem = problem_after(disk.after_power_cut(loss, seed * 1000 + at), ledger)
        assert problem is None, f"cut before step {at}: {problem}"


def problem_after_kill_and_cut(at: int, later: int, loss: Loss, opener: Opener = open_store) -> str | None:
    """The process is killed before step `at`, and the power goes `later` steps into the recovery."""
    disk, ledger = cut(at, opener)
    # Killed, not cut: the page cache is still there, so the next start sees more than the disk would show.
    disk.cut_at = disk.steps + later
    with contextlib.suppress(PowerCut):
        opener(disk)
    return problem_after(disk.after_power_cut(loss, at * 100 + later), ledger, opener)


@pytest.mark.parametrize("loss", list(Loss))
def test_power_cut_during_the_recovery_from_a_killed_process_loses_nothing(loss: Loss) -> None:
    for at in range(STEPS + 1):
        for later in range(0, 12, 2):
            problem = problem_after_kill_and_cut(at, later, loss)
            assert problem is None, f"killed before step {at}, cut {later} steps into the recovery: {problem}"


class KeyFirst(SealedStore):
    """The seeded fault: the epoch key is replaced before the ring it opens is on the disk."""

    def _commit(self, following: Ring) -> None:
        key = b"k" * 31 + bytes((self._ring.generation % 256,))
        self._keys.replace(key)
        self._disk.write(self._folder / self._other_name(), ring.seal(following, key, self._binding))
        self._disk.sync(self._folder / self._other_name())
        self._disk.sync_folder(self._folder)


def open_key_first(disk: SimulatedDisk) -> SealedStore:
    return KeyFirst.open(FOLDER, FileKeyStore(FOLDER / "epoch.key", ROOT_KEY, disk), BINDING, disk)


class LyingDisk(SimulatedDisk):
    """The seeded fault: nothing is ever synced."""

    def sync(self, path: Path) -> None:
        self._step()


def test_the_cuts_find_a_key_that_is_replaced_too_early() -> None:
    found = [
        problem_after(disk.after_power_cut(Loss.ALL, at), ledger, open_key_first)
        for at in range(STEPS + 1)
        for disk, ledger in [cut(at, open_key_first)]
    ]
    assert any(found)


def test_the_cuts_find_a_disk_that_never_syncs() -> None:
    disk, ledger = LyingDisk(), Ledger()
    ledger.run(disk, open_store)
    assert problem_after(disk.after_power_cut(Loss.ALL, 0), ledger)


class HastyKeys(FileKeyStore):
    """The seeded fault: what the old key opens is destroyed before the new one is known to be durable."""

    def confirm(self) -> None:
        """Believe the page cache."""


def open_hastily(disk: SimulatedDisk) -> SealedStore:
    return SealedStore.open(FOLDER, HastyKeys(FOLDER / "epoch.key", ROOT_KEY, disk), BINDING, disk)


def test_the_cuts_find_a_recovery_that_believes_the_page_cache() -> None:
    assert any(
        problem_after_kill_and_cut(at, later, Loss.ALL, open_hastily) for at in range(STEPS) for later in range(6)
    )

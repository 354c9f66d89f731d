"""The power goes before every step of every change: what was acknowledged holds, nobody else's record is touched."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence

import pytest

from device.sealing import box
from device.sealing.keys import FileKeyStore
from device.sealing.ring import Entry, Ring
from device.sealing.store import Renew, SealedStore
from tests.unit.sealing.simulated_disk import Loss, PowerCut, SimulatedDisk
from tests.unit.sealing.story import (
    BINDING,
    FOLDER,
    ROOT_KEY,
    Ledger,
    Opener,
    Put,
    Rekey,
    cut,
    losses,
    make,
    open_store,
    opener_of,
    problem_after,
    texts,
)


def everything() -> tuple[int, Counter[str]]:
    """Steps of the whole story, and of each kind of change."""
    disk, ledger, by_kind = SimulatedDisk(), Ledger(), Counter[str]()
    ledger.run(disk, open_store)
    for kind, steps in ledger.spans:
        by_kind[kind] += steps
    return disk.steps, by_kind


STEPS, STEPS_BY_KIND = everything()
WAYS_TO_LOSE = len(list(losses()))


def test_there_are_at_least_a_thousand_ways_to_cut_the_power_into_a_change() -> None:
    ways = {kind: steps * WAYS_TO_LOSE for kind, steps in STEPS_BY_KIND.items()}
    assert set(ways) == {"Put", "Remove", "Rekey"}
    assert sum(ways.values()) >= 1000
    assert min(ways.values()) >= 200, ways


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("loss", list(Loss))
def test_power_cut_during_the_recovery_from_a_killed_process_loses_nothing(loss: Loss) -> None:
    for at in range(STEPS + 1):
        for later in range(0, 12, 3):
            problem = problem_after_kill_and_cut(at, later, loss)
            assert problem is None, f"killed before step {at}, cut {later} steps into the recovery: {problem}"


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize(("loss", "seed"), list(losses()))
def test_power_cut_into_a_rekey_leaves_a_record_that_does_not_open_as_it_was(loss: Loss, seed: int) -> None:
    at, done = 0, False
    while not done:
        disk = SimulatedDisk()
        store = open_store(disk)
        for slot in (1, 2, 3):
            make(Put(slot, b"of %d" % slot), store)
        damaged = store._ring.find(2)
        assert damaged
        disk.write(FOLDER / damaged.file_name, b"noise")
        disk.sync(FOLDER / damaged.file_name)
        store, before = open_store(disk), disk.steps
        disk.cut_at = before + at
        try:
            make(Rekey(), store)
            done = True
        except PowerCut:
            at += 1
        disk.cut_at = None
        again = open_store(left := disk.after_power_cut(loss, seed + at))
        assert again._ring.find(2) == damaged
        assert left.read(FOLDER / damaged.file_name) == b"noise"
        assert texts(again) == {1: b"of 1", 3: b"of 3"}
        assert len(again.refused) == 1
    assert at > 10


# ---- the same cuts find stores, disks and key stores that are not careful


class KeyFirst(SealedStore):
    """The seeded fault: the epoch key is replaced before the ring it opens is on the disk."""

    def _commit(self, following: Ring, added: Sequence[tuple[Entry, bytes]] = ()) -> None:
        key = box.new_key()
        self._keys.replace(key)
        for name, data in self._contents(following, key, added):
            self._disk.write(self._folder / name, data)
            self._disk.sync(self._folder / name)
        self._disk.sync_folder(self._folder)


class RecordsUnsynced(SealedStore):
    """The seeded fault: the commit does not wait for the records to be on the disk."""

    def _commit(self, following: Ring, added: Sequence[tuple[Entry, bytes]] = ()) -> None:
        key = box.new_key()
        for name, data in self._contents(following, key, added):
            self._disk.write(self._folder / name, data)
        self._disk.sync(self._folder / self._other_name())
        self._disk.sync_folder(self._folder)
        self._keys.replace(key)


class SweepFirst(SealedStore):
    """The seeded fault: what the change replaces is destroyed before the commit."""

    def _commit(self, following: Ring, added: Sequence[tuple[Entry, bytes]] = ()) -> None:
        kept = {entry.file_name for entry in following.entries}
        self._sweep({entry.file_name for entry in self._ring.entries} - kept)
        super()._commit(following, added)


class SecretKept(SealedStore):
    """The seeded fault: a rekey that renews every key, and not the secret."""

    def rekey(self, renew: Renew) -> None:
        added = [
            (self._fresh(slot, self.consent(slot)), renew(payload, self.secret, self.secret))
            for slot, payload in self.records().items()
        ]
        self._change(self._ring.rekeyed(self.secret, (entry for entry, _ in added)), added)


class KeysKept(SealedStore):
    """The seeded fault: a rekey that renews the secret, and writes the records under the keys they had."""

    def rekey(self, renew: Renew) -> None:
        secret, added = box.new_key(), []
        for entry in self._ring.entries:
            fresh = Entry(entry.slot, entry.generation, box.random_bytes(16), entry.key, entry.consent)
            added.append((fresh, renew(self._payloads[entry.slot], self.secret, secret)))
        self._change(self._ring.rekeyed(secret, (entry for entry, _ in added)), added)


class OneByOne(SealedStore):
    """The seeded fault: a rekey of one record after the other, each a change of its own."""

    def rekey(self, renew: Renew) -> None:
        old, secret = self.secret, box.new_key()
        for slot, payload in self.records().items():
            fresh = self._fresh(slot, self.consent(slot))
            self._change(self._ring.rekeyed(secret, [fresh]), [(fresh, renew(payload, old, secret))])


class NothingSwept(SealedStore):
    """The seeded fault: what was replaced stays on the disk."""

    def _sweep(self, names: object) -> None:
        """Leave it."""


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (KeyFirst, "no ring of sealed records opens"),
        (RecordsUnsynced, "is torn"),
        (SweepFirst, "its file is gone"),
        (SecretKept, "took out of force still is"),
        (KeysKept, "took out of force still is"),
        (OneByOne, "do not go together"),
        (NothingSwept, "leftovers"),
    ],
)
def test_the_cuts_find_a_store_that_is_not_careful(kind: type[SealedStore], found: str) -> None:
    careless = opener_of(kind)
    problems = (
        problem_after(disk.after_power_cut(loss, at), ledger, careless)
        for at in range(STEPS + 1)
        for loss in Loss
        for disk, ledger in [cut(at, careless)]
    )
    assert any(found in (problem or "") for problem in problems)


class LyingDisk(SimulatedDisk):
    """The seeded fault: nothing is ever synced."""

    def sync(self, *paths: object) -> None:
        for _ in paths:
            self._step()


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

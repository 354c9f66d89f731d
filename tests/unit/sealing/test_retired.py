"""The end of sealed state: the power may go before every step of it, and no half of what was there is ever used."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from device.errors import Fault, KeyFault
from device.sealing.files import write_new
from device.sealing.keys import FileKeyStore, KeyStore
from device.sealing.retired import DONE, MARK, RETRY_S, Destroying, End
from device.sealing.store import Binding, SealedStore
from tests.unit.sealing.simulated_disk import Loss, PowerCut, SimulatedDisk

FOLDER = Path("/state")
ROOT, DOOR = bytes(range(32)), bytes(8)
SLOTS = (7, 12, 13)
LOSSES = ((Loss.ALL, 0), (Loss.NOTHING, 0), (Loss.SOME, 1), (Loss.SOME, 2), (Loss.SOME, 3))


def keys_on(disk: SimulatedDisk) -> FileKeyStore:
    return FileKeyStore(FOLDER / "epoch.key", ROOT, disk)


def opened(disk: SimulatedDisk) -> dict[int, bytes]:
    """What a room that starts finds: as keeper keeps it, records in a folder of their own."""
    return SealedStore.open(FOLDER / "records", keys_on(disk), Binding(DOOR, "pin"), disk).records()


def lived_in() -> SimulatedDisk:
    disk = SimulatedDisk()
    store = SealedStore.open(FOLDER / "records", keys_on(disk), Binding(DOOR, "pin"), disk)
    for slot in SLOTS:
        store.put(slot, bytes(range(slot, slot + 40)))
    disk.write(FOLDER / "attempts", b"counts")
    disk.sync(FOLDER / "attempts")
    disk.sync_folder(FOLDER)
    return disk.after_power_cut(Loss.ALL, 0)


class HastyEnd(End):
    """The same without its first rule: it destroys, and marks afterwards."""

    def begin(self) -> None:
        """Not yet."""

    def destroy(self, keys: KeyStore) -> None:
        super().destroy(keys)
        super().begin()


def end_on(disk: SimulatedDisk, kind: type[End] = End) -> End:
    return kind(FOLDER, ("records",), disk)


def ends(disk: SimulatedDisk, kind: type[End] = End) -> None:
    """The life of a room from the word of lock on: it marks, and its next process destroys."""
    end = end_on(disk, kind)
    end.begin()
    end.destroy(keys_on(disk))


def steps() -> int:
    disk = lived_in()
    before = disk.steps
    ends(disk)
    return disk.steps - before


def cut_anywhere(kind: type[End]) -> int:
    """Cut the power before every step, start anew, and look; how often the room had ended."""
    ended = 0
    for step in range(steps() + 1):
        for loss, seed in LOSSES:
            disk = lived_in()
            disk.cut_at = disk.steps + step
            with suppress(PowerCut):
                ends(disk, kind)
            found = disk.after_power_cut(loss, seed)
            end = end_on(found, kind)
            if not end.begun:
                assert set(opened(found)) == set(SLOTS), f"half of it is left after step {step}, {loss}"
                continue
            ended += 1
            end.destroy(keys_on(found))
            assert found.all_names() == {MARK, DONE}, f"step {step}, {loss}"
    return ended


def test_after_a_power_cut_at_any_step_it_is_whole_or_it_ends_to_the_last_file() -> None:
    assert cut_anywhere(End) > steps()


def test_an_end_that_destroys_before_it_marks_is_caught() -> None:
    with pytest.raises((AssertionError, Fault), match=r"half of it|no ring|epoch key"):
        cut_anywhere(HastyEnd)


def test_the_old_epoch_key_is_gone_before_the_first_file_is() -> None:
    """Whoever keeps the files as they were at any moment has no key to them, once one of them is gone."""
    disk = lived_in()
    old = keys_on(disk).load()
    end = end_on(disk)
    end.begin()
    for step in range(steps()):
        copy = lived_in()
        copy.cut_at = copy.steps + step
        with suppress(PowerCut):
            ends(copy)
        missing = lived_in().all_names() - copy.all_names()
        left = copy.read(FOLDER / "epoch.key")
        copy.cut_at = None
        if missing and left is not None:
            with suppress(KeyFault):  # overwritten already
                assert keys_on(copy).load() != old, f"step {step}"


class DeadTpm:
    """A key store that does not answer, until it does."""

    name = "tpm-nv"

    def __init__(self) -> None:
        self.dead = True
        self.replaced = 0

    def load(self) -> bytes | None:
        return None

    def replace(self, key: bytes) -> None:
        if self.dead:
            msg = "the TPM does not answer"
            raise KeyFault(msg)
        self.replaced += len(key) > 0

    def confirm(self) -> None:
        """Nothing to do."""


def test_a_key_that_cannot_be_replaced_saves_no_file_and_is_tried_again_every_minute() -> None:
    disk, tpm, now = lived_in(), DeadTpm(), [100.0]
    end = end_on(disk)
    end.begin()
    destroying = Destroying(end, tpm, "vault", lambda: now[0])
    assert (destroying.done, destroying.due_s) == (False, 100.0 + RETRY_S)
    assert disk.all_names() == {MARK}
    tpm.dead = False
    assert not destroying.tick(), "not before it is time"
    now[0] += RETRY_S
    assert destroying.tick()
    assert (destroying.done, destroying.due_s, tpm.replaced) == (True, None, 1)
    assert Destroying(end_on(disk), tpm, "vault", lambda: now[0]).done
    assert tpm.replaced == 1, "what is over is not done again"


def test_a_full_disk_ends_as_soon_as_there_is_room() -> None:
    disk, now = lived_in(), [0.0]
    end_on(disk).begin()
    disk.full = True
    destroying = Destroying(end_on(disk), keys_on(disk), "keeper", lambda: now[0])
    assert not destroying.done
    assert disk.all_names() == {MARK}, "what makes the room is gone"
    disk.full, now[0] = False, RETRY_S
    assert destroying.tick()
    assert disk.all_names() == {MARK, DONE}


class WritingEnd(End):
    """The same, but it writes the mark anew before it destroys."""

    def begin(self) -> None:
        write_new(self.disk, self.folder, [(MARK, b"")])


def test_an_end_that_needs_room_for_its_mark_destroys_nothing_on_a_full_disk() -> None:
    """The seeded fault of the test above."""
    disk = lived_in()
    end_on(disk).begin()
    disk.full = True
    assert not Destroying(end_on(disk, WritingEnd), keys_on(disk), "keeper", lambda: 0.0).done
    assert len(disk.all_names()) > len(SLOTS)


def test_a_torn_mark_is_a_mark() -> None:
    disk = lived_in()
    disk.write(FOLDER / MARK, b"")
    assert end_on(disk).begun

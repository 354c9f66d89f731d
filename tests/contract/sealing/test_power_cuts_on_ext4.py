"""The power goes after an acknowledged change on a real ext4: what was acknowledged has reached the blocks.

The simulated disk shows every moment; this shows that its `sync` and the real one promise the same, for few files, for
so many that the whole file system is synced at once, and that an image taken without any sync lacks them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.errors import Fault
from device.sealing import files
from device.sealing.files import DiskFiles, Files
from device.sealing.keys import FileKeyStore
from device.sealing.store import SealedStore
from tests.contract.sealing.images import Mounted, mounted
from tests.unit.sealing.story import BINDING, ROOT_KEY, STORY, Put, Rekey, Texts, after, in_force, make, texts

SIZE_KIB = 16384
FEW, MANY = 5, files.MANY + 10


@pytest.fixture
def disk() -> Iterator[Mounted]:
    with mounted("ext4", SIZE_KIB, "commit=300") as new:
        yield new


def opened(folder: Path, disk: Files | None = None) -> SealedStore:
    return SealedStore.open(folder, FileKeyStore(folder / "epoch.key", ROOT_KEY, disk), BINDING, disk)


def filled(disk: Mounted, count: int) -> tuple[SealedStore, Texts]:
    store, held = opened(disk.state), dict[int, bytes]()
    for slot in range(1, count + 1):
        make(Put(slot, b"of %d" % slot), store)
        held[slot] = b"of %d" % slot
    return store, held


def test_every_acknowledged_change_of_the_story_is_there_after_a_power_cut(disk: Mounted) -> None:
    store, held = opened(disk.state), dict[int, bytes]()
    for change in STORY:
        make(change, store)
        held = after(change, held)
        with disk.after_power_cut() as copy:
            again = opened(copy.state)
            assert texts(again) == held, change
            assert in_force(again) == in_force(store), change


@pytest.mark.parametrize("count", [FEW, MANY])
def test_an_acknowledged_rekey_is_there_whole_after_a_power_cut(disk: Mounted, count: int) -> None:
    store, held = filled(disk, count)
    before = in_force(store)
    make(Rekey(), store)
    with disk.after_power_cut() as copy:
        names = {path.name for path in copy.state.iterdir()}
        again = opened(copy.state)
        assert texts(again) == held
        assert not in_force(again) & before
        assert names == {"epoch.key", again._ring_name, *(entry.file_name for entry in again._ring.entries)}


class Unsynced(DiskFiles):
    """The seeded fault: nobody waits for the contents of files."""

    def sync(self, *paths: Path) -> None:
        """Believe the page cache."""


@pytest.mark.parametrize("count", [FEW, MANY])
def test_the_image_lacks_what_nobody_waited_for(disk: Mounted, count: int) -> None:
    _, held = filled(disk, count)
    store = opened(disk.state, Unsynced())
    make(Rekey(), store)
    assert texts(store) == held
    with disk.after_power_cut() as copy, pytest.raises(Fault):
        opened(copy.state)

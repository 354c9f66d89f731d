"""Real file systems that fill up, turn read-only or belong to somebody else: a change is refused, nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from device.errors import Fault, KeyFault, StoreFault
from device.sealing.keys import FileKeyStore
from device.sealing.store import SealedStore
from tests.contract.sealing.images import BLOCK_BYTES, STRANGER, Mounted, acting_as, mounted
from tests.unit.sealing.story import BINDING, ROOT_KEY, Put, Rekey, Texts, in_force, make, tag, texts, turned

FACES = 20
PAYLOAD = bytes(844)  # as long as a face's
SIZE_KIB = {"ext4": 8192, "tmpfs": 512}

FILLED: Texts = {slot: PAYLOAD + bytes((slot,)) for slot in range(1, FACES + 1)}

CHANGES: dict[str, Callable[[SealedStore], object]] = {
    "put": lambda store: store.put(99, tag(store.secret) + PAYLOAD),
    "change": lambda store: store.put(1, tag(store.secret) + PAYLOAD),
    "remove": lambda store: store.remove(1),
    "rekey": lambda store: store.rekey(turned),
}


def opened(folder: Path) -> SealedStore:
    return SealedStore.open(folder, FileKeyStore(folder / "epoch.key", ROOT_KEY), BINDING)


def filled(folder: Path) -> SealedStore:
    store = opened(folder)
    for slot, text in FILLED.items():
        make(Put(slot, text), store)
    return store


def names_in(folder: Path) -> set[str]:
    """What lies in `folder`. A key that was not put in force may stay: the next one takes its place."""
    return {path.name for path in folder.iterdir()} - {"epoch.key.new"}


def refused(change: Callable[[], object], why: str) -> None:
    """`change` is refused in one sentence that says `why`."""
    with pytest.raises(Fault, match=why) as caught:
        change()
    assert isinstance(caught.value, StoreFault | KeyFault)
    assert "\n" not in str(caught.value)


@pytest.fixture(params=["ext4", "tmpfs"])
def disk(request: pytest.FixtureRequest) -> Iterator[Mounted]:
    with mounted(request.param, SIZE_KIB[request.param]) as new:
        yield new


@pytest.fixture
def ext4() -> Iterator[Mounted]:
    with mounted("ext4", SIZE_KIB["ext4"]) as new:
        yield new


# ---- no room


@pytest.mark.parametrize("name", CHANGES)
def test_on_a_full_disk_a_change_is_refused_and_nothing_is_lost(disk: Mounted, name: str) -> None:
    store = filled(disk.state)
    before = in_force(store)
    disk.fill()
    refused(lambda: CHANGES[name](store), "No space left on device")
    for each in (store, opened(disk.state)):
        assert texts(each) == FILLED
        assert in_force(each) == before
    disk.empty()
    CHANGES[name](store)
    assert texts(opened(disk.state)) == texts(store)
    assert in_force(opened(disk.state)) != before


@pytest.mark.parametrize("files", [0, 1, FACES // 2, FACES - 1, FACES])
def test_a_rekey_that_finds_no_room_halfway_leaves_the_old_state_and_gives_the_room_back(
    disk: Mounted, files: int
) -> None:
    store = filled(disk.state)
    before, names = in_force(store), names_in(disk.state)
    disk.fill(leaving=files * BLOCK_BYTES)
    room = disk.free_bytes
    refused(lambda: store.rekey(turned), "No space left on device")
    assert disk.free_bytes == room
    assert names_in(disk.state) == names
    for each in (store, opened(disk.state)):
        assert texts(each) == FILLED
        assert in_force(each) == before
    disk.empty()
    store.rekey(turned)
    assert texts(opened(disk.state)) == FILLED
    assert not in_force(opened(disk.state)) & before


class Untidy(SealedStore):
    """The seeded fault: what a change that failed has written stays."""

    def _sweep(self, names: object) -> None:
        """Leave it."""


def test_the_names_show_a_store_that_leaves_what_it_wrote(disk: Mounted) -> None:
    filled(disk.state)
    store = Untidy.open(disk.state, FileKeyStore(disk.state / "epoch.key", ROOT_KEY), BINDING)
    names = names_in(disk.state)
    disk.fill(leaving=FACES // 2 * BLOCK_BYTES)
    refused(lambda: store.rekey(turned), "No space left on device")
    assert names_in(disk.state) > names


def test_a_door_that_starts_with_a_full_disk_reads_everything(disk: Mounted) -> None:
    store = filled(disk.state)
    (disk.state / f"{'0' * 32}.rec").write_bytes(b"left by a change that was interrupted")
    disk.fill()
    del store
    assert texts(opened(disk.state)) == FILLED
    assert not (disk.state / f"{'0' * 32}.rec").exists()


# ---- read-only in the middle of a life


@pytest.mark.parametrize("name", CHANGES)
def test_a_disk_that_turns_read_only_refuses_changes_and_goes_on_reading(ext4: Mounted, name: str) -> None:
    store = filled(ext4.state)
    before = in_force(store)
    ext4.remount("ro")
    for _ in range(2):
        refused(lambda: CHANGES[name](store), "Read-only file system")
    for each in (store, opened(ext4.state)):
        assert texts(each) == FILLED
        assert in_force(each) == before
    ext4.remount("rw")
    CHANGES[name](store)
    assert texts(opened(ext4.state)) == texts(store)
    assert in_force(opened(ext4.state)) != before


def test_leftovers_on_a_read_only_disk_keep_nobody_out_and_are_swept_later(ext4: Mounted) -> None:
    filled(ext4.state)
    left = ext4.state / f"{'0' * 32}.rec"
    left.write_bytes(b"left by a change that was interrupted")
    ext4.remount("ro")
    store = opened(ext4.state)
    assert texts(store) == FILLED
    assert left.exists()
    ext4.remount("rw")
    store.rekey(turned)
    assert not left.exists()
    assert texts(opened(ext4.state)) == FILLED


# ---- whose it is


@pytest.fixture
def theirs(ext4: Mounted) -> Mounted:
    """A store that belongs to a user who is not root."""
    ext4.state.mkdir(mode=0o700)
    os.chown(ext4.state, STRANGER, STRANGER)
    with acting_as(STRANGER):
        filled(ext4.state)
    return ext4


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("owner", [0, STRANGER + 1])
def test_a_folder_of_another_owner_is_refused_and_nothing_is_changed(theirs: Mounted, owner: int) -> None:
    before = contents(theirs.state)
    os.chown(theirs.state, owner, owner)
    with acting_as(STRANGER):
        refused(lambda: opened(theirs.state), "must belong to this process's user alone|Permission denied")
    assert contents(theirs.state) == before
    os.chown(theirs.state, STRANGER, STRANGER)
    with acting_as(STRANGER):
        assert texts(opened(theirs.state)) == FILLED


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o770, 0o777, 0o711])
def test_a_folder_that_others_may_enter_is_refused_and_nothing_is_changed(theirs: Mounted, mode: int) -> None:
    before = contents(theirs.state)
    theirs.state.chmod(mode)
    with acting_as(STRANGER):
        refused(lambda: opened(theirs.state), f"it has owner {STRANGER} and mode {mode:04o}")
    assert contents(theirs.state) == before
    theirs.state.chmod(0o700)
    with acting_as(STRANGER):
        assert texts(opened(theirs.state)) == FILLED


def test_a_folder_that_becomes_unwritable_refuses_changes_and_goes_on_reading(theirs: Mounted) -> None:
    with acting_as(STRANGER):
        store = opened(theirs.state)
        theirs.state.chmod(0o500)
        for change in CHANGES.values():
            refused(partial(change, store), "Permission denied")
        assert texts(store) == texts(opened(theirs.state)) == FILLED
        theirs.state.chmod(0o700)
        make(Rekey(), store)
        assert texts(opened(theirs.state)) == FILLED


def test_a_record_of_another_owner_is_refused_alone_and_the_rest_lives(theirs: Mounted) -> None:
    with acting_as(STRANGER):
        record_id = opened(theirs.state).record_id(7)
    assert record_id
    path = theirs.state / f"{record_id.hex()}.rec"
    os.chown(path, 0, 0)
    with acting_as(STRANGER):
        store = opened(theirs.state)
        assert texts(store) == {slot: text for slot, text in FILLED.items() if slot != 7}
        assert [str(each) for each in store.refused] == ["a sealed record cannot be read from the disk"]
        assert store.record_id(7) == record_id
    os.chown(path, STRANGER, STRANGER)
    with acting_as(STRANGER):
        assert texts(opened(theirs.state)) == FILLED


@pytest.mark.parametrize("which", ["ring", "epoch"])
def test_a_ring_or_key_of_another_owner_is_a_fault_and_nothing_is_changed(theirs: Mounted, which: str) -> None:
    (path,) = theirs.state.glob(f"{which}.*")
    before = contents(theirs.state)
    os.chown(path, 0, 0)
    with acting_as(STRANGER):
        refused(lambda: opened(theirs.state), "cannot be read: Permission denied")
    assert contents(theirs.state) == before
    os.chown(path, STRANGER, STRANGER)
    with acting_as(STRANGER):
        assert texts(opened(theirs.state)) == FILLED

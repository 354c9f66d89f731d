"""Rekey: everything that opens gets new keys and a new secret, all of it or nothing; what does not open stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import Fault, KeyFault, RecordRefused, StoreFault
from device.sealing import record, ring
from device.sealing.keys import FileKeyStore
from device.sealing.store import SealedStore
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.sealing.story import (
    BINDING,
    FOLDER,
    ROOT_KEY,
    Put,
    Rekey,
    in_force,
    keys_of,
    make,
    open_store,
    tag,
    texts,
    turned,
)

THREE = {1: b"of one", 2: b"of two", 3: b"of three"}


def filled(disk: SimulatedDisk) -> SealedStore:
    store = open_store(disk)
    for slot, text in THREE.items():
        make(Put(slot, text), store)
    return store


def on_disk(folder: Path) -> SealedStore:
    return SealedStore.open(folder, FileKeyStore(folder / "epoch.key", ROOT_KEY), BINDING)


def test_rekey_renews_the_secret_and_every_key_and_keeps_what_the_records_say(tmp_path: Path) -> None:
    store = on_disk(tmp_path / "state")
    for slot, text in THREE.items():
        make(Put(slot, text), store)
    before, consents = in_force(store), [store.consent(slot) for slot in THREE]
    ids = {store.record_id(slot) for slot in THREE}
    store.rekey(turned)
    for each in (store, on_disk(tmp_path / "state")):
        assert texts(each) == THREE
        assert [each.consent(slot) for slot in THREE] == consents
        assert not before & in_force(each)
        assert not ids & {each.record_id(slot) for slot in THREE}
        assert not [old for old in ids if each.names(old or b"")]
    assert len(list((tmp_path / "state").iterdir())) == 2 + len(THREE)


def test_old_ring_and_old_records_are_overwritten_before_they_lose_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    store = on_disk(folder)
    for slot, text in THREE.items():
        make(Put(slot, text), store)
    old = {path: path.read_bytes() for path in folder.iterdir()}
    for path in old:
        os.link(path, tmp_path / path.name)
    store.rekey(turned)
    for path, data in old.items():
        left = (tmp_path / path.name).read_bytes()
        assert len(left) == len(data)
        assert left[8:24] != data[8:24], path.name


def test_older_copies_of_the_files_do_not_open_after_a_rekey() -> None:
    disk = SimulatedDisk()
    store = filled(disk)
    epoch_key = keys_of(disk).load()
    assert epoch_key
    copies = {name: disk.read(FOLDER / name) for name in disk.all_names()}
    stored = copies[store._ring_name]
    assert stored
    old_ring = ring.unseal(stored, epoch_key, BINDING)
    assert old_ring, "the copy does not open before the rekey: this would show nothing"
    store.rekey(turned)
    for name, data in copies.items():
        if name != "epoch.key":
            disk.write(FOLDER / name, data or b"")
    again = open_store(disk)
    assert texts(again) == THREE
    assert again.secret == store.secret
    now = keys_of(disk).load()
    assert now
    assert ring.unseal(stored, now, BINDING) is None
    for entry in old_ring.entries:
        assert disk.read(FOLDER / entry.file_name) is None


def test_an_empty_store_gets_a_new_secret(tmp_path: Path) -> None:
    store = on_disk(tmp_path)
    before = store.secret
    store.rekey(turned)
    assert on_disk(tmp_path).secret == store.secret != before


def test_a_record_that_does_not_open_keeps_its_key_and_its_file() -> None:
    disk = SimulatedDisk()
    store = filled(disk)
    entry = store._ring.find(2)
    assert entry
    whole = disk.read(FOLDER / entry.file_name)
    assert whole
    disk.write(FOLDER / entry.file_name, whole[:-1])
    store = open_store(disk)
    store.rekey(turned)
    assert set(store.records()) == {1, 3}
    assert store._ring.find(2) == open_store(disk)._ring.find(2) == entry
    assert disk.read(FOLDER / entry.file_name) == whole[:-1]
    assert len(store.refused) == 1
    disk.write(FOLDER / entry.file_name, whole)
    assert set(open_store(disk).records()) == {1, 2, 3}, "what was damaged and is whole again opens"
    assert store.remove(2)
    assert not store.refused


@pytest.mark.parametrize("trouble", [RecordRefused("this one is of nobody"), ZeroDivisionError()])
def test_what_renew_raises_changes_nothing(trouble: Exception) -> None:
    disk = SimulatedDisk()
    store = filled(disk)
    before, steps = in_force(store), disk.steps

    def renew(payload: bytes, _old: bytes, new: bytes) -> bytes:
        if payload.endswith(b"three"):
            raise trouble
        return tag(new) + payload

    with pytest.raises(type(trouble)):
        store.rekey(renew)
    assert disk.steps == steps, "something was written"
    assert in_force(store) == in_force(open_store(disk)) == before
    assert texts(store) == texts(open_store(disk)) == THREE


# ---- disks and key stores that refuse in the middle


class Narrow(SimulatedDisk):
    """A disk with room for `room` more files; removing one does not count as room until the test says so."""

    room: int | None = None

    def write(self, path: Path, data: bytes) -> None:
        if self.room is not None:
            self.full = self.room <= 0
            self.room -= 1
        super().write(path, data)


def test_disk_full_at_any_file_of_a_rekey_changes_nothing_and_leaves_nothing() -> None:
    names = len(THREE) + 2
    for room in range(names):  # three records, the ring, the key
        disk = Narrow()
        store = filled(disk)
        before = in_force(store)
        disk.room = room
        with pytest.raises(Fault, match="No space left on device"):
            store.rekey(turned)
        disk.room, disk.full = None, False
        assert in_force(store) == before
        assert texts(store) == texts(open_store(disk)) == THREE
        assert len(disk.all_names() - {"epoch.key.new"}) == names
        store.rekey(turned)
        assert not in_force(open_store(disk)) & before
        assert texts(open_store(disk)) == THREE


class FailingDisk(SimulatedDisk):
    """A disk that fails in step `fail_at`, and from then on as well if `for_good`."""

    fail_at: int | None = None
    for_good: bool = False

    def _step(self) -> None:
        super()._step()
        if self.fail_at is not None and (self.steps == self.fail_at or (self.for_good and self.steps > self.fail_at)):
            raise StoreFault("the disk failed: Input/output error")


@pytest.mark.parametrize("for_good", [False, True])
def test_a_step_of_a_rekey_that_fails_leaves_all_old_or_all_new_in_memory_as_on_disk(*, for_good: bool) -> None:
    at, failed, done = 0, 0, 0
    while done < 3:
        at += 1
        disk = FailingDisk(cut_at=None)
        store = filled(disk)
        before, secret = in_force(store), store.secret
        disk.fail_at, disk.for_good = disk.steps + at, for_good
        began = disk.steps
        try:
            store.rekey(turned)
        except (StoreFault, KeyFault):
            failed += 1
            assert texts(store) == THREE
        else:
            assert store.secret != secret
            assert texts(store) == THREE
        done += disk.steps < began + at
        disk.fail_at = None
        again = open_store(disk)
        assert texts(again) == THREE
        assert in_force(again) == before or not in_force(again) & before
        with_old = again.secret == secret
        store.rekey(turned)
        assert texts(store) == texts(open_store(disk)) == THREE
        assert (secret in in_force(store), with_old and again.secret == store.secret) == (False, False)
    assert failed > 10


class Forgetful(FileKeyStore):
    """A key store that stalls: once after the key was replaced, then at the look that follows, then it is back."""

    stalls = 0

    def replace(self, key: bytes) -> None:
        super().replace(key)
        self._maybe_stall()

    def load(self) -> bytes | None:
        self._maybe_stall()
        return super().load()

    def _maybe_stall(self) -> None:
        if self.stalls:
            self.stalls -= 1
            raise KeyFault("the key store did not answer within 3 s")


def stalled_after_a_rekey_was_made(
    kind: type[SealedStore] = SealedStore,
) -> tuple[SimulatedDisk, Forgetful, SealedStore]:
    disk = SimulatedDisk()
    filled(disk)
    keys = Forgetful(FOLDER / "epoch.key", ROOT_KEY, disk)
    store = kind.open(FOLDER, keys, BINDING, disk)
    keys.stalls = 2
    with pytest.raises(KeyFault, match="did not answer"):
        store.rekey(turned)
    assert texts(store) == THREE
    assert store.secret != open_store(disk).secret, "the rekey was not made: this would show nothing"
    return disk, keys, store


def test_a_payload_made_for_a_secret_that_is_no_more_is_not_taken() -> None:
    disk, _, store = stalled_after_a_rekey_was_made()
    late = tag(store.secret) + b"of four"
    with pytest.raises(StoreFault, match="this change was not made; please try again"):
        store.put(4, late)
    assert texts(store) == texts(open_store(disk)) == THREE
    make(Put(4, b"of four"), store)
    assert texts(open_store(disk)) == {**THREE, 4: b"of four"}


class Gullible(SealedStore):
    """The seeded fault: whatever the store finds on the disk, it writes what it was given."""

    def put(self, slot: int, payload: bytes, consent: bytes = bytes(32)) -> None:
        self._settle()
        super().put(slot, payload, consent)


def test_the_tag_shows_a_store_that_takes_it() -> None:
    disk, _, store = stalled_after_a_rekey_was_made(Gullible)
    store.put(4, tag(store.secret) + b"of four")
    assert texts(open_store(disk)) is None


def test_an_erasure_after_a_rekey_in_doubt_is_made_on_what_is_there() -> None:
    disk, _, store = stalled_after_a_rekey_was_made()
    assert store.remove(1)
    assert texts(store) == texts(open_store(disk)) == {2: b"of two", 3: b"of three"}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 3), st.tuples(st.integers(0, 3), st.binary(max_size=20)))))
def test_any_history_with_rekeys_reads_like_a_dictionary(history: list[int | tuple[int, bytes] | None]) -> None:
    disk, model = SimulatedDisk(), dict[int, bytes]()
    store = open_store(disk)
    for each in history:
        if each is None:
            make(Rekey(), store)
        elif isinstance(each, int):
            store.remove(each)
            model.pop(each, None)
        else:
            make(Put(*each), store)
            model[each[0]] = each[1]
        store = open_store(disk)
        assert texts(store) == model


def test_every_record_of_a_rekey_is_sealed_under_a_key_of_its_own() -> None:
    disk = SimulatedDisk()
    store = filled(disk)
    store.rekey(turned)
    entries = store._ring.entries
    assert len({entry.key for entry in entries}) == len({entry.file_id for entry in entries}) == len(THREE)
    for entry in entries:
        stored = disk.read(FOLDER / entry.file_name)
        assert record.unseal(stored, entry, BINDING) == store.records()[entry.slot]

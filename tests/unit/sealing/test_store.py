"""The store on a real folder: damage is refused alone, old copies are refused, faults change nothing."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import KeyFault, RecordRefused, StoreFault
from device.sealing import files, record
from device.sealing.files import DiskFiles
from device.sealing.keys import FileKeyStore
from device.sealing.store import NO_CONSENT, Binding, Removed, SealedStore
from tests.unit.sealing.simulated_disk import SimulatedDisk, SimulatedHold

ROOT_KEY = b"r" * 32
MODEL = b"m" * 32
BINDING = Binding(b"one door", "face", MODEL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def opened(folder: Path, binding: Binding = BINDING, root_key: bytes = ROOT_KEY) -> SealedStore:
    return SealedStore.open(folder, FileKeyStore(folder / "epoch.key", root_key), binding)


def file_of(store: SealedStore, folder: Path, slot: int) -> Path:
    entry = store._ring.find(slot)
    assert entry
    return folder / entry.file_name


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def test_what_was_put_is_there_after_a_restart(folder: Path) -> None:
    store = opened(folder)
    store.put(7, b"seven")
    store.put(8, b"")
    store.put(7, b"seven again")
    assert store.records() == opened(folder).records() == {7: b"seven again", 8: b""}


def test_what_was_removed_is_gone_with_its_file_and_its_ring(folder: Path) -> None:
    store = opened(folder)
    store.put(7, b"seven")
    gone, old_ring = file_of(store, folder, 7), folder / store._ring_name
    assert store.remove(7)
    assert not gone.exists()
    assert not old_ring.exists()
    assert opened(folder).records() == {}
    assert not store.remove(7)


def test_what_was_removed_is_told_by_its_id_and_by_what_lay_on_the_disk(folder: Path) -> None:
    store = opened(folder)
    store.put(7, b"seven")
    path, record_id = file_of(store, folder, 7), store.record_id(7)
    assert record_id
    assert path.name == f"{record_id.hex()}.rec"
    stored = path.read_bytes()
    assert store.names(record_id)
    assert store.remove(7) == Removed(record_id, stored[8:40])
    assert store.remove(7) is None
    assert store.record_id(7) is None
    assert not store.names(record_id)
    assert not opened(folder).names(record_id)


@pytest.mark.parametrize("how", ["gone", "a folder", "empty", "header flipped"])
def test_a_record_that_cannot_be_read_is_removed_without_a_mark(folder: Path, how: str) -> None:
    damaged(folder, how)
    store = opened(folder)
    record_id = store.record_id(7)
    assert record_id
    assert store.names(record_id)
    assert store.remove(7) == Removed(record_id, bytes(32))
    assert opened(folder).record_id(7) is None


def test_a_record_opens_only_with_the_terms_it_is_bound_to(folder: Path) -> None:
    store = opened(folder)
    store.put(7, b"seven", b"t" * 32)
    store.put(8, b"eight")
    entry, stored = store._ring.find(7), file_of(store, folder, 7).read_bytes()
    assert entry
    assert record.unseal(stored, entry, BINDING) == b"seven"
    with pytest.raises(RecordRefused):
        record.unseal(stored, replace(entry, consent=b"u" * 32), BINDING)
    again = opened(folder)
    assert (again.consent(7), again.consent(8), again.consent(9)) == (b"t" * 32, NO_CONSENT, NO_CONSENT)
    again.put(7, b"seven", b"u" * 32)
    assert opened(folder).consent(7) == b"u" * 32


@pytest.mark.parametrize("size", [0, 31, 33])
def test_terms_of_another_length_are_refused(folder: Path, size: int) -> None:
    store = opened(folder)
    with pytest.raises(StoreFault, match="32 bytes"):
        store.put(7, b"seven", bytes(size))
    assert opened(folder).records() == {}


def test_the_secret_is_of_this_door_and_survives_every_change_and_restart(folder: Path, tmp_path: Path) -> None:
    store = opened(folder)
    secret = store.secret
    assert len(secret) == 32
    store.put(7, b"seven")
    store.put(7, b"again")
    store.remove(7)
    assert store.secret == opened(folder).secret == secret
    assert opened(tmp_path / "another door").secret != secret


def test_the_secret_lies_on_the_disk_only_sealed(folder: Path) -> None:
    store = opened(folder)
    store.put(7, b"seven")
    assert not [name for name, data in contents(folder).items() if store.secret in data]


def test_records_is_a_copy(folder: Path) -> None:
    store = opened(folder)
    store.put(7, b"seven")
    store.records()[7] = b"forged"
    assert store.records() == {7: b"seven"}


def test_every_put_has_a_new_key_a_new_file_and_a_new_epoch(folder: Path) -> None:
    store = opened(folder)
    seen = []
    for _ in range(3):
        store.put(7, b"the same")
        entry = store._ring.find(7)
        assert entry
        seen.append((entry.key, entry.file_id, FileKeyStore(folder / "epoch.key", ROOT_KEY).load()))
    assert all(len(set(column)) == 3 for column in zip(*seen, strict=True))


def test_files_and_folder_are_for_this_user_alone(folder: Path) -> None:
    opened(folder).put(7, b"seven")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_folder_that_others_may_enter_is_refused_in_a_sentence(folder: Path) -> None:
    opened(folder)
    folder.chmod(0o750)
    with pytest.raises(StoreFault, match="must belong to this process's user alone"):
        opened(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused_in_a_sentence(folder: Path) -> None:
    opened(folder)
    os.chown(folder, 12345, -1)
    with pytest.raises(StoreFault, match="must belong to this process's user alone"):
        opened(folder)


# ---- damage to one record


def edited(edit: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda path: void(path.write_bytes(edit(path.read_bytes())))


def void(_: object) -> None:
    """Several ways to damage a file return something; nobody wants it."""


def become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def come_from_another_door(path: Path) -> None:
    folder = path.parent.with_name("other")
    other = opened(folder, Binding(b"two door", "face", MODEL))
    other.put(7, b"seven elsewhere")
    shutil.copy(file_of(other, folder, 7), path)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "torn": edited(lambda data: data[:-5]),
    "empty": edited(lambda _: b""),
    "longer": edited(lambda data: data + b"\0"),
    "header flipped": lambda path: flip(path, 4),
    "nonce flipped": lambda path: flip(path, 8),
    "tag flipped": lambda path: flip(path, -1),
    "gone": Path.unlink,
    "a folder": become_a_folder,
    "foreign door": come_from_another_door,
    "swapped": lambda path: void(shutil.copy(file_of(opened(path.parent), path.parent, 8), path)),
    "rolled back": lambda path: void(shutil.copy(path.parent.with_name("old copy"), path)),
}


def damaged(folder: Path, how: str) -> None:
    """Damage the record of slot 7, leave 8 alone."""
    store = opened(folder)
    store.put(7, b"seven, first")
    shutil.copy(file_of(store, folder, 7), folder.with_name("old copy"))
    store.put(7, b"seven, second")
    store.put(8, b"eight")
    DAMAGES[how](file_of(store, folder, 7))


@pytest.mark.parametrize("how", DAMAGES)
def test_damaged_record_is_refused_alone_and_the_rest_lives(folder: Path, how: str) -> None:
    damaged(folder, how)
    store = opened(folder)
    assert store.records() == {8: b"eight"}
    assert len(store.refused) == 1
    assert "sealed record" in str(store.refused[0])
    assert "7" not in str(store.refused[0])


@pytest.mark.parametrize("how", [how for how in DAMAGES if how != "a folder"])
def test_refused_record_is_not_deleted_by_changes_to_others(folder: Path, how: str) -> None:
    damaged(folder, how)
    store = opened(folder)
    path = file_of(store, folder, 7)
    before = path.read_bytes() if path.exists() else None
    store.put(9, b"nine")
    assert (path.read_bytes() if path.exists() else None) == before
    assert len(opened(folder).refused) == 1


@pytest.mark.parametrize("how", [how for how in DAMAGES if how != "a folder"])
def test_refused_record_can_be_erased_or_put_anew(folder: Path, how: str) -> None:
    damaged(folder, how)
    store = opened(folder)
    assert store.remove(7)
    assert not store.refused
    store.put(7, b"seven, third")
    assert opened(folder).records() == {7: b"seven, third", 8: b"eight"}


def test_records_of_another_model_are_refused_one_by_one(folder: Path) -> None:
    store = opened(folder)
    store.put(7, b"old model")
    newer = opened(folder, Binding(BINDING.door, "face", b"n" * 32))
    newer.put(8, b"new model")
    assert newer.records() == {8: b"new model"}
    assert len(opened(folder, Binding(BINDING.door, "face", b"n" * 32)).refused) == 1
    assert opened(folder).records() == {7: b"old model"}


@pytest.mark.parametrize(
    "binding",
    [Binding(b"two door", "face", MODEL), Binding(b"one door", "pin", MODEL), Binding(b"one door", "face", b"n" * 32)],
)
def test_record_opens_only_for_its_own_door_kind_and_model(folder: Path, binding: Binding) -> None:
    store = opened(folder)
    store.put(7, b"seven")
    entry, stored = store._ring.find(7), file_of(store, folder, 7).read_bytes()
    assert entry
    assert record.unseal(stored, entry, BINDING) == b"seven"
    with pytest.raises(RecordRefused):
        record.unseal(stored, entry, binding)


# ---- damage to the ring and the keys


@pytest.mark.parametrize("binding", [Binding(b"two door", "face", MODEL), Binding(b"one door", "pin", MODEL)])
def test_ring_of_another_door_or_kind_is_a_fault_and_nothing_is_changed(folder: Path, binding: Binding) -> None:
    opened(folder).put(7, b"seven")
    before = contents(folder)
    with pytest.raises(StoreFault, match="nothing was changed"):
        opened(folder, binding)
    assert contents(folder) == before


@pytest.mark.parametrize("at", [0, 4, 8, 40, -1])
def test_damaged_ring_is_a_fault_and_nothing_is_changed(folder: Path, at: int) -> None:
    store = opened(folder)
    store.put(7, b"seven")
    flip(folder / store._ring_name, at)
    before = contents(folder)
    with pytest.raises(StoreFault, match="nothing was changed"):
        opened(folder)
    assert contents(folder) == before


def test_older_copy_of_ring_and_record_does_not_bring_the_removed_back(folder: Path, tmp_path: Path) -> None:
    store = opened(folder)
    store.put(7, b"seven")
    store.put(8, b"eight")
    shutil.copytree(folder, tmp_path / "copy")
    store.remove(7)
    for path in (tmp_path / "copy").iterdir():
        if path.name != "epoch.key" and not (folder / path.name).exists():
            shutil.copy(path, folder)
    again = opened(folder)
    assert again.records() == {8: b"eight"}
    assert len(list(folder.iterdir())) == 3  # key, ring, record: the copies were swept


def test_older_copy_in_place_of_the_ring_is_a_fault(folder: Path) -> None:
    store = opened(folder)
    store.put(7, b"seven")
    old = (folder / store._ring_name).read_bytes()
    store.remove(7)
    (folder / store._ring_name).write_bytes(old)
    with pytest.raises(StoreFault):
        opened(folder)


def test_wrong_root_key_is_a_fault_and_nothing_is_changed(folder: Path) -> None:
    opened(folder).put(7, b"seven")
    before = contents(folder)
    with pytest.raises(KeyFault, match="does not open"):
        opened(folder, root_key=b"w" * 32)
    assert contents(folder) == before


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_root_key_of_another_length_is_refused(tmp_path: Path, size: int) -> None:
    with pytest.raises(KeyFault, match="exactly 32 bytes"):
        FileKeyStore(tmp_path / "epoch.key", bytes(size))


@pytest.mark.parametrize("at", [0, 4, 8, 40, -1])
def test_damaged_epoch_key_is_a_fault(folder: Path, at: int) -> None:
    opened(folder).put(7, b"seven")
    flip(folder / "epoch.key", at)
    with pytest.raises(KeyFault, match="does not open"):
        opened(folder)


def test_records_without_their_key_are_a_fault_and_stay(folder: Path) -> None:
    opened(folder).put(7, b"seven")
    (folder / "epoch.key").unlink()
    before = contents(folder)
    with pytest.raises(KeyFault, match="nothing was changed"):
        opened(folder)
    assert contents(folder) == before


def test_files_of_others_in_the_folder_are_left_alone(folder: Path) -> None:
    opened(folder)
    (folder / "notes.txt").write_text("not ours")
    (folder / "0123.rec").write_text("not one of our names either")
    opened(folder).put(7, b"seven")
    opened(folder)
    assert (folder / "notes.txt").read_text() == "not ours"
    assert (folder / "0123.rec").exists()


# ---- disks that refuse


def simulated(disk: SimulatedDisk) -> SealedStore:
    folder = Path("/state")
    return SealedStore.open(folder, FileKeyStore(folder / "epoch.key", ROOT_KEY, disk), BINDING, disk)


def test_full_disk_is_a_fault_and_the_old_state_lives() -> None:
    disk = SimulatedDisk()
    store = simulated(disk)
    store.put(7, b"seven")
    disk.full = True
    changes: tuple[Callable[[], object], ...] = (
        lambda: store.put(7, b"new"),
        lambda: store.put(8, b"eight"),
        lambda: store.remove(7),
    )
    for change in changes:
        with pytest.raises(StoreFault, match="No space left"):
            change()
        assert store.records() == simulated(disk).records() == {7: b"seven"}
    disk.full = False
    store.put(8, b"eight")
    assert simulated(disk).records() == {7: b"seven", 8: b"eight"}


class FailingDisk(SimulatedDisk):
    """A disk that fails once, in step `fail_at`, and works again afterwards."""

    fail_at: int | None = None

    def _step(self) -> None:
        super()._step()
        if self.steps == self.fail_at:
            raise StoreFault("the disk failed: Input/output error")


def test_one_failing_step_leaves_the_old_or_the_new_state_in_memory_as_on_disk() -> None:
    failed = 0
    for at in range(1, 60):
        disk = FailingDisk()
        store = simulated(disk)
        store.put(7, b"seven")
        store.put(8, b"eight")
        disk.fail_at = disk.steps + at
        try:
            store.put(7, b"new")
        except (StoreFault, KeyFault):
            failed += 1
            assert store.records() in ({7: b"seven", 8: b"eight"}, {7: b"new", 8: b"eight"})
        else:
            assert store.records() == {7: b"new", 8: b"eight"}
        disk.fail_at = None
        assert simulated(disk).records() == store.records()
        assert store.remove(7)
        assert simulated(disk).records() == {8: b"eight"}
    assert failed > 10


def test_a_slot_out_of_range_is_refused(folder: Path) -> None:
    store = opened(folder)
    for slot in (-1, 2**32):
        with pytest.raises(StoreFault, match="a slot is a number"):
            store.put(slot, b"")


def test_symbolic_link_in_place_of_a_record_is_not_followed(folder: Path, tmp_path: Path) -> None:
    store = opened(folder)
    store.put(7, b"seven")
    path = file_of(store, folder, 7)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert opened(folder).records() == {}


@pytest.mark.parametrize("there", [True, False])
def test_symbolic_link_is_not_followed_when_a_file_is_written(folder: Path, tmp_path: Path, there: bool) -> None:
    """Whoever could lay a link into the folder could otherwise have any file of vault's user truncated, or made."""
    disk, elsewhere = DiskFiles(), tmp_path / "elsewhere"
    disk.prepare(folder)
    if there:
        elsewhere.write_bytes(b"somebody else's")
    (folder / "a.rec").symlink_to(elsewhere)
    with pytest.raises(StoreFault, match=r"the file a\.rec cannot be written"):
        disk.write(folder / "a.rec", b"sealed")
    assert (elsewhere.read_bytes() == b"somebody else's") if there else not elsewhere.exists()


def test_a_disk_that_follows_symbolic_links_would_be_caught(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "O_NOFOLLOW", 0)
    disk, elsewhere = DiskFiles(), tmp_path / "elsewhere"
    disk.prepare(folder)
    elsewhere.write_bytes(b"somebody else's")
    (folder / "a.rec").symlink_to(elsewhere)
    disk.write(folder / "a.rec", b"sealed")
    assert elsewhere.read_bytes() == b"sealed"


def test_symbolic_link_in_place_of_the_next_key_changes_nothing_elsewhere(folder: Path, tmp_path: Path) -> None:
    store = opened(folder)
    store.put(7, b"seven")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"somebody else's")
    (folder / "epoch.key.new").symlink_to(elsewhere)
    with pytest.raises((StoreFault, KeyFault)):
        store.put(8, b"eight")
    assert elsewhere.read_bytes() == b"somebody else's"
    assert opened(folder).records() == {7: b"seven"}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.one_of(st.none(), st.binary(max_size=40)), st.booleans()),
        max_size=12,
    )
)
def test_any_history_reads_like_a_dictionary(history: list[tuple[int, bytes | None, bool]]) -> None:
    disk, model = SimulatedDisk(), dict[int, bytes]()
    store = simulated(disk)
    for slot, payload, restart in history:
        if payload is None:
            assert (store.remove(slot) is not None) == (model.pop(slot, None) is not None)
        else:
            store.put(slot, payload)
            model[slot] = payload
        store = simulated(disk) if restart else store
        assert store.records() == model


def test_no_old_key_is_left_in_the_key_file_s_blocks(tmp_path: Path) -> None:
    """The file that loses its name is overwritten: a hard link keeps it to look at."""
    path = tmp_path / "epoch.key"
    keys = FileKeyStore(path, ROOT_KEY)
    keys.replace(b"a" * 32)
    before = path.read_bytes()
    os.link(path, tmp_path / "witness")
    keys.replace(b"b" * 32)
    witness = (tmp_path / "witness").read_bytes()
    assert len(witness) == len(before)
    assert witness[8:] != before[8:]
    assert keys.load() == b"b" * 32


def test_removed_record_and_old_ring_are_overwritten_before_they_lose_their_names(folder: Path, tmp_path: Path) -> None:
    store = opened(folder)
    store.put(7, b"seven")
    paths = [file_of(store, folder, 7), folder / store._ring_name]
    before = [path.read_bytes() for path in paths]
    for number, path in enumerate(paths):
        os.link(path, tmp_path / f"witness-{number}")
    store.remove(7)
    for number, old in enumerate(before):
        left = (tmp_path / f"witness-{number}").read_bytes()
        assert len(left) == len(old)
        assert left[8:24] != old[8:24]


@pytest.mark.parametrize("count", [0, 1, 2, files.MANY, files.MANY + 1])
def test_any_number_of_files_can_be_made_durable_at_once(folder: Path, count: int) -> None:
    disk = DiskFiles()
    disk.prepare(folder)
    files.write_new(disk, folder, [(f"{number}.rec", b"%d" % number) for number in range(count)])
    assert contents(folder) == {f"{number}.rec": b"%d" % number for number in range(count)}
    files.destroy(disk, folder, [f"{number}.rec" for number in range(count + 1)])
    assert contents(folder) == {}


@pytest.mark.parametrize("count", [1, 2, files.MANY + 1])
def test_a_disk_that_fails_while_files_are_made_durable_is_a_fault(
    folder: Path, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    disk = DiskFiles()
    disk.prepare(folder)
    monkeypatch.setattr(os, "fsync", failing)
    monkeypatch.setattr(files, "_sync_file_system", failing)
    with pytest.raises(StoreFault, match="cannot be synced: Input/output error"):
        files.write_new(disk, folder, [(f"{number}.rec", b"") for number in range(count)])


def test_the_call_that_syncs_a_file_system_tells_when_it_failed() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        files._sync_file_system(-1)


class NoOverwriting(SimulatedDisk):
    """A disk that copies on write and is full: what is there cannot be written over, only removed."""

    def hold(self, path: Path) -> SimulatedHold | None:
        if self.full:
            raise StoreFault(f"the file {path.name} cannot be opened: No space left on device")
        return super().hold(path)


def test_what_cannot_be_overwritten_loses_its_name_all_the_same() -> None:
    disk = NoOverwriting()
    store = simulated(disk)
    store.put(7, b"seven")
    names = disk.all_names()
    disk.write(Path("/state") / f"{'0' * 32}.rec", b"left by a change that was interrupted")
    disk.full = True
    assert simulated(disk).records() == {7: b"seven"}
    assert disk.all_names() == names


def test_real_and_simulated_disk_leave_the_same_names(tmp_path: Path) -> None:
    """The simulated disk is only worth something if it behaves like the real one."""
    real, pretended = DiskFiles(), SimulatedDisk()
    for disk in (real, pretended):
        disk.prepare(tmp_path)
        disk.write(tmp_path / "a", b"one")
        disk.sync(tmp_path / "a")
        held = disk.hold(tmp_path / "a")
        disk.write(tmp_path / "b", b"two")
        disk.rename(tmp_path / "b", tmp_path / "a")
        disk.sync_folder(tmp_path)
        assert held
        held.overwrite()
        held.sync()
        held.close()
        disk.write(tmp_path / "c", b"three")
        disk.unlink(tmp_path / "c")
        disk.unlink(tmp_path / "c")
        assert sorted(disk.names(tmp_path)) == ["a"]
        assert disk.read(tmp_path / "a") == b"two"
        assert disk.read(tmp_path / "b") is None
        assert disk.hold(tmp_path / "b") is None
        with pytest.raises(StoreFault):
            disk.sync(tmp_path / "b")
        with pytest.raises(StoreFault):
            disk.rename(tmp_path / "b", tmp_path / "a")

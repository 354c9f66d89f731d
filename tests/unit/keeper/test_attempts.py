"""The counts survive everything that can happen to a disk, or are taken for spent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import StoreFault
from device.keeper.attempts import MAX_SLOTS, PAGE_BYTES, AttemptFile
from device.keeper.throttle import BUDGET, Counts

KEY = bytes(32)
KNOWN = (3, 4, 9)
BEFORE = Counts(7, {3: 2, 9: 4})
AFTER = Counts(8, {3: 3, 9: 4})
WORST = Counts.worst(KNOWN)


def load(path: Path, key: bytes = KEY) -> Counts:
    file = AttemptFile(path, key)
    try:
        return file.load(KNOWN)
    finally:
        file.close()


def saved(path: Path, *many: Counts) -> Path:
    file = AttemptFile(path, KEY)
    file.load(())
    for counts in many:
        file.save(counts)
    file.close()
    return path


def test_a_new_door_begins_with_nothing_charged(tmp_path: Path) -> None:
    file = AttemptFile(tmp_path / "attempts", KEY)
    assert file.load(()) == Counts(0, {})
    assert not file.damaged
    file.close()


@given(st.integers(0, 60), st.dictionaries(st.integers(1, 2**32 - 1), st.integers(1, 65535), max_size=50))
@settings(deadline=None, max_examples=40)
def test_what_was_saved_comes_back(tmp_path_factory: pytest.TempPathFactory, door: int, slots: dict[int, int]) -> None:
    counts = Counts(door, slots)
    path = saved(tmp_path_factory.mktemp("a") / "attempts", BEFORE, counts)
    assert load(path) == counts


def test_every_torn_write_leaves_the_count_before_or_the_count_after(tmp_path: Path) -> None:
    path = saved(tmp_path / "attempts", AFTER, BEFORE)
    old = path.read_bytes()
    new = saved(path, AFTER).read_bytes()
    place = next(at for at in range(len(old)) if old[at] != new[at]) // PAGE_BYTES * PAGE_BYTES
    seen = set()
    for cut in range(place, place + 128):
        path.write_bytes(new[:cut] + old[cut:])
        counts = load(path)
        assert counts in (BEFORE, AFTER)
        seen.add(counts.door)
    assert seen == {BEFORE.door, AFTER.door}


def test_a_torn_write_of_any_bytes_never_resets_a_count(tmp_path: Path) -> None:
    """The sectors under the page may hold anything after a cut; only the page being written is touched."""
    path = saved(tmp_path / "attempts", AFTER, BEFORE)
    whole = path.read_bytes()
    for page in (0, 1):
        for rubbish in (bytes(PAGE_BYTES), b"\xff" * PAGE_BYTES, os.urandom(PAGE_BYTES)):
            torn = bytearray(whole)
            torn[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = rubbish
            path.write_bytes(torn)
            assert load(path) in (BEFORE, AFTER)


@pytest.mark.parametrize("rest", [b"", b"x", bytes(PAGE_BYTES), bytes(2 * PAGE_BYTES), b"\xff" * 2 * PAGE_BYTES])
def test_a_file_without_a_whole_page_counts_as_spent(tmp_path: Path, rest: bytes) -> None:
    path = saved(tmp_path / "attempts", BEFORE)
    path.write_bytes(rest)
    assert load(path) == WORST
    assert BUDGET.wait_s(WORST.slots[3]) == BUDGET.longest_wait_s


def test_a_lost_file_counts_as_spent_even_after_starting_twice(tmp_path: Path) -> None:
    path = saved(tmp_path / "attempts", BEFORE)
    path.unlink()
    assert load(path) == WORST
    assert load(path) == WORST


def test_an_edited_page_or_a_page_of_another_door_counts_as_spent(tmp_path: Path) -> None:
    path = saved(tmp_path / "attempts")
    assert load(path, key=b"\x01" * 32) == WORST
    data = bytearray(path.read_bytes())
    data[14] ^= 1
    path.write_bytes(data)
    assert load(path) == WORST


def test_saving_never_touches_the_page_that_counts(tmp_path: Path) -> None:
    path = tmp_path / "attempts"
    file = AttemptFile(path, KEY)
    file.load(())
    file.save(BEFORE)
    for door in range(6):
        before = path.read_bytes()
        current = file._sequence % 2
        file.save(Counts(door, {}))
        after = path.read_bytes()
        kept = slice(current * PAGE_BYTES, (current + 1) * PAGE_BYTES)
        assert before[kept] == after[kept]
    file.close()


def test_a_disk_that_fails_is_a_fault_and_the_whole_page_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = AttemptFile(tmp_path / "attempts", KEY)
    file.load(())
    file.save(BEFORE)

    def fails(_handle: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr("device.keeper.attempts.os.fsync", fails)
        for _ in range(3):
            with pytest.raises(StoreFault):
                file.save(AFTER)
    assert file._sequence == 1
    file.close()


def test_the_file_never_grows_so_that_a_full_disk_stops_nobody(tmp_path: Path) -> None:
    path = saved(tmp_path / "attempts")
    most = Counts(60, dict.fromkeys(range(1, MAX_SLOTS + 1), 65535))
    assert path.stat().st_size == 2 * PAGE_BYTES
    saved(path, most, most)
    assert path.stat().st_size == 2 * PAGE_BYTES
    assert load(path) == most


class ResetsWhenTorn(AttemptFile):
    """The seeded fault: one page, and zero if it cannot be read."""

    def load(self, known: object) -> Counts:
        counts = super().load(())
        return Counts(0, {}) if self.damaged else counts


def test_the_seeded_reset_is_seen(tmp_path: Path) -> None:
    path = saved(tmp_path / "attempts", BEFORE)
    path.write_bytes(bytes(2 * PAGE_BYTES))
    faulty = ResetsWhenTorn(path, KEY)
    with pytest.raises(AssertionError):
        assert faulty.load(KNOWN) == WORST
    faulty.close()

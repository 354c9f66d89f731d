"""The counts survive everything that can happen to a disk, or are taken for spent."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import StoreFault
from device.keeper.attempts import MAX_SLOTS, PAGE_BYTES, AttemptFile
from device.keeper.throttle import BUDGET, Counts
from device.sealing import box

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


@pytest.mark.slow
@given(st.integers(0, 60), st.dictionaries(st.integers(1, 2**32 - 1), st.integers(1, 65535), max_size=50))
@settings(deadline=None, max_examples=40)
def test_what_was_saved_comes_back(tmp_path_factory: pytest.TempPathFactory, door: int, slots: dict[int, int]) -> None:
    counts = Counts(door, slots)
    path = saved(tmp_path_factory.mktemp("a") / "attempts", BEFORE, counts)
    assert load(path) == counts


@pytest.mark.slow
def test_every_torn_write_leaves_the_count_before_or_the_count_after(tmp_path: Path) -> None:
    path = saved(tmp_path / "attempts", AFTER, BEFORE)
    old = path.read_bytes()
    new = saved(path, AFTER).read_bytes()
    place = next(at for at in range(len(old)) if old[at] != new[at]) // PAGE_BYTES * PAGE_BYTES
    seen = set()
    for cut in [*range(place, place + 128), *range(place + PAGE_BYTES - 64, place + PAGE_BYTES + 1)]:
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


def test_a_page_under_another_door_s_key_counts_as_spent(tmp_path: Path) -> None:
    path = saved(tmp_path / "attempts", BEFORE, AFTER)
    assert load(path, key=b"\x01" * 32) == WORST


@pytest.mark.slow
@given(st.integers(0, 2 * PAGE_BYTES - 1), st.integers(1, 255))
@settings(deadline=None, max_examples=60)
def test_an_edited_page_is_refused(tmp_path_factory: pytest.TempPathFactory, at: int, flip: int) -> None:
    path = saved(tmp_path_factory.mktemp("a") / "attempts", AFTER, BEFORE)
    whole = path.read_bytes()
    edited = bytearray(whole)
    edited[at] ^= flip
    path.write_bytes(edited)
    first_is_edited = at < PAGE_BYTES
    assert load(path) == (AFTER if first_is_edited else BEFORE), "the other page counts"
    alone = edited[:PAGE_BYTES] + bytes(PAGE_BYTES) if first_is_edited else bytes(PAGE_BYTES) + edited[PAGE_BYTES:]
    path.write_bytes(alone)
    assert load(path) == WORST


def test_a_page_in_the_other_one_s_place_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "attempts", AFTER, BEFORE)
    pages = path.read_bytes()
    path.write_bytes(pages[PAGE_BYTES:] + pages[:PAGE_BYTES])
    assert load(path) == WORST


def page_that_says(told: bytes, sequence: int = 2) -> bytes:
    """A page under the right key, in the first place, whose box begins with `sequence` and goes on with `told`."""
    bound = b"DWAT\x02\0\0\0"
    inside = (struct.pack("<Q", sequence) + told).ljust(PAGE_BYTES - 8 - box.OVERHEAD_BYTES, b"\0")
    return bound + box.seal(KEY, inside, bound)


def test_a_page_that_says_what_is_written_is_read(tmp_path: Path) -> None:
    path = saved(tmp_path / "attempts")
    path.write_bytes(page_that_says(struct.pack("<HHIHIH", 7, 2, 3, 2, 9, 4)) + bytes(PAGE_BYTES))
    assert load(path) == BEFORE


@pytest.mark.parametrize(
    "told",
    [
        struct.pack("<HHIHIH", 7, 2, 9, 4, 3, 2),
        struct.pack("<HHIHIH", 7, 2, 3, 2, 3, 2),
        struct.pack("<HHIHIH", 7, 2, 0, 2, 9, 4),
        struct.pack("<HHIHIH", 7, 2, 3, 0, 9, 4),
        struct.pack("<HHIHIH", 7, 1, 3, 2, 9, 4),
        struct.pack("<HH", 7, 0).ljust(PAGE_BYTES - 8 - box.OVERHEAD_BYTES - 8 - 1, b"\0") + b"\1",
        struct.pack("<HH", 7, 2721) + b"".join(struct.pack("<IH", slot, 1) for slot in range(1, 2721)),
    ],
    ids=["not ascending", "twice", "nobody", "a count of none", "more than said", "at the very end", "too many"],
)
def test_a_page_that_no_door_writes_is_not_whole_even_under_the_right_key(tmp_path: Path, told: bytes) -> None:
    path = saved(tmp_path / "attempts")
    path.write_bytes(page_that_says(told) + bytes(PAGE_BYTES))
    assert load(path) == WORST


def test_a_count_of_nothing_or_of_nobody_is_not_written(tmp_path: Path) -> None:
    path = saved(tmp_path / "attempts", Counts(7, {0: 5, 3: 2, 4: 0, 9: 4}))
    assert load(path) == BEFORE


def test_as_many_slots_as_a_page_has_room_for_are_counted_and_not_one_more(tmp_path: Path) -> None:
    most = Counts(60, dict.fromkeys(range(1, 2721), 3))
    path = saved(tmp_path / "attempts", most)
    assert load(path) == most
    with pytest.raises(StoreFault, match="at most 2720 slots"):
        saved(path, Counts(60, dict.fromkeys(range(1, 2722), 3)))
    assert load(path) == most


def test_an_older_page_does_not_win_over_the_newer_beside_it(tmp_path: Path) -> None:
    path = saved(tmp_path / "attempts", Counts(1, {3: 1}))
    old = path.read_bytes()
    saved(path, BEFORE, AFTER)
    new = path.read_bytes()
    assert load(path) == AFTER
    for rolled in (old[:PAGE_BYTES] + new[PAGE_BYTES:], new[:PAGE_BYTES] + old[PAGE_BYTES:]):
        path.write_bytes(rolled)
        assert load(path) in (BEFORE, AFTER)


def test_saving_never_touches_the_page_that_counts(tmp_path: Path) -> None:
    path = tmp_path / "attempts"
    file = AttemptFile(path, KEY)
    file.load(())
    file.save(BEFORE)
    for door in range(6):
        before = path.read_bytes()
        current = file._pages._sequence % 2
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
        broken.setattr("device.keeper.pages.os.fsync", fails)
        for _ in range(3):
            with pytest.raises(StoreFault):
                file.save(AFTER)
    assert file._pages._sequence == 1
    file.close()


def test_the_file_never_grows_so_that_a_full_disk_stops_nobody(tmp_path: Path) -> None:
    path = saved(tmp_path / "attempts")
    most = Counts(60, dict.fromkeys(range(1, MAX_SLOTS + 1), 65535))
    assert path.stat().st_size == 2 * PAGE_BYTES
    saved(path, most, most)
    assert path.stat().st_size == 2 * PAGE_BYTES
    assert load(path) == most


# ---- a card that was taken home

SLOTS_SEEN = (424242, 777001, 3_000_000_007)
CANARY = Counts(41, {424242: 7, 777001: 3, 3_000_000_007: 513})


def traces(path: Path) -> list[int]:
    """The slots whose number, or number and count, stands somewhere in the file in a form a scan finds."""
    data = path.read_bytes()
    found = []
    for slot, count in CANARY.slots.items():
        forms = [slot.to_bytes(4, order) for order in ("little", "big")] + [str(slot).encode()]
        forms.append(slot.to_bytes(4, "little") + count.to_bytes(2, "little"))
        found += [slot] * any(form in data for form in forms)
    return found


def test_a_stolen_card_does_not_show_who_typed(tmp_path: Path) -> None:
    path = saved(tmp_path / "attempts", BEFORE, CANARY, CANARY)
    assert traces(path) == []
    assert load(path) == CANARY


def test_the_scan_finds_counts_that_were_not_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def plain(_key: bytes, inside: bytes, _bound: bytes) -> bytes:
        return inside + bytes(box.OVERHEAD_BYTES)

    monkeypatch.setattr("device.keeper.pages.box.seal", plain)
    assert traces(saved(tmp_path / "attempts", CANARY)) == list(SLOTS_SEEN)


def test_two_pages_of_the_same_counts_share_nothing_but_what_every_page_begins_with(tmp_path: Path) -> None:
    path = tmp_path / "attempts"
    file = AttemptFile(path, KEY)
    file.load(())
    pages = []
    for counts in (BEFORE, BEFORE, Counts(0, {}), CANARY):
        file.save(counts)
        at = (file._pages._sequence % 2) * PAGE_BYTES
        pages.append(path.read_bytes()[at : at + PAGE_BYTES])
    file.close()
    assert len({page[8:32] for page in pages}) == len(pages), "a nonce was used twice"
    assert len({page[32:] for page in pages}) == len(pages)
    assert {page[:5] for page in pages} == {b"DWAT\x02"}


def test_the_file_looks_alike_whoever_has_typed(tmp_path: Path) -> None:
    """Size, place of the header, and no stretch of bytes that stays the same or is empty."""
    for number, counts in enumerate((Counts(0, {}), CANARY, Counts(60, dict.fromkeys(range(1, 2001), 9)))):
        path = saved(tmp_path / f"attempts{number}", counts, counts)
        data = path.read_bytes()
        assert len(data) == 2 * PAGE_BYTES
        assert bytes(16) not in data


def test_the_time_of_the_last_write_is_not_on_the_file(tmp_path: Path) -> None:
    path = tmp_path / "attempts"
    file = AttemptFile(path, KEY)
    file.load(())
    times = [path.stat().st_mtime_ns]
    for counts in (BEFORE, AFTER):
        file.save(counts)
        times.append(path.stat().st_mtime_ns)
    file.close()
    assert times == [0, 0, 0]


def test_a_file_system_that_keeps_its_own_times_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_args: object, **_names: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("device.keeper.pages.os.utime", refuses)
    path = saved(tmp_path / "attempts", BEFORE)
    assert load(path) == BEFORE
    assert path.stat().st_mtime_ns > 0, "the seeded fault: without it the file tells the time"


# ---- the seeded reset


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

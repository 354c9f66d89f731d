"""The counters survive everything that can happen to a disk, or are not there; they are never zero by accident."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import StoreFault
from device.keeper import pages
from device.keeper.cards.counters import PAGE_BYTES, ROOM, Counters, Kept
from device.sealing import box

KEY = bytes(32)
BEFORE, AFTER = Kept(7, pending=False), Kept(8, pending=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cards"


@pytest.fixture
def counters(path: Path) -> Iterator[Counters]:
    made = Counters(path, KEY)
    made.load()
    yield made
    made.close()


def read(path: Path, key: bytes = KEY) -> Counters:
    again = Counters(path, key)
    again.load()
    again.close()
    return again


def saved(path: Path, *many: Kept) -> Path:
    made = Counters(path, KEY)
    made.load()
    for kept in many:
        made.keep(3, kept)
    made.close()
    return path


def test_a_new_door_knows_no_card(counters: Counters, path: Path) -> None:
    assert counters.get(3) is None
    assert not counters.damaged
    assert path.stat().st_size == 2 * PAGE_BYTES


@given(
    st.dictionaries(st.integers(1, 2**32 - 1), st.builds(Kept, st.integers(0, 2**32 - 1), st.booleans()), max_size=9)
)
@settings(deadline=None, max_examples=25)
def test_what_was_kept_comes_back(tmp_path_factory: pytest.TempPathFactory, cards: dict[int, Kept]) -> None:
    path = tmp_path_factory.mktemp("c") / "cards"
    made = Counters(path, KEY)
    made.load()
    for serial, kept in cards.items():
        made.keep(serial, kept)
    made.close()
    again = read(path)
    assert {serial: again.get(serial) for serial in cards} == cards


def test_every_torn_write_leaves_the_counter_before_or_after(path: Path) -> None:
    old = saved(path, AFTER, BEFORE).read_bytes()
    new = saved(path, AFTER).read_bytes()
    place = next(at for at in range(len(old)) if old[at] != new[at]) // PAGE_BYTES * PAGE_BYTES
    seen = set()
    for cut in [*range(place, place + 96), *range(place + PAGE_BYTES - 32, place + PAGE_BYTES + 1)]:
        path.write_bytes(new[:cut] + old[cut:])
        seen.add(read(path).get(3))
    assert seen == {BEFORE, AFTER}


@pytest.mark.parametrize(
    "damage",
    [
        lambda _data: b"",
        lambda data: bytes(len(data)),
        lambda data: os.urandom(len(data)),
        lambda data: data[PAGE_BYTES:] + data[:PAGE_BYTES],
        lambda data: data[: PAGE_BYTES - 1],
    ],
)
def test_what_cannot_be_read_is_no_counter_and_never_zero(path: Path, damage: Callable[[bytes], bytes]) -> None:
    saved(path, BEFORE)
    path.write_bytes(damage(path.read_bytes()))
    again = read(path)
    assert again.get(3) is None
    assert again.damaged


def test_another_key_reads_nothing(path: Path) -> None:
    assert read(saved(path, BEFORE), bytes([1]) * 32).get(3) is None


def test_a_lost_file_is_no_counter(path: Path) -> None:
    saved(path, BEFORE).unlink()
    assert read(path).get(3) is None


def test_a_full_disk_changes_nothing_and_says_so(
    counters: Counters, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters.keep(3, BEFORE)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(StoreFault, match="cannot be saved"):
            counters.keep(3, AFTER)
    assert counters.get(3) == BEFORE
    assert read(path).get(3) == BEFORE
    counters.keep(3, AFTER)
    assert read(path).get(3) == AFTER


def test_every_card_a_door_may_have_finds_room_and_the_file_does_not_grow(counters: Counters, path: Path) -> None:
    pages.TwinPages.save(counters._pages, dict.fromkeys(range(1, ROOM + 1), BEFORE))
    assert path.stat().st_size == 2 * PAGE_BYTES
    again = read(path)
    assert again.get(ROOM) == BEFORE
    again._cards[ROOM + 1] = BEFORE
    with pytest.raises(StoreFault):
        again.keep(ROOM + 2, BEFORE)


def test_forgotten_cards_are_gone_and_the_rest_stay(counters: Counters, path: Path) -> None:
    counters.keep(3, BEFORE)
    counters.keep(4, AFTER)
    counters.retain([4, 5])
    assert counters.get(3) is None
    assert read(path).get(3) is None
    assert read(path).get(4) == AFTER
    whole = path.read_bytes()
    for torn in (whole[:PAGE_BYTES] + bytes(PAGE_BYTES), bytes(PAGE_BYTES) + whole[PAGE_BYTES:]):
        path.write_bytes(torn)
        assert read(path).get(3) is None
        assert read(path).get(4) == AFTER


def test_a_fresh_serial_is_nobodys_and_not_nothing(counters: Counters) -> None:
    counters.keep(3, BEFORE)
    draws = iter((bytes(4), b"\3\0\0\0", b"\4\0\0\0"))
    assert counters.fresh_serial(lambda _size: next(draws)) == 4


def test_the_file_does_not_say_when_somebody_came(counters: Counters, path: Path) -> None:
    counters.keep(3, BEFORE)
    assert path.stat().st_mtime_ns == 0


@pytest.mark.parametrize(
    "inside",
    [
        "0000000000000000 01000000 00000000 01000000 00",  # a card without a serial
        "0000000000000000 02000000 03000000 01000000 00 03000000 01000000 00",  # twice
        "0000000000000000 02000000 04000000 01000000 00 03000000 01000000 00",  # in the wrong order
        "0000000000000000 01000000 03000000 01000000 02",  # neither pending nor not
        "0000000000000000 00000000 03000000 01000000 00",  # something after the last
        "0000000000000000 ffffffff",
        "0100000000000000 00000000",  # the sequence of the other place
    ],
)
def test_a_page_that_writing_does_not_make_is_not_whole(path: Path, inside: str) -> None:
    bound = b"DWCT\x01\x00\x00\x00"
    room = PAGE_BYTES - pages.OVERHEAD_BYTES + 8
    page = bound + box.seal(KEY, bytes.fromhex(inside).ljust(room, b"\0"), bound)
    path.write_bytes(page + bytes(PAGE_BYTES))
    assert read(path).damaged

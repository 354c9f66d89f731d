"""The two copies of which slot has hours of its own: what is written anew, what is left, and which page is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from nacl.bindings import sodium_pad

from device.document import LAST_SLOT
from device.errors import StoreFault
from device.lock import durable, timetables
from device.lock.timetables import PAGE_BYTES, Binding, TimetableFiles, nobody_knows
from tests.unit.lock.house import DOCUMENT_KEY

BOX = DOCUMENT_KEY.kept
ONE, TWO = Binding(12, 1, 1), Binding(14, 1, 2)
A = frozenset({ONE})
BOTH = frozenset({ONE, TWO})


def files(folder: Path) -> TimetableFiles:
    return TimetableFiles(folder, BOX)


def page(*entries: Binding, version: int = 1, filler: bytes = bytes(3), count: int | None = None) -> bytes:
    """A sealed page as this door would have written it, or nearly so."""
    head = timetables._HEAD.pack(b"DWLT", version, filler, len(entries) if count is None else count)
    packed = b"".join(timetables._ENTRY.pack(each.slot, each.serial, each.timetable) for each in entries)
    return bytes(BOX.encrypt(sodium_pad(head + packed, PAGE_BYTES)))


def both(folder: Path, content: bytes) -> None:
    for path in files(folder).paths:
        path.write_bytes(content)


def test_a_page_of_this_doors_own_is_read(tmp_path: Path) -> None:
    both(tmp_path, page(ONE, TWO))
    assert files(tmp_path).bindings == BOTH


@pytest.mark.parametrize(
    "content",
    [
        page(ONE, ONE),
        page(TWO, ONE),
        page(ONE, TWO, version=2),
        page(ONE, TWO, filler=b"\0\0\1"),
        page(ONE, TWO, count=1),
        page(ONE, TWO, count=3),
    ],
    ids=["twice", "out of order", "of another version", "filled", "too many", "too few"],
)
def test_a_page_that_was_never_written_like_this_bars_everybody(tmp_path: Path, content: bytes) -> None:
    both(tmp_path, content)
    assert files(tmp_path).bindings is nobody_knows()


def test_after_a_full_disk_the_same_is_written_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = files(tmp_path)
    kept.keep(A)

    def full(*_: object) -> None:
        raise StoreFault("no space left")

    with monkeypatch.context() as disk:
        disk.setattr(durable, "store", full)
        with pytest.raises(StoreFault):
            kept.keep(BOTH)
    kept.keep(BOTH)
    assert files(tmp_path).bindings == BOTH


def test_what_is_on_the_disk_already_is_not_written_again(tmp_path: Path) -> None:
    kept = files(tmp_path)
    kept.keep(A)
    before = [path.stat().st_ino for path in kept.paths]
    kept.keep(A)
    assert [path.stat().st_ino for path in kept.paths] == before
    files(tmp_path).keep(A)
    assert [path.stat().st_ino for path in kept.paths] == before


@pytest.mark.slow
def test_two_torn_copies_are_written_anew_even_with_what_they_are_taken_for(tmp_path: Path) -> None:
    both(tmp_path, b"torn")
    torn = files(tmp_path)
    torn.keep(torn.bindings)
    again = files(tmp_path)
    assert again.bindings == nobody_knows()
    assert again.bindings is not nobody_knows(), "a whole page says so, and no longer a torn one"


def test_nothing_is_left_also_where_one_copy_was_gone_already(tmp_path: Path) -> None:
    kept = files(tmp_path)
    kept.keep(A)
    kept.paths[0].unlink()
    kept.keep(frozenset())
    assert list(tmp_path.iterdir()) == []


def test_what_bars_everybody_is_made_only_where_both_copies_are_torn(tmp_path: Path) -> None:
    """An entry for every slot: more than a megabyte, in the room that has to fit on the smallest board."""
    nobody_knows.cache_clear()
    files(tmp_path).keep(A)
    files(tmp_path).paths[0].write_bytes(b"torn")
    assert files(tmp_path).bindings == A
    assert nobody_knows.cache_info().currsize == 0
    both(tmp_path, b"torn")
    assert len(files(tmp_path).bindings) == LAST_SLOT
    assert nobody_knows.cache_info().currsize == 1


def test_lock_starts_without_an_entry_for_every_slot() -> None:
    """In a process of its own, as a door's: what other tests made is not counted."""
    asked = "import gc, device.lock.__main__; print(sum(type(each).__name__ == 'Binding' for each in gc.get_objects()))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 0

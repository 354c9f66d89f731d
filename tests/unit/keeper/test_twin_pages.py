"""A file of two pages, by itself: who may look at it, how much it holds, and which page counts."""

from __future__ import annotations

import os
import stat
import struct
from pathlib import Path

import pytest

from device.errors import StoreFault
from device.keeper.attempts import PAGE_BYTES, AttemptFile
from device.keeper.pages import OVERHEAD_BYTES, Form, TwinPages
from device.keeper.throttle import Counts
from tests.unit.keeper.test_attempts import KEY, page_that_says

ROOM = 8
WORDS: Form[bytes] = Form(b"WORD\x01", OVERHEAD_BYTES + ROOM, "the words", lambda word: word, lambda payload: payload)


def test_a_file_and_the_folders_made_for_it_are_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "var" / "keeper" / "words"
    pages = TwinPages(path, KEY, WORDS)
    pages.load(b"one")
    pages.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_in_a_folder_that_is_there_is_made_there(tmp_path: Path) -> None:
    pages = TwinPages(tmp_path / "words", KEY, WORDS)
    pages.load(b"one")
    pages.close()
    assert [path.name for path in tmp_path.iterdir()] == ["words"]


def test_a_page_is_filled_to_its_end_and_what_is_more_is_refused_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "words"
    pages = TwinPages(path, KEY, WORDS)
    pages.load(b"")
    pages.save(b"w" * ROOM)
    before = path.read_bytes()
    with pytest.raises(StoreFault, match="the words are more than the file has room for"):
        pages.save(b"w" * (ROOM + 1))
    assert path.read_bytes() == before
    assert pages.load(b"") == b"w" * ROOM
    pages.close()


@pytest.mark.parametrize("sequence", [0, 2, 4])
def test_a_newer_page_that_makes_no_sense_does_not_hide_the_one_beside_it(tmp_path: Path, sequence: int) -> None:
    path = tmp_path / "attempts"
    file = AttemptFile(path, KEY)
    file.load(())
    file.save(Counts(7, {3: 2}))
    file.close()
    whole = path.read_bytes()[PAGE_BYTES:]
    path.write_bytes(page_that_says(struct.pack("<HHIH", 7, 1, 0, 2), sequence) + whole)
    file = AttemptFile(path, KEY)
    assert file.load((3,)) == Counts(7, {3: 2})
    assert not file.damaged
    file.close()


def test_a_file_that_was_never_opened_closes_none_and_one_that_was_closes_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[int] = []
    with monkeypatch.context() as watched:
        watched.setattr("device.keeper.pages.os.close", closed.append)
        TwinPages(tmp_path / "never", KEY, WORDS).close()
    assert closed == [], "a number that is another file's"
    pages = TwinPages(tmp_path / "words", KEY, WORDS)
    pages.load(b"one")
    with monkeypatch.context() as watched:
        watched.setattr("device.keeper.pages.os.close", closed.append)
        pages.close()
        pages.close()
    assert len(closed) == 1
    os.close(closed[0])

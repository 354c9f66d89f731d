"""Whether report's disk has room: said once, and not by every file that comes and goes."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from device.report import disk
from device.report.disk import LEAST_FREE_BYTES, room_in

BLOCK = 4096
LEAST = LEAST_FREE_BYTES // BLOCK
A_FACE = 4  # blocks


def said(monkeypatch: pytest.MonkeyPatch, free: Sequence[int], files: tuple[int, int] = (1000, 500)) -> list[bool]:
    """What is said while so many blocks are free, one after the other; `files`: how many can be, and are left."""
    room, found = room_in(Path("/anywhere")), []
    for blocks in free:
        state = SimpleNamespace(f_bavail=blocks, f_frsize=BLOCK, f_files=files[0], f_favail=files[1])
        monkeypatch.setattr(os, "statvfs", lambda _folder, state=state: state)
        found.append(room())
    return found


def test_a_disk_below_the_bound_is_low_and_one_at_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, [LEAST]) == [True]
    assert said(monkeypatch, [LEAST - 1]) == [False]


@pytest.mark.parametrize(("files", "room"), [((1000, 0), False), ((0, 0), True), ((1000, 1), True)])
def test_a_disk_without_a_file_left_is_low(
    monkeypatch: pytest.MonkeyPatch, files: tuple[int, int], *, room: bool
) -> None:
    assert said(monkeypatch, [2 * LEAST], files) == [room]


def test_a_disk_that_cannot_be_asked_is_low(tmp_path: Path) -> None:
    assert not room_in(tmp_path / "gone")()
    assert room_in(Path("/proc"))() is False, "it has no room for anybody"


COMES_AND_GOES = [LEAST - 1 + A_FACE * (n % 2) for n in range(10)]


def test_faces_that_come_and_go_at_the_bound_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, COMES_AND_GOES) == [False] * 10
    assert said(monkeypatch, [*COMES_AND_GOES, 2 * LEAST - 1, 2 * LEAST, LEAST])[-3:] == [False, True, True]


def test_a_flag_that_follows_every_face_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: there is one bound for both ways."""
    has = disk._has
    monkeypatch.setattr(disk, "_has", lambda folder, _least: has(folder, LEAST_FREE_BYTES))
    assert said(monkeypatch, COMES_AND_GOES) == [False, True] * 5

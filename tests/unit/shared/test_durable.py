"""A file and its name outlast a power cut: what is synced before what, and what a failure leaves."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from device import durable


class Disk:
    """What the disk is asked, in order, and by which name; the operation `broken` (counted from 0) fails."""

    def __init__(self, patch: pytest.MonkeyPatch, broken: int | None = None) -> None:
        self.done: list[str] = []
        self._broken = broken
        sync, replace = os.fsync, Path.replace

        def fsync(handle: int) -> None:
            self._note(f"sync {Path(f'/proc/self/fd/{handle}').readlink().name}")
            sync(handle)

        def renamed(path: Path, target: Path) -> Path:
            self._note(f"rename {path.name}")
            return replace(path, target)

        patch.setattr(os, "fsync", fsync)
        patch.setattr(Path, "replace", renamed)

    def _note(self, what: str) -> None:
        if len(self.done) == self._broken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.done.append(what)


def test_contents_are_synced_before_the_name_and_the_name_before_anybody_relies_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    disk = Disk(monkeypatch)
    durable.replace(folder / "it", b"new", 0o600)
    assert disk.done == ["sync it.new", "rename it.new", "sync folder"]
    assert (folder / "it").read_bytes() == b"new"


@pytest.mark.parametrize(("broken", "stands"), [(0, b"old"), (1, b"old"), (2, b"new")])
def test_what_fails_is_said_and_leaves_one_whole_file(
    broken: int, stands: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "it").write_bytes(b"old")
    Disk(monkeypatch, broken)
    with pytest.raises(OSError, match="No space left"):
        durable.replace(tmp_path / "it", b"new", 0o600)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"it": stands}


def test_a_link_that_waits_beside_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "another").write_bytes(b"somebody's")
    (tmp_path / "it.new").symlink_to(tmp_path / "another")
    durable.replace(tmp_path / "it", b"new", 0o600)
    assert (tmp_path / "another").read_bytes() == b"somebody's"
    assert (tmp_path / "it").read_bytes() == b"new"
    assert not (tmp_path / "it").is_symlink()


@pytest.mark.parametrize("mask", [0o000, 0o077])
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_the_mode_is_the_callers_whatever_the_umask(mode: int, mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        durable.replace(tmp_path / "it", b"new", mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "it").stat().st_mode) == mode


def test_a_name_that_was_removed_is_durable_when_removing_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kept").write_bytes(b"old")
    disk = Disk(monkeypatch)
    durable.remove(tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
    assert disk.done == [f"sync {tmp_path.name}"]


def test_what_could_not_be_made_durable_is_when_it_is_removed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kept").write_bytes(b"old")
    with monkeypatch.context() as full:
        Disk(full, broken=0)
        with pytest.raises(OSError, match="No space"):
            durable.remove(tmp_path / "kept")
    disk = Disk(monkeypatch)
    durable.remove(tmp_path / "kept")
    assert f"sync {tmp_path.name}" in disk.done, "the name is gone already, and may come back after a power cut"


def test_there_is_nothing_to_remove_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    durable.remove(tmp_path / "nowhere" / "kept")

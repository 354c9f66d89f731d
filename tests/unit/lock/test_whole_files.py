"""Lock's small files: their folder is lock's alone, and made where it is missing."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.errors import StoreFault
from device.lock import durable


@pytest.fixture(autouse=True)
def _open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_folder_that_is_missing_is_made_for_lock_alone(tmp_path: Path) -> None:
    """Also two levels deep; what names slots lies in it."""
    path = tmp_path / "lib" / "lock" / "version"
    durable.store(path, b"content", "the version")
    assert path.read_bytes() == b"content"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_second_time_replaces_the_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    for content in (b"a long content", b"short"):
        durable.store(tmp_path / "version", content, "the version")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("version", b"short")]


def test_what_cannot_be_stored_is_named_and_the_old_file_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable.store(tmp_path / "version", b"old", "the version")

    def fails(_handle: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr("device.lock.durable.os.fsync", fails)
        with pytest.raises(StoreFault, match="the version cannot be stored"):
            durable.store(tmp_path / "version", b"new", "the version")
    assert (tmp_path / "version").read_bytes() == b"old"

"""What set-up leaves on the disk: everything or nothing, and no more rights than the door needs."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from device import config, installing
from device.desk.setup import writing
from device.desk.setup.draft import Draft
from device.desk.setup.writing import drop_in_at, rules_at, sheets, sign_at, write
from device.errors import StoreFault
from device.paths import Paths

KEYPAD = "/dev/input/by-path/a-event-kbd"
CHOSEN = Draft().put("sign", contact="Office").put("lock", keypad=KEYPAD, osdp="/dev/serial/by-path/one")
OLDER = Draft().put("sign", contact="Before")


def everything(root: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in sorted(root.rglob("*"))
    }


def test_all_four_files_are_there_and_a_door_would_start(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    write(sheets(CHOSEN.config, paths))
    assert config.load(paths.config, without_id=True) == CHOSEN.config
    assert "Office" in sign_at(paths).read_text(encoding="utf-8")
    for path in (paths.config, sign_at(paths), drop_in_at(paths), rules_at(paths)):
        assert path.stat().st_mode & 0o777 == 0o644, "every room reads its settings"
    assert paths.config.parent.stat().st_mode & 0o777 == 0o755


def test_lock_may_open_kinds_of_devices_and_udev_gives_it_the_pinned_ones(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    write(sheets(CHOSEN.config, paths))
    allowed = [line for line in drop_in_at(paths).read_text("ascii").splitlines() if line.startswith("DeviceAllow=")]
    assert allowed == [
        "DeviceAllow=char-gpiochip rw",
        "DeviceAllow=char-input r",
        "DeviceAllow=/dev/serial/by-path/one rw",
    ]
    rules = rules_at(paths).read_text("ascii").splitlines()[1:]
    assert [rule.split(", ")[1] for rule in rules] == [
        'SYMLINK=="input/by-path/a-event-kbd"',
        'SYMLINK=="serial/by-path/one"',
    ]
    assert all('GROUP:="doorward-lock"' in rule for rule in rules)


def test_what_is_not_wired_gets_no_device_and_older_files_of_it_go(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    write(sheets(CHOSEN.config, paths))
    write(sheets(OLDER.config, paths))
    assert not rules_at(paths).exists()
    assert "char-input" not in drop_in_at(paths).read_text("ascii")
    write(sheets(OLDER.put("lock", board="sim").config, paths))
    assert not drop_in_at(paths).exists()


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("stands", [False, True])
def test_a_disk_that_is_full_at_any_file_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, stands: bool
) -> None:
    paths = Paths(tmp_path)
    if stands:
        write(sheets(OLDER.config, paths))
    before, planned = everything(tmp_path), sheets(CHOSEN.config, paths)
    real = os.write

    def full(file: int, content: bytes) -> int:
        if bytes(content) == planned[at].content:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, content)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreFault, match="No space left") as fault:
        write(planned)
    assert "\n" not in str(fault.value)
    assert everything(tmp_path) == before


def test_without_the_way_back_files_would_be_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault seeded: where nothing is put back, the comparison of the test above sees it."""
    paths = Paths(tmp_path)
    planned = sheets(CHOSEN.config, paths)

    def store(path: Path, content: bytes) -> None:
        if content == planned[3].content:
            raise StoreFault("full")
        path.write_bytes(content)

    monkeypatch.setattr(installing, "store", store)
    monkeypatch.setattr(writing, "_now", lambda _path: planned[0].content)  # nothing looks changed
    with pytest.raises(StoreFault):
        write(planned)
    assert rules_at(paths).exists()


def test_a_folder_that_cannot_be_made_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file where a folder should be")
    before = everything(tmp_path)
    with pytest.raises(StoreFault, match="cannot be made: Not a directory"):
        write(sheets(CHOSEN.config, Paths(tmp_path)))
    assert everything(tmp_path) == before


def test_ctrl_c_in_the_middle_puts_everything_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths, real = Paths(tmp_path), installing.store

    def stopped(path: Path, content: bytes) -> None:
        if path == paths.config:
            raise KeyboardInterrupt
        real(path, content)

    monkeypatch.setattr(installing, "store", stopped)
    with pytest.raises(KeyboardInterrupt):
        write(sheets(CHOSEN.config, paths))
    assert everything(tmp_path) == {}


@pytest.mark.parametrize(
    ("node", "kind"), [("ttyUSB0", "char-ttyUSB"), ("ttyACM11", "char-ttyACM"), ("ttyAMA0", "char-ttyAMA")]
)
def test_a_serial_line_is_allowed_by_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, node: str, kind: str
) -> None:
    real = Path.resolve

    def resolve(path: Path, strict: bool = False) -> Path:
        return Path("/dev") / node if str(path).startswith("/dev/serial") else real(path, strict)

    monkeypatch.setattr(Path, "resolve", resolve)
    write(sheets(CHOSEN.config, Paths(tmp_path)))
    assert f"DeviceAllow={kind} rw" in drop_in_at(Paths(tmp_path)).read_text("ascii")

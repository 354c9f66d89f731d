"""What `apt purge` leaves: the package's own script on a folder that stands for the disk.

The same on a whole Debian, by dpkg: tests/system/package.
"""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from device import config
from device.desk.setup import writing
from device.desk.upkeep import first_keys, page_units, pinned, whole_machine
from device.edges import Room
from device.learned import COPY, JOINED
from device.paths import Paths
from tests.support.room_process import CHECKOUT

SCRIPT = CHECKOUT / "tools" / "deb" / "scripts" / "postrm"
Change = Callable[[str], str]


def as_it_is(script: str) -> str:
    return script


def keys(paths: Paths) -> list[Path]:
    """Every file that holds a key of the door."""
    sealed = [first_keys.folder(paths) / key.name for key in first_keys.wanted(config.parse("", without_id=True))]
    return [*sealed, paths.state("vault") / "epoch.key", paths.state("keeper") / "epoch.key"]


def everything(paths: Paths) -> list[Path]:
    """Every file that a door and its set-up leave, with the keys."""
    settings = [paths.config, paths.config.with_name(JOINED), paths.config.with_name(COPY)]
    set_up = [writing.sign_at(paths), writing.rules_at(paths), paths.root / pinned.MODULES]
    drop_ins = [paths.root / pinned.drop_in(room) for room in (Room.LOCK, Room.VAULT, Room.KEEPER, Room.DESK)]
    drop_ins.append(paths.root / page_units.SOCKET)
    state = [first_keys.made(paths), paths.state("vault") / "records/1.rec"]
    kept = [paths.root / "var/cache/doorward/previous.deb"]
    whole = [paths.root / place for place in whole_machine.PLACES]
    return [*keys(paths), *settings, *set_up, *drop_ins, *whole, *state, *kept]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A door below a folder, with a file of each kind."""
    made = Paths(tmp_path / "disk")
    for file in everything(made):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"secret of {file.name}")
    (made.root / whole_machine.CTRL_ALT_DEL).write_text("")  # as set-up writes it
    return made


def purge(paths: Paths, change: Change = as_it_is, **programs: int) -> subprocess.CompletedProcess[str]:
    """Run the script with every folder of the system moved below the door's root.

    `programs`: what ends with this code in place of the real one.
    """
    moved = re.sub(r"(?<![\w$>])/(?=(?:etc|var|run|dev/tpm)[/\w])", f"{paths.root}/", change(SCRIPT.read_text()))
    # These tests are run by root, too: nothing of the machine may be named any more.
    assert not re.search(r"(?<![\w$>@])/(?:etc|var|run|usr|root|home)\b", moved.replace(str(paths.root), "@"))
    script = paths.root / "postrm"
    script.write_text(moved.replace("@UNITS@", "doorward.target"))
    away = paths.root / "programs"
    away.mkdir()
    for name, code in {"deb-systemd-helper": 0, "systemctl": 0, **programs}.items():
        (away / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (away / name).chmod(0o755)
    path = f"{away}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", str(script), "purge"], env={"PATH": path}, capture_output=True, text=True, check=False, timeout=60
    )


def left(paths: Paths) -> list[Path]:
    return [file for file in everything(paths) if file.exists()]


def test_purge_leaves_nothing_of_the_door_and_says_what_it_does_not_reach(paths: Paths) -> None:
    others = [first_keys.folder(paths) / "another.key", paths.root / pinned.drop_in(Room.LOCK).with_name("mine.conf")]
    for other in others:
        other.write_text("somebody else's")
    said = purge(paths)
    assert said.returncode == 0, said.stderr
    assert left(paths) == []
    assert [other.read_text() for other in others] == ["somebody else's"] * 2
    assert said.stdout.index("First the keys") < said.stdout.index("What no purge reaches")


def test_keys_are_overwritten_not_only_unlinked(paths: Paths) -> None:
    seconds = [file.with_suffix(".second-name") for file in keys(paths)]
    for file, second in zip(keys(paths), seconds, strict=True):
        second.hardlink_to(file)
        second.rename(paths.root / f"{file.parent.name}-{file.name}")
    assert purge(paths).returncode == 0
    for file in keys(paths):
        held = (paths.root / f"{file.parent.name}-{file.name}").read_bytes()
        assert b"secret" not in held


def cut_off_after_its_first_step(paths: Paths, change: Change = as_it_is) -> list[Path]:
    """The keys that are still there when the power fails at the script's first `sync`."""
    assert purge(paths, change, sync=1).returncode != 0
    assert (paths.state("vault") / "records/1.rec").exists(), "it was not cut off where it should"
    return [file for file in keys(paths) if file.exists()]


def test_purge_that_is_cut_off_has_destroyed_every_key_before_anything_else(paths: Paths) -> None:
    assert cut_off_after_its_first_step(paths) == []


@pytest.mark.parametrize(
    "guard", ["for room in vault keeper lock osdp; do", """destroy_below "$state" '*key*'"""], ids=["sealed", "epoch"]
)
def test_purge_without_one_of_its_guards_is_seen_by_these_tests(paths: Paths, guard: str) -> None:
    assert SCRIPT.read_text().count(guard) == 1
    without = guard.replace("vault keeper lock osdp", "osdp") if guard.endswith("do") else ":"
    assert cut_off_after_its_first_step(paths, lambda script: script.replace(guard, without))


@pytest.mark.parametrize("somebody_elses", ["a link", "a file"])
def test_purge_leaves_what_somebody_else_made_of_ctrl_alt_del(paths: Paths, somebody_elses: str) -> None:
    place = paths.root / whole_machine.CTRL_ALT_DEL
    place.unlink()
    if somebody_elses == "a link":
        place.symlink_to("/dev/null")
    else:
        place.write_text("[Unit]\nDescription=their own\n")
    assert purge(paths).returncode == 0
    assert place.is_symlink() == (somebody_elses == "a link")
    assert left(paths) == [place]


@pytest.mark.parametrize("place", whole_machine.PLACES, ids=str)
def test_forgotten_file_of_the_whole_machine_is_seen_by_these_tests(paths: Paths, place: Path) -> None:
    assert purge(paths, lambda script: script.replace(f"/{place}", "/etc/doorward/another")).returncode == 0
    assert left(paths) == [paths.root / place]


def test_forgotten_file_is_seen_by_these_tests(paths: Paths) -> None:
    purge(paths, lambda script: script.replace("61-doorward-setup.rules", "61-another.rules"))
    assert left(paths) == [writing.rules_at(paths)]

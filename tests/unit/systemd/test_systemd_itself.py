"""What systemd itself says of the units: how far each is closed, and whether it understands every line."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from device import config
from device.desk.upkeep import page_units
from tools.units.files import FOLDER

PROGRAM = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(PROGRAM is None, reason="needs systemd-analyze: apt-get install systemd")
CLOSED = {"eye": 1.0, "vault": 1.0, "keeper": 1.0, "lock": 1.0, "report": 1.5, "desk": 1.5}
# Units of the system itself, which ours name.
OF_THE_SYSTEM = ("sysinit", "basic", "multi-user", "shutdown", "sockets", "timers", "paths", "slices")


def _analyze(*words: str) -> subprocess.CompletedProcess[str]:
    assert PROGRAM is not None
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=30, check=False)


def exposure(unit: Path) -> float:
    """From 0 (closed) to 10 (open), as `systemd-analyze security` counts."""
    told = _analyze("security", "--offline=true", "--no-pager", str(unit))
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told.stdout)
    assert found, told.stderr
    return float(found[1])


@needs_systemd
@pytest.mark.parametrize("room", list(CLOSED))
def test_a_room_is_closed_as_far_as_systemd_can_close_it(room: str) -> None:
    assert exposure(FOLDER / "system" / f"doorward-{room}.service") <= CLOSED[room]


@needs_systemd
@pytest.mark.parametrize("room", list(CLOSED))
def test_a_room_whose_system_calls_are_open_is_not(room: str, tmp_path: Path) -> None:
    unit = FOLDER / "system" / f"doorward-{room}.service"
    text = unit.read_text(encoding="utf-8")
    opened = "".join(
        line
        for line in text.splitlines(keepends=True)
        if not line.startswith(("SystemCall", "PrivateNetwork", "RestrictAddressFamilies", "CapabilityBoundingSet"))
    )
    broken = tmp_path / unit.name
    broken.write_text(opened, encoding="utf-8")
    assert exposure(broken) > CLOSED[room]


@needs_systemd
def test_figures_in_the_documentation_are_those_of_the_systemd_they_name() -> None:
    if "systemd 252 " not in _analyze("--version").stdout:
        pytest.skip("docs/units.md has the figures of systemd 252")
    page = (FOLDER.parent / "docs" / "units.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| (\w+) \|.*\| ([0-9]\.[0-9]) \|$", page, re.MULTILINE))
    assert told == {room: f"{exposure(FOLDER / 'system' / f'doorward-{room}.service'):.1f}" for room in CLOSED}


def _root(folder: Path) -> Path:
    """A small system: our units, those they name, and programs that only stand there."""
    units = folder / "usr/lib/systemd/system"
    shutil.copytree(FOLDER / "system", units)
    for name in OF_THE_SYSTEM:
        (units / f"{name}.target").write_text(f"[Unit]\nDescription={name}\n", encoding="utf-8")
    for program in ("usr/lib/doorward/bin/python", "usr/bin/systemctl"):
        path = folder / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n", encoding="utf-8")
        path.chmod(0o755)
    return folder


def _verified(root: Path) -> str:
    """What systemd has to say about the units below `root`; nothing is praise."""
    units = sorted(
        str(path) for path in (root / "usr/lib/systemd/system").iterdir() if path.name.startswith("doorward")
    )
    # A template alone is no unit: one of its instances is looked at.
    named = [path.replace("@.", "@doorward-eye.") for path in units]
    told = _analyze("verify", f"--root={root}", "--man=no", *named)
    return told.stderr + ("" if told.returncode == 0 else f"exit code {told.returncode}")


@needs_systemd
def test_systemd_understands_every_line_and_finds_every_unit_that_is_named(tmp_path: Path) -> None:
    assert _verified(_root(tmp_path / "root")) == ""


@needs_systemd
@pytest.mark.parametrize("address", ["", "192.168.1.20", "fe80::1"])
def test_systemd_understands_the_socket_of_a_page_and_that_desk_is_handed_it(tmp_path: Path, address: str) -> None:
    root = _root(tmp_path / "root")
    door = config.parse(f'[door]\nid = "00112233445566aa"\n[page]\nport = 8443\naddress = "{address}"\n')
    for path, text in page_units.files(door).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text or "", encoding="utf-8")
    assert _verified(root) == ""
    told = (root / page_units.SOCKET).read_text(encoding="utf-8")
    (root / page_units.SOCKET).write_text(told.replace("FreeBind", "FreeBindd"), encoding="utf-8")
    assert "FreeBindd" in _verified(root), "nothing but desk's drop-in names that socket, so it was read"


@needs_systemd
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("doorward-eye.service", "PrivateNetwork=yes", "PrivateNetwrok=yes"),
        ("doorward-vault.service", "MemoryMax=256M", "MemoryMax=plenty"),
        ("doorward-vault.service", "device.vault", "device.vault\nExecStartPre=/usr/bin/not-there"),
        ("doorward-vault-lock.socket", "Service=doorward-vault.service", "Service=doorward-valut.service"),
        ("doorward-again@.timer", "OnActiveSec=60", "OnActiveSec=soon"),
    ],
)
def test_a_line_that_systemd_does_not_understand_is_told(tmp_path: Path, name: str, old: str, new: str) -> None:
    root = _root(tmp_path / "root")
    path = root / "usr/lib/systemd/system" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert _verified(root) != ""

"""`doorctl decommission`: what is left of an ended door goes, in an order that no power cut turns against anybody."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from device import installing, learned
from device.attestation import EndOfDoor, Paper
from device.desk.ending import clearing
from device.desk.upkeep import first_keys
from device.edges import Room
from device.errors import StoreFault
from device.lock import retiring
from device.paths import Paths
from device.sealing import retired
from device.strength import KeyPlace
from tests.unit.desk.house import short_root
from tests.unit.desk.papers import DOOR, RECEIPT, keep, write_config
from tests.unit.desk.test_cli import doorctl

END = EndOfDoor(DOOR, 20_000, KeyPlace.TPM_NV, KeyPlace.FILE_HOST_KEY)
KEYS = ("keeper.key", "lock.key", "vault.key")


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with short_root() as folder:
        monkeypatch.setenv("DOORWARD_ROOT", str(folder))
        monkeypatch.setattr(os, "fsync", lambda _handle: None)
        ended(folder)
        yield folder


def ended(root: Path) -> None:
    """What a door that joined by a label and has ended leaves on its board."""
    paths = Paths(root)
    write_config(root)
    paths.config.write_text('[lock]\nboard = "sim"\n')
    text = f'[door]\nid = "{DOOR.hex()}"\nmanager_key = "{"aa" * 32}"\n'
    installing.store(installing.joined(paths.config), text.encode())
    installing.mend(paths.config)
    assert paths.config.with_name(learned.COPY).exists()
    for name in KEYS:
        installing.store(first_keys.folder(paths) / name, b"sealed")
    installing.store(first_keys.made(paths), "".join(f"{name}\n" for name in KEYS).encode())
    left = {
        Room.LOCK: ("retired", "time-floor"),
        Room.KEEPER: ("retired", "erased"),
        Room.VAULT: ("retired", "erased", "end-of-door"),
        Room.REPORT: ("outbox.sqlite", "tls/door.key", "tls/door.pem", "join/label"),
    }
    for room, names in left.items():
        for name in names:
            installing.store(paths.state(room) / name, b"?")


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def decommissions(receipt: Path) -> tuple[int, dict[str, object]]:
    said = doorctl("decommission", "--receipt", str(receipt), "--json")
    return said.exit_code, json.loads(said.stdout)


def test_the_marks_are_those_that_the_rooms_leave() -> None:
    assert (clearing.MARK, clearing.DONE) == (retired.MARK, retired.DONE)
    assert clearing.MARK == retiring._MARK_NAME


def test_nothing_is_left_but_what_the_installer_wrote(root: Path, tmp_path: Path) -> None:
    code, facts = decommissions(keep(tmp_path / "end.txt", END))
    assert (code, facts["cleared"], facts["named_in_door_toml"]) == (0, True, False)
    assert files(root) == {"etc/doorward/door.toml"}
    assert not learned.joined(Paths(root).config)


def test_a_door_toml_that_names_the_door_itself_is_told(root: Path, tmp_path: Path) -> None:
    write_config(root)
    assert decommissions(keep(tmp_path / "end.txt", END))[1]["named_in_door_toml"] is True


@pytest.mark.parametrize(("room", "name"), [(Room.LOCK, "retired"), (Room.KEEPER, "erased"), (Room.VAULT, "erased")])
def test_a_door_that_lives_or_is_not_done_loses_nothing(root: Path, tmp_path: Path, room: Room, name: str) -> None:
    (Paths(root).state(room) / name).unlink()
    before = files(root)
    code, facts = decommissions(keep(tmp_path / "end.txt", END))
    assert (code, facts["ok"]) == (1, False)
    assert files(root) == before


def test_without_its_own_receipt_a_door_loses_nothing(root: Path, tmp_path: Path) -> None:
    before = files(root)
    others: list[Paper] = [RECEIPT, EndOfDoor(bytes(8), 20_000, KeyPlace.TPM_NV, KeyPlace.TPM_NV)]
    for number, paper in enumerate(others):
        code, _ = decommissions(keep(tmp_path / f"{number}.txt", paper))
        assert code == 1
    code, _ = decommissions(tmp_path / "missing.txt")
    assert code == 1
    forged = keep(tmp_path / "forged.txt", END)
    forged.write_text(forged.read_text().replace("A", "B", 1))
    assert decommissions(forged)[0] == 1
    assert files(root) == before


@pytest.mark.slow
def test_cut_off_at_any_moment_it_goes_on_and_the_old_door_never_comes_back(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each removal: as long as a name or a mark of the old door is missing, its keys are gone already."""
    paths, receipt, steps = Paths(root), keep(tmp_path / "end.txt", END), 0
    real = Path.unlink
    while True:
        ended(root)
        left = steps

        def cut(path: Path, missing_ok: bool = False) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                msg = "cut"
                raise StoreFault(msg)
            real(path, missing_ok=missing_ok)

        with monkeypatch.context() as wired:
            wired.setattr(Path, "unlink", cut)
            code, _ = decommissions(receipt)
        if code == 0:
            break
        keys = [name for name in KEYS if (first_keys.folder(paths) / name).exists()]
        whole = learned.joined(paths.config) and all((paths.state(room) / "retired").exists() for room in _MARKED)
        assert whole or not keys, f"after step {steps}"
        assert (paths.state(Room.LOCK) / "retired").exists()
        assert decommissions(receipt)[0] == 0
        assert files(root) == {"etc/doorward/door.toml"}
        steps += 1
    assert steps > len(KEYS) + 2


_MARKED = (Room.LOCK, Room.KEEPER, Room.VAULT)


def test_a_link_in_a_rooms_folder_leads_nowhere(root: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("?")
    (Paths(root).state(Room.REPORT) / "link").symlink_to(precious)
    assert decommissions(keep(tmp_path / "end.txt", END))[0] == 0
    assert (precious / "file").exists()

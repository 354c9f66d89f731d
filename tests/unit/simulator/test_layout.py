"""The folder of a simulated door: made once, never overwritten, readable by nobody else, refused before replaced."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from device import config
from device.config.tables import DoorTable, ReportTable
from device.edges import EDGES, PROCESSES, Room
from device.errors import ConfigRefused
from device.paths import Paths
from tools.simulator import layout
from tools.simulator.layout import Wishes


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """`make` narrows the umask of its process; the tests' own stays as it was."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def paths() -> Iterator[Paths]:
    with tempfile.TemporaryDirectory(prefix="dw") as folder:  # short: its sockets must fit unix(7)
        yield Paths(Path(folder) / "d")


def snapshot(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_a_new_door_has_a_configuration_and_a_key_a_room(paths: Paths) -> None:
    made = layout.make(paths, Wishes())
    assert made == config.load(paths.config)
    assert (made.lock.board, made.lock.tier, made.report.broker) == ("sim", "face+pin", "")
    keys = [layout.credentials(paths, room) / f"{room}.key" for room in layout.KEYED_ROOMS]
    assert [len(key.read_bytes()) for key in keys] == [32, 32, 32]
    assert len({key.read_bytes() for key in keys}) == 3
    assert len({key.parent for key in keys}) == 3, "each room is handed its own folder"
    assert len(snapshot(paths.root)) == 4


def test_everything_is_its_owners_alone(paths: Paths) -> None:
    layout.make(paths, Wishes())
    for path in [paths.root, *paths.root.rglob("*")]:
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_a_door_that_exists_is_booted_as_it_was(paths: Paths) -> None:
    layout.make(paths, Wishes(tier="face", unlock_ms=500))
    before = snapshot(paths.root)
    again = layout.make(paths, Wishes(tier="face+pin", unlock_ms=9000, door_id="0" * 16))
    assert snapshot(paths.root) == before
    assert (again.lock.tier, again.lock.unlock_ms) == ("face", 500)


def test_a_lost_key_is_made_anew_and_the_others_stay(paths: Paths) -> None:
    layout.make(paths, Wishes())
    before = snapshot(paths.root)
    (layout.credentials(paths, Room.VAULT) / "vault.key").unlink()
    layout.make(paths, Wishes())
    after = snapshot(paths.root)
    assert [name for name in before if after[name] != before[name]] == ["etc/doorward/credentials/vault/vault.key"]


def test_every_wish_arrives(paths: Paths) -> None:
    wishes = Wishes("00112233445566aa", "mqtt://127.0.0.1:1883", "face", "fail-safe", 700, 2.5, "0" * 64)
    made = layout.make(paths, wishes)
    assert made.door == DoorTable("00112233445566aa", "0" * 64)
    assert (made.lock.tier, made.lock.wiring, made.lock.unlock_ms) == ("face", "fail-safe", 700)
    assert made.report == ReportTable("mqtt://127.0.0.1:1883", 2.5)


def test_a_door_has_lights_where_they_were_wished_for_and_none_else(paths: Paths) -> None:
    one, two = (
        layout.make(Paths(paths.root.parent / name), Wishes(lights=lights)).lock
        for name, lights in (("a", True), ("b", False))
    )
    assert (one.lights, two.lights) == (True, False)
    assert len(set(one.light_pins)) == 4
    assert two.light_pins == ("", "", "", "")


def test_two_doors_have_two_names(paths: Paths) -> None:
    one, two = (layout.make(Paths(paths.root.parent / name), Wishes()) for name in "ab")
    assert one.door.id != two.door.id


@pytest.mark.parametrize(
    "wishes",
    [
        Wishes(door_id="xyz"),
        Wishes(door_id='00112233445566aa"\n[lock]\ntier = "face'),
        Wishes(broker="https://example.org"),
        Wishes(broker="mqtt://192.0.2.7:1883"),
        Wishes(broker="mqtt://127.0.0.1:99999"),
        Wishes(broker='mqtt://a"\ncadence_s = 1 #'),
        Wishes(manager_key="00"),
        Wishes(unlock_ms=0),
        Wishes(cadence_s=float("nan")),
    ],
    ids=[
        *("id", "id that is more than one", "broker", "broker elsewhere without TLS", "broker at no port"),
        *("broker that is more than one", "key", "unlock", "cadence"),
    ],
)
def test_a_wish_that_cannot_be_fulfilled_leaves_no_door_behind(paths: Paths, wishes: Wishes) -> None:
    with pytest.raises(ConfigRefused):
        layout.make(paths, wishes)
    assert snapshot(paths.root) == {}
    layout.make(paths, Wishes())


def test_a_given_configuration_is_taken_word_for_word(paths: Paths, tmp_path: Path) -> None:
    layout.make(paths, Wishes())
    keys = {name: data for name, data in snapshot(paths.root).items() if name.endswith(".key")}
    text = '# mine\n[door]\nid = "00112233445566aa"\n'
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    layout.make(paths, Wishes(), tmp_path / "mine.toml")
    assert paths.config.read_text(encoding="utf-8") == text
    assert {name: data for name, data in snapshot(paths.root).items() if name.endswith(".key")} == keys
    assert stat.S_IMODE(paths.config.stat().st_mode) == 0o600


@pytest.mark.parametrize("data", [b"", b"[door]\nid = 1\n", b"[door\n", b'[door]\nid = "\xff"\n', b"\xff\xfe"])
def test_a_bad_configuration_is_refused_before_anything_is_replaced(paths: Paths, tmp_path: Path, data: bytes) -> None:
    layout.make(paths, Wishes())
    before = snapshot(paths.root)
    (tmp_path / "bad.toml").write_bytes(data)
    with pytest.raises(ConfigRefused):
        layout.make(paths, Wishes(), tmp_path / "bad.toml")
    assert snapshot(paths.root) == before


def test_a_folder_with_too_long_a_name_is_refused_before_it_is_made(tmp_path: Path) -> None:
    long = Paths(tmp_path / ("x" * 107))
    with pytest.raises(ConfigRefused, match="too long a name"):
        layout.make(long, Wishes())
    assert not long.root.exists()


def test_the_longest_name_that_is_taken_has_room_for_every_socket() -> None:
    """unix(7): 108 bytes with the NUL at the end."""
    root = Path("/") / ("x" * (layout._SUN_PATH - len(layout._LONGEST_SOCKET) - 2))
    paths = Paths(root)
    assert len(str(root / layout._LONGEST_SOCKET)) == layout._SUN_PATH
    sockets = [paths.socket(edge.listener, edge.connector) for edge in EDGES]
    sockets += [paths.board / f"notify-{room}.sock" for room in PROCESSES]
    sockets += [paths.board / "cable.sock", paths.board / "control.sock"]
    assert max(len(str(path)) for path in sockets) <= layout._SUN_PATH


@pytest.mark.parametrize("name", ['a "door"', "a\\door", "tür", "a door\nand more", "{door}", "#"])
def test_a_folder_may_have_any_name(name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="dw") as folder:
        paths = Paths(Path(folder) / name)
        assert layout.make(paths, Wishes()).camera.replay == str(paths.board / "scene.json")


def test_a_folder_whose_name_is_no_text_is_refused() -> None:
    with tempfile.TemporaryDirectory(prefix="dw") as folder, pytest.raises(ConfigRefused, match="UTF-8"):
        layout.make(Paths(Path(folder) / os.fsdecode(b"\xff")), Wishes())

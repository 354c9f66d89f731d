"""eye and vault are dead, refused or damaged: whoever uses a PIN does not notice, and nobody sees a traceback."""

import shutil
from pathlib import Path

import pytest

from device.edges import Room
from tests.integration.door.conftest import PIN, SLOT, enrolled
from tests.support.door import (
    OPENED,
    USE_PIN_OR_CARD,
    Home,
    Manager,
    another_picture,
    door_up,
)
from tests.support.room_process import CHECKOUT
from tools.portraits import portrait


def stopped(home: Home, room: Room) -> None:
    home.until(lambda now: now["processes"][room] == "down", f"{room} stopped")


def test_pin_opens_while_eye_and_vault_are_stopped(resident_door: Home) -> None:
    for rooms in ([Room.EYE], [Room.VAULT], [Room.EYE, Room.VAULT, Room.REPORT, Room.DESK]):
        for room in rooms:
            resident_door.door.stop(room)
            stopped(resident_door, room)
        before = resident_door.door.state()["frames_read"]
        assert resident_door.looks(another_picture()) == USE_PIN_OR_CARD
        assert resident_door.types(f"{SLOT}#{PIN}#") == OPENED
        assert resident_door.door.state()["frames_read"] == before
        resident_door.goes_in()
        for room in rooms:
            resident_door.door.start(room)
        resident_door.well()
    assert resident_door.looks_until_ready(another_picture()) == OPENED


# ---- a picture that is no picture


def damaged_portrait(folder: Path, how: str) -> Path | None:
    whole = portrait("obama.jpg").read_bytes()
    broken = {
        "text": b"this is a letter and no picture\n",
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "flipped": whole[:2000] + bytes(len(whole) - 2000),
        # A header that promises 100000 x 100000 pixels.
        "huge": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x86\xa0\x00\x01\x86\xa0\x08\x02\x00\x00\x00" + bytes(64),
    }
    path = folder / "portrait.png"
    if how == "folder":
        path = folder / "nothing"
        path.mkdir()
    else:
        path.write_bytes(broken[how])
    return path


@pytest.mark.parametrize("how", ["text", "empty", "cut", "flipped", "huge", "folder"])
def test_picture_that_is_none_is_a_camera_fault_and_no_end_of_eye(
    resident_door: Home, tmp_path: Path, how: str
) -> None:
    resident_door.well()
    eye = resident_door.door.state()["pids"][Room.EYE]
    said_before = resident_door.log(Room.EYE)
    assert resident_door.looks(damaged_portrait(tmp_path, how)) == USE_PIN_OR_CARD
    resident_door.until(lambda now: not now["camera_open"] and not now["indicator"], "camera closed and lamp dark")
    assert resident_door.looks_until_ready(another_picture()) == OPENED
    assert resident_door.door.state()["pids"][Room.EYE] == eye, "eye lives"
    sentences = resident_door.log(Room.EYE)[len(said_before) :].splitlines()
    assert len(sentences) == 1, sentences
    assert sentences[0].startswith("eye: ")
    assert "Traceback" not in resident_door.logs()


def test_picture_that_is_taken_away_while_it_plays_is_a_camera_fault(resident_door: Home, tmp_path: Path) -> None:
    here = tmp_path / "obama3.png"
    here.write_bytes(another_picture().read_bytes())
    resident_door.door.show(here)
    here.unlink()
    for _ in range(2):
        assert resident_door.does(lambda: resident_door.door.press("face")) == USE_PIN_OR_CARD
    assert resident_door.status()["camera"] == "fault"
    assert resident_door.types(f"{SLOT}#{PIN}#") == OPENED
    # eye looks for a lost camera every 30 s; whoever starts it anew need not wait for that.
    resident_door.door.show(another_picture())
    resident_door.door.kill(Room.EYE)
    assert resident_door.looks_until_ready(another_picture()) == OPENED


# ---- models


@pytest.fixture
def copied_code(tmp_path: Path) -> Path:
    """device/, tools/ and models/ as a second checkout, whose models may be damaged."""
    for name in ("device", "provisioning", "tools", "models"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / name, tmp_path / "copy" / name, ignore=ignored)
    return tmp_path / "copy"


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["sface.tflite", "yunet.tflite"])
def test_model_with_one_flipped_bit_keeps_eye_down_and_the_pin_working(
    copied_code: Path, manager: Manager, name: str
) -> None:
    with door_up(code=copied_code, manager=manager) as home:
        enrolled(home)
        assert home.looks(another_picture()) == OPENED  # this copy works
        model = copied_code / "models" / name
        flip(model, model.stat().st_size // 2)
        home.door.kill(Room.EYE)
        home.until(lambda now: now["processes"][Room.EYE] == "refused", "eye refusing to start")
        sentence = f"eye: {name} is not the file the manifest names: its sha256 differs"
        assert home.log(Room.EYE).splitlines() == [sentence]
        assert home.looks(another_picture()) == USE_PIN_OR_CARD
        assert home.types(f"{SLOT}#{PIN}#") == OPENED
        said = home.doorctl("selftest")
        assert said.code == 1
        assert name in next(check["sentence"] for check in said.facts["checks"] if check["name"] == "models")
        home.down()
        said = home.doorsim("up")
        assert (said.code, said.facts["refused"]) == (1, f"eye does not start: {sentence}")
        flip(model, model.stat().st_size // 2)
        home.up()
        assert home.looks_until_ready(another_picture()) == OPENED


def test_model_that_is_missing_is_one_sentence(copied_code: Path) -> None:
    (copied_code / "models" / "sface.tflite").unlink()
    with door_up(code=copied_code, started=False) as home:
        said = home.doorsim("up")
        assert said.code == 1
        assert said.facts["refused"].startswith("eye does not start: eye: ")
        assert "sface.tflite cannot be read" in said.facts["refused"]
        assert "Traceback" not in home.logs()


@pytest.fixture(scope="module", autouse=True)
def sample_pictures() -> None:
    """The portraits are cut before a copy of the code looks for them elsewhere."""
    another_picture()
    portrait("obama.jpg")

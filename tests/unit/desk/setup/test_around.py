"""What set-up looks at before it asks: the machine, whether lock runs, a file of answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from device.desk.setup import answers, machine, neighbours, running
from device.desk.setup.draft import Draft
from device.desk.setup.machine import Chip, Keypad
from device.desk.setup.neighbours import NeighbourFault
from device.desk.setup.running import NotNow
from device.errors import ConfigRefused
from device.paths import Paths

# ---- the machine


def asks(answers: Mapping[str, Mapping[str, object]]) -> neighbours.Ask:
    def ask(*words: str, **_: object) -> Mapping[str, object]:
        if words[1] not in answers:
            raise NeighbourFault("not there")
        return answers[words[1]]

    return ask


def input_device(root: Path, event: str, links: tuple[str, ...], make: tuple[str, ...] = ()) -> None:
    (root / "dev/input").mkdir(parents=True, exist_ok=True)
    (root / "dev/input" / event).touch()
    for link in links:
        path = root / "dev/input" / link
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(f"../{event}")
    told = root / "sys/class/input" / event / "device"
    (told / "id").mkdir(parents=True)
    (told / "name").write_text("A Keypad\n")
    for name, value in zip(("bustype", "vendor", "product", "version"), make, strict=False):
        (told / "id" / name).write_text(f"{value}\n")


def test_usb_cameras_are_found_once_each_by_the_node_that_gives_pictures(tmp_path: Path) -> None:
    place, make = (tmp_path / "dev/v4l" / folder for folder in ("by-path", "by-id"))
    for folder, stem in ((place, "pci-usb-0:2:1.0"), (make, "usb-Maker_HD_Camera")):
        folder.mkdir(parents=True)
        for index in (0, 1):
            (tmp_path / f"dev/video{index}").touch()
            (folder / f"{stem}-video-index{index}").symlink_to(f"../../video{index}")
    (tmp_path / "dev/video7").touch()
    (place / "platform-fe801000.csi-video-index0").symlink_to("../../video7")
    found = machine.look(Paths(tmp_path), asks({}), tmp_path).cameras
    assert found == ("/dev/v4l/by-path/pci-usb-0:2:1.0-video-index0",)


def test_keypads_are_found_once_each_with_their_make(tmp_path: Path) -> None:
    links = ("by-path/pci-usb-event-kbd", "by-path/pci-usbv2-event-kbd", "by-id/usb-make-event-kbd")
    input_device(tmp_path, "event3", links, ("0003", "1a2c", "0002", "0110"))
    input_device(tmp_path, "event4", ("by-path/pci-event-mouse",))
    found = machine.look(Paths(tmp_path), asks({}), tmp_path)
    assert found.keypads == (Keypad("/dev/input/by-path/pci-usb-event-kbd", "A Keypad", "0003:1a2c:0002:0110"),)


def test_a_keypad_whose_make_is_not_told_is_pinned_by_its_socket_alone(tmp_path: Path) -> None:
    input_device(tmp_path, "event3", ("by-path/one-event-kbd",))
    assert machine.look(Paths(tmp_path), asks({}), tmp_path).keypads[0].make == ""


def test_an_empty_machine_has_nothing_and_nothing_fails(tmp_path: Path) -> None:
    assert machine.look(Paths(tmp_path), asks({}), tmp_path) == machine.Machine()


def test_what_the_rooms_code_sees_is_taken_over(tmp_path: Path) -> None:
    told: dict[str, dict[str, object]] = {
        "chips": {"chips": [["main", ["A", ""]], "nonsense"]},
        "readers": {"readers": ["B", "A"]},
    }
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/tpmrm0").touch()
    (tmp_path / "dev/watchdog0").touch()
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/tpm2").touch()
    (tmp_path / "dev/serial/by-path").mkdir(parents=True)
    (tmp_path / "dev/serial/by-path/one").symlink_to("../../ttyUSB0")
    found = machine.look(Paths(tmp_path), asks(told), tmp_path)
    assert found.chips == (Chip("main", ("A", "")),)
    assert (found.readers, found.serials) == (("A", "B"), ("/dev/serial/by-path/one",))
    assert (found.tpm, found.tpm_tools, found.watchdog) == (True, True, True)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "without an answer"),
        ("[1]", "no answer of ours"),
        ('{"refused": "busy"}', "busy"),
        ("{", "without an answer"),
    ],
)
def test_an_answer_that_is_none_is_one_sentence(line: str, why: str) -> None:
    with pytest.raises(NeighbourFault, match=why):
        neighbours.read_answer(line, "device.x")


# ---- whether lock runs


def process(proc: Path, number: int, command: bytes, environ: bytes) -> None:
    (proc / str(number)).mkdir(parents=True)
    (proc / str(number) / "cmdline").write_bytes(command)
    (proc / str(number) / "environ").write_bytes(environ)


LOCK = b"/usr/bin/python\0-I\0-B\0-m\0device.lock\0"


@pytest.mark.parametrize(
    ("command", "environ", "refused"),
    [
        (LOCK, b"PATH=/bin\0DOORWARD_ROOT={}\0", True),
        (LOCK, b"DOORWARD_ROOT=/tmp/other\0", False),
        (LOCK, b"", False),
        (b"python\0-m\0device.eye\0", b"DOORWARD_ROOT={}\0", False),
        (b"python\0-m\0device.lock.secure\0", b"DOORWARD_ROOT={}\0", False),
    ],
)
def test_a_lock_of_this_door_that_runs_is_refused_with_the_command_that_stops_it(
    tmp_path: Path, command: bytes, environ: bytes, refused: bool
) -> None:
    process(tmp_path / "proc", 7, command, environ.replace(b"{}", str(tmp_path).encode()))
    if not refused:
        running.refuse_if_not_alone(Paths(tmp_path), tmp_path / "proc")
        return
    with pytest.raises(NotNow, match="`doorsim stop lock` stops it"):
        running.refuse_if_not_alone(Paths(tmp_path), tmp_path / "proc")


def test_a_real_door_is_named_with_its_own_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    process(tmp_path, 7, LOCK, b"PATH=/bin\0")
    with pytest.raises(NotNow, match=r"`systemctl stop doorward\.target` stops it"):
        running.refuse_if_not_alone(Paths(Path("/")), tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(NotNow, match="only root"):
        running.refuse_if_not_alone(Paths(Path("/")), tmp_path)


def test_a_process_that_ends_meanwhile_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "9").mkdir()
    (tmp_path / "self").mkdir()
    running.refuse_if_not_alone(Paths(tmp_path), tmp_path)


# ---- answers from a file


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "answers.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_answers_are_settings_with_a_label_and_leave_to_replace(tmp_path: Path) -> None:
    text = '[setup]\nlabel = "/x"\nreplace = true\n[lock]\nunlock_ms = 3000\n[sign]\ncontact = "O"\n'
    draft, replace = answers.read(written(tmp_path, text), Draft().put("lock", rex_wired=False))
    assert (draft.label, replace) == ("/x", True)
    assert (draft.config.lock.unlock_ms, draft.config.lock.rex_wired) == (3000, False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("unlock_ms = 3\n", "stands outside of any table"),
        ("[lock]\nunlock_ms = 3\n", "must be from 500 to 15000"),
        ("[lock]\nunlock = 3\n", "not a setting"),
        ("[setup]\nforce = true\n", "not a setting"),
        ("[setup]\nreplace = 1\n", "true or false"),
        ('[door]\nid = "00112233445566ff"\n', "not a table that set-up asks about"),
        ("[lock\n", "is no TOML"),
        (f"# {'x' * 70000}\n", "too long"),
    ],
)
def test_answers_that_are_wrong_are_one_sentence(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigRefused, match=why) as refusal:
        answers.read(written(tmp_path, text), Draft())
    assert "\n" not in str(refusal.value)


def test_answers_that_are_not_there_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused, match="cannot be read: No such file"):
        answers.read(tmp_path / "none", Draft())
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(ConfigRefused, match="is no TOML"):
        answers.read(tmp_path / "bytes", Draft())

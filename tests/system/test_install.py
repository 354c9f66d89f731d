"""The commands of docs/install.md, as they stand there, on a booted machine: installed, set up, upgraded, put back.

Every line of a fenced block is either run here or named with the reason why not; one that is neither fails. What is
changed in a line before it is run stands in `as_here`, and nowhere else. The tests are in the order of the document, on
one machine, from which the door that was there is purged first: what is installed then is installed anew.

Packages come on a USB stick, as an installer brings them: the machine reaches no archive.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from device.desk.setup.cli import START
from device.edges import PROCESSES
from tests.support import vm_status
from tests.support.room_process import CHECKOUT
from tests.support.vm import told
from tests.support.vm_door import BOLT, DOOR, FACE, KEYPAD, LAMP, LIGHT, REX, TAMPER, OnMachine, unit
from tests.support.vm_resident import with_a_resident
from tests.support.vm_upgrade import LIMIT_S, TRYING, brought, ended, mains, upgrading, version
from tools.deb.__main__ import build, source_date
from tools.vm.agent import Answer
from tools.vm.image import BROUGHT
from tools.vm.package import FOR, QUICK, package

PAGE: Final = (CHECKOUT / "docs" / "install.md").read_text(encoding="utf-8")
OLD, NEW = "0.1.0", "0.2.0"
SLOT, PIN = 12, "482913"
RIGHT: Final = f"{SLOT}#{PIN}#"

INSTALL: Final = "sudo apt install ./doorward_0.1.0~deb12_arm64.deb"
SET_UP: Final = "sudo doorctl setup"
UPGRADE: Final = "sudo doorctl upgrade doorward_0.2.0~deb12_arm64.deb --sha256 9f86d081884c7d65…"
BACK: Final = "sudo doorctl upgrade --back"
RUN: Final = (INSTALL, SET_UP, UPGRADE, BACK)
NOT_RUN: Final = {
    "sudo .venv/bin/python -m pytest tests/system/package": "for whoever builds packages, in a checkout: no door's",
    "sudo apt install --no-install-recommends python3-picamera2 python3-lgpio": (
        "a Raspberry Pi's archive: Debian 12 has neither package, and this machine has both as wheels (tools/vm)"
    ),
}
PURGE: Final = "apt purge doorward"  # in the document's text, without a block of its own
ANSWERS_FILE: Final = f"{BROUGHT}/answers.toml"
ANSWERS: Final = f"""
[camera]
backend = "none"

[lock]
board = "gpiod"
bolt_pin = "{BOLT}"
lamp_pin = "{LAMP}"
status_led_pin = "{LIGHT}"
face_button_pin = "{FACE}"
rex_pin = "{REX}"
door_switch_pin = "{DOOR}"
tamper_pin = "{TAMPER}"
keypad = "{KEYPAD}"

[sign]
contact = "Office, 030 123"
"""
JOINED: Final = '[door]\nid = "{}"\nmanager_key = "{}"\n'  # what `doorctl join` leaves, tried in test_broker.py


def commands(page: str) -> list[str]:
    """The lines of all blocks of a shell, without what is said beside them."""
    blocks = re.findall(r"^```(?:sh|console|bash)\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    return [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


def neither(page: str) -> list[str]:
    """The commands of `page` that nobody here runs and nobody has a reason for."""
    return [each for each in commands(page) if each not in (*RUN, *NOT_RUN)]


def as_here(command: str, digest: str = "") -> str:
    """`command` as it is typed in this machine.

    Root types it, and there is no sudo; its processor is another one; a digest is that of the file; set-up's questions
    are answered by a file (at a terminal: tests/integration/setup); apt's one question by the letter that it waits for.
    """
    assert command in PAGE
    changed = command.removeprefix("sudo ").replace("_arm64.deb", "_amd64.deb")
    changed = changed.replace("9f86d081884c7d65…", digest) if digest else changed
    return f"{changed} --answers {ANSWERS_FILE}" if command == SET_UP else changed


def typed(door: OnMachine, line: str) -> Answer:
    """Run it where the packages are."""
    answer = door.machine.agent.run(f"cd {BROUGHT} && {line}", data=b"y\n", limit_s=LIMIT_S)
    told(f"{line}: {answer.took_s:.0f} s of the guest's clock")
    assert answer.code == 0, answer
    return answer


@pytest.fixture(scope="module")
def before() -> Iterator[OnMachine]:
    """A door that runs, on a machine that is to get another one."""
    with with_a_resident() as made:
        yield made


@pytest.fixture(scope="module")
def purged(before: OnMachine) -> OnMachine:
    """That machine, a door no more."""
    agent = before.machine.agent
    vm_status.end(agent)
    assert "First the keys" in typed(before, as_here(PURGE)).out
    assert agent.run("ls /var/lib/doorward /etc/doorward /usr/lib/doorward /etc/credstore.encrypted/*.key").out == ""
    assert agent.run(f"systemctl is-active {' '.join(map(unit, PROCESSES))}").out.split() == ["inactive"] * 6
    return before


@pytest.fixture(scope="module")
def installed(purged: OnMachine) -> OnMachine:
    """The package, and nothing set up."""
    name = as_here(INSTALL).rpartition("/")[2]
    brought(purged, package(), name)
    typed(purged, as_here(INSTALL))
    return purged


@pytest.fixture(scope="module")
def door(installed: OnMachine) -> OnMachine:
    """A new door with new keys on that machine, started as set-up says, and somebody who lives there."""
    made, agent = OnMachine(installed.machine), installed.machine.agent
    agent.put(ANSWERS_FILE, ANSWERS.encode())
    assert START in typed(made, as_here(SET_UP)).out
    agent.put("/etc/doorward/joined.toml", JOINED.format(made.door_id, made.manager.public).encode())
    agent.ask(START)
    made.well()
    made.close_the_door()
    made.move_in(SLOT, PIN)
    return made


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of today's checkout that calls itself the newer one."""
    return build(FOR, NEW, tmp_path_factory.mktemp("newer"), source_date(), QUICK)


def test_purge_leaves_no_room_no_key_and_no_file_of_a_door_that_ran(purged: OnMachine) -> None:
    assert purged.machine.agent.ask("systemctl --failed --plain --no-legend") == ""
    left = purged.machine.agent.ask("ls /etc/systemd/system /etc/udev/rules.d /run/doorward 2>/dev/null || true")
    assert [each for each in left.split() if "doorward" in each and "doorward-.service.d" not in each] == []


def test_what_apt_installs_starts_nothing(installed: OnMachine) -> None:
    agent = installed.machine.agent
    assert version(installed) == f"installed {FOR.version(OLD)}"
    assert agent.run(f"systemctl is-active {' '.join(map(unit, PROCESSES))}").out.split() == ["inactive"] * 6
    assert agent.run("test -e /etc/doorward/door.toml").code != 0
    assert agent.ask("dpkg --verify doorward") == ""


def test_set_up_makes_a_door_that_opens_for_its_resident(door: OnMachine) -> None:
    assert all(door.well()["rooms"].values())
    door.lets_in(RIGHT)


def test_a_newer_version_takes_over_a_door_that_is_used_meanwhile(door: OnMachine, newer: Path) -> None:
    before, watch = mains(door), door.lines.watch()
    digest = hashlib.sha256(newer.read_bytes()).hexdigest()
    line = as_here(UPGRADE, digest)
    brought(door, newer, newer.name)
    assert f" {newer.name} " in line
    upgrading(door, line)
    door.machine.agent.until(f"test -d {TRYING}", "the trial", LIMIT_S)
    door.lets_in(RIGHT)
    assert mains(door) == before, "the door runs as it was while the newer version is tried beside it"
    assert ended(door)[0] == 0
    assert version(door) == f"installed {FOR.version(NEW)}"
    assert not set(mains(door)) & set(before), "every room runs the new files"
    assert all(door.well()["rooms"].values())
    assert len(watch.pulses(BOLT)) == 1, "the new start opened the door"
    assert door.machine.agent.ask("systemctl --failed --plain --no-legend") == ""
    door.lets_in(RIGHT)


def test_the_version_before_is_put_back_and_its_resident_let_in(door: OnMachine) -> None:
    watch = door.lines.watch()
    upgrading(door, as_here(BACK))
    assert ended(door)[0] == 0
    assert version(door) == f"installed {FOR.version(OLD)}"
    assert all(door.well()["rooms"].values())
    assert not any(change.high for change in watch.changes(BOLT))
    door.lets_in(RIGHT)


def test_every_command_of_the_document_is_run_here_or_not_for_a_reason() -> None:
    """The last, and no machine's: a worker is given its next file when one test is left (conftest.py)."""
    assert neither(PAGE) == []
    assert set(RUN) | set(NOT_RUN) == set(commands(PAGE)), "what is named here stands there no more"
    assert not set(RUN) & set(NOT_RUN)
    more = f"{PAGE}\n```sh\nsudo doorctl open-up  # a command that nobody tried\n```\n"
    assert neither(more) == ["sudo doorctl open-up"]

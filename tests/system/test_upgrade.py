"""An upgrade of a running door on a real machine: real dpkg, real units, and a PIN that opens before, while and after.

Both packages are today's checkout under newer versions; the first one's report cannot be started by systemd, which no
trial beside the door can see. They come on a USB stick, as an installer brings them.
"""

import subprocess
from pathlib import Path

import pytest

from device.edges import PROCESSES, Room
from tests.support.vm_door import BOLT, OnMachine, unit
from tests.support.vm_resident import RIGHT
from tools.deb.__main__ import build, project_version, source_date
from tools.vm.machine import STICK
from tools.vm.package import FOR, QUICK

OLD, NEW = (FOR.version(each) for each in (project_version(), f"{project_version()}.1"))
PATIENCE_S = 600  # six more processes on one emulated processor
LIMIT_S = 1400.0  # unpacking, packing and compiling a package on an emulated processor
TRYING = "/var/cache/doorward/staging/usr/lib/doorward/check"
_UNIT = f"usr/lib/systemd/system/{unit(Room.REPORT)}"


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of today's checkout that calls itself a newer one."""
    return build(FOR, f"{project_version()}.1", tmp_path_factory.mktemp("newer"), source_date(), QUICK)


@pytest.fixture(scope="module")
def without_report(newer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a unit whose program ends at once."""
    out = tmp_path_factory.mktemp("without-report")
    tree = out / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", str(newer), str(tree)], check=True)
    lines = (tree / _UNIT).read_text().splitlines(keepends=True)
    assert sum(line.startswith("ExecStart=") for line in lines) == 1
    changed = ["ExecStart=/bin/false\n" if line.startswith("ExecStart=") else line for line in lines]
    (tree / _UNIT).write_text("".join(changed))
    packed = ["dpkg-deb", "--root-owner-group", *QUICK, "--build", str(tree), str(out / "package.deb")]
    subprocess.run(packed, check=True, capture_output=True)
    return out / "package.deb"


def brought(door: OnMachine, package: Path) -> str:
    """Copy `package` from a stick to the machine's disk; where it is there."""
    door.machine.plug_in(package)
    agent = door.machine.agent
    agent.until(f"test -b {STICK}", "the stick")
    agent.ask(f"head -c {package.stat().st_size} {STICK} >/root/new.deb", limit_s=LIMIT_S)
    door.machine.pull_out()
    agent.until(f"test ! -e {STICK}", "the end of the stick")
    return "/root/new.deb"


def version(door: OnMachine) -> str:
    return door.machine.agent.ask("dpkg-query --show --showformat '${db:Status-Status} ${Version}' doorward")


def mains(door: OnMachine) -> list[str]:
    """The number of each room's process."""
    return [door.machine.agent.ask(f"systemctl show -P MainPID {unit(room)}") for room in PROCESSES]


def upgrading(door: OnMachine, package: str) -> None:
    """Start `doorctl upgrade` beside the test."""
    command = f"doorctl upgrade {package} --patience {PATIENCE_S} >/run/upgrade.said 2>&1; echo $? >/run/upgrade.code"
    door.machine.agent.ask(f"rm -f /run/upgrade.*; systemd-run -q --collect --unit=upgrade sh -c '{command}'")


def ended(door: OnMachine) -> tuple[int, str]:
    """Its exit code and everything it said, on one line."""
    agent = door.machine.agent
    code = int(agent.until("test -s /run/upgrade.code && cat /run/upgrade.code", "the end of the upgrade", LIMIT_S))
    return code, " ".join(agent.ask("cat /run/upgrade.said").split())


@pytest.mark.long
def test_a_version_of_which_a_room_does_not_start_is_followed_by_the_one_before(
    door: OnMachine, without_report: Path
) -> None:
    watch = door.lines.watch()
    upgrading(door, brought(door, without_report))
    code, said = ended(door)
    assert code == 1
    assert f"{NEW} failed: After the upgrade did not start again: report; {OLD} was put back" in said
    assert version(door) == f"installed {OLD}"
    assert all(door.well()["rooms"].values())
    assert not any(change.high for change in watch.changes(BOLT))
    door.lets_in(RIGHT)


def test_a_newer_version_takes_over_a_door_that_is_used_meanwhile(door: OnMachine, newer: Path) -> None:
    before, watch = mains(door), door.lines.watch()
    upgrading(door, brought(door, newer))
    door.machine.agent.until(f"test -d {TRYING}", "the trial", LIMIT_S)
    door.lets_in(RIGHT)
    assert mains(door) == before, "the door runs as it was while the newer version is tried beside it"
    assert ended(door)[0] == 0
    assert version(door) == f"installed {NEW}"
    assert not set(mains(door)) & set(before), "every room runs the new files"
    assert all(door.well()["rooms"].values())
    assert len(watch.pulses(BOLT)) == 1, "the new start opened the door"
    assert door.machine.agent.ask("systemctl --failed --plain --no-legend") == ""
    door.lets_in(RIGHT)

"""An upgrade on a booted machine: its package on a USB stick, the command beside the test, and how it ended."""

from pathlib import Path

from device.edges import PROCESSES
from tests.support import vm_status
from tests.support.vm_door import OnMachine, unit
from tools.vm.image import BROUGHT
from tools.vm.machine import STICK

LIMIT_S = 1400.0  # unpacking, packing and compiling a package on an emulated processor
PATIENCE_S = 600  # six more processes on one emulated processor
TRYING = "/var/cache/doorward/staging/usr/lib/doorward/check"


def brought(door: OnMachine, package: Path, name: str = "new.deb") -> str:
    """Copy `package` from a stick into the machine, as `name`; where it is there."""
    door.machine.plug_in(package)
    agent = door.machine.agent
    agent.until(f"test -b {STICK}", "the stick")
    place = f"{BROUGHT}/{name}"
    agent.ask(f"head -c {package.stat().st_size} {STICK} >{place}", limit_s=LIMIT_S)
    door.machine.pull_out()
    agent.until(f"test ! -e {STICK}", "the end of the stick")
    return place


def version(door: OnMachine) -> str:
    """The installed version with dpkg's word for how it is installed."""
    return door.machine.agent.ask("dpkg-query --show --showformat '${db:Status-Status} ${Version}' doorward")


def mains(door: OnMachine) -> list[str]:
    """The number of each room's process."""
    return [door.machine.agent.ask(f"systemctl show -P MainPID {unit(room)}") for room in PROCESSES]


def upgrading(door: OnMachine, command: str) -> None:
    """Start `command`, a `doorctl upgrade`, beside the test, where packages are brought."""
    vm_status.end(door.machine.agent)
    line = f"cd {BROUGHT}; {command} --patience {PATIENCE_S} >/run/upgrade.said 2>&1; echo $? >/run/upgrade.code"
    door.machine.agent.ask(f"rm -f /run/upgrade.*; systemd-run -q --collect --unit=upgrade sh -c '{line}'")


def ended(door: OnMachine) -> tuple[int, str]:
    """Its exit code and everything it said, on one line."""
    agent = door.machine.agent
    code = int(agent.until("test -s /run/upgrade.code && cat /run/upgrade.code", "the end of the upgrade", LIMIT_S))
    vm_status.end(agent)
    return code, " ".join(agent.ask("cat /run/upgrade.said").split())

"""How long eye takes from lock's Look to its Probe on a booted machine, and how long its two networks take alone.

What goes from room to room is seen from outside, by strace: of each datagram the two bytes that begin it, the wire's
version and what it is (device/wire). Nothing else of it is written down.
"""

import re
from dataclasses import dataclass
from typing import Final

from device.config.tables import EyeTable
from device.edges import Room
from device.wire import Look, Probe
from tests.support.vm_door import OnMachine, unit
from tests.support.vm_faces import WITHIN_S

FRAMES: Final = EyeTable().frames
"""Of one approach, averaged into its Probe."""
_SEEN, _UNIT = "/run/vm-eye", "vm-eye"
_DATAGRAM: Final = re.compile(r'([0-9]+\.[0-9]+) (recvfrom|sendto)\([0-9]+, "\\x[0-9a-f]{2}\\x([0-9a-f]{2})"')
_NETWORKS: Final = """
import time
from device.config.tables import EyeTable
from device.eye.sight import Sight
from device.paths import models_dir
networks = Sight.load(EyeTable(), models_dir()).networks
for _ in range(4):
    began_s = time.monotonic()
    for network in networks:
        network.invoke_only()
    print(time.monotonic() - began_s)
"""


@dataclass(frozen=True)
class Watched:
    """eye's process, looked at from now on."""

    door: OnMachine

    def decisions_s(self) -> list[float]:
        """From each Look that eye has had to the Probe that answers it, in order: seconds of the guest's clock."""
        looked_s, took = 0.0, []
        for line in self.door.machine.agent.ask(f"cat {_SEEN}").splitlines():
            if found := _DATAGRAM.search(line):
                at_s, call, what = float(found[1]), found[2], int(found[3], 16)
                if call == "recvfrom" and what == Look.code:
                    looked_s = at_s
                elif call == "sendto" and what == Probe.code and looked_s:
                    took.append(at_s - looked_s)
                    looked_s = 0.0
        return took

    def end(self) -> None:
        """Look away."""
        self.door.machine.agent.ask(f"systemctl stop {_UNIT}; rm {_SEEN}")


def watch(door: OnMachine) -> Watched:
    """Look at eye's process as it runs now."""
    process = f"$(systemctl show -P MainPID {unit(Room.EYE)})"
    seen = f"strace -f -q -ttt -xx -s 2 -e trace=recvfrom,sendto -o {_SEEN} -p {process}"
    door.machine.agent.ask(f"systemd-run -q --collect --unit={_UNIT} {seen}")
    attached = f"! grep -q 'TracerPid:[[:space:]]*0$' /proc/{process}/status"
    door.machine.agent.until(attached, "somebody who looks at eye", WITHIN_S)
    return Watched(door)


def networks_s(door: OnMachine) -> float:
    """The quickest of several runs of detector and embedder, one after the other, in a process of their own."""
    python = "/usr/lib/doorward/bin/python -I -B -"
    return min(map(float, door.machine.agent.ask(python, data=_NETWORKS.encode(), limit_s=WITHIN_S).split()))

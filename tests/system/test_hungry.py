"""All memory of the machine is eaten while the door stands open: the bolt ends locked, once, and the PIN opens again.

`test_strained.py` eats in a room's own control group, where the unit's limit ends it at once. Here nothing limits who
eats; the kernel ends them when nothing is left, after it has thrown the programs' code out and read it back many times.
So whoever watches the line holds their own memory fast, and comes before everybody else.
"""

from typing import Final

from device.edges import PROCESSES
from tests.support.vm import told
from tests.support.vm_door import BOLT, PATIENCE_S, OnMachine
from tests.support.vm_resident import RIGHT, UNLOCK_MS
from tools.vm.gpio import OUTPUTS

EATER, WATCHER, SEEN = "vm-eater", "vm-held", "/run/vm-held"
EATS: Final = "/usr/bin/python3 -c 'eaten = []\nwhile True: eaten.append(bytearray(b\"x\") * (1 << 20))'"
LINES: Final = "/usr/local/sbin/vm_lines.py"
# mlockall(2): MCL_CURRENT and MCL_FUTURE.
HELD: Final = f"""
import ctypes, runpy, sys
assert ctypes.CDLL(None).mlockall(3) == 0
sys.argv = ["vm_lines.py", "{SEEN}", "{BOLT.removeprefix("GPIO")}"]
runpy.run_path("{LINES}", run_name="__main__")
"""


def test_all_memory_eaten_while_the_door_is_open_ends_with_a_locked_bolt_and_a_pin_that_opens(door: OnMachine) -> None:
    assert BOLT in OUTPUTS
    agent = door.machine.agent
    agent.put("/run/vm-held.py", HELD.encode())
    agent.put("/run/vm-eater.sh", EATS.encode())
    first = "-p CPUSchedulingPolicy=rr -p CPUSchedulingPriority=50 -p LimitMEMLOCK=infinity -p OOMScoreAdjust=-1000"
    agent.ask(f"systemd-run -q --collect --unit={WATCHER} {first} /usr/bin/python3 -I -B /run/vm-held.py")
    agent.until(f"test -s {SEEN}", "the first look at the line")
    door.press(RIGHT)
    agent.until(f"tail -n 1 {SEEN} | grep -q '1$'", "an open door", PATIENCE_S)
    restarts = {room: door.restarts(room) for room in PROCESSES}
    agent.ask(f"systemd-run -q --unit={EATER} -p OOMPolicy=stop /bin/bash /run/vm-eater.sh")
    agent.until(f"systemctl show -P Result {EATER} | grep -qx oom-kill", "the end of who eats", PATIENCE_S)
    door.well()
    agent.until(f"tail -n 1 {SEEN} | grep -q '0$'", "a locked bolt", PATIENCE_S)
    rows = [line.split() for line in agent.ask(f"cat {SEEN}").splitlines()]
    agent.ask(f"systemctl stop {WATCHER}; systemctl reset-failed {EATER}; rm {SEEN}")
    levels, at_s = [level for _, _, level in rows], [int(micros) / 1e6 for micros, _, _ in rows]
    ended = [room for room in PROCESSES if door.restarts(room) > restarts[room]]
    told(
        f"locked {at_s[2] - at_s[1]:.2f} s after it opened, of {UNLOCK_MS / 1000} s; started anew: {ended or 'nobody'}"
    )
    assert levels == ["0", "1", "0"], "it opened once"
    door.close_the_door()
    door.types(RIGHT)

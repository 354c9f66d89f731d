"""A program of the test's behind the walls of desk's own unit, on a booted machine: what it can reach there.

The unit is the installed one; only what it runs is exchanged, and what ties it to the real desk's sockets is left out.
So its confinement is systemd's, made from the same lines.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

from device.edges import Room
from tests.support.vm_door import OnMachine, unit

_PROGRAM, _SAID = "/usr/local/sbin/vm-behind.py", "/run/vm-behind.json"
_UNIT: Final = "vm-behind.service"
# Lines that belong to the life of the real desk: its sockets, its readiness, its restarts.
_LIFE: Final = (
    r"(?:Requires|After|Sockets|PartOf|OnFailure|StartLimit\w+|Type|NotifyAccess|WatchdogSec|Restart\w*|ExecStart)"
)
_TRIES: Final = """
import fcntl, json, os, socket, struct

def works(act):
    try:
        act()
    except OSError:
        return False
    return True

def call():
    with socket.socket() as line:
        line.settimeout(3)
        line.connect(("10.0.2.100", 8883))

def link(number):
    # Of the namespace of this process; /sys shows those of the machine. A local socket is enough to ask (netdevice(7)).
    with socket.socket(socket.AF_UNIX) as asking:
        try:
            told = fcntl.ioctl(asking, 0x8910, struct.pack("16si20x", b"", number))  # SIOCGIFNAME
        except OSError:
            return ""
    return told[:16].rstrip(b"\\0").decode()

rooms = ("vault", "keeper", "lock", "report")
rooms = [each for each in rooms if works(lambda: os.listdir(f"/var/lib/doorward/{each}"))]
print(json.dumps({
    "own": works(lambda: os.listdir("/var/lib/doorward/desk")),
    "socket": works(lambda: socket.socket().close()),
    "links": sorted(filter(None, map(link, range(1, 64)))),
    "calls": works(call),
    "rooms": rooms,
    "keys": works(lambda: os.listdir("/etc/credstore.encrypted")),
    "writes": works(lambda: open("/etc/doorward/more", "w").close()),
}))
"""


@dataclass(frozen=True)
class Behind:
    """What a program could do there.

    `own`: list desk's folder; `socket`: make one of a network; `links`: the networks it sees; `calls`: reach an
    address; `rooms`: whose folders it lists; `keys`: list the sealed ones; `writes`: change the settings.
    """

    own: bool
    socket: bool
    links: list[str]
    calls: bool
    rooms: list[str]
    keys: bool
    writes: bool


STANDS: Final = Behind(own=True, socket=False, links=["lo"], calls=False, rooms=[], keys=False, writes=False)


def behind(door: OnMachine, without: tuple[str, ...] = (), more: str = "") -> Behind:
    """What can be done there; `without`: settings whose lines are taken away, `more`: lines that are added."""
    agent = door.machine.agent
    installed = agent.ask(f"cat /usr/lib/systemd/system/{unit(Room.DESK)}")
    left_out = re.compile(rf"^(?:{_LIFE}{''.join(f'|{each}' for each in without)})=.*\n", re.MULTILINE)
    assert all(re.search(rf"^{each}=", installed, re.MULTILINE) for each in without), "the unit has no such wall"
    runs = f"Type=oneshot\nExecStart=/usr/bin/python3 -I -B {_PROGRAM}\nStandardOutput=truncate:{_SAID}\n{more}\n"
    agent.put(_PROGRAM, _TRIES.encode())
    agent.put(f"/run/systemd/system/{_UNIT}", (left_out.sub("", installed) + runs).encode())
    agent.ask(f"systemctl daemon-reload; systemctl start {_UNIT}")
    return Behind(**json.loads(agent.ask(f"cat {_SAID}")))

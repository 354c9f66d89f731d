"""The residents' page of a door on a booted machine, as telephones in and beyond the house meet it.

A telephone of the house stands behind the gateway of the machine's own network card; it is a browser in this process
(`tests.support.browser`), and its TLS ends in the guest. A caller from elsewhere is a network namespace in the guest:
what it sends comes over a cable and a route, as from a router. Nothing here is known to the door.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import httpx

from tests.support.browser import Browser
from tests.support.vm_door import STARTS_WITHIN_S, OnMachine
from tools.vm.machine import PAGE_PORT
from tools.vm.say import VmFault

HERE: Final = "127.0.0.1"
DOOR: Final = "10.0.2.15"
GATEWAY: Final = "10.0.2.2"  # whose address a telephone of the house has, as the door sees it
NEIGHBOUR, FAR_AWAY = "192.168.77.2", "198.51.100.7"  # RFC 1918, and RFC 5737: an address of the world
ANSWERS_WITHIN_S = 120.0  # one request to an emulated processor, on a machine that others use as well
_CALLS_FOR_S = 8.0  # by the guest's clock; a page that answers needs a fraction
# What fills the disk is reserved and never written. Not root's doing: its blocks in reserve stay, as they do where a
# program of somebody's fills a disk, and systemd can start a room.
_FULL: Final = "/var/doorward-full"
_FILL: Final = f"""
install -d -o nobody {_FULL}
exec setpriv --reuid=nobody --regid=nogroup --clear-groups bash -c '
for size in 1G 256M 64M 16M 4M 1M 256K 64K 16K 4K; do
    while piece={_FULL}/$(cat /proc/sys/kernel/random/uuid); do
        fallocate -l $size $piece 2>/dev/null || break
    done
    rm -f $piece
done
! dd if=/dev/zero of={_FULL}/more bs=4096 count=1 2>/dev/null'
"""
# The namespace of callers, and a cable to it. The far address is reached by way of the near one: it is no link's.
_STREET: Final = f"""
ip netns list | grep -q '^street' && exit
ip netns add street
ip link add to-street type veth peer name cable netns street
ip address add 192.168.77.1/24 dev to-street; ip link set to-street up
ip -n street address add {NEIGHBOUR}/24 dev cable; ip -n street link set cable up; ip -n street link set lo up
ip -n street address add {FAR_AWAY}/32 dev lo
ip -n street route add {DOOR}/32 via 192.168.77.1
ip route add 198.51.100.0/24 via {NEIGHBOUR}
"""
# What comes back over TLS, whose certificate nobody vouches for: the first line of HTTP, or why there is none.
_CALL: Final = f"""
import socket, ssl, sys
to, by, stays_s = sys.argv[1], sys.argv[2], float(sys.argv[3])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
try:
    plain = socket.create_connection((to, {PAGE_PORT}), {_CALLS_FOR_S}, (by, 0))
    line = context.wrap_socket(plain)
    line.sendall(f"GET /notice.txt HTTP/1.1\\r\\nHost: {{to}}\\r\\n\\r\\n".encode())
    print(line.recv(64).split(b"\\r\\n")[0].decode())
    if stays_s:
        import time
        time.sleep(stays_s)
except TimeoutError:
    print("silence")
except ConnectionError as cause:
    print("shown out")
except ssl.SSLError as cause:
    print("shown out")
"""
ANSWERED, SILENCE, SHOWN_OUT = "HTTP/1.1 200 OK", "silence", "shown out"


class Telephone(Browser):
    """A browser of the house with patience for an emulated processor."""

    def __init__(self, port: int) -> None:
        super().__init__(port, timeout_s=ANSWERS_WITHIN_S)

    @property
    def answered(self) -> bool:
        """Whether the page is served, and shows its start."""
        try:
            self.goes()
        except httpx.TransportError:
            return False
        return True

    def held(self) -> dict[str, object]:
        """What is held of the face of whoever sits there, from the file that they may take along."""
        answer = self._client.get("/export.json")
        if answer.status_code != httpx.codes.OK:
            msg = f"the page gave no export: {answer.status_code} {answer.text[:500]}"
            raise VmFault(msg)
        found: dict[str, object] = json.loads(answer.text)["face"]
        return found


def arm(door: OnMachine) -> None:
    """Type 012 # and nothing more."""
    door.acts(lambda: door.press("012#"))


def opened(door: OnMachine, telephone: Telephone) -> None:
    """Arm the page, and see it answer this telephone with a code."""
    arm(door)
    until(lambda: telephone.answered and bool(telephone.code), "a code on the screen", lambda: pause(door))


def types_code(door: OnMachine, code: str, slot: int, pin: str) -> None:
    """The whole row at the keypad."""
    door.acts(lambda: door.press(f"012#{slot}#{pin}#{code}#"))


def sits_down(door: OnMachine, telephone: Telephone, slot: int, pin: str) -> None:
    """Open the page, and bind this telephone to a resident by the code that it shows."""
    opened(door, telephone)
    types_code(door, telephone.code, slot, pin)
    until(lambda: telephone.sits, "the sitting", lambda: pause(door))
    telephone.goes()


def pause(door: OnMachine) -> None:
    """Half a second of the guest's clock: who asks all the time takes the page its processor."""
    door.machine.agent.ask("sleep 0.5")


def until(done: Callable[[], bool], what: str, meanwhile: Callable[[], None], limit_s: float = STARTS_WITHIN_S) -> None:
    """Return when `done` says so. Raises VmFault, naming `what`, after `limit_s`."""
    ends = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > ends:
            msg = f"{what} did not come within {limit_s:.0f} s"
            raise VmFault(msg)
        meanwhile()


def called(door: OnMachine, to: str, by: str, stays_s: float = 0.0) -> str:
    """What somebody at the address `by` hears who calls the page at `to`: a line of HTTP, silence, or a hang-up."""
    door.machine.agent.ask(_STREET)
    inside = "" if by == HERE else "ip netns exec street "
    return door.machine.agent.ask(f"{inside}python3 -I -B - {to} {by} {stays_s}", data=_CALL.encode()).strip()


def fill(door: OnMachine) -> None:
    """Leave no block of the disk to anybody but root. Raises VmFault if one is left."""
    door.machine.agent.ask(_FILL)


@contextmanager
def full_disk(door: OnMachine) -> Iterator[None]:
    """A disk without a free block for anybody but root, until the end."""
    try:
        fill(door)
        yield
    finally:
        door.machine.agent.ask(f"rm -rf {_FULL}")

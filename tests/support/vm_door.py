"""A whole door on a booted machine: set up as an installer leaves it, driven by its wires, believed by its wires.

`OnMachine.types` presses real keys of the USB keypad through QEMU; whether the strike let go is read off the line that
the bolt hangs on. Nothing of the door is called: its commands are run in the guest as root, as somebody does who stands
before it.
"""

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from device import config as door_config
from device import wire
from device.desk.setup import writing
from device.edges import PROCESSES, Room
from device.paths import Paths
from device.wire import NO_TIMETABLE
from provisioning.invitation import Invitation
from tests.support import vm_status
from tests.support.door import Manager, Said
from tools.vm.gpio import Lines, Watch
from tools.vm.image import BROUGHT
from tools.vm.machine import Machine
from tools.vm.say import VmFault

KEYPAD = "/dev/input/by-path/pci-0000:00:05.0-usb-0:1:1.0-event-kbd"
BOLT, LAMP, LIGHT, FACE, REX, DOOR, TAMPER = "GPIO17", "GPIO27", "GPIO16", "GPIO22", "GPIO23", "GPIO24", "GPIO25"
DOCUMENT = f"{BROUGHT}/document"
PATIENCE_S = 900.0  # an emulated processor, on a machine that others use as well
STARTS_WITHIN_S = 900.0
_KEYS = {"#": "kp_enter", "*": "kp_multiply", **{digit: f"kp_{digit}" for digit in "0123456789"}}
_AT_ONCE = 3  # keys before the guest's clock is asked: QEMU's keyboard holds eight
_CALM_S = 4.0  # longer than a PIN takes to be checked here, between the last key and the answer
_TOML = """
[door]
{named}

[camera]
backend = "{camera}"
device = "{camera_at}"
fps = 10.0
frame_timeout_ms = 5000

[lock]
board = "{board}"
bolt_pin = "{BOLT}"
lamp_pin = "{LAMP}"
status_led_pin = "{LIGHT}"
face_button_pin = "{FACE}"
rex_pin = "{REX}"
door_switch_pin = "{DOOR}"
tamper_pin = "{TAMPER}"
keypad = "{KEYPAD}"
unlock_ms = {unlock_ms}
{more}
"""
# gpiozero asks /proc/cpuinfo which Pi this is; the machine's own says nothing of the kind.
_PI = "[Service]\nBindReadOnlyPaths=/run/cpuinfo:/proc/cpuinfo\n"


# An emulated processor on a machine that others use starts Python in tens of seconds. Watchdogs stay as they are.
_SLOW = "[Service]\nTimeoutStartSec=900\nTimeoutStopSec=120\n"


@dataclass
class OnMachine:
    """One door. `set_up` once, then drive it."""

    machine: Machine
    board: str = "gpiod"
    camera: str = "none"
    camera_at: str = ""  # v4l2 only
    unlock_ms: int = 3000
    more: str = ""
    joined: bool = True  # False: a new door, which `doorctl join` gives to a manager
    door_id: str = field(default_factory=lambda: secrets.token_hex(8))
    manager: Manager = field(default_factory=Manager)

    def __post_init__(self) -> None:
        self.manager.doors[self.door_id] = self.document_key

    @property
    def lines(self) -> Lines:
        """The board's lines, of the machine as it runs now."""
        return Lines(self.machine.agent)

    # ---- setting up

    def set_up(self) -> None:
        """Write what set-up writes, start the door, and return when every room runs and lock has found them."""
        self.begin()
        self.well()
        self.close_the_door()

    def begin(self) -> None:
        """Write what set-up writes and start the door; for one that has not joined, which cannot be well yet."""
        names = {name: globals()[name] for name in ("BOLT", "LAMP", "LIGHT", "FACE", "REX", "DOOR", "TAMPER", "KEYPAD")}
        text = _TOML.format(
            named=f'id = "{self.door_id}"\nmanager_key = "{self.manager.public}"' if self.joined else "",
            camera=self.camera,
            camera_at=self.camera_at,
            board=self.board,
            unlock_ms=self.unlock_ms,
            more=self.more,
            **names,
        )
        agent = self.machine.agent
        agent.until(
            f"systemctl is-active multi-user.target && test -e {KEYPAD}", "the end of the boot", STARTS_WITHIN_S
        )
        settings = door_config.parse(text, without_id=not self.joined)
        for sheet in writing.sheets(settings, Paths(Path("/"))):  # what `doorctl setup` leaves
            if sheet.content is not None:
                agent.put(str(sheet.path), sheet.content)
        agent.put("/etc/systemd/system/doorward-.service.d/60-vm.conf", _SLOW.encode())
        if self.board == "gpiozero":
            agent.put("/etc/systemd/system/doorward-lock.service.d/60-vm.conf", _PI.encode())
        agent.ask("udevadm control --reload; udevadm trigger --settle; systemctl daemon-reload")
        agent.ask("systemctl start --no-block doorward.target")

    def well(self) -> dict[str, Any]:
        """How the door is, as soon as every unit is active and lock has reached every room it needs."""
        self.machine.agent.until(all_active(PROCESSES), "six active services", STARTS_WITHIN_S)
        return self.says(lambda facts: all(facts["rooms"].values()), "a door that is well")

    def says(self, so: Callable[[dict[str, Any]], bool], what: str, limit_s: float = STARTS_WITHIN_S) -> dict[str, Any]:
        """How the door is, as soon as `so` is true of it. Raises VmFault, naming `what`, after `limit_s`."""
        ends = time.monotonic() + limit_s
        while not (facts := vm_status.status(self.machine.agent)) or not so(facts):
            if time.monotonic() > ends:
                msg = f"{what} did not come within {limit_s:.0f} s: {facts}"
                raise VmFault(msg)
            self.machine.agent.ask("sleep 0.7")  # by the guest's clock: the rooms need their processor
        return facts

    def close_the_door(self) -> None:
        """The door shut, the housing closed, nobody on any button: contacts close to ground.

        To be done again after lock has started anew: its pull-up changes the simulated pull of a line, where a real
        contact would win.
        """
        for line, high in ((DOOR, False), (TAMPER, False), (REX, True), (FACE, True)):
            self.lines.pull(line, high=high)

    # ---- what a person does

    def press(self, keys: str) -> None:
        """Press keys of the keypad one after the other, as fast as hands can: a keypad that is faster is a tamper."""
        for begin in range(0, len(keys), _AT_ONCE):
            for key in keys[begin : begin + _AT_ONCE]:
                self.machine.monitor.key(_KEYS[key])
            self.machine.agent.ask(f"sleep {_AT_ONCE / 10}")  # by the guest's clock

    def types(self, keys: str, limit_s: float = PATIENCE_S) -> tuple[float, float]:
        """Press keys, and see the strike let go and fall again: when, by the guest's clock. Raises VmFault."""
        watch = self.lines.watch()
        self.press(keys)
        return watch.wait_pulse(BOLT, limit_s)

    def lets_in(self, keys: str, limit_s: float = PATIENCE_S) -> None:
        """Press keys, see the strike let go, and go in, so that nobody waits for it to fall. Raises VmFault."""
        watch = self.lines.watch()
        self.press(keys)
        watch.wait_high(BOLT, limit_s)
        self.lines.pull(DOOR, high=True)
        self.machine.agent.ask("sleep 0.5")  # by the guest's clock
        self.lines.pull(DOOR, high=False)
        watch.wait_pulse(BOLT, limit_s)

    def will_go_in(self) -> None:
        """Somebody in the guest goes in as soon as the strike lets go: the door is pulled open, and falls shut.

        In the guest, because a command from here may take longer than the door is open.
        """
        bolt, pull = level(BOLT), level(DOOR).replace("value", "pull")
        script = (
            f"bolt=$(echo {bolt}); pull=$(echo {pull}); "
            "while read high <$bolt && [ $high = 0 ]; do sleep 0.3; done; "
            "echo pull-up >$pull; sleep 0.5; echo pull-down >$pull"
        )
        self.machine.agent.ask(f"systemd-run --quiet --collect --unit=vm-visitor /bin/sh -c '{script}'")

    def acts(self, act: Callable[[], object]) -> Watch:
        """Do something that the door answers, and return when its light has answered and is dark again.

        The light answers every act, refused and noted as well as opened; the watch saw it and the bolt.
        """
        self.calm()
        watch = self.lines.watch()
        act()
        self.calm()
        return watch

    def calm(self) -> None:
        """Return when the light answers nobody."""
        self.machine.agent.until(_dark(_CALM_S), "a calm light", STARTS_WITHIN_S)

    # ---- commands

    def doorctl(self, *words: str) -> Said:
        """Run `doorctl ... --json` in the guest."""
        answer = self.machine.agent.run(f"doorctl {' '.join(words)} --json")
        return Said(answer.code, answer.out, answer.err)

    def document_key(self) -> bytes:
        """What documents are sealed to, from `doorctl export-identity`."""
        said = self.doorctl("export-identity")
        if said.code:
            msg = f"the door does not say who it is: {said}"
            raise VmFault(msg)
        return bytes.fromhex(said.facts["document_key"])

    def offer(self, slot: int) -> Invitation:
        """The manager offers `slot`; the document is applied at the door."""
        content, invitation = self.manager.offer(self.door_id, slot, ends_unix=wire.NO_END, timetable=NO_TIMETABLE)
        self.machine.agent.put(DOCUMENT, content)
        said = self.doorctl("apply", DOCUMENT)
        if said.code:
            msg = f"the offer was not taken: {said}"
            raise VmFault(msg)
        return invitation

    def move_in(self, slot: int, pin: str) -> None:
        """A resident sets `pin` with the invitation, at the keypad."""
        invitation = self.offer(slot)
        self.acts(lambda: self.press(f"00#{slot}#{invitation.digits}#{pin}#{pin}#"))

    def kill(self, room: Room, number: int = 9) -> None:
        """Send a signal to a room's process."""
        self.machine.agent.ask(f"systemctl kill -s {number} --kill-who=main {unit(room)}")

    def restarts(self, room: Room) -> int:
        """How often systemd has started it anew by itself."""
        return int(self.machine.agent.ask(f"systemctl show -P NRestarts {unit(room)}"))

    def state(self, room: Room) -> Path:
        """Its state folder in the guest."""
        return Path("/var/lib/doorward") / room


def unit(room: Room) -> str:
    """A room's unit."""
    return f"doorward-{room}.service"


def all_active(rooms: Iterable[Room]) -> str:
    """A script that succeeds when all these rooms are up: `systemctl is-active` is content with one of many."""
    names = [unit(room) for room in rooms]
    return f"[ $(systemctl is-active {' '.join(names)} | grep -c '^active$') = {len(names)} ]"


def level(line: str) -> str:
    """The file in the guest that holds a line's level."""
    return f"/sys/devices/platform/gpio-sim.0/gpiochip*/sim_gpio{line.removeprefix('GPIO')}/value"


def _dark(calm_s: float) -> str:
    """A script that succeeds when the status light was dark for so long: nobody is being answered.

    No program is started to look or to wait: on an emulated processor that would be most of what it costs.
    """
    looks = round(calm_s / 0.1)
    return (
        f"line=$(echo {level(LIGHT)}); exec 9<> <(:); "
        f"for _ in $(seq {looks}); do read -r high <$line; [ $high = 0 ] || exit 1; read -r -t 0.1 -u 9; done; true"
    )

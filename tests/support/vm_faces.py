"""A resident's face on a booted machine: pictures in front of its USB camera, enrolling and looking.

At a door that has no liveness module a face alone opens nothing. What a face is worth there: whoever was recognised
types the PIN without the flat number. For anybody else the door asks in the same way, and the same keys are refused.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from device.desk.sentences import HINTS, KEYPAD, PRESS_AND_LOOK
from device.edges import Room
from device.wire import Hint, Purpose
from tests.support.vm_door import BOLT, FACE, LAMP, LIGHT, OnMachine, all_active, level, unit
from tools.portraits import portrait
from tools.vm.camera.plugged import PluggedCamera
from tools.vm.gpio import Watch
from tools.vm.say import VmFault

USB = "/dev/v4l/by-path/pci-0000:00:05.0-usb-0:2:1.0-video-index0"
WITHIN_S = 900.0  # a machine whose clock counts instructions takes its time on a busy computer
ENROL = "01"
_ASKED_TO_CONFIRM = HINTS[Hint.CONFIRM_WITH_PIN]


def views() -> tuple[Path, ...]:
    """One person in several views, shown in turn: no two are the same picture."""
    return tuple(portrait(name, zoom) for zoom in (1.0, 1.1, 1.2) for name in ("obama.jpg", "obama2.jpg"))


def another_view() -> Path:
    """The same person in a picture that nobody enrols from."""
    return portrait("obama3.jpg", zoom=1.3)


def stranger() -> Path:
    """Somebody else."""
    return portrait("biden.jpg")


class Doorctl:
    """One `doorctl` command that runs in the guest while a test goes on. What it says lies in memory, on no disk."""

    def __init__(self, door: OnMachine, *words: str) -> None:
        self._agent = door.machine.agent
        command = f"doorctl {' '.join(words)} --json >/run/act.out 2>/run/act.err; echo $? >/run/act.code"
        self._agent.ask(f"rm -f /run/act.*; systemd-run -q --collect --unit=act sh -c '{command}'")

    @property
    def ended(self) -> bool:
        """Whether it ended."""
        return self._agent.run("test -s /run/act.code").code == 0

    def told(self, sentence: str) -> bool:
        """Whether it said that to the person."""
        return sentence in self._agent.run("cat /run/act.err").out

    def until(self, sentence: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Return when it says so. Raises VmFault if it ends instead, or takes too long."""
        ends = time.monotonic() + WITHIN_S
        while not self.told(sentence):
            if (self.ended and not self.told(sentence)) or time.monotonic() > ends:
                msg = f"doorctl did not say {sentence!r}: {self._agent.run('tail -n 5 /run/act.*').out}"
                raise VmFault(msg)
            meanwhile()
            self._agent.ask("sleep 0.4")  # by the guest's clock: whoever looks too often takes eye its processor

    def answer(self) -> dict[str, Any]:
        """Its answer, once it has ended."""
        self._agent.until("test -s /run/act.code", "the end of doorctl", WITHIN_S)
        facts: dict[str, Any] = json.loads(self._agent.ask("cat /run/act.out").strip().splitlines()[-1])
        return facts


def press(door: OnMachine) -> None:
    """Press the face button once."""
    door.lines.pull(FACE, high=False)
    door.machine.agent.ask("sleep 0.2")  # by the guest's clock
    door.lines.pull(FACE, high=True)


def dark(door: OnMachine) -> None:
    """Return when the camera's lamp is dark."""
    door.machine.agent.until(f"test $(cat {level(LAMP)}) = 0", "the lamp dark", WITHIN_S)


@contextmanager
def seen_for_enrolment(
    door: OnMachine, camera: PluggedCamera, slot: int, pin: str, pictures: Iterable[Path]
) -> Iterator[Doorctl]:
    """Consent, prove the PIN, press and look, up to the question for the PIN: nothing is kept of it yet."""
    doorctl = Doorctl(door, "enrol", "--consent", "--wait", "120")
    doorctl.until(KEYPAD[Purpose.ENROL])
    door.acts(lambda: door.press(f"{ENROL}#{slot}#{pin}#"))
    doorctl.until(PRESS_AND_LOOK)
    shown = itertools.cycle(pictures)
    camera.show(next(shown))
    press(door)
    doorctl.until(_ASKED_TO_CONFIRM, lambda: camera.show(next(shown)))
    dark(door)
    yield doorctl


def enrol(door: OnMachine, camera: PluggedCamera, slot: int, pin: str) -> dict[str, Any]:
    """All of it; what `doorctl enrol` answered."""
    with seen_for_enrolment(door, camera, slot, pin, views()) as doorctl:
        door.press(f"{ENROL}#{slot}#{pin}#")
        return doorctl.answer()


def looks(door: OnMachine, camera: PluggedCamera, picture: Path | None) -> Watch:
    """Press the face button with this picture in front of the camera, and wait for the answer; what the door did."""
    camera.show(picture)

    def looking() -> None:
        watch = door.lines.watch()
        press(door)
        _until(lambda: len(watch.changes(LIGHT)) > 1, "an answer to the button")
        dark(door)

    return door.acts(looking)


def face_and_pin_open(door: OnMachine, camera: PluggedCamera, picture: Path, pin: str) -> bool:
    """Whether this face and the PIN, without a flat number, let the strike go."""
    looks(door, camera, picture)
    return pin_alone_opens(door, pin)


def pin_alone_opens(door: OnMachine, pin: str) -> bool:
    """Whether the PIN without a flat number lets the strike go, as it does for a moment after a face that is known."""
    watch = door.lines.watch()
    door.press(f"{pin}#")
    door.calm()
    return any(change.high for change in watch.changes(BOLT))


def serves(door: OnMachine, *rooms: Room) -> None:
    """Return when these rooms are there for lock and a command, and lock has its keypad; others may be missing."""
    agent = door.machine.agent
    agent.until(all_active(rooms), "the rooms", WITHIN_S)
    keypad = f"ls -l /proc/$(systemctl show -P MainPID {unit(Room.LOCK)})/fd | grep -q /dev/input/event"
    agent.until(keypad, "lock with its keypad", WITHIN_S)
    door.says(lambda facts: all(facts["rooms"][room] for room in rooms), f"the door with {', '.join(rooms)}", WITHIN_S)


def sees(door: OnMachine) -> None:
    """Return when the door says that its camera is well: a lamp that stays dark is then not for want of one."""
    door.says(lambda facts: facts["camera"] == "well", "the camera", WITHIN_S)


def _until(condition: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + WITHIN_S
    while not condition():
        if time.monotonic() > ends:
            msg = f"{what} did not come within {WITHIN_S:.0f} s"
            raise VmFault(msg)
        time.sleep(0.3)  # it is asked again, and nothing follows from how long that takes

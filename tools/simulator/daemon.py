"""The process that is a simulated door's hardware and init: `python -m tools.simulator.daemon ROOT`.

Rules kept here:
- One owner of the cable at a time, as one line has one owner; when it hangs up, the lines fall.
- A card is held before the reader until lock lets it go, or it is pulled away; it stands for card and reader.
- What a person or a test does comes in by `control.sock`, one JSON object a line, one answer each.
- `down` ends the rooms in order; `cut` is a power cut: everything is killed at once and nobody is asked.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device import config as door_config
from device.edges import PROCESSES, Room
from device.errors import Refusal
from device.lock.board_sim import MAX_WORDS
from device.lock.bolt import Wiring
from device.lock.keypad import KEYS
from device.paths import Paths
from device.urgency import come_first
from tools.simulator import scene
from tools.simulator.cards.status import CardFileRefused, CardGone
from tools.simulator.init import Init
from tools.simulator.world import World

if TYPE_CHECKING:  # a card's own cryptography is no part of a door: loaded when a card is shown, see `_tap`
    from tools.simulator.cards.card import SimulatedCard

_STOP_S = 3.0


class Daemon:
    """One simulated door."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self._selector = selectors.DefaultSelector()
        config = door_config.load(paths.config, without_id=True)
        self._world = World(Wiring(config.lock.wiring))
        self._page = config.page.served
        self._scene = paths.board / "scene.json"
        self._init = Init(paths, self._watch, self._unwatch)
        self._init.ended = self._room_ended
        self._owner: socket.socket | None = None
        self._card: SimulatedCard | None = None
        self._light: scene.Light | None = None
        self._stopping = False

    def serve(self) -> None:
        """Run until `down` or `cut`."""
        scene.write(scene.Standing(), self._scene)
        scene.camera_gone(self._scene)
        self._light = scene.Light(self._scene)
        cable = _listen(self.paths.board / "cable.sock", socket.SOCK_SEQPACKET)
        control = _listen(self.paths.board / "control.sock", socket.SOCK_STREAM)
        self._watch(cable.fileno(), lambda: self._plugged_in(cable))
        self._watch(control.fileno(), lambda: self._called(control))
        self._init.prepare(PROCESSES, page=self._page)
        (self.paths.board / "pid").write_text(f"{os.getpid()}\n", encoding="ascii")
        while not self._stopping:
            self._turn()

    def _turn(self) -> None:
        now = time.monotonic()
        self._init.tend(now)
        self._world.elapsed(time.monotonic_ns())
        ends = [self._init.deadline()]
        if self._world.coil_until_ns is not None:
            ends.append(self._world.coil_until_ns / 1e9)
        due = min((end for end in ends if end is not None), default=None)
        for key, _ in self._selector.select(None if due is None else max(0.0, due - time.monotonic())):
            callback: Callable[[], None] = key.data
            callback()

    def _watch(self, fileno: int, callback: Callable[[], None]) -> None:
        self._selector.register(fileno, selectors.EVENT_READ, callback)

    def _unwatch(self, fileno: int) -> None:
        self._selector.unregister(fileno)

    # ---- the cable to lock

    def _plugged_in(self, cable: socket.socket) -> None:
        owner, _ = cable.accept()
        if self._owner:
            owner.send(b"taken")
            owner.close()
            return
        owner.send(b"yours")
        self._owner = owner
        self._say("door open" if self._world.door_open else "door closed")
        if self._world.tamper:
            self._say("tamper on")
        self._watch(owner.fileno(), self._owner_spoke)

    def _owner_spoke(self) -> None:
        if self._owner is None:
            return
        try:
            words = self._owner.recv(MAX_WORDS)
        except OSError:
            words = b""
        if words.startswith(b"card "):
            self._to_card(words.decode("ascii", "replace").removeprefix("card "))
            return
        if words:
            self._world.told(words.decode("ascii", "replace"), time.monotonic_ns())
            self._shine()
            return
        self._unwatch(self._owner.fileno())
        self._owner.close()
        self._owner = self._card = None
        self._world.owner_gone(time.monotonic_ns())
        self._shine()

    def _shine(self) -> None:
        """Let the camera see the lights as they burn now."""
        if self._light and self._light.told != self._world.light_changes:
            self._light.tell(self._world.light_history, self._world.light_changes)

    # ---- the card in front of the reader

    def _tap(self, asked: dict[str, Any]) -> None:
        if self._card:
            msg = "a card is in front of the reader already"
            raise ValueError(msg)
        from tools.simulator.cards.card import SimulatedCard

        self._card = SimulatedCard.load(Path(asked["card"]))
        if asked["pull_away_after"] is not None:
            self._card.pull_away_after(int(asked["pull_away_after"]))
        self._say("card here")

    def _to_card(self, words: str) -> None:
        if self._card is None:
            return
        if words == "-":
            self._card = None
            self._say("card gone")
            return
        try:
            answer = self._card.process(bytes.fromhex(words))
        except (CardGone, CardFileRefused):  # pulled away, or its file cannot be written
            self._card = None
            self._say("card gone")
            return
        self._world.card_ns = time.monotonic_ns()
        self._say(f"card {answer.hex()}")

    def _say(self, words: str) -> None:
        if self._owner:
            self._owner.send(words.encode("ascii"))

    def _room_ended(self, room: Room) -> None:
        if room is Room.EYE:
            scene.camera_gone(self._scene)

    # ---- people and tests

    def _called(self, control: socket.socket) -> None:
        caller, _ = control.accept()
        with caller, caller.makefile("rwb") as line:
            caller.settimeout(2.0)
            try:
                request = json.loads(line.readline(65536))
                answer = self._do(str(request.pop("do")), request)
            except Refusal as refusal:
                answer = {"error": str(refusal)}  # a sentence for the person already
            except (ValueError, KeyError, TypeError, OSError) as refusal:
                answer = {"error": f"doorsim did not understand: {refusal}"}
            try:
                line.write(json.dumps(answer).encode() + b"\n")
                line.flush()
            except OSError:
                pass  # the caller hung up; what was done is done

    def _do(self, action: str, request: dict[str, Any]) -> dict[str, Any]:
        if action == "state":
            return self._state()
        if action == "news":
            return self._news(int(request["after"]))
        actions: dict[str, Callable[[dict[str, Any]], None]] = {
            "show": self._show,
            "press": self._press,
            "keys": self._keys,
            "tap": self._tap,
            "door": self._move_door,
            "tamper": self._tamper,
            "kill": lambda asked: self._init.kill(Room(asked["room"]), int(asked["signal"])),
            "stop": lambda asked: self._init.stop(Room(asked["room"])),
            "start": lambda asked: self._init.start(Room(asked["room"])),
            "down": lambda _: self._down(),
            "cut": lambda _: self._cut(),
        }
        actions[action](request)
        return {"done": action}

    def _show(self, asked: dict[str, Any]) -> None:
        source = Path(asked["source"]) if asked["source"] else None
        scene.write(scene.Standing(source, float(asked["fps"]), float(asked["scale"])), self._scene)

    def _press(self, asked: dict[str, Any]) -> None:
        if asked["what"] not in ("face", "rex"):
            msg = "there is a face button and a request-to-exit button"
            raise ValueError(msg)
        self._say(asked["what"])

    def _keys(self, asked: dict[str, Any]) -> None:
        if not set(asked["keys"]) <= set(KEYS):
            msg = f"the keypad has the keys {KEYS}"
            raise ValueError(msg)
        for key in asked["keys"]:
            self._world.key_ns = time.monotonic_ns()
            self._say(f"key {key}")

    def _move_door(self, asked: dict[str, Any]) -> None:
        self._world.door_open = bool(asked["open"])
        self._say("door open" if self._world.door_open else "door closed")

    def _tamper(self, asked: dict[str, Any]) -> None:
        self._world.tamper = bool(asked["on"])
        self._say("tamper on" if self._world.tamper else "tamper off")

    def _news(self, after: int) -> dict[str, Any]:
        """What changes from one moment to the next, for whoever asks often; the tones behind the first `after`."""
        world = self._world
        new = min(max(world.signals_made - after, 0), len(world.signals))
        return {
            "granted": world.released,
            "indicator": world.lamp,
            "releases": world.releases,
            "signals_made": world.signals_made,
            "signals": list(world.signals)[len(world.signals) - new :],
            "processes": {str(room): process.word for room, process in self._init.processes.items()},
            "pids": {str(room): process.pid for room, process in self._init.processes.items()},
        }

    def _state(self) -> dict[str, Any]:
        world, counted = self._world, scene.meter(self._scene)
        return {
            "granted": world.released,
            "coil": "on" if world.coil else "off",
            "indicator": world.lamp,
            "lights": list(world.lights),
            "camera_open": counted.is_open,
            "frames_read": counted.frames,
            "last_frame_ns": counted.last_frame_ns,
            "door": "open" if world.door_open else "closed",
            "tamper": world.tamper,
            "releases": world.releases,
            "last_key_ns": world.key_ns,
            "last_card_ns": world.card_ns,
            "last_signal_ns": world.signal_ns,
            "signals": list(world.signals),
            "signals_made": world.signals_made,
            "history": [[change.at_ns, change.line, change.level] for change in world.history],
            "light_history": [[change.at_ns, change.left, change.right] for change in world.light_history],
            "page_port": self._init.page_port,
            "processes": {str(room): process.word for room, process in self._init.processes.items()},
            "pids": {str(room): process.pid for room, process in self._init.processes.items()},
        }

    def _down(self) -> None:
        for room in reversed(PROCESSES):
            self._init.stop(room)
        end = time.monotonic() + _STOP_S
        while any(process.pid for process in self._init.processes.values()) and time.monotonic() < end:
            for key, _ in self._selector.select(0.1):
                if key.fileobj in {process.pidfd for process in self._init.processes.values()}:
                    key.data()
        self._cut()

    def _cut(self) -> None:
        for process in self._init.processes.values():
            process.start_at_s = None
            if process.pid:
                os.kill(process.pid, signal.SIGKILL)
        for process in self._init.processes.values():
            if process.pid:
                os.waitpid(process.pid, 0)
                process.pid = 0
        (self.paths.board / "pid").unlink(missing_ok=True)
        self._stopping = True


def _listen(path: Path, kind: socket.SocketKind) -> socket.socket:
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, kind)
    sock.bind(str(path))
    sock.listen(16)
    return sock


def main() -> int:
    """Serve the door under the folder in argv[1]."""
    os.umask(0o077)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the command that talks to us
    daemon = Daemon(Paths(Path(sys.argv[1])))
    come_first("doorsim")  # a chip waits for no processor, and its rooms start as ordinary processes
    daemon.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Whoever stands before the simulated door: types, taps, looks, and hears the answer; and who kills a room meanwhile.

Rules kept here:
- Answers are those of the simulated hardware: the tone a person hears, and whether the strike let go by its own count.
- Nobody waits for a fixed time to make something true; a wait that ends without what was waited for is a Stuck.
- An act begins once the door is secured and dark, and whoever was let in goes in, so that it locks behind them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from device import wire
from device.desk.client import DeskFault, DeskLine
from device.edges import Room
from device.errors import Fault, MessageRefused, NotPermitted
from tools.simulator.client import Door, SimulatorRefused

PASSING: Final = frozenset({"KEY", "WAIT", "LOOK"})  # all other tones answer the person
PATIENCE_S: Final = 45.0  # on a machine that others use too
INTERRUPTED_S: Final = 9.0  # lock gives a check up after 6 s
POLL_S: Final = 0.004
OPENED: Final = "OPENED"
NOTHING: Final = ""


class Stuck(Fault, TimeoutError):
    """The door did not come to something in time."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The answer, empty if there was none, and whether the strike let go. `interrupted`: a room died meanwhile."""

    signal: str
    opened: bool
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Death:
    """A room to be killed `after_ms` after an act began."""

    room: Room
    after_ms: int


@dataclass(slots=True)
class Street:
    """Before the door `door`. `counted(releases, before, opened)` hears of every act what the strike did."""

    door: Door
    counted: Callable[[int, int, bool], None]
    _shown: tuple[Path | None, float] | None = field(default=None)
    _killed: dict[Room, int] = field(default_factory=dict)  # numbers of processes that have to be others again

    def types(self, keys: str, death: Death | None = None) -> Heard:
        """Press keys on the keypad."""
        return self.does(lambda: self.door.keys(keys), death)

    def taps(self, card: Path, death: Death | None = None) -> Heard:
        """Hold a card to the reader."""
        return self.does(lambda: self._tap(card), death)

    def looks(self, picture: Path, death: Death | None = None) -> Heard:
        """Press the face button with this picture before the camera."""
        self.shows(picture)
        return self.does(lambda: self.door.press("face"), death)

    def shows(self, picture: Path | None, fps: float = 30.0) -> None:
        """Somebody stands before the camera."""
        if self._shown != (picture, fps):
            self.door.show(picture, fps)
            self._shown = (picture, fps)

    def forgets(self) -> None:
        """The simulator began anew: nobody stands there."""
        self._shown = None

    def does(self, act: Callable[[], object], death: Death | None = None) -> Heard:
        """One act at the door, and its answer."""
        before = self.idle()
        act()
        if death is not None:
            time.sleep(death.after_ms / 1000)
            self.kills(death.room)
        heard = self._answer(before, death)
        if heard.opened:
            self.goes_in()
        return heard

    def hurries(self) -> None:
        """Who sees and who compares come before others on this machine, as on a board that does nothing else.

        An answer that is late by half a second counts no more: a machine that starves them refuses every face.
        """
        for room in (Room.EYE, Room.VAULT):
            self.door.hurry(room)

    def idle(self) -> dict[str, Any]:
        """Once the door is secured and dark: what the hardware says."""
        return self.until(lambda now: not now["granted"] and not now["indicator"], "the door secured and dark")

    def goes_in(self) -> None:
        """Somebody pulls the released door open and lets it fall shut: it locks behind them."""
        self.door.move_door(is_open=True)
        self.door.move_door(is_open=False)
        self.until(lambda now: not now["granted"], "the door secured")

    def until(
        self, wanted: Callable[[dict[str, Any]], bool], what: str, patience_s: float = PATIENCE_S
    ) -> dict[str, Any]:
        """What the hardware says as soon as it is `wanted`. Raises Stuck."""
        ends = time.monotonic() + patience_s
        while not wanted(now := self.door.news(2**62)):
            if time.monotonic() > ends:
                msg = f"within {patience_s:g} s this did not come: {what}"
                raise Stuck(msg)
            time.sleep(POLL_S)
        return now

    def kills(self, room: Room) -> None:
        """End the process of `room` at once."""
        pid = int(self.door.news(2**62)["pids"][room])
        self.door.kill(room)
        self._killed[room] = pid

    def well(self) -> wire.DoorStatus:
        """Once all six processes run, and lock has reached every room. Raises Stuck.

        Whoever was killed is another process by then: for a moment the simulator takes a dead one for one that runs.
        """
        self.until(
            lambda now: (
                set(now["processes"].values()) == {"up"}
                and all(now["pids"][room] != pid for room, pid in self._killed.items())
            ),
            "all processes up",
        )
        self._killed.clear()
        ends = time.monotonic() + PATIENCE_S
        while True:
            status = self.status()
            if status is not None and all((status.eye, status.vault, status.keeper, status.report)):
                return status
            if time.monotonic() > ends:
                msg = f"the rooms did not find each other again: {status}"
                raise Stuck(msg)
            time.sleep(0.02)

    def status(self) -> wire.DoorStatus | None:
        """What `doorctl status` is told; None if the desk cannot say."""
        try:
            with DeskLine.open(self.door.paths) as line:
                answer = line.ask(wire.AskStatus(), 5.0)
        except (DeskFault, MessageRefused, NotPermitted):
            return None
        return answer if isinstance(answer, wire.DoorStatus) else None

    def _tap(self, card: Path) -> None:
        ends = time.monotonic() + INTERRUPTED_S
        while True:
            try:
                return self.door.tap(card)
            except SimulatorRefused:  # the card before is still being let go
                if time.monotonic() > ends:
                    raise
                time.sleep(POLL_S)

    def _answer(self, before: dict[str, Any], death: Death | None) -> Heard:
        already, pid = int(before["signals_made"]), before["pids"][Room.LOCK]
        ends = time.monotonic() + (PATIENCE_S if death is None else INTERRUPTED_S)
        while True:
            now = self.door.news(already)
            said = [each for each in now["signals"] if each.split()[0] not in PASSING]
            lost = death is not None and death.room is Room.LOCK and now["pids"][Room.LOCK] not in (0, pid)
            if said or lost or time.monotonic() > ends:
                break
            time.sleep(POLL_S)
        if not said and death is None:
            msg = f"within {PATIENCE_S:g} s nobody answered at the door"
            raise Stuck(msg)
        # The strike is told before the person is: whoever heard the answer finds the release counted.
        now = self.door.news(2**62)
        opened = now["releases"] > before["releases"]
        heard = Heard(said[0] if said else NOTHING, opened, interrupted=death is not None)
        self.counted(now["releases"], before["releases"], opened)
        if not opened and heard.signal == OPENED:
            self.counted(1, 0, False)
        return heard

"""The house behind the showroom: a manager's fleet, a broker, one door that joined, and what a visitor may do there.

Rules kept here:
- It is made by the commands of the README, printed as they run, in a temporary folder that goes with it.
- An act is what `doorsim` does, by the same client; one that cannot be done is a sentence for the visitor.
- What a visitor does to the leaf goes through `passage`: a bolt that holds, holds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from nacl.public import PrivateKey

from device.edges import Room
from device.errors import Refusal
from device.lock.bolt import Wiring
from provisioning import reporting
from tools.broker import Witness
from tools.demo.stage import PASSPHRASE, Stage, stage
from tools.simulator.client import Door, SimulatorRefused
from tools.simulator.held_up import As
from tools.simulator.showroom import pictures, view
from tools.simulator.showroom.passage import Passage
from tools.simulator.showroom.pictures import Held
from tools.simulator.showroom.terminal import Terminal
from tools.simulator.showroom.tour import SLOT, Progress, Step, steps
from tools.simulator.showroom.view import View

MAX_KEYS: Final = 64


class ActRefused(Refusal, ValueError):
    """The visitor asked for something that cannot be done, and why."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the door is to be: its tier and wiring as in door.toml, and the seconds between its reports."""

    tier: str = "face"
    wiring: str = "fail-secure"
    cadence_s: float = 5.0
    unlock_ms: int = 4000


@dataclass
class House:
    """One door and everything around it. `say(kind, line)` tells the visitor something, from any thread."""

    stage: Stage
    invitation: str
    notice: str
    alarm_key: PrivateKey
    wishes: Wishes = field(default_factory=Wishes)
    say: Callable[[str, str], None] = field(default=lambda _kind, _line: None)
    passage: Passage = field(default_factory=Passage)
    progress: Progress = field(default_factory=Progress)
    held: Held = field(default_factory=Held)
    busy: str = ""  # what takes a moment just now
    terminal: Terminal = field(init=False)
    _moving: threading.Lock = field(default_factory=threading.Lock)  # power and what stands there: one at a time

    def __post_init__(self) -> None:
        self.terminal = Terminal(self.stage.environ, self._terminal_says, self._terminal_ended)
        self._notice_lines = frozenset(line.strip() for line in self.notice.splitlines())
        self._wiring = Wiring(self.wishes.wiring)
        self._enrolments = 0

    @property
    def door(self) -> Door:
        """The simulated door."""
        return self.stage.door

    @property
    def witness(self) -> Witness:
        """Who hears everything at the broker."""
        return self.stage.witness

    @property
    def fleet(self) -> Path:
        """The manager's folder."""
        return self.stage.folder / "fleet"

    @property
    def tour(self) -> tuple[Step, ...]:
        """What there is to try."""
        return steps(self.invitation)

    def look(self) -> tuple[View, list[str]]:
        """The hardware as it is now, and the last tones it remembers."""
        try:
            state = self.door.state()
        except SimulatorRefused:
            return view.without_power(self._wiring), []
        return view.of(state), list(state["signals"])

    def tend(self, now: View) -> None:
        """Let whoever walks through walk through, and the closer close."""
        wanted = self.passage.seen(now, time.monotonic())
        if wanted is not None:
            self.door.move_door(is_open=wanted)

    def heard(self, words: str) -> None:
        """A tone, for the tour."""
        self.progress.heard(words.split(maxsplit=1)[0])

    def act(self, asked: Mapping[str, Any]) -> str:
        """Do what the visitor asks, such as {"act": "keys", "keys": "12#482913#"}; a sentence, or "".

        Raises ActRefused for what is no act or cannot be done now, and Refusal for what the simulator refuses.
        """
        acts: dict[str, Callable[[Mapping[str, Any]], str]] = {
            "keys": self._keys,
            "press": self._press,
            "hold": self._hold,
            "tap": self._tap,
            "leaf": self._leaf,
            "walks": self._walks,
            "power": self._power,
            "enrol": self._enrol,
        }
        name = asked.get("act")
        if not isinstance(name, str) or name not in acts:
            raise ActRefused("The showroom has no such act.")
        if name not in ("power", "walks") and not self.door.running():
            raise ActRefused("There is no power: put the cord back first.")
        return acts[name](asked)

    def close(self) -> None:
        """End what was started beside the door."""
        self.terminal.close()

    # ---- what a visitor does

    def _keys(self, asked: Mapping[str, Any]) -> str:
        keys = asked.get("keys")
        if not isinstance(keys, str) or not 1 <= len(keys) <= MAX_KEYS:
            raise ActRefused(f"The keypad takes 1 to {MAX_KEYS} keys at a time.")
        self.progress.typed(keys)
        self.door.keys(keys)
        return ""

    def _press(self, asked: Mapping[str, Any]) -> str:
        if asked.get("what") == "face":
            self.door.hurry(Room.EYE)  # whatever else this machine does is no part of a door
            self.progress.pressed_face("" if self.terminal.busy else self.held.kind)
            self.door.press("face")
            return ""
        if asked.get("what") != "exit":
            raise ActRefused("There is a face button, and an exit button inside.")
        self.door.press("rex")
        self.door.move_door(is_open=True)
        return "Somebody leaves: the exit button opens by wires of its own, and software only hears of it."

    def _hold(self, asked: Mapping[str, Any]) -> str:
        who, kind = asked.get("who"), asked.get("kind")
        if who == "":
            self._stands(Held(), None)
            return "Nobody stands before the door."
        if who not in pictures.PEOPLE or kind not in [str(each) for each in As]:
            raise ActRefused("Nobody here looks like that.")
        self._stands(Held(str(who), str(kind)), pictures.picture(str(who)))
        return f"Before the lens: {pictures.in_words(str(who), str(kind))}. Nothing looks yet."

    def _stands(self, held: Held, source: Path | None, fps: float | None = None) -> None:
        with self._moving:
            self.busy = "A picture is being rendered for the two lights." if source else ""
            try:
                self.door.show(source, fps, held_up=As(held.kind) if held.kind else None)
                self.held = held
            finally:
                self.busy = ""

    def _tap(self, asked: Mapping[str, Any]) -> str:
        card = asked.get("card")
        own, copy = self.stage.folder / "card.json", self.stage.folder / "copy.json"
        if card == "copy":
            from tools.simulator.cards.card import SimulatedCard
            from tools.simulator.cards.enemies import clone_of

            clone_of(SimulatedCard.load(own)).save(copy)
        elif card != "own":
            raise ActRefused("There is a card of yours, and a copy of it.")
        self.progress.tapped(str(card))
        self.door.tap(copy if card == "copy" else own)
        return (
            "A copy of what can be read of your card is at the reader."
            if card == "copy"
            else "Your card is at the reader."
        )

    def _leaf(self, asked: Mapping[str, Any]) -> str:
        how = asked.get("how")
        if how == "force":
            self.door.move_door(is_open=True)
            return "Somebody breaks the door open. No bolt let go."
        if how != "push":
            raise ActRefused("A door is pushed, or forced.")
        if not self.door.state()["granted"]:
            return "The door does not move: the bolt holds."
        self.door.move_door(is_open=True)
        return ""

    def _walks(self, asked: Mapping[str, Any]) -> str:
        self.passage.walks = asked.get("on") is True
        return ""

    def _power(self, asked: Mapping[str, Any]) -> str:
        on = asked.get("on")
        if not isinstance(on, bool):
            raise ActRefused("The cord is in, or it is out.")
        with self._moving:
            if on is self.door.running():
                raise ActRefused("The cord is in already." if on else "The cord is out already.")
            if not on:
                self.door.cut()
                self.held = Held()
                return ""
            self.busy = "Six processes are starting."
            try:
                self.door.up()
            finally:
                self.busy = ""
            self.progress.powered()
        return ""

    def _enrol(self, _asked: Mapping[str, Any]) -> str:
        self.terminal.be_free()
        series = pictures.enrolling(self.stage.folder / "resident")  # first, so that the camera sees somebody at once
        self._stands(Held("resident", str(As.LIVE)), series, pictures.EACH_A_SAMPLE_FPS)
        self._enrolments += 1
        paper = str(self.stage.folder / f"consent-{self._enrolments}.txt")
        self.terminal.run("doorctl", "enrol", "--consent", "--copy", paper, "--lang", "en")
        return ""

    def _terminal_says(self, line: str) -> None:
        """All but the notice, which stands on the page already and fills a terminal."""
        if line.strip() not in self._notice_lines:
            self.say("terminal", line)

    def _terminal_ended(self, code: int) -> None:
        if code == 0:
            self.progress.enrolled()


@contextmanager
def house(wishes: Wishes) -> Iterator[House]:
    """A door ready for its first resident; all of it is taken down afterwards. Raises Refusal, Fault, OSError."""
    with stage() as here:
        built = _built(here, wishes)
        try:
            yield built
        finally:
            built.close()


def _built(here: Stage, wishes: Wishes) -> House:
    label, request = here.folder / "front.label", here.folder / "front.request"
    slot, telling = here.folder / f"slot-{SLOT}.doc", here.folder / "telling.doc"
    here.say("The manager: a fleet, a door, a key that reads why a door raises an alarm.")
    here.run("doorward", "fleet", "init")
    label.write_text(here.run("doorward", "door", "add", "front")["label"], encoding="ascii")
    alarm_key = here.folder / "alarm.key"
    public = here.run("doorward", "alarm", "key", "--key", str(alarm_key))["alarm_key"]
    here.say("The door: six real processes on simulated hardware.")
    here.run(
        "doorsim", "up", "--unjoined", "--broker", here.broker.url, "--tier", wishes.tier, "--wiring", wishes.wiring,
        "--unlock-ms", str(wishes.unlock_ms), "--cadence-s", str(wishes.cadence_s),
    )  # fmt: skip
    read_out = here.run("doorctl", "join", "--label", str(label), "--out", str(request))["fingerprint"]
    here.run("doorward", "door", "approve", "front", str(request), "--fingerprint", read_out)
    here.say("The manager offers flat 12, and says what the door may tell: its health, and alarms that the key reads.")
    here.run(
        "doorward", "reporting", "set", "--door", "front", "--profile", "building", "--alarm-key", public,
        "--out", str(telling),
    )  # fmt: skip
    here.run("doorctl", "apply", str(telling))
    invitation = here.run("doorward", "slot", "offer", "--door", "front", "--slot", SLOT, "--out", str(slot))
    here.run("doorctl", "apply", str(slot))
    here.run("doorsim", "card", "new", str(here.folder / "card.json"), "--kind", "ntag424")
    notice = str(here.run("doorctl", "consent", "show", "--lang", "en")["texts"]["en"])
    return House(here, invitation["invitation"], notice, reporting.load_key(alarm_key, PASSPHRASE), wishes)

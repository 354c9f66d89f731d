"""Leading somebody through the tries: what to hold up, what the door took it for, and how many are left.

Rules kept here:
- Each approach of a window is one try, and is told as soon as it is over. Nothing else of it is known here.
- What comes while nobody has said that they are ready counts for nothing: it may still be the instrument before.
- It begins with a live face: a door that takes nobody for one says nothing by refusing a print.
- Whatever ends it early ends it with what was counted until then; the line to the desk, and with it the try-out, is
  the caller's to close.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from device import wire
from device.desk import sentences
from device.desk.client import DeskFault, too_late
from device.desk.setup.terminal import Terminal
from device.desk.timeouts import GRACE_S, RECORD_S
from device.errors import MessageRefused, NotPermitted
from device.tried import Count, Instrument
from device.wire import Attack, Result

REMIND_S = 20.0  # a window is over after 10
_AT_ONCE_S = 0.001
_PRESS = (
    "Press the face button; each press gives up to three tries, five where a face alone opens already, none after one "
    "that was recognised as an attack, and the white lights change each time."
)
_HOLD = {
    Instrument.LIVE: f"Now your own face, bare. {_PRESS} Look at the camera until the lamp is out, then press again.",
    Instrument.PRINT: f"Now a print: a photograph of a face on paper, life-size, as good as you can get it. {_PRESS} "
    "Hold it before the camera as a face would be, flat, then bent, then moving a little.",
    Instrument.SCREEN: f"Now a screen: the same face on a telephone or tablet, bright, as a picture and as a film. "
    f"{_PRESS} Hold it before the camera as a face would be.",
}
READY = "Wait until the lamp is out. Enter when you are ready: "
_HELD_FOR = {
    Attack.BONA_FIDE: "taken for a live face",
    Attack.PRESENTATION: "recognised as an attack",
    Attack.INCONCLUSIVE: "no result, so not let in",
    Attack.MOVED: "no result by the lights, but it turned as it was asked to: not let in without the PIN",
}
NOT_TESTED = (
    "eye did not test that face: it does not know of the lights; restart the door, and look whether [lock] in "
    "door.toml names all four lines of them"
)


class Line(Protocol):
    """The part of `device.desk.client.DeskLine` that is used here."""

    def send(self, msg: wire.Message) -> None:
        """Ask the desk something. Raises DeskFault."""

    def receive(self, timeout_s: float) -> wire.Message | None:
        """The desk's next message, None if nothing comes in time. Raises DeskFault or MessageRefused."""


class TimeOver(Exception):
    """The door has ended the tries by itself."""


@dataclass(slots=True)
class Session:
    """One try-out over `line`. `wanted`: how many tries of each instrument. `counts` grows with every try."""

    line: Line
    terminal: Terminal
    wanted: dict[Instrument, int]
    counts: dict[Instrument, Count] = field(default_factory=lambda: dict.fromkeys(Instrument, Count(0, 0, 0)))

    @property
    def whole(self) -> bool:
        """Whether every instrument was tried as often as it was to be."""
        return all(self.counts[each].tries >= number for each, number in self.wanted.items())

    def run(self) -> None:
        """Try out every instrument. Raises TimeOver, Refusal, Fault, EOFError or KeyboardInterrupt."""
        self._begin()
        for instrument, number in self.wanted.items():
            self.terminal.say(f"\n{_HOLD[instrument]}")
            self.terminal.ask(READY)
            while (msg := self.line.receive(_AT_ONCE_S)) is not None:
                _attack_in(msg)  # of before; but an end is an end
            while self.counts[instrument].tries < number:
                self._one(instrument, number)

    def _begin(self) -> None:
        self.line.send(wire.TryFaces(on=True))
        match self.line.receive(RECORD_S + GRACE_S):
            case wire.TryStands(on=True):
                return
            case wire.TryStands() | wire.Ended(Result.BUSY):
                raise NotPermitted("somebody enrols, or tries out attacks already; try again in a minute")
            case wire.Ended():
                raise DeskFault(sentences.AWAY.rstrip("."))
            case None:
                raise too_late()
            case other:
                raise _unexpected(other)

    def _one(self, instrument: Instrument, number: int) -> None:
        msg = self.line.receive(REMIND_S)
        if msg is None:
            self.terminal.say("No try for a while: press the face button. If the lamp stays dark, no face opens now.")
            return
        attack = _attack_in(msg)
        if attack is Attack.NOT_TESTED:
            raise NotPermitted(NOT_TESTED)
        count = _with(self.counts[instrument], attack)
        self.counts[instrument] = count
        self.terminal.say(f"{instrument} {count.tries} of {number}: {_HELD_FOR[attack]}")


def _attack_in(msg: wire.Message) -> Attack:
    match msg:
        case wire.Tried(attack):
            return attack
        case wire.TryStands(on=False):
            raise TimeOver
        case wire.Ended():
            raise DeskFault("the part of the door that recognises faces has gone away, and the tries with it")
        case _:
            raise _unexpected(msg)


def _with(count: Count, attack: Attack) -> Count:
    match attack:
        case Attack.BONA_FIDE:
            return replace(count, as_live=count.as_live + 1)
        case Attack.PRESENTATION:
            return replace(count, as_attack=count.as_attack + 1)
        case _:
            return replace(count, unclear=count.unclear + 1)


def _unexpected(msg: wire.Message) -> MessageRefused:
    return MessageRefused(f"the desk told {type(msg).__name__} of tries")

"""What happens at the door in plain words: one line for each change that somebody in front of it could notice. Pure.

Rules kept here:
- A line says what the hardware did, and what follows for whoever stands there. It knows no reason that the door itself
  keeps to itself: every refusal has the same line.
- Every signal and every hint has its words; a test holds them complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from device.challenge import REST
from device.desk.sentences import HINTS
from device.lock.state import Signal
from device.wire import Hint
from tools.simulator.showroom.view import View

SIGNALS: Final[dict[Signal, str]] = {
    Signal.KEY: "",  # a click for each key
    Signal.WAIT: "",  # one moment
    Signal.LOOK: "",  # with a hint, which has words of its own
    Signal.OPENED: "One long tone: the door is open.",
    Signal.REFUSED: "Three short tones: no. Every no is the same one, and says nothing about who lives here.",
    Signal.NOTED: "Short, long: right, and noted. Nothing opens by that.",
    Signal.DONE: "Short, long, long: done.",
    Signal.ENTER_PIN: "Two long tones: now the PIN and #.",
    Signal.USE_PIN_OR_CARD: "Three long tones: no face now. PIN and card open as ever.",
    Signal.CLAIM_FIRST: "First the flat and #, then the face button.",
    Signal.CLOSE_DOOR: "The door stands open: please shut it.",
    Signal.DOOR_ENDS: "This door is about to end for good.",
    Signal.TELL_MANAGER: "Somebody else used this invitation, or the flat was offered anew: tell the manager.",
}
DARK: Final = (0, 0)
RESTING: Final = (REST.left, REST.right)
LETS_GO: Final = "The bolt lets go. It falls back by itself, whatever becomes of the software."
DRAWN: Final = "The two white lights change as was drawn this moment. A face answers them; a picture does not."


def of_signal(words: str) -> str:
    """One tone as a line: `words` as the hardware noted them, such as "LOOK HOLD_STILL"; "" for one without."""
    name, _, hint = words.partition(" ")
    if name == Signal.LOOK.name and hint:
        return f"The door asks: {HINTS[Hint[hint]]}"
    return SIGNALS[Signal[name]]


def changes(before: View, now: View) -> Iterator[str]:
    """A line for each difference."""
    if before.power != now.power:
        yield _power(now)
    elif now.power:
        yield from _looking(before, now)
        yield from _bolt_and_leaf(before, now)
        yield from _rooms(dict(before.processes), now)


def _looking(before: View, now: View) -> Iterator[str]:
    if now.lamp and not before.lamp:
        yield "The window is open: the lamp burns. Only now is the camera read, for 10 s at most."
    if before.lights == RESTING and now.lights not in (DARK, RESTING):
        yield DRAWN
    if before.lamp and not now.lamp:
        yield f"The window is over: the lamp is dark. {now.frames} frames were read since power came; none is kept."


def _bolt_and_leaf(before: View, now: View) -> Iterator[str]:
    if now.granted != before.granted:
        yield LETS_GO if now.granted else "The bolt holds again."
    if now.leaf_open != before.leaf_open:
        yield "The door swings open." if now.leaf_open else "The door falls shut."


def _rooms(before: Mapping[str, str], now: View) -> Iterator[str]:
    for room, word in now.processes:
        if (before.get(room, "up") == "up") != (word == "up"):
            yield f"The process {room} is {word}."


def _power(now: View) -> str:
    if now.power:
        return "There is power: six processes have started, and the bolt holds."
    if now.granted:
        return "No power: this lock is fail-safe and lets go, as it is meant to."
    return "No power: everything is dark, and the bolt holds. Inside, the handle opens as ever."

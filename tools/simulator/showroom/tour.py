"""The guided tour: what to try, and whether it came true. Pure.

Rules kept here:
- A step is done when the door did what its text says, however that was brought about, and never because a button of the
  tour was pressed.
- Each button is an act that the page's own controls have too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

SLOT: Final = "12"
PIN: Final = "482913"
WRONG_PIN: Final = "482914"
_LIVE_ANSWERS: Final = frozenset({"OPENED", "ENTER_PIN"})
_NO: Final = frozenset({"REFUSED", "USE_PIN_OR_CARD"})
ANSWERS: Final = frozenset({"OPENED", "REFUSED", "NOTED", "DONE", "ENTER_PIN", "USE_PIN_OR_CARD", "TELL_MANAGER"})


@dataclass(frozen=True, slots=True)
class Try:
    """A button: what it says, and the act it stands for."""

    label: str
    act: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to try."""

    name: str
    title: str
    text: str
    tries: tuple[Try, ...]


def steps(invitation: str) -> tuple[Step, ...]:
    """The tour of a door that waits for whoever redeems `invitation` (12 digits)."""
    return (
        Step(
            "move-in",
            "Move in",
            "The manager's invitation and a PIN of your own, at the keypad: 00, flat, invitation, PIN, PIN again, each "
            "with #. The manager never learns the PIN.",
            (_types(f"00#{SLOT}#{invitation}#{PIN}#{PIN}#"),),
        ),
        Step(
            "pin",
            "Come home by PIN",
            "Flat, #, PIN, #. Neither the camera nor the processes that know faces take part.",
            (_types(f"{SLOT}#{PIN}#"),),
        ),
        Step(
            "wrong-pin",
            "Mistype it",
            "One digit off. The tries of a flat are counted before they are checked.",
            (_types(f"{SLOT}#{WRONG_PIN}#"),),
        ),
        Step(
            "enrol",
            "Enrol a face, if you want one",
            "Read the notice below. Prove the PIN with 01, agree at the terminal, press the face button and look; then "
            "prove the PIN once more, so that nobody else's face is kept.",
            (
                _types(f"01#{SLOT}#{PIN}#"),
                Try("Agree at the terminal", {"act": "enrol"}),
                Try("Press the face button", {"act": "press", "what": "face"}),
                _types(f"01#{SLOT}#{PIN}#"),
            ),
        ),
        Step(
            "face",
            "Come home by face",
            "A picture that was not enrolled stands before the lens, as a head that answers light. If the door is not "
            "certain enough, try again, as people do.",
            (
                Try("Stand before the door", {"act": "hold", "who": "resident", "kind": "live"}),
                Try("Press the face button", {"act": "press", "what": "face"}),
            ),
        ),
        Step(
            "print",
            "Hold up a print of that face",
            "The same picture on paper. The two lights ask whether something solid is there; all of it is rendered, "
            "and proves nothing about a print before a real lens.",
            (
                Try("Hold up the print", {"act": "hold", "who": "resident", "kind": "print"}),
                Try("Press the face button", {"act": "press", "what": "face"}),
            ),
        ),
        Step(
            "card",
            "Make a blank card your key",
            "Prove the PIN with 07 and hold a card of your own to the reader; hold it there again, and it opens. A "
            "copy of what can be read of it does not.",
            (
                _types(f"07#{SLOT}#{PIN}#"),
                Try("Hold your card to the reader", {"act": "tap", "card": "own"}),
                Try("Hold a copy of it", {"act": "tap", "card": "copy"}),
            ),
        ),
        Step(
            "power",
            "Pull the power cord",
            "Everything dies at once, without warning. Put it back: the same door boots with what it knew.",
            (
                Try("Pull the cord", {"act": "power", "on": False}),
                Try("Put it back", {"act": "power", "on": True}),
            ),
        ),
    )


def _types(keys: str) -> Try:
    return Try(f"Type {keys}", {"act": "keys", "keys": keys})


@dataclass(slots=True)
class Progress:
    """What came true so far."""

    done: list[str] = field(default_factory=list)
    _typed: str = ""
    _last: str = ""  # which act the next answer belongs to: keys, face, own, copy
    _kind: str = ""  # what was before the lens when the face button was pressed

    def typed(self, keys: str) -> None:
        """Keys were pressed."""
        self._typed = (self._typed + keys if self._last == "keys" else keys).rpartition("*")[2]
        self._last = "keys"

    def pressed_face(self, kind: str) -> None:
        """The face button, with somebody (`live`), something, or nobody ("") before the lens; "" while one enrols."""
        self._last, self._kind = "face", kind

    def tapped(self, card: str) -> None:
        """A card was held to the reader."""
        self._last = card

    def powered(self) -> None:
        """Power is back after a cut."""
        self._done("power")

    def enrolled(self) -> None:
        """The terminal said that the face is enrolled."""
        self._done("enrol")

    def heard(self, signal: str) -> None:
        """The name of a tone."""
        if signal not in ANSWERS:
            return
        line, self._typed = self._typed, ""
        if self._last == "keys":
            self._keys(line, signal)
        elif self._last == "face" and self._kind == "live" and signal in _LIVE_ANSWERS:
            self._done("face")
        elif self._last == "face" and self._kind == "print" and signal in _NO:
            self._done("print")
        elif self._last == "own" and signal == "OPENED":
            self._done("card")

    def _keys(self, line: str, signal: str) -> None:
        if line.startswith("00#") and signal == "NOTED":
            self._done("move-in")
        elif line[:1] != "0" and signal == "OPENED":
            self._done("pin")
        elif line[:1] != "0" and signal == "REFUSED":
            self._done("wrong-pin")

    def _done(self, name: str) -> None:
        if name not in self.done:
            self.done.append(name)

"""Everything lock touches besides the bolt, as one port: lamp, buttons, contacts, keypad, tones.

Rules kept here:
- A board turns the world into `device.lock.state` events and nothing else; it decides nothing.
- `fileno` becomes readable when `events` has something to say, so that lock sleeps while nobody is there.
- Contacts are debounced by time and level (`Settled`), never by counting edges: drivers are known to drop edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from device.lock.bolt import Bolt
from device.lock.state import Event, Signal
from device.wire import Hint

SETTLE_S = 0.03  # reed contacts and buttons settle within a few ms; 30 ms is below what a person notices


class Board(Protocol):
    """The hardware of one door."""

    @property
    def bolt(self) -> Bolt:
        """The strike."""

    def fileno(self) -> int:
        """Readable when `events` should be called."""

    def events(self, now_s: float) -> list[Event]:
        """What happened since the last call."""

    def deadline(self) -> float | None:
        """When `events` wants to be called even if nothing is readable (CLOCK_MONOTONIC seconds)."""

    def lamp(self, *, on: bool) -> None:
        """Light the lamp that says the camera may look."""

    def lights(self, left: int, right: int) -> None:
        """Set the two white lights to levels of 0 to 3, both at once, as nearly as the driver can.

        Where none are fitted nothing happens; a line of theirs that fails is said in the log and is no fault.
        """

    def show(self, signal: Signal, hint: Hint | None) -> None:
        """Give a tone and a light."""

    def card(self, command: bytes | None) -> None:
        """A command APDU for the card in front of a reader of the board's own, None to let it go. Most have none."""

    def close(self) -> None:
        """Secure the bolt, put out the lamp and the lights, give every line back."""


@dataclass(slots=True)
class Settled:
    """A contact that counts only once its level stood still for SETTLE_S."""

    level: bool | None = None  # None: not known yet, so that the first settled level is told
    _candidate: bool | None = None
    _since_s: float = 0.0

    def seen(self, level: bool, now_s: float) -> None:  # noqa: FBT001 - the level itself
        """The contact reads `level` now."""
        if level == self.level:
            self._candidate = None
        elif self._candidate != level:
            self._candidate, self._since_s = level, now_s

    def settle(self, now_s: float) -> bool | None:
        """The new level if it has just settled, else None."""
        if self._candidate is None or now_s - self._since_s < SETTLE_S:
            return None
        self.level, self._candidate = self._candidate, None
        return self.level

    @property
    def due_s(self) -> float | None:
        """When `settle` can say more."""
        return None if self._candidate is None else self._since_s + SETTLE_S

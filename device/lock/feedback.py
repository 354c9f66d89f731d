"""The buzzer and the status light of a board: lines that may be missing, driven from the loop's own deadline.

Rules kept here:
- Nothing here can keep a door from locking or opening: a line that fails is said once in the log and left alone.
- No thread: `refresh` is called with the board's other business, `due_s` says when.
"""

from __future__ import annotations

from collections.abc import Callable

from device.journal import log
from device.lock.player import Player
from device.lock.state import Signal
from device.wire import Hint

Drive = Callable[[bool], object]


class Feedback:
    """Plays patterns on `buzzer` and `light`; None where a door has none."""

    def __init__(self, buzzer: Drive | None, light: Drive | None, unlock_ms: int) -> None:
        self._lines: dict[str, Drive | None] = {"buzzer": buzzer, "status light": light}
        self._driven = dict.fromkeys(self._lines, False)
        self._player = Player(unlock_ms) if buzzer or light else None

    def show(self, signal: Signal, hint: Hint | None) -> None:
        """Play this from the next `refresh` on."""
        if self._player:
            self._player.ask(signal, hint)

    def refresh(self, now_s: float) -> None:
        """Drive the lines as the pattern says."""
        if self._player:
            self._drive(dict(zip(self._lines, self._player.levels(now_s), strict=True)))

    def due_s(self) -> float | None:
        """When `refresh` has something to do."""
        return self._player.due_s() if self._player else None

    def close(self) -> None:
        """Silent and dark."""
        self._drive(dict.fromkeys(self._lines, False))

    def _drive(self, wanted: dict[str, bool]) -> None:
        for name, on in wanted.items():
            drive = self._lines[name]
            if drive is None or on == self._driven[name]:
                continue
            try:
                drive(on)
            except Exception as cause:  # noqa: BLE001 - each driver brings errors of its own, and none of them matters here
                log(f"the {name} cannot be driven and is left alone: {cause}")
                self._lines[name] = None
            self._driven[name] = on

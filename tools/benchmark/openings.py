"""One opening at a running door: by PIN, or by card, with the board's own times.

Rules kept here:
- All times are CLOCK_MONOTONIC. The key, the card's answer and the coil are stamped by the simulated board; that a card
  is held there is stamped here, just before the board is told.
- Asking the board for its state keeps it from its work: not before an answer is due.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tools.benchmark.figures import NotMeasured
from tools.benchmark.house import House

TIMEOUT_S = 5.0
QUIET_S = 0.06
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Opened:
    """`ms`: from the last key, or the card's last answer, to the coil; `whole_ms`: from when it began.

    `frames`: how many eye read meanwhile, in the `seconds` it had for them. `blind_ms`: how long before the beginning
    eye had read its last frame, negative if it read one later.
    """

    ms: float
    whole_ms: float
    frames: int
    seconds: float
    blind_ms: float


def by_pin(house: House, keys: str) -> Opened:
    """Type `keys`, and then #. Raises NotMeasured if the door does not open."""
    house.door.keys(keys)
    return _opened(house, lambda: house.door.keys("#"), "last_key_ns", "the right PIN")


def by_card(house: House) -> Opened:
    """Hold the resident's card to the reader. Raises NotMeasured if the door does not open."""
    return _opened(house, lambda: house.door.tap(house.card), "last_card_ns", "the resident's card")


def _opened(house: House, act: Callable[[], None], since: str, what: str) -> Opened:
    before = house.door.state()
    began_ns = time.monotonic_ns()
    act()
    time.sleep(QUIET_S)
    after = _after(house, before, began_ns, what)
    seconds = (time.monotonic_ns() - began_ns) / 1e9
    coil_ns = max(at_ns for at_ns, line, level in after["history"] if line == "coil" and level)
    frames = int(after["frames_read"] - before["frames_read"])
    blind_ms = (began_ns - after["last_frame_ns"]) / 1e6
    return Opened((coil_ns - after[since]) / 1e6, (coil_ns - began_ns) / 1e6, frames, seconds, blind_ms)


def _after(house: House, before: dict[str, Any], began_ns: int, what: str) -> dict[str, Any]:
    while True:
        after = house.door.state()
        if after["releases"] > before["releases"]:
            return after
        if time.monotonic_ns() - began_ns > TIMEOUT_S * 1e9:
            msg = f"{what} did not open the simulated door within {TIMEOUT_S:g} s"
            raise NotMeasured(msg)
        time.sleep(POLL_S)

"""The motion challenge at a whole door: a head in strong sun turns to the light, and is asked for its PIN.

Who turns is rendered (tools.attack_lab.turning): what is asserted is that the processes, the lights and both judges
work together, and not how often of a hundred somebody passes. That is counted by the attack lab.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from device.challenge import FULL, LOWEST, MS
from device.motion import PROMPT_MS
from tests.integration.door.conftest import PIN, SLOT, TRIES_S, presses
from tests.support.door import ENTER_PIN, OPENED, Home, another_picture, stranger
from tools.simulator.held_up import As

ASKS = ([FULL, LOWEST], [LOWEST, FULL])


def asked_to_turn(state: dict[str, Any], since_ns: int) -> int:
    """How many prompts to a side there were since then: lights that asked for one as long as a prompt lasts."""
    history = [each for each in state["light_history"] if each[0] > since_ns]
    lasted = pairwise(history)
    return sum([left, right] in ASKS and after - at >= PROMPT_MS * MS for (at, left, right), (after, *_) in lasted)


def test_who_turns_to_the_light_in_the_sun_is_asked_for_the_pin_and_for_nothing_else(lit_door: Home) -> None:
    """A face alone opens this door; one that was in doubt and turned only names its flat."""
    before, since_ns = lit_door.door.state(), time.monotonic_ns()
    ends = time.monotonic() + TRIES_S
    while (heard := presses(lit_door, another_picture(), As.TURNING)) != ENTER_PIN:
        assert not heard.opened
        assert time.monotonic() < ends, lit_door.told()
    after = lit_door.door.state()
    assert after["releases"] == before["releases"], "turning opens nothing"
    assert asked_to_turn(after, since_ns) >= 1
    assert lit_door.types(f"{PIN}#") == OPENED, "and the flat need not be typed"
    lit_door.goes_in()


NOBODY = [(As.TURNING, stranger), (As.TURNED_PRINT, another_picture), (As.VIDEO, another_picture)]


@pytest.mark.parametrize(("kind", "who"), NOBODY, ids=["stranger who turns", "print that is turned", "film"])
def test_who_is_asked_to_turn_and_is_not_the_resident_in_person_names_nobody(
    lit_door: Home, kind: As, who: Callable[[], Path]
) -> None:
    before, since_ns = lit_door.door.state(), time.monotonic_ns()
    ends = time.monotonic() + TRIES_S
    while not asked_to_turn(lit_door.door.state(), since_ns):
        heard = presses(lit_door, who(), kind)
        assert not heard.opened
        assert heard != ENTER_PIN
        assert time.monotonic() < ends, lit_door.told()
    assert lit_door.door.state()["releases"] == before["releases"]
    assert lit_door.types(f"{SLOT}#{PIN}#") == OPENED
    lit_door.goes_in()

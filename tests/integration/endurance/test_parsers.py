"""A seeded 20,000 inputs for every parser; `make long` feeds a million. Here, for they take longer than a unit test.

Six are fed 5,000, for they cost ten times what the others do: behind "wire, at lock's door" stands a whole lock with
its oracle, both "attempts" seal and write pages of keeper's file, counters of cards are a page of 40 kB, and where
timetables are torn lock bars every slot.
"""

from __future__ import annotations

import pytest

from tools.endurance.fuzz import fuzz
from tools.endurance.scratch import folder_in_memory
from tools.endurance.targets import targets

INPUTS, OF_THE_SLOW = 20_000, 5_000
SLOW = {
    "wire, at lock's door",
    *("attempts", "attempts, sealed anew"),
    "counters of cards",
    *("timetables, sealed", "timetables, sealed anew"),
}


def _names() -> list[str]:
    with folder_in_memory() as folder:
        return [target.name for target in targets(folder)]


NAMES = _names()


def test_the_slow_ones_are_parsers_and_none_is_named_twice() -> None:
    assert set(NAMES) >= SLOW
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_input_breaks_hangs_or_deceives(name: str) -> None:
    with folder_in_memory() as folder:
        (target,) = (each for each in targets(folder) if each.name == name)
        fed = fuzz(target, OF_THE_SLOW if name in SLOW else INPUTS, seed=11)
    assert fed.found is None, fed.found
    assert 0 < fed.taken < fed.inputs, "what takes everything, or nothing, is no test of a parser"

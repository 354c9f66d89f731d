"""What a motion challenge may ask for."""

from collections import Counter
from itertools import pairwise, product

import pytest

from device.challenge import CHANGES, MS, SECOND_MS, kind_of
from device.motion import LIGHTS, PROMPT_MS, PROMPTS, SEQUENCES, Facing, Prompted, draw, told
from device.wire import MotionLog


def test_each_place_is_another_than_the_one_before_and_the_first_is_not_the_middle() -> None:
    assert len(set(SEQUENCES)) == len(SEQUENCES) == 2**PROMPTS
    for asked in SEQUENCES:
        assert all(before is not after for before, after in pairwise((Facing.MIDDLE, *asked)))


def test_every_sequence_is_as_likely_as_every_other() -> None:
    drawn = Counter(draw(bytes([value]) + bytes(15)) for value in range(256))
    assert set(drawn) == set(SEQUENCES)
    assert len(set(drawn.values())) == 1
    assert 2**128 % len(SEQUENCES) == 0


def test_what_was_asked_before_says_nothing_about_what_is_asked_next_but_that_it_is_another() -> None:
    for place in range(PROMPTS):
        following: dict[tuple[Facing, ...], Counter[Facing]] = {}
        for asked in SEQUENCES:
            following.setdefault(asked[:place], Counter())[asked[place]] += 1
        assert all(len(set(counts.values())) == 1 and len(counts) == 2 for counts in following.values())


def test_prompts_keep_far_below_the_pace_of_lights() -> None:
    assert CHANGES * PROMPT_MS > SECOND_MS
    assert PROMPT_MS > SECOND_MS / CHANGES


def test_each_place_has_lights_of_its_own() -> None:
    assert len({kind_of(lights) for lights in LIGHTS.values()}) == len(LIGHTS) == len(Facing)


@pytest.mark.parametrize("asked", SEQUENCES, ids=str)
def test_a_prompt_ends_where_the_next_begins(asked: tuple[Facing, Facing, Facing]) -> None:
    spans = Prompted(asked, (10, 20, 35), 50).spans()
    assert spans == ((asked[0], 10, 20), (asked[1], 20, 35), (asked[2], 35, 50))


STEP_NS = PROMPT_MS * MS


def log(asked: tuple[Facing, Facing, Facing], times_ns: tuple[int, int, int, int]) -> MotionLog:
    return MotionLog(bytes(16), *asked, *times_ns)


@pytest.mark.parametrize("asked", list(product(Facing, repeat=PROMPTS)), ids=str)
def test_a_log_tells_what_may_be_asked_for_and_nothing_else(asked: tuple[Facing, Facing, Facing]) -> None:
    times_ns = (5, 5 + STEP_NS, 7 + 2 * STEP_NS, 7 + 3 * STEP_NS)
    expected = Prompted(asked, times_ns[:3], times_ns[3]) if asked in SEQUENCES else None
    assert told(log(asked, times_ns)) == expected


@pytest.mark.parametrize("short", range(PROMPTS))
def test_a_log_of_a_prompt_that_was_too_short_tells_nothing(short: int) -> None:
    one, two, three, end = (number * STEP_NS - (number > short) for number in range(PROMPTS + 1))
    assert told(log(SEQUENCES[0], (one, two, three, end))) is None

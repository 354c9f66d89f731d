"""What may be drawn for the light challenge: every code as likely as every other, and the pace of the lights."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import challenge
from device.challenge import (
    CHANGES,
    DELAYS_MS,
    FULL,
    LAST_MS,
    LASTS_MS,
    LOWEST,
    MS,
    OFF,
    REST,
    SECOND_MS,
    Code,
    Kind,
    Lights,
    codes_after,
    draw,
    kind_of,
    lights_of,
    may_begin_ns,
    may_change_ns,
)

DIM, BRIGHT_2 = LOWEST, 2
ALL_LIGHTS = [lights for kind in Kind for lights in lights_of(kind)]


@pytest.mark.parametrize("kind", Kind)
def test_every_code_is_drawn_by_exactly_as_many_numbers_as_every_other(kind: Kind) -> None:
    """Over one whole round of what 16 bytes can be; the last round is cut short by less than one code in 2**114."""
    codes = codes_after(kind)
    (before, *_) = lights_of(kind)
    drawn = Counter(draw(number.to_bytes(16, "little"), before) for number in range(len(codes)))
    assert set(drawn.values()) == {1}
    assert set(drawn) == set(codes)
    assert (2**128 % len(codes)) / 2**128 < 2**-114


def test_how_many_codes_there_are() -> None:
    assert [len(codes_after(kind)) for kind in (Kind.DARK, Kind.LEFT, Kind.RIGHT, Kind.BOTH)] == [3456, 1728, 1728, 864]


def test_the_times_are_those_that_every_figure_about_people_and_attacks_was_counted_with() -> None:
    """Whoever changes one has docs/liveness.md counted anew: lock and eye would follow, and its tables would not."""
    assert (MS, SECOND_MS) == (1_000_000, 1000)
    assert DELAYS_MS == (100, 150, 200, 250)
    assert (LASTS_MS, LAST_MS) == ((220, 260, 300), 260)
    lengths = [code.length_ms for code in codes_after(Kind.BOTH)]
    assert (min(lengths), max(lengths)) == (800, 1110)


def test_the_whole_of_the_drawn_bytes_counts() -> None:
    """A draw from a few of them would be a draw from fewer codes."""
    low = {draw(bytes([number]) + bytes(15), REST) for number in range(256)}
    high = {draw(bytes(15) + bytes([number]), REST) for number in range(1, 256)}
    assert len(low) == 256
    assert len(high) > 16


@pytest.mark.parametrize("kind", Kind)
def test_in_every_code_each_kind_of_light_comes_once_and_never_darker_than_at_rest(kind: Kind) -> None:
    for code in codes_after(kind):
        assert {kind, *(kind_of(lights) for lights in code.lights)} == set(Kind)
        assert all(LOWEST <= level <= FULL for lights in code.lights for level in (lights.left, lights.right))
        offsets = (0, *code.offsets_ms, code.length_ms)
        lasts = [end - begin for begin, end in pairwise(offsets)]
        assert lasts == [code.delay_ms, *code.lasts_ms, LAST_MS]
        assert code.delay_ms in DELAYS_MS
        assert set(code.lasts_ms) <= set(LASTS_MS)


@pytest.mark.parametrize("kind", Kind)
def test_whatever_was_shown_so_far_the_next_light_is_as_open_as_it_can_be(kind: Kind) -> None:
    """Who has seen the first light learns nothing of when it ends, nor of which of the two that are left comes next."""
    codes = codes_after(kind)
    for first in {code.lights[0] for code in codes}:
        shown = [code for code in codes if code.lights[0] == first]
        assert len(set(Counter(code.lasts_ms for code in shown).values())) == 1
        following = Counter(kind_of(code.lights[1]) for code in shown)
        assert len(following) == 2
        assert len(set(following.values())) == 1


def test_a_light_in_a_window_is_modulated_by_at_most_one_half() -> None:
    sums = [lights.left + lights.right for lights in ALL_LIGHTS]
    assert (max(sums) - min(sums)) / (max(sums) + min(sums)) == 0.5
    assert kind_of(OFF) is Kind.DARK
    assert kind_of(REST) is Kind.BOTH


def test_nothing_in_a_challenge_is_more_than_half_as_bright_again_as_what_burns_at_rest() -> None:
    """A camera that set itself to the lights at rest does not burn out in the middle of a challenge."""
    brightest = max(light.left + light.right for code in codes_after(kind_of(REST)) for light in code.lights)
    assert brightest <= 1.5 * (REST.left + REST.right)


def test_every_light_is_of_one_kind() -> None:
    assert len(ALL_LIGHTS) == len(set(ALL_LIGHTS)) == (1 + FULL - LOWEST) ** 2
    assert all(kind_of(lights) is kind for kind in Kind for lights in lights_of(kind))


PASTS = st.lists(st.integers(0, 3000), max_size=6).map(lambda times: tuple(sorted(at_ms * MS for at_ms in times)))


def paced(past: tuple[int, ...]) -> tuple[int, ...]:
    """A history that kept the pace so far."""
    kept: tuple[int, ...] = ()
    for at_ns in past:
        if at_ns >= may_change_ns(kept):
            kept = (*kept, at_ns)
    return kept


def keeps_the_pace(times: tuple[int, ...]) -> bool:
    return all(later - sooner >= SECOND_MS * MS for sooner, later in zip(times, times[CHANGES:], strict=False))


@given(PASTS, st.sampled_from([code for kind in Kind for code in codes_after(kind)]), st.integers(0, 1500))
def test_a_challenge_that_begins_when_it_may_keeps_the_pace_whatever_is_drawn(
    past: tuple[int, ...], code: Code, later_ms: int
) -> None:
    past = paced(past)
    now_ns = past[-1] if past else 0
    begin_ns = max(may_begin_ns(now_ns, past), now_ns + later_ms * MS)
    times = (*past, *(begin_ns + offset * MS for offset in code.offsets_ms))
    assert keeps_the_pace(times)
    assert keeps_the_pace((*times, max(may_change_ns(times), times[-1])))


@given(PASTS)
def test_a_challenge_waits_no_longer_than_its_soonest_code_has_to(past: tuple[int, ...]) -> None:
    past = paced(past)
    now_ns = past[-1] if past else 0
    begin_ns = may_begin_ns(now_ns, past)
    soonest = (DELAYS_MS[0], DELAYS_MS[0] + LASTS_MS[0], DELAYS_MS[0] + 2 * LASTS_MS[0])
    assert keeps_the_pace((*past, *(begin_ns + offset * MS for offset in soonest)))
    if begin_ns > now_ns:
        assert not keeps_the_pace((*past, *(begin_ns - 1 + offset * MS for offset in soonest)))
    assert begin_ns - now_ns <= SECOND_MS * MS


def test_a_pace_that_counts_one_change_less_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded fault: four changes in a second."""
    monkeypatch.setattr(challenge, "CHANGES", CHANGES + 1)
    assert not keeps_the_pace(paced(tuple(at_ms * MS for at_ms in range(0, 3000, 100))))


def test_lights_are_values() -> None:
    assert Lights(2, 2) == REST
    assert len({Lights(DIM, BRIGHT_2), Lights(DIM, BRIGHT_2)}) == 1

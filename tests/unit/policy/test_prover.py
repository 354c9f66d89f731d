"""The equal-door prover against a count of every minute, and the cases that clocks and calendars are known for."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given, settings

from device.errors import DocumentRefused
from device.policy import prover
from device.policy.methods import PIN_AND_CARD, Method
from device.policy.prover import refuse_unequal, without_a_clock
from device.policy.schedule import DoorPolicy, Interval, OtherHours, Schedule, Timetable, methods_on, timetables_on
from tests.unit.policy.policies import (
    ALL_DAY,
    ALWAYS,
    CARD,
    FACE,
    FACE_BY_DAY,
    NEVER,
    PIN,
    WEEKS,
    WITH_PIN,
    all_days,
    always,
    daily,
    minutes,
    minutes_for,
    minutes_of,
    policies,
    policy,
    unequal_minutes,
    unequal_time,
)

NEVER_IN = re.compile("opens the door to nobody")


def refusal(policy: DoorPolicy) -> str | None:
    """The prover's sentence about a face, None if it finds the door equal."""
    try:
        refuse_unequal(policy)
    except DocumentRefused as refused:
        return None if NEVER_IN.search(str(refused)) else str(refused)
    return None


@pytest.mark.slow
@given(policies)
@settings(max_examples=150, deadline=None)
def test_the_prover_says_what_a_count_of_every_minute_says(policy: DoorPolicy) -> None:
    said = refusal(policy)
    by_clock_face = any(unequal_minutes(policy, day) for day in all_days())
    assert (said is not None) == by_clock_face
    for week in WEEKS:
        found = unequal_time(policy, week)
        assert found is None or said is not None, f"{found} in {policy.zone}"


@pytest.mark.slow
@given(policies)
def test_the_sentence_names_a_minute_in_which_it_is_true(policy: DoorPolicy) -> None:
    said = refusal(policy)
    if said is None:
        return
    match = re.fullmatch(r"on (\S+) at (\d\d):(\d\d) the door would open by face but not by (PIN|card)", said)
    assert match, said
    weekday = match[1] in prover.WEEKDAYS
    day = WEEKS[0].fromordinal(WEEKS[0].toordinal() + prover.WEEKDAYS.index(match[1])) if weekday else None
    at, minute = day or date.fromisoformat(match[1]), int(match[2]) * 60 + int(match[3])
    assert unequal_minutes(policy, at) >> minute & 1
    assert not minutes(policy, at, PIN if match[4] == "PIN" else CARD) >> minute & 1


@pytest.mark.slow
@given(policies)
def test_without_a_clock_a_face_opens_only_if_it_always_does_and_a_pin_if_it_ever_does(policy: DoorPolicy) -> None:
    found, whole_day = without_a_clock(policy), (1 << 1440) - 1
    assert (FACE in found) == all(minutes(policy, day, FACE) == whole_day for day in all_days())
    assert (WITH_PIN in found) == all(minutes(policy, day, FACE | WITH_PIN) == whole_day for day in all_days())
    for method in (PIN, CARD):
        assert (method in found) == any(minutes(policy, day, method) for day in all_days())
    if refusal(policy) is None and found & (FACE | WITH_PIN):
        assert PIN_AND_CARD in found, "an equal door is equal without a clock too"


@pytest.mark.slow
@given(policies)
@settings(max_examples=50, deadline=None)
def test_what_opens_is_what_the_count_says(policy: DoorPolicy) -> None:
    for day in all_days()[::3]:
        for minute in (0, 1, 119, 120, 150, 179, 180, 599, 600, 1438, 1439):
            expected = Method(0)
            for method in Method:
                if minutes(policy, day, method) >> minute & 1:
                    expected |= method
            assert methods_on(policy, day, minute) == expected


# ---- slots with hours of their own

SLOTS = (0, 1, 2, 7, 255, 9)  # no timetable; those that may be there; one that never is


def unequal_for(policy: DoorPolicy, timetable: int, day: date) -> int:
    """The minutes in which a slot with this timetable would open by face but not by PIN and card."""
    both = minutes_for(policy, timetable, day, PIN) & minutes_for(policy, timetable, day, CARD)
    return minutes_for(policy, timetable, day, FACE | WITH_PIN) & ~both


@given(policies)
def test_no_timetable_makes_an_equal_door_unequal_for_any_slot(policy: DoorPolicy) -> None:
    equal = refusal(policy) is None
    for day in all_days():
        for timetable in SLOTS:
            assert not unequal_for(policy, timetable, day) or not equal, (timetable, day)


def test_a_timetable_that_bars_one_method_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: a slot's hours bar its PIN and leave its face alone."""
    lame = policy(always(PIN | CARD | FACE), timetables=(Timetable(1, (NEVER,) * 7),))
    both = minutes_for(lame, 1, WEEKS[0], PIN | CARD)
    monkeypatch.setitem(
        globals(),
        "minutes_for",
        lambda policy, _timetable, day, wanted: minutes(policy, day, wanted) if wanted & FACE else both,
    )
    with pytest.raises(AssertionError):
        assert refusal(lame) is not None or not unequal_for(lame, 1, WEEKS[0])


@pytest.mark.slow
@given(policies)
@settings(max_examples=50, deadline=None)
def test_the_timetables_that_hold_are_those_of_the_count(policy: DoorPolicy) -> None:
    for day in all_days()[::3]:
        for minute in (0, 1, 119, 120, 150, 179, 180, 599, 600, 1438, 1439):
            expected = {each.number for each in policy.timetables if minutes_of(each, day) >> minute & 1}
            assert timetables_on(policy, day, minute) == expected


# ---- cases by hand

CHRISTMAS = date(2026, 12, 25)  # a Friday
LEAP_DAY = date(2028, 2, 29)
SUMMER_TIME = date(2026, 3, 29)  # in Berlin 02:00 to 02:59 does not come


@pytest.mark.parametrize(
    "equal",
    [
        FACE_BY_DAY,
        policy(always(PIN | CARD | FACE)),
        policy(always(PIN | CARD)),
        policy(always(PIN), always(CARD), always(WITH_PIN)),
        policy(daily(PIN | CARD, 0, 720), daily(PIN | CARD, 720, 1440), always(FACE)),
        policy(always(PIN), daily(CARD, 60, 61), daily(FACE, 60, 61)),
        policy(always(PIN | CARD | FACE, OtherHours(CHRISTMAS, CHRISTMAS, NEVER))),
    ],
)
def test_an_equal_door_is_proven(equal: DoorPolicy) -> None:
    refuse_unequal(equal)


@pytest.mark.parametrize(
    ("unequal", "sentence"),
    [
        (policy(always(FACE)), "on Thursdays at 00:00 .* not by PIN"),
        (policy(always(PIN | FACE)), "not by card"),
        (policy(always(CARD | FACE)), "not by PIN"),
        (policy(always(CARD | WITH_PIN)), "not by PIN"),
        (policy(daily(PIN | CARD, 0, 1439), always(FACE)), "at 23:59"),
        (policy(daily(PIN | CARD, 1, 1440), always(FACE)), "at 00:00"),
        (policy(daily(PIN | CARD, 420, 1199), daily(WITH_PIN, 420, 1200)), "at 19:59"),
        (
            policy(always(PIN | CARD, OtherHours(CHRISTMAS, CHRISTMAS, NEVER)), always(FACE)),
            "on 2026-12-25 at 00:00 .* PIN",
        ),
        (
            policy(always(PIN | CARD), always(CARD, OtherHours(LEAP_DAY, LEAP_DAY, NEVER)), daily(FACE, 60, 90)),
            None,  # two schedules name the card, and one of them goes on
        ),
        (
            policy(
                always(PIN | CARD, OtherHours(LEAP_DAY, LEAP_DAY, (Interval(0, 60),))),
                daily(FACE, 60, 61),
            ),
            "on 2028-02-29 at 01:00",
        ),
        (
            # No clock in Berlin shows this minute; a government may change its mind, the proof may not.
            policy(always(PIN | CARD, OtherHours(SUMMER_TIME, SUMMER_TIME, ())), daily(FACE, 150, 151)),
            "on 2026-03-29 at 02:30",
        ),
        (
            # Only the Sunday in the middle of a holiday of three weeks differs.
            policy(
                always(PIN | CARD, OtherHours(date(2027, 1, 2), date(2027, 1, 22), NEVER)),
                Schedule(FACE, (*(NEVER,) * 6, ALL_DAY)),
            ),
            "on 2027-01-03 at 00:00",
        ),
    ],
)
def test_an_unequal_door_is_refused_in_one_sentence(unequal: DoorPolicy, sentence: str | None) -> None:
    if sentence is None:
        refuse_unequal(unequal)
        return
    with pytest.raises(DocumentRefused, match=sentence):
        refuse_unequal(unequal)


@pytest.mark.parametrize("nobody", [policy(daily(PIN, 0, 1, OtherHours(CHRISTMAS, CHRISTMAS))), policy()])
def test_a_policy_under_which_nobody_ever_comes_in_is_refused(nobody: DoorPolicy) -> None:
    closed = DoorPolicy(nobody.zone, tuple(Schedule(each.methods, (NEVER,) * 7) for each in nobody.schedules))
    with pytest.raises(DocumentRefused, match="to nobody, at no time"):
        refuse_unequal(closed)


def test_a_prover_that_forgets_special_days_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: only a week like any other is looked at."""
    broken = policy(always(PIN | CARD, OtherHours(SUMMER_TIME, SUMMER_TIME, NEVER)), Schedule(FACE, ALWAYS))
    assert refusal(broken) is not None
    monkeypatch.setattr(prover, "_days", lambda _policy: WEEKS[:1])
    assert refusal(broken) is None
    with pytest.raises(AssertionError):
        assert (refusal(broken) is not None) == any(unequal_minutes(broken, day) for day in all_days())

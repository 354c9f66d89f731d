"""Hours as a clock on the wall shows them: zones, summer time, leap days; and what is no policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import DocumentRefused
from device.policy.methods import EVERYTHING, NOTHING, Method, words
from device.policy.schedule import (
    LAST_DAY,
    MOST_EXCEPTIONS,
    MOST_SCHEDULES,
    MOST_TIMETABLES,
    DoorPolicy,
    Interval,
    OtherHours,
    Schedule,
    Timetable,
    methods_on,
    refuse_misfits,
    shown_at,
    timetables_on,
    zone_of,
)
from tests.unit.policy.policies import (
    ALL_DAY,
    ALWAYS,
    FACE,
    NEVER,
    PIN,
    WEEKS,
    WITH_PIN,
    ZONES,
    always,
    daily,
    minutes,
    minutes_of,
    policies,
    policy,
)


def methods_at(policy: DoorPolicy, now_unix: int) -> Method:
    return methods_on(policy, *shown_at(policy, now_unix))


def timetables_at(policy: DoorPolicy, now_unix: int) -> frozenset[int]:
    return timetables_on(policy, *shown_at(policy, now_unix))


def unix(text: str, zone: str = "UTC", fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp())


@pytest.mark.slow
@given(policies, st.sampled_from(WEEKS), st.integers(0, 7 * 86400 - 1))
@settings(max_examples=150, deadline=None)
def test_an_instant_is_worth_what_the_clock_at_the_door_shows(policy: DoorPolicy, week: date, second: int) -> None:
    now = unix(week.isoformat()) + second
    local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(policy.zone))
    expected = NOTHING
    for method in Method:
        if minutes(policy, local.date(), method) >> (local.hour * 60 + local.minute) & 1:
            expected |= method
    assert methods_at(policy, now) == expected


def test_hours_begin_with_their_first_second_and_end_before_the_next() -> None:
    day = policy(daily(PIN, 420, 480))
    for text, opens in [
        ("2026-11-20T06:59:59", False),
        ("2026-11-20T07:00:00", True),
        ("2026-11-20T07:59:59", True),
        ("2026-11-20T08:00:00", False),
    ]:
        assert (methods_at(day, unix(text, "Europe/Berlin")) == PIN) is opens, text


def test_the_same_second_is_another_hour_elsewhere() -> None:
    now = unix("2026-11-20T07:30:00", "Europe/Berlin")
    open_in = {zone for zone in ZONES if methods_at(policy(daily(PIN, 420, 480), zone=zone), now)}
    assert open_in == {"Europe/Berlin"}


def test_an_hour_that_the_clock_leaves_out_does_not_come() -> None:
    gap = policy(daily(PIN, 120, 180))  # 02:00 to 03:00, and on the 29th of March 2026 there is no such hour in Berlin
    start = unix("2026-03-29T00:00:00", "Europe/Berlin")
    assert not any(methods_at(gap, start + 60 * each) for each in range(23 * 60))
    before = unix("2026-03-28T00:00:00", "Europe/Berlin")
    assert sum(bool(methods_at(gap, before + 60 * each)) for each in range(24 * 60)) == 60


def test_an_hour_that_the_clock_shows_twice_counts_twice() -> None:
    twice = policy(daily(PIN, 120, 180))
    start = unix("2026-10-25T00:00:00", "Europe/Berlin")
    assert sum(bool(methods_at(twice, start + 60 * each)) for each in range(25 * 60)) == 120


def test_half_an_hour_of_summer_time_is_half_an_hour() -> None:
    hour = policy(daily(PIN, 90, 150), zone="Australia/Lord_Howe")  # 01:30 to 02:30; on the 5th of April 02:00 is 01:30
    start = unix("2026-04-05T00:00:00", "Australia/Lord_Howe")
    assert sum(bool(methods_at(hour, start + 60 * each)) for each in range(24 * 60)) == 90


def test_a_leap_day_is_a_day() -> None:
    leap = date(2028, 2, 29)
    closed = policy(always(PIN, OtherHours(leap, leap, NEVER)))
    for text, opens in [("2028-02-28T12:00", True), ("2028-02-29T12:00", False), ("2028-03-01T12:00", True)]:
        assert bool(methods_at(closed, unix(text, "Europe/Berlin"))) is opens
    tuesdays = policy(Schedule(PIN, (NEVER, ALL_DAY, *(NEVER,) * 5)))
    assert methods_at(tuesdays, unix("2028-02-29T12:00", "Europe/Berlin")) == PIN


def test_other_hours_replace_those_of_the_weekday_from_the_first_to_the_last_day() -> None:
    other = OtherHours(date(2026, 12, 24), date(2026, 12, 26), (Interval(600, 660),))
    festive = policy(daily(PIN, 420, 1200, other))
    found = {
        day: [hour for hour in range(24) if methods_at(festive, unix(f"2026-12-{day}T{hour:02}:00", "Europe/Berlin"))]
        for day in range(23, 28)
    }
    ordinary = list(range(7, 20))
    assert found == {23: ordinary, 24: [10], 25: [10], 26: [10], 27: ordinary}


def test_the_face_is_enough_where_one_schedule_says_so() -> None:
    both = policy(always(WITH_PIN), daily(FACE, 0, 720))
    assert methods_at(both, unix("2026-11-20T08:00", "Europe/Berlin")) == WITH_PIN | FACE
    assert methods_at(both, unix("2026-11-20T13:00", "Europe/Berlin")) == WITH_PIN


# ---- timetables


@pytest.mark.slow
@given(policies, st.sampled_from(WEEKS), st.integers(0, 7 * 86400 - 1))
@settings(max_examples=150, deadline=None)
def test_a_timetable_holds_when_the_clock_at_the_door_shows_its_hours(
    policy: DoorPolicy, week: date, second: int
) -> None:
    now = unix(week.isoformat()) + second
    local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(policy.zone))
    bit = local.hour * 60 + local.minute
    expected = {each.number for each in policy.timetables if minutes_of(each, local.date()) >> bit & 1}
    assert timetables_at(policy, now) == expected
    assert shown_at(policy, now)[0] == local.date()


def test_a_timetable_lives_through_the_ends_of_summer_time_and_a_leap_day() -> None:
    night = Timetable(1, ((Interval(120, 180),),) * 7)
    tuesdays = Timetable(2, (NEVER, ALL_DAY, *(NEVER,) * 5), (OtherHours(date(2028, 2, 29), date(2028, 2, 29)),))
    here = policy(always(PIN), timetables=(night, tuesdays))
    for day, long, held in (("2026-03-29", 23, 0), ("2026-03-30", 24, 60), ("2026-10-25", 25, 120)):
        start = unix(f"{day}T00:00:00", "Europe/Berlin")
        assert sum(1 in timetables_at(here, start + 60 * each) for each in range(long * 60)) == held
    for day, opens in (("2028-02-22", True), ("2028-02-29", False), ("2028-03-07", True)):
        assert (2 in timetables_at(here, unix(f"{day}T12:00", "Europe/Berlin"))) is opens


def test_in_another_zone_the_same_timetable_holds_at_another_second() -> None:
    morning = (Timetable(1, ((Interval(420, 480),),) * 7),)
    now = unix("2026-11-20T07:30:00", "Europe/Berlin")
    assert {z for z in ZONES if timetables_at(policy(always(PIN), zone=z, timetables=morning), now)} == {
        "Europe/Berlin"
    }


# ---- what is no policy


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (policy(), "1 to 8 schedules, not 0"),
        (policy(*[always(PIN)] * (MOST_SCHEDULES + 1)), "not 9"),
        (policy(always(NOTHING)), "one method or more"),
        (policy(always(Method(16))), "one method or more"),
        (policy(always(FACE | WITH_PIN)), "either alone or with the PIN"),
        (policy(Schedule(PIN, ALWAYS[:6])), "seven days"),
        (policy(daily(PIN, 60, 60)), "begin before they end"),
        (policy(daily(PIN, 600, 360)), "past midnight they are the next day's"),
        (policy(daily(PIN, 0, 1441)), "begin before they end"),
        (policy(daily(PIN, -1, 60)), "begin before they end"),
        (policy(Schedule(PIN, ((Interval(0, 60), Interval(60, 90)),) * 7)), "neither overlap nor touch"),
        (policy(Schedule(PIN, ((Interval(90, 100), Interval(0, 60)),) * 7)), "ascend"),
        (policy(always(PIN, OtherHours(date(2026, 1, 2), date(2026, 1, 1)))), "begin on their first day"),
        (policy(always(PIN, OtherHours(date(1969, 12, 31), date(2026, 1, 1)))), "1970"),
        (policy(always(PIN, OtherHours(date(2026, 1, 1), date.fromordinal(LAST_DAY + 1)))), "2149"),
        (
            policy(
                always(
                    PIN,
                    OtherHours(date(2026, 1, 1), date(2026, 1, 2)),
                    OtherHours(date(2026, 1, 2), date(2026, 1, 3)),
                )
            ),
            "no day has two",
        ),
        (
            policy(always(PIN, *(OtherHours(d, d) for d in map(date.fromordinal, range(740000, 740033))))),
            f"at most {MOST_EXCEPTIONS} times",
        ),
        (policy(always(PIN), timetables=(Timetable(0, ALWAYS),)), "number from 1 to 255"),
        (policy(always(PIN), timetables=(Timetable(256, ALWAYS),)), "number from 1 to 255"),
        (policy(always(PIN), timetables=(Timetable(2, ALWAYS), Timetable(1, ALWAYS))), "each timetable once"),
        (policy(always(PIN), timetables=(Timetable(1, ALWAYS), Timetable(1, ALWAYS))), "each timetable once"),
        (policy(always(PIN), timetables=(Timetable(1, ALWAYS[:6]),)), "a timetable has hours for seven days"),
        (policy(always(PIN), timetables=(Timetable(1, ((Interval(60, 60),),) * 7),)), "begin before they end"),
        (
            policy(always(PIN), timetables=tuple(Timetable(n, ALWAYS) for n in range(1, MOST_TIMETABLES + 2))),
            "at most 32 timetables, not 33",
        ),
        (policy(always(PIN), zone=""), "time zone"),
        (policy(always(PIN), zone="../etc/passwd"), "time zone"),
        (policy(always(PIN), zone="localtime"), "time zone"),
    ],
)
def test_what_is_no_policy_is_refused_in_one_sentence(bad: DoorPolicy, sentence: str) -> None:
    with pytest.raises(DocumentRefused, match=sentence):
        refuse_misfits(bad)


@pytest.mark.slow
@given(policies)
@settings(max_examples=50)
def test_the_policies_of_these_tests_are_policies(policy: DoorPolicy) -> None:
    refuse_misfits(policy)


def test_a_zone_nobody_knows_is_said_so() -> None:
    for zone in ("Mars/Olympus", "Europe", "A" * 40):
        with pytest.raises(DocumentRefused, match=f"{zone} is unknown here"):
            zone_of(replace(policy(always(PIN)), zone=zone))


def test_methods_are_named_with_pin_and_card_first() -> None:
    assert words(EVERYTHING) == ("pin", "card", "face+pin", "face")

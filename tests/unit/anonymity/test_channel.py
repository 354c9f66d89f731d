"""What arrives at the broker, and what can be read off it."""

import json

import numpy as np
import pytest

from device.report.alarm_tests import A_DAY
from device.report.envelope import SIZE
from tools.anonymity.acts import Act, Done
from tools.anonymity.channel import AVAILABILITY, Seen, capture
from tools.anonymity.habits import DAY_S
from tools.anonymity.leaks import (
    FlagsInTheOpen,
    GriddedTests,
    LockoutAtOnce,
    LongerTests,
    NoTestsForNobody,
    SealedOnce,
    SequenceCountsOpenings,
    SizeByMethod,
    SpeaksEarly,
)
from tools.anonymity.lock import lived
from tools.anonymity.observed import COLUMNS, Hint, observe
from tools.anonymity.voices import Building, Counted, ExactTimes, Home, QuarterCounts, Unkeyed

RUN = "0a0b0c0d"
MORNING, EVENING = Done(8 * 3600.0, Act.GOES_OUT), Done(18 * 3600.0, Act.PIN)
BUSY = (MORNING, EVENING, Done(19 * 3600.0, Act.FACE), Done(20 * 3600.0, Act.CARD))
LEAKS = (ExactTimes, QuarterCounts, Home, SizeByMethod, SequenceCountsOpenings, SpeaksEarly)


def seen(voice: type[Building], *done: Done, days: int = 1, seed: int = 1) -> tuple[Seen, ...]:
    return capture(voice(RUN), lived(done), days, np.random.default_rng(seed))


def certain(arrived: tuple[Seen, ...], *, wire: bool = False) -> list[Hint]:
    """The hints that are no alarm: an alarm may be a test."""
    return [hint for hint in observe(arrived, wire=wire).hints if not hint.alarm]


def alarms(arrived: tuple[Seen, ...]) -> list[float]:
    return [each.at_s for each in arrived if each.topic.endswith("/alarm")]


def test_a_busy_day_and_an_empty_one_are_the_same_capture() -> None:
    assert seen(Building, *BUSY) == seen(Building)
    assert len([each for each in seen(Building) if each.topic.endswith("/report")]) == 96


@pytest.mark.parametrize("leak", LEAKS)
def test_every_leak_makes_a_busy_day_another_capture(leak: type[Building]) -> None:
    assert seen(leak, *BUSY) != seen(leak)


@pytest.mark.parametrize("leak", LEAKS)
def test_every_leak_leaves_hints_and_they_hold_the_moment(leak: type[Building]) -> None:
    assert any(hint.from_s <= EVENING.at_s + 10 <= hint.to_s for hint in certain(seen(leak, *BUSY)))
    assert not certain(seen(leak))


@pytest.mark.slow
def test_a_network_that_fails_leaves_no_hint_and_loses_nothing() -> None:
    for seed in range(20):
        arrived = seen(Unkeyed, days=7, seed=seed)
        numbers = [json.loads(each.payload)["seq"] for each in arrived if each.topic.endswith("/report")]
        assert numbers == list(range(1, 7 * 96 + 1))
        assert not observe(arrived).hints
        assert not observe(arrived, wire=True).hints
        words = [each.payload for each in arrived if each.topic == AVAILABILITY]
        assert words.count(b"online") == words.count(b"offline")
    assert any(each.topic == AVAILABILITY for seed in range(20) for each in seen(Building, days=7, seed=seed))


LOCKED_OUT, CAMERA_MET = Done(EVENING.at_s, Act.LOCKED_OUT), Done(EVENING.at_s, Act.FACE_FAILS)


def test_an_alarm_without_tests_is_dated_to_the_leaving() -> None:
    (held,) = observe(seen(Unkeyed, Done(MORNING.at_s, Act.HOLDS_OPEN))).hints
    assert held.from_s <= MORNING.at_s <= held.to_s
    (at_once, *_) = observe(seen(LockoutAtOnce, LOCKED_OUT)).hints
    assert at_once.to_s - at_once.from_s < 100


@pytest.mark.parametrize("voice", [Building, Unkeyed])
@pytest.mark.parametrize("act", [LOCKED_OUT, CAMERA_MET])
def test_what_waits_for_the_report_is_sealed_there_and_is_no_hint(voice: type[Building], act: Done) -> None:
    assert seen(voice, act) == seen(voice)
    assert not certain(seen(voice, act))


@pytest.mark.parametrize("act", [LOCKED_OUT, CAMERA_MET])
@pytest.mark.parametrize("leak", [FlagsInTheOpen, SealedOnce])
def test_flags_in_the_open_or_sealed_once_date_it_to_a_quarter_of_an_hour(act: Done, leak: type[Building]) -> None:
    waits = certain(seen(leak, act))[0]
    assert waits.from_s <= EVENING.at_s + 17 <= waits.to_s
    assert waits.to_s - waits.from_s == pytest.approx(900)
    assert not certain(seen(leak))


def test_what_is_sealed_is_another_text_in_each_report_of_the_door_and_the_same_in_the_leak() -> None:
    again = COLUMNS.index("again")
    assert set(observe(seen(Building, LOCKED_OUT)).rows[:, again]) == {0.0}
    assert set(observe(seen(SealedOnce)).rows[:, again]) == {0.0, 1.0}


def test_whoever_sees_only_records_sees_neither_words_nor_topics_but_every_length_and_time() -> None:
    size = COLUMNS.index("longer")
    assert set(observe(seen(SizeByMethod, *BUSY), wire=True).rows[:, size]) == {0.0, 1.0, 2.0, 3.0}
    assert observe(seen(ExactTimes, *BUSY), wire=True).hints
    assert not certain(seen(QuarterCounts, *BUSY), wire=True), "a count inside the envelope is encrypted"
    assert not certain(seen(SequenceCountsOpenings, *BUSY), wire=True)
    assert len(observe(seen(Building), wire=True).hints) == len(alarms(seen(Building))), "alarms have a shorter topic"


def test_the_number_of_the_day_is_the_same_in_all_reports_of_the_day_after() -> None:
    arrived = [each for each in seen(Counted, *BUSY, days=3) if each.topic.endswith("/report")]
    by_day: dict[int, set[int | None]] = {}
    for each in arrived:
        by_day.setdefault(int(each.at_s // DAY_S), set()).add(json.loads(each.payload)["count"])
    assert by_day[0] == {None}
    assert [len(numbers) for numbers in by_day.values()] == [1, 1, 1]
    assert {len(each.payload) for each in arrived} == {SIZE}


# ---- test alarms

HELD = Done(MORNING.at_s, Act.HOLDS_OPEN)
CALLED = Done(EVENING.at_s, Act.CALLS_FOR_HELP)


def test_a_week_with_tests_numbers_every_message_and_has_one_size() -> None:
    arrived = [each for each in seen(Building, days=7, seed=2) if each.topic != AVAILABILITY]
    assert sorted(json.loads(each.payload)["seq"] for each in arrived) == list(range(1, len(arrived) + 1))
    assert {len(each.payload) for each in arrived} == {SIZE}
    assert 7 * A_DAY / 2 < len(alarms(tuple(arrived))) < 7 * A_DAY * 2


@pytest.mark.parametrize("act", [HELD, CALLED])
def test_what_people_bring_about_is_one_more_alarm_and_nothing_else(act: Done) -> None:
    quiet, told = seen(Building), seen(Building, act)
    assert len(alarms(told)) == len(alarms(quiet)) + 1
    assert set(alarms(quiet)) < set(alarms(told))
    flags = [{**json.loads(each.payload), "seq": 0, "sealed": ""} for each in told if each.topic.endswith("/report")]
    assert all(each == flags[0] for each in flags), "no report says that there was one"


def test_without_a_key_every_alarm_is_a_real_one() -> None:
    assert not alarms(seen(Unkeyed))
    assert len(alarms(seen(Unkeyed, HELD, CALLED))) == 2


def test_an_alarm_is_a_hint_and_may_be_a_test() -> None:
    assert not certain(seen(Building, HELD, CALLED))
    hints = observe(seen(Building, HELD)).hints
    assert any(hint.from_s <= HELD.at_s <= hint.to_s for hint in hints)
    assert len(hints) == len(alarms(seen(Building, HELD)))


@pytest.mark.slow
def test_tests_that_wait_for_the_network_are_hints_as_long_as_it_was_away() -> None:
    waited = [hint for seed in range(30) for hint in observe(seen(Building, days=7, seed=seed)).hints if hint.alarm]
    assert any(hint.to_s - hint.from_s > 120.0 for hint in waited)


def test_each_leak_of_the_tests_shows_what_it_says() -> None:
    sizes = {len(each.payload) for each in seen(LongerTests) if each.topic.endswith("/alarm")}
    assert sizes == {SIZE + 1}
    reports_s = [each.at_s for each in seen(GriddedTests) if each.topic.endswith("/report")]
    assert alarms(seen(GriddedTests))
    assert all(min(abs(at_s - each) for each in reports_s) < 1 for at_s in alarms(seen(GriddedTests)))
    assert alarms(seen(NoTestsForNobody, days=7)) == []
    week = [Done(day * DAY_S + MORNING.at_s, Act.GOES_OUT) for day in range(7)]
    assert alarms(seen(NoTestsForNobody, *week, days=7))

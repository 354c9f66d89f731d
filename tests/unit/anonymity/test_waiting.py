"""An alarm that waits: when it is said, what is forgotten, and that the attacker reads it as what it is."""

from __future__ import annotations

import json

import numpy as np
import pytest

from device.report import schedule
from tools.anonymity.acts import Act, Done
from tools.anonymity.channel import Seen, capture
from tools.anonymity.door import CADENCE_S, DOOR
from tools.anonymity.lock import lived
from tools.anonymity.observed import observe
from tools.anonymity.voices import Building
from tools.anonymity.waiting import BEHIND_S, HeldIfItStands, HeldWaits

GRID_S = schedule.next_due_s(8 * 3600.0, CADENCE_S, schedule.phase_s(DOOR, CADENCE_S))
BETWEEN = Done(GRID_S + 300.0, Act.HOLDS_OPEN)  # over long before the next report
ACROSS = Done(GRID_S - 90.0, Act.HOLDS_OPEN)  # held open from -29 to +31 seconds of a report


def seen(voice: type[Building], *done: Done) -> tuple[Seen, ...]:
    draw = np.random.default_rng(1)
    return capture(voice("0a0b0c0d"), lived(done), 1, draw)


def alarms(heard: tuple[Seen, ...]) -> list[float]:
    return [each.at_s for each in heard if each.topic.endswith("/alarm")]


def numbers(heard: tuple[Seen, ...]) -> list[int]:
    return [json.loads(each.payload)["seq"] for each in heard if each.payload.startswith(b"{")]


def test_the_product_tells_at_once() -> None:
    (at_s,) = alarms(seen(Building, BETWEEN))
    assert at_s == pytest.approx(BETWEEN.at_s + 61.0, abs=1.0)


@pytest.mark.parametrize("done", [BETWEEN, ACROSS])
def test_what_waits_goes_right_behind_the_next_report(done: Done) -> None:
    report_s = GRID_S if done is ACROSS else GRID_S + CADENCE_S
    assert alarms(seen(HeldWaits, done)) == [pytest.approx(report_s + BEHIND_S)]


def test_what_is_over_by_the_report_is_never_told_and_takes_no_number() -> None:
    assert seen(HeldIfItStands, BETWEEN) == seen(HeldIfItStands)
    assert alarms(seen(HeldIfItStands, ACROSS)) == [pytest.approx(GRID_S + BEHIND_S)]


@pytest.mark.parametrize("voice", [Building, HeldWaits, HeldIfItStands])
def test_every_message_has_the_next_number(voice: type[Building]) -> None:
    said = numbers(seen(voice, BETWEEN, Done(BETWEEN.at_s + 3600, Act.HOLDS_OPEN)))
    assert said == list(range(1, len(said) + 1))


def test_other_trouble_is_told_as_ever() -> None:
    lockout = Done(BETWEEN.at_s, Act.LOCKED_OUT)
    assert seen(HeldIfItStands, lockout) == seen(HeldWaits, lockout) == seen(Building, lockout)


def test_the_attacker_knows_that_it_waited() -> None:
    (hint,) = observe(seen(HeldWaits, BETWEEN)).hints
    assert hint.from_s <= BETWEEN.at_s <= hint.to_s
    assert hint.to_s - hint.from_s > CADENCE_S

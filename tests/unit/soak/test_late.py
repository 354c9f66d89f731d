"""Behind the last approach nobody new comes, and who waits for the camera is not waited for without end."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from device.keeper.cards.steps import Reason
from tools.soak import told
from tools.soak.day import Day
from tools.soak.homes import Act
from tools.soak.lines import Cause
from tools.soak.plan import Approach, Sizes, Way
from tools.soak.visitors import SPAN_S, WINDOWS, Pace

FACES = 3


class Visitors:
    """Who comes: how many of each way."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.came: list[Way] = []

    def comes(self, step: Approach) -> None:
        self.came.append(step.way)


def day(pace: Pace, logs: Mapping[str, Path] | None = None) -> tuple[Day, Visitors]:
    """One whose approaches are over, with faces that wait."""
    house = cast("Any", SimpleNamespace(door=None, named=None, logs=lambda: logs or {}))
    made, visitors = Day(house, Sizes(100, 2, 0, 0), 1, lambda _: None), Visitors(pace)
    made._visitors = cast("Any", visitors)
    made._faces = deque(Approach(Way.FACE, 0.5) for _ in range(FACES))
    return made, visitors


def test_who_waited_comes_and_nobody_else() -> None:
    made, visitors = day(Pace())
    made._late(time.monotonic() + 30)
    assert visitors.came == [Way.FACE] * FACES
    assert made.left_out == (0, 0)
    assert list(told._left_out(made)) == []


def test_a_camera_that_is_busy_is_not_waited_for_without_end() -> None:
    pace = Pace()
    for _ in range(WINDOWS):
        pace.ended(time.monotonic())
    made, visitors = day(pace)
    made._moving.append(iter([Act(lambda _: None)]))
    began = time.monotonic()
    made._late(began + 1)
    assert time.monotonic() - began < SPAN_S
    assert visitors.came == []
    assert made.left_out == (FACES, 0), "a home that needs no face is not held up"
    (sentence,) = told._left_out(made)
    assert sentence.startswith(f"left out: {FACES} faces and 0 homes that waited for the camera")


@pytest.mark.parametrize("early", [True, False])
def test_a_day_that_is_ended_waits_for_nobody(*, early: bool) -> None:
    made, visitors = day(Pace())
    made.early = early
    made._late(time.monotonic() + (30 if early else 0))
    assert visitors.came == []
    assert made.left_out == (FACES, 0)


def test_what_the_last_visitors_left_in_the_logs_is_read_while_its_cause_is_not_yet_past(tmp_path: Path) -> None:
    """A copy of a card among them: who waits for the camera may take longer than a cause is remembered."""
    log = tmp_path / "keeper.log"
    log.write_text(f"keeper: {Reason.UNKNOWN_KEY.value}\n", encoding="utf-8")
    made, _ = day(Pace(), {"keeper": log})
    made.causes.happened(Cause.COPY, time.monotonic())
    made._late(time.monotonic() + 30)
    assert (made.journal.lines, made.journal.unexplained) == (1, [])

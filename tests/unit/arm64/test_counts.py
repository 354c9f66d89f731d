"""What the plugin wrote is read, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.arm64.counts import Run, middle, read
from tools.arm64.guest import FIRST_RUN, LOADED, NOTHING
from tools.arm64.kinds import ENCODINGS, Kind
from tools.vm.say import VmFault


def line(mark: int, *threads: tuple[int, list[int]]) -> str:
    words = [f"{i}:{','.join(map(str, [total, *kinds]))}" for i, (total, kinds) in enumerate(threads)]
    return " ".join([str(mark), *words])


def none() -> list[int]:
    return [0] * len(ENCODINGS)


def test_what_a_mark_costs_is_taken_away_and_threads_are_added() -> None:
    dots = none()
    dots[0], dots[1] = 3, 4
    lines = [
        line(LOADED, (9_000_000, none())),
        line(NOTHING, (7_000, none())),
        line(FIRST_RUN, (107_000, dots), (40_000, dots)),
    ]
    assert read(lines) == {0: [Run(140_000, 100_000, {kind: 14 if kind is Kind.DOT else 0 for kind in Kind})]}


def test_each_job_has_its_own_runs() -> None:
    lines = [line(NOTHING, (1, none())), *(line(FIRST_RUN + job, (100 * (job + 1), none())) for job in (0, 0, 2))]
    found = read(lines)
    assert {job: [run.total for run in runs] for job, runs in found.items()} == {0: [99, 99], 2: [299]}


def test_the_first_run_is_not_averaged_and_the_spread_is_of_the_others() -> None:
    runs = [Run(total, total // 2, dict.fromkeys(Kind, total)) for total in (900, 110, 100, 130)]
    counted = middle(runs)
    assert (counted.total, counted.busiest, counted.spread, counted.runs) == (110, 55, 30, 3)
    assert counted.kinds[Kind.DOT] == 110


def test_a_single_run_is_refused_because_it_is_the_first() -> None:
    with pytest.raises(VmFault, match="at least twice"):
        middle([Run(1, 1, {})])


@pytest.mark.parametrize(
    "text",
    ["2 0:12", "2 0:12,x,0", "", "two 0:1", line(2, (5, none()))[:-3], line(2, (5, [*none(), 0]))],
)
def test_a_line_that_is_none_of_ours_is_refused(text: str) -> None:
    with pytest.raises(VmFault, match="not understood"):
        read([text])


def test_a_mark_that_nobody_makes_is_refused() -> None:
    with pytest.raises(VmFault, match="nobody makes: -1"):
        read([line(-1, (5, none()))])


@pytest.mark.slow
@given(st.text(alphabet="0123456789:, -x\n", max_size=60))
def test_rubbish_is_read_or_refused_in_words(text: str) -> None:
    said = ""
    try:
        read([text])
    except VmFault as refused:
        said = str(refused)
    assert "\n" not in said

"""What a figure says follows from all its rounds, and from nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.benchmark.figures import Figure, Rows, Section, Spread, percentile, ratios
from tools.benchmark.show import Show

NUMBERS = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=50)


@given(NUMBERS)
def test_a_spread_is_within_its_rounds_and_does_not_depend_on_their_order(values: list[float]) -> None:
    spread, turned = Spread.of(values), Spread.of(values[::-1])
    assert min(values) == spread.low <= spread.median <= spread.high == max(values)
    assert (spread.low, spread.median, spread.high) == (turned.low, turned.median, turned.high)


def test_nothing_measured_is_no_spread() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Spread.of([])


@given(NUMBERS, st.floats(0.1, 100))
def test_a_percentile_is_a_sample_that_enough_samples_do_not_exceed(values: list[float], percent: float) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= len(values) * percent * (1 - 1e-12)
    below = [value for value in values if value < found]
    assert len(below) * 100 < len(values) * percent


def test_p99_of_a_hundred_is_the_second_highest_and_of_fewer_the_highest() -> None:
    assert percentile(list(range(1, 101)), 99) == 99
    assert percentile(list(range(1, 100)), 99) == 99


@pytest.mark.parametrize("percent", [0, -1, 101])
def test_a_percentile_outside_its_range_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile([1.0], percent)


def test_ratios_compare_round_with_round() -> None:
    assert ratios([2.0, 9.0], [1.0, 3.0]).values == (2.0, 3.0)
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("values", "limit", "met", "verdict"),
    [
        ((1.0, 1.1, 1.2), 1.25, True, "met"),
        ((1.0, 1.1, 9.0), 1.25, True, "met, rounds on both sides"),
        ((1.0, 1.3, 1.4), 1.25, False, "MISSED, rounds on both sides"),
        ((1.3, 1.4), 1.25, False, "MISSED"),
        ((1.25,), 1.25, True, "met"),
        ((9.0,), None, None, ""),
    ],
)
def test_the_verdict_is_the_medians_and_says_when_rounds_disagree(
    values: tuple[float, ...], limit: float | None, met: bool | None, verdict: str
) -> None:
    figure = Figure("a / b", Spread(values), limit=limit)
    assert (figure.met, figure.verdict) == (met, verdict)


def section() -> Section:
    missed = Figure("slow / fast", Spread((3.0, 4.0, 5.0)), limit=2.0)
    kept = Figure("small", Spread((7.0,)), "MB", 300.0)
    return Section("things", (missed, kept), ("a note",), (Rows("parts", ("one", "two"), (("a", "b"),)),))


def test_a_missed_limit_is_said_in_words_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    show = Show(as_json=False)
    show.section(section())
    show.summary([section()], {"eye": "there are no pictures"}, 12.0)
    said = capsys.readouterr().out
    assert "1 of 2 stated limits were met" in said
    assert "MISSED  things: slow / fast: 4.00 ×, limit 2" in said
    assert "NOT MEASURED  eye: there are no pictures" in said
    assert "3.00 to 5.00" in said
    assert "one reading" in said


def test_with_json_no_table_is_printed_and_nothing_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    Show(as_json=True).section(section())
    assert capsys.readouterr().out == ""
    plain = json.loads(json.dumps(section().plain()))
    assert [(one["median"], one["min"], one["max"], one["met"]) for one in plain["figures"]] == [
        (4.0, 3.0, 5.0, False),
        (7.0, 7.0, 7.0, True),
    ]
    assert plain["tables"][0]["rows"] == [["a", "b"]]

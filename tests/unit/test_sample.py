"""`make check` runs some cases of an exhaustive test, spread over all of them, and `make test` runs every one."""

from __future__ import annotations

import pytest

from tests.support import sample


@pytest.mark.parametrize("count", range(1, 60))
def test_as_many_as_are_kept_and_the_ends_among_them(count: int) -> None:
    for kept in range(1, 20):
        found = sample.spread(count, kept)
        assert len(found) == min(count, kept)
        assert found <= set(range(count))
        assert kept == 1 or {0, count - 1} <= found


def test_nothing_kept_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="keeps a case"):
        sample.spread(5, 0)


def test_each_test_is_sampled_by_itself_though_their_cases_are_mixed() -> None:
    cases = [("a", 2), ("b", 1), ("a", 2), ("b", 1), ("a", 2), ("b", 1), ("c", 9)]
    assert sample.left_out(cases) == [1, 2, 5]


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("number", range(4))
def test_what_is_left_out_of_a_check_is_marked_slow_and_nothing_else(
    number: int, request: pytest.FixtureRequest
) -> None:
    marked = request.node.get_closest_marker("slow") is not None
    assert marked == (number in {1, 2})

"""The drawn leaf moves only where a real one would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tools.simulator.showroom.passage import CLOSES_S, WALKS_AFTER_S, Passage
from tools.simulator.showroom.view import View

LOCKED, GRANTED = View(power=True, granted=False), View(power=True, granted=True)
STANDS_OPEN = View(power=True, granted=False, leaf_open=True)
DARK = View(power=False, granted=False)


def test_somebody_walks_through_a_moment_after_the_bolt_let_go() -> None:
    passage = Passage()
    assert passage.seen(GRANTED, 10.0) is None
    assert passage.seen(GRANTED, 10.0 + WALKS_AFTER_S / 2) is None
    assert passage.seen(GRANTED, 10.0 + WALKS_AFTER_S) is True


def test_nobody_walks_where_nobody_shall() -> None:
    passage = Passage(walks=False)
    assert {passage.seen(GRANTED, at / 10) for at in range(100)} == {None}


def test_the_closer_shuts_what_was_opened() -> None:
    passage = Passage()
    assert passage.seen(STANDS_OPEN, 5.0) is None
    assert passage.seen(STANDS_OPEN, 5.0 + CLOSES_S) is False


def test_a_grant_that_ended_before_anybody_moved_opens_nothing() -> None:
    passage = Passage()
    passage.seen(GRANTED, 0.0)
    assert passage.seen(LOCKED, WALKS_AFTER_S) is None
    assert passage.seen(GRANTED, WALKS_AFTER_S) is None, "the next grant begins anew"


@given(st.lists(st.sampled_from([LOCKED, GRANTED, STANDS_OPEN, DARK])), st.booleans())
def test_a_bolt_that_holds_is_never_walked_through(views: list[View], walks: bool) -> None:
    passage = Passage(walks=walks)
    for second, now in enumerate(views):
        if passage.seen(now, float(second)) is True:
            assert now.granted
            assert walks

"""Debouncing by time and level: a contact counts once it stood still, however many edges were seen or lost."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from device.lock.board import SETTLE_S, Settled

STEP_S = SETTLE_S / 3


def test_a_level_counts_after_it_stood_still() -> None:
    contact = Settled(level=False)
    contact.seen(True, 1.0)
    assert contact.settle(1.0 + SETTLE_S * 0.99) is None
    assert contact.due_s == 1.0 + SETTLE_S
    assert contact.settle(1.0 + SETTLE_S + 1e-9) is True
    assert contact.due_s is None
    assert contact.settle(2.0) is None, "told once"


def test_going_back_starts_anew() -> None:
    contact = Settled(level=False)
    contact.seen(True, 1.0)
    contact.seen(False, 1.0 + SETTLE_S / 2)
    assert contact.due_s is None
    contact.seen(True, 1.0 + SETTLE_S * 0.6)
    assert contact.settle(1.0 + SETTLE_S * 1.5) is None
    assert contact.settle(1.0 + SETTLE_S * 1.7) is True


def test_the_first_level_of_a_contact_is_news_either_way() -> None:
    for level in (False, True):
        contact = Settled()
        contact.seen(level, 1.0)
        assert contact.settle(2.0) is level


@given(st.lists(st.booleans(), max_size=60))
def test_told_levels_alternate_and_stood_still(levels: list[bool]) -> None:
    contact, told = Settled(level=False), []
    for index, level in enumerate(levels):
        now = index * STEP_S
        contact.seen(level, now)
        settled = contact.settle(now)
        if settled is not None:
            told.append(settled)
            assert set(levels[index - 3 : index + 1]) == {settled}, "four looks in a row, three steps apart"
    assert all(earlier != later for earlier, later in itertools.pairwise([False, *told]))


@given(st.lists(st.booleans(), max_size=60), st.booleans())
def test_whatever_happened_before_a_still_level_is_known_at_last(levels: list[bool], last: bool) -> None:
    contact = Settled(level=False)
    for index, level in enumerate(levels):
        contact.seen(level, index * STEP_S)
        contact.settle(index * STEP_S)
    end = len(levels) * STEP_S
    contact.seen(last, end)
    contact.settle(end + SETTLE_S * 1.01)
    assert contact.level is last

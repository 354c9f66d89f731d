"""Documents to lock: one at a time, in order, and none stands in the way for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.report.deliveries import MOST, RETRY_S, TRIES, Deliveries
from device.wire import MAX_DOCUMENT, Ack, Result

FINAL = sorted(set(Result) - {Result.BUSY, Result.FAULT})


def test_one_document_is_with_lock_and_the_next_waits_for_its_answer() -> None:
    waiting = Deliveries()
    assert waiting.arrived(1, b"one")
    assert waiting.arrived(2, b"two")
    assert waiting.due(0.0) == b"one"
    waiting.handed_over()
    assert waiting.due(0.0) is None
    assert waiting.deadline() is None
    assert waiting.answered(Ack(1, Result.DONE), 0.0) == 1
    assert waiting.due(0.0) == b"two"


def test_beyond_the_bound_the_oldest_are_kept() -> None:
    waiting = Deliveries()
    taken = [waiting.arrived(row, b"%d" % row) for row in range(1, MOST + 8)]
    assert taken == [True] * (MOST + 1) + [False] * 6
    assert waiting.due(0.0) == b"1"


@pytest.mark.parametrize("content", [b"", bytes(MAX_DOCUMENT + 1)])
def test_what_is_no_document_is_not_handed_on(content: bytes) -> None:
    assert not Deliveries().arrived(1, content)


@pytest.mark.parametrize("result", FINAL)
def test_every_answer_but_later_is_an_end(result: Result) -> None:
    waiting = Deliveries()
    waiting.arrived(5, b"one")
    waiting.handed_over()
    assert waiting.answered(Ack(0, result), 0.0) == 5
    assert len(waiting) == 0


@pytest.mark.parametrize("result", [Result.BUSY, Result.FAULT])
def test_what_lock_could_not_do_now_is_tried_again_and_then_let_go_of(result: Result) -> None:
    waiting, now_s = Deliveries(), 100.0
    waiting.arrived(5, b"one")
    waiting.arrived(6, b"two")
    for _ in range(TRIES - 1):
        waiting.handed_over()
        assert waiting.answered(Ack(0, result), now_s) is None
        assert waiting.due(now_s) is None
        assert waiting.deadline() == now_s + RETRY_S
        now_s += RETRY_S
        assert waiting.due(now_s) == b"one"
    waiting.handed_over()
    assert waiting.answered(Ack(0, result), now_s) == 5
    assert waiting.due(now_s) == b"two"


def test_a_lock_that_goes_away_gets_the_same_document_when_it_is_back() -> None:
    waiting = Deliveries()
    waiting.arrived(5, b"one")
    waiting.handed_over()
    waiting.lock_gone()
    assert waiting.due(0.0) == b"one"


def test_an_answer_to_nothing_is_an_error() -> None:
    waiting = Deliveries()
    waiting.arrived(5, b"one")
    with pytest.raises(LookupError):
        waiting.answered(Ack(0, Result.DONE), 0.0)


@given(st.lists(st.sampled_from(["arrive", "hand", "answer", "gone", *FINAL, Result.BUSY, Result.FAULT]), max_size=60))
def test_every_document_is_settled_once_and_in_order(acts: list[object]) -> None:
    waiting, rows, settled, now_s = Deliveries(), 0, [], 0.0
    for act in acts:
        now_s += RETRY_S
        if act == "arrive":
            rows += waiting.arrived(rows + 1, b"x")
        elif act == "gone":
            waiting.lock_gone()
        elif waiting.due(now_s) is not None:
            waiting.handed_over()
            result = act if isinstance(act, Result) else Result.DONE
            row = waiting.answered(Ack(0, result), now_s)
            settled += [] if row is None else [row]
    assert settled == list(range(1, len(settled) + 1))
    assert len(settled) + len(waiting) == rows

"""The loop around many doors: descriptors, moments, and moments that come earlier than planned."""

import socket
import time
from collections.abc import Iterator
from math import inf

import pytest

from tools.fleet_sim.poll import READ, Poll


@pytest.fixture
def poll() -> Iterator[Poll]:
    made = Poll()
    yield made
    made.close()


class Clockwork:
    """Wants its turns at given moments."""

    def __init__(self, *moments: float) -> None:
        self.moments = list(moments)
        self.turns: list[float] = []

    def due_s(self) -> float:
        return self.moments[0] if self.moments else inf

    def turn(self, now_s: float) -> None:
        self.turns.append(self.moments.pop(0))


def test_turns_come_in_the_order_of_time(poll: Poll) -> None:
    now_s = time.monotonic()
    one, other = Clockwork(now_s - 3, now_s - 1), Clockwork(now_s - 2)
    poll.join(one)
    poll.join(other)
    poll.run(lambda: not one.moments and not other.moments)
    assert (one.turns, other.turns) == ([now_s - 3, now_s - 1], [now_s - 2])


def test_a_moment_that_moved_forward_is_kept(poll: Poll) -> None:
    now_s = time.monotonic()
    timed = Clockwork(now_s + 3600)
    number = poll.join(timed)
    timed.moments = [now_s - 1]
    poll.plan(number)
    poll.run(lambda: bool(timed.turns))
    assert timed.turns == [now_s - 1]


def test_a_moment_that_moved_back_is_not_kept_too_early(poll: Poll) -> None:
    now_s = time.monotonic()
    timed = Clockwork(now_s - 1)
    poll.join(timed)
    timed.moments = [now_s + 3600]
    witness = Clockwork(now_s - 1)
    poll.join(witness)
    poll.run(lambda: bool(witness.turns))
    assert timed.turns == []


def test_a_descriptor_is_called_until_it_is_dropped(poll: Poll) -> None:
    ours, theirs = socket.socketpair()
    heard: list[int] = []
    with ours, theirs:
        poll.add(ours.fileno(), READ, heard.append)
        theirs.send(b"x")
        poll.run(lambda: bool(heard))
        poll.drop(ours.fileno())
        poll.drop(ours.fileno())
        heard.clear()
        witness = Clockwork(time.monotonic() + 0.001)
        poll.join(witness)
        poll.run(lambda: bool(witness.turns))
        assert heard == []

"""What the loop waits for, with real descriptors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic

import pytest

from device.waiting import Waiting

Pipe = tuple[int, int]


def one() -> None:
    """Whom it is about."""


def other() -> None:
    """Somebody else."""


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    made = Waiting()
    yield made
    made.close()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):
            os.close(end)


def test_whoever_is_readable_is_called_and_nobody_else(waiting: Waiting, pipe: Pipe) -> None:
    quiet, _ = os.pipe()
    heard: list[str] = []
    waiting.register(pipe[0], lambda: heard.append("spoke"))
    waiting.register(quiet, lambda: heard.append("quiet"))
    assert waiting.select(0) == []
    os.write(pipe[1], b"x")
    for callback in waiting.select(None):
        callback()
    assert heard == ["spoke"]
    assert waiting.watched == {pipe[0], quiet}
    os.close(quiet)


def test_the_end_of_the_other_side_is_called_as_well(waiting: Waiting, pipe: Pipe) -> None:
    waiting.register(pipe[0], one)
    os.close(pipe[1])
    assert waiting.select(0) == [one]


def test_what_is_watched_no_more_is_not_called_and_may_be_watched_again(waiting: Waiting, pipe: Pipe) -> None:
    waiting.register(pipe[0], one)
    os.write(pipe[1], b"x")
    waiting.unregister(pipe[0])
    assert waiting.select(0) == []
    assert waiting.watched == frozenset()
    waiting.register(pipe[0], other)
    assert waiting.select(0) == [other]


def test_one_that_was_closed_before_it_was_given_back_is_given_back(waiting: Waiting, pipe: Pipe) -> None:
    waiting.register(pipe[0], one)
    os.close(pipe[0])
    waiting.unregister(pipe[0])
    assert waiting.watched == frozenset()


def test_nothing_is_watched_twice_and_nothing_given_back_that_nobody_watched(waiting: Waiting, pipe: Pipe) -> None:
    waiting.register(pipe[0], one)
    with pytest.raises(FileExistsError):
        waiting.register(pipe[0], other)
    os.write(pipe[1], b"x")
    assert waiting.select(0) == [one]
    with pytest.raises(KeyError):
        waiting.unregister(pipe[1])


def test_it_rests_for_as_long_as_it_was_told_and_no_shorter(waiting: Waiting) -> None:
    began_s = monotonic()
    assert waiting.select(0.02) == []
    assert monotonic() - began_s >= 0.02

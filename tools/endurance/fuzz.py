"""Feeds a parser what nobody would send, and says what it may not do.

Rules kept here:
- A parser refuses with its own error or takes what it was given; any other error is a find, whatever its cause.
- What is taken has one byte form only: packed again it must be the very bytes that came in. What is signed or sealed is
  taken only if it is unchanged.
- No input may hold a processor for LIMIT_S seconds.
- The same seed gives the same inputs.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from types import FrameType
from typing import Any

from tools.endurance.garble import garbled

LIMIT_S = 2.0


class Wrong(AssertionError):
    """A parser took what it should not have; the message says what."""


class Hangs(BaseException):
    """An input held the processor too long. No `Exception`: a parser that catches those must not hide it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parser: honest inputs, how it is fed, and the errors that are its own.

    `feed` returns whether the input was taken, raises what the parser raises, or Wrong.
    """

    name: str
    honest: tuple[bytes, ...]
    feed: Callable[[bytes], bool]
    own: tuple[type[Exception], ...]


@dataclass(slots=True)
class Fed:
    """What feeding came to. `found`: the input and what was wrong with it."""

    name: str
    inputs: int = 0
    taken: int = 0
    seconds: float = 0.0
    found: tuple[bytes, str] | None = None


def one_form(parse: Callable[[bytes], Any], pack: Callable[[Any], bytes]) -> Callable[[bytes], bool]:
    """Feeds `parse`; what it takes must be what `pack` writes of it."""

    def feed(data: bytes) -> bool:
        if pack(parse(data)) != data:
            raise Wrong("took another spelling of what it would write")
        return True

    return feed


def unchanged(honest: tuple[bytes, ...], parse: Callable[[bytes], bool]) -> Callable[[bytes], bool]:
    """Feeds `parse`; what it takes must be one of `honest`."""

    def feed(data: bytes) -> bool:
        taken = parse(data)
        if taken and data not in honest:
            raise Wrong("took what was changed after it was signed or sealed")
        return taken

    return feed


def fuzz(target: Target, count: int, seed: int) -> Fed:
    """Feed `count` inputs to `target`, up to the first find. In the main thread: it needs a timer signal."""
    random, fed = Random(seed), Fed(target.name)
    began = time.perf_counter()
    with _timer():
        for _ in range(count):
            data = garbled(target.honest, random)
            fed.inputs += 1
            wrong = _fed(target, data, fed)
            if wrong:
                fed.found = data, wrong
                break
    fed.seconds = time.perf_counter() - began
    return fed


def _fed(target: Target, data: bytes, fed: Fed) -> str:
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
    try:
        fed.taken += target.feed(data)
    except target.own:
        pass
    except Hangs:
        return f"held the processor for {LIMIT_S:g} s"
    except Exception as error:  # noqa: BLE001 - finding any other error is what this is for
        return f"{type(error).__name__}: {error}"[:200]
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return ""


@contextmanager
def _timer() -> Iterator[None]:
    # Time of the processor, not of the clock: a busy machine is no hang.
    before = signal.signal(signal.SIGVTALRM, _hangs)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _hangs(_number: int, _frame: FrameType | None) -> None:
    raise Hangs

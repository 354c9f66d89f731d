"""Messages and policy alone: what the section says of its samples, and a real lock between neighbours that say yes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from device import wire
from tools.benchmark import one_lock, stand_in, walls
from tools.benchmark.figures import Figure, NotMeasured
from tools.benchmark.one_lock import OneLock


def rounds(face_ms: float, pin_ms: float, bare_ms: float = 0.1) -> list[dict[str, list[float]]]:
    taken = zip(walls.KINDS, (face_ms, pin_ms, bare_ms, 0.2), strict=True)
    return [{kind: [took_ms] * 5 for kind, took_ms in taken}] * 3


def judged(face_ms: float, pin_ms: float) -> list[bool | None]:
    return [one.met for one in walls.section(rounds(face_ms, pin_ms)).figures if one.limit is not None]


def test_each_way_is_judged_by_a_millisecond() -> None:
    assert judged(0.9, 0.9) == [True] * 4
    assert judged(1.1, 0.9) == [False, False, True, True]
    assert judged(0.9, 1.1) == [True, True, False, False]


def test_the_ratios_are_to_the_bare_round_trip_of_the_same_rounds() -> None:
    told = [one.value.median for one in walls.section(rounds(0.4, 0.6, 0.2)).figures if one.unit == "×"]
    assert told == pytest.approx([2.0, 2.0, 3.0, 3.0])


def test_one_slow_sample_in_a_hundred_is_beyond_the_limit_only_if_it_is_not_the_only_one() -> None:
    def p99(slow: int) -> Figure:
        usual = {kind: [0.3] * 200 for kind in walls.KINDS}
        return walls.section([usual | {walls.FACE: [0.3] * (200 - slow) + [5.0] * slow}]).figures[0]

    assert (p99(2).met, p99(3).met) == (True, False)


def test_a_board_that_waits_like_everybody_is_told() -> None:
    assert len(walls.section(rounds(0.5, 0.5), first=False).notes) == len(walls.section(rounds(0.5, 0.5)).notes) + 1


# ---- the real thing


@pytest.fixture(scope="module")
def lock() -> Iterator[OneLock]:
    with one_lock.one_lock() as running:
        yield running


def test_a_real_lock_opens_by_both_ways_and_is_secured_again(lock: OneLock) -> None:
    ways = (lock.bare_ns, lock.three_hops_ns, lock.by_face_ns, lock.by_pin_ns)
    bare, chain, face, pin = (min(one() for _ in range(5)) for one in ways)
    assert 0 < bare < min(face, pin), "three hops took less than two"
    assert 0 < chain < face, "three hops without a door took longer than with one"


def test_what_lock_waits_for_is_in_the_time(lock: OneLock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: a Probe that lies about for 50 ms before anybody hears of it."""
    straight = lock.vault

    class Slow:
        def send(self, data: bytes) -> int:
            threading.Timer(0.05, straight.send, (data,)).start()
            return len(data)

    monkeypatch.setattr(lock, "vault", Slow())
    assert lock.by_face_ns() > 50_000_000


def test_a_lock_that_does_not_open_is_not_measured(lock: OneLock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_lock, "PIN_BUT_LAST", "4829*")  # taken back: lock asks keeper nothing
    lock.cable.settimeout(1.0)
    began = time.monotonic()
    with pytest.raises(NotMeasured, match="did not do what it was asked to"):
        lock.by_pin_ns()
    assert time.monotonic() - began < 30.0
    lock.cable.settimeout(one_lock.PATIENCE_S)


def test_the_bare_answer_has_the_size_of_a_verdict() -> None:
    verdict = wire.Verdict(bytes(wire.NONCE_BYTES), 1, wire.Outcome.REFUSED, 0)
    assert len(wire.pack(verdict)) == stand_in.ANSWER_BYTES

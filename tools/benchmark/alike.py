"""Whether a watch at the keypad tells attempts apart: right, wrong, under duress, a guest's, nobody's; invitations.

Rules kept here:
- It is keeper's own core on its own files and with its own worker and price; only the sockets are left out, which carry
  every message alike.
- Kinds are interleaved in a new random order in every round, so that what else this machine does falls on all alike.
- What is compared are whole distributions: of each kind and of its measure, how often one is slower than the other
  (Mann-Whitney), with the chance that two alike kinds would differ as much by random order (permutations), times the
  number of kinds compared. The smallest difference that would have been seen is stated beside it.
- The measure of what is typed to open is a right PIN; of invitations, with which a PIN is set and for which two are
  stretched, a wrong one.
- A right one-time code and an invitation that is redeemed are listed and not compared: what they change is on the disk
  before anybody hears of it, which takes a write more, and then everybody sees that it was right.

Method: the statistic of Mann and Whitney as the share of pairs, 1/2 if alike; its null distribution by permutation.
"""

from __future__ import annotations

import random
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device import codes, wire
from device.keeper.attempt import Attempt, Clock, Guard, Settling
from device.keeper.changes import Proven, changed
from device.keeper.line import Task
from device.keeper.match import Fresh, Shown
from device.keeper.offers import weigh
from device.keeper.pin import PRODUCTION, Cost
from device.keeper.record import Kind
from device.keeper.start import guard_at
from device.keeper.throttle import Counts, Throttle
from device.wire import Secret
from tools.benchmark.figures import NotMeasured

RIGHT = "right PIN"
MARKED = "one-time code"
WRONG_INVITATION = "wrong invitation"
USED_INVITATION = "used invitation"
REDEEMED = "redeemed invitation"
CANCELLED = "cancelled PIN"
_OPENING = (RIGHT, MARKED, REDEEMED, "duress PIN", "window code")
_KNOWN_AGAIN = (USED_INVITATION, CANCELLED)
_INVITATIONS = (WRONG_INVITATION, USED_INVITATION, "invitation, unknown flat", "wrong invitation, open flat")
_LISTED = (MARKED, REDEEMED)
MEASURES = (RIGHT, WRONG_INVITATION)
FLAT, _INVITED, _ANEW = 12, 13, 14  # somebody lives there; nobody yet; somebody did, and it was offered anew
_UNKNOWN_FLAT = 4711
_PIN, _DURESS, _WRONG = "482913", "739105", "905217"
_SECRET = codes.secret("31415926535897")
_INVITATION, _ANOTHER, _WRONG_INVITATION = "907152638447", "118402957336", "905217334455"
_NEW = "662071"
_DAY = 20_833
_NOW_UNIX = _DAY * 86_400
PERMUTATIONS = 2_000
LEVEL = 0.01  # of all comparisons together

Samples = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One kind against its measure, a right PIN or a wrong invitation.

    `slower`: how often this kind is the slower of two, 0 to 1. `chance`: that alike kinds differ as much, for all
    comparisons together. `median_ms`: by how much the medians differ. `seen_ms`: the smallest shift of all its times
    that would have been told apart.
    """

    kind: str
    slower: float
    chance: float
    median_ms: float
    seen_ms: float

    @property
    def told_apart(self) -> bool:
        """Whether a watch tells this kind from its measure."""
        return self.chance < LEVEL


def samples(rounds: int, cost: Cost = PRODUCTION, seed: int = 0) -> Samples:
    """Milliseconds from the question to the answer, `rounds` of each kind (at most 64), interleaved.

    Raises NotMeasured if keeper answers a kind otherwise than it must.
    """
    if not 1 <= rounds <= codes.NUMBERS:
        msg = f"there are one-time codes for 1 to {codes.NUMBERS} rounds"
        raise ValueError(msg)
    dice = random.Random(seed)
    with _guard(cost) as guard:
        shown = _kinds(guard)
        taken: dict[str, list[float]] = {kind: [] for kind in shown}
        for number in range(-1, rounds):  # one round before the first, so that nothing is done for the first time
            for kind in dice.sample(sorted(shown), len(shown)):
                if number >= 0 or kind != MARKED:
                    taken_ms = _attempt_ms(kind, guard, shown[kind](number))
                    taken[kind] += [taken_ms] if number >= 0 else []
    return {kind: np.array(times) for kind, times in taken.items()}


def compare(found: Samples, seed: int = 0) -> list[Difference]:
    """Every kind but the measures and what is only listed, each against its measure, which is among `found`."""
    others = [kind for kind in found if kind not in (*MEASURES, *_LISTED)]
    rng = np.random.default_rng(seed)
    return [_difference(kind, found[kind], found[measure_of(kind)], len(others), rng) for kind in others]


def measure_of(kind: str) -> str:
    """What `kind` is compared with."""
    return WRONG_INVITATION if kind in (*_INVITATIONS, REDEEMED) else RIGHT


def slower_share(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """How often a value of `one` is greater than one of `other`, ties counted half: U / (n m)."""
    below = np.searchsorted(np.sort(other), one, side="left").sum()
    not_above = np.searchsorted(np.sort(other), one, side="right").sum()
    return float(below + not_above) / (2 * one.size * other.size)


def _difference(
    kind: str, times: NDArray[np.float64], measure: NDArray[np.float64], comparisons: int, rng: np.random.Generator
) -> Difference:
    both = np.concatenate([times, measure])
    by_chance = np.empty(PERMUTATIONS)
    for number in range(PERMUTATIONS):
        mixed = rng.permutation(both)
        by_chance[number] = abs(slower_share(mixed[: times.size], mixed[times.size :]) - 0.5)
    share = slower_share(times, measure)
    reached = np.count_nonzero(by_chance >= abs(share - 0.5))
    chance = min(1.0, comparisons * (reached + 1) / (PERMUTATIONS + 1))
    limit = float(np.quantile(by_chance, 1 - LEVEL / comparisons))
    shift = float(np.median(times) - np.median(measure))
    return Difference(kind, share, chance, shift, _seen_ms(measure, limit))


def _seen_ms(measure: NDArray[np.float64], limit: float) -> float:
    """The smallest shift of the measure's own times whose share leaves what chance gives."""
    lowest, highest = 0.0, float(np.ptp(measure)) + 1e-6
    for _ in range(40):
        middle = (lowest + highest) / 2
        seen = abs(slower_share(measure + middle, measure) - 0.5) > limit
        lowest, highest = (lowest, middle) if seen else (middle, highest)
    return highest


def _kinds(guard: Guard) -> dict[str, Callable[[int], Shown]]:
    held = guard.book.held(FLAT)
    key = held.guest_key if held else b""

    def typed(digits: str, flat: int = FLAT) -> Callable[[int], Shown]:
        return lambda _number: Shown(flat, Kind.PIN, digits, day=_DAY)

    def moving_in(digits: str, flat: int) -> Callable[[int], Shown]:
        return lambda _number: Shown(flat, Kind.INVITATION, digits, Fresh(Secret.PIN, _NEW))

    return {
        RIGHT: typed(_PIN),
        "wrong PIN": typed(_WRONG),
        "duress PIN": typed(_DURESS),
        "unknown flat": typed(_PIN, _UNKNOWN_FLAT),
        "wrong one-time code": typed("0" + "1" * 12),
        "window code": typed(codes.write(key, codes.Window(_DAY, 1))),
        "window that is over": typed(codes.write(key, codes.Window(_DAY - 9, 1))),
        MARKED: lambda number: Shown(FLAT, Kind.PIN, codes.write(key, codes.Once(number)), day=_DAY),
        CANCELLED: typed(_PIN, _ANEW),
        WRONG_INVITATION: moving_in(_WRONG_INVITATION, FLAT),
        USED_INVITATION: moving_in(_INVITATION, FLAT),
        "invitation, unknown flat": moving_in(_INVITATION, _UNKNOWN_FLAT),
        "wrong invitation, open flat": moving_in(_WRONG_INVITATION, _INVITED),
        REDEEMED: moving_in(_INVITATION, _INVITED),
    }


@contextmanager
def _guard(cost: Cost) -> Iterator[Guard]:
    """A keeper's core on a disk of its own: a resident with PIN, duress PIN and guests, and two flats to move in to."""
    with tempfile.TemporaryDirectory(prefix="dw-") as folder:
        clock = Clock(time.monotonic_ns, lambda: float(_NOW_UNIX))
        guard = guard_at(Path(folder) / "keeper", bytes(8), secrets.token_bytes(32), clock, cost)
        for flat in (FLAT, _INVITED, _ANEW):
            _offer(guard, flat, 1, _INVITATION)
        for flat in (FLAT, _ANEW):
            _set(guard, Shown(flat, Kind.INVITATION, _INVITATION, Fresh(Secret.PIN, _PIN)))
        _offer(guard, _ANEW, 2, _ANOTHER)
        _set(guard, Shown(FLAT, Kind.PIN, _PIN, Fresh(Secret.DURESS, _DURESS)))
        _set(guard, Shown(FLAT, Kind.PIN, _PIN, Fresh(Secret.GUESTS, _SECRET)))
        try:
            yield guard
        finally:
            guard.file.close()


def _offer(guard: Guard, flat: int, serial: int, digits: str) -> None:
    salt = bytes(16)
    verifier = guard.stretch(digits, salt)
    offer = wire.SlotOffer(flat, serial, _NOW_UNIX + 9, wire.NO_END, wire.NO_TIMETABLE, salt, verifier)
    _, invited = weigh(offer, guard.book.held(flat), guard.verifiers, _NOW_UNIX)
    if invited:
        guard.book.keep(flat, invited)


def _set(guard: Guard, shown: Shown) -> None:
    def ended(proven: Proven | None) -> None:
        if proven is None or not _kept(guard, shown, proven):
            msg = "the keeper that is to be measured did not take what was set"
            raise NotMeasured(msg)

    _run(Attempt(guard, shown, ended))


def _kept(guard: Guard, shown: Shown, proven: Proven) -> bool:
    """Set what was shown to be set, as keeper's loop does; whether it was."""
    following = changed(shown.claim, shown.fresh, proven, guard.verifiers) if shown.fresh else None
    if following is not None:
        guard.book.keep(shown.claim, following)
    return following is not None


def _attempt_ms(kind: str, guard: Guard, shown: Shown) -> float:
    """From the question to the answer. What settles it afterwards is done, and not counted. Raises NotMeasured."""
    # As if hours lay between two attempts: nobody here waits for wrong ones to be forgiven.
    rested = replace(guard, throttle=Throttle(Counts(0, {}), guard.clock.now_s()))
    before = guard.book.held(shown.claim)
    ended: list[tuple[int, bool]] = []

    def told(proven: Proven | None) -> None:
        well = proven is not None and (shown.fresh is None or _kept(rested, shown, proven))
        ended.append((time.perf_counter_ns(), well))

    began_ns = time.perf_counter_ns()
    attempt = Attempt(rested, shown, told)
    _run(attempt)
    _run(Settling(rested))
    ((ended_ns, well),) = ended
    if well is not (kind in _OPENING) or attempt.used is not (kind in _KNOWN_AGAIN):
        msg = f"keeper took a {kind} for something else, so its time says nothing"
        raise NotMeasured(msg)
    if kind == REDEEMED and before:
        guard.book.keep(shown.claim, before)  # to be redeemed once more
    return (ended_ns - began_ns) / 1e6


def _run(task: Task) -> None:
    task.finish(task.begin()())

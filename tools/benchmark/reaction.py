"""lock: how long after a PIN's last key the strike lets go, idle, with eye at full rate, and with both cores busy.

Rules kept here:
- Six real processes. Both times are the simulated board's, CLOCK_MONOTONIC: the key handed to lock's line, the level of
  the strike's coil. What the board's own process adds is in every condition alike.
- The conditions take turns sample by sample. A bare Argon2id of the same cost is timed in the same condition just
  before each sample, and so is lock alone: one key until its tone.
- Only the right PIN is typed, so that the guess budget is never touched. A sample during which eye read no frame is
  not one of eye at full rate: it is dropped and counted.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum

from tools.benchmark.figures import Figure, Plan, Rows, Section, Spread, percentile, ratios
from tools.benchmark.house import House, die_with_parent
from tools.benchmark.openings import by_pin
from tools.benchmark.processes import others_percent
from tools.benchmark.stretch import stretching

LIMIT = 2.0  # against an idle door
ARGON2_LIMIT = 1.5  # against the one thing that has to take long
SAMPLES = 24  # of a condition in a round; with the default of 5 rounds, 120
SAMPLES_QUICK = 8
ROUNDS_QUICK = 2
WARM_FRAMES = 6


class Condition(Enum):
    """What else the device does."""

    IDLE = "idle"
    EYE = "eye at full rate"
    BUSY = "eye at full rate, both cores busy"


@dataclass(slots=True)
class Samples:
    """Milliseconds, by kind, of one condition in one round."""

    reaction: list[float] = field(default_factory=list)
    argon2: list[float] = field(default_factory=list)
    tone: list[float] = field(default_factory=list)
    frames_per_s: list[float] = field(default_factory=list)
    dropped: int = 0


@contextmanager
def _burners() -> Iterator[Callable[[bool], None]]:
    """One process a core that only counts, asleep until asked; they end with this process."""
    code = "while True:\n pass"
    cores = os.cpu_count() or 1
    running: list[subprocess.Popen[bytes]] = []

    def work(on: bool) -> None:  # noqa: FBT001 - on or off
        for one in running:
            one.send_signal(signal.SIGCONT if on else signal.SIGSTOP)

    try:
        for _ in range(cores):
            burner = subprocess.Popen([sys.executable, "-c", code], preexec_fn=die_with_parent)  # noqa: PLW1509 - one thread
            running.append(burner)
            burner.send_signal(signal.SIGSTOP)
        yield work
    finally:
        for one in running:
            one.kill()
            one.wait()


@dataclass(slots=True)
class _Stopwatch:
    """Takes one sample at a time from a house."""

    house: House
    burn: Callable[[bool], None]
    argon2_ms: Callable[[], float]

    def sample(self, condition: Condition, into: Samples) -> None:
        """One opening by PIN. Raises NotMeasured if the door does not open."""
        if condition is not Condition.IDLE:
            self.house.open_window(WARM_FRAMES)
        self.burn(condition is Condition.BUSY)
        try:
            bare_ms = self.argon2_ms()
            tone_ms = self._tone_ms()
            opened = by_pin(self.house, self.house.open_keys[1:])
        finally:
            self.burn(False)
        self.house.settle()
        if condition is not Condition.IDLE and not opened.frames:
            into.dropped += 1
            return
        into.reaction.append(opened.ms)
        into.argon2.append(bare_ms)
        into.tone.append(tone_ms)
        into.frames_per_s.append(opened.frames / opened.seconds)

    def _tone_ms(self) -> float:
        """The first key, until lock has given its tone."""
        door, keys = self.house.door, self.house.open_keys
        before = door.state()["last_signal_ns"]
        door.keys(keys[0])
        self.house.wait("lock gives a tone", lambda now: now["last_signal_ns"] != before)
        now = door.state()
        return float(now["last_signal_ns"] - now["last_key_ns"]) / 1e6


def measure(house: House, plan: Plan, tell: Callable[[str], None]) -> Section:
    """p99 with eye at full rate over p99 idle, and lock's own share. Raises NotMeasured."""
    rounds = ROUNDS_QUICK if plan.quick else plan.rounds
    samples = SAMPLES_QUICK if plan.quick else SAMPLES
    conditions = (Condition.IDLE, Condition.EYE) if plan.quick else tuple(Condition)
    taken: dict[Condition, list[Samples]] = {condition: [] for condition in conditions}
    others: list[float] = []
    house.crowd()
    with _burners() as burn, stretching() as argon2_ms:
        watch = _Stopwatch(house, burn, argon2_ms)
        for condition in conditions:
            watch.sample(condition, Samples())  # the first of each is not counted
        for number in range(rounds):
            fresh = {condition: Samples() for condition in conditions}
            others.append(others_percent(0.5))
            for index in range(samples):
                tell(f"reaction: round {number + 1} of {rounds}, {index + 1} of {samples}")
                # Every third sample is enough for the condition without a limit.
                due = [one for one in conditions if one is not Condition.BUSY or index % 3 == 0]
                for condition in due[:: 1 if index % 2 else -1]:
                    watch.sample(condition, fresh[condition])
            for condition in conditions:
                taken[condition].append(fresh[condition])
    house.door.show(None)
    return section(taken, Spread.of(others))


def section(taken: dict[Condition, list[Samples]], others: Spread) -> Section:
    """What the samples say: idle and beside eye in every round, and perhaps with both cores busy."""

    def by_round(condition: Condition, kind: str, percent: float) -> list[float]:
        return [percentile(getattr(one, kind), percent) for one in taken[condition]]

    def pooled(condition: Condition, kind: str) -> list[float]:
        return [value for one in taken[condition] for value in getattr(one, kind)]

    def against_idle(condition: Condition, kind: str, percent: float) -> Spread:
        return ratios(by_round(condition, kind, percent), by_round(Condition.IDLE, kind, percent))

    eye_p99, bare_p99 = by_round(Condition.EYE, "reaction", 99), by_round(Condition.IDLE, "argon2", 99)
    against_bare = ratios(eye_p99, bare_p99)
    bare_all = percentile(pooled(Condition.EYE, "reaction"), 99) / percentile(pooled(Condition.IDLE, "argon2"), 99)
    p99_all = percentile(pooled(Condition.EYE, "reaction"), 99) / percentile(pooled(Condition.IDLE, "reaction"), 99)
    figures = [
        Figure(
            "last key to coil, p99: eye at full rate / idle", against_idle(Condition.EYE, "reaction", 99), limit=LIMIT
        ),
        Figure("the same over the samples of all rounds", Spread.of([p99_all]), limit=LIMIT),
        Figure("last key to coil, eye at full rate / bare Argon2id, idle: p99", against_bare, limit=ARGON2_LIMIT),
        Figure("the same over the samples of all rounds", Spread.of([bare_all]), limit=ARGON2_LIMIT),
        Figure("last key to coil, median: eye at full rate / idle", against_idle(Condition.EYE, "reaction", 50)),
        Figure("bare Argon2id, p99: eye at full rate / idle", against_idle(Condition.EYE, "argon2", 99)),
        Figure("lock alone (key to tone), p99: eye at full rate / idle", against_idle(Condition.EYE, "tone", 99)),
    ]
    if Condition.BUSY in taken:
        figures.append(
            Figure("last key to coil, p99: both cores busy / idle", against_idle(Condition.BUSY, "reaction", 99))
        )
    own = ratios(by_round(Condition.IDLE, "reaction", 50), by_round(Condition.IDLE, "argon2", 50))
    figures.append(Figure("last key to coil / bare Argon2id, medians, idle", own))
    rows = []
    for condition in taken:
        reaction, argon2, tone = (pooled(condition, kind) for kind in ("reaction", "argon2", "tone"))
        rate = Spread.of(pooled(condition, "frames_per_s")).median
        cells = (*_ms(reaction), *_ms(argon2), *_ms(tone), f"{rate:.0f}")
        rows.append((condition.value, str(len(reaction)), *cells))
    times = ("key to coil p50", "p99", "Argon2id p50", "p99", "lock alone p50", "p99")
    head = ("condition", "samples", *times, "frames/s")
    rest_ms = percentile(pooled(Condition.IDLE, "reaction"), 50) - percentile(pooled(Condition.IDLE, "argon2"), 50)
    dropped = sum(one.dropped for rounds in taken.values() for one in rounds)
    notes = (
        f"Idle, everything but Argon2id (sockets, lock, keeper's synced charge, board) takes {rest_ms:.1f} ms.",
        "The limit against bare Argon2id takes it idle, which is the stricter way: beside eye it takes longer itself.",
        "Bare Argon2id runs outside the door, so eye does not give way to it as it does to keeper.",
        f"Between the rounds other work on this machine took {others.low:.0f} to {others.high:.0f} % of a core.",
        f"{dropped} samples were dropped because eye read no frame meanwhile.",
    )
    return Section(
        "lock: a PIN's last key to the coil", tuple(figures), notes, (Rows("milliseconds", head, tuple(rows)),)
    )


def _ms(values: list[float]) -> tuple[str, str]:
    return f"{percentile(values, 50):.1f}", f"{percentile(values, 99):.1f}"

"""A day at the door in processor seconds: what stands for energy where there is no board to put a meter on.

Rules kept here:
- Of all six processes, to the nanosecond, by the kernel's own clock of each (clock_getcpuclockid(3)): /proc counts in
  steps of 10 ms, and idle they hardly use one.
- An act counts from before it begins until the door is as before, less what the same time costs with nobody there.
- A passer-by is somebody before the lens who presses nothing. Where the camera stays closed that costs nothing, and it
  is measured, not assumed. What it would cost if each of them pressed and looked for a whole window stands beside it.
- Of 40 openings all count as the dearest kind: a look whose face is compared, and then the PIN.
- The replay camera's work is in it, a camera driver's and the lights' are not. Seconds belong to this machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from device.edges import PROCESSES, Room
from tools.benchmark import openings
from tools.benchmark.figures import Figure, Plan, Rows, Section, Spread
from tools.benchmark.house import EACH_A_SAMPLE_FPS, House

LIMIT_S = 30.0
OPENINGS, PASSERS_BY = 40, 200
PASSING_S = 6.0  # how long somebody stays before the lens, walking by
DAY_S = 86_400.0
IDLE_S, IDLE_QUICK_S = 120.0, 20.0
SLICES = 4
_CPUCLOCK_SCHED = 2  # the low bits of a process's clock id, as glibc and the kernel agree


def processor_ns(pid: int) -> int:
    """What the process `pid` has used so far, all threads, also those that have ended. Raises OSError if it is gone."""
    return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED)


@dataclass(frozen=True, slots=True)
class Costs:
    """Processor seconds: of a second with nobody there, and of one of each act beyond that."""

    idle: float
    opening: float
    passer_by: float
    stranger: float

    def day_s(self, openings: int = OPENINGS, passers_by: int = PASSERS_BY) -> float:
        """A day in which nobody presses but who comes home."""
        return DAY_S * self.idle + openings * self.opening + passers_by * max(0.0, self.passer_by)

    def besieged_day_s(self) -> float:
        """A day in which every passer-by presses and looks for a whole window."""
        return DAY_S * self.idle + OPENINGS * self.opening + PASSERS_BY * self.stranger


def measure(house: House, plan: Plan, tell: Callable[[str], None]) -> Section:
    """Seconds a day, and what they are made of. Raises NotMeasured."""
    pids = {room: int(house.door.state()["pids"][room]) for room in PROCESSES}
    house.door.show(None)
    house.wait("nobody is there", lambda now: not now["camera_open"] and not now["granted"], 12.0)
    time.sleep(1.0)
    slices, rooms = _idle(pids, IDLE_QUICK_S if plan.quick else IDLE_S, tell)
    idle = statistics.median(slices)
    kinds: dict[str, Callable[[], None]] = {
        "a look, and the PIN": lambda: _look_and_pin(house),
        "by PIN alone": lambda: _pin(house),
        "by card": lambda: _card(house),
        "somebody walks by": lambda: _walk_by(house),
        "a stranger presses": lambda: _stranger(house),
    }
    acts: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(plan.rounds):
        for kind, act in kinds.items():
            tell(f"day: {kind}, {number + 1} of {plan.rounds}")
            acts[kind].append(_act(pids, act, idle))
    dearest = max(("a look, and the PIN", "by PIN alone", "by card"), key=lambda kind: statistics.median(acts[kind]))
    middle = {kind: statistics.median(found) for kind, found in acts.items()}
    days = [Costs(one, middle[dearest], middle["somebody walks by"], middle["a stranger presses"]) for one in slices]
    figures = (
        Figure(
            f"a day: {OPENINGS} openings, {PASSERS_BY} passers-by, all six",
            Spread.of([cost.day_s() for cost in days]),
            "s",
            LIMIT_S,
        ),
        Figure("of it, nobody there", Spread.of([DAY_S * one for one in slices]), "s"),
        Figure("the same, if every passer-by pressed", Spread.of([cost.besieged_day_s() for cost in days]), "s"),
    )
    table = tuple(
        (kind, *(f"{value * 1000:.1f}" for value in (middle[kind], min(found), max(found))))
        for kind, found in acts.items()
    )
    seconds = IDLE_QUICK_S if plan.quick else IDLE_S
    seldom = "what happens more seldom than that (a certificate renewed, a log turned over) is not in it"
    notes = (
        f"All {OPENINGS} openings count as the dearest kind here ({dearest}); somebody walks by for {PASSING_S:.0f} s.",
        f"Idle is measured for {seconds:.0f} s and stands for the day: {seldom}.",
        "No meter, no board: seconds of this processor stand for energy; lights and camera use their own.",
    )
    return Section(
        "a day at the door",
        figures,
        notes,
        (
            Rows("processor milliseconds of one act, all six", ("act", "median", "lowest", "highest"), table),
            Rows(
                "nobody there",
                ("process", "processor s a day"),
                tuple((str(room), f"{DAY_S * one:.2f}") for room, one in rooms.items()),
            ),
        ),
    )


def _idle(pids: dict[Room, int], seconds: float, tell: Callable[[str], None]) -> tuple[list[float], dict[Room, float]]:
    """Processor seconds a second: of all six by slice, and of each over all slices."""
    slices = []
    first, began = {room: processor_ns(pid) for room, pid in pids.items()}, time.monotonic_ns()
    last, last_ns = sum(first.values()), began
    for number in range(SLICES):
        tell(f"day: nobody is there, {seconds * (1 - number / SLICES):.0f} s more")
        time.sleep(seconds / SLICES)
        now, now_ns = sum(processor_ns(pid) for pid in pids.values()), time.monotonic_ns()
        slices.append((now - last) / (now_ns - last_ns))
        last, last_ns = now, now_ns
    rooms = {room: (processor_ns(pid) - first[room]) / (last_ns - began) for room, pid in pids.items()}
    return slices, rooms


def _act(pids: dict[Room, int], act: Callable[[], None], idle: float) -> float:
    before, began_ns = sum(map(processor_ns, pids.values())), time.monotonic_ns()
    act()
    used, took_ns = sum(map(processor_ns, pids.values())) - before, time.monotonic_ns() - began_ns
    return (used - idle * took_ns) / 1e9


def _look_and_pin(house: House) -> None:
    house.door.show(house.resident, EACH_A_SAMPLE_FPS)
    house.open_window(1)
    house.wait("the look is over", lambda now: not now["camera_open"], 12.0)
    house.door.show(None)
    _pin(house)


def _pin(house: House) -> None:
    openings.by_pin(house, house.open_keys)
    house.settle()


def _card(house: House) -> None:
    openings.by_card(house)
    house.settle()


def _walk_by(house: House) -> None:
    house.crowd(EACH_A_SAMPLE_FPS)
    time.sleep(PASSING_S)
    house.door.show(None)


def _stranger(house: House) -> None:
    house.crowd(EACH_A_SAMPLE_FPS)
    house.open_window(1)
    house.wait("the window is over", lambda now: not now["camera_open"], 12.0)
    house.door.show(None)

"""All six processes together: memory, and what they cost while nobody is there.

Rules kept here:
- PSS, so that a page which several processes share is counted once, by parts. Argon2id's 64 MiB are not in it: they
  exist while a PIN is checked, and no PIN is checked here.
- With the window open means while frames pass through both networks; the highest of several readings counts. The
  replay camera's decoded pictures and Pillow are in it, a camera driver's buffers are not.
- Idle means no key, no press, nobody before the camera, and a report that stands connected.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from device.edges import PROCESSES, Room
from tools.benchmark.figures import Figure, Plan, Rows, Section, Spread
from tools.benchmark.house import House, die_with_parent
from tools.benchmark.processes import Memory, memory, used

MEMORY_LIMIT_MB = 300.0
IDLE_LIMIT_PERCENT = 1.0
IDLE_S = 24.0
IDLE_QUICK_S = 6.0
SLICES = 4  # the idle time in parts: their spread shows whether something woke up
READINGS = 6


@dataclass(frozen=True, slots=True)
class _Sizes:
    """One reading of all six."""

    of: dict[Room, Memory]

    @property
    def total_mb(self) -> float:
        return sum(one.counted_kb for one in self.of.values()) / 1024


def measure(house: House, plan: Plan, tell: Callable[[str], None]) -> Section:
    """Memory idle and with the window open; processor time and context switches idle. Raises NotMeasured."""
    pids = {room: int(house.door.state()["pids"][room]) for room in PROCESSES}
    house.wait("nobody is there", lambda now: not now["camera_open"] and not now["granted"], 12.0)
    time.sleep(1.0)
    tell("footprint: nobody is there")
    idle = _Sizes({room: memory(pid) for room, pid in pids.items()})
    share, switches, by_room = _idle(pids, IDLE_QUICK_S if plan.quick else IDLE_S, tell)
    tell("footprint: window open")
    opened = [_read_open(house, pids) for _ in range(READINGS)]
    house.door.show(None)
    house.wait("the window ends", lambda now: not now["camera_open"], 12.0)
    closed = _Sizes({room: memory(pid) for room, pid in pids.items()})
    highest = max(opened, key=lambda sizes: sizes.total_mb)
    bare_mb = _interpreter_mb()
    exact = all(one.pss_kb is not None for one in idle.of.values())
    kind = "PSS" if exact else "RSS (upper bound; PSS is shown to root alone)"
    open_spread = Spread.of([sizes.total_mb for sizes in opened])
    figures = (
        Figure(f"all six, nobody there, {kind}", Spread.of([idle.total_mb]), "MB", MEMORY_LIMIT_MB),
        Figure(f"all six, window open, {kind}", open_spread, "MB", MEMORY_LIMIT_MB),
        Figure("all six, after the window, " + kind, Spread.of([closed.total_mb]), "MB", MEMORY_LIMIT_MB),
        Figure("all six, window open / one bare interpreter", Spread.of([highest.total_mb / bare_mb])),
        Figure("processor time of all six, nobody there, % of a core", share, "%", IDLE_LIMIT_PERCENT),
        Figure("context switches of all six, nobody there", switches, "1/s"),
    )
    rows = tuple(
        (str(room), *_sizes(idle.of[room]), *_sizes(highest.of[room])[:2], by_room[room]) for room in PROCESSES
    )
    head = ("process", "PSS", "RSS", "own", "shared", "PSS open", "RSS open", "switches/s idle")
    notes = (
        f"One bare interpreter has {bare_mb:.1f} MB. A megabyte is 1024 kB.",
        "Own: anonymous pages. Shared: the part of RSS that other processes map too; PSS counts it by parts.",
        "Argon2id's buffer of 64 MiB comes on top while a PIN is checked.",
        "report is connected to a broker." if house.broker else "There is no mosquitto here: report is not connected.",
    )
    return Section("all six processes: memory and idle time", figures, notes, (Rows("megabytes", head, rows),))


def _read_open(house: House, pids: dict[Room, int]) -> _Sizes:
    if not house.door.state()["indicator"]:
        house.crowd(15.0)
        house.open_window(10)
    time.sleep(0.3)
    return _Sizes({room: memory(pid) for room, pid in pids.items()})


def _idle(pids: dict[Room, int], seconds: float, tell: Callable[[str], None]) -> tuple[Spread, Spread, dict[Room, str]]:
    """(% of a core, context switches a second, of all six by slice; switches a second of each room)."""
    shares, switches = [], []
    first, began = {room: used(pid) for room, pid in pids.items()}, time.monotonic()
    last, last_s = first, began
    for number in range(SLICES):
        tell(f"footprint: nobody is there, {seconds * (1 - number / SLICES):.0f} s more")
        time.sleep(seconds / SLICES)
        now, now_s = {room: used(pid) for room, pid in pids.items()}, time.monotonic()
        spent = [now[room] - last[room] for room in pids]
        shares.append(sum(one.processor_s for one in spent) / (now_s - last_s) * 100)
        switches.append(sum(one.voluntary + one.involuntary for one in spent) / (now_s - last_s))
        last, last_s = now, now_s
    whole = {room: last[room] - first[room] for room in pids}
    by_room = {room: f"{(one.voluntary + one.involuntary) / (last_s - began):.2f}" for room, one in whole.items()}
    return Spread.of(shares), Spread.of(switches), by_room


def _interpreter_mb() -> float:
    """A Python that has imported nothing and waits."""
    bare = subprocess.Popen(
        [sys.executable, "-c", "print(1, flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - this program has one thread
    )
    try:
        if bare.stdout:
            bare.stdout.readline()
        return memory(bare.pid).counted_kb / 1024
    finally:
        bare.kill()
        bare.communicate()


def _sizes(one: Memory) -> tuple[str, str, str, str]:
    pss, own, shared = one.pss_kb, one.anonymous_kb, one.shared_kb
    return tuple("?" if kb is None else f"{kb / 1024:.1f}" for kb in (pss, one.rss_kb, own, shared))  # type: ignore[return-value] # four in, four out

"""liveness: what watching a face through a light challenge costs beyond the networks.

Rules kept here:
- What is timed is processor time of `device.eye.sight.Sight.watch` on frames that were shown before, as often with a
  crop as a challenge asks for one, and of the judge for as many frames as the shortest challenge at 30 a second has.
- The bare time is `invoke()` of the same two interpreters, as often, with the last frame's input still in place.
- Watching and networks take turns frame by frame, and take turns at going first.
- No light burns: the judge is given a log and frames that do not fit together, and does all its work all the same.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from device import wire
from device.challenge import MS, REST, codes_after, kind_of
from device.config.tables import EyeTable, SignTable
from device.eye.attack.approach import CROP_EVERY_NS
from device.eye.attack.glance import Fitted, Glance
from device.eye.attack.judge import judge
from device.eye.camera import Frame
from device.eye.runtime import Runtime, installed
from device.eye.sight import Sight
from device.paths import models_dir
from tools.benchmark.eye import shown
from tools.benchmark.figures import Figure, NotMeasured, Plan, Rows, Section, Spread

LIMIT_MS = 2.5
FPS = 30
_EVERY_CROP = round(CROP_EVERY_NS * FPS / 1e9)
_BEGAN_NS = 10**12


@dataclass(frozen=True, slots=True)
class Round:
    """Milliseconds of processor time a frame, medians over the frames; `judged` is the judge's share of one."""

    watched: float
    bare: float
    judged: float

    @property
    def beyond(self) -> float:
        """What is not the networks'."""
        return self.watched + self.judged - self.bare


def log() -> wire.ChallengeLog:
    """The shortest of the codes that may be drawn, driven to the millisecond."""
    code = min(codes_after(kind_of(REST)), key=lambda one: one.length_ms)
    first, second, third = (_BEGAN_NS + offset * MS for offset in code.offsets_ms)
    one, two, three = code.lights
    end = _BEGAN_NS + code.length_ms * MS
    begin = (REST.left, REST.right, first, one.left, one.right, second, two.left, two.right, third)
    return wire.ChallengeLog(bytes(16), _BEGAN_NS, *begin, three.left, three.right, end)


def judged_ms(glance: Glance) -> float:
    """The judge on as many copies of `glance`, a little brighter each, as a challenge has frames; a frame's share."""
    told = log()
    count = int((told.ended_ns - _BEGAN_NS) * FPS / 1e9)
    step_ns = (told.ended_ns - _BEGAN_NS) // count
    seen = [
        replace(glance, time_ns=_BEGAN_NS + number * step_ns, **_brighter(glance, 1 + 0.01 * (number % 5)))
        for number in range(count)
    ]
    began = time.process_time()
    judge(told, seen, Fitted(EyeTable().light_offset_mm))
    return (time.process_time() - began) * 1e3 / count


def _brighter(glance: Glance, by: float) -> dict[str, Any]:
    return {"face": glance.face * by, "warm": glance.warm * by}


def round_ms(sight: Sight, frames: list[Frame], *, bare_first: bool) -> Round:
    """One round over all `frames`."""
    pairs = []
    glance = None
    for number, frame in enumerate(frames * _EVERY_CROP):
        crop = number % _EVERY_CROP == 0
        first = _bare(sight) if bare_first else 0.0
        began = time.process_time()
        seen = sight.watch(frame, crop=crop)
        took = time.process_time() - began
        glance = seen.glance or glance
        pairs.append((took * 1e3, (first if bare_first else _bare(sight)) * 1e3))
    if glance is None:
        msg = "no sample portrait gave a glance"
        raise NotMeasured(msg)
    watched, bare = (statistics.fmean(times) for times in zip(*pairs, strict=True))
    return Round(watched, bare, judged_ms(glance))


def _bare(sight: Sight) -> float:
    began = time.process_time()
    sight.networks[0].invoke_only()
    sight.watching.invoke_only()
    return time.process_time() - began


def measure(plan: Plan, tell: Callable[[str], None]) -> Section:
    """Beyond the networks, for each runtime that is installed. Raises NotMeasured."""
    all_frames = shown()
    figures, rows = [], []
    for runtime in sorted(installed()):
        tell(f"liveness with {runtime}")
        done, count = _rounds(runtime, all_frames, plan)
        figures.append(Figure(f"{runtime}: a frame beyond invoke()", _spread(done, "beyond"), "ms", LIMIT_MS))
        over = Spread.of([1 + one.beyond / one.bare for one in done])
        figures.append(Figure(f"{runtime}: a frame / bare invoke()", over))
        rows.append((str(runtime), str(count), *(_ms(_spread(done, name)) for name in ("watched", "bare", "judged"))))
    notes = (
        "Processor time of detector, mesh and everything around them; one thread; the judge's share of a frame counts.",
        "A board's absolute times are its own: the limit is stated for the machine that is measured here.",
    )
    columns = ("runtime", "pictures", "watched", "bare", "judge")
    table = Rows("milliseconds a frame, median (min to max)", columns, tuple(rows))
    return Section("liveness: watching a challenge", tuple(figures), notes, (table,))


def _rounds(runtime: Runtime, frames: list[Frame], plan: Plan) -> tuple[list[Round], int]:
    sight = Sight.load(EyeTable(runtime=str(runtime)), models_dir(), SignTable().view_deg)
    sight.begin()
    usable = [frame for frame in frames if sight.watch(frame, crop=False).glance is not None]
    if not usable:
        msg = "no sample portrait gave a glance"
        raise NotMeasured(msg)
    return [round_ms(sight, usable, bare_first=number % 2 == 1) for number in range(plan.rounds)], len(usable)


def _spread(done: list[Round], name: str) -> Spread:
    return Spread.of([float(getattr(one, name)) for one in done])


def _ms(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.low:.2f} to {spread.high:.2f})"

"""One attempt at a rendered door: frames through eye's own watch and judge.

Rules kept here:
- Nothing between camera and verdict is ours: `device.eye.attack` sees bytes and a log, and says what it says.
- An attempt follows from its seed alone: who, which head, which conditions, which code, which noise.
- One press is up to three attempts, as at the door (rule 7; `device.lock.window`): the same person or instrument,
  hallway, camera and distance, standing there or held up anew; another code, other noise, other moments. Each begins
  with the lights at rest; at a door a later one may begin with the last light of the one before, after which more
  codes may be drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from device import wire
from device.config import parse
from device.errors import PictureRefused
from device.eye.attack.glance import Fitted, Glance
from device.eye.attack.judge import Judgement, judge
from device.eye.attack.watch import Watch
from device.paths import models_dir
from device.wire import Attack
from tools.attack_lab.camera import film
from tools.attack_lab.codes import drawn, driven
from tools.attack_lab.conditions import Conditions
from tools.attack_lab.head import Head, draw_measures
from tools.attack_lab.instruments import Maker
from tools.attack_lab.setting import Setting

Judge = Callable[[wire.ChallengeLog, Sequence[Glance], Fitted], Judgement]
Vary = Callable[[np.random.Generator], Conditions]

_TRIES: Final = 8  # pictures looked at until one has a face of the wanted size in it


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one; `seen` of `frames` gave a glance."""

    attack: Attack
    why: str
    frames: int
    seen: int
    judgement: Judgement | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """What eye has when the log comes."""

    log: wire.ChallengeLog
    glances: tuple[Glance, ...]
    frames: int
    cond: Conditions

    def judged(self, by: Judge = judge) -> Attempt:
        """The verdict."""
        found = by(self.log, self.glances, Fitted(self.cond.offset_mm))
        return Attempt(found.attack, found.why.name, self.frames, len(self.glances), found)


def watched(make: Maker, pictures: Sequence[Path], vary: Vary, seed: Sequence[int]) -> Watched:
    """The first attempt of `approaches`."""
    return next(approaches(make, pictures, vary, seed, 1))


def approaches(
    make: Maker, pictures: Sequence[Path], vary: Vary, seed: Sequence[int], most: int = 1
) -> Iterator[Watched]:
    """Somebody or something of `pictures` before the lens, up to `most` times, under conditions as `vary` draws them.

    Raises PictureRefused if no face was found in several of the pictures.
    """
    rng = np.random.default_rng(list(seed))
    cond = vary(rng)
    head = Head(draw_measures(rng))
    at = _setting(pictures, head, cond, rng)
    for number in range(most):
        if number:
            rng = np.random.default_rng([*seed, number])
        challenge = driven(drawn(rng), rng)
        moving = make(at, rng)
        frames = list(film(moving, challenge.drive, cond, challenge.span_ns, int(rng.integers(1 << 32))))
        watch = _watch()
        watch.begin()
        glances = [glance for frame in frames if (glance := watch.glance(frame)) is not None]
        yield Watched(challenge.log, tuple(glances), len(frames), cond)


def _setting(pictures: Sequence[Path], head: Head, cond: Conditions, rng: np.random.Generator) -> Setting:
    for _ in range(_TRIES):
        try:
            picture = pictures[int(rng.integers(len(pictures)))]
            return Setting.of(picture, head, cond, int(rng.integers(1 << 32)))
        except PictureRefused:
            continue
    msg = f"of {_TRIES} of these pictures none shows a face as large as somebody at {cond.distance_mm:.0f} mm"
    raise PictureRefused(msg)


@lru_cache(maxsize=1)
def _watch() -> Watch:
    return Watch.load(parse("", without_id=True), models_dir())

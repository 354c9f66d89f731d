"""The motion challenge, measured: people who turn their heads as asked, and sheets that are turned as asked.

Rules kept here:
- Every attempt is asked one of the sequences that the door would draw, and goes the way of a door: eye's own `follow`
  makes of each frame what is kept, `device.eye.attack.moved` says of which a face is cut out, and judges, the look at
  whether it is one person included.
- An attacker knows the sequence and turns the sheet at the right moment, as far as does it best: what is measured is
  whether a sheet can pass as a head, not whether somebody is quick. A film needs the right order besides.
- Everything is rendered from real photographs: turned sheets are exact, turned heads as good as the rendered head is,
  and a real camera's blur and changing light are not in it.

    python -m tools.attack_lab.motion [--faces DIR] [--n N] [--seed S]

`--faces`: a folder of people with pictures (DIR/person/picture.jpg) for a measurement; without it three sample
portraits, which only show that it runs.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from device.challenge import MS
from device.config.tables import EyeTable, SignTable
from device.errors import PictureRefused, Refusal
from device.eye.attack.motion import Moment, Turning, turning
from device.eye.attack.moved import AFTER_NS, SAME_TURNED, Followed, Moved
from device.eye.attack.parallax import Shot
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, Frame
from device.eye.pictures import read_scaled
from device.eye.pixels import Picture, fit_area
from device.eye.quality import pose, pose_hint
from device.eye.sight import Sight
from device.motion import LEAD_MS, PROMPT_MS, SEQUENCES, Asked, Facing, Prompted, draw, told
from device.paths import models_dir
from device.wire import Attack, MotionLog
from tools.attack_lab.conditions import LENS_PX
from tools.attack_lab.head import Head, draw_measures
from tools.attack_lab.landmarks import five_points
from tools.attack_lab.place import stand
from tools.attack_lab.surfaces import Lens, turned
from tools.attack_lab.turned import Solid, head, sheet
from tools.evaluate.intervals import upper_bound
from tools.portraits import portrait

_SAMPLES: Final = ("obama.jpg", "biden.jpg", "astronaut.png")
_RATE_MS: Final = 50
_SIDE: Final = {Facing.LEFT: -1, Facing.MIDDLE: 0, Facing.RIGHT: 1}  # yaw that turns a face to its own left is negative
_TRIES: Final = 20
_FRAMES: Final = EyeTable().frames
_REACTS_MS: Final = 500
_BEGAN_NS: Final = 1_000_000_000_000

Maker = Callable[["Place", np.random.Generator], tuple[Solid, float]]


class Place:
    """Somebody's photograph before the lens, as large as somebody at a door."""

    def __init__(self, picture: Path, rng: np.random.Generator) -> None:
        """Raises PictureRefused if there is no face in it, or one that looks aside: eye would not begin with that."""
        self.lens = Lens(*LENS_PX)
        self.who = picture.stem.rstrip("_0123456789") or picture.parent.name  # sample portraits share one folder
        points = five_points(read_scaled(picture, *LENS_PX, 1.0), picture.name)
        scale = float(rng.uniform(55, 95)) / float(np.hypot(*(points[1] - points[0])))
        self.shown = read_scaled(picture, *LENS_PX, scale)
        points = five_points(self.shown, picture.name)
        if pose_hint(pose(points)):
            raise PictureRefused(f"the face in {picture.name} looks aside")
        self.person = stand(self.lens, points, Head(draw_measures(rng)))


def live(at: Place, rng: np.random.Generator) -> tuple[Solid, float]:
    """Somebody who turns their head by 8 to 16 degrees."""
    return head(at.lens, at.shown, at.person), float(rng.uniform(8, 16))


def flat(at: Place, rng: np.random.Generator) -> tuple[Solid, float]:
    """A flat sheet, or a screen, turned by 15 to 50 degrees."""
    return sheet(at.lens, at.shown, at.person, None), float(rng.uniform(15, 50))


def bent(at: Place, rng: np.random.Generator) -> tuple[Solid, float]:
    """A sheet bent over an upright cylinder of 80 to 200 mm, turned by 8 to 35 degrees."""
    return sheet(at.lens, at.shown, at.person, float(rng.uniform(80, 200))), float(rng.uniform(8, 35))


def lying(at: Place, rng: np.random.Generator) -> tuple[Solid, float]:
    """A sheet bent over a lying cylinder of 100 to 250 mm, turned as far."""
    radius, turn = float(rng.uniform(100, 250)), float(rng.uniform(8, 35))
    return sheet(at.lens, at.shown, at.person, radius, upright=False), turn


def accomplice(at: Place, rng: np.random.Generator) -> tuple[Solid, float]:
    """Somebody's film before the first prompt and after the last, and another head that turns by 8 to 16 degrees."""
    return live(at, rng)


def _other(pictures: Sequence[Path], at: Place, rng: np.random.Generator) -> Solid:
    """The head of somebody else."""
    for _ in range(_TRIES):
        if (other := place(pictures, rng)).who != at.who:
            return head(other.lens, other.shown, other.person)
    raise PictureRefused(f"of {_TRIES} of these pictures all seem to show {at.who}")


PEOPLE: Final = "people"
ROWS: Final[dict[str, Maker]] = {
    PEOPLE: live,
    "flat sheet": flat,
    "bent upright": bent,
    "bent lying": lying,
    "another head": accomplice,
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What eye would send, and what decided; `same`: how like the first crop the least alike one is, if it turned."""

    attack: Attack
    turning: Turning
    same: float | None = None

    @property
    def why(self) -> str:
        """What it did not pass for."""
        if not self.turning.passed:
            return self.turning.why.name.lower()
        return "another person" if self.same is not None and self.same < SAME_TURNED else "no crop"


def attempt(make: Maker, pictures: Sequence[Path], seed: Sequence[int]) -> Attempt:
    """One attempt, judged as at a door; where the face is lost it ends, as a gap. Raises PictureRefused without any."""
    rng = np.random.default_rng(list(seed))
    at = place(pictures, rng)
    solid, degrees = make(at, rng)
    turning_one = _other(pictures, at, rng) if make is accomplice else solid
    log = _log(draw(rng.bytes(16)))
    moved, prompted = Moved(_FRAMES, _BEGAN_NS - LEAD_MS * MS), told(log)
    if prompted is None:
        raise AssertionError(log)
    seen: dict[Facing, Followed] = {Facing.MIDDLE: followed(solid, 0.0, rng)}
    seen |= {facing: followed(turning_one, _SIDE[facing] * degrees, rng) for facing in prompted.asked if _SIDE[facing]}
    shown = _shown(prompted)
    given: list[Moment] = []
    for time_ns, facing in shown:
        if time_ns > prompted.ended_ns:
            moved.tell(log)
        crop = moved.wants_crop(time_ns)
        given += [again for again in (_at(seen[facing], time_ns, crop=crop).moment,) if again is not None]
        moved.offer(_at(seen[facing], time_ns, crop=crop))
        answer = moved.due(lambda now_ns=time_ns: now_ns, _sight().embed)  # type: ignore[misc]  # bound now
        if answer is not None:
            break
    else:
        answer = moved.due(lambda: prompted.ended_ns + AFTER_NS, _sight().embed)
    found = turning(prompted, given)
    vectors = [_sight().embed(each.crop).copy() for each in found.looked_at if each.crop is not None]
    whole = bool(vectors) and len(vectors) == len(found.looked_at)
    same = min(float(vectors[0] @ other) for other in vectors[1:]) if whole else None
    return Attempt(answer.attack if answer else Attack.INCONCLUSIVE, found, same)


def _log(asked: Asked) -> MotionLog:
    one, two, three, ended = (_BEGAN_NS + which * PROMPT_MS * MS for which in range(4))
    return MotionLog(bytes(16), *asked, one, two, three, ended)


def _shown(prompted: Prompted) -> list[tuple[int, Facing]]:
    """Where the face is at each frame: it turns half a second after each prompt, and back again after the last."""
    facing, shown = Facing.MIDDLE, []
    changes = [*zip(prompted.asked, prompted.began_ns, strict=True), (Facing.MIDDLE, prompted.ended_ns)]
    for time_ns in range(_BEGAN_NS - LEAD_MS * MS, prompted.ended_ns + AFTER_NS, _RATE_MS * MS):
        for wanted, from_ns in changes:
            if time_ns >= from_ns + _REACTS_MS * MS:
                facing = wanted
        shown.append((time_ns, facing))
    return shown


def _at(seen: Followed, time_ns: int, *, crop: bool) -> Followed:
    """That frame at another time, with pictures of its own: eye overwrites what it is given. `crop`: with the face."""
    if seen.moment is None:
        return Followed(time_ns, seen.hint)
    shot, face = seen.moment.shot, seen.moment.crop
    copy = Shot(shot.grey.copy(), shot.points.copy())
    return Followed(time_ns, None, Moment(time_ns, copy, face.copy() if crop and face is not None else None))


def main(words: list[str]) -> int:
    """Print the table; 0, or 1 with a sentence if the pictures cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m tools.attack_lab.motion", description=__doc__)
    parser.add_argument("--faces", type=Path, help="DIR/person/picture.jpg")
    parser.add_argument("--n", type=int, default=20, help="attempts in each row")
    parser.add_argument("--seed", type=int, default=1)
    wishes = parser.parse_args(words)
    if wishes.n < 1:
        parser.error("--n is how many attempts there are in each row: 1 or more")
    try:
        pictures = sorted(wishes.faces.glob("*/*.jpg")) if wishes.faces else [portrait(name) for name in _SAMPLES]
        if not pictures:
            raise PictureRefused(f"{wishes.faces} holds no DIR/person/picture.jpg")
        for row, (name, make) in enumerate(ROWS.items()):
            found = [attempt(make, pictures, (wishes.seed, row, which)) for which in range(wishes.n)]
            print(_line(name, found), flush=True)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"a film made beforehand needs the right order of {len(SEQUENCES)} besides; rendered, not photographed")
    return 0


def _line(name: str, found: Sequence[Attempt]) -> str:
    passed, trials = sum(each.attack is Attack.MOVED for each in found), len(found)
    whys = Counter(each.why for each in found if each.attack is not Attack.MOVED)
    rest = ", ".join(f"{count} {why}" for why, count in whys.most_common())
    spread = _spread("parallax", [each.turning.value for each in found])
    spread += _spread("the mesh saw", [each.turning.aside for each in found])
    spread += _spread("one person by", [each.same for each in found])
    bound = "" if name == PEOPLE else f" (at most {100 * upper_bound(passed, trials):.0f} % at 95 %)"
    return f"motion: {name}: {passed} of {trials} passed{bound}; {rest or 'nothing else'}{spread}"


def _spread(name: str, figures: Sequence[float | None]) -> str:
    """The least and the most of `figures`, of those that were reached."""
    known = [each for each in figures if each is not None]
    return f"; {name} {min(known):+.3f} to {max(known):+.3f}" if known else ""


def place(pictures: Sequence[Path], rng: np.random.Generator) -> Place:
    """Somebody of `pictures`. Raises PictureRefused if none of several looks ahead."""
    for _ in range(_TRIES):
        try:
            return Place(pictures[int(rng.integers(len(pictures)))], rng)
        except PictureRefused:
            continue
    msg = f"of {_TRIES} of these pictures none shows a face that looks ahead"
    raise PictureRefused(msg)


def shot_of(solid: Solid, yaw_deg: float, rng: np.random.Generator) -> Shot | None:
    """What eye keeps of a frame of it, or None where it sees no face."""
    moment = followed(solid, yaw_deg, rng).moment
    return None if moment is None else moment.shot


def followed(solid: Solid, yaw_deg: float, rng: np.random.Generator) -> Followed:
    """What eye makes of a frame of it."""
    main_plane: Picture = solid.seen(turned(yaw_deg, float(rng.normal(0, 1))), rng)
    _sight().begin()
    return _sight().follow(Frame(main_plane, fit_area(main_plane, LOW_HEIGHT_PX, LOW_WIDTH_PX), 0), crop=True)


@lru_cache(maxsize=1)
def _sight() -> Sight:
    return Sight.load(EyeTable(), models_dir(), SignTable().view_deg)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

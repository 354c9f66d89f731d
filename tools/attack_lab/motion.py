"""The motion challenge, measured: people who turn their heads as asked, and sheets that are turned as asked.

Rules kept here:
- Every attempt is asked one of the sequences that the door would draw, and is judged by eye's own code.
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
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from device.challenge import MS
from device.errors import PictureRefused, Refusal
from device.eye.attack.mesh import Mesh, face_to_picture
from device.eye.attack.motion import BEFORE_MS, Moment, Turning, Why, turning
from device.eye.attack.parallax import Shot
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX
from device.eye.choose import Range, choose
from device.eye.detector import Detector
from device.eye.pictures import read_scaled
from device.eye.pixels import Picture, fit_area
from device.eye.quality import pose, pose_hint
from device.eye.runtime import Network
from device.eye.runtime import choose as choose_runtime
from device.manifest import Job, load
from device.motion import PROMPT_MS, SEQUENCES, Facing, Prompted, draw
from device.paths import models_dir
from device.wire import Hint
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
_WITHIN: Final = Range(28.0, 400.0)
_SIDE: Final = {Facing.LEFT: -1, Facing.MIDDLE: 0, Facing.RIGHT: 1}  # yaw that turns a face to its own left is negative
_TRIES: Final = 20
_BEGAN_NS: Final = 1_000_000_000_000

Maker = Callable[["Place", np.random.Generator], tuple[Solid, float]]


class Place:
    """Somebody's photograph before the lens, as large as somebody at a door."""

    def __init__(self, picture: Path, rng: np.random.Generator) -> None:
        """Raises PictureRefused if there is no face in it, or one that looks aside: eye would not begin with that."""
        self.lens = Lens(*LENS_PX)
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


PEOPLE: Final = "people"
ROWS: Final[dict[str, Maker]] = {PEOPLE: live, "flat sheet": flat, "bent upright": bent, "bent lying": lying}


def attempt(make: Maker, pictures: Sequence[Path], seed: Sequence[int]) -> Turning:
    """One attempt; where the face is lost it ends, as a gap. Raises PictureRefused if no picture gives a face."""
    rng = np.random.default_rng(list(seed))
    at = place(pictures, rng)
    solid, degrees = make(at, rng)
    began = tuple(_BEGAN_NS + which * PROMPT_MS * MS for which in range(3))
    prompted = Prompted(draw(rng.bytes(16)), (began[0], began[1], began[2]), began[2] + PROMPT_MS * MS)
    facing, turns = Facing.MIDDLE, {Facing.MIDDLE: shot_of(solid, 0.0, rng)}
    moments = _held(turns[facing], _BEGAN_NS - (BEFORE_MS + 100) * MS, _BEGAN_NS)
    for wanted, from_ns, until_ns in prompted.spans():
        if wanted not in turns:
            turns[wanted] = shot_of(solid, _SIDE[wanted] * degrees, rng)
        half_ns = from_ns + PROMPT_MS // 2 * MS
        moments += _held(turns[facing], from_ns, half_ns) + _held(turns[wanted], half_ns, until_ns)
        facing = wanted
    return turning(prompted, moments)


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


def _line(name: str, found: Sequence[Turning]) -> str:
    passed, trials = sum(each.passed for each in found), len(found)
    whys = Counter(each.why for each in found if not each.passed)
    rest = ", ".join(f"{whys[why]} {why.name.lower()}" for why in Why if whys[why])
    spread = _spread("parallax", [each.value for each in found]) + _spread(
        "the mesh saw", [each.aside for each in found]
    )
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


def _held(shot: Shot | None, from_ns: int, until_ns: int) -> list[Moment]:
    if shot is None:
        return []
    return [Moment(time_ns, shot) for time_ns in range(from_ns, until_ns, _RATE_MS * MS)]


def shot_of(solid: Solid, yaw_deg: float, rng: np.random.Generator) -> Shot | None:
    """What eye keeps of a frame of it, or None where it sees no face."""
    main_plane: Picture = solid.seen(turned(yaw_deg, float(rng.normal(0, 1))), rng)
    detector, mesh = _networks()
    low = fit_area(main_plane, LOW_HEIGHT_PX, LOW_WIDTH_PX)
    found = choose([face.scaled(main_plane.shape[1] / LOW_WIDTH_PX) for face in detector.find(low)], _WITHIN)
    points = None if isinstance(found, Hint) else mesh.find(main_plane, face_to_picture(found))
    return None if points is None else Shot(mesh.crop[:, :, 1].copy(), points.copy())


@lru_cache(maxsize=1)
def _networks() -> tuple[Detector, Mesh]:
    folder, runtime = models_dir(), choose_runtime("auto")
    manifest = load(folder)
    detector, mesh = (Network.load(manifest.for_job(job), folder, runtime) for job in (Job.DETECT, Job.LANDMARKS))
    return Detector(detector), Mesh(mesh)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

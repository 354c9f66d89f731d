"""Whether a turned face is still known as the same person: the bound `device.eye.attack.moved.SAME_TURNED`, measured.

Rules kept here:
- Every picture goes through eye's own `follow` and `embed`; one that eye would not embed is counted, and left out.
- The same person is one picture looking ahead and turned; different people have different names in the folder.

    python -m tools.attack_lab.same --faces DIR [--n N] [--seed S]

Heads are rendered, as in `tools.attack_lab.motion`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

import numpy as np

from device.config.tables import EyeTable, SignTable
from device.errors import PictureRefused, Refusal
from device.eye.attack.moved import SAME_TURNED
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, Frame
from device.eye.pixels import fit_area
from device.eye.runtime import Floats
from device.eye.sight import Sight
from device.paths import models_dir
from tools.attack_lab.motion import place
from tools.attack_lab.surfaces import turned
from tools.attack_lab.turned import Solid, head

_TRIES: Final = 20
DEGREES: Final = (0, 8, -8, 12, -12, 16, -16, 20, -20)


def main(words: list[str]) -> int:
    """Print the table; 0, or 1 with a sentence if the pictures cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m tools.attack_lab.same", description=__doc__)
    parser.add_argument("--faces", type=Path, required=True, help="DIR/person/picture.jpg")
    parser.add_argument("--n", type=int, default=50, help="pictures")
    parser.add_argument("--seed", type=int, default=1)
    wishes = parser.parse_args(words)
    try:
        pictures = sorted(wishes.faces.glob("*/*.jpg"))
        if not pictures or wishes.n < 1:
            raise PictureRefused(f"{wishes.faces} holds no DIR/person/picture.jpg, or nobody was asked for")
        sight = Sight.load(EyeTable(), models_dir(), SignTable().view_deg)
        found = [_turned(sight, pictures, (wishes.seed, which)) for which in range(wishes.n)]
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    for degrees in DEGREES:
        print(_line(degrees, found))
    print("rendered, not photographed")
    return 0


def _turned(sight: Sight, pictures: list[Path], seed: tuple[int, int]) -> tuple[str, Floats, dict[int, Floats | None]]:
    """Who, the embedding of them looking ahead, and one for each of DEGREES. Raises PictureRefused."""
    rng = np.random.default_rng(seed)
    for _ in range(_TRIES):
        at = place(pictures, rng)
        solid = head(at.lens, at.shown, at.person)
        ahead = _embedded(sight, solid, 0, rng)
        if ahead is not None:
            return at.who, ahead, {degrees: _embedded(sight, solid, degrees, rng) for degrees in DEGREES}
    raise PictureRefused(f"of {_TRIES} heads made of these pictures eye would embed none, though they look ahead")


def _embedded(sight: Sight, solid: Solid, degrees: int, rng: np.random.Generator) -> Floats | None:
    main_plane = solid.seen(turned(degrees, float(rng.normal(0, 1))), rng)
    seen = sight.follow(Frame(main_plane, fit_area(main_plane, LOW_HEIGHT_PX, LOW_WIDTH_PX), 1), crop=True)
    return None if seen.moment is None or seen.moment.crop is None else sight.embed(seen.moment.crop).copy()


def _line(degrees: int, found: list[tuple[str, Floats, dict[int, Floats | None]]]) -> str:
    same, others = [], []
    for name, _, faces in found:
        vector = faces[degrees]
        if vector is None:
            continue
        for other, ahead, _ in found:
            if other != name:
                others.append(float(vector @ ahead))
        same.append(float(vector @ next(ahead for who, ahead, mine in found if mine is faces)))
    if not same:
        return f"same: {degrees:+d} degrees: 0 of {len(found)} embedded"
    low, first, middle = np.quantile(same, [0, 0.01, 0.5])
    below = sum(each < SAME_TURNED for each in same)
    return (
        f"same: {degrees:+d} degrees: {len(same)} of {len(found)} embedded; cosine with the same person ahead "
        f"{low:.3f} at least, {first:.3f} for 1 in 100, {middle:.3f} in the middle, {below} below {SAME_TURNED}; "
        f"with {len(others)} others at most {max(others, default=float('nan')):.3f}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

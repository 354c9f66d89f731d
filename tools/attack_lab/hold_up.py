"""What a simulated camera shows of a picture that somebody holds up, or of the person in it.

Rules kept here:
- Every kind shows the same face at the same place, and in the same brightness while both lights are at rest: what
  differs is how it answers, and nothing else.
- What is written is a basis (`tools.attack_lab.basis`).

    python -m tools.attack_lab.hold_up PICTURE KIND OUT.npz

The photograph is made into somebody by `tools.attack_lab.place`; everything here is rendered.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import Final

import numpy as np

from device.challenge import REST
from device.errors import Refusal
from device.eye.pictures import read_scaled
from tools.attack_lab.basis import Basis
from tools.attack_lab.colours import linear, luminance
from tools.attack_lab.head import Head, Reals
from tools.attack_lab.landmarks import five_points
from tools.attack_lab.light import HALLWAY, INDEX_GLASS, MATT, SKIN, WALL_REFLECTS, Gloss, Parts, lit, over
from tools.attack_lab.place import Person, outline, stand
from tools.attack_lab.surfaces import Lens, Mask, Surface, plane, turned

FACE_AT_REST: Final = 0.18  # how bright a camera makes a face with the lights at rest: a photographer's middle grey
SKIN_REFLECTS: Final = 0.30  # what a face gives back of the light, somewhere between dark and fair
BEHIND_MM: Final = 1500.0  # the hallway's other wall, behind the eyes
_PAPER: Final = Gloss(INDEX_GLASS, 0.35)
_SCREEN_DIFFUSE: Final = 0.015  # what a screen that is switched off gives back, beside its mirror image
_GLASS: Final = Gloss(INDEX_GLASS, 0.04)
_HELD_DEG: Final = (7.0, -5.0)  # yaw and pitch of a sheet or a telephone in a hand


@unique
class HeldUp(StrEnum):
    """What is before the camera. VIDEO is fed in behind the lens, so that no light ever reaches it."""

    LIVE = "live"
    PRINT = "print"
    SCREEN = "screen"
    VIDEO = "video"
    CUTOUT = "cutout"


@dataclass(frozen=True, eq=False)
class _Held:
    """The photograph as linear light (`paper`, H x W x 3), who is in it, and where in the plane it lies (`within`)."""

    lens: Lens
    person: Person
    paper: Reals
    within: Mask

    def sheet(self, within: Mask) -> Surface:
        """A flat thing in a hand, where the face would be."""
        eyes = self.person.middle_px
        point = self.lens.ray(eyes.real, eyes.imag) * self.person.distance_mm
        return plane(self.lens.rays(), point, -turned(*_HELD_DEG)[:, 2], within)

    def empty(self) -> Parts:
        """The hallway without anybody."""
        back = self.person.hallway(self.lens, BEHIND_MM)
        return lit(self.lens, back, np.full(self.paper.shape, WALL_REFLECTS), MATT)


def hold_up(picture: Path, kind: HeldUp, width_px: int = 640, height_px: int = 480, scale: float = 1.0) -> Basis:
    """`picture` before a camera of that size, laid in as the replay camera does (`read_scaled`), as `kind`.

    Raises PictureRefused if it is no picture, or no face is found in it.
    """
    shown = read_scaled(picture, width_px, height_px, scale)
    points = five_points(shown, picture.name)
    lens = Lens(width_px, height_px)
    person = stand(lens, points, Head())
    paper = linear(shown)
    paper *= SKIN_REFLECTS / float(luminance(paper)[person.face.there].mean())
    within = _laid_in(picture, lens, scale)
    ambient, left, right = _KINDS[kind](_Held(lens, person, paper, within))
    rest = luminance(ambient + REST.left * left + REST.right * right)[person.face.there].mean()
    gain = FACE_AT_REST / float(rest)
    return Basis(*(np.minimum(each * gain, 1.0).astype(np.float32) for each in (ambient, left, right)))


def _live(at: _Held) -> Parts:
    """The person, and behind them what the photograph has behind them."""
    lens, person = at.lens, at.person
    hallway = lit(lens, person.hallway(lens, BEHIND_MM), at.paper, MATT)
    body = lit(lens, person.body, at.paper, MATT)
    face = lit(lens, person.face, at.paper, SKIN)
    return over(person.face.there, face, over(person.body.there, body, hallway))


def _print(at: _Held) -> Parts:
    """The whole photograph on a sheet of paper, held where the face would be."""
    sheet = at.sheet(at.within)
    return over(sheet.there, lit(at.lens, sheet, at.paper, _PAPER), at.empty())


def _cutout(at: _Held) -> Parts:
    """The sheet, cut along the person's contour."""
    sheet = at.sheet(at.within & outline(at.person))
    return over(sheet.there, lit(at.lens, sheet, at.paper, _PAPER), at.empty())


def _screen(at: _Held) -> Parts:
    """A telephone or a tablet: it shines by itself, and answers lights only as glass does."""
    glass = at.sheet(at.within)
    ambient, left, right = lit(at.lens, glass, np.full(at.paper.shape, _SCREEN_DIFFUSE), _GLASS)
    # Bright enough to be seen in this hallway: white as bright as paper under four times its light.
    return over(glass.there, (ambient + at.paper * 4 * HALLWAY.total_lx, left, right), at.empty())


def _video(at: _Held) -> Parts:
    """Frames that never passed a lens here."""
    ambient, left, right = _live(at)
    return ambient + left + right, np.zeros_like(left), np.zeros_like(right)


def _laid_in(picture: Path, lens: Lens, scale: float) -> Mask:
    """Where the plane shows the picture, and not the grey around it."""
    from PIL import Image, ImageOps

    with Image.open(picture) as opened:
        width, height = ImageOps.exif_transpose(opened).size
    factor = min(lens.width_px / width, lens.height_px / height) * scale
    shown = [min(max(1, round(width * factor)), lens.width_px), min(max(1, round(height * factor)), lens.height_px)]
    left, top = (lens.width_px - shown[0]) // 2, (lens.height_px - shown[1]) // 2
    within = np.zeros((lens.height_px, lens.width_px), bool)
    within[top : top + shown[1], left : left + shown[0]] = True
    return within


_KINDS: Final = {
    HeldUp.LIVE: _live,
    HeldUp.PRINT: _print,
    HeldUp.SCREEN: _screen,
    HeldUp.VIDEO: _video,
    HeldUp.CUTOUT: _cutout,
}


def main(words: list[str]) -> int:
    """Write one basis; 0, 1 with a sentence if a file cannot be used, or 2 for wrong usage."""
    if len(words) != 3 or words[1] not in list(HeldUp):
        print(f"python -m tools.attack_lab.hold_up PICTURE {'|'.join(HeldUp)} OUT.npz", file=sys.stderr)
        return 2
    try:
        hold_up(Path(words[0]), HeldUp(words[1])).save(Path(words[2]))
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except OSError as cause:
        print(f"{words[2]} cannot be written: {cause.strerror}", file=sys.stderr)
        return 1
    print(f"rendered, not photographed: {words[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

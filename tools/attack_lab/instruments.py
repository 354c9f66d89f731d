"""Who, or what, stands before the lens: people, and what is held up or fed in instead of one.

Rules kept here:
- An instrument is made of somebody's photograph, as an attacker has one; how good it is, is drawn within what can be
  bought: matt and glossy paper, dim and bright screens.
- An attacker knows everything but the code: size, place, distance and brightness fit, and a recording of an earlier
  challenge is at hand.
- Each attempt is another one: other tilt, other bend. Whoever tries again at once has the same paper or screen in hand.
- Matt and glossy paper are instruments of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, unique
from functools import partial
from typing import Final

import numpy as np

from tools.attack_lab.camera import Moving
from tools.attack_lab.codes import BEGAN_NS, drawn, driven
from tools.attack_lab.colours import luminance
from tools.attack_lab.glasses import put_on
from tools.attack_lab.head import Reals
from tools.attack_lab.light import INDEX_GLASS, INDEX_SKIN, Gloss, Parts, lit, over
from tools.attack_lab.place import Person, outline
from tools.attack_lab.setting import Setting
from tools.attack_lab.surfaces import Mask, Surface, bent, plane, turned

Maker = Callable[[Setting, np.random.Generator], Moving]


@unique
class Stock(Enum):
    """What paper is sold as; the value is the range of its roughness (`Gloss.slope`)."""

    MATT = (0.25, 0.5)
    GLOSSY = (0.06, 0.15)

    def gloss(self, at: Setting) -> Gloss:
        """That of the sheet that is in hand."""
        return Gloss(INDEX_GLASS, float(at.bought().uniform(*self.value)))


_TILT_DEG: Final = 12.0
_SCREEN_DIFFUSE: Final = 0.012
_INK: Final = (0.03, 0.82)  # the darkest a print is, and how much lighter paper is


def live(at: Setting, rng: np.random.Generator) -> Moving:
    """Somebody who is there, and turns the head a little meanwhile."""
    turn = at.cond.turn_deg * rng.uniform(-1, 1, 2)
    first, last = at.person, at.looking(float(turn[0]), float(turn[1]))
    around = over(first.body.there, at.body, at.hallway)
    return Moving(_with_face(at, first, around), _with_face(at, last, around))


def print_flat(at: Setting, rng: np.random.Generator, stock: Stock) -> Moving:
    """A photograph on paper, flat, at some angle, held as still as a person stands."""
    sheet = _sheet(at, _tilt(rng), None, at.within)
    return _still(_paper(at, sheet, stock))


def print_bent(at: Setting, rng: np.random.Generator, stock: Stock) -> Moving:
    """The same bent over a cylinder of 50 to 400 mm, along any direction, outwards or, one time in four, inwards."""
    sheet = _sheet(at, _tilt(rng), _bend(rng), at.within)
    return _still(_paper(at, sheet, stock))


def print_held(at: Setting, rng: np.random.Generator, stock: Stock) -> Moving:
    """The same in a hand that tilts and bends it while the challenge runs."""
    gloss = stock.gloss(at)
    tilt, radius = _tilt(rng), _bend(rng)
    later = tilt + np.array([*rng.uniform(-15, 15, 2), 0.0])
    first = _sheet(at, tilt, radius, at.within)
    last = _sheet(at, later, radius * rng.uniform(0.7, 1.4), at.within)
    parts = [_lit(at, sheet, _printed(at), gloss, at.empty) for sheet in (first, last)]
    return Moving(parts[0], parts[1])


def cutout(at: Setting, rng: np.random.Generator, stock: Stock) -> Moving:
    """A print, cut along the person's contour, flat or bent, with the hallway behind it."""
    radius = _bend(rng) if rng.random() < 0.5 else None
    sheet = _sheet(at, _tilt(rng), radius, at.within & outline(at.person))
    return _still(_paper(at, sheet, stock))


def mask(at: Setting, rng: np.random.Generator, stock: Stock) -> Moving:
    """A paper mask with holes for the eyes, bent around the head of who wears it."""
    return _worn(at, rng, stock, fold_deg=0.0)


def mask_folded(at: Setting, rng: np.random.Generator, stock: Stock) -> Moving:
    """The same with a nose folded into it: paper with relief, where this test must end somewhere."""
    return _worn(at, rng, stock, fold_deg=float(rng.uniform(20, 50)))


def screen(at: Setting, rng: np.random.Generator) -> Moving:
    """A telephone or tablet that shows the photograph."""
    return _on_screen(at, rng, None)


def screen_video(at: Setting, rng: np.random.Generator) -> Moving:
    """A screen that plays a film of the person, made while an earlier challenge ran."""
    return _on_screen(at, rng, live(at, rng))


def injected(at: Setting, rng: np.random.Generator) -> Moving:
    """A film of the person, fed in behind the lens; it knows nothing of any lights."""
    whole = live(at, rng)
    first, last = (_constant(parts) for parts in (whole.first, whole.last))
    return Moving(first, last)


def replayed(at: Setting, rng: np.random.Generator) -> Moving:
    """A film of an earlier challenge at this door, fed in; it begins when the challenge does, or somewhat later."""
    whole = live(at, rng)
    earlier = driven(drawn(rng), rng, BEGAN_NS, float(rng.uniform(-100, 300)))
    return Moving(whole.first, whole.last, earlier.drive)


def guessed(at: Setting, rng: np.random.Generator) -> Moving:
    """A perfect forgery of the person's answer, fed in at the right moment, to a code that was guessed."""
    whole = live(at, rng)
    return Moving(whole.first, whole.last, driven(drawn(rng), rng).drive)


def known(at: Setting, rng: np.random.Generator) -> Moving:
    """The same forgery by somebody who knows the code: nothing in the picture can be wrong."""
    return live(at, rng)


_OF_PAPER: Final = {
    "print flat": print_flat,
    "print bent": print_bent,
    "print held by hand": print_held,
    "cutout": cutout,
    "paper mask": mask,
}

PEOPLE: Final = "people"
INSTRUMENTS: Final[dict[str, Maker]] = {
    **{
        f"{name}, {stock.name.lower()}": partial(made, stock=stock)
        for name, made in _OF_PAPER.items()
        for stock in Stock
    },
    "screen": screen,
    "screen with a film": screen_video,
    "injected film": injected,
    "replay of a challenge": replayed,
    "injected, code guessed": guessed,
}
BEYOND: Final[dict[str, Maker]] = {
    "paper mask, nose folded": partial(mask_folded, stock=Stock.MATT),
    "injected, code known": known,
}
"""What nobody promised to stop, and is measured all the same; the last is what hangs on the code being a secret."""


def _with_face(at: Setting, person: Person, around: Parts) -> Parts:
    whole = _lit(at, person.face, at.paper, Gloss(INDEX_SKIN, at.cond.shine), around)
    return put_on(at, person, whole) if at.cond.glasses else whole


def _worn(at: Setting, rng: np.random.Generator, stock: Stock, fold_deg: float) -> Moving:
    person = at.person
    sheet = _sheet(at, 0.5 * _tilt(rng), float(rng.uniform(70, 120)), person.face.there & ~_eye_holes(at, person))
    if fold_deg:
        sheet = _folded(at, person, sheet, fold_deg)
    behind = over(person.body.there, at.body, at.hallway)
    skin = _lit(at, person.face, at.paper, Gloss(INDEX_SKIN, at.cond.shine), behind)
    return _still(_lit(at, sheet, _printed(at), stock.gloss(at), skin))


def _on_screen(at: Setting, rng: np.random.Generator, film: Moving | None) -> Moving:
    glass = _sheet(at, _tilt(rng), None, at.within)
    own = at.bought()
    mirror = Gloss(INDEX_GLASS, float(own.uniform(0.02, 0.08)))
    answer = _lit(at, glass, np.full(at.paper.shape, _SCREEN_DIFFUSE), mirror, at.empty)
    nits = float(np.exp(own.uniform(np.log(80), np.log(500))))
    grid = 1 + own.uniform(0, 0.04) * np.sin(own.uniform(1.5, 3.1) * np.arange(at.lens.width_px))[None, :, None]
    refresh = (float(own.uniform(0, 0.3)), float(own.choice([60.0, 120.0, 240.0])))
    shape = np.where(glass.there[..., None], np.pi * nits * grid, 0.0)  # a nit is pi lux on something white
    if film is None:
        nothing = np.zeros_like(at.paper)
        return Moving(answer, answer, None, (_printed(at) * shape, nothing, nothing), refresh)
    white = float(np.quantile(luminance(film.first[0] + film.first[1] + film.first[2]), 0.99))
    ambient, left, right = (part / white * shape for part in film.first)
    earlier = driven(drawn(rng), rng, BEGAN_NS, float(rng.uniform(-100, 300)))
    return Moving(answer, answer, earlier.drive, (ambient, left, right), refresh)


def _sheet(at: Setting, tilt_deg: Reals, radius_mm: float | None, within: Mask) -> Surface:
    """A sheet where the face would be; `tilt_deg` yaw, pitch and, for the axis of a bend, roll."""
    person = at.person
    middle = at.points.mean(axis=0)
    point = at.lens.ray(float(middle[0]), float(middle[1])) * person.distance_mm
    turn = turned(*(float(each) for each in tilt_deg))
    if radius_mm is None:
        return plane(at.lens.rays(), point, -turn[:, 2], within)
    return bent(at.lens.rays(), point, turn, radius_mm, within)


def _paper(at: Setting, sheet: Surface, stock: Stock) -> Parts:
    return _lit(at, sheet, _printed(at), stock.gloss(at), at.empty)


def _lit(at: Setting, surface: Surface, colours: Reals, gloss: Gloss, behind: Parts) -> Parts:
    return lit(at.lens, surface, colours, gloss, at.cond.around, at.cond.lamps, behind)


def _printed(at: Setting) -> Reals:
    white = float(np.quantile(luminance(at.paper[at.within]), 0.98))
    colours: Reals = _INK[0] + _INK[1] * np.minimum(at.paper / white, 1.0)
    return colours


def _tilt(rng: np.random.Generator) -> Reals:
    return np.array([*rng.uniform(-_TILT_DEG, _TILT_DEG, 2), rng.choice([0.0, 90.0, rng.uniform(-90, 90)])])


def _bend(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(50), np.log(400))) * rng.choice([1, 1, 1, -1]))


def _still(parts: Parts) -> Moving:
    return Moving(parts, parts)


def _constant(parts: Parts) -> Parts:
    ambient, left, right = parts
    return ambient + left + right, np.zeros_like(left), np.zeros_like(right)


def _eye_holes(at: Setting, person: Person) -> Mask:
    """Ellipses of 30 x 16 mm around the two eyes."""
    y, x = np.mgrid[0 : at.lens.height_px, 0 : at.lens.width_px]
    mm = at.head.measures.eyes_mm / person.eye_px
    holes = np.zeros(x.shape, bool)
    for eye_x, eye_y in at.points[:2]:
        holes |= ((x - eye_x) * mm / 15) ** 2 + ((y - eye_y) * mm / 8) ** 2 < 1
    return holes


def _folded(at: Setting, person: Person, sheet: Surface, fold_deg: float) -> Surface:
    """`sheet` with a ridge down the nose: its two sides face left and right by `fold_deg` more than the sheet does."""
    y, x = np.mgrid[0 : at.lens.height_px, 0 : at.lens.width_px]
    eyes, nose = at.points[:2].mean(axis=0), at.points[2]
    down = np.clip((y - eyes[1]) / max(1.0, nose[1] - eyes[1]), 0, 1.15)
    beside = x - (eyes[0] + (nose[0] - eyes[0]) * down)
    width = (6 + 12 * down) * person.eye_px / at.head.measures.eyes_mm
    ridge = (down > 0) & (down < 1.15) & (np.abs(beside) < width)
    turn = np.radians(fold_deg) * np.sign(beside) * ridge
    nx, ny, nz = np.moveaxis(sheet.normals, -1, 0)
    cos, sin = np.cos(turn), np.sin(turn)
    normals = np.stack([nx * cos - nz * sin, ny, nx * sin + nz * cos], axis=-1)
    return Surface(sheet.depth_mm, normals, sheet.there)

"""The picture of the light challenge: a head, a print and a screen in its four lights, and what eye makes of them.

Rules kept here:
- Nobody is in it: the face is painted by formulas (`tools.attack_lab.made_up`), and so says the picture.
- Light is that of the lab, without a camera's noise; the pictures of a row have one exposure, that of rest.

    python -m tools.attack_lab.four_lights docs/four-lights.png
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from device.challenge import REST, Lights
from device.eye.pixels import Picture
from tools.attack_lab.camera import REST_AT
from tools.attack_lab.colours import luminance
from tools.attack_lab.conditions import Conditions
from tools.attack_lab.head import Reals
from tools.attack_lab.instruments import Stock, live, print_flat, screen
from tools.attack_lab.light import Parts
from tools.attack_lab.made_up import somebody
from tools.attack_lab.setting import Setting

COND: Final = Conditions(hallway_lx=70.0, distance_mm=400.0, skin=0.28, turn_deg=0.0, sway_px=0.0)
LIGHTS: Final = {"dark": Lights(1, 1), "left": Lights(3, 1), "right": Lights(1, 3), "both": Lights(3, 3)}
_READ: Final = "left against right"
_CUT: Final = (120, 10, 520, 470)  # left, top, right, bottom of what is shown of the 640 x 480
_SIZE: Final = (174, 200)
_GAP, _LABEL, _TOP = 8, 92, 30
_STRETCH: Final = 0.35  # the quotient that is shown as white, or as black
_LEAST: Final = 0.02  # of the brightest: where both lamps give less than this share, there is nothing to read
_SEED: Final = 7


def rows(at: Setting) -> dict[str, Parts]:
    """Who or what is shown, as it answers light."""
    made = {
        "a head": live(at, np.random.default_rng(_SEED)),
        "a print": print_flat(at, np.random.default_rng(_SEED), Stock.MATT),
        "a screen": screen(at, np.random.default_rng(_SEED)),
    }
    return {name: _sum(moving.first, moving.shown) if moving.shown else moving.first for name, moving in made.items()}


def seen(parts: Parts, lights: Lights) -> Picture:
    """(H, W, 3): what the camera shows in these lights, its exposure held since rest; sRGB, IEC 61966-2-1."""
    ambient, left, right = parts
    rest = ambient + REST.left * left + REST.right * right
    height, width = rest.shape[:2]
    middle = luminance(rest[height // 5 : -height // 5, width // 4 : -width // 4]).mean()
    light = (ambient + lights.left * left + lights.right * right) * (REST_AT / float(middle))
    level = np.clip(light, 0, 1)
    srgb = np.where(level <= 0.0031308, 12.92 * level, 1.055 * np.maximum(level, 1e-9) ** (1 / 2.4) - 0.055)
    picture: Picture = np.rint(255 * srgb).astype(np.uint8)
    return picture


def read(parts: Parts) -> Reals:
    """(H, W): left against right, (left - right) / (left + right); NaN where the lamps give next to nothing."""
    left, right = luminance(parts[1]), luminance(parts[2])
    both = left + right
    quotient: Reals = np.where(both > _LEAST * both.max(), (left - right) / np.maximum(both, 1e-9), np.nan)
    return quotient


def drawn() -> Image.Image:
    """The whole picture."""
    names = (*LIGHTS, _READ)
    width = _LABEL + len(names) * (_SIZE[0] + _GAP)
    whole = Image.new("RGB", (width, _TOP + 3 * (_SIZE[1] + _GAP) + 26), "white")
    pen, font = ImageDraw.Draw(whole), ImageFont.load_default(15)
    for column, name in enumerate(names):
        pen.text((_LABEL + column * (_SIZE[0] + _GAP) + _SIZE[0] / 2, 15), name, "black", font, anchor="mm")
    for number, (name, parts) in enumerate(rows(somebody(COND)).items()):
        top = _TOP + number * (_SIZE[1] + _GAP)
        pen.text((_LABEL - 10, top + _SIZE[1] / 2), name, "black", font, anchor="rm")
        pictures = [_rgb(seen(parts, lights)) for lights in LIGHTS.values()]
        for column, picture in enumerate([*pictures, _grey(read(parts))]):
            whole.paste(_cut(picture), (_LABEL + column * (_SIZE[0] + _GAP), top))
    said = (
        "Rendered; the painted face is nobody's. Left and right are those of who stands there. "
        "Last column: lighter where the left light gives more."
    )
    pen.text((_LABEL, whole.height - 14), said, "#444", ImageFont.load_default(13), anchor="lm")
    return whole


def _sum(one: Parts, other: Parts) -> Parts:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _rgb(bgr: Picture) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(bgr[..., ::-1]))


def _grey(quotient: Reals) -> Image.Image:
    level = np.clip(0.5 + 0.5 * (quotient - np.nanmedian(quotient)) / _STRETCH, 0, 1)
    paper = np.repeat(np.rint(255 * np.nan_to_num(level, nan=0.5)).astype(np.uint8)[..., None], 3, axis=2)
    paper[np.isnan(quotient)] = (225, 230, 245)
    return Image.fromarray(paper)


def _cut(picture: Image.Image) -> Image.Image:
    return picture.crop(_CUT).resize(_SIZE, Image.Resampling.LANCZOS)


def main(words: list[str]) -> int:
    """Write the picture; 0, 1 with a sentence if it cannot be written, or 2 for wrong usage."""
    if len(words) != 1:
        print("python -m tools.attack_lab.four_lights OUT.png", file=sys.stderr)
        return 2
    try:
        drawn().save(Path(words[0]), format="PNG", optimize=True)
    except OSError as cause:
        print(f"{words[0]} cannot be written: {cause.strerror}", file=sys.stderr)
        return 1
    print(f"rendered, with a painted face: {words[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

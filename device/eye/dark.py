"""A bare face in little light, brought to the brightness of other faces before it is embedded.

Rules kept here:
- Only a crop that is darker than any face of the sets that thresholds come from (34) is changed: in ordinary light
  every byte stays, and so do the tails of strangers.
- One constant for everybody: the middle's mean becomes `LIT_TO`, whoever stands there.
- It is smoothed first: a gain lifts a sensor's noise as well as a face.
- A covered face is left as it is: cloth is dark by itself, and says nothing about the light.

Where it comes from (docs/recognition-tried.md, "In the dark"; ADR 41): rendered darkness on pictures of groups-dev and
lfw-dev. What it does on a camera's own frames in real darkness was not measured.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from device.eye.pixels import Picture

DARK_BELOW: Final = 30.0  # mean grey of the crop's middle (`device.eye.quality.Light`)
LIT_TO: Final = 0.45 * 255
_SUM: Final = 16  # of the weights 1, 2, 1 in both directions


def lit(crop: Picture, mean: float) -> Picture:
    """`crop` (112 x 112 x 3 uint8), whose middle has this `mean` grey; a copy brought to LIT_TO if that is too dark."""
    if mean >= DARK_BELOW:
        return crop
    wide = np.pad(crop.astype(np.uint16), ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows = wide[:-2] + 2 * wide[1:-1] + wide[2:]
    soft = rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]  # at most 16 * 255
    # A middle of less than 12 is refused before (`device.eye.quality`); 1 keeps the division what it is.
    bright: Picture = np.minimum(np.rint(soft * (LIT_TO / _SUM / max(mean, 1.0))), 255).astype(np.uint8)
    return bright

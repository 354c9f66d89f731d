"""BGR out of the Y, U, Y, V bytes of a USB camera, by the colours that its driver tells.

Rules kept here:
- Matrix and range come from what was read back, never from a guess about "most cameras": a wrong range shifts every
  brightness, a wrong matrix every skin.
- What is not told is what videodev2.h says it then is (`V4L2_MAP_YCBCR_ENC_DEFAULT`, `V4L2_MAP_QUANTIZATION_DEFAULT`).
- Pictures are H x W x 3 uint8 in BGR order, as everywhere in eye.

Sources: Kr and Kb of ITU-R BT.601-7 (2.5.1), BT.709-6 (3.2) and BT.2020-2 (table 4); 8-bit ranges of BT.601-7, 2.5.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from device.eye.pixels import Picture

_ONE: Final = 65536  # fixed point
_BYTES_A_PAIR: Final = 4  # two pixels share one U and one V


@dataclass(frozen=True, slots=True)
class Colours:
    """Shares of red and blue in luma, and the range: `full` is 0..255, else 16..235 for Y and 16..240 for U and V."""

    red: float = 0.299
    blue: float = 0.114
    full: bool = False


BT601: Final = Colours()
BT709: Final = Colours(0.2126, 0.0722)
BT2020: Final = Colours(0.2627, 0.0593)


def yuyv_to_bgr(packed: Picture, width: int, colours: Colours) -> Picture:
    """The picture in `packed`, height x stride bytes of which the first 2 * `width` of a row are Y, U, Y, V, ..."""
    height = packed.shape[0]
    pairs = packed[:, : 2 * width].reshape(height, width // 2, _BYTES_A_PAIR)
    gain, parts = _factors(colours)
    luma = pairs[..., 0::2].astype(np.int32)
    luma -= 0 if colours.full else 16
    luma *= gain
    luma += _ONE // 2  # rounds when shifted
    blue_diff = pairs[..., 1].astype(np.int32) - 128
    red_diff = pairs[..., 3].astype(np.int32) - 128
    out = np.empty((height, width, 3), np.uint8)
    view = out.reshape(height, width // 2, 2, 3)
    for channel, (of_blue, of_red) in enumerate(parts):
        mixed = luma + (of_blue * blue_diff + of_red * red_diff)[..., None]
        mixed >>= 16
        view[..., channel] = np.clip(mixed, 0, 255, out=mixed)
    return out


@lru_cache(maxsize=8)
def _factors(colours: Colours) -> tuple[int, tuple[tuple[int, int], ...]]:
    """The gain of luma, and for B, G, R what each takes of the two colour differences, in 1/65536."""
    red, blue = colours.red, colours.blue
    green = 1 - red - blue
    gain = 1.0 if colours.full else 255 / 219
    wide = 1.0 if colours.full else 255 / 224
    parts = (
        (2 * (1 - blue), 0.0),
        (-2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green),
        (0.0, 2 * (1 - red)),
    )
    whole = tuple((round(b * wide * _ONE), round(r * wide * _ONE)) for b, r in parts)
    return round(gain * _ONE), whole

"""Bytes and linear light.

Rules kept here:
- Light adds up in linear numbers only; bytes are what a camera hands over.
- BGR, as everywhere in eye.

Sources: IEC 61966-2-1 (sRGB), ITU-R BT.709-6 (luminance).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from device.eye.pixels import Picture
from tools.attack_lab.head import Reals

_LUMINANCE: Final = np.array([0.0722, 0.7152, 0.2126])


def linear(shown: Picture) -> Reals:
    """Linear light, 0 to 1, of sRGB bytes (IEC 61966-2-1)."""
    result: Reals = _LINEAR[shown]
    return result


def luminance(bgr: Reals) -> Reals:
    """Y of linear BGR (ITU-R BT.709-6)."""
    result: Reals = bgr @ _LUMINANCE
    return result


def _decoded() -> Reals:
    level = np.arange(256) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


_LINEAR: Final = _decoded()

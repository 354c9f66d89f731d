"""How much of each light a frame saw: levels in time, averaged over an exposure that begins with a lag. Pure.

Rules kept here:
- A frame whose exposure spans a change saw a part of both lights.
- The lag between a stamp and the exposure of the face is not known: stamps differ from driver to driver, and a rolling
  shutter reads the face's rows later than the first. It is looked for on a grid, for every code alike.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from device.challenge import MS

Floats = npt.NDArray[np.floating[Any]]

EXPOSURE_MS: Final = 16.0
"""How long a frame is taken to be exposed: indoors between 8 and 33 ms. An error of it shifts a frame in three."""

LAGS_MS: Final = tuple(range(0, 51, 10))
"""Tried lags: a rolling shutter reads a frame in up to 33 ms, and the face lies somewhere in it. Each lag more gives
wrong codes one more chance to fit."""


def seen(times_ns: npt.NDArray[np.int64], changes_ns: npt.NDArray[np.floating[Any]], lag_ms: float) -> Floats:
    """Which share (C, n) of each of the n exposures lies after each of the C changes, 0 to 1."""
    ends_ms = (times_ns[None, :] - changes_ns[:, None]) / MS + EXPOSURE_MS + lag_ms
    share: Floats = np.clip(ends_ms / EXPOSURE_MS, 0.0, 1.0)
    return share


def steady_part(times_ns: npt.NDArray[np.int64]) -> Floats:
    """An orthonormal basis (n, 2) of what needs no lamp: a constant and a linear drift."""
    ones = np.ones(len(times_ns))
    drift = times_ns - times_ns.mean()
    basis: Floats = np.linalg.qr(np.stack([ones, drift / max(float(np.abs(drift).max()), 1.0)], axis=1))[0]
    return basis


def without(basis: Floats, rows: Floats) -> Floats:
    """`rows` (..., n) less their part in `basis` (n, k)."""
    rest: Floats = rows - (rows @ basis) @ basis.T
    return rest

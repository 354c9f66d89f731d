"""From a frame to a glance: find the one face, lay the mesh over it, read how bright its patches are. Or to a shot.

Rules kept here:
- One face, in range, alone at its distance (`device.eye.choose`), with a mesh that sees it too: otherwise no glance.
- The background is read beside and above the head, where neither shoulders nor, mostly, hair are.
- No embedding is made here. Of the frame only the glance remains; `forget` overwrites the crop it passed through.
- Which points of the mesh belong to which patch is settled at the first glance after `begin`: within one challenge a
  patch stays the same piece of skin.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from device.config.tables import Config
from device.eye.attack.brightness import brightness, patches, square
from device.eye.attack.glance import Glance
from device.eye.attack.mesh import Mesh, face_to_picture
from device.eye.attack.parallax import Shot
from device.eye.attack.surface import chosen, in_eye_distances, surface
from device.eye.camera import Frame
from device.eye.choose import Range, choose
from device.eye.detector import Detector, Face
from device.eye.pixels import Similarity
from device.eye.runtime import Network
from device.eye.runtime import choose as choose_runtime
from device.manifest import Job, load
from device.wire import Hint

Floats = npt.NDArray[np.floating[Any]]

BEHIND: Final[Floats] = np.array(
    [(side * x, y) for side in (-1, 1) for x in (1.9, 2.4) for y in (-1.0, -0.3, 0.4)]
    + [(x, -2.5) for x in (-0.8, 0.0, 0.8)]
)
"""(B, 2): where the background is read, eye distances from the middle of the eyes. A head is 2.4 eye distances broad
and its top 1.8 above the eyes (means: 152 mm bizygomatic with ears aside, 63 mm between the eyes)."""

_FACE: Final = square(7)  # of the mesh's crop, where an eye distance is about 45 pixels: a patch is 1 cm wide
_BEHIND_SIDE: Final = 5
_BEHIND_EYES: Final = 0.3  # how wide a patch of the background is, in eye distances


class Watch:
    """Makes glances; one thread only. `view_deg`: the camera's horizontal field of view ([sign] view_deg)."""

    def __init__(self, detector: Detector, mesh: Network, within: Range, view_deg: float) -> None:
        self._detector, self._mesh = detector, Mesh(mesh)
        self._within = within
        self._half_view = math.tan(math.radians(view_deg) / 2)
        self._members: npt.NDArray[np.intp] | None = None

    @classmethod
    def load(cls, config: Config, models: Path) -> Watch:
        """Detector and mesh from the folder `models`, checked against its manifest. Raises ModelRefused."""
        manifest, runtime = load(models), choose_runtime(config.eye.runtime)
        detector, mesh = (
            Network.load(manifest.for_job(job), models, runtime, config.eye.threads)
            for job in (Job.DETECT, Job.LANDMARKS)
        )
        within = Range(config.eye.min_eye_distance_px, config.eye.max_eye_distance_px)
        return cls(Detector(detector), mesh, within, config.sign.view_deg)

    @property
    def network(self) -> Network:
        """The mesh's network, for a benchmark that wants its own time."""
        return self._mesh.network

    def begin(self) -> None:
        """Another approach: the next face chooses its patches anew."""
        self._members = None

    def glance(self, frame: Frame) -> Glance | None:
        """What `frame` shows of the one face in it; None if there is none, or more than one."""
        factor = frame.main.shape[1] / frame.low.shape[1]
        found = choose([face.scaled(factor) for face in self._detector.find(frame.low)], self._within)
        return None if isinstance(found, Hint) else self.at(frame, found)

    def at(self, frame: Frame, face: Face) -> Glance | None:
        """What `frame` shows of `face`, which lies in its main plane; None if the mesh sees none there."""
        to_picture = face_to_picture(face)
        found = self._mesh.find(frame.main, to_picture)
        if found is None:
            return None
        points, apart = in_eye_distances(found)
        if self._members is None:
            self._members = chosen(points)
        places, normals = surface(points, self._members)
        eyes = complex(*(float(value) for value in found[0, :2] - points[0, :2] * apart))
        lit = patches(self._mesh.crop, places * apart + (eyes.real, eyes.imag), _FACE)
        level = to_picture.a / abs(to_picture.a)
        # All that has a direction in the crop gets its direction in the picture, in one go.
        ways = np.concatenate([lit.green_slopes * apart, lit.warm_slopes * apart, places, normals[:, :2]])
        slopes, warm_slopes, placed, facing = _turned(ways, Similarity(level, 0j)).reshape(4, -1, 2)
        return Glance(
            frame.time_ns,
            lit.green,
            slopes,
            lit.warm,
            warm_slopes,
            placed,
            np.concatenate([facing, normals[:, 2:]], axis=1),
            self._behind(frame, complex(*to_picture(eyes.real, eyes.imag)), level * apart * to_picture.scale),
            self._lens(frame, complex(*to_picture(eyes.real, eyes.imag)), apart * to_picture.scale),
        )

    def shot(self, frame: Frame, face: Face) -> Shot | None:
        """What a motion challenge keeps of `face`, a copy; None if the mesh sees none there."""
        found = self._mesh.find(frame.main, face_to_picture(face))
        return None if found is None else Shot(self._mesh.crop[:, :, 1].copy(), found.copy())

    def forget(self) -> None:
        """Overwrite the crop and everything inside the mesh's network."""
        self._members = None
        self._mesh.forget()

    def _behind(self, frame: Frame, eyes: complex, along: complex) -> Floats:
        """The background, `eyes` being the middle of the eyes in the main plane and `along` the way between them."""
        step = max(1, round(abs(along) * _BEHIND_EYES / _BEHIND_SIDE))
        middles = _turned(BEHIND, Similarity(along, eyes))
        return brightness(frame.main, middles, square(_BEHIND_SIDE, step))

    def _lens(self, frame: Frame, eyes: complex, apart_px: float) -> Floats:
        """The lens from the middle of the eyes: by the pinhole's rule an eye distance is seen `apart_px` wide."""
        height, width = frame.main.shape[:2]
        across = complex(width / 2, height / 2) - eyes
        return np.array([across.real, across.imag, width / 2 / self._half_view]) / apart_px


def _turned(points: Floats, by: Similarity) -> Floats:
    """`points` (N, 2) after `by`."""
    moved = np.ascontiguousarray(points, np.float64).view(np.complex128) * by.a + by.b
    turned: Floats = moved.view(np.float64)
    return turned

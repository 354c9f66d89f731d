"""The mesh network: 468 points of one face, found in a square crop of it.

Rules kept here:
- The crop is a similarity of the picture with the eyes level, 1.5 times the face, as the network was trained
  (models/facemesh.md).
- Where the network does not see a face, there are no points: the detector alone is not believed. Neither are points
  without an eye distance, of which nothing could be measured.
- The crop and everything inside the network are overwritten by `forget`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from device.errors import ModelRefused
from device.eye.attack.surface import eyes_apart
from device.eye.detector import Face
from device.eye.pixels import Picture, Similarity, Warp
from device.eye.runtime import Array, Network

MESH_PX: Final = 192
POINTS: Final = 468
_AROUND: Final = 1.5
_ONE: Final = np.float32(1 / 255)
_MEANINGS: Final = ("landmarks", "presence")

MIN_PRESENCE: Final = 5.0
"""The presence logit below which there is no face: odds of 150 to 1 for one. The faces of 32 people of lfw-dev have 14
to 35."""

LEAST_APART_PX: Final = 8.0
"""The least eye distance of a face in its crop, where one is some 45 pixels: a patch of skin, 1 cm, would be hardly
more than one of them. Of a face that is turned so far, or of points that are none, nothing is measured."""


def face_to_picture(face: Face) -> Similarity:
    """From a pixel of the crop to one of the plane that `face` is in. Raises ValueError for eyes in one place."""
    left, right = (complex(float(x), float(y)) for x, y in face.points[:2])
    along = right - left
    if along == 0:
        msg = "a face whose eyes lie in one place has no level"
        raise ValueError(msg)
    x, y, width, height = face.box
    a = along / abs(along) * (_AROUND * max(width, height) / MESH_PX)
    middle = complex(x + width / 2, y + height / 2)
    return Similarity(a, middle - a * complex(1, 1) * (MESH_PX - 1) / 2)


class Mesh:
    """A FaceMesh with its crop. Raises ModelRefused if the network is of another kind."""

    def __init__(self, network: Network) -> None:
        entry = network.entry
        meanings = [tensor.meaning for tensor in entry.outputs]
        if entry.input.shape != (1, MESH_PX, MESH_PX, 3) or sorted(meanings) != sorted(_MEANINGS):
            msg = f"{entry.file} is no face mesh of {MESH_PX} px crops"
            raise ModelRefused(msg)
        self.network = network
        # A picture like any other, laid plane by plane: everything here reads and writes one colour at a time.
        self.crop: Picture = np.zeros((3, MESH_PX, MESH_PX), np.uint8).transpose(1, 2, 0)
        self._warp = Warp(MESH_PX)
        self._at = {meaning: which for which, meaning in enumerate(meanings)}

    def find(self, main: Picture, to_picture: Similarity) -> npt.NDArray[np.float32] | None:
        """468 points (x, y, and depth away from the camera) in pixels of the crop, which stays in `crop`; or None."""
        self._warp(main, to_picture, self.crop)

        def fill(view: Array) -> None:
            for channel in range(3):  # one at a time: twice as fast as all three in another order
                np.multiply(self.crop[:, :, 2 - channel], _ONE, out=view[0, :, :, channel])

        self.network.feed(fill)
        self.network.invoke_only()
        presence = float(self.network.fetch(self._at["presence"]).ravel()[0])
        points: npt.NDArray[np.float32] = self.network.fetch(self._at["landmarks"]).reshape(POINTS, 3)
        return points if presence >= MIN_PRESENCE and _is_face(points) else None

    def forget(self) -> None:
        """Overwrite the crop and everything inside the network."""
        self.crop.fill(0)
        self._warp.forget()
        self.network.forget()


def _is_face(points: npt.NDArray[np.float32]) -> bool:
    return bool(np.isfinite(points).all()) and eyes_apart(points) >= LEAST_APART_PX

"""From 18 points of the face mesh to the crop the embedder is given: those that stay where they are on a face.

Rules kept here:
- Eyes, the ridge and wings of the nose, and the mouth count; cheeks, brows and chin, which talk and turn, do not.
- Where the points belong in the crop follows from a face of nobody: MediaPipe's canonical face model. No photograph and
  no set that is used to measure has part in it.
- Where the mesh sees no face nothing is said here: the detector's five points (`device.eye.alignment`) cut that crop.
- The crop the mesh looked at and everything inside its network are overwritten by `forget`.

Why: the detector reads its five points off one cell of a coarse grid, and how a face lies in its crop decides how well
it is recognised (docs/recognition-tried.md). `ALIGNMENT` stands in the manifest beside the embedder: templates of one
alignment are not compared with those of another (`device.manifest.Manifest.template_id`).

Source: canonical_face_model.obj of MediaPipe (Apache-2.0, Copyright The MediaPipe Authors), x and y in centimetres,
rounded. It is symmetric, so the points of the picture's left half say where those of its right half are.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from device.eye.alignment import TEMPLATE, similarity
from device.eye.attack.mesh import POINTS, Mesh, face_to_picture
from device.eye.detector import Face
from device.eye.pixels import Picture, Similarity
from device.eye.runtime import Network

ALIGNMENT: Final = "mesh-18"

_CANONICAL: Final = {  # number in the mesh: right and up, as the face is seen, from its middle
    33: (-4.446, 2.664),  # outer corner of the eye, then its inner corner, upper and lower lid
    133: (-1.856, 2.585),
    159: (-3.177, 2.964),
    145: (-3.177, 2.294),
    168: (0.0, 3.271),  # the ridge of the nose, downwards, and where its tip meets the lip
    6: (0.0, 2.473),
    197: (0.0, 1.728),
    1: (0.0, -1.127),
    98: (-1.406, -1.714),  # its wing
    61: (-2.456, -4.343),  # corner of the mouth, then its upper and lower edge
    0: (0.0, -3.406),
    17: (0.0, -5.365),
}
_TIP: Final = (0.0, -0.463)  # of the nose, point 4: where the detector means it to be
_MIRRORED: Final = {33: 263, 133: 362, 159: 386, 145: 374, 98: 327, 61: 291}
_EYE: Final = (33, 133, 159, 145)

STEADY: Final = (*_CANONICAL, *_MIRRORED.values())
"""The numbers of the points."""


def _places() -> npt.NDArray[np.float64]:
    """Where `STEADY` belongs, (18, 2) pixels of the crop: the canonical face brought to the embedder's template."""
    left = {number: complex(x, -y) for number, (x, y) in _CANONICAL.items()}
    at = left | {other: complex(-left[number].real, left[number].imag) for number, other in _MIRRORED.items()}
    eyes = [sum(at[number] for number in side) / len(_EYE) for side in (_EYE, [_MIRRORED[number] for number in _EYE])]
    five = np.array([*eyes, complex(_TIP[0], -_TIP[1]), at[61], at[291]])
    to_crop = similarity(np.stack([five.real, five.imag], axis=1), TEMPLATE)
    return np.array([to_crop(at[number].real, at[number].imag) for number in STEADY])


PLACES: Final = _places()


def mesh_to_crop(points: npt.NDArray[Any], to_picture: Similarity) -> Similarity:
    """From the picture to the crop: `points` (468, 2 or more) are in pixels of what the mesh looked at.

    `to_picture` leads from there to the picture. Raises ValueError for points that all coincide.
    """
    steady = points[list(STEADY), :2].astype(np.float64)
    to_crop, back = similarity(steady, PLACES), to_picture.inverse()
    return Similarity(to_crop.a * back.a, to_crop.a * back.b + to_crop.b)


class Aligner:
    """The mesh, asked for nothing but its steady points. Raises ModelRefused if the network is of another kind."""

    def __init__(self, network: Network) -> None:
        self._mesh = Mesh(network)
        self._which = [tensor.meaning for tensor in network.entry.outputs].index("landmarks")

    @property
    def network(self) -> Network:
        """The mesh's network, for a benchmark that wants its own time."""
        return self._mesh.network

    def find(self, main: Picture, face: Face) -> Similarity | None:
        """From `main` to the crop of `face`, which lies in it; None if the mesh sees no face there."""
        to_picture = face_to_picture(face)
        points = self._mesh.find(main, to_picture)
        return None if points is None else mesh_to_crop(points, to_picture)

    def again(self, face: Face) -> Similarity:
        """The same of what the network said last, for whoever had it run on `face` already; it runs no second time."""
        return mesh_to_crop(self._mesh.network.fetch(self._which).reshape(POINTS, 3), face_to_picture(face))

    def forget(self) -> None:
        """Overwrite the crop and everything inside the network."""
        self._mesh.forget()

"""From 18 points of the face mesh to the crop the embedder is given: those that stay where they are on a face.

Rules kept here:
- Eyes, the ridge and wings of the nose, and the mouth count; cheeks, brows and chin, which talk and turn, do not.
- Where the points belong in the crop follows from a face of nobody: MediaPipe's canonical face model. No photograph and
  no set that is used to measure has part in it.
- Where the mesh sees nothing like a face, nothing is said here. That it doubts a face whose mouth is covered is no
  reason: the detector has seen one there already.
- Whoever changes where a crop lies changes the name of the alignment with it (`device.meaning`): then no template of
  the one is ever compared with a probe of the other. A test holds the places to the name.
- The crop the mesh looked at and everything inside its network are overwritten by `forget`.

Source: canonical_face_model.obj of MediaPipe (Apache-2.0, Copyright The MediaPipe Authors), x and y in centimetres,
rounded. It is symmetric, so the points of the picture's left half say where those of its right half are.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from device.eye.alignment import TEMPLATE, similarity
from device.eye.attack.mesh import LEAST_APART_PX, POINTS, Mesh, face_to_picture
from device.eye.attack.surface import eyes_apart
from device.eye.detector import Face
from device.eye.pixels import Picture, Similarity
from device.eye.runtime import Network

LEAST_PRESENCE: Final = -6.0
"""The mesh's presence logit below which its points cut no crop; far below what the light challenge wants to see
(`device.eye.attack.mesh.MIN_PRESENCE`). Of 3,067 faces of lfw-dev with a black cloth painted over mouth and nose the
mesh denies 1,384 there and 65 here, and its points lie well all the same (docs/recognition-tried.md)."""

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


class Aligner:
    """Lays the mesh over a face to cut its crop. Raises ModelRefused if the network is of another kind."""

    def __init__(self, network: Network) -> None:
        self._mesh = Mesh(network)
        meanings = [tensor.meaning for tensor in network.entry.outputs]
        self._landmarks, self._presence = meanings.index("landmarks"), meanings.index("presence")

    @property
    def network(self) -> Network:
        """The mesh's network."""
        return self._mesh.network

    def to_crop(self, main: Picture, face: Face) -> Similarity | None:
        """From `main` to the crop of `face`, which lies in it; None if the mesh sees nothing like a face there."""
        to_picture = face_to_picture(face)
        self._mesh.find(main, to_picture)  # which keeps what it doubts to itself: its network says it all the same
        presence = float(self.network.fetch(self._presence).ravel()[0])
        points = self.network.fetch(self._landmarks).reshape(POINTS, 3)
        if not presence >= LEAST_PRESENCE or not np.isfinite(points).all() or eyes_apart(points) < LEAST_APART_PX:
            return None
        at = to_picture.a * (points[:, 0] + 1j * points[:, 1]) + to_picture.b
        return similarity(np.stack([at.real, at.imag], axis=1)[list(STEADY)], PLACES)

    def forget(self) -> None:
        """Overwrite the crop and everything inside the network."""
        self._mesh.forget()

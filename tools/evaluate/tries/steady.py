"""From 18 points of the face mesh to the crop the embedder is given: those that stay where they are on a face.

Rules kept here:
- Eyes, the ridge and wings of the nose, and the mouth count; cheeks, brows and chin, which talk and turn, do not.
- Where the points belong in the crop follows from a face of nobody: MediaPipe's canonical face model. No photograph and
  no set that is used to measure has part in it.

Source: canonical_face_model.obj of MediaPipe (Apache-2.0, Copyright The MediaPipe Authors), x and y in centimetres,
rounded. It is symmetric, so the points of the picture's left half say where those of its right half are.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from device.eye.alignment import TEMPLATE, similarity

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

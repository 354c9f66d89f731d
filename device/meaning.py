"""What a template means: which network made it, of a face that was cut in which way. Each kind of face has its name.

Rules kept here:
- eye says with every embedding what it means, vault takes none that means something else, and the measured tail of
  strangers names what it was measured with. All three ask this module.
- A bare face is cut by the detector's five points, as ever: its name is the sum of the embedder's file, and stays so.
- A covered face is cut by the mesh: its name follows from both networks and from the name of the alignment. Whoever
  changes how it is cut (`device.eye.steady`) changes that name, and who enrolled covered before enrols anew.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from device.manifest import MODEL_ID_BYTES, Job, Manifest, ModelEntry

COVERED_ALIGNMENT: Final = "mesh-18"
_DOMAIN: Final = b"doorward model\0"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The names of bare and of covered faces' templates, 32 bytes each."""

    bare: bytes
    covered: bytes

    def model_id(self, *, covered: bool = False) -> bytes:
        """The first 8 bytes of one, as Probe and Sample carry them (`device.wire.ModelId`)."""
        return (self.covered if covered else self.bare)[:MODEL_ID_BYTES]


def meaning_of(embedder: ModelEntry, mesh: ModelEntry, alignment: str = COVERED_ALIGNMENT) -> Meaning:
    """What templates of these two networks mean (docs/formats.md, "The model")."""
    whole = _DOMAIN + embedder.sha256 + mesh.sha256 + alignment.encode("ascii")
    return Meaning(embedder.sha256, hashlib.sha256(whole).digest())


def meaning(found: Manifest) -> Meaning:
    """What templates mean at a door with the networks of `found`. Raises ModelRefused if one is missing."""
    return meaning_of(found.for_job(Job.EMBED), found.for_job(Job.LANDMARKS))

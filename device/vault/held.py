"""What is held of one slot's face, as whoever lives there may know it.

Rules kept here:
- It says what the sealed record says and whether it sleeps; never the template, nor how alike anybody is.
- There is no history: nothing here says when a face was used, for nothing anywhere does.
- What sleeps for more than one reason is told by the one that has to be changed first: what sleeps under other terms
  wakes by no Resume, and no sitting is added to it.
"""

from __future__ import annotations

from device import wire
from device.vault.faces import Faces
from device.vault.record import FaceRecord
from device.wire import HeldFace

_LAST_DAY = 2**16 - 1
_NO_TERMS = bytes(wire.TERMS_ID_BYTES)


def told(grant: bytes, slot: int, faces: Faces) -> wire.Held:
    """The answer to an AskHeld with `grant`, which stands for `slot`."""
    face = faces.record(slot)
    if face is None:
        kind = HeldFace.UNREADABLE if faces.lies(slot) else HeldFace.NONE
        return wire.Held(grant, kind, wire.NO_DAY, 0, under_14=False, ends_unix=wire.NO_END, terms=_NO_TERMS)
    return wire.Held(
        grant,
        _state(slot, face, faces),
        min(face.enrolled_day, _LAST_DAY),
        face.frames,
        under_14=face.under_14,
        ends_unix=face.ends_unix,
        terms=faces.terms(slot)[: wire.TERMS_ID_BYTES],
        covered=face.covered,
        sittings=face.sittings,
    )


def _state(slot: int, face: FaceRecord, faces: Faces) -> HeldFace:
    if slot in faces.awake:
        return HeldFace.AWAKE
    if face.paused and faces.kept(slot):
        return HeldFace.PAUSED
    return HeldFace.ASLEEP if faces.agreed(slot) else HeldFace.OTHER_TERMS

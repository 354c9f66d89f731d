"""The faces that are awake, in the two galleries with which probes are compared.

Rules kept here:
- There are two, of bare faces and of covered ones: a probe is compared with those of its own kind and with no other.
- Only a face that is awake is in one of them (`awake` says when). Who has paused, or not agreed to the terms in force,
  is compared with nobody, at an enrolment neither.
- A gallery is made when it is needed, and anew after every change: at boot keeper answers for every slot.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device.vault import record
from device.vault.awake import Awake
from device.vault.gallery import Gallery, gallery_of
from device.vault.record import Averaged, FaceRecord
from device.vault.rotation import Rotation


@dataclass(slots=True)
class Galleries:
    """Nobody is awake until `note`. All templates are turned by `rotation`."""

    rotation: Rotation
    awake: Awake = field(default_factory=Awake)
    covered: Awake = field(default_factory=Awake)
    _faces: dict[int, FaceRecord] = field(default_factory=dict, repr=False)
    _made: dict[bool, Gallery] = field(default_factory=dict, repr=False)

    def note(self, slot: int, face: FaceRecord | None, *, anew: bool = False) -> None:
        """`slot` is awake with `face`, or asleep (None). `anew`: that face was just changed."""
        averaged = face.averaged if face else None
        if face:
            self._faces[slot] = face
        else:
            self._faces.pop(slot, None)
        self.covered.note(slot, averaged if face and face.covered else None)
        if self.awake.note(slot, averaged) or anew:
            self._made.clear()

    def of(self, *, covered: bool) -> Gallery:
        """All templates of one kind."""
        if covered not in self._made:
            faces = {slot: self._faces[slot] for slot in self.awake.slots}
            alike = {slot: face for slot, face in faces.items() if face.covered is covered}
            templates = {slot: record.vector_of(face) for slot, face in alike.items()}
            averaged = {slot: face.averaged for slot, face in alike.items()}
            self._made[covered] = gallery_of(templates, self.rotation, averaged)
        return self._made[covered]

    def kinds(self, *, covered: bool) -> tuple[Averaged, ...]:
        """Each way in which a template of one kind that is awake was averaged, without making the gallery."""
        if covered:
            return self.covered.kinds
        return tuple(kind for kind in self.awake.kinds if self.awake.count(kind) > self.covered.count(kind))

    def only(self, slot: int, *, covered: bool) -> Gallery:
        """The template of `slot` alone, if it is awake and of that kind; else a gallery of nobody."""
        face = self._faces.get(slot)
        if face is None or face.covered is not covered:
            return gallery_of({}, self.rotation)
        return gallery_of({slot: record.vector_of(face)}, self.rotation, face.averaged)

"""A rekey turns every template from the rotation of the old secret to that of the new one.

Rules kept here:
- What is no face record, or was turned by another secret than the old one, stays as it is: it was refused before, and
  is afterwards.
- Each rotation is made once, however many faces there are.
"""

from __future__ import annotations

from dataclasses import replace

from device.errors import RecordRefused
from device.vault import record
from device.vault.rotation import Rotation


class Turning:
    """From one rotation to the next, record by record, as `SealedStore.rekey` calls it.

    `covered`: what templates of covered faces mean here; those that mean something else stay as they are.
    """

    def __init__(self, covered: bytes = b"") -> None:
        self._meanings = (b"", covered)
        self._made: dict[bytes, Rotation] = {}

    def __call__(self, payload: bytes, old_secret: bytes, new_secret: bytes) -> bytes:
        """`payload` with its template turned anew, or as it was if it is no face of the old rotation."""
        old, new = self._of(old_secret), self._of(new_secret)
        try:
            face = record.parse(payload)
        except RecordRefused:
            return payload
        meant = [meaning for meaning in self._meanings if face.rotation == old.tag_of(meaning)]
        if not meant:
            return payload
        turned = record.to_bytes(new.apply(old.undo(record.vector_of(face))))
        return record.pack(replace(face, template=turned, rotation=new.tag_of(meant[0])))

    def _of(self, secret: bytes) -> Rotation:
        if secret not in self._made:
            self._made[secret] = Rotation.of(secret)
        return self._made[secret]

"""The enrolled faces: sealed on disk, and the gallery of those that are awake in memory.

Rules kept here:
- A face is awake if it is not paused and its slot has a working PIN or card, taken under the same offer as when the
  face was enrolled; only then is it in the gallery.
- A slot that was taken anew has another tenant: the face of the one before is erased, not left asleep.
- A record that does not open, or opens to something else than a face record, sleeps: it is neither compared nor
  deleted, until its slot erases it or enrols again.
- What is acknowledged is on disk already; after a fault the memory follows what the disk says.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace

from device.errors import Fault, RecordRefused
from device.sealing.store import SealedStore
from device.vault import record
from device.vault.gallery import Gallery, gallery_of
from device.vault.record import FaceRecord, Vector
from device.wire import NO_TENANCY, NOBODY


class Faces:
    """All faces of this door by slot. Nobody is awake until `credential` says so."""

    def __init__(self, store: SealedStore) -> None:
        self._store = store
        self._records: dict[int, FaceRecord] = {}
        self._tenancies: dict[int, bytes] = {}
        self._gallery: Gallery | None = None
        self.refused: tuple[RecordRefused, ...] = ()
        self._read()

    def __contains__(self, slot: int) -> bool:
        """Whether `slot` has a readable face, awake or not."""
        return slot in self._records

    def slots(self) -> tuple[int, ...]:
        """All slots with a readable face."""
        return tuple(self._records)

    def awake(self) -> tuple[int, int]:
        """How many faces are awake, and the most pictures that were averaged in one of them."""
        frames = [face.frames for slot, face in self._records.items() if self._awake(slot)]
        return len(frames), max(frames, default=1)

    def gallery(self) -> Gallery:
        """The templates that are awake."""
        if self._gallery is None:
            # Made when it is needed: at boot keeper answers for every slot, and each answer changes it.
            self._gallery = gallery_of(
                {slot: _vector(self._records[slot]) for slot in self._records if self._awake(slot)}, self.awake()[1]
            )
        return self._gallery

    def credential(self, slot: int, tenancy: bytes) -> None:
        """Keeper's word: the offer under which `slot` has a working PIN or card, or NO_TENANCY.

        Erases a face of another tenancy. Raises StoreFault, KeyFault; the face then sleeps all the same.
        """
        self._tenancies[slot] = tenancy
        self._gallery = None
        face = self._records.get(slot)
        if face is not None and tenancy not in (NO_TENANCY, face.tenancy):
            self.erase(slot)

    def enrol(self, slot: int, face: FaceRecord) -> None:
        """Let `slot` hold `face`, durably. Raises StoreFault, KeyFault, RecordRefused."""
        try:
            self._put(slot, face)
        except Fault:
            if slot in self:
                # The disk failed after the change had been made: a face that nobody was told of must not stay.
                with contextlib.suppress(Fault):
                    self.erase(slot)
            raise

    def pause(self, slot: int, *, paused: bool) -> bool:
        """Pause or resume the face of `slot`; False if nothing changes. Raises StoreFault, KeyFault."""
        face = self._records.get(slot)
        if face is None or face.paused == paused:
            return False
        self._put(slot, replace(face, paused=paused))
        return True

    def erase(self, slot: int) -> bool:
        """Destroy the face of `slot`, readable or not; False if there is none. Raises StoreFault, KeyFault."""
        try:
            return self._store.remove(slot)
        finally:
            self._read()

    def _put(self, slot: int, face: FaceRecord) -> None:
        try:
            self._store.put(slot, record.pack(face))
        except Fault:
            self._read()
            raise
        self._records[slot] = face
        self._gallery = None

    def _read(self) -> None:
        self._records, self._gallery = {}, None
        refused = list(self._store.refused)
        for slot, payload in self._store.records().items():
            if slot == NOBODY:
                refused.append(RecordRefused("a face record stands under the number that means nobody"))
                continue
            try:
                self._records[slot] = record.parse(payload)
            except RecordRefused as refusal:
                refused.append(refusal)
        self.refused = tuple(refused)

    def _awake(self, slot: int) -> bool:
        face = self._records.get(slot)
        return face is not None and not face.paused and self._tenancies.get(slot) == face.tenancy


def _vector(face: FaceRecord) -> Vector:
    vector = record.unit_vector(face.template)
    if vector is None:
        raise RecordRefused("a face record holds no unit template")
    return vector

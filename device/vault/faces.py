"""The enrolled faces: sealed on disk, and those that are awake in the galleries in memory.

Rules kept here:
- Only a face that is awake (`awake` says when) is in a gallery (`galleries`), and it leaves it the moment it sleeps.
- Templates are turned by the rotation that follows from the store's secret; one that was turned by another is refused.
- A slot that was taken anew has another tenant: the face of the one before is erased, not left asleep. So is a face
  whose place has ended (`expiry`), by the clock or by the manager's word.
- A record that does not open, or opens to something else than a face record, sleeps: it is neither compared nor
  deleted, until its slot erases it or enrols again.
- What is acknowledged is on disk already; after a fault the memory follows what the disk says.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace

from device.errors import Fault, RecordRefused
from device.sealing.store import Removed, SealedStore
from device.vault import record
from device.vault.awake import Awake
from device.vault.credentials import UNTAKEN, Place
from device.vault.expiry import Expiry
from device.vault.galleries import Galleries
from device.vault.gallery import Gallery
from device.vault.record import Averaged, FaceRecord, NewFace, Vector
from device.vault.rotation import Rotation
from device.vault.turning import Turning
from device.wire import NO_END, NOBODY


class Faces:
    """All faces of this door by slot. `terms`: the hash of the terms in force. Nobody is awake until `credential`.

    `covered`: what templates of covered faces mean here (`device.meaning`), 32 bytes.
    """

    def __init__(self, store: SealedStore, terms: bytes, expiry: Expiry, covered: bytes = b"") -> None:
        self._covered = covered
        self._store = store
        self._terms = terms
        self._expiry = expiry
        self._secret = store.secret
        self._rotation = Rotation.of(self._secret)
        self._records: dict[int, FaceRecord] = {}
        self._places: dict[int, Place] = {}
        self._agreed: set[int] = set()
        self._ends: dict[int, int] = {}
        self._due: tuple[int, ...] = ()
        self._galleries = Galleries(self._rotation)
        self.refused: tuple[RecordRefused, ...] = ()
        self._read()

    def __contains__(self, slot: int) -> bool:
        """Whether `slot` has a readable face, awake or not."""
        return slot in self._records

    def slots(self) -> tuple[int, ...]:
        """All slots with a readable face."""
        return tuple(self._records)

    def record(self, slot: int) -> FaceRecord | None:
        """The readable record of `slot`, awake or not."""
        return self._records.get(slot)

    def kept(self, slot: int) -> FaceRecord | None:
        """The record of `slot` if it is awake or only paused: agreed to, and of whoever lives there now."""
        face, place = self._records.get(slot), self._places.get(slot, UNTAKEN)
        if face is None or slot in self._expiry or slot not in self._agreed:
            return None
        return face if place.taken and place.tenancy == face.tenancy else None

    def lies(self, slot: int) -> bool:
        """Whether anything lies on the disk for `slot`, readable or not."""
        return self._store.record_id(slot) is not None

    def agreed(self, slot: int) -> bool:
        """Whether the face of `slot` is held under the terms in force."""
        return slot in self._agreed

    def terms(self, slot: int) -> bytes:
        """Hash of the terms under which the face of `slot` is held; zeros if there are none."""
        return self._store.consent(slot)

    @property
    def awake(self) -> Awake:
        """Those that may be compared now."""
        return self._galleries.awake

    @property
    def awake_covered(self) -> int:
        """How many of them were enrolled with mouth and nose covered."""
        return len(self._galleries.covered)

    @property
    def outdated(self) -> int:
        """How many faces sleep because they were enrolled under other terms."""
        return len(self._records) - len(self._agreed)

    def gallery(self, *, covered: bool = False) -> Gallery:
        """The templates that are awake, of bare faces or of covered ones."""
        return self._galleries.of(covered=covered)

    def kinds(self, *, covered: bool = False) -> tuple[Averaged, ...]:
        """Each way in which one of those templates was averaged, once."""
        return self._galleries.kinds(covered=covered)

    def only(self, slot: int, *, covered: bool = False) -> Gallery:
        """The template of `slot` alone if it is awake and of that kind, for a claim; else a gallery of nobody."""
        return self._galleries.only(slot, covered=covered)

    def resembles(self, template: bytes, threshold: float, *, covered: bool = False, but: int | None = None) -> bool:
        """Whether `template`, as eye made it, reaches `threshold` with a face of that kind that is awake, save `but`.

        Who has paused, or not agreed to the terms in force, is compared with nobody, here neither.
        """
        vector, awake = record.unit_vector(template), self.gallery(covered=covered)
        if vector is None:
            return False
        reached = awake.templates @ self._rotation.apply(vector) >= threshold
        return any(alike and slot != but for slot, alike in zip(awake.slots, reached, strict=True))

    # ---- keeper's word, and time

    def credential(self, slot: int, place: Place) -> None:
        """Keeper's word: the offer under which `slot` has a working PIN or card, or that it has none.

        Erases a face of another tenancy. Raises StoreFault, KeyFault; the face then sleeps all the same.
        """
        self._places[slot] = place
        face = self._records.get(slot)
        self._note(slot)
        if face is not None and place.taken and place.tenancy != face.tenancy:
            self.erase(slot)

    def ended(self, slot: int) -> None:
        """Keeper's word: the place of `slot` has ended for good. Its face sleeps now, and `expire` erases it."""
        self._places[slot] = UNTAKEN
        if slot in self._records:
            self._expiry.end(slot)
        self._note(slot)

    def look_at_ends(self, now_unix: float, now_ns: int) -> bool:
        """Let those sleep whose place has ended, wake those for whom the clock was wrong; whether anything changed."""
        before = self._expiry.over
        self._due = self._expiry.look(self._ends, now_unix, now_ns)
        self._expiry.looked(self._ends, now_unix, now_ns)
        changed = before ^ self._expiry.over
        for slot in changed:
            self._note(slot)
        if self._due:
            self._expiry.added()
        return bool(changed)

    def expire(self, now_unix: float, now_ns: int) -> bool:
        """The same, and erase one of those that are due; whether anything changed.

        One at a time: a house that moves out on one day keeps nobody waiting. Raises StoreFault, KeyFault; who could
        not be erased sleeps, and is tried again at the next look.
        """
        changed = self.look_at_ends(now_unix, now_ns)
        if not self._due:
            return changed
        try:
            self.erase(self._due[0])
        finally:
            self._expiry.looked(self._ends, now_unix, now_ns)
        if self._due[1:]:
            self._expiry.added()
        return True

    @property
    def next_look_ns(self) -> int | None:
        """When `expire` has to be asked again at the latest (CLOCK_MONOTONIC); None if nobody's place has an end."""
        return self._expiry.next_look_ns

    # ---- changes

    def enrol(self, slot: int, new: NewFace) -> None:
        """Let `slot` hold the face `new`, durably. Raises StoreFault, KeyFault, RecordRefused."""
        vector = self.turned(new.template)
        self._expiry.forget(slot)  # whoever was there before had another end
        face = FaceRecord(
            record.to_bytes(vector),
            self._tag(covered=new.covered),
            new.frames,
            new.consent,
            new.place.tenancy,
            new.enrolled_day,
            new.place.ends_unix,
            under_14=new.under_14,
            covered=new.covered,
            worth=new.worth,
            length=record.length_kept(new.length) if new.length else 0,
        )
        try:
            self._put(slot, face, self._terms)
        except Fault:
            if slot in self:
                # The disk failed after the change had been made: a face that nobody was told of must not stay.
                with contextlib.suppress(Fault):
                    self.erase(slot)
            raise

    def turned(self, template: bytes) -> Vector:
        """`template`, as eye made it, turned as the records are. Raises RecordRefused."""
        vector = record.unit_vector(template)
        if vector is None:
            raise RecordRefused("a face record needs a unit template")
        return self._rotation.apply(vector)

    def join(self, slot: int, face: FaceRecord) -> None:
        """Let `slot`, which has a face, hold `face` in its place: the same one with another sitting, durably.

        Raises StoreFault, KeyFault, RecordRefused; what was there is then there still, if the disk lets it.
        """
        kept, terms = self._records[slot], self._store.consent(slot)
        try:
            self._put(slot, face, self._terms)
        except Fault:
            if self._records.get(slot) == face:
                # The disk failed after the change had been made: what nobody was told of must not stay.
                with contextlib.suppress(Fault):
                    self._put(slot, kept, terms)
            raise

    def pause(self, slot: int, *, paused: bool) -> bool:
        """Pause or resume the face of `slot`; False if nothing changes. Raises StoreFault, KeyFault."""
        face = self._records.get(slot)
        if face is None or face.paused == paused:
            return False
        self._put(slot, replace(face, paused=paused), self._store.consent(slot))
        return True

    def renew(self, slot: int, consent: bytes) -> bool:
        """Put the face of `slot` under the terms in force, agreed to in `consent` (the signed record).

        False if there is no face that sleeps for want of it. Raises StoreFault, KeyFault.
        """
        face = self._records.get(slot)
        if face is None or slot in self._agreed:
            return False
        self._put(slot, replace(face, consent=consent), self._terms)
        return True

    def consent(self, slot: int) -> bytes:
        """The signed consent record beside the face of `slot`; empty if that has no readable face."""
        face = self._records.get(slot)
        return b"" if face is None else face.consent

    def under_14(self, slot: int) -> bool:
        """Whether the face of `slot` was declared to be a child's."""
        return slot in self._records and self._records[slot].under_14

    def covered(self, slot: int) -> bool:
        """Whether the face of `slot` was enrolled with mouth and nose covered."""
        return slot in self._records and self._records[slot].covered

    def erase(self, slot: int) -> Removed | None:
        """Destroy the face of `slot`, readable or not; None if there is none. Raises StoreFault, KeyFault."""
        try:
            removed = self._store.remove(slot)
        except Fault:
            self._read()
            raise
        if slot in self and self._store.secret == self._secret:
            self._records.pop(slot)
            self._ends.pop(slot, None)
            self._agreed.discard(slot)
            self._note(slot)
        else:
            self._read()  # what did not open is gone; or a rekey that seemed to have failed was made after all
        # Only now: a face that could not be erased must not wake because it was tried.
        self._expiry.forget(slot)
        return removed

    def rekey(self) -> None:
        """Renew every key and the rotation. Raises StoreFault, KeyFault; what is enrolled stays enrolled either way."""
        try:
            self._store.rekey(Turning(self._covered))
        finally:
            self._read()

    def names(self, record_id: bytes) -> bool:
        """Whether the ring in force names the record `record_id` (16 bytes)."""
        return self._store.names(record_id)

    # ---- memory and disk

    def _put(self, slot: int, face: FaceRecord, terms: bytes) -> None:
        try:
            self._store.put(slot, record.pack(face), terms)
        except Fault:
            self._read()
            raise
        self._hold(slot, face)
        self._note(slot, anew=True)

    def _hold(self, slot: int, face: FaceRecord) -> None:
        self._records[slot] = face
        # Kept, because keeper answers for every slot, and the store looks a consent up among all of them.
        self._agreed.discard(slot)
        if self._store.consent(slot) == self._terms:
            self._agreed.add(slot)
        self._ends.pop(slot, None)
        if face.ends_unix != NO_END:
            self._ends[slot] = face.ends_unix
            self._expiry.added()

    def _read(self) -> None:
        self._records, self._agreed, self._ends = {}, set(), {}
        if self._store.secret != self._secret:
            self._secret = self._store.secret
            self._rotation = Rotation.of(self._secret)
        self._galleries = Galleries(self._rotation)
        refused = list(self._store.refused)
        for slot, payload in self._store.records().items():
            try:
                self._hold(slot, self._parsed(slot, payload))
            except RecordRefused as refusal:
                refused.append(refusal)
                continue
            self._note(slot)
        self.refused = tuple(refused)

    def _parsed(self, slot: int, payload: bytes) -> FaceRecord:
        if slot == NOBODY:
            raise RecordRefused("a face record stands under the number that means nobody")
        face = record.parse(payload)
        if face.rotation != self._tag(covered=face.covered):
            if face.covered:
                raise RecordRefused(
                    "a face was enrolled covered before this door recognised covered faces as it does now, or was "
                    "turned by another secret; it sleeps, and its resident may enrol anew"
                )
            raise RecordRefused("a face record was turned by another secret than this door's")
        return face

    def _tag(self, *, covered: bool) -> bytes:
        return self._rotation.tag_of(self._covered if covered else b"")

    def _note(self, slot: int, *, anew: bool = False) -> None:
        face = self.kept(slot)
        self._galleries.note(slot, face if face and not face.paused else None, anew=anew)

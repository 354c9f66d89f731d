"""The enrolment under way, and what vault says about it: one at a time, one window each.

Rules kept here:
- No face without consent to the terms in force, a working PIN or card on the slot, and a grant that was just earned.
- It is of a bare face or of a covered one, as was declared with the consent. A window for the other kind is not its
  own, and a frame of the other kind ends it with a result of its own: a template is never a mixture.
- What the camera saw is kept only after the same slot's PIN was shown once more: whoever else pressed the button and
  looked is forgotten. An enrolment that is not finished in time, or whose surface goes away, leaves nothing behind.
- A face that the door's budget would never let open is not kept: where that holds of any, the camera stays closed.
- A face that is close to one held here is told so, before the PIN is asked for, and never whose that is.
- Another sitting (`again`) is the same act, with all of the above, and is joined to the face that is kept (`pooling`),
  of the same slot, tenancy and kind. Whatever comes of it, that face stays as it was or has one sitting more.
- What the resident agreed to is signed and handed over together with the news that the face was kept.
- One enrolment, one Done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from device import wire
from device.edges import Room
from device.errors import AttestationRefused, EnrolmentRefused, Fault, RecordRefused
from device.journal import log
from device.vault import pooling
from device.vault.credentials import UNTAKEN, Credentials, Place
from device.vault.enrolling import Enrolling
from device.vault.faces import Faces
from device.vault.grants import Allowed
from device.vault.recognition import Recogniser
from device.vault.record import FaceRecord
from device.vault.signing import Signer
from device.wire import Hint, Result


class Rooms(Protocol):
    """The part of `device.service.Service` that vault uses."""

    def send(self, peer: Room, msg: wire.Message) -> bool:
        """Send to `peer` if it is there; False if not."""


@dataclass(slots=True)
class Enrolments:
    """`enrol_frames`: good frames that make a template ([eye] enrol_frames).

    `changed`: called when what lock should know of may have changed.
    """

    rooms: Rooms
    faces: Faces
    recogniser: Recogniser
    credentials: Credentials
    signer: Signer
    enrol_frames: int
    now_ns: Callable[[], int]
    today: Callable[[], int]
    changed: Callable[[], None]
    _current: Enrolling | None = None
    _window: wire.Window | None = field(default=None)

    # ---- what others ask

    @property
    def wants_camera(self) -> bool:
        """Whether a press of the button is of use to somebody who enrols."""
        return self._current is not None and self._current.wants_camera

    @property
    def covered(self) -> bool:
        """Whether whoever presses it now enrols with mouth and nose covered."""
        return self.wants_camera and self._current is not None and self._current.covered

    @property
    def slot(self) -> int | None:
        """Whose it is, None if nobody enrols."""
        return self._current.slot if self._current else None

    @property
    def expires_ns(self) -> int | None:
        """When it ends unfinished (CLOCK_MONOTONIC)."""
        return self._current.expires_ns if self._current else None

    def looks(self, nonce: bytes) -> bool:
        """Whether the approach `nonce` is its window."""
        return self._current is not None and self._current.looks(nonce)

    # ---- from the act to the face

    def begin(self, msg: wire.Enrol, allowed: Allowed) -> None:
        """Somebody agreed, and may enrol for the slot that the grant allowed."""
        refusal = self._why_not(allowed.slot, msg)
        if refusal is not None:
            self.rooms.send(Room.DESK, wire.Done(msg.grant, refusal))
            return
        # The same slot begins again, perhaps after its command line was closed.
        self.abandon()
        place = self.credentials.place(allowed.slot) or UNTAKEN
        frames, ends_ns = self.enrol_frames, allowed.expires_ns
        self._current = Enrolling(msg.grant, allowed.slot, msg.under_14, frames, ends_ns, place, msg.covered, msg.again)
        self.changed()

    def window_opened(self, window: wire.Window) -> None:
        """Lock named an approach."""
        self._window = window
        if self._current and window.mode is self._current.mode:
            self._current.opened(window.nonce)

    def window_over(self) -> None:
        """The approach is over; if it was the enrolment's, so is that, unless its face was seen."""
        window, self._window = self._window, None
        if window and self.looks(window.nonce):
            self.abandon()

    def collect(self, sample: wire.Sample) -> None:
        """One frame of its window."""
        current = self._current
        if current is None or not current.looks(sample.nonce):
            return
        now_ns = self.now_ns()
        try:
            frame = self.recogniser.usable(sample, now_ns)
            result = current.add(sample.index, frame, now_ns, covered=sample.covered)
            if result is Result.CONFIRM:
                result = (self._unlike(current) if current.again else self._too_varied(current)) or result
        except (EnrolmentRefused, RecordRefused) as refusal:
            log(f"vault: the enrolment ended: {refusal}")
            result = Result.REFUSED
        if result is Result.CONFIRM:
            self._ask_to_confirm(current, sample.nonce)
        elif result is not None:
            self._end(result)

    def confirmed_by(self, grant: wire.Grant) -> bool:
        """Whether `grant` is the PIN that was missing; the face is then kept, or refused with a reason."""
        if self._current is None or not self._current.confirmed_by(grant, self.now_ns()):
            return False
        self._end(self._keep(self._current))
        return True

    def credential(self, slot: int, place: Place) -> None:
        """Keeper's word on a slot."""
        if self._current and self._current.slot == slot:
            refusal = self._current.credential(place)
            if refusal is not None:
                self._end(refusal)

    def tick(self) -> None:
        """End what took too long."""
        if self._current and self.now_ns() >= self._current.expires_ns:
            self.abandon()

    def abandon(self) -> None:
        """End it unfinished, if there is one."""
        if self._current:
            self._end(self._current.unfinished)

    def forget(self) -> None:
        """The process ends: nothing is kept, and nobody is told any more."""
        self._current = None

    # ---- within

    def _why_not(self, slot: int, msg: wire.Enrol) -> Result | None:
        refusal = self._why_not_again(slot, msg) if msg.again else None
        if refusal is not None:
            return refusal
        if slot in self.faces and not msg.again:
            return Result.SLOT_TAKEN
        place = self.credentials.place(slot)
        if place is not None and not place.taken:
            return Result.NO_CREDENTIAL
        if self._current is not None and self._current.slot != slot:
            return Result.REFUSED
        if self._never_opens(covered=msg.covered):
            who = "nobody can be enrolled covered" if msg.covered else "no face opens, and none is enrolled"
            log(f"vault: under this door's budget and [eye] enrol_frames {who}")
            return Result.REFUSED
        return None if msg.consent == self.signer.terms.hash else Result.OTHER_TERMS

    def _why_not_again(self, slot: int, msg: wire.Enrol) -> Result | None:
        kept = self.faces.kept(slot)
        if kept is None or kept.under_14 is not msg.under_14:
            return Result.NO_FACE
        if kept.covered is not msg.covered:
            return Result.COVERED_OTHERWISE
        return pooling.why_not(kept, self.enrol_frames, self.recogniser.thresholds)

    def _joined(self, current: Enrolling) -> FaceRecord | Result:
        """The face that is kept with the sitting that was seen, or why not. Raises EnrolmentRefused, RecordRefused."""
        kept = self.faces.kept(current.slot)
        # Looked at anew: it may have been erased, paused, renewed or re-keyed since the act began.
        if kept is None or kept.tenancy != current.place.tenancy:
            return Result.NO_FACE
        seen = pooling.Mean(self.faces.turned(current.template), current.frames, current.length)
        return pooling.joined(kept, seen, self.recogniser.thresholds, covered=current.covered)

    def _unlike(self, current: Enrolling) -> Result | None:
        """Why the sitting that was just seen is not joined; then it is forgotten."""
        face = self._joined(current)
        if not isinstance(face, Result):
            return None
        current.forget()
        return face

    def _never_opens(self, *, covered: bool) -> bool:
        """Whether not even one face alone, of whatever frames, could be told from a stranger's under the budget."""
        least = 0 if covered else 1  # what bare frames as alike as can be are worth: the lowest threshold there is
        return self.recogniser.thresholds.threshold(1, self.enrol_frames, covered=covered, worth=least) is None

    def _too_varied(self, current: Enrolling) -> Result | None:
        """Why a face that was just seen is of no use, though others are; then it is forgotten, and not kept unused."""
        if self._height(current) is not None:
            return None
        log("vault: under this door's budget a face of frames as varied as these would never open, so it was not kept")
        current.forget()
        return Result.REFUSED

    def _height(self, current: Enrolling) -> float | None:
        thresholds, kind = self.recogniser.thresholds, current.covered
        worth = thresholds.worth(current.frames, current.length, covered=kind)
        return thresholds.threshold(1, current.frames, covered=kind, worth=worth)

    def _ask_to_confirm(self, current: Enrolling, nonce: bytes) -> None:
        self.rooms.send(Room.LOCK, wire.EnrolmentEnded(nonce, Result.CONFIRM))
        threshold = self._height(current)
        if threshold is not None and self._resembles_another(current, threshold):
            self.rooms.send(Room.DESK, wire.EnrolHint(Hint.LOOKS_LIKE_ANOTHER))
        self.rooms.send(Room.DESK, wire.EnrolHint(Hint.CONFIRM_WITH_PIN))
        self.changed()

    def _resembles_another(self, current: Enrolling, threshold: float) -> bool:
        own = current.slot if current.again else None
        return self.faces.resembles(current.template, threshold, covered=current.covered, but=own)

    def _keep(self, current: Enrolling) -> Result:
        today = self.today()
        try:
            consent = self.signer.consent(today, under_14=current.under_14, covered=current.covered)
            refusal = self._add(current, consent) if current.again else self._put(current, consent, today)
        except (Fault, AttestationRefused, EnrolmentRefused, RecordRefused) as cause:
            log(f"vault: {cause}")
            return Result.FAULT
        if refusal is not None:
            return refusal
        self.rooms.send(Room.DESK, wire.Attestation(current.grant, consent))
        return Result.DONE

    def _put(self, current: Enrolling, consent: bytes, today: int) -> Result | None:
        worth = self.recogniser.thresholds.worth(current.frames, current.length, covered=current.covered)
        self.faces.enrol(current.slot, current.face(consent, today, worth))
        return None

    def _add(self, current: Enrolling, consent: bytes) -> Result | None:
        face = self._joined(current)
        if isinstance(face, Result):
            return face
        self.faces.join(current.slot, replace(face, consent=consent))
        return None

    def _end(self, result: Result) -> None:
        current, self._current = self._current, None
        if current is None:
            return
        self.rooms.send(Room.DESK, wire.Done(current.grant, result))
        if self._window and current.looks(self._window.nonce):
            # Only while lock still has this very window: a nonce it does not know would look like a breach.
            self.rooms.send(Room.LOCK, wire.EnrolmentEnded(self._window.nonce, result))
        self.changed()

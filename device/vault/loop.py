"""What vault does with each message: it turns them into calls on the pure parts, and answers.

Rules kept here:
- eye is heard only on the approach that lock has named (`Window`), in the mode that lock has named: no Probe, Sample or
  hint of its own accord has any effect.
- One Probe, one Verdict. One grant, one Done.
- No face without consent, a working PIN or card on the slot, and a grant that was just earned; one enrolment at a time,
  one window an enrolment.
- What the camera saw is kept only after the same slot's PIN was shown once more: whoever else pressed the button and
  looked is forgotten. An enrolment that is not finished in time, or whose surface goes away, leaves nothing behind.
- Lock hears whether somebody could be recognised or enrolled, and a hint for the person now and then; never who or how
  close.
- A write to the disk blocks this loop for the time of a few fsyncs; only a personal act writes, a probe never does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from device import wire
from device.edges import Room
from device.errors import EnrolmentRefused, Fault, NotPermitted, RecordRefused
from device.service import Link, log
from device.vault.credentials import Credentials
from device.vault.enrolling import Enrolling
from device.vault.faces import Faces
from device.vault.grants import Grants
from device.vault.recognition import Recogniser
from device.vault.record import NO_CONSENT
from device.wire import LookMode, Outcome, Purpose, Result

GUIDANCE_EVERY_NS = 200_000_000
_SECONDS_A_DAY = 86_400


class Rooms(Protocol):
    """The part of `device.service.Service` that vault uses."""

    def send(self, peer: Room, msg: wire.Message) -> bool:
        """Send to `peer` if it is there; False if not."""


def _today() -> int:
    return int(time.time()) // _SECONDS_A_DAY


@dataclass(slots=True)
class Vault:
    """The work of Room.VAULT. `enrol_frames`: good frames that make a template ([eye] enrol_frames)."""

    rooms: Rooms
    faces: Faces
    recogniser: Recogniser
    enrol_frames: int
    now_ns: Callable[[], int] = time.monotonic_ns
    today: Callable[[], int] = _today
    _grants: Grants = field(default_factory=Grants)
    _credentials: Credentials = field(default_factory=Credentials)
    _enrolling: Enrolling | None = None
    _window: wire.Window | None = None
    _guided_ns: int = 0
    _announced: wire.FaceReady | None = None
    _alarm_owed: bool = False
    _claim_first: bool = False

    # ---- connections and time

    def connected(self, link: Link) -> None:
        """Lock is told whether face is worth a press; keeper is asked about everybody."""
        if link.peer is Room.LOCK:
            self._announced = None
            self._announce()
            if self._alarm_owed:
                self._alarm_owed = not self.rooms.send(Room.LOCK, wire.Breach())
        elif link.peer is Room.KEEPER:
            waiting = (self._enrolling.slot,) if self._enrolling else ()
            self._credentials.ask_anew((*waiting, *self.faces.slots()))
            self._ask_keeper()

    def disconnected(self, link: Link) -> None:
        """Without desk nobody guides the person who enrols; without lock or eye the window is over."""
        if link.peer is Room.DESK and self._enrolling:
            self._end_enrolment(self._enrolling.unfinished)
        elif link.peer in (Room.LOCK, Room.EYE):
            self._window_over()

    def breached(self, room: Room) -> None:
        """Lock raises the alarm; if it cannot be told now, it is told when it comes back."""
        self._alarm_owed = not self.rooms.send(Room.LOCK, wire.Breach())

    def deadline(self) -> float | None:
        """When the enrolment under way ends unfinished."""
        return self._enrolling.expires_ns / 1e9 if self._enrolling else None

    def tick(self) -> None:
        """End an enrolment whose time is over."""
        if self._enrolling and self.now_ns() >= self._enrolling.expires_ns:
            self._end_enrolment(self._enrolling.unfinished)

    def healthy(self) -> bool:
        """Vault has no device that could hang."""
        return True

    def stop(self) -> None:
        """Nothing is kept of an enrolment that was not finished."""
        self._enrolling = None

    # ---- messages

    def received(self, link: Link, msg: wire.Message) -> None:
        """Act on one message; which peer may send it stands in `device.edges`. Raises NotPermitted if not now."""
        self.tick()
        match link.peer:
            case Room.LOCK:
                self._from_lock(msg)
            case Room.EYE:
                self._from_eye(msg)
            case Room.KEEPER:
                self._from_keeper(msg)
            case Room.DESK:
                self._from_desk(msg)
            case _:
                text = f"vault hears nothing from {link.peer}"
                raise NotPermitted(text)

    def _from_lock(self, msg: wire.Message) -> None:
        self._window_over()
        if isinstance(msg, wire.Window):
            self._window = msg
            if msg.mode is LookMode.ENROL and self._enrolling:
                self._enrolling.opened(msg.nonce)

    def _from_eye(self, msg: wire.Message) -> None:
        # What comes for another approach is late, or made up: either way it is not listened to.
        match msg, self._window:
            case wire.Probe(nonce=nonce), wire.Window(asked, LookMode.RECOGNISE) if nonce == asked:
                self._judge(msg)
            case wire.Sample(nonce=nonce), wire.Window(asked, LookMode.ENROL) if nonce == asked:
                self._collect(msg)
            case wire.Guidance(nonce=nonce), wire.Window(asked, _) if nonce == asked:
                self._guide(msg)

    def _from_keeper(self, msg: wire.Message) -> None:
        match msg:
            case wire.Grant():
                self._granted(msg)
            case wire.CredentialAnswer(slot, tenancy):
                self._credential(slot, tenancy)
            case wire.LastCredentialGone(slot):
                self._credential(slot, wire.NO_TENANCY)
        self._ask_keeper()

    def _granted(self, grant: wire.Grant) -> None:
        now_ns = self.now_ns()
        if self._enrolling and self._enrolling.confirmed_by(grant, now_ns):
            self._end_enrolment(self._keep(self._enrolling))
        elif self._grants.add(grant, now_ns) and grant.purpose is Purpose.ENROL:
            # Only whoever wants to enrol: vault has no business with the others.
            self._credentials.ask(grant.slot)

    def _from_desk(self, msg: wire.Message) -> None:
        match msg:
            case wire.Enrol():
                self._begin_enrolment(msg)
            case wire.Erase(grant):
                self._act(grant, Purpose.ERASE, self._erase)
            case wire.Pause(grant):
                self._act(grant, Purpose.PAUSE, lambda slot: self.faces.pause(slot, paused=True))
            case wire.Resume(grant):
                self._act(grant, Purpose.RESUME, lambda slot: self.faces.pause(slot, paused=False))

    def _judge(self, probe: wire.Probe) -> None:
        slot = self.recogniser.judge(probe, self.faces.gallery(), self.now_ns())
        outcome = Outcome.REFUSED if slot is None else Outcome.ACCEPTED
        self.rooms.send(Room.LOCK, wire.Verdict(probe.nonce, self.now_ns(), outcome, slot or wire.NOBODY))

    def _guide(self, msg: wire.Guidance) -> None:
        now_ns = self.now_ns()
        over = self.recogniser.seen(msg.nonce) or now_ns - self._guided_ns < GUIDANCE_EVERY_NS
        if over or msg.hint is wire.Hint.CONFIRM_WITH_PIN:  # which is vault's own to say
            return
        self._guided_ns = now_ns
        self.rooms.send(Room.LOCK, msg)
        if self._enrolling and self._enrolling.looks(msg.nonce):
            # The hint alone: whatever else eye may write into its message stays here.
            self.rooms.send(Room.DESK, wire.EnrolHint(msg.hint))

    # ---- keeper's word

    def _credential(self, slot: int, tenancy: bytes) -> None:
        self._credentials.answered(slot, tenancy)
        try:
            self.faces.credential(slot, tenancy)
        except Fault as fault:
            log(f"vault: {fault}")
        if self._enrolling and self._enrolling.slot == slot:
            refusal = self._enrolling.credential(tenancy)
            if refusal is not None:
                self._end_enrolment(refusal)
        self._announce()

    def _ask_keeper(self) -> None:
        for slot in self._credentials.questions():
            self.rooms.send(Room.KEEPER, wire.HasCredential(slot))

    def _announce(self) -> None:
        ready = wire.FaceReady(
            recognise=self._recognises(),
            enrol=self._enrolling is not None and self._enrolling.wants_camera,
        )
        if ready != self._announced and self.rooms.send(Room.LOCK, ready):
            self._announced = ready

    def _recognises(self) -> bool:
        """Whether a press is worth a look: somebody is awake, and the budget can be met without a claim."""
        faces, pictures = self.faces.awake()
        claim_first = faces > 0 and self.recogniser.thresholds.threshold(faces, pictures) is None
        if claim_first and not self._claim_first:
            log("vault: the false-open budget cannot be met for so many faces by a press alone: ask for a claim first")
        self._claim_first = claim_first
        return faces > 0 and not claim_first

    # ---- personal acts

    def _act(self, grant: bytes, purpose: Purpose, act: Callable[[int], bool]) -> None:
        allowed = self._grants.take(grant, purpose, self.now_ns())
        if allowed is None:
            self._done(grant, Result.NO_GRANT)
            return
        try:
            result = Result.DONE if act(allowed.slot) else Result.NOTHING_TO_DO
        except Fault as fault:
            log(f"vault: {fault}")
            result = Result.FAULT
        self._announce()
        self._done(grant, result)

    def _erase(self, slot: int) -> bool:
        if self._enrolling and self._enrolling.slot == slot:
            self._end_enrolment(self._enrolling.unfinished)
        return self.faces.erase(slot)

    def _done(self, grant: bytes, result: Result) -> None:
        self.rooms.send(Room.DESK, wire.Done(grant, result))

    # ---- enrolment

    def _begin_enrolment(self, msg: wire.Enrol) -> None:
        allowed = self._grants.take(msg.grant, Purpose.ENROL, self.now_ns())
        refusal = Result.NO_GRANT if allowed is None else self._why_not(allowed.slot, msg.consent)
        if allowed is None or refusal is not None:
            self._done(msg.grant, refusal or Result.NO_GRANT)
            return
        if self._enrolling:
            # The same slot begins again, perhaps after its command line was closed.
            self._end_enrolment(self._enrolling.unfinished)
        tenancy = self._credentials.tenancy(allowed.slot)
        self._enrolling = Enrolling(
            msg.grant, allowed.slot, msg.consent, self.enrol_frames, allowed.expires_ns, tenancy
        )
        self._announce()

    def _why_not(self, slot: int, consent: bytes) -> Result | None:
        if slot in self.faces:
            return Result.SLOT_TAKEN
        if self._credentials.present(slot) is False:
            return Result.NO_CREDENTIAL
        somebody_else = self._enrolling is not None and self._enrolling.slot != slot
        return Result.REFUSED if somebody_else or consent == NO_CONSENT else None

    def _collect(self, sample: wire.Sample) -> None:
        enrolling = self._enrolling
        if enrolling is None or not enrolling.looks(sample.nonce):
            return
        now_ns = self.now_ns()
        try:
            result = enrolling.add(sample.index, self.recogniser.usable(sample, now_ns), now_ns)
        except EnrolmentRefused as refusal:
            log(f"vault: the enrolment ended: {refusal}")
            result = Result.REFUSED
        if result is Result.CONFIRM:
            self.rooms.send(Room.LOCK, wire.EnrolmentEnded(sample.nonce, result))
            self.rooms.send(Room.DESK, wire.EnrolHint(wire.Hint.CONFIRM_WITH_PIN))
            self._announce()
        elif result is not None:
            self._end_enrolment(result)

    def _keep(self, enrolling: Enrolling) -> Result:
        try:
            self.faces.enrol(enrolling.slot, enrolling.record(self.today()))
        except (Fault, EnrolmentRefused, RecordRefused) as cause:
            log(f"vault: {cause}")
            return Result.FAULT
        return Result.DONE

    def _window_over(self) -> None:
        window, self._window = self._window, None
        if window and self._enrolling and self._enrolling.looks(window.nonce):
            self._end_enrolment(self._enrolling.unfinished)

    def _end_enrolment(self, result: Result) -> None:
        enrolling, self._enrolling = self._enrolling, None
        if enrolling is None:
            return
        self._done(enrolling.grant, result)
        if self._window and enrolling.looks(self._window.nonce):
            # Only while lock still has this very window: a nonce it does not know would look like a breach.
            self.rooms.send(Room.LOCK, wire.EnrolmentEnded(self._window.nonce, result))
        self._announce()

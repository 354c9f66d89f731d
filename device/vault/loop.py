"""What vault does with each message: it turns them into calls on the pure parts, and answers.

Rules kept here:
- One Probe, one Verdict. One grant, one Done.
- No face without consent, a working PIN or card on the slot, and a grant that was just earned; one enrolment at a time;
  an enrolment that is not finished in time, or whose surface goes away, leaves nothing behind.
- Lock hears whether somebody could be recognised or enrolled, and a hint for the person now and then; never who or how
  close.
- An enrolment frame that comes late is ignored; one that comes when nobody has enrolled for a minute is a breach.
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
from device.vault.enrolment import Collection
from device.vault.faces import Faces
from device.vault.grants import Grants
from device.vault.recognition import Recogniser
from device.vault.record import FaceRecord
from device.wire import Outcome, Purpose, Result

LATE_FRAMES_NS = 60_000_000_000
GUIDANCE_EVERY_NS = 200_000_000
_NO_CONSENT = bytes(32)
_SECONDS_A_DAY = 86_400


class Rooms(Protocol):
    """The part of `device.service.Service` that vault uses."""

    def send(self, peer: Room, msg: wire.Message) -> bool:
        """Send to `peer` if it is there; False if not."""


@dataclass(slots=True)
class _Enrolment:
    """Somebody who may enrol now, until `expires_ns`."""

    grant: bytes
    slot: int
    consent: bytes
    expires_ns: int
    collection: Collection | None = None


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
    _enrolment: _Enrolment | None = None
    _enrolled_ns: int = 0  # when somebody last could enrol; at start, because vault may have died in the middle of it
    _guided_ns: int = 0
    _announced: wire.FaceReady | None = None

    def __post_init__(self) -> None:
        self._enrolled_ns = self.now_ns()

    # ---- connections and time

    def connected(self, link: Link) -> None:
        """Lock is told whether face is worth a press; keeper is asked about everybody."""
        if link.peer is Room.LOCK:
            self._announced = None
            self._announce()
        elif link.peer is Room.KEEPER:
            waiting = (self._enrolment.slot,) if self._enrolment else ()
            self._credentials.ask_anew((*waiting, *self.faces.slots()))
            self._ask_keeper()

    def disconnected(self, link: Link) -> None:
        """Without desk nobody guides the person who enrols; without eye what it saw so far is void."""
        if self._enrolment is None:
            return
        if link.peer is Room.DESK:
            self._end_enrolment(Result.TOO_FEW_FRAMES)
        elif link.peer is Room.EYE:
            self._enrolment.collection = None

    def breached(self, room: Room) -> None:
        """Lock raises the alarm."""
        self.rooms.send(Room.LOCK, wire.Breach())

    def deadline(self) -> float | None:
        """When the enrolment under way ends unfinished."""
        return self._enrolment.expires_ns / 1e9 if self._enrolment else None

    def tick(self) -> None:
        """End an enrolment whose time is over."""
        enrolment = self._enrolment
        if enrolment and self.now_ns() >= enrolment.expires_ns:
            known = self._credentials.present(enrolment.slot) is not None
            self._end_enrolment(Result.TOO_FEW_FRAMES if known else Result.NO_CREDENTIAL)

    def healthy(self) -> bool:
        """Vault has no device that could hang."""
        return True

    def stop(self) -> None:
        """Nothing is kept of an enrolment that was not finished."""
        self._enrolment = None

    # ---- messages

    def received(self, link: Link, msg: wire.Message) -> None:
        """Act on one message; which peer may send it stands in `device.edges`. Raises NotPermitted if not now."""
        self.tick()
        match link.peer:
            case Room.EYE:
                self._from_eye(msg)
            case Room.KEEPER:
                self._from_keeper(msg)
            case Room.DESK:
                self._from_desk(msg)
            case _:
                text = f"vault hears nothing from {link.peer}"
                raise NotPermitted(text)

    def _from_eye(self, msg: wire.Message) -> None:
        match msg:
            case wire.Probe():
                self._judge(msg)
            case wire.Sample():
                self._collect(msg)
            case wire.Guidance():
                self._guide(msg)

    def _from_keeper(self, msg: wire.Message) -> None:
        match msg:
            case wire.Grant():
                if self._grants.add(msg, self.now_ns()):
                    self._credentials.ask(msg.slot)
            case wire.CredentialAnswer(slot, present):
                self._credential(slot, present=present)
            case wire.LastCredentialGone(slot):
                self._credential(slot, present=False)
        self._ask_keeper()

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
        if self.recogniser.seen(msg.nonce) or now_ns - self._guided_ns < GUIDANCE_EVERY_NS:
            return
        self._guided_ns = now_ns
        self.rooms.send(Room.LOCK, msg)
        self.rooms.send(Room.DESK, msg)

    # ---- keeper's word

    def _credential(self, slot: int, *, present: bool) -> None:
        self._credentials.answered(slot, present=present)
        self.faces.credential(slot, present=present)
        if self._enrolment and self._enrolment.slot == slot and not present:
            self._end_enrolment(Result.NO_CREDENTIAL)
        self._announce()

    def _ask_keeper(self) -> None:
        for slot in self._credentials.questions():
            self.rooms.send(Room.KEEPER, wire.HasCredential(slot))

    def _announce(self) -> None:
        enrolment = self._enrolment
        ready = wire.FaceReady(
            recognise=self.faces.somebody_awake(),
            enrol=enrolment is not None and self._credentials.present(enrolment.slot) is True,
        )
        if ready != self._announced and self.rooms.send(Room.LOCK, ready):
            self._announced = ready

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
        if self._enrolment and self._enrolment.slot == slot:
            self._end_enrolment(Result.TOO_FEW_FRAMES)
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
        if self._enrolment:
            # The same slot begins again, perhaps after its command line was closed.
            self._end_enrolment(Result.TOO_FEW_FRAMES)
        self._enrolment = _Enrolment(msg.grant, allowed.slot, msg.consent, allowed.expires_ns)
        self._announce()

    def _why_not(self, slot: int, consent: bytes) -> Result | None:
        if slot in self.faces:
            return Result.SLOT_TAKEN
        if self._credentials.present(slot) is False:
            return Result.NO_CREDENTIAL
        somebody_else = self._enrolment is not None and self._enrolment.slot != slot
        return Result.REFUSED if somebody_else or consent == _NO_CONSENT else None

    def _collect(self, sample: wire.Sample) -> None:
        now_ns = self.now_ns()
        enrolment = self._enrolment
        if enrolment is None or self._credentials.present(enrolment.slot) is not True:
            if enrolment is None and now_ns - self._enrolled_ns > LATE_FRAMES_NS:
                raise NotPermitted("eye sent an enrolment frame although nobody enrols")
            return
        collection = enrolment.collection
        if collection is None or collection.nonce != sample.nonce:
            if sample.index != 0:
                return  # the rest of a window that is over
            collection = enrolment.collection = Collection(sample.nonce, self.enrol_frames)
        try:
            collection.add(sample.index, self.recogniser.usable(sample, now_ns))
        except EnrolmentRefused as refusal:
            log(f"vault: the enrolment ended: {refusal}")
            self._end_enrolment(Result.REFUSED)
            return
        if collection.complete:
            self._end_enrolment(self._keep(enrolment, collection))

    def _keep(self, enrolment: _Enrolment, collection: Collection) -> Result:
        template = collection.template()
        if template is None:
            return Result.FRAMES_DISAGREE
        try:
            self.faces.enrol(
                enrolment.slot, FaceRecord(template, collection.needed, enrolment.consent, enrolled_day=self.today())
            )
        except (Fault, RecordRefused) as cause:
            log(f"vault: {cause}")
            return Result.FAULT
        return Result.DONE

    def _end_enrolment(self, result: Result) -> None:
        enrolment, self._enrolment = self._enrolment, None
        if enrolment is None:
            return
        self._enrolled_ns = self.now_ns()
        self._done(enrolment.grant, result)
        if enrolment.collection:
            self.rooms.send(Room.LOCK, wire.EnrolmentEnded(enrolment.collection.nonce, result))
        self._announce()

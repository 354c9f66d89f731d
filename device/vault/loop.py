"""What vault does with each message: it turns them into calls on the pure parts, and answers.

Rules kept here:
- eye is heard only on the approach that lock has named (`Window`), in the mode that lock has named: no Probe, Sample or
  hint of its own accord has any effect. Where lock named a claim, the probe is compared with that slot alone.
- One Probe, one Verdict (`judging`).
- Lock hears what a press is good for (`readiness`), and a hint for the person now and then; never who or how close.
- While attacks are tried out (`tries`) lock is told that a press makes sense, and nobody begins to enrol.
- A write to the disk blocks this loop for the time of a few fsyncs; only a personal act, a rekey or the end of a place
  writes, a probe never does.

`enrolments` looks after whoever enrols, `acts` after everything else that a grant allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from device import wire
from device.edges import Room
from device.errors import Fault, NotPermitted, StoreFault
from device.journal import log
from device.link import Link
from device.vault.acts import AT_THE_KEYPAD, Acts
from device.vault.credentials import UNTAKEN, Credentials, Place
from device.vault.enrolments import Enrolments, Rooms
from device.vault.faces import Faces
from device.vault.grants import Grants
from device.vault.judging import Judge
from device.vault.readiness import Readiness
from device.vault.recognition import Recogniser
from device.vault.signing import Signer
from device.vault.tries import Tries
from device.wire import Hint, LookMode, Purpose, Result

GUIDANCE_EVERY_NS = 200_000_000
_OWN_HINTS = (Hint.CONFIRM_WITH_PIN, Hint.LOOKS_LIKE_ANOTHER)  # which are vault's to give, never eye's
_SECONDS_A_DAY = 86_400


def no_end() -> None:
    """What a vault without a folder does when its door ends. Raises StoreFault."""
    msg = "this vault has no folder to give up"
    raise StoreFault(msg)


@dataclass(slots=True)
class Vault:
    """The work of Room.VAULT. `enrol_frames`: good frames that make a template ([eye] enrol_frames).

    `face_alone`: whether the terms that people agreed to say that a face alone opens.

    `unix_s` is the wall clock, which may be wrong; it dates what is signed and ends places, it opens nothing. `retire`
    marks vault's folder and ends the process; what is there the next start destroys (`retired`).
    """

    rooms: Rooms
    faces: Faces
    recogniser: Recogniser
    signer: Signer
    enrol_frames: int
    face_alone: bool
    now_ns: Callable[[], int] = time.monotonic_ns
    unix_s: Callable[[], float] = time.time
    retire: Callable[[], None] = no_end
    acts: Acts = field(init=False)
    enrolments: Enrolments = field(init=False)
    _grants: Grants = field(default_factory=Grants)
    _credentials: Credentials = field(default_factory=Credentials)
    _tries: Tries = field(default_factory=Tries)
    _window: wire.Window | None = None
    _guided_ns: int = 0
    _alarm_owed: bool = False
    _judge: Judge = field(init=False)
    _readiness: Readiness = field(init=False)

    def __post_init__(self) -> None:
        self._judge = Judge(self.rooms, self.faces, self.recogniser, self._tries, self.face_alone, self.now_ns)
        self.enrolments = Enrolments(
            self.rooms,
            self.faces,
            self.recogniser,
            self._credentials,
            self.signer,
            self.enrol_frames,
            self.now_ns,
            self._today,
            self._announce,
        )
        self._readiness = Readiness(self.rooms, self.faces, self.recogniser, self._tries, self.enrolments)
        self.acts = Acts(
            self.rooms,
            self.faces,
            self._grants,
            self.signer,
            self.now_ns,
            self._today,
            self._erasing,
            self._announce,
        )

    # ---- connections and time

    def connected(self, link: Link) -> None:
        """Lock is told whether face is worth a press; keeper is asked about everybody."""
        self._look_at_ends()  # before keeper's first answer could wake somebody whose place has ended
        if link.peer is Room.LOCK:
            self._readiness.lock_came()
            if self._alarm_owed:
                self._alarm_owed = not self.rooms.send(Room.LOCK, wire.Breach())
        elif link.peer is Room.KEEPER:
            slot = self.enrolments.slot
            sitting = self._grants.sittings.slots()
            self._credentials.ask_anew((*(() if slot is None else (slot,)), *sitting, *self.faces.slots()))
            self._ask_keeper()

    def disconnected(self, link: Link) -> None:
        """Without desk nobody guides the person who enrols; without lock or eye the window is over."""
        if link.peer is Room.DESK:
            self.enrolments.abandon()
            self._try_out(on=False)
        elif link.peer in (Room.LOCK, Room.EYE):
            self._window_over()

    def breached(self, room: Room) -> None:
        """Lock raises the alarm; if it cannot be told now, it is told when it comes back."""
        self._alarm_owed = not self.rooms.send(Room.LOCK, wire.Breach())

    def deadline(self) -> float | None:
        """When the enrolment under way ends unfinished, or somebody's place has to be looked at."""
        ends = (self.enrolments.expires_ns, self.faces.next_look_ns, self._tries.ends_ns)
        return min((end / 1e9 for end in ends if end is not None), default=None)

    def tick(self) -> None:
        """End an enrolment or a try-out whose time is over, and the faces whose place has ended."""
        self.enrolments.tick()
        self._tick_tries()
        self._expire()

    def healthy(self) -> bool:
        """Vault has no device that could hang."""
        return True

    def stop(self) -> None:
        """Nothing is kept of an enrolment that was not finished."""
        self.enrolments.forget()

    # ---- messages

    def received(self, link: Link, msg: wire.Message) -> None:
        """Act on one message; which peer may send it stands in `device.edges`. Raises NotPermitted if not now."""
        self.enrolments.tick()
        self._tick_tries()
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
        self._look_at_ends()  # before anybody is compared, or said to be worth a look
        match msg:
            case wire.AskClaim(nonce, claim):
                self.rooms.send(Room.LOCK, wire.ClaimAnswer(nonce, self._readiness.knows(claim)))
            case wire.Retire():
                self._end()
            case wire.Window():
                self._window_over()
                self._window = msg
                self._tries.approach_began()
                self.enrolments.window_opened(msg)
            case _:
                self._window_over()

    def _from_eye(self, msg: wire.Message) -> None:
        # What comes for another approach is late, or made up: either way it is not listened to.
        match msg, self._window:
            case wire.Probe(nonce=nonce), wire.Window(asked, LookMode.RECOGNISE) as window if nonce == asked:
                self._judge.judge(msg, window.claim)
            case wire.Sample(nonce=nonce), wire.Window(asked, mode) if nonce == asked and mode.enrols:
                self.enrolments.collect(msg)
            case wire.Guidance(nonce=nonce), wire.Window(asked, _) if nonce == asked:
                self._guide(msg)

    def _from_keeper(self, msg: wire.Message) -> None:
        match msg:
            case wire.Grant():
                self._granted(msg)
            case wire.CredentialAnswer(slot, tenancy, ends_unix):
                self._credential(slot, Place(tenancy, ends_unix))
            case wire.LastCredentialGone(slot):
                self._credential(slot, UNTAKEN)
            case wire.PlaceEnded(slot):
                self.faces.ended(slot)
                self._credential(slot, UNTAKEN)
        self._ask_keeper()

    def _granted(self, grant: wire.Grant) -> None:
        if self.enrolments.confirmed_by(grant):
            return
        if grant.purpose in AT_THE_KEYPAD and self._grants.repeats(grant, self.now_ns()):
            self.acts.shown_twice(grant.purpose, grant.slot)
            return
        if self._grants.add(grant, self.now_ns()) and grant.purpose in (Purpose.ENROL, Purpose.PAGE):
            # Only whoever wants to enrol, or may: vault has no business with the others.
            self._credentials.ask(grant.slot)
        self._sittings_ended()

    def _from_desk(self, msg: wire.Message) -> None:
        match msg:
            case wire.TryFaces(on):
                # An enrolment under way is somebody's who stands before the camera: its frames are theirs.
                self._try_out(on=on and self.enrolments.slot is None)
                self.rooms.send(Room.DESK, wire.TryStands(self._tries.on, asked=True))
            case wire.Enrol():
                self._enrol(msg)
            case _:
                self.acts.received(msg)

    def _enrol(self, msg: wire.Enrol) -> None:
        if self._tries.on:
            self.rooms.send(Room.DESK, wire.Done(msg.grant, Result.BUSY))
            return
        allowed = self._grants.take(msg.grant, Purpose.ENROL, self.now_ns())
        if allowed is None:
            self.rooms.send(Room.DESK, wire.Done(msg.grant, Result.NO_GRANT))
            return
        self.enrolments.begin(msg, allowed)

    def _try_out(self, *, on: bool) -> None:
        if on:
            self._tries.begin(self.now_ns())
            log("vault: attacks are tried out at this door; until that ends, no face is recognised")
        elif self._tries.end():
            log("vault: attacks are tried out no more; faces are recognised as before")
        self._announce()

    def _tick_tries(self) -> None:
        if self._tries.tick(self.now_ns()):
            log("vault: attacks were tried out for long enough; faces are recognised as before")
            self.rooms.send(Room.DESK, wire.TryStands(on=False, asked=False))
            self._announce()

    def _guide(self, msg: wire.Guidance) -> None:
        now_ns = self.now_ns()
        over = self.recogniser.seen(msg.nonce) or now_ns - self._guided_ns < GUIDANCE_EVERY_NS
        if over or msg.hint in _OWN_HINTS:
            return
        self._guided_ns = now_ns
        self.rooms.send(Room.LOCK, msg)
        if self.enrolments.looks(msg.nonce):
            # The hint alone: whatever else eye may write into its message stays here.
            self.rooms.send(Room.DESK, wire.EnrolHint(msg.hint))

    def _window_over(self) -> None:
        self._window = None
        self.enrolments.window_over()

    # ---- keeper's word, and time

    def _sittings_ended(self) -> None:
        for nonce in self._grants.sittings.ended():
            self.rooms.send(Room.DESK, wire.SittingOver(nonce))

    def _credential(self, slot: int, place: Place) -> None:
        self._credentials.answered(slot, place)
        self._grants.sittings.heard(slot, place)
        self._sittings_ended()
        try:
            self.faces.credential(slot, place)
        except Fault as fault:
            log(f"vault: {fault}")
        self.enrolments.credential(slot, place)
        self._announce()

    def _ask_keeper(self) -> None:
        for slot in self._credentials.questions():
            self.rooms.send(Room.KEEPER, wire.HasCredential(slot))

    def _look_at_ends(self) -> None:
        # Nobody who stands at the door waits for the erasure of somebody else.
        if self.faces.look_at_ends(self.unix_s(), self.now_ns()):
            self._announce()

    def _expire(self) -> None:
        try:
            changed = self.faces.expire(self.unix_s(), self.now_ns())
        except Fault as fault:
            log(f"vault: a face whose place has ended could not be erased yet, and sleeps: {fault}")
            changed = True
        if changed:
            self._announce()

    def _erasing(self, slot: int) -> None:
        if self.enrolments.slot == slot:
            self.enrolments.abandon()

    def _today(self) -> int:
        return max(0, int(self.unix_s())) // _SECONDS_A_DAY

    def _end(self) -> None:
        self._window_over()
        self.enrolments.forget()
        try:
            self.retire()
        except Fault as fault:
            log(f"vault: the faces of this door could not be given up yet: {fault}")

    def _announce(self) -> None:
        self._readiness.announce()

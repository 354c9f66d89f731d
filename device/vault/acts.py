"""Personal acts on a face that is held: erase, pause, resume, renew; and the door's own: rekey, and what it holds.

Rules kept here:
- A grant names the slot; without an unused one for this very act nothing happens, and the answer is the same for all.
- Erasing, pausing and resuming can be done at the keypad alone, by showing the PIN for it twice; lock hears how it
  ended. Nothing is signed then: there is nowhere to hand it to.
- One act, one Done. What the door signs about it comes before the Done, and only if it was done.
- A disk or a key that fails is a FAULT and changes nothing that was acknowledged.
- Whether a record exists can be asked by its id alone, which nobody can guess; what is held of a slot's face (`held`),
  by the grant of its sitting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from device import wire
from device.edges import Room
from device.errors import AttestationRefused, Fault
from device.journal import log
from device.vault import held
from device.vault.enrolments import Rooms
from device.vault.faces import Faces
from device.vault.grants import Grants
from device.vault.signing import Signer
from device.wire import Purpose, Result

AT_THE_KEYPAD = frozenset({Purpose.ERASE, Purpose.PAUSE, Purpose.RESUME})
# Every rekey writes the whole gallery: often enough for anybody, too seldom to wear out a memory card.
REKEY_EVERY_NS = 60_000_000_000


@dataclass(slots=True)
class Acts:
    """`erasing`: called with a slot before its face is erased; `changed`: called when readiness may have changed."""

    rooms: Rooms
    faces: Faces
    grants: Grants
    signer: Signer
    now_ns: Callable[[], int]
    today: Callable[[], int]
    erasing: Callable[[int], None]
    changed: Callable[[], None]
    _rekeyed_ns: int | None = None

    def received(self, msg: wire.Message) -> None:
        """Do what desk asks for."""
        match msg:
            case wire.Erase(grant):
                self._act(grant, Purpose.ERASE, lambda slot: self._erase(slot, grant))
            case wire.Pause(grant):
                self._act(grant, Purpose.PAUSE, self._pause)
            case wire.Resume(grant):
                self._act(grant, Purpose.RESUME, self._resume)
            case wire.Renew(grant, consent):
                self._act(grant, Purpose.RENEW, lambda slot: self._renew(grant, slot, consent))
            case wire.AskHeld(grant):
                self._tell_held(grant)
            case wire.SittingOver(grant):
                self.grants.sittings.leave(grant)
            case wire.Rekey(nonce):
                self._finish(nonce, self._rekey)
            case wire.AskRetirement():
                self.rooms.send(Room.DESK, wire.AttestationCopy(b""))  # the door has not ended
            case wire.AskRecord(record):
                named, signer = self.faces.names(record), self.signer
                answer = wire.RecordAnswer(
                    named, signer.key_place, signer.door_key, signer.terms.hash[: wire.TERMS_ID_BYTES]
                )
                self.rooms.send(Room.DESK, answer)

    def shown_twice(self, purpose: Purpose, slot: int) -> None:
        """Somebody showed the PIN of `slot` for `purpose` twice: do it, and let lock say so."""
        act = {Purpose.ERASE: self._erase, Purpose.PAUSE: self._pause, Purpose.RESUME: self._resume}[purpose]
        result = self._tried(lambda: act(slot))
        self.rooms.send(Room.LOCK, wire.ActEnded(result))

    def _tell_held(self, grant: bytes) -> None:
        sitting = self.grants.sittings.standing(grant, self.now_ns())
        over = wire.SittingOver(grant)
        self.rooms.send(Room.DESK, held.told(grant, sitting.slot, self.faces) if sitting else over)

    def _act(self, grant: bytes, purpose: Purpose, act: Callable[[int], Result]) -> None:
        allowed = self.grants.take(grant, purpose, self.now_ns())
        if allowed is None:
            self.rooms.send(Room.DESK, wire.Done(grant, Result.NO_GRANT))
            return
        self._finish(grant, lambda: act(allowed.slot))

    def _finish(self, nonce: bytes, act: Callable[[], Result]) -> None:
        result = self._tried(act)
        self.rooms.send(Room.DESK, wire.Done(nonce, result))

    def _tried(self, act: Callable[[], Result]) -> Result:
        try:
            result = act()
        except Fault as fault:
            log(f"vault: {fault}")
            result = Result.FAULT
        self.changed()
        return result

    def _pause(self, slot: int) -> Result:
        return _done(self.faces.pause(slot, paused=True))

    def _resume(self, slot: int) -> Result:
        return _done(self.faces.pause(slot, paused=False))

    def _erase(self, slot: int, grant: bytes | None = None) -> Result:
        self.erasing(slot)
        consent = self.faces.consent(slot)
        removed = self.faces.erase(slot)
        if removed is None:
            return Result.NOTHING_TO_DO
        if grant is not None:
            self._hand_over(grant, lambda: self.signer.receipt(removed, consent, self.today()))
        return Result.DONE

    def _renew(self, grant: bytes, slot: int, agreed: bytes) -> Result:
        if agreed != self.signer.terms.hash:
            return Result.OTHER_TERMS
        consent = self.signer.consent(
            self.today(), under_14=self.faces.under_14(slot), covered=self.faces.covered(slot)
        )
        if not self.faces.renew(slot, consent):
            return Result.NOTHING_TO_DO
        self._hand_over(grant, lambda: consent)
        return Result.DONE

    def _hand_over(self, grant: bytes, paper: Callable[[], bytes]) -> None:
        try:
            self.rooms.send(Room.DESK, wire.Attestation(grant, paper()))
        except AttestationRefused as refusal:
            # The act itself is done and stays so; it only could not be put in writing.
            log(f"vault: {refusal}")

    def _rekey(self) -> Result:
        now_ns = self.now_ns()
        if self._rekeyed_ns is not None and now_ns - self._rekeyed_ns < REKEY_EVERY_NS:
            return Result.BUSY
        self._rekeyed_ns = now_ns
        self.faces.rekey()
        return Result.DONE


def _done(changed: bool) -> Result:  # noqa: FBT001 - a value that is looked at, not a switch
    return Result.DONE if changed else Result.NOTHING_TO_DO

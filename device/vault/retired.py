"""vault once its door has ended: nobody is recognised, one receipt is signed, and then nothing any more.

Rules kept here:
- It is built where the mark is found (`sealing.retired`), before any face is read. What is still there is destroyed
  first, and there is no way from here back to a vault that compares.
- The receipt is signed once: when everything here is destroyed, and lock says that keeper has nothing left either. It
  is on disk before lock hears of it, and it is given to whoever asks at the door, as often as they ask.
- With the receipt on disk the signing key is not derived any more: nothing else is signed in the name of this door.
- The receipt holds no number of faces: how many of a house gave one is nobody's business.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from device import attestation, wire
from device.attestation import EndOfDoor
from device.edges import Room
from device.errors import AttestationRefused, Fault, NotPermitted
from device.journal import log
from device.link import Link
from device.sealing.files import write_new
from device.sealing.retired_room import RetiredRoom
from device.strength import KeyPlace
from device.wire import Result

RECEIPT = "end-of-door"
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Facts:
    """What the receipt says: the door's id (8 bytes), and where the keys of faces and of PINs were."""

    door: bytes
    faces: KeyPlace
    pins: KeyPlace


@dataclass(slots=True)
class RetiredVault(RetiredRoom):
    """The Work of vault at a door that has ended. `sign` gives the signed bytes of a paper.

    `unix_s` is the wall clock, which may be wrong; it dates the receipt.
    """

    facts: Facts
    sign: Callable[[EndOfDoor], bytes] = field(repr=False)
    unix_s: Callable[[], float] = time.time
    receipt: bytes = field(init=False, default=b"")

    def __post_init__(self) -> None:
        self.receipt = self._stored()

    def _greet(self) -> None:
        """There is nobody to look for."""
        self.rooms.send(Room.LOCK, wire.FaceReady(recognise=False, enrol=False, claim_first=False))
        self._tell()

    def received(self, link: Link, msg: wire.Message) -> None:
        """One message. What eye and keeper say is heard by nobody any more. Raises NotPermitted."""
        match msg:
            case wire.Retire(all_gone):
                if all_gone:
                    self._attest()
                self._tell()
            case wire.AskClaim(nonce):
                self.rooms.send(Room.LOCK, wire.ClaimAnswer(nonce, awake=False))
            case wire.AskRetirement():
                self.rooms.send(Room.DESK, wire.AttestationCopy(self.receipt))
            case wire.AskRecord():
                door_key = attestation.verify(self.receipt).door_key if self.receipt else bytes(32)
                answer = wire.RecordAnswer(
                    named=False, key_place=self.facts.faces, door_key=door_key, terms=bytes(wire.TERMS_ID_BYTES)
                )
                self.rooms.send(Room.DESK, answer)
            case wire.Enrol(grant) | wire.Erase(grant) | wire.Pause(grant) | wire.Resume(grant) | wire.Renew(grant):
                self.rooms.send(Room.DESK, wire.Done(grant, Result.RETIRED))
            case wire.TryFaces():
                self.rooms.send(Room.DESK, wire.TryStands(on=False, asked=True))
            case wire.Rekey(nonce):
                self.rooms.send(Room.DESK, wire.Done(nonce, Result.RETIRED))
            case wire.AskHeld(grant):
                self.rooms.send(Room.DESK, wire.SittingOver(grant))
            case _:
                self._refuse(link, msg)

    def _refuse(self, link: Link, msg: wire.Message) -> None:
        # That a sitting is over may still be said: with the door every one has ended.
        if link.peer is Room.DESK and not isinstance(msg, wire.SittingOver):
            text = f"vault has no use for a {type(msg).__name__} of {link.peer}"
            raise NotPermitted(text)

    def _tell(self) -> None:
        if self.destroying.done:
            self.rooms.send(Room.LOCK, wire.Retired(attested=bool(self.receipt)))

    def _attest(self) -> None:
        if self.receipt or not self.destroying.done:
            return
        facts, end = self.facts, self.destroying.end
        today = max(0, int(self.unix_s())) // _SECONDS_A_DAY
        try:
            receipt = self.sign(EndOfDoor(facts.door, today, facts.faces, facts.pins))
            write_new(end.disk, end.folder, [(RECEIPT, receipt)])
        except (Fault, AttestationRefused) as cause:
            log(f"vault: the receipt for the end of this door could not be made yet: {cause}")
            return
        self.receipt = receipt

    def _stored(self) -> bytes:
        """The receipt on disk; empty if there is none, or half of one."""
        end = self.destroying.end
        try:
            content = end.disk.read(end.folder / RECEIPT) or b""
            return content if isinstance(attestation.verify(content).paper, EndOfDoor) else b""
        except (Fault, AttestationRefused):
            return b""

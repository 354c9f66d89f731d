"""What lock is told before anybody looks: whether a press of the face button, or a flat number before it, is of use.

Rules kept here:
- Lock hears whether somebody could be recognised or enrolled; never who, nor how many. It hears it again only if it
  has changed.
- Whether a claimed slot has a face awake it hears when it asks, before a camera opens for it.
- Where the false-open budget cannot be met for all who are awake, a claim is asked for instead: the threshold is
  never loosened. Where it cannot be met for one of them either no face opens, and the log says so.
- While attacks are tried out a press makes sense, whoever is enrolled.
"""

from __future__ import annotations

from dataclasses import dataclass

from device import wire
from device.edges import Room
from device.journal import log
from device.vault.enrolments import Enrolments, Rooms
from device.vault.faces import Faces
from device.vault.recognition import Recogniser
from device.vault.record import Averaged
from device.vault.tries import Tries


@dataclass(slots=True)
class Readiness:
    """What vault could do now, and what lock was told of it last."""

    rooms: Rooms
    faces: Faces
    recogniser: Recogniser
    tries: Tries
    enrolments: Enrolments
    _announced: wire.FaceReady | None = None
    _claim_first: bool = False
    _nobody: bool = False

    def lock_came(self) -> None:
        """Lock is there, perhaps anew: whatever it heard before, it is told."""
        self._announced = None
        self.announce()

    def announce(self) -> None:
        """Tell lock, if there is news."""
        recognise, claim_first = self._recognises()
        enrolments = self.enrolments
        ready = wire.FaceReady(recognise, enrolments.wants_camera, claim_first, enrolments.covered)
        if ready != self._announced and self.rooms.send(Room.LOCK, ready):
            self._announced = ready

    def knows(self, claim: int) -> bool:
        """Whether the face of slot `claim` is awake, and could be told from a stranger's."""
        averaged, covered = self.faces.awake.averaged(claim), self.faces.covered(claim)
        return averaged is not None and self._all_have((averaged,), 1, covered=covered)

    def _recognises(self) -> tuple[bool, bool]:
        """Whether somebody is awake and the budget can be met by a press alone; whether only with a claim."""
        if self.tries.on:
            return True, False
        # Bare faces decide while there are any: covered ones are compared more strictly, and nobody else is to wait.
        covered = self.faces.awake_covered
        bare = len(self.faces.awake) - covered
        faces, kind = (bare, False) if bare else (covered, True)
        kinds = self.faces.kinds(covered=kind)
        alone = faces > 0 and self._all_have(kinds, faces, covered=kind)
        claim_first = not alone and any(self._all_have((each,), 1, covered=kind) for each in kinds)
        if claim_first and not self._claim_first:
            log("vault: the false-open budget cannot be met for so many faces by a press alone: ask for a claim first")
        self._claim_first = claim_first
        nobody = faces > 0 and not alone and not claim_first
        if nobody and not self._nobody:
            log("vault: the false-open budget cannot be met for one face alone either: no face opens, PIN and card do")
        self._nobody = nobody
        return alone, claim_first

    def _all_have(self, kinds: tuple[Averaged, ...], gallery: int, *, covered: bool) -> bool:
        return self.recogniser.thresholds.heights(kinds, gallery, covered=covered) is not None

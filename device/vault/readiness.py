"""What lock is told before anybody looks: whether a press of the face button, or a flat number before it, is of use.

Rules kept here:
- Lock hears whether somebody could be recognised or enrolled; never who, nor how many. It hears it again only if it
  has changed.
- Whether a claimed slot has a face awake it hears when it asks, before a camera opens for it.
- Where the false-open budget cannot be met for all who are awake, a claim is asked for instead: the threshold is
  never loosened.
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
        return claim in self.faces.awake and self._threshold(1, covered=self.faces.covered(claim)) is not None

    def _recognises(self) -> tuple[bool, bool]:
        """Whether somebody is awake and the budget can be met by a press alone; whether only with a claim."""
        if self.tries.on:
            return True, False
        # Bare faces decide while there are any: covered ones are compared more strictly, and nobody else is to wait.
        covered = self.faces.awake_covered
        bare = len(self.faces.awake) - covered
        faces, kind = (bare, False) if bare else (covered, True)
        alone = faces > 0 and self._threshold(faces, covered=kind) is not None
        claim_first = faces > 0 and not alone and self._threshold(1, covered=kind) is not None
        if claim_first and not self._claim_first:
            log("vault: the false-open budget cannot be met for so many faces by a press alone: ask for a claim first")
        self._claim_first = claim_first
        return alone, claim_first

    def _threshold(self, gallery: int, *, covered: bool) -> float | None:
        awake = self.faces.awake
        return self.recogniser.thresholds.threshold(gallery, awake.pictures, covered=covered, worth=awake.worth)

"""One probe, one verdict: what a face that eye saw is worth, as lock hears it.

Rules kept here:
- A face that was declared a child's, or enrolled covered, is known, and still never opens without the PIN; nor does one
  that only turned as it was asked to (`Attack.MOVED`), nor anybody's where the terms they agreed to say so, whatever
  lock has been told since.
- A probe is compared with faces of its own kind, covered or bare. Where nobody enrolled covered, whoever comes covered
  is asked to uncover, known or not: the hint follows from who is enrolled and not from the comparison.
- What eye called an attack is counted, and after too many in a day no face opens without its PIN (`patience`).
- While attacks are tried out (`tries`) nobody is compared: every approach is refused, and desk hears what it was held
  for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from device import wire
from device.edges import Room
from device.vault.enrolments import Rooms
from device.vault.faces import Faces
from device.vault.patience import Patience
from device.vault.recognition import WITH_PIN_ONLY, Recogniser
from device.vault.tries import Tries
from device.wire import Attack, Hint, Outcome


@dataclass(slots=True)
class Judge:
    """`face_alone`: whether the terms that people agreed to say that a face alone opens."""

    rooms: Rooms
    faces: Faces
    recogniser: Recogniser
    tries: Tries
    face_alone: bool
    now_ns: Callable[[], int]
    _patience: Patience = field(default_factory=Patience)

    def judge(self, probe: wire.Probe, claim: int) -> None:
        """Say to lock what `probe` is worth, compared with the slot `claim` alone, or with all if that is NOBODY."""
        if not self.tries.compares:
            self._count(probe)
            return
        if probe.attack is Attack.PRESENTATION:
            self._patience.tried(self.now_ns())
        covered = probe.covered
        gallery = (
            self.faces.gallery(covered=covered) if claim == wire.NOBODY else self.faces.only(claim, covered=covered)
        )
        slot = self.recogniser.judge(probe, gallery, self.now_ns())
        if slot is None:
            outcome = Outcome.REFUSED
        else:
            alone = self.face_alone and probe.attack not in WITH_PIN_ONLY and not self._needs_pin(slot)
            alone = alone and not self._patience.is_over(self.now_ns())
            outcome = Outcome.ACCEPTED if alone else Outcome.WITH_PIN
        if covered and not self.faces.awake_covered:
            self.rooms.send(Room.LOCK, wire.Guidance(probe.nonce, Hint.UNCOVER_YOUR_FACE))
        self.rooms.send(Room.LOCK, wire.Verdict(probe.nonce, self.now_ns(), outcome, slot or wire.NOBODY))

    def _needs_pin(self, slot: int) -> bool:
        return self.faces.under_14(slot) or self.faces.covered(slot)

    def _count(self, probe: wire.Probe) -> None:
        """A try, or what began or ended while faces were tried out: compared with nobody."""
        self.recogniser.refuse(probe)
        self.rooms.send(Room.LOCK, wire.Verdict(probe.nonce, self.now_ns(), Outcome.REFUSED, wire.NOBODY))
        if self.tries.counts:
            self.rooms.send(Room.DESK, wire.Tried(probe.attack))

"""From a probe to a slot or nobody.

Rules kept here:
- A nonce is judged once; a second probe under it, however different, breaks the table of messages.
- Refused alike: a frame older than 2 s or from the future, an embedding that means something else (`device.meaning`),
  a presentation attack, a test for one that came to no result, at a door with lights a probe that was not tested,
  anything but 128 finite numbers of length 1, too many failures, a gallery too large for the budget, and a stranger.
- At a door with lights, one that turned as it was asked to (`Attack.MOVED`) is compared like one that was bona fide,
  and is charged for good: it opens nothing without a PIN, so what is left must not tell whether a face was known.
- What comes out is a slot or None; how close it was stays in `gallery.compare`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from device.errors import NotPermitted
from device.vault.budget import PROBES_ALLOWED_WITH_PIN, FailureLimit, Thresholds
from device.vault.gallery import Gallery
from device.vault.record import Vector, unit_vector
from device.wire import Attack, Probe, Sample

MAX_FRAME_AGE_NS = 2_000_000_000
NONCES_REMEMBERED = 256  # at five approaches a window, far more windows than a frame lives
_HARMLESS = (Attack.NOT_TESTED, Attack.BONA_FIDE)
WITH_PIN_ONLY = frozenset({Attack.MOVED})
"""What shows whose face it is and opens nothing by itself, whatever the tier."""


@dataclass(slots=True)
class Recogniser:
    """What an embedding has to mean here (`device.meaning`): `model_id` of a bare face, `covered_id` of a covered one.

    `face_alone`: whether a match can open by itself here.
    `lights`: whether the light challenge is fitted at this door; then a probe counts only if it was bona
    fide, or turned as it was asked to.
    """

    model_id: bytes
    thresholds: Thresholds
    face_alone: bool = True
    lights: bool = False
    covered_id: bytes = b""  # without it nobody is known covered
    _limit: FailureLimit = field(init=False)
    _seen: deque[bytes] = field(default_factory=lambda: deque(maxlen=NONCES_REMEMBERED), repr=False)

    def __post_init__(self) -> None:
        self._limit = FailureLimit() if self.face_alone else FailureLimit(PROBES_ALLOWED_WITH_PIN)

    def judge(self, probe: Probe, gallery: Gallery, now_ns: int) -> int | None:
        """The slot in `gallery`, which is of faces of its kind, that `probe` is recognised as, or None.

        Raises NotPermitted if its nonce was judged before.
        """
        self.refuse(probe)
        vector = self.usable(probe, now_ns)
        # From the gallery it is compared with, so no change of it can leave a threshold behind.
        heights = self.thresholds.heights(gallery.kinds, len(gallery), covered=probe.covered)
        if vector is None or heights is None or not self._limit.charge(now_ns):
            return None
        slot = gallery.compare(vector, *heights)
        if slot is not None and self.face_alone and probe.attack not in WITH_PIN_ONLY:
            self._limit.refund()
        return slot

    def refuse(self, probe: Probe) -> None:
        """Use up the nonce of `probe` without comparing it. Raises NotPermitted if it was judged before."""
        if self.seen(probe.nonce):
            raise NotPermitted("eye sent a second probe for one approach")
        self._seen.append(probe.nonce)

    def seen(self, nonce: bytes) -> bool:
        """Whether the approach `nonce` is over."""
        return nonce in self._seen

    def usable(self, seen: Probe | Sample, now_ns: int) -> Vector | None:
        """The embedding in `seen`, if it is fresh, of this door's model, no attack, and a unit vector."""
        fresh = 0 <= now_ns - seen.frame_ns <= MAX_FRAME_AGE_NS
        # An enrolment has no challenge: its samples come with a grant, and are confirmed with the PIN.
        tested = (Attack.BONA_FIDE, *WITH_PIN_ONLY)
        passable = tested if self.lights and isinstance(seen, Probe) else _HARMLESS
        meant = self.covered_id if seen.covered else self.model_id
        if not fresh or seen.model != meant or seen.attack not in passable:
            return None
        return unit_vector(seen.embedding)

"""One enrolment: from the grant to a face that is kept, or to a reason why nothing is.

Rules kept here:
- Pure: messages' values and the time come in, what became of it comes out; nothing here sends or writes.
- It has one window, the first that lock opens after keeper has named the slot's tenancy. Frames of any other are not
  its own, and when its window closes before there are enough of them, it is over.
- The template stays in memory until the same slot's PIN was shown once more, after the camera had seen the face. An
  earlier grant, another slot's or another purpose's confirms nothing.
- Every frame is covered or bare as was declared; one that is not ends it.
- Should the slot lose its PIN or be taken anew on the way, it is over: the grant was another tenant's.

The states: waiting for the button (`window` is None) -> looking (`looks`) -> seen, waiting for the PIN (`seen`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device.errors import EnrolmentRefused
from device.vault.credentials import UNTAKEN, Place
from device.vault.enrolment import Collection
from device.vault.record import NewFace, Vector
from device.wire import Grant, LookMode, Purpose, Result

CONFIRM_NS = 60_000_000_000  # as long as a grant lives


@dataclass(slots=True)
class Enrolling:
    """Somebody who may enrol until `expires_ns` (CLOCK_MONOTONIC). `frames`: how many good ones make a template.

    `under_14`: a parent or guardian has said that it is a child. `place` is UNTAKEN until keeper was heard on the slot.
    `covered`: somebody has declared that mouth and nose are covered. `again`: it is joined to the face that is kept.
    """

    grant: bytes
    slot: int = field(repr=False)
    under_14: bool
    frames: int
    expires_ns: int
    place: Place = field(default=UNTAKEN, repr=False)
    covered: bool = False
    again: bool = False
    window: bytes | None = None
    _collection: Collection | None = field(default=None, repr=False)
    length: float = field(default=0.0, repr=False)  # of the mean of its frames, once the face was seen
    _template: bytes | None = field(default=None, repr=False)

    @property
    def seen(self) -> bool:
        """Whether a face was seen, and only the PIN is missing."""
        return self._template is not None

    @property
    def wants_camera(self) -> bool:
        """Whether a press of the button is of use to it."""
        return self.place.taken and not self.seen

    @property
    def unfinished(self) -> Result:
        """What it came to, if it ended now."""
        if self.seen:
            return Result.UNCONFIRMED
        return Result.TOO_FEW_FRAMES if self.place.taken else Result.NO_CREDENTIAL

    @property
    def mode(self) -> LookMode:
        """What its window is for."""
        return LookMode.ENROL_COVERED if self.covered else LookMode.ENROL

    def looks(self, nonce: bytes) -> bool:
        """Whether the approach `nonce` is its window, and that is still open for it."""
        return self.window == nonce and not self.seen

    def opened(self, nonce: bytes) -> None:
        """Lock opened an enrolment window: it is this one's if it has waited for one."""
        if self.wants_camera and self.window is None:
            self.window = nonce

    def add(self, index: int, frame: Vector | None, now_ns: int, *, covered: bool = False) -> Result | None:
        """Take one frame of its window. `covered`: mouth and nose seemed covered in it.

        None: it needs more. Result.CONFIRM: the face was seen and waits for the PIN. Any other result ends it. Raises
        EnrolmentRefused, which ends it too.
        """
        if covered is not self.covered:
            return Result.COVERED_OTHERWISE
        if self._collection is None:
            self._collection = Collection(self.frames)
        self._collection.add(index, frame)
        if not self._collection.complete:
            return None
        self.length = self._collection.length
        self._template, self._collection = self._collection.template(), None
        if self._template is None:
            return Result.FRAMES_DISAGREE
        self.expires_ns = now_ns + CONFIRM_NS
        return Result.CONFIRM

    def forget(self) -> None:
        """The face that was seen is of no use: only its window is left."""
        self._template = None

    def credential(self, place: Place) -> Result | None:
        """Keeper's word on its slot; a result if that ends it."""
        if not place.taken:
            return Result.NO_CREDENTIAL
        if self.place.taken and self.place.tenancy != place.tenancy:
            return Result.NO_GRANT
        self.place = place
        return None

    def confirmed_by(self, grant: Grant, now_ns: int) -> bool:
        """Whether `grant` is the second one, shown by the same slot after its face was seen."""
        same = grant.slot == self.slot and grant.purpose is Purpose.ENROL and grant.nonce != self.grant
        return self.seen and same and now_ns < min(self.expires_ns, grant.expires_ns)

    @property
    def template(self) -> bytes:
        """The template of a face that was seen, as eye made it. Raises EnrolmentRefused."""
        if self._template is None:
            raise EnrolmentRefused("an enrolment was not finished; nothing was kept")
        return self._template

    def face(self, consent: bytes, today: int, worth: int = 0) -> NewFace:
        """What is kept of a face that was seen; `today` in days since 1970. Raises EnrolmentRefused.

        `worth`: how many different pictures its frames are worth; 0 if that is not known.
        """
        place, declared = self.place, (self.under_14, self.covered)
        return NewFace(self.template, self.frames, consent, place, today, *declared, worth=worth, length=self.length)

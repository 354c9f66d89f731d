"""The counter between the page and the door: the only things a browser's request can reach.

Rules kept here:
- Every method may be called from the page's own thread, and none waits without an end.
- No slot, PIN, card or guest's code passes, in either direction. A sitting stands for whoever typed its code at the
  keypad; which slot that is only vault knows.
- A sitting that is over, or was never there, is the same to whoever asks: `Ended`, and nothing is done.

`Counter` is what the web application is built on, `Served` what the desk's loop is built on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from device import wire
from device.errors import Fault, Refusal

NO_CONSENT = bytes(32)


class Ended(Refusal, PermissionError):
    """The sitting is over, or there is none of that name."""


class Unavailable(Fault, ConnectionError):
    """A part of the door that has to answer is away, or did not answer in time. Asked later, it may."""


class Phase(Enum):
    """Where a sitting stands."""

    WAITING = auto()  # its code is shown, and was not typed at the door yet
    OPEN = auto()  # it may ask and act
    ENDED = auto()  # it ended, or there never was one


@dataclass(frozen=True, slots=True)
class Sitting:
    """What one browser was given: `id` is its cookie's value, `code` six digits that it shows.

    `ends_s` (CLOCK_MONOTONIC): until when the code may be typed. No repr shows what somebody could use.
    """

    id: str = field(repr=False)  # 32 random bytes as base64url, 43 letters
    code: str = field(repr=False)
    ends_s: float


class Face(Enum):
    """What is held of the face of whoever sits there."""

    NONE = auto()
    AWAKE = auto()  # it opens, as the door's hours and terms have it
    PAUSED = auto()  # until it is resumed
    OTHER_TERMS = auto()  # it sleeps until the terms now in force are agreed to
    ASLEEP = auto()  # it sleeps: no PIN or card works for that place, or the place has ended
    UNREADABLE = auto()  # something is kept that cannot be read: it opens nothing, and can be erased


@dataclass(frozen=True, slots=True)
class Held:
    """Everything the door holds of that face, and for how long this sitting still lasts.

    Where `face` is NONE or UNREADABLE all the others but `ends_s` are empty.
    """

    face: Face
    enrolled_day: int  # days since 1970-01-01; 0: the door's clock was not believed
    pictures: int  # how many were averaged into the template
    under_14: bool
    place_ends_unix: int  # seconds since 1970; 0: the place has no end
    terms: bytes  # the first 16 bytes of the hash of the terms agreed to; zeros: not known
    ends_s: float  # CLOCK_MONOTONIC; the sitting's end
    covered: bool = False  # enrolled with mouth and nose covered
    sittings: int = 0  # in how many it was enrolled


@dataclass(frozen=True, slots=True)
class Hinted:
    """What whoever enrols should do now."""

    hint: wire.Hint


@dataclass(frozen=True, slots=True)
class Paper:
    """What the door signed about the act, for the resident to keep: the bytes that doorctl writes (docs/formats.md)."""

    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finished:
    """How the act ended. Always the last step, exactly once."""

    result: wire.Result


Step = Hinted | Paper | Finished


class Counter(Protocol):
    """What the page may ask."""

    def armed(self) -> bool:
        """Whether the page may be shown at all now."""

    async def begin(self, address: str) -> Sitting | None:
        """A new sitting that waits for its code, for a browser that calls from `address` (`shares.address_of`).

        None: too many browsers wait already; in a minute it may do.
        """

    async def phase(self, sitting_id: str) -> Phase:
        """Where that sitting stands. Raises Unavailable if the desk's loop does not answer, which it always should."""

    async def held(self, sitting_id: str) -> Held:
        """What is held. Raises Ended or Unavailable."""

    def act(
        self,
        sitting_id: str,
        purpose: wire.Purpose,
        consent: bytes = NO_CONSENT,
        *,
        under_14: bool = False,
        covered: bool = False,
        again: bool = False,
    ) -> AsyncIterator[Step]:
        """Do `purpose` (never PAGE) for whoever sits there; the steps until it is `Finished`.

        `consent`: the hash of the terms agreed to, for ENROL and RENEW and for nothing else. `under_14`, `covered`:
        what is declared of a face; `again`: it is another sitting of the one that is kept; for ENROL and for nothing
        else. An enrolment takes up to 140 s; who stops iterating
        over it (`aclose`) ends it, and nothing of it is kept. Raises Ended at the first step if the sitting is over,
        ValueError for a consent or a declaration that does not belong there. A vault that is away ends the act with
        Result.FAULT, an act under way with Result.BUSY.
        """

    async def status(self) -> wire.DoorStatus | None:
        """How the door is; None if it does not say so in time."""

    async def leave(self, sitting_id: str) -> None:
        """End that sitting now. One that is over already stays so."""


class Served(Protocol):
    """The page's server, as the desk's loop sees it. Both methods return at once, whatever the server does.

    An error nobody caught in its thread would end the desk (`device.process`); so it catches its own.
    """

    def open(self, counter: Counter) -> None:
        """The page may be served from now on. Called again while it is, nothing changes."""

    def close(self) -> None:
        """It may not be served any more. Called again while it is not, nothing changes."""

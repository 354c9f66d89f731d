"""One attempt: charge, look, settle. The only code that looks at digits.

Rules kept here:
- Charged first: the count is durable before the digits are stretched, in the same piece of work and in that order.
- Every attempt stretches the same number of times and writes the same page, whether the slot exists, waits, holds the
  other kind, or nobody ever had it: what is not there is replaced by a decoy that no digits match.
- Only what could be matched is charged (`throttle`); a page that changed nothing is written all the same, and the pages
  on the disk are sealed, so nobody sees the difference.
- What a right entry gave back is durable soon after its answer (`Settling`), or a door that loses its power now and
  then would make its resident wait. Every attempt is followed by that second write, right or wrong.
- What was true when the attempt began must still be true when it ends: if the slot's record changed meanwhile, or its
  tenancy ended, the attempt is refused.
- A tenancy that is over is refused like a slot that nobody ever had, by the same work.
- A fault of the disk or of memory is a refusal.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from device.errors import Fault
from device.keeper import offers
from device.keeper.attempts import AttemptFile
from device.keeper.book import Book
from device.keeper.ends import Ends, Moment
from device.keeper.line import Result, Work
from device.keeper.pin import SALT_BYTES, VERIFIER_BYTES, Stretch, Verifiers
from device.keeper.record import Credential, Kind
from device.keeper.throttle import Admission, Counts, Throttle
from device.wire import NOBODY


@dataclass(frozen=True, slots=True)
class Clock:
    """The two clocks: one to measure with, and one that may be wrong."""

    monotonic_ns: Callable[[], int]
    unix_s: Callable[[], float]

    def now_s(self) -> float:
        """CLOCK_MONOTONIC in seconds."""
        return self.monotonic_ns() / 1e9

    def read(self) -> Moment:
        """Both of them now."""
        return Moment(self.now_s(), self.unix_s())


@dataclass(frozen=True, slots=True)
class Guard:
    """Everything an attempt needs: what is held, who may guess, and how digits are compared."""

    book: Book
    throttle: Throttle
    file: AttemptFile
    verifiers: Verifiers
    stretch: Stretch
    clock: Clock
    ends: Ends = field(default_factory=Ends)
    # Drawn at start: a slot that is not there takes the same way with a salt and a verifier that belong to nobody.
    decoy_salt: bytes = field(default_factory=lambda: os.urandom(SALT_BYTES))
    decoy_verifier: bytes = field(default_factory=lambda: os.urandom(VERIFIER_BYTES))


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody showed at the door. `new` is the PIN to set, or None."""

    claim: int
    kind: Kind
    digits: str
    new: str | None = None


@dataclass(frozen=True, slots=True)
class Proven:
    """What an accepted attempt is worth: what the slot held, and the stretched new PIN and its salt (empty if none)."""

    held: Credential
    new_salt: bytes = b""
    new_stretched: bytes = b""


@dataclass(eq=False, slots=True)
class Attempt:
    """The `line.Task` of one attempt; `ended` hears what was proven, or None for every kind of refusal."""

    guard: Guard
    shown: Shown
    ended: Callable[[Proven | None], None]
    _held: Credential | None = field(default=None, init=False)
    _admission: Admission = field(default=Admission(admitted=False, paid=False), init=False)
    _new_salt: bytes = field(default=b"", init=False)

    def begin(self) -> Work:
        """Charge it, and say what the worker has to do."""
        guard, shown = self.guard, self.shown
        self._held = self._what_counts()
        self._admission = guard.throttle.charge(shown.claim, guard.clock.now_s(), known=self._held is not None)
        salts = [(shown.digits, self._held.salt if self._held else guard.decoy_salt)]
        if shown.new is not None:
            self._new_salt = os.urandom(SALT_BYTES)
            salts.append((shown.new, self._new_salt))
        return charged_first(guard.file, guard.throttle.counts(), guard.stretch, salts)

    def finish(self, result: Result) -> None:
        """Compare, settle, and tell."""
        if isinstance(result, Fault):
            self.ended(None)
            return
        if isinstance(result, Exception):
            raise result
        guard, held = self.guard, self._held
        stored = held.verifier if held else guard.decoy_verifier
        right = guard.verifiers.matches(self.shown.claim, result[0], stored)
        unchanged = guard.book.held(self.shown.claim) == held
        over = held is None or guard.ends.over(held, guard.clock.read())
        if held is None or over or not (right and unchanged and self._admission.admitted):
            self.ended(None)
            return
        guard.throttle.settle(self.shown.claim, self._admission)
        self.ended(Proven(held, self._new_salt, result[1] if self.shown.new is not None else b""))

    def _what_counts(self) -> Credential | None:
        """The record that could be matched now, None if there is none of that kind."""
        held = self.guard.book.held(self.shown.claim)
        if held is None or held.kind is not self.shown.kind or self.shown.claim == NOBODY:
            return None
        at = self.guard.clock.read()
        if self.guard.ends.over(held, at):
            return None
        if held.kind is Kind.INVITATION and not offers.redeemable(held, int(at.unix_s)):
            return None
        return held


@dataclass(frozen=True, slots=True)
class Settling:
    """The `line.Task` behind an attempt: the counts as they stand after it. If it fails, the next one saves them."""

    guard: Guard

    def begin(self) -> Work:
        """Save what counts now."""
        file, counts = self.guard.file, self.guard.throttle.counts()

        def work() -> tuple[bytes, ...]:
            file.save(counts)
            return ()

        return work

    def finish(self, result: Result) -> None:
        """Nobody waits for it."""
        if isinstance(result, Exception) and not isinstance(result, Fault):
            raise result


def charged_first(file: AttemptFile, counts: Counts, stretch: Stretch, salts: list[tuple[str, bytes]]) -> Work:
    """The work of an attempt, in the order that a power cut cannot turn around."""

    def work() -> tuple[bytes, ...]:
        file.save(counts)
        return tuple(stretch(digits, salt) for digits, salt in salts)

    return work

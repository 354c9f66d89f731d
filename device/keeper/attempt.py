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
- What was right before (the invitation that a PIN was set with, the PIN that a newer offer cancelled) is known again by
  the same work, at the price of any other digits. It is a refusal of which more is told, and like a guest's code it
  gives back what it cost itself and forgives nothing else.
- A guest's one-time code is marked as used, durably, before anybody hears that it was right: a power cut in between
  burns it and opens nothing. That is the one write that only a right code has, and it opens the door before all eyes.
- A fault of the disk or of memory is a refusal, and the attempt stays charged. Where the disk takes no counts at all
  (a worn card turns read-only) nobody can be let in by what has to be counted: keeper ends with that sentence, so that
  the journal, `doorctl status` and the door's report say so, instead of refusing everybody's right PIN without a word.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from device import codes
from device.errors import Fault
from device.journal import log
from device.keeper import offers
from device.keeper.attempts import AttemptFile
from device.keeper.book import Book
from device.keeper.changes import Proven
from device.keeper.ends import Ends, Moment
from device.keeper.line import Result, Work
from device.keeper.match import By, Decoys, Shown, match
from device.keeper.pin import SALT_BYTES, Stretch, Verifiers
from device.keeper.record import NOTHING, Credential, Kind
from device.keeper.throttle import Admission, Counts, Throttle
from device.wire import NOBODY, Secret

HOPELESS = 2  # saves in a row that failed: that of an attempt, and the one behind it


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
    decoys: Decoys = field(default_factory=Decoys)


@dataclass(eq=False, slots=True)
class Attempt:
    """The `line.Task` of one attempt; `ended` hears what was proven, or None for every kind of refusal.

    `used`, once it has ended: whether what was shown was right here before (`By.USED`).
    """

    guard: Guard
    shown: Shown
    ended: Callable[[Proven | None], None]
    used: bool = field(default=False, init=False)
    _held: Credential | None = field(default=None, init=False)
    _admission: Admission = field(default=Admission(admitted=False, paid=False), init=False)
    _new_salt: bytes = field(default=b"", init=False)

    def begin(self) -> Work:
        """Charge it, and say what the worker has to do."""
        guard, shown = self.guard, self.shown
        self._held = self._what_counts()
        self._admission = guard.throttle.charge(
            shown.claim, guard.clock.now_s(), known=self._held is not None, residents=guard.book.residents
        )
        salt = self._salt_of(self._held) if self._held else guard.decoys.salt
        salts = [(shown.digits, salt)]
        if shown.fresh is not None:
            self._new_salt = self._salt_for(shown.fresh.secret, salt)
            salts.append((shown.fresh.digits, self._new_salt))
        return charged_first(guard.file, guard.throttle.counts(), guard.stretch, salts)

    def finish(self, result: Result) -> None:
        """Compare, mark, settle, and tell."""
        if isinstance(result, Fault):
            self.ended(None)
            return
        if isinstance(result, Exception):
            raise result
        guard, held = self.guard, self._held
        matched = match(guard.verifiers, self.shown, result[0], held, guard.decoys)
        unchanged = guard.book.held(self.shown.claim) == held
        over = held is None or guard.ends.over(held, guard.clock.read())
        if matched is None or over or not (unchanged and self._admission.admitted):
            self.ended(None)
            return
        if matched.held != held and not self._marked(matched.held):
            self.ended(None)
            return
        whole = matched.by in (By.RIGHT, By.DURESS)
        give_back = guard.throttle.settle if whole else guard.throttle.take_back
        give_back(self.shown.claim, self._admission)
        if matched.by is By.USED:
            self.used = True
            self.ended(None)
            return
        new_stretched = result[1] if self.shown.fresh else b""
        self.ended(Proven(matched.held, matched.by, result[0], self._new_salt, new_stretched))

    @property
    def turned_away(self) -> bool:
        """Whether somebody who may open here, or a guesser, was refused without a look and has to wait."""
        return self._held is not None and not self._admission.admitted

    def _marked(self, held: Credential) -> bool:
        """Whether the slot now holds durably that its one-time code was used."""
        try:
            self.guard.book.keep(self.shown.claim, held)
        except Fault as fault:
            log(f"keeper: {fault}")
            return False
        return True

    def _salt_of(self, held: Credential) -> bytes:
        """With which the shown digits are stretched: the salt of what they could be."""
        return held.salt if held.kind is self.shown.kind else held.former_salt

    def _salt_for(self, secret: Secret, salt: bytes) -> bytes:
        if secret is Secret.GUESTS:
            return codes.salt(self.shown.claim)
        # Whoever moves in begins with a salt of their own; `pin` says why it then stays.
        return os.urandom(SALT_BYTES) if self.shown.kind is Kind.INVITATION else salt

    def _what_counts(self) -> Credential | None:
        """The record that could be matched now, None if there is nothing of that kind."""
        held = self.guard.book.held(self.shown.claim)
        if held is None or self.shown.claim == NOBODY:
            return None
        if held.kind is not self.shown.kind and held.former == NOTHING:
            return None
        at = self.guard.clock.read()
        if self.guard.ends.over(held, at):
            return None
        if held.kind is Kind.INVITATION and not offers.redeemable(held, int(at.unix_s)):
            return None
        return held


@dataclass(frozen=True, slots=True)
class Settling:
    """The `line.Task` behind an attempt: the counts as they stand after it.

    If it fails, the next one saves them; if that of the attempt had failed as well, it is keeper's end (`HOPELESS`).
    """

    guard: Guard

    def begin(self) -> Work:
        """Save what counts now."""
        file, counts = self.guard.file, self.guard.throttle.counts()

        def work() -> tuple[bytes, ...]:
            file.save(counts)
            return ()

        return work

    def finish(self, result: Result) -> None:
        """Nobody waits for it. Raises what it failed with, if that is no matter of one write."""
        one_write = isinstance(result, Fault) and self.guard.file.unsaved < HOPELESS
        if isinstance(result, Exception) and not one_write:
            raise result


def charged_first(file: AttemptFile, counts: Counts, stretch: Stretch, salts: list[tuple[str, bytes]]) -> Work:
    """The work of an attempt, in the order that a power cut cannot turn around."""

    def work() -> tuple[bytes, ...]:
        file.save(counts)
        return tuple(stretch(digits, salt) for digits, salt in salts)

    return work

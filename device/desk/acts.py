"""A personal act from doorctl's side: wait for the grant, then for the end.

Rules kept here:
- The act is asked for again until somebody has earned the grant at the keypad, but never beyond the time given.
- Once the desk has taken the ticket, the act is not asked for a second time: the grant is used up.
- What the door signed about the act is kept from the moment it comes, however the act ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from device import wire
from device.desk import sentences, timeouts
from device.desk.client import DeskLine, too_late
from device.errors import MessageRefused
from device.wire import Hint, Purpose, Result

POLL_S = 0.5
# The desk says NO_GRANT at once; after this silence the ticket was taken and vault has the act.
_TAKEN_AFTER_S = 0.5


@dataclass(slots=True)
class PersonalAct:
    """One act of `purpose` over `line`; `tell` says each step to the person.

    `consent`: the hash of the terms that were agreed to, zeros for an act without. `again`: an enrolment that adds a
    sitting to the face that is kept. `attestation`: what the door signed.
    """

    line: DeskLine
    purpose: Purpose
    consent: bytes
    tell: Callable[[str], None]
    under_14: bool = False
    covered: bool = False
    again: bool = False
    attestation: bytes | None = None
    _last_hint: Hint | None = None

    def perform(self, wait_s: float) -> Result:
        """Do it, waiting at most `wait_s` for the grant. Raises DeskFault or MessageRefused."""
        ends = time.monotonic() + wait_s
        invited = False
        while True:
            result = self._attempt()
            if result is not Result.NO_GRANT or time.monotonic() >= ends:
                return result
            if not invited:
                self.tell(sentences.KEYPAD[self.purpose])
                invited = True
            self.line.idle(POLL_S)

    def _attempt(self) -> Result:
        self.line.send(wire.Act(self.purpose, self.consent, self.under_14, self.covered, self.again))
        ends = time.monotonic() + timeouts.act_s(self.purpose) + timeouts.GRACE_S
        answer = self.line.receive(_TAKEN_AFTER_S)
        if self.purpose is Purpose.ENROL and not isinstance(answer, wire.Ended):
            self.tell(sentences.PRESS_AND_LOOK)
        while not isinstance(answer, wire.Ended):
            self._hear(answer)
            left = ends - time.monotonic()
            if left <= 0:
                raise too_late()
            answer = self.line.receive(left)
        return answer.result

    def _hear(self, msg: wire.Message | None) -> None:
        match msg:
            case None:
                return
            case wire.EnrolHint(hint):
                if hint is not self._last_hint:
                    self.tell(sentences.HINTS[hint])
                self._last_hint = hint
            case wire.AttestationCopy(content) if self.attestation is None:
                self.attestation = content
            case _:
                text = f"the desk answered an act with {type(msg).__name__}"
                raise MessageRefused(text)

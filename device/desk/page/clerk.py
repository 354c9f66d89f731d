"""The counter as the page's thread has it: every call is handed to the desk's loop and waited for, but never for ever.

Rules kept here:
- Nothing is decided here. Whether a sitting stands, and what is done, the loop and vault say.
- A page that stops listening to an act ends it, if it is an enrolment.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from device import wire
from device.desk import timeouts
from device.desk.page.counter import NO_CONSENT, Ended, Finished, Held, Hinted, Paper, Phase, Sitting, Step, Unavailable
from device.desk.page.crossing import Reply, Stream
from device.desk.page.reception import Reception
from device.wire import Purpose, Result

LOOP_S = 2.0  # the loop answers in milliseconds; this is for one that hangs
_WITH_CONSENT = frozenset({Purpose.ENROL, Purpose.RENEW})


@dataclass(eq=False, slots=True)
class _ForStatus:
    """Whoever asked how the door is."""

    reply: Reply[wire.DoorStatus | None]

    def send(self, msg: wire.Message) -> bool:
        """The desk's answer: the status, or Ended if there is none."""
        self.reply.give(msg if isinstance(msg, wire.DoorStatus) else None)
        return True


@dataclass(eq=False, slots=True)
class _ForAct:
    """Whoever began an act: hears what a command line would."""

    steps: Stream[Step | None]

    def send(self, msg: wire.Message) -> bool:
        """One step."""
        match msg:
            case wire.EnrolHint(hint):
                self.steps.put(Hinted(hint))
            case wire.AttestationCopy(content):
                self.steps.put(Paper(content))
            case wire.Ended(result):
                self.steps.put(Finished(result))
        return True


@dataclass(frozen=True, slots=True)
class Clerk:
    """The `Counter` in front of `reception`."""

    reception: Reception

    def armed(self) -> bool:
        """Whether the page may be shown at all now."""
        return self.reception.armed

    async def begin(self, address: str) -> Sitting | None:
        """A new sitting that waits for its code; None if too many wait, or the door is too busy."""
        reply: Reply[Sitting | None] = Reply()
        try:
            self.reception.crossing.post(lambda: self.reception.begin(reply, address))
            return await reply.within(LOOP_S)
        except Unavailable:
            return None

    async def phase(self, sitting_id: str) -> Phase:
        """Where that sitting stands. Raises Unavailable."""
        reply: Reply[Phase] = Reply()
        self.reception.crossing.post(lambda: self.reception.phase(sitting_id, reply))
        return await reply.within(LOOP_S)

    async def held(self, sitting_id: str) -> Held:
        """What is held. Raises Ended or Unavailable."""
        reply: Reply[Held] = Reply()
        self.reception.crossing.post(lambda: self.reception.held(sitting_id, reply))
        return await reply.within(timeouts.RECORD_S + timeouts.GRACE_S)

    async def status(self) -> wire.DoorStatus | None:
        """How the door is; None if it does not say so in time."""
        asker = _ForStatus(Reply())
        try:
            self.reception.crossing.post(lambda: self.reception.desk.ask_status(asker))
            return await asker.reply.within(timeouts.STATUS_S + timeouts.GRACE_S)
        except Unavailable:
            return None

    async def leave(self, sitting_id: str) -> None:
        """End that sitting now; it is over even if the loop does not say so in time."""
        reply: Reply[None] = Reply()
        self.reception.crossing.post(lambda: self.reception.leave(sitting_id, reply), always=True)
        with suppress(Unavailable):
            await reply.within(LOOP_S)

    async def act(
        self,
        sitting_id: str,
        purpose: Purpose,
        consent: bytes = NO_CONSENT,
        *,
        under_14: bool = False,
        covered: bool = False,
        again: bool = False,
    ) -> AsyncIterator[Step]:
        """Do `purpose` for whoever sits there; the steps until it is Finished. See `Counter.act`."""
        _refuse_ill_formed(purpose, consent, declares=under_14 or covered or again)
        steps: Stream[Step | None] = Stream()
        asker = _ForAct(steps)
        order = wire.Act(purpose, consent, under_14, covered, again)

        def begin() -> None:
            if not self.reception.act(sitting_id, asker, order):
                steps.put(None)

        self.reception.crossing.post(begin)
        ends_s = time.monotonic() + timeouts.act_s(purpose) + timeouts.GRACE_S
        over = False
        try:
            while not over:
                step = await steps.next_or(ends_s - time.monotonic(), Finished(Result.FAULT))
                over = step is None or isinstance(step, Finished)
                if step is None:
                    raise Ended("this sitting is over; the door has to be asked at its keypad again")
                yield step
        finally:
            if not over:
                self.reception.crossing.post(lambda: self.reception.desk.asker_left(asker), always=True)


def _refuse_ill_formed(purpose: Purpose, consent: bytes, *, declares: bool) -> None:
    if purpose is Purpose.PAGE:
        msg = "a sitting is opened at the keypad"
        raise ValueError(msg)
    if (purpose in _WITH_CONSENT) is (consent == NO_CONSENT):
        msg = "a consent belongs to an enrolment or its renewal, and to nothing else"
        raise ValueError(msg)
    if declares and purpose is not Purpose.ENROL:
        msg = "a declaration about a face belongs to its enrolment, and to nothing else"
        raise ValueError(msg)

"""What the page does for somebody who sits there, while they look at it.

Rules kept here:
- One act a sitting at a time. Its steps are kept for whoever asks how it goes, and its paper until the sitting ends or
  does something else; nothing of them is written anywhere.
- An enrolment nobody looks at any more is ended: whoever left did not stay to agree. So is one that its owner stops.
- Only whoever began an act hears of it: it hangs on the sitting's id, which is the cookie's secret.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from device.desk.page.counter import NO_CONSENT, Counter, Ended, Finished, Hinted, Paper, Step, Unavailable
from device.journal import in_words, log
from device.wire import Hint, Purpose, Result

MOST = 16
UNSEEN_S = 30.0
KEPT_S = 900.0  # a sitting lasts ten minutes
_LOOK_S = 1.0


@dataclass(slots=True)
class Act:
    """An act and how far it is. `hint`: what to do now; `result`: how it ended, None while it goes on."""

    purpose: Purpose
    begun_s: float
    seen_s: float
    declared: Mapping[str, bool] = field(default_factory=dict)  # as `Counter.act` takes it
    hint: Hint | None = None
    paper: bytes | None = field(default=None, repr=False)
    result: Result | None = None
    stopped: bool = False
    step: int = 0
    _task: asyncio.Task[None] | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def again(self) -> bool:
        """Whether it is another sitting of a face that is kept."""
        return self.declared.get("again", False)

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.result is None

    def take(self, step: Step) -> None:
        """One step of it."""
        match step:
            case Hinted(hint):
                self.hint = hint
            case Paper(content):
                self.paper = content
            case Finished(result):
                self.result = result
        self.step += 1
        self._changed.set()

    async def finished(self, within_s: float) -> bool:
        """Wait for its end, at most so long; whether it came."""
        ends_s = time.monotonic() + within_s
        while self.running and (left_s := ends_s - time.monotonic()) > 0:
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), left_s)
        return not self.running


@dataclass(slots=True)
class Errands:
    """The acts of all sittings."""

    counter: Counter
    now_s: Callable[[], float] = time.monotonic
    _acts: dict[str, Act] = field(default_factory=dict)

    def of(self, sitting: str) -> Act | None:
        """What this sitting does or did last; to ask is to look at it."""
        act = self._acts.get(sitting)
        if act:
            act.seen_s = self.now_s()
        return act

    def begin(self, sitting: str, purpose: Purpose, consent: bytes = NO_CONSENT, **declared: bool) -> Act | None:
        """Begin to do `purpose`; None while something else is done for this sitting."""
        now_s = self.now_s()
        self._forget(now_s)
        before = self._acts.get(sitting)
        if before and before.running:
            return None
        act = Act(purpose, now_s, now_s, declared)
        self._acts[sitting] = act
        act._task = asyncio.create_task(self._carry(sitting, act, consent))  # noqa: SLF001 - it is ours
        return act

    async def stop(self, sitting: str) -> None:
        """End what is being done for this sitting; nothing of an enrolment is kept."""
        if act := self._acts.get(sitting):
            await _end(act)

    async def forget(self, sitting: str) -> None:
        """End it and forget all of it."""
        await self.stop(sitting)
        self._acts.pop(sitting, None)

    async def _carry(self, sitting: str, act: Act, consent: bytes) -> None:
        watch = asyncio.create_task(self._watch(act)) if act.purpose is Purpose.ENROL else None
        try:
            await _follow(self.counter.act(sitting, act.purpose, consent, **act.declared), act)
        except Ended:
            act.take(Finished(Result.NO_GRANT))
        except Unavailable:
            act.take(Finished(Result.FAULT))
        except Exception as error:  # noqa: BLE001 - whoever waits is told that it failed
            log(f"the page: {in_words(error)}")
            act.take(Finished(Result.FAULT))
        finally:
            if watch:
                watch.cancel()
            if act.running:
                act.take(Finished(Result.FAULT))

    async def _watch(self, act: Act) -> None:
        while act.running:
            await asyncio.sleep(_LOOK_S)
            if self.now_s() - act.seen_s > UNSEEN_S:
                await _end(act)

    def _forget(self, now_s: float) -> None:
        kept = [(name, act) for name, act in self._acts.items() if act.running or now_s - act.begun_s < KEPT_S]
        self._acts = dict(kept[-MOST:])


async def _follow(steps: AsyncIterator[Step], act: Act) -> None:
    try:
        async for step in steps:
            act.take(step)
    finally:
        if isinstance(steps, AsyncGenerator):  # whoever stops iterating ends it, now and not when memory is tidied
            await steps.aclose()


async def _end(act: Act) -> None:
    task = act._task  # noqa: SLF001 - it is ours
    if not act.running or task is None:
        return
    act.stopped = True
    task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.wait([task])

"""One approach at a door with lights: which challenge runs, and when its one Probe goes.

Rules kept here:
- Nobody is recognised without a light challenge (`device.eye.attack.approach`), and its verdict goes with the Probe.
- Where that challenge says that the lights cannot work on this face, and the rest of the window permits it, lock is
  asked for a motion challenge instead (`device.eye.attack.moved`); where lock cannot be asked, the doubt is the answer.
- Any other doubt is the answer at once: lock begins the next approach, which is another light challenge and judged
  alone. Half of those who were in such doubt pass one of the next two (docs/liveness.md, "What a doubt leads to").
- Nothing that contradicted a face is asked to turn, and nothing at all is done for a motion challenge before it is
  asked for.
- A log counts for the challenge of its own approach alone. One answer, and one Probe, whatever was asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from device import wire
from device.edges import Room
from device.eye.attack.approach import Answer, Challenged
from device.eye.attack.glance import Fitted
from device.eye.attack.judge import Why
from device.eye.attack.moved import Moved
from device.eye.camera import Frame
from device.eye.needs import Outlet, Watcher
from device.wire import Attack, Hint

BLIND: Final = frozenset({Why.NO_ANSWER, Why.ONE_LAMP, Why.FEW_PATCHES})
"""What sun, a dead lamp, or a face too far away or too grey look like: the same lights would see no more of it in a
moment, and a head that turns needs none."""


@dataclass(frozen=True, slots=True)
class Around:
    """What an approach needs of eye. `may_turn`: whether the window permits a motion challenge at that moment.

    `model_id`: what an embedding means, of a bare (False) or of a covered face.
    """

    out: Outlet
    watcher: Watcher
    fitted: Fitted
    frames: int
    model_id: Callable[[bool], bytes]
    clock_ns: Callable[[], int]
    may_turn: Callable[[], bool]


class Questioned:
    """The approach `nonce`; begins to watch."""

    def __init__(self, nonce: bytes, around: Around) -> None:
        self._nonce, self._around = nonce, around
        self._contradicted = False
        self._stage: Challenged | Moved = Challenged(around.fitted, around.frames)
        around.watcher.begin()

    @property
    def done(self) -> bool:
        """Whether the Probe was sent."""
        return self._stage.done

    @property
    def contradicted(self) -> bool:
        """Whether the Probe said that something contradicts a face."""
        return self._contradicted

    @property
    def begun(self) -> bool:
        """Whether a challenge was asked for: from then on frames are exposed alike."""
        return isinstance(self._stage, Moved) or self._stage.begun

    @property
    def told(self) -> bool:
        """Whether the next answer needs no further frame."""
        return isinstance(self._stage, Challenged) and self._stage.told

    @property
    def turning(self) -> bool:
        """Whether a motion challenge was asked for."""
        return isinstance(self._stage, Moved)

    def tell(self, log: wire.ChallengeLog | wire.MotionLog) -> None:
        """Lock has driven a challenge; of another approach, or of a challenge that is over, nobody waits for it."""
        if log.nonce != self._nonce:
            return
        stage = self._stage
        if isinstance(log, wire.ChallengeLog) and isinstance(stage, Challenged):
            stage.tell(log)
        if isinstance(log, wire.MotionLog) and isinstance(stage, Moved):
            stage.tell(log)

    def see(self, frame: Frame) -> Hint | None:
        """One more frame; what the person could do."""
        around = self._around
        if isinstance(self._stage, Moved):
            hint = self._stage.offer(around.watcher.follow(frame, crop=self._stage.wants_crop(frame.time_ns)))
        else:
            watched = around.watcher.watch(frame, crop=self._stage.wants_crop(frame.time_ns))
            if self._stage.offer(watched) and around.out.send(Room.LOCK, wire.ChallengeRequest(self._nonce)):
                self._stage.asked(around.clock_ns())
            hint = watched.hint
        self.settle()
        return hint

    def settle(self) -> None:
        """Send the answer, if it is due; a face that failed goes without an embedding."""
        around = self._around
        answer = self._stage.due(around.clock_ns, around.watcher.embed)
        if answer is None or self._asks_to_turn(answer):
            return
        self._contradicted = answer.attack is Attack.PRESENTATION
        mean = answer.mean
        vector = mean.embedding.astype("<f4").tobytes() if mean else bytes(4 * wire.EMBEDDING_DIM)
        frame_ns, frames = (mean.frame_ns, mean.frames) if mean else (around.clock_ns(), 1)
        covered = mean is not None and mean.covered
        probe = wire.Probe(self._nonce, frame_ns, frames, answer.attack, around.model_id(covered), vector, covered)
        around.out.send(Room.VAULT, probe)

    def forget(self) -> None:
        """Overwrite and drop everything seen."""
        self._stage.forget()

    def _asks_to_turn(self, answer: Answer) -> bool:
        """Whether a motion challenge was asked for instead."""
        around = self._around
        if not isinstance(self._stage, Challenged) or answer.why not in BLIND or not around.may_turn():
            return False
        if not around.out.send(Room.LOCK, wire.MotionRequest(self._nonce)):
            return False
        self._stage = Moved(around.frames, around.clock_ns())
        return True

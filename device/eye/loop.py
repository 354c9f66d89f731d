"""eye's work: what lock and vault say becomes frames, and frames become a Probe.

Rules kept here:
- No press, no pixels: a frame is read only between a Look and the Close (or the end of lock's connection) after it,
  and only while vault is there to hear of it. Once a Probe is sent, no frame is read until the next Look.
- A frame counts only if its exposure began after the Look that asks for it arrived.
- What a frame shows is sent while it is fresh or not at all: on a slow board the next frame is worth more than one for
  which vault refuses a whole approach or enrolment.
- A window lives at most WINDOW_LIMIT_S after its first Look, whatever lock does: then eye closes the camera by itself,
  and does not look again before lock has said Close.
- When a window ends, everything seen in it is dropped and the buffers it passed through are overwritten.
- At a door with lights nobody is recognised without a challenge (`device.eye.questioned`): its verdict goes with the
  Probe, and nothing else of it goes anywhere. One motion challenge a window at most, where lights cannot work, and only
  if there is time for it.
- Once something in a window contradicted a face, that window is not looked at any more: a print that is tried three
  times is right more often than one that is tried once.
- A camera that does not do its job is a message to lock, not the end of eye; if only a new process can help, or a call
  does not come back, eye ends itself (`device.eye.leash`), and does so before its watchdog would (`device.eye.waits`).
- Times are CLOCK_MONOTONIC; `clock_ns` stands for it in tests.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final

from device import wire
from device.config.tables import Config
from device.edges import Room
from device.errors import CameraFault, ConfigRefused, NotPermitted
from device.eye.attack.glance import Fitted
from device.eye.attack.moved import TAKES_NS
from device.eye.camera import NS_PER_S, Camera, Frame
from device.eye.gather import FRESH_NS, Hints, Recognition
from device.eye.leash import Leash, Told
from device.eye.needs import Looker, Outlet, Tether, Watcher
from device.eye.questioned import Around, Questioned
from device.eye.series import Enrolment
from device.eye.sight import Seen
from device.eye.waits import CALL_LIMIT_S, quiet_limit_s, read_limit_s
from device.journal import log
from device.link import Link
from device.wire import Attack, CameraCondition, Hint, LookMode

WINDOW_LIMIT_S: Final = 11.0  # lock's windows are at most 10 s; one second for its Close to arrive
PROBE_AGAIN_S: Final = 30.0  # how often a camera that was missing is looked for again, without a frame
FAULTS_BEFORE_RESTART: Final = 2


@dataclass(slots=True)
class _Approach:
    nonce: bytes
    not_before_ns: int
    mode: LookMode
    gather: Recognition | Questioned | Enrolment


@dataclass(slots=True)
class _Window:
    began_ns: int
    ends_ns: int
    turned: bool = False
    contradicted: bool = False
    nonces: set[bytes] = field(default_factory=set)
    hints: Hints = field(default_factory=Hints)


class EyeWork:
    """The `Work` of Room.EYE."""

    def __init__(
        self,
        outlet: Outlet,
        camera: Camera,
        sight: Looker,
        config: Config,
        leash: Tether | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        alive: Callable[[], None] | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self._out, self._camera, self._sight = outlet, camera, sight
        self._watcher, self._fitted = watcher, Fitted(config.eye.light_offset_mm)
        if config.lock.lights and watcher is None:
            msg = "eye cannot work at a door with lights without what watches faces"
            raise ConfigRefused(msg)
        self._eye, self._timeout_ms = config.eye, config.camera.frame_timeout_ms
        self._window_ns = int(config.lock.window_s * NS_PER_S)
        self._leash: Tether = leash or Leash()
        self._clock_ns, self._alive = clock_ns, alive
        self._approach: _Approach | None = None
        self._window: _Window | None = None
        self._overrun = False
        self._open = False
        self._told: CameraCondition | None = None
        self._condition = CameraCondition.IDLE
        self._faults = 0
        self._probe_again_ns = 0
        self._waiting_since_ns: int | None = None
        self._alarm_owed = False
        self._late_told = False
        self._probe()

    # ---- Work

    def connected(self, link: Link) -> None:
        """Tell lock at once what the camera does, and of a breach that it could not be told of."""
        if link.peer is Room.LOCK:
            self._told = None
            self._tell(self._condition)
            if self._alarm_owed:
                self._alarm_owed = not self._out.send(Room.LOCK, wire.Breach())

    def received(self, link: Link, msg: wire.Message) -> None:
        """Look, Close, and what lock drove in between; the edge permits nothing else."""
        if isinstance(msg, wire.Look):
            self._look(msg)
        elif isinstance(msg, wire.ChallengeLog | wire.MotionLog):
            if self._approach and isinstance(self._approach.gather, Questioned):
                self._approach.gather.tell(msg)
        elif isinstance(msg, wire.Close):
            self._overrun = False
            self._end_window()
        else:
            text = f"eye has no use for {type(msg).__name__}"
            raise NotPermitted(text)

    def disconnected(self, link: Link) -> None:
        """Without lock there is no window, without vault nobody to look for: either way, close and forget."""
        if link.peer is Room.LOCK:
            self._overrun = False
        self._end_window()

    def breached(self, room: Room) -> None:
        """A peer that breaks the table is not looked for: close, forget; lock raises the alarm, later if need be."""
        self._end_window()
        self._alarm_owed = not self._out.send(Room.LOCK, wire.Breach())

    def deadline(self) -> float | None:
        """At once while a frame is wanted; else when the window must be over, or a lost camera is looked for again."""
        if self._approach:
            return 0.0
        if self._window:
            return self._window.ends_ns / NS_PER_S
        if self._condition is CameraCondition.FAULT:
            return self._probe_again_ns / NS_PER_S
        return None

    def tick(self) -> None:
        """Read at most one frame."""
        now = self._clock_ns()
        if self._window and now >= self._window.ends_ns:
            log("eye: a window was not closed in time; closing it")
            self._overrun = True
            self._end_window()
        elif self._approach and self._window:
            self._one_frame(self._approach, self._window)
        elif not self._window and self._condition is CameraCondition.FAULT and now >= self._probe_again_ns:
            self._probe()

    def healthy(self) -> bool:
        """Whether frames come while they are wanted; the reads themselves are bounded."""
        since = self._waiting_since_ns
        return since is None or self._clock_ns() - since < quiet_limit_s(self._timeout_ms) * NS_PER_S

    def stop(self) -> None:
        """Close the camera and forget."""
        self._end_window()

    # ---- a window

    def _look(self, msg: wire.Look) -> None:
        now = self._clock_ns()
        if self._overrun:
            text = "a window that was not closed must be closed before eye looks again"
            raise NotPermitted(text)
        if self._window and msg.nonce in self._window.nonces:
            text = "a nonce names one approach, and this one is used up"
            raise NotPermitted(text)
        if self._out.link(Room.VAULT) is None:
            self._told = None
            self._end_window()
            self._tell(self._condition)
            return
        if self._window is None:
            self._window = _Window(now, now + int(WINDOW_LIMIT_S * NS_PER_S))
        self._window.nonces.add(msg.nonce)
        self._drop_approach()
        if self._window.contradicted:
            return
        self._approach = _Approach(msg.nonce, now, msg.mode, self._gather(msg, now))
        self._waiting_since_ns = now

    def _gather(self, msg: wire.Look, now_ns: int) -> Recognition | Questioned | Enrolment:
        if msg.mode.enrols:
            covered = msg.mode is LookMode.ENROL_COVERED
            return Enrolment(self._eye.enrol_frames, now_ns + self._window_ns, covered)
        if self._watcher is None:
            return Recognition(self._eye.frames)
        out, fitted, frames = self._out, self._fitted, self._eye.frames
        around = Around(out, self._watcher, fitted, frames, self._model_id, self._clock_ns, self._may_turn)
        return Questioned(msg.nonce, around)

    def _model_id(self, covered: bool) -> bytes:  # noqa: FBT001 - a function of one argument, as `Around` wants it
        return self._sight.model_id(covered=covered)

    def _may_turn(self) -> bool:
        """Whether a motion challenge is to be asked for in this window: once, and if there is time for it."""
        window = self._window
        if window is None or window.turned:
            return False
        return self._clock_ns() + TAKES_NS <= window.began_ns + self._window_ns

    def _one_frame(self, approach: _Approach, window: _Window) -> None:
        if isinstance(approach.gather, Questioned) and approach.gather.told:
            approach.gather.settle()
            self._after(approach, window)
            return
        try:
            self._open_camera()
            # What is averaged, or compared in its brightness, is exposed alike; an enrolment wants samples to differ.
            held = not isinstance(approach.gather, Enrolment) and approach.gather.begun
            with self._within(CALL_LIMIT_S):
                self._camera.steady(held=held)
            with self._within(read_limit_s(self._timeout_ms)):
                frame = self._camera.read(approach.not_before_ns)
        except CameraFault as fault:
            self._camera_failed(fault)
            return
        self._faults = 0
        self._waiting_since_ns = self._clock_ns()
        hint = self._seen(approach, frame)
        del frame
        if hint and self._approach is approach and window.hints.let_through(hint, self._clock_ns()):
            self._out.send(Room.VAULT, wire.Guidance(approach.nonce, hint))
        self._after(approach, window)

    def _after(self, approach: _Approach, window: _Window) -> None:
        """What a frame, or the end of a challenge, may have brought about."""
        if isinstance(approach.gather, Questioned) and approach.gather.turning:
            window.turned = True
        if isinstance(approach.gather, Questioned) and approach.gather.contradicted:
            window.contradicted = True
        if approach.gather.done and self._approach is approach:
            self._approach, self._waiting_since_ns = None, None

    def _seen(self, approach: _Approach, frame: Frame) -> Hint | None:
        """What `frame` gives this approach, and what the person could do."""
        if isinstance(approach.gather, Questioned):
            return approach.gather.see(frame)
        seen = self._if_fresh(self._sight.look(frame, approach.mode))
        if isinstance(approach.gather, Enrolment):
            return self._enrol(approach, approach.gather, seen)
        if isinstance(approach.gather, Recognition):
            self._recognise(approach, approach.gather, seen)
        return seen.hint

    def _if_fresh(self, seen: Seen) -> Seen:
        """Without its embedding, if that is too old by now; what the person could do they may still hear."""
        if seen.embedding is None or self._clock_ns() - seen.frame_ns <= FRESH_NS:
            return seen
        if not self._late_told:
            self._late_told = True
            log("eye: looking at a frame took so long that it was too old afterwards; such frames are dropped")
        return Seen(seen.frame_ns, eye_distance_px=seen.eye_distance_px)

    def _recognise(self, approach: _Approach, gather: Recognition, seen: Seen) -> None:
        if seen.embedding is not None:
            gather.offer(seen.embedding, seen.frame_ns, covered=seen.covered)
        mean = gather.due(self._clock_ns())
        if mean:
            vector = mean.embedding.astype("<f4").tobytes()
            model = self._model_id(mean.covered)
            attack, frame_ns = Attack.NOT_TESTED, mean.frame_ns
            probe = wire.Probe(approach.nonce, frame_ns, mean.frames, attack, model, vector, mean.covered)
            self._out.send(Room.VAULT, probe)

    def _enrol(self, approach: _Approach, gather: Enrolment, seen: Seen) -> Hint | None:
        """Send what the series takes; otherwise say what the person could do."""
        if seen.embedding is None:
            return seen.hint
        answer = gather.offer(seen.embedding, seen.frame_ns, covered=seen.covered)
        if answer is None or isinstance(answer, Hint):
            return answer
        vector = seen.embedding.astype("<f4").tobytes()
        model = self._model_id(seen.covered)
        attack, nonce = Attack.NOT_TESTED, approach.nonce
        sample = wire.Sample(nonce, seen.frame_ns, answer, attack, model, vector, seen.covered)
        self._out.send(Room.VAULT, sample)
        return None

    def _end_window(self) -> None:
        """Close the camera, drop and overwrite what was seen. Harmless when nothing is open."""
        seen = self._window is not None
        self._drop_approach()
        self._window = None
        self._close_camera()
        if seen:
            self._sight.forget()
            if self._condition is CameraCondition.FAULT:
                self._probe()

    def _drop_approach(self) -> None:
        """Whatever it has gathered goes with it; crops are overwritten first."""
        if self._approach and isinstance(self._approach.gather, Questioned):
            self._approach.gather.forget()
        self._approach, self._waiting_since_ns = None, None

    # ---- the camera

    def _within(self, seconds: float) -> AbstractContextManager[None]:
        """On the leash, and the watchdog hears of it before and after: it sees one call at a time."""
        return Told(self._leash.hold(seconds), self._go_on)

    def _go_on(self) -> None:
        if self._alive and self.healthy():
            self._alive()

    def _open_camera(self) -> None:
        if not self._open:
            self._open = True  # before the call: what half opened must be closed as well
            with self._within(CALL_LIMIT_S):
                self._camera.open()
            self._tell(CameraCondition.STREAMING)

    def _close_camera(self) -> None:
        if not self._open:
            return
        self._open = False
        try:
            with self._within(CALL_LIMIT_S):
                self._camera.close()
        except CameraFault as fault:
            log(f"eye: {fault}")
            self._tell(CameraCondition.FAULT)
            return
        if self._condition is CameraCondition.STREAMING:
            self._tell(CameraCondition.IDLE)

    def _camera_failed(self, fault: CameraFault) -> None:
        log(f"eye: {fault}")
        self._faults += 1
        self._drop_approach()
        self._tell(CameraCondition.FAULT)
        self._close_camera()
        if self._camera.restart_heals and self._faults >= FAULTS_BEFORE_RESTART:
            self._leash.give_up("the camera failed repeatedly")

    def _probe(self) -> None:
        try:
            with self._within(CALL_LIMIT_S):
                self._camera.probe()
        except CameraFault as fault:
            if self._condition is not CameraCondition.FAULT:
                log(f"eye: {fault}")
            self._condition = CameraCondition.FAULT
            self._probe_again_ns = self._clock_ns() + int(PROBE_AGAIN_S * NS_PER_S)
            self._tell(CameraCondition.FAULT)
            return
        self._tell(CameraCondition.IDLE)

    def _tell(self, condition: CameraCondition) -> None:
        self._condition = condition
        if condition is not self._told and self._out.send(Room.LOCK, wire.CameraState(condition)):
            self._told = condition

"""When the camera may be asked to look, judged from outside: a part of the oracle.

Rules kept here:
- The camera is asked in a window that a press opened, or the answer to a claim that a press asked about; never beyond
  its time, with the lamp lit; at most three times, five where a face has to be shown twice.
- A window stays what it was opened for: its mode and its claim. It is open only while eye, vault and the camera are
  there, and only in an hour in which some face may do something.
- The lamp is lit while a window is open, and afterwards while the camera says that it still streams, for `fading_ns`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from device import wire
from device.edges import Room
from device.policy.methods import ANY_FACE, Method
from device.wire import NOBODY, CameraCondition, LookMode, Message
from tools.endurance.broken import Broken

APPROACHES = 3  # rule 7
APPROACHES_TWICE = 5  # the same rule: where a face has to be shown twice


@dataclass(slots=True)
class Looking:
    """The camera may be used: since when, for which approach, how many there may be and were; whom they have shown."""

    asked: wire.Window
    since_ns: int
    most: int = APPROACHES
    approaches: int = 1
    shown: int = NOBODY


@dataclass(frozen=True, slots=True)
class Moment:
    """What happens at `now_ns`: its `cause`, the question it `answered` first, and what the policy allows."""

    now_ns: int
    methods: Method
    cause: object
    answered: tuple[Message, int] | None


@dataclass(slots=True)
class Camera:
    """The camera of one life. `rules` are lock's numbers (times in ns)."""

    rules: Any
    looking: Looking | None = None
    condition: CameraCondition = CameraCondition.IDLE
    ready: wire.FaceReady = field(default_factory=lambda: wire.FaceReady(False, False, False))
    _was_looking: bool = False
    _fading_until_ns: int | None = None

    # ---- what happens

    def vault_gone(self) -> None:
        """Nobody compares."""
        self.ready = wire.FaceReady(recognise=False, enrol=False, claim_first=False)

    def eye_gone(self) -> None:
        """Nobody looks."""
        self.condition = CameraCondition.IDLE

    def restarted(self) -> None:
        """Lock begins anew."""
        self.looking, self._was_looking, self._fading_until_ns = None, False, None

    # ---- what lock does

    def look(self, nonce: bytes, mode: LookMode, *, lit: bool) -> None:
        """Eye is asked to look. Raises Broken."""
        if self.looking is None or (self.looking.asked.nonce, self.looking.asked.mode) != (nonce, mode):
            raise Broken("eye is asked to look, and vault was not told")
        if not lit:
            raise Broken("eye is asked to look before the lamp is lit")

    def window(self, msg: wire.Window, moment: Moment) -> None:
        """Vault is told of a window, or of its next approach. Raises Broken."""
        looking = self.looking
        if looking is not None:
            looking.approaches += 1
            if (msg.mode, msg.claim) != (looking.asked.mode, looking.asked.claim):
                raise Broken("a window becomes another one")
            if looking.approaches > looking.most or not isinstance(moment.cause, wire.Verdict):
                raise Broken("a window has more approaches than it may, or one that no verdict made room for")
            looking.asked = msg
            return
        twice = self.rules.lights and self.rules.face_alone_opens and Method.FACE in moment.methods
        most = APPROACHES_TWICE if twice and msg.mode is LookMode.RECOGNISE else APPROACHES
        self.looking = Looking(msg, moment.now_ns, most)
        if moment.cause == "press":
            enrols = LookMode.ENROL_COVERED if self.ready.covered else LookMode.ENROL
            wanted = self.ready.recognise and not self.ready.enrol
            if msg.mode is not LookMode.RECOGNISE:
                wanted = self.ready.enrol and msg.mode is enrols
            if msg.claim != NOBODY or not wanted:
                raise Broken("a press opened a window that it could not open")
        elif not self._is_a_claim_answered(msg, moment):
            raise Broken(f"the camera is opened without a press, at {type(moment.cause).__name__}")

    def _is_a_claim_answered(self, msg: wire.Window, moment: Moment) -> bool:
        if not isinstance(moment.cause, wire.ClaimAnswer) or moment.answered is None:
            return False
        question, at_ns = moment.answered
        return (
            isinstance(question, wire.AskClaim)
            and moment.cause.awake
            and msg.claim == question.claim
            and msg.mode is LookMode.RECOGNISE
            and moment.now_ns < at_ns + self.rules.inquiry_ns
        )

    # ---- what must hold

    def holds(self, moment: Moment, up: Collection[Room], *, lit: bool) -> None:
        """After every event: `up` are the rooms that have spoken, `lit` is the lamp. Raises Broken."""
        looking, now_ns = self.looking, moment.now_ns
        if looking is not None:
            if now_ns >= looking.since_ns + self.rules.window_ns:
                raise Broken("a window is open beyond its time")
            if not {Room.EYE, Room.VAULT} <= set(up) or self.condition is CameraCondition.FAULT:
                raise Broken("a window is open without eye, vault or a camera")
            if not moment.methods & ANY_FACE:
                raise Broken("a window is open in an hour without faces")
            if looking.asked.mode is LookMode.RECOGNISE and looking.asked.claim == NOBODY and self.ready.claim_first:
                raise Broken("a window for anybody is open while a claim has to come first")
        if looking is not None or self.condition is not CameraCondition.STREAMING:
            self._fading_until_ns = None
        elif self._was_looking:
            self._fading_until_ns = now_ns + self.rules.fading_ns
        elif self._fading_until_ns is not None and now_ns >= self._fading_until_ns:
            self._fading_until_ns = None
        self._was_looking = looking is not None
        if lit is not (looking is not None or self._fading_until_ns is not None):
            raise Broken("the lamp is dark while the camera may look" if not lit else "the lamp is lit for nobody")

"""Messages about faces: lock and eye, eye and vault, vault and lock.

Rules kept here:
- An embedding travels from eye to vault and nowhere else; no score travels at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device.wire.base import U8, U32, Embedding, Message, ModelId, Nonce, TimeNs, message
from device.wire.values import Attack, CameraCondition, Facing, Hint, LookMode, Outcome, Result


@message(0x01)
@dataclass(frozen=True, slots=True)
class Look(Message):
    """lock -> eye: one approach begins; frames may be read from now until Close. `nonce` names the approach."""

    nonce: Nonce
    mode: LookMode


@message(0x02)
@dataclass(frozen=True, slots=True)
class Close(Message):
    """lock -> eye, vault: the window is over; stop the stream and forget what was seen."""


@message(0x03)
@dataclass(frozen=True, slots=True)
class CameraState(Message):
    """eye -> lock: what the camera does; sent at every change."""

    condition: CameraCondition


@message(0x04)
@dataclass(frozen=True, slots=True)
class ChallengeRequest(Message):
    """eye -> lock: a face stands still in the approach `nonce`; drive a light challenge for it. One for each."""

    nonce: Nonce


@message(0x05)
@dataclass(frozen=True, slots=True)
class ChallengeLog(Message):
    """lock -> eye, once the challenge is over: what the two lamps did and when (`device.challenge`), CLOCK_MONOTONIC.

    Levels are 0 to 3. `began_ns` is when the code's delay began to run, with the first lights burning; `ended_ns` when
    the fourth had lasted as drawn: until then no other change was made.
    """

    nonce: Nonce
    began_ns: TimeNs
    left_0: U8
    right_0: U8
    at_1_ns: TimeNs
    left_1: U8
    right_1: U8
    at_2_ns: TimeNs
    left_2: U8
    right_2: U8
    at_3_ns: TimeNs
    left_3: U8
    right_3: U8
    ended_ns: TimeNs


@message(0x06)
@dataclass(frozen=True, slots=True)
class MotionRequest(Message):
    """eye -> lock: the light challenge of the approach `nonce` says nothing; ask whoever is there to turn. Once."""

    nonce: Nonce


@message(0x07)
@dataclass(frozen=True, slots=True)
class MotionLog(Message):
    """lock -> eye, once the motion challenge is over: where it asked for, and when (`device.motion`), CLOCK_MONOTONIC.

    `began_N_ns` is when the lights of prompt N were driven; `ended_ns` when the third had lasted. Three places, each
    another than the one before, the first never the middle.
    """

    nonce: Nonce
    facing_0: Facing
    facing_1: Facing
    facing_2: Facing
    began_0_ns: TimeNs
    began_1_ns: TimeNs
    began_2_ns: TimeNs
    ended_ns: TimeNs


@message(0x10)
@dataclass(frozen=True, slots=True)
class Probe(Message):
    """eye -> vault: the one comparison of an approach: the unit mean of `frames` embeddings (float32, L2 norm 1).

    `covered`: mouth and nose seemed covered; vault then compares with those alone who enrolled so.
    """

    nonce: Nonce
    frame_ns: TimeNs
    frames: U8
    attack: Attack
    model: ModelId
    embedding: Embedding = field(repr=False)
    covered: bool = False


@message(0x11)
@dataclass(frozen=True, slots=True)
class Sample(Message):
    """eye -> vault: one good frame of an enrolment, number `index` from 0 (float32, L2 norm 1).

    `covered`: as in Probe; vault keeps no face that was seen otherwise than its person declared.
    """

    nonce: Nonce
    frame_ns: TimeNs
    index: U8
    attack: Attack
    model: ModelId
    embedding: Embedding = field(repr=False)
    covered: bool = False


@message(0x12)
@dataclass(frozen=True, slots=True)
class Guidance(Message):
    """eye -> vault -> lock: a hint for the person in front of the camera."""

    nonce: Nonce
    hint: Hint


@message(0x20)
@dataclass(frozen=True, slots=True)
class Verdict(Message):
    """vault or keeper -> lock: the only message that may open. Void 500 ms after `stamped_ns`; `slot` 0 if refused.

    Outcome.WITH_PIN is vault's alone: the face is known and never opens by itself, whatever the door's tier.
    """

    nonce: Nonce
    stamped_ns: TimeNs
    outcome: Outcome
    slot: U32 = field(repr=False)


@message(0x21)
@dataclass(frozen=True, slots=True)
class FaceReady(Message):
    """vault -> lock: whether pressing the face button makes sense at all: somebody is enrolled, or about to be.

    `claim_first`: faces are awake, but too many for the false-open budget: a press needs a flat number before it.
    `recognise` and `claim_first` are never both true. `covered`: whoever enrols has declared a covered face, so that
    the window is LookMode.ENROL_COVERED; false where nobody enrols.
    """

    recognise: bool
    enrol: bool
    claim_first: bool
    covered: bool = False


@message(0x22)
@dataclass(frozen=True, slots=True)
class EnrolmentEnded(Message):
    """vault -> lock: the enrolment window `nonce` is over; close it."""

    nonce: Nonce
    result: Result


@message(0x23)
@dataclass(frozen=True, slots=True)
class Window(Message):
    """lock -> vault: eye was asked for the approach `nonce`; until the next Window or Close vault hears of it alone.

    `claim`: the slot somebody typed before the press: compare with that one only; 0 without a claim.
    """

    nonce: Nonce
    mode: LookMode
    claim: U32 = field(repr=False)


@message(0x24)
@dataclass(frozen=True, slots=True)
class AskClaim(Message):
    """lock -> vault: has `claim` a face that is awake? Asked before the camera opens for it; see ClaimAnswer."""

    nonce: Nonce
    claim: U32 = field(repr=False)


@message(0x25)
@dataclass(frozen=True, slots=True)
class ClaimAnswer(Message):
    """vault -> lock: whether a look is worth it for the claim asked about under `nonce`."""

    nonce: Nonce
    awake: bool


@message(0x26)
@dataclass(frozen=True, slots=True)
class ActEnded(Message):
    """vault -> lock: how an act ended that somebody did at the keypad alone, by showing the PIN for it twice."""

    result: Result

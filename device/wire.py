"""Every message that crosses a process, and how it becomes bytes.

Rules kept here:
- One message is one SOCK_SEQPACKET datagram: version byte, type byte, fixed-size little-endian body. The size is the
  schema: a datagram of any other length is refused, so nothing can ride along.
- Unpacking validates everything that can be validated without knowing the state: enums, booleans, digits, padding.
- What goes towards the network (`Occurrence`) is too small to carry a template, a picture or a slot.
- Only `Verdict` can ever lead to an open door; every other reply is an `Answer` or a `Done`.
- Who may send what to whom stands in `device.edges`; at which moment, in each room.
- A repr shows no digit, slot, claim or embedding, so that no log line can.

docs/formats.md lists the bytes. Nonces are 16 random bytes; times are CLOCK_MONOTONIC nanoseconds of this boot; a slot
is an anonymous number on this door's list, 0 meaning nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag, unique
from typing import Annotated, ClassVar, TypeVar

from device.codec import Blob, DigitText, Exactly, Number, Schema
from device.errors import MessageRefused

WIRE_VERSION = 1
NONCE_BYTES = 16
EMBEDDING_DIM = 128
EMBEDDING_BYTES = EMBEDDING_DIM * 4  # little-endian float32
MAX_DIGITS = 16
MAX_DOCUMENT = 4096
MAX_DATAGRAM = 8192  # more than the largest message, so that a longer datagram is seen to be too long
NOBODY = 0
NO_TENANCY = bytes(16)

U8 = Annotated[int, Number("B")]
U16 = Annotated[int, Number("H")]
U32 = Annotated[int, Number("I")]
TimeNs = Annotated[int, Number("q")]
UnixSeconds = Annotated[int, Number("q")]
Nonce = Annotated[bytes, Exactly(NONCE_BYTES)]
Hash = Annotated[bytes, Exactly(32)]
Salt = Annotated[bytes, Exactly(16)]
Tenancy = Annotated[bytes, Exactly(16)]  # names the offer under which a slot was taken; NO_TENANCY: nobody took it
ModelId = Annotated[bytes, Exactly(8)]  # the first 8 bytes of the model file's sha256
Embedding = Annotated[bytes, Exactly(EMBEDDING_BYTES)]
Digits = Annotated[str, DigitText(MAX_DIGITS)]
DocumentBytes = Annotated[bytes, Blob(MAX_DOCUMENT)]


@unique
class LookMode(IntEnum):
    """What eye is asked to do with the window."""

    RECOGNISE = 1
    ENROL = 2


@unique
class CameraCondition(IntEnum):
    """What eye says about the camera."""

    IDLE = 1
    STREAMING = 2
    FAULT = 3


@unique
class Hint(IntEnum):
    """What the person in front of the camera could do; never how close they came to being recognised."""

    NOBODY = 1
    COME_CLOSER = 2
    STEP_BACK = 3
    TOO_DARK = 4
    TOO_BRIGHT = 5
    HOLD_STILL = 6
    LOOK_AT_CAMERA = 7
    ONE_PERSON_ONLY = 8
    TURN_A_LITTLE = 9
    CONFIRM_WITH_PIN = 10


@unique
class Attack(IntEnum):
    """Eye's verdict on a presentation attack. NOT_TESTED says that no liveness module looked."""

    NOT_TESTED = 0
    BONA_FIDE = 1
    PRESENTATION = 2
    INCONCLUSIVE = 3


@unique
class Outcome(IntEnum):
    """The only two things a credential check can say."""

    REFUSED = 0
    ACCEPTED = 1


@unique
class Purpose(IntEnum):
    """What a grant may be used for; each is one personal act."""

    ENROL = 1
    ERASE = 2
    PAUSE = 3
    RESUME = 4


@unique
class Proof(IntEnum):
    """What somebody shows in order to set a PIN."""

    INVITATION = 1
    PIN = 2


@unique
class Result(IntEnum):
    """How a personal act or a document ended."""

    DONE = 0
    REFUSED = 1
    NO_GRANT = 2
    NO_CREDENTIAL = 3
    NOTHING_TO_DO = 4
    SLOT_TAKEN = 5
    TOO_FEW_FRAMES = 6
    FRAMES_DISAGREE = 7
    FAULT = 8
    STALE = 9
    UNSIGNED = 10
    WRONG_DOOR = 11
    BUSY = 12
    MALFORMED = 13
    CONFIRM = 14  # an enrolment window is over and gave a face; it is kept once the same slot's PIN is shown again
    UNCONFIRMED = 15


@unique
class OccurrenceKind(IntEnum):
    """What report may hear: the health of the door. An unlock is not among them (ADR 0004)."""

    STARTED = 1
    CAMERA_FAULT = 2
    CAMERA_WELL = 3
    VAULT_GONE = 4
    VAULT_BACK = 5
    KEEPER_GONE = 6
    KEEPER_BACK = 7
    FORCED_OPEN = 8
    HELD_OPEN = 9
    TAMPER = 10
    BREACH = 11
    BOLT_FAULT = 12
    ALARM_CLEARED = 13


class AlarmBits(IntFlag):
    """What stands, in DoorStatus."""

    FORCED_OPEN = 1
    HELD_OPEN = 2
    TAMPER = 4
    BREACH = 8
    BOLT_FAULT = 16


@dataclass(frozen=True, slots=True)
class Message:
    """Base of all messages; `code` is the type byte."""

    code: ClassVar[int]


M = TypeVar("M", bound=type[Message])
_TYPES: dict[int, type[Message]] = {}
_SCHEMAS: dict[type[Message], Schema] = {}


def message(code: int) -> Callable[[M], M]:
    """Register a message class under the type byte `code`; its schema follows from its annotations."""

    def register(cls: M) -> M:
        if code in _TYPES:
            msg = f"type byte {code} is taken by {_TYPES[code].__name__}"
            raise TypeError(msg)
        cls.code = code
        _TYPES[code] = cls
        _SCHEMAS[cls] = Schema(cls)
        return cls

    return register


def pack(msg: Message) -> bytes:
    """The datagram of `msg`. Raises MessageRefused if a field does not fit its schema."""
    cls = type(msg)
    return bytes((WIRE_VERSION, cls.code)) + _SCHEMAS[cls].pack(msg)


def unpack(data: bytes) -> Message:
    """The message in `data`. Raises MessageRefused for a wrong version, type, size or field value."""
    version, code = (*data[:2], -1, -1)[:2]
    if version != WIRE_VERSION:
        text = f"a message begins with wire version {WIRE_VERSION}"
        raise MessageRefused(text)
    cls = _TYPES.get(code)
    if cls is None:
        text = f"message type {code} is unknown"
        raise MessageRefused(text)
    parsed: Message = _SCHEMAS[cls].unpack(data[2:])
    return parsed


def message_types() -> dict[int, type[Message]]:
    """All message types by type byte (tests and docs walk them)."""
    return dict(_TYPES)


def body_size(cls: type[Message]) -> int:
    """Bytes of the body of `cls`, without version and type byte."""
    return _SCHEMAS[cls].size


# ---- lock and eye


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


# ---- eye and vault


@message(0x10)
@dataclass(frozen=True, slots=True)
class Probe(Message):
    """eye -> vault: the one comparison of an approach: the unit mean of `frames` embeddings (float32, L2 norm 1)."""

    nonce: Nonce
    frame_ns: TimeNs
    frames: U8
    attack: Attack
    model: ModelId
    embedding: Embedding = field(repr=False)


@message(0x11)
@dataclass(frozen=True, slots=True)
class Sample(Message):
    """eye -> vault: one good frame of an enrolment, number `index` from 0 (float32, L2 norm 1)."""

    nonce: Nonce
    frame_ns: TimeNs
    index: U8
    attack: Attack
    model: ModelId
    embedding: Embedding = field(repr=False)


@message(0x12)
@dataclass(frozen=True, slots=True)
class Guidance(Message):
    """eye -> vault -> lock: a hint for the person in front of the camera."""

    nonce: Nonce
    hint: Hint


# ---- lock and vault


@message(0x20)
@dataclass(frozen=True, slots=True)
class Verdict(Message):
    """vault or keeper -> lock: the only message that may open. Void 500 ms after `stamped_ns`; `slot` 0 if refused."""

    nonce: Nonce
    stamped_ns: TimeNs
    outcome: Outcome
    slot: U32 = field(repr=False)


@message(0x21)
@dataclass(frozen=True, slots=True)
class FaceReady(Message):
    """vault -> lock: whether pressing the face button makes sense at all: somebody is enrolled, or about to be."""

    recognise: bool
    enrol: bool


@message(0x22)
@dataclass(frozen=True, slots=True)
class EnrolmentEnded(Message):
    """vault -> lock: the enrolment window `nonce` is over; close it."""

    nonce: Nonce
    result: Result


@message(0x23)
@dataclass(frozen=True, slots=True)
class Window(Message):
    """lock -> vault: eye was asked for the approach `nonce`; until the next Window or Close vault hears of it alone."""

    nonce: Nonce
    mode: LookMode


# ---- lock and keeper


@message(0x30)
@dataclass(frozen=True, slots=True)
class CheckPin(Message):
    """lock -> keeper: may `claim` (a slot somebody typed) open with these digits? Answered by a Verdict."""

    nonce: Nonce
    claim: U32 = field(repr=False)
    digits: Digits = field(repr=False)


@message(0x31)
@dataclass(frozen=True, slots=True)
class ProvePin(Message):
    """lock -> keeper: the same check for a personal act instead of the door. Answered by an Answer, and a Grant."""

    nonce: Nonce
    purpose: Purpose
    claim: U32 = field(repr=False)
    digits: Digits = field(repr=False)


@message(0x32)
@dataclass(frozen=True, slots=True)
class SetPin(Message):
    """lock -> keeper: set the claim's PIN to `new`, shown an invitation or the old PIN. Answered by an Answer."""

    nonce: Nonce
    proof: Proof
    claim: U32 = field(repr=False)
    shown: Digits = field(repr=False)
    new: Digits = field(repr=False)


@message(0x33)
@dataclass(frozen=True, slots=True)
class Answer(Message):
    """keeper -> lock: how ProvePin or SetPin ended. It never opens anything."""

    nonce: Nonce
    outcome: Outcome


@message(0x34)
@dataclass(frozen=True, slots=True)
class SlotOffer(Message):
    """lock -> keeper: out of a verified document: `slot` may be taken by whoever shows the invitation.

    `verifier` is Argon2id(invitation digits, `salt`, ops 2, 64 MiB, 32 bytes); `serial` only ever grows per slot.
    """

    slot: U32 = field(repr=False)
    serial: U32
    expires_unix: UnixSeconds
    salt: Salt
    verifier: Hash = field(repr=False)


@message(0x35)
@dataclass(frozen=True, slots=True)
class OfferKept(Message):
    """keeper -> lock: the offer is durably stored (DONE) or not newer than the one that is (STALE)."""

    slot: U32 = field(repr=False)
    serial: U32
    result: Result


# ---- grants, and what vault and keeper ask each other


@message(0x40)
@dataclass(frozen=True, slots=True)
class Grant(Message):
    """keeper -> vault: whoever names `nonce` before `expires_ns` may do `purpose` once, for `slot`."""

    nonce: Nonce
    purpose: Purpose
    expires_ns: TimeNs
    slot: U32 = field(repr=False)


@message(0x41)
@dataclass(frozen=True, slots=True)
class GrantTicket(Message):
    """keeper -> desk: the same grant without the slot; desk never learns whose it is."""

    nonce: Nonce
    purpose: Purpose
    expires_ns: TimeNs


@message(0x42)
@dataclass(frozen=True, slots=True)
class HasCredential(Message):
    """vault -> keeper: has `slot` a working PIN or card? No face without one."""

    slot: U32 = field(repr=False)


@message(0x43)
@dataclass(frozen=True, slots=True)
class CredentialAnswer(Message):
    """keeper -> vault: the reply to HasCredential, and every change of it that follows.

    `tenancy` names the offer under which the slot was taken, NO_TENANCY if no PIN or card works: a face that was
    enrolled under another one belongs to somebody who has moved out.
    """

    slot: U32 = field(repr=False)
    tenancy: Tenancy = field(repr=False)


@message(0x44)
@dataclass(frozen=True, slots=True)
class LastCredentialGone(Message):
    """keeper -> vault: `slot` lost its last PIN or card; its face sleeps from now on."""

    slot: U32 = field(repr=False)


# ---- desk and vault: personal acts; the grant names the slot


@message(0x50)
@dataclass(frozen=True, slots=True)
class Enrol(Message):
    """desk -> vault: the resident consented to the notice with this hash; the next enrolment window is theirs."""

    grant: Nonce
    consent: Hash


@message(0x51)
@dataclass(frozen=True, slots=True)
class Erase(Message):
    """desk -> vault: destroy the face of the granted slot."""

    grant: Nonce


@message(0x52)
@dataclass(frozen=True, slots=True)
class Pause(Message):
    """desk -> vault: the granted slot's face does not open until resumed."""

    grant: Nonce


@message(0x53)
@dataclass(frozen=True, slots=True)
class Resume(Message):
    """desk -> vault: the granted slot's face opens again."""

    grant: Nonce


@message(0x54)
@dataclass(frozen=True, slots=True)
class Done(Message):
    """vault -> desk: how the act with this grant ended. Enrol is answered when its window ended."""

    grant: Nonce
    result: Result


@message(0x55)
@dataclass(frozen=True, slots=True)
class EnrolHint(Message):
    """vault -> desk -> doorctl: a hint for whoever enrols now; nothing else of eye's ever reaches desk."""

    hint: Hint


# ---- documents and status


@message(0x60)
@dataclass(frozen=True, slots=True)
class Document(Message):
    """report or desk -> lock: a signed document, still to be verified."""

    content: DocumentBytes


@message(0x61)
@dataclass(frozen=True, slots=True)
class Ack(Message):
    """lock -> report or desk, desk -> doorctl: what became of a document; `version` is the newest one applied."""

    version: U32
    result: Result


@message(0x62)
@dataclass(frozen=True, slots=True)
class AskStatus(Message):
    """doorctl -> desk -> lock: how is the door?"""


@message(0x63)
@dataclass(frozen=True, slots=True)
class DoorStatus(Message):
    """lock -> desk -> doorctl: health only; nothing of it says that somebody is or was there."""

    eye: bool
    vault: bool
    keeper: bool
    report: bool
    camera_well: bool
    alarms: U8  # AlarmBits
    policy_version: U32


@message(0x64)
@dataclass(frozen=True, slots=True)
class Act(Message):
    """doorctl -> desk: do `purpose` with the grant that was just earned at the keypad; `consent` is 0 unless ENROL."""

    purpose: Purpose
    consent: Hash


@message(0x65)
@dataclass(frozen=True, slots=True)
class Ended(Message):
    """desk -> doorctl: how the act ended."""

    result: Result


# ---- lock and report, and the one alarm every room can raise


@message(0x70)
@dataclass(frozen=True, slots=True)
class Occurrence(Message):
    """lock -> report: one way, never blocks, health of the door only."""

    kind: OccurrenceKind


@message(0x71)
@dataclass(frozen=True, slots=True)
class Breach(Message):
    """any room -> lock: a peer sent what it must never send; an alarm, not something to ignore."""

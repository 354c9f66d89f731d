"""What a message is: a registered, annotated, frozen dataclass, and the two directions between it and its datagram.

Rules kept here:
- The type byte belongs to one class; the schema follows from the annotations alone.
- Unpacking validates everything that can be validated without knowing the state: enums, booleans, digits, padding.

Nonces are 16 random bytes; times are CLOCK_MONOTONIC nanoseconds of this boot; a slot is an anonymous number on this
door's list, 0 meaning nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeVar

from device.codec import Blob, DigitText, Exactly, Number, Schema
from device.errors import MessageRefused

WIRE_VERSION = 3
NONCE_BYTES = 16
EMBEDDING_DIM = 128
EMBEDDING_BYTES = EMBEDDING_DIM * 4  # little-endian float32
MAX_DIGITS = 16
MAX_APDU = 96  # the longest command of an exchange has 62 bytes, the longest answer 58 (docs/cards.md)
MAX_DOCUMENT = 4096
MAX_ATTESTATION = 384
MAX_DATAGRAM = 8192  # more than the largest message, so that a longer datagram is seen to be too long
NOBODY = 0
NO_TENANCY = bytes(16)
NO_END = 0
NO_PAGE_CODE = 0  # of whatever is no sitting at the page
NO_DAY = 0  # the clock is not believed
NO_TIMETABLE = 0  # the hours of the door are those of the slot
NO_ALARM_KEY = bytes(32)  # reasons of alarms are sealed to a key that is thrown away
TEST_ALARM = 255  # in the place of an OccurrenceKind, in a sealed reason: nothing has happened
SEALED_FLAGS = 254  # in the same place: no alarm, but the flags that a report of a BUILDING seals
TERMS_ID_BYTES = 16

U8 = Annotated[int, Number("B")]
U16 = Annotated[int, Number("H")]
U32 = Annotated[int, Number("I")]
TimeNs = Annotated[int, Number("q")]
UnixSeconds = Annotated[int, Number("q")]
Noisy = Annotated[int, Number("q")]  # a number that noise may have taken below zero
Nonce = Annotated[bytes, Exactly(NONCE_BYTES)]
Hash = Annotated[bytes, Exactly(32)]
Salt = Annotated[bytes, Exactly(16)]
Tenancy = Annotated[bytes, Exactly(16)]  # names the offer under which a slot was taken; NO_TENANCY: nobody took it
RecordId = Annotated[bytes, Exactly(16)]  # names one sealed record, and the key it lies under
TermsId = Annotated[bytes, Exactly(TERMS_ID_BYTES)]  # the first bytes of the hash of terms (`device.consent`)
ModelId = Annotated[bytes, Exactly(8)]  # the first 8 bytes of what an embedding means (device.meaning)
Embedding = Annotated[bytes, Exactly(EMBEDDING_BYTES)]
Digits = Annotated[str, DigitText(MAX_DIGITS)]
Day = Annotated[int, Number("H")]  # days since 1970-01-01, as a calendar at the door shows them
Apdu = Annotated[bytes, Blob(MAX_APDU)]
DocumentBytes = Annotated[bytes, Blob(MAX_DOCUMENT)]
AttestationBytes = Annotated[bytes, Blob(MAX_ATTESTATION)]


@dataclass(frozen=True, slots=True)
class Message:
    """Base of all messages; `code` is the type byte."""

    code: ClassVar[int]


M = TypeVar("M", bound=type[Message])
_TYPES: dict[int, type[Message]] = {}
_SCHEMAS: dict[type[Message], Schema] = {}
_BY_HEAD: dict[bytes, Schema] = {}  # by version and type byte


def message(code: int) -> Callable[[M], M]:
    """Register a message class under the type byte `code`; its schema follows from its annotations."""

    def register(cls: M) -> M:
        if code in _TYPES:
            msg = f"type byte {code} is taken by {_TYPES[code].__name__}"
            raise TypeError(msg)
        head = bytes((WIRE_VERSION, code))
        cls.code = code
        _TYPES[code] = cls
        _SCHEMAS[cls] = _BY_HEAD[head] = Schema(cls, head)
        return cls

    return register


def pack(msg: Message) -> bytes:
    """The datagram of `msg`. Raises MessageRefused if a field does not fit its schema."""
    return _SCHEMAS[type(msg)].pack(msg)


def unpack(data: bytes) -> Message:
    """The message in `data`. Raises MessageRefused for a wrong version, type, size or field value."""
    schema = _BY_HEAD.get(data[:2])
    if schema is None:
        raise MessageRefused(_why_unknown(data))
    parsed: Message = schema.unpack(data)
    return parsed


def _why_unknown(data: bytes) -> str:
    version, code = (*data[:2], -1, -1)[:2]
    if version != WIRE_VERSION:
        return f"a message begins with wire version {WIRE_VERSION}"
    return f"message type {code} is unknown"


def message_types() -> dict[int, type[Message]]:
    """All message types by type byte (tests and docs walk them)."""
    return dict(_TYPES)


def body_size(cls: type[Message]) -> int:
    """Bytes of the body of `cls`, without version and type byte."""
    return _SCHEMAS[cls].size

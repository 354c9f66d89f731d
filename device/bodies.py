"""Bodies of signed documents that are one fixed record: what a door may tell, whose it is, when it ends.

Rules kept here:
- A body has exactly one byte form, and what would not be signed is not believed.
- What is told has two profiles and one number. A live state and a count beside it are refused: the state says more.
- A key that follows is an Ed25519 key: with anything else nobody could sign for the door any more.
- The end of a door is announced for 72 hours at least; the only other number is 0, which takes the announcement back.

`device.document` signs and verifies what holds them.
"""

from __future__ import annotations

from dataclasses import dataclass

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox

from device.codec import Schema
from device.errors import DocumentRefused, MessageRefused
from device.wire import NO_ALARM_KEY, U16, Hash, Profile

NO_COUNT = 0
# The epsilon of a day's count, in thousandths. Below 0.1 the noise drowns a house; above 2 it hides nobody.
LEAST_EPSILON_MILLI = 100
MOST_EPSILON_MILLI = 2000
RECALL = 0
# Three days, so that also whoever is away over a weekend hears of it at the door.
LEAST_NOTICE_HOURS = 72
MOST_NOTICE_HOURS = 8_784  # a year: a longer one is a mistake of units


@dataclass(frozen=True, slots=True)
class Telling:
    """The body of Kind.REPORTING: what the door tells by itself. The default is that of a door without a document.

    `epsilon_milli`: of the noise of a day's count, in thousandths; NO_COUNT: there is none. `alarm_key`: the X25519 key
    of whoever may open the reasons of alarms; NO_ALARM_KEY: nobody.
    """

    profile: Profile = Profile.BUILDING
    epsilon_milli: U16 = NO_COUNT
    alarm_key: Hash = NO_ALARM_KEY


@dataclass(frozen=True, slots=True)
class Retirement:
    """The body of Kind.RETIRE: after how many hours of running time the door ends; RECALL: it does not."""

    notice_hours: U16


@dataclass(frozen=True, slots=True)
class Successor:
    """The body of Kind.SUCCESSOR: the Ed25519 key (32 bytes) of the door's manager from now on."""

    manager_key: Hash


Fixed = Telling | Retirement | Successor
_SCHEMAS: dict[type[Fixed], Schema] = {kind: Schema(kind) for kind in (Telling, Retirement, Successor)}
_WHAT = {
    Telling: "what the document lets the door tell",
    Retirement: "when the document ends the door",
    Successor: "which key is the manager's from now on",
}


def pack(body: Fixed) -> bytes:
    """The bytes of `body`. Raises MessageRefused for a field that does not fit."""
    return _SCHEMAS[type(body)].pack(body)


def unpack(kind: type[Fixed], content: bytes) -> Fixed:
    """The body of that kind in `content`, not judged yet. Raises DocumentRefused."""
    try:
        body: Fixed = _SCHEMAS[kind].unpack(content)
    except MessageRefused as cause:
        msg = f"{_WHAT[kind]} is not understood: {cause}"
        raise DocumentRefused(msg) from cause
    return body


def refuse(body: Fixed) -> None:
    """Raise DocumentRefused for what no door believes, whoever signed it."""
    match body:
        case Telling():
            _refuse_telling(body)
        case Retirement(notice_hours):
            if notice_hours != RECALL and not LEAST_NOTICE_HOURS <= notice_hours <= MOST_NOTICE_HOURS:
                msg = f"the end of a door is announced for {LEAST_NOTICE_HOURS} to {MOST_NOTICE_HOURS} hours"
                raise DocumentRefused(msg)
        case Successor(manager_key):
            if not bindings.crypto_core_ed25519_is_valid_point(manager_key):
                msg = "what is to be the manager's key is none: nothing could be verified with it"
                raise DocumentRefused(msg)


def pack_telling(telling: Telling) -> bytes:
    """The body of a document of Kind.REPORTING. Raises DocumentRefused for what no door would believe."""
    refuse(telling)
    return pack(telling)


def unpack_telling(content: bytes) -> Telling:
    """What such a body says. Raises DocumentRefused."""
    telling = unpack(Telling, content)
    refuse(telling)
    if not isinstance(telling, Telling):  # for the type checker: `unpack` gives what it was asked for
        msg = "what the document lets the door tell is something else"
        raise DocumentRefused(msg)
    return telling


def _refuse_telling(telling: Telling) -> None:
    counts = telling.epsilon_milli != NO_COUNT
    if counts and telling.profile is Profile.HOME:
        msg = "a door that shows its state live gives no daily count: the state says more"
        raise DocumentRefused(msg)
    if counts and not LEAST_EPSILON_MILLI <= telling.epsilon_milli <= MOST_EPSILON_MILLI:
        least, most = LEAST_EPSILON_MILLI / 1000, MOST_EPSILON_MILLI / 1000
        msg = f"the epsilon of a daily count is {least:g} to {most:g}, in thousandths"
        raise DocumentRefused(msg)
    if telling.alarm_key != NO_ALARM_KEY and not _opens_something(telling.alarm_key):
        msg = "the key for the reasons of alarms is none: nothing can be sealed to it"
        raise DocumentRefused(msg)


def _opens_something(key: bytes) -> bool:
    """Whether something can be sealed to an X25519 key: a point of low order has no secret (RFC 7748, section 6.1)."""
    try:
        SealedBox(PublicKey(key)).encrypt(b"")
    except CryptoError:
        return False
    return True

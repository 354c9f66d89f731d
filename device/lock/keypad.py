"""What a row of keys means: a pure grammar for a bare keypad.

Rules kept here:
- Everything starts with the flat: the claim comes first, so that a PIN is checked against one slot and never searched.
- `*` always begins anew; whoever mistyped needs no other key. Nothing is shown or spoken back but a tone per key.
- An entry is complete with its last `#`; half an entry is forgotten after `KEY_TIMEOUT_NS`.

    flat # PIN #                              open
    *1 .. *4  flat # PIN #                    enrol, erase, pause, resume the face (a grant, no opening)
    *5  flat # old PIN # new PIN # again #    change the PIN
    *0  flat # invitation # PIN # again #     move in: set the first PIN
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from device.wire import MAX_DIGITS, Proof, Purpose

KEYS = "0123456789*#"
KEY_TIMEOUT_NS = 15_000_000_000  # long enough for slow hands; a visitor cannot finish somebody else's entry much later
_MAX_FLAT_DIGITS = 5
_PURPOSES = {"1": Purpose.ENROL, "2": Purpose.ERASE, "3": Purpose.PAUSE, "4": Purpose.RESUME}
_PROOFS = {"0": Proof.INVITATION, "5": Proof.PIN}


@dataclass(frozen=True, slots=True)
class Entry:
    """Keys pressed so far. Never shown in a repr: it holds digits somebody typed."""

    keys: str = field(default="", repr=False)
    last_ns: int = 0


@dataclass(frozen=True, slots=True)
class OpenDoor:
    """Flat # PIN #: may this door open?"""

    claim: int = field(repr=False)
    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PersonalAct:
    """*1 to *4: prove the PIN for one personal act."""

    purpose: Purpose
    claim: int = field(repr=False)
    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewPin:
    """*0 and *5: set a PIN, shown an invitation or the old one."""

    proof: Proof
    claim: int = field(repr=False)
    shown: str = field(repr=False)
    new: str = field(repr=False)


class Reading(Enum):
    """What the keys are when they are not yet, or no longer, a request."""

    MORE = auto()
    NONSENSE = auto()


Request = OpenDoor | PersonalAct | NewPin


def press(entry: Entry | None, key: str, now_ns: int) -> Entry:
    """The entry after one more key; `*` and a too long pause begin anew."""
    fresh = entry is None or key == "*" or now_ns - entry.last_ns > KEY_TIMEOUT_NS
    return Entry(key if fresh or entry is None else entry.keys + key, now_ns)


def read(entry: Entry) -> Request | Reading:
    """The request in `entry`, MORE if keys are missing, NONSENSE if no key could complete it."""
    keys = entry.keys
    command = ""
    if keys.startswith("*"):
        if len(keys) == 1:
            return Reading.MORE
        command, keys = keys[1], keys[2:]
        if command not in _PURPOSES and command not in _PROOFS:
            return Reading.NONSENSE
    parts = keys.split("#")
    done, rest = parts[:-1], parts[-1]
    wanted = 4 if command in _PROOFS else 2
    if len(rest) > MAX_DIGITS or any(not 0 < len(part) <= MAX_DIGITS for part in done):
        return Reading.NONSENSE
    if done and (len(done[0]) > _MAX_FLAT_DIGITS or int(done[0]) == 0):
        return Reading.NONSENSE
    if len(done) < wanted:
        return Reading.MORE
    claim = int(done[0])
    if command in _PROOFS:
        if done[2] != done[3]:
            return Reading.NONSENSE
        return NewPin(_PROOFS[command], claim, done[1], done[2])
    if command in _PURPOSES:
        return PersonalAct(_PURPOSES[command], claim, done[1])
    return OpenDoor(claim, done[1])

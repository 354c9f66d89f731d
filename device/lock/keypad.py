"""What a row of keys means: a pure grammar for a bare keypad.

Rules kept here:
- Everything is fields ended by `#`, the flat before the PIN: the claim comes first, so that a PIN is checked against
  one slot and never searched.
- `012 #` does something by itself and may go on: it arms the page (`arms_page`), and whoever has a code of it types on.
  Another command begins anew, for no flat begins with 0; left alone it is forgotten, without a no.
- `*` clears, always and only: whoever mistyped leaves nothing behind for the next person's keys to run into.
- A first field that begins with 0 is a command; no flat begins with 0, so none is mistaken for another.
- An entry is complete with its last `#`; half an entry is forgotten after `KEY_TIMEOUT_NS`.

    flat # PIN #                                  open; a guest's code stands in the place of the PIN
    flat #  and then the face button              look at this face for that flat alone (`claimed`)
    01 # .. 04 #  flat # PIN #                    enrol, erase, pause, resume the face (a grant, no opening)
    06 #  flat # PIN #                            renew the consent to the face, when the terms have changed
    PIN #  right after a face was looked at       open, where a PIN is asked for: the face named the flat
    07 #  flat # PIN #  and then a card           make that card open, too
    08 #  flat # PIN #                            cancel all cards of the flat
    05 #  flat # old PIN # new PIN # again #      change the PIN
    09 #  flat # PIN # guests' secret #           let codes made from this secret open; 0 instead: none any more
    010 # flat # PIN # duress PIN # again #       a second PIN, which opens alike and calls for help; 0: none any more
    011 # flat # PIN #                            prove that somebody lives here who wants this door to end
    012 #                                         arm the resident's page; nobody's PIN is needed for that
    012 # flat # PIN # code #                     sit down at it: the browser that shows this code is mine
    00 #  flat # invitation # PIN # again #       move in: set the first PIN
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from device.wire import MAX_DIGITS, CardChange, Proof, Purpose, Secret

KEYS = "0123456789*#"
KEY_TIMEOUT_NS = 15_000_000_000  # long enough for slow hands; a visitor cannot finish somebody else's entry much later
_MAX_FLAT_DIGITS = 5
_PURPOSES = {
    "01": Purpose.ENROL,
    "02": Purpose.ERASE,
    "03": Purpose.PAUSE,
    "04": Purpose.RESUME,
    "06": Purpose.RENEW,
}
_CARDS = {"07": CardChange.ADD, "08": CardChange.CANCEL_ALL}
_SECRETS = {
    "00": (Proof.INVITATION, Secret.PIN),
    "05": (Proof.PIN, Secret.PIN),
    "09": (Proof.PIN, Secret.GUESTS),
    "010": (Proof.PIN, Secret.DURESS),
}
_END_DOOR = "011"
_PAGE = "012"
_ARMS_PAGE = f"{_PAGE}#"
_COMMANDS = frozenset(_PURPOSES) | frozenset(_CARDS) | frozenset(_SECRETS) | {_END_DOOR, _PAGE}
PAGE_CODE_DIGITS = 6  # as many as a person keeps in mind from the telephone to the keys


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
    """01 to 04 and 06: prove the PIN for one personal act."""

    purpose: Purpose
    claim: int = field(repr=False)
    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangeOfCards:
    """07 and 08: prove the PIN to add a card, or to cancel them all."""

    change: CardChange
    claim: int = field(repr=False)
    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EndDoor:
    """011: prove a PIN of this door, so that whoever looks after it may end it (`doorctl retire`)."""

    claim: int = field(repr=False)
    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SitDown:
    """012: prove the PIN for a sitting of the browser that shows `code` (six digits, the first is not 0)."""

    claim: int = field(repr=False)
    digits: str = field(repr=False)
    code: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewSecret:
    """00, 05, 09 and 010: set `secret`, shown an invitation or the PIN."""

    proof: Proof
    secret: Secret
    claim: int = field(repr=False)
    shown: str = field(repr=False)
    new: str = field(repr=False)


class Reading(Enum):
    """What the keys are when they are not yet, or no longer, a request."""

    MORE = auto()
    NONSENSE = auto()


Request = OpenDoor | PersonalAct | ChangeOfCards | EndDoor | SitDown | NewSecret


def press(entry: Entry | None, key: str, now_ns: int) -> Entry | None:
    """The entry after one more key; `*` clears it, and a long pause begins anew, as a command after `012 #` does."""
    if key == "*":
        return None
    fresh = entry is None or now_ns - entry.last_ns > KEY_TIMEOUT_NS or (arms_page(entry) and key == "0")
    return Entry(key if fresh or entry is None else entry.keys + key, now_ns)


def arms_page(entry: Entry) -> bool:
    """Whether the last key has just completed `012 #`."""
    return entry.keys == _ARMS_PAGE


def read(entry: Entry, claimed: int | None = None) -> Request | Reading:
    """The request in `entry`, MORE if keys are missing, NONSENSE if no key could complete it.

    `claimed`: the slot that a face named a moment ago (0: it named nobody), None if no face was looked at. A first
    field too long for a flat is then its PIN.
    """
    *done, rest = entry.keys.split("#")
    command = ""
    if done and done[0] in _COMMANDS:
        command, *done = done
    if claimed is not None and not command and len(done) == 1 and _MAX_FLAT_DIGITS < len(done[0]) <= MAX_DIGITS:
        return OpenDoor(claimed, done[0])
    wanted = _fields(command)
    if len(rest) > MAX_DIGITS or any(not 0 < len(part) <= MAX_DIGITS for part in done):
        return Reading.NONSENSE
    if done and not _is_flat(done[0]):
        return Reading.NONSENSE
    if len(done) < wanted:
        return Reading.MORE
    return _request(command, done)


def _request(command: str, done: list[str]) -> Request | Reading:
    """What the whole fields `done` ask for."""
    claim = int(done[0])
    if command in _SECRETS:
        if done[2] != done[-1]:  # what nobody can see is typed twice
            return Reading.NONSENSE
        return NewSecret(*_SECRETS[command], claim, done[1], done[2])
    if command in _CARDS:
        return ChangeOfCards(_CARDS[command], claim, done[1])
    if command == _END_DOOR:
        return EndDoor(claim, done[1])
    if command == _PAGE:
        code = done[2]
        return SitDown(claim, done[1], int(code)) if _is_page_code(code) else Reading.NONSENSE
    if command in _PURPOSES:
        return PersonalAct(_PURPOSES[command], claim, done[1])
    return OpenDoor(claim, done[1])


def _fields(command: str) -> int:
    """How many fields follow `command`."""
    if command == _PAGE:
        return 3
    if command not in _SECRETS:
        return 2
    return 3 if _SECRETS[command][1] is Secret.GUESTS else 4  # that secret has check digits of its own


def claimed(entry: Entry | None) -> int | None:
    """The flat in an entry that holds `flat #` and nothing else, None for any other: what a press may refer to."""
    if entry is None or not entry.keys.endswith("#"):
        return None
    flat = entry.keys.removesuffix("#")
    return int(flat) if flat.isdecimal() and _is_flat(flat) else None


def _is_flat(digits: str) -> bool:
    return 0 < len(digits) <= _MAX_FLAT_DIGITS and not digits.startswith("0")


def _is_page_code(digits: str) -> bool:
    return len(digits) == PAGE_CODE_DIGITS and not digits.startswith("0")

"""Which slots have a timetable, as the manager's offers say: kept by lock, so that no other room has to be asked.

Rules kept here:
- A restriction is on disk before keeper is asked to keep the offer it came with, and goes only once keeper holds a
  newer offer of that slot. Whatever keeper holds in between, the timetables of all offers it could hold bar together.
- Two copies, each whole or replaced as a whole, and both hold every restriction in force: one that is torn costs
  nothing, and is mended at the next start.
- Both torn: nobody knows whose hours are whose, so each slot opens only in the hours of all timetables at once, until a
  newer offer of it is kept. A house in which no slot has a timetable keeps no such file: none can lock it out.
- They are sealed (`identity`) and say by their length only how many pages of restrictions there are.
- What bars while nobody knows is made when it is needed: an entry for every slot is more than a megabyte, which a door
  whose files are whole never spends.
- Pure but for the two files.

Inside the box: magic, version, three zeros, number of entries (u32); each entry: slot, serial (u32), timetable (u8);
then ISO/IEC 7816-4 padding to whole pages. A serial of 0 (no offer has it) with timetable 0: nobody knows which.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, unique
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

from nacl.bindings import sodium_pad, sodium_unpad
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from device.document import FIRST_SLOT, LAST_SLOT
from device.durable import sync_folder
from device.errors import StoreFault
from device.journal import log
from device.lock import durable
from device.wire import NO_TIMETABLE, SlotOffer

PAGE_BYTES = 4096
_MAGIC = b"DWLT"
_VERSION = 1
_HEAD = struct.Struct("<4sB3sI")
_ENTRY = struct.Struct("<IIB")


@dataclass(frozen=True, slots=True, order=True)
class Binding:
    """An offer of `slot` that keeper may hold, and the timetable it names."""

    slot: int
    serial: int
    timetable: int


Bindings = frozenset[Binding]


@unique
class _Copy(Enum):
    TORN = "there, and not as it was written"


_TORN: Final = _Copy.TORN


@cache
def nobody_knows() -> Bindings:
    """What bars where both copies are torn: every slot, under no offer."""
    return frozenset(Binding(slot, 0, NO_TIMETABLE) for slot in range(FIRST_SLOT, LAST_SLOT + 1))


def offered(bindings: Bindings, offers: Iterable[SlotOffer]) -> Bindings:
    """What bars from the moment in which keeper may hold `offers`."""
    new = (Binding(offer.slot, offer.serial, offer.timetable) for offer in offers)
    return bindings | {each for each in new if each.timetable != NO_TIMETABLE}


def kept(bindings: Bindings, offers: Iterable[SlotOffer]) -> Bindings:
    """What still bars once keeper holds `offers`, or newer ones of the same slots."""
    serials = {offer.slot: offer.serial for offer in offers}
    return frozenset(each for each in bindings if each.serial >= serials.get(each.slot, 0))


def barred(bindings: Bindings, holding: frozenset[int], known: frozenset[int]) -> frozenset[int]:
    """The slots whose hours are not now, while the timetables `holding` hold, of those that are `known`."""
    unknown_may = bool(known) and holding == known
    return frozenset(
        each.slot
        for each in bindings
        if not (unknown_may if each.timetable == NO_TIMETABLE else each.timetable in holding)
    )


@dataclass(slots=True)
class TimetableFiles:
    """The two copies in `folder`, sealed with `box`; `bindings` is what they say."""

    folder: Path
    box: SecretBox = field(repr=False)
    bindings: Bindings = frozenset()
    _alike: bool = True  # both copies hold `bindings`

    def __post_init__(self) -> None:
        copies = [_read(path, self.box) for path in self.paths]
        there = [copy for copy in copies if copy is not None]
        if not there:
            return
        whole = [copy for copy in there if copy is not _TORN]
        self.bindings = whole[0] if whole else nobody_knows()
        self._alike = bool(whole) and copies[0] == copies[1]
        if not whole:
            log(
                "which slots have a timetable cannot be read, so each opens only in the hours of all timetables at "
                "once; a new offer frees its slot"
            )
        elif not self._alike:
            self._mend()

    @property
    def paths(self) -> tuple[Path, Path]:
        """The two files; the first is written first."""
        return self.folder / "timetables.a", self.folder / "timetables.b"

    def keep(self, bindings: Bindings) -> None:
        """Let both copies hold `bindings`, durably. Raises StoreFault; what either copy may hold then bars."""
        if self._alike and bindings == self.bindings:
            return
        self._alike = False
        self.bindings |= bindings
        self._write(bindings)
        self.bindings, self._alike = bindings, True

    def _write(self, bindings: Bindings) -> None:
        for path in self.paths:
            if bindings:
                durable.store(path, bytes(self.box.encrypt(_packed(bindings))), "the slots' timetables")
            else:
                _remove(path)

    def _mend(self) -> None:
        try:
            self.keep(self.bindings)
        except StoreFault as fault:
            log(str(fault))


def _packed(found: Bindings) -> bytes:
    entries = b"".join(_ENTRY.pack(each.slot, each.serial, each.timetable) for each in sorted(found))
    return sodium_pad(_HEAD.pack(_MAGIC, _VERSION, bytes(3), len(found)) + entries, PAGE_BYTES)


def _read(path: Path, box: SecretBox) -> Bindings | Literal[_Copy.TORN] | None:
    """What one copy says; None if it is not there."""
    try:
        plain = sodium_unpad(box.decrypt(durable.load(path)), PAGE_BYTES)
        head = _HEAD.unpack_from(plain)
        found = tuple(Binding(*fields) for fields in _ENTRY.iter_unpack(plain[_HEAD.size :]))
    except FileNotFoundError:
        return None
    except (OSError, CryptoError, ValueError, struct.error):
        return _TORN
    ascending = all(low < high for low, high in pairwise(found))
    return frozenset(found) if head == (_MAGIC, _VERSION, bytes(3), len(found)) and ascending else _TORN


def _remove(path: Path) -> None:
    """Let there be no file at `path`, durably. Raises StoreFault."""
    try:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as cause:
        msg = f"the slots' timetables cannot be stored: {cause.strerror}"
        raise StoreFault(msg) from cause

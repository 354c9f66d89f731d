"""What the manager may tell this door: signed documents, sealed to it, newest only.

Rules kept here:
- What is not sealed to this door's own key is refused, whoever signed it: a document that can be read on the way has
  been read already, and would teach people to send it so.
- A document is applied if its signature, door and version are right. Its version is stored once keeper holds every
  offer in it; until then it may be sent again, and what keeper holds already is answered as before. A replayed or older
  document is STALE and changes nothing.
- The timetables that offers name bar before keeper is asked, and no restriction is lifted before keeper holds the offer
  that lifts it (`hours`).
- A policy needs no keeper, nor does the choice what the door tells (`reporting`): it is on disk, then its version, and
  both before it is acknowledged. Between the two it is in force already, and may be sent again. It has its version in
  itself, so nothing older is taken in between, and the next start stores the version.
- The version is on disk before it is acknowledged; it comes back after a power cut. (It lies on the same disk as
  everything else and rolls back with an old image of it.)
- A key that follows the manager's (`managers`) is believed as soon as it is on disk; its version follows, at the next
  start if need be. What was signed by an older key is unsigned from then on.
- The end of the door (`retiring`) is announced like any other choice. Once it has come, every document is refused as
  too late, and what lock kept of the manager and of slots is destroyed before any of it is read.
- Every document that is applied tells how late it is at least (`hours`).
- Pure but for the files of `VersionFile`, `Managers`, `Hours`, `Reporting` and `Retiring`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

from device import wire
from device.document import KEY_BYTES, DocumentForeign, DocumentUnsigned, Parsed, SlotOffers, sealed_box
from device.edges import Room
from device.errors import DocumentRefused, StoreFault
from device.journal import log
from device.lock import durable
from device.lock.hours import NOT_ALONE, Hours
from device.lock.identity import DocumentKey
from device.lock.managers import Managers
from device.lock.reporting import Reporting
from device.lock.retiring import Retiring, finish, marked
from device.policy.methods import Method
from device.policy.prover import DocumentUnequal
from device.wire import Result

_VERSION = struct.Struct("<I")


@dataclass(slots=True)
class VersionFile:
    """The newest applied version, durable when `store` returns. A torn or unreadable file is a fault, not a zero.

    `manager_key` stands beside it once the manager's key was replaced: `load` tells which one was believed.
    """

    path: Path
    manager_key: bytes = b""

    def load(self) -> int:
        """The stored version, 0 on a new door. Raises StoreFault."""
        try:
            data = durable.load(self.path)
        except FileNotFoundError:
            return 0
        except OSError as cause:
            msg = f"the policy version at {self.path} cannot be read: {cause}"
            raise StoreFault(msg) from cause
        # A version starts at 1: zeros are what a power cut leaves of a file, and would let every old document in.
        sizes = (_VERSION.size, _VERSION.size + KEY_BYTES)
        if len(data) not in sizes or not any(data[: _VERSION.size]):
            msg = f"the policy version at {self.path} is damaged; documents are refused until it is restored"
            raise StoreFault(msg)
        self.manager_key = data[_VERSION.size :]
        return int(_VERSION.unpack_from(data)[0])

    def store(self, version: int) -> None:
        """Write, sync, rename, sync. Raises StoreFault; the old version then stands."""
        durable.store(self.path, _VERSION.pack(version) + self.manager_key, "the policy version")


@dataclass(slots=True)
class Applying:
    """A document whose offers keeper has not all confirmed yet."""

    parsed: Parsed
    offers: tuple[wire.SlotOffer, ...]
    asker: Room | None  # None: whoever brought it is gone and waits for no Ack
    waiting: set[tuple[int, int]]


@dataclass(slots=True)
class Policy:
    """Opens and verifies documents and says what to send to keeper. One document at a time."""

    door: bytes
    manager_key: bytes
    key: DocumentKey
    versions: VersionFile
    unsigned: Method = NOT_ALONE  # what opens without a policy (`hours`)
    applying: Applying | None = None
    managers: Managers = field(init=False)
    hours: Hours = field(init=False)
    reporting: Reporting = field(init=False)
    retiring: Retiring = field(init=False)
    _last: int | None = None  # the newest version there will ever be, at a door that had ended when this was made
    _cleared: bool = False

    def __post_init__(self) -> None:
        folder = self.versions.path.parent
        self._last = marked(folder)
        if self._last is not None:
            self.clear()
        applied = self.version
        self.managers = Managers(folder, self.door, self.manager_key, self.key.kept, self.versions.manager_key)
        self.hours = Hours(folder, self.managers.kept, self.key.kept, unsigned=self.unsigned)
        self.reporting = Reporting(folder, self.managers.kept, self.key.kept)
        self.retiring = Retiring(folder, self.managers.kept, self.key.kept)
        if self._begun > applied:
            self._finish()

    @property
    def version(self) -> int:
        """The newest applied version, as told to people; 0 on a new door, and while the file cannot be read."""
        try:
            return self.versions.load() if self._last is None else self._last
        except StoreFault:
            return 0

    def received(self, content: bytes, asker: Room) -> tuple[Result, tuple[wire.SlotOffer, ...]]:
        """Check a document. DONE means: send these offers to keeper, and wait for `kept`; without any it is applied."""
        if self.applying or self.retiring.over:
            return Result.RETIRED if self.retiring.over else Result.BUSY, ()
        try:
            signed = self.key.open(sealed_box(content, self.door))
            parsed = self.managers.parse(signed)
            newest = self.versions.load()
        except DocumentForeign:
            return Result.WRONG_DOOR, ()
        except DocumentUnsigned:
            return Result.UNSIGNED, ()
        except DocumentUnequal as cause:
            log(f"a document is refused: {cause}")
            return Result.UNEQUAL, ()
        except DocumentRefused as cause:
            log(f"a document is refused: {cause}")
            return Result.MALFORMED, ()
        except StoreFault:
            return Result.FAULT, ()
        if parsed.version <= newest or parsed.version < self._begun:
            return Result.STALE, ()
        if not isinstance(parsed.body, SlotOffers):
            return self._put_in_force(signed, parsed), ()
        offers = parsed.body.offers
        try:
            self.hours.offered(offers)
        except StoreFault as fault:
            log(str(fault))
            return Result.FAULT, ()
        self.applying = Applying(parsed, offers, asker, {(offer.slot, offer.serial) for offer in offers})
        return Result.DONE, offers

    def kept(self, kept: wire.OfferKept) -> tuple[Room, wire.Ack] | None:
        """Keeper's word on one offer; the Ack to send once the document ended and somebody waits for it, or None."""
        applying = self.applying
        if applying is None:
            return None
        applying.waiting.discard((kept.slot, kept.serial))
        if kept.result not in (Result.DONE, Result.STALE):
            return self.abandon()
        if applying.waiting:
            return None
        try:
            self.hours.kept(applying.offers)
            self._store(applying.parsed.version)
        except StoreFault:
            return self.abandon()
        self.hours.told(applying.parsed.issued_unix)
        return self._ended(wire.Ack(applying.parsed.version, Result.DONE))

    def abandon(self) -> tuple[Room, wire.Ack] | None:
        """Keeper is gone, or took too long: the document is not applied; it may be sent again."""
        return self._ended(wire.Ack(self.version, Result.FAULT)) if self.applying else None

    def asker_gone(self, room: Room) -> None:
        """`room` was restarted: the document goes on, but an Ack would be one it never asked for."""
        if self.applying and self.applying.asker is room:
            self.applying.asker = None

    def end(self) -> None:
        """Let this door end now. Raises StoreFault; unless `retiring.over` says otherwise it then goes on."""
        self.retiring.end(self.version)

    def clear(self) -> bool:
        """Destroy what lock kept, at a door that had ended when this was made; whether nothing of it is left."""
        if self._cleared or self._last is None:
            return self._cleared
        try:
            finish(self.versions.path.parent)
        except StoreFault as fault:
            log(str(fault))
        else:
            self._cleared = True
        return self._cleared

    def _put_in_force(self, signed: bytes, parsed: Parsed) -> Result:
        try:
            self.managers.apply(signed, parsed)
            self.hours.apply(signed, parsed)
            self.reporting.apply(signed, parsed)
            self.retiring.apply(signed, parsed)
            self._store(parsed.version)
        except DocumentRefused as cause:
            log(f"a document is refused: {cause}")
            return Result.MALFORMED
        except StoreFault as fault:
            log(str(fault))
            return Result.FAULT
        self.hours.told(parsed.issued_unix)
        return Result.DONE

    def _store(self, version: int) -> None:
        self.versions.manager_key = self.managers.witness
        self.versions.store(version)

    @property
    def _begun(self) -> int:
        """The newest version among the documents that lie on disk as they were signed."""
        return max(self.managers.chain.version, self.hours.version, self.reporting.version, self.retiring.version)

    def _finish(self) -> None:
        """The power went after a document was kept, and before its version was."""
        try:
            self.versions.load()
            self._store(self._begun)
        except StoreFault as fault:
            log(str(fault))

    def _ended(self, ack: wire.Ack) -> tuple[Room, wire.Ack] | None:
        applying, self.applying = self.applying, None
        return (applying.asker, ack) if applying and applying.asker else None

"""What a manager does with a fleet.

Rules kept here:
- The passphrase is checked before anything is reserved or written: a mistyped one costs nothing.
- A document is signed only after its version and serial are on disk; one that gets lost on the way is made anew with
  higher numbers, never with the same ones.
- An invitation is never good for longer than the place it invites to.
- An offer needs no knowledge of who lives behind a slot, and gives none back.
- A policy is proven to be an equal door before a version is used up for it.
- A document is signed by the key that its door believes, which during a rotation (`rotation`) may be an older one.
- What travels is sealed to the door's own key (`identity`); until that is known nothing is made that could be read.
- A place is offered hours only if the door's newest policy has them, and no policy drops those of a place that still
  stands: otherwise somebody would stand before a door that opens nothing for them.
"""

from __future__ import annotations

import secrets
import time
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path

from nacl.signing import SigningKey

from device import document, reading
from device.document import FIRST_SLOT, LAST_SLOT, MAX_BODY, SlotOffers
from device.errors import DocumentRefused
from device.policy import table
from device.policy.prover import refuse_unequal
from device.policy.schedule import DoorPolicy, zone_of
from device.wire import NO_END, NO_TIMETABLE, SlotOffer
from provisioning import files, keys, moments
from provisioning.errors import FleetFault, FleetRefused
from provisioning.identity import Identity
from provisioning.invitation import Invitation, new_invitation
from provisioning.store import Door, FleetStore, Slot
from provisioning.until import end_of

LONGEST_NAME = 64
LONGEST_OFFER_DAYS = 90
_DAY_S = 86_400
KEY_FILE = "document.key"
NEXT_KEY_FILE = "document-next.key"  # while the fleet's key is being replaced
_AUTHORITY_FILE = "ca.pem"


@dataclass(frozen=True, slots=True)
class Offer:
    """A slot on offer: the document is for the door, the invitation for one resident."""

    door: Door
    slot: int
    serial: int
    version: int
    expires_unix: int
    ends_unix: int
    timetable: int
    invitation: Invitation
    document: bytes


@dataclass(frozen=True, slots=True)
class Hours:
    """A policy for a door: the document says which methods open in which hours."""

    door: Door
    version: int
    document: bytes


@dataclass(frozen=True, slots=True)
class Fleet:
    """The fleet kept in `folder`; its doors and slots stand in `store`."""

    folder: Path
    store: FleetStore

    @property
    def has_authority(self) -> bool:
        """Whether its doors get certificates (`doorward ca init`), and so have a broker."""
        return (self.folder / _AUTHORITY_FILE).exists()

    def add_door(self, name: str, identity: Identity | None = None) -> Door:
        """A new door with a random id, or one that exists already and said who it is. Raises FleetRefused."""
        door = Door(door_name(name), secrets.token_hex(document.DOOR_ID_BYTES), created_unix=int(time.time()))
        if identity:
            door = replace(door, id=identity.door, document_key=identity.document_key)
        self.store.add_door(door)
        return door

    def identify(self, door_name: str, identity: Identity, *, anew: bool) -> Door:
        """Bind a door to the key it seals with. Raises FleetRefused.

        `anew`: another key than the one that is known takes its place; otherwise it is refused.
        """

        def check(door: Door) -> None:
            if door.id != identity.door:
                msg = f'this identity is that of the door {identity.door}, and "{door.name}" has the id {door.id}'
                raise FleetRefused(msg)
            if door.document_key not in ("", identity.document_key) and not anew:
                msg = (
                    f'"{door.name}" is known by another key, {Identity.of(door).fingerprint}, and this one is '
                    f"{identity.fingerprint}: somebody may have put himself in between; ask somebody at the door what "
                    "`doorctl export-identity` shows there, and if it is the new one, say --replace"
                )
                raise FleetRefused(msg)

        return self.store.identify(door_name, identity.document_key, check)

    def offer_slot(
        self,
        door_name: str,
        slot: int,
        *,
        days: int,
        until: date | None = None,
        timetable: int = NO_TIMETABLE,
        now_unix: int,
        passphrase: str,
    ) -> Offer:
        """Offer the place `slot` of a door. Raises FleetRefused.

        The invitation is good for `days` days from `now_unix` (seconds); `until` is the place's last day, None if it
        has no end. `timetable` is the number of the place's hours, NO_TIMETABLE if they are those of the door.
        """
        moments.refuse_wrong_clock(now_unix)
        if not FIRST_SLOT <= slot <= LAST_SLOT:
            msg = f"a slot is a number from {FIRST_SLOT} to {LAST_SLOT}, not {slot}"
            raise FleetRefused(msg)
        if not 1 <= days <= LONGEST_OFFER_DAYS:
            msg = f"an invitation is good for 1 to {LONGEST_OFFER_DAYS} days, not {days}"
            raise FleetRefused(msg)

        def check(door: Door) -> None:
            Identity.of(door)
            self._refuse_timetable(door, timetable)

        door = self.store.door(door_name)
        check(door)
        key = self.signer(door, passphrase)
        ends_unix = end_of(until, now_unix) if until else NO_END
        expires_unix = now_unix + days * _DAY_S
        if until:
            expires_unix = min(expires_unix, ends_unix)
        invitation = new_invitation()
        reserved = self.store.reserve_offer(door_name, Slot(slot, 0, expires_unix, ends_unix, timetable), check)
        times = (expires_unix, ends_unix, timetable)
        offer = SlotOffer(slot, reserved.serial, *times, invitation.salt, invitation.verifier)
        content = self.sealed(SlotOffers((offer,)), reserved.door, now_unix, key)
        return Offer(reserved.door, slot, reserved.serial, reserved.version, *times, invitation, content)

    def set_policy(self, door_name: str, policy: DoorPolicy, *, now_unix: int, passphrase: str) -> Hours:
        """Make `policy` that of a door. Raises FleetRefused or DocumentRefused, each with one sentence."""
        moments.refuse_wrong_clock(now_unix)
        body = table.pack(policy)
        refuse_unequal(policy)
        zone_of(policy)
        if len(body) > MAX_BODY:
            msg = f"a policy fits into {MAX_BODY} bytes, and this one has {len(body)}; give it fewer hours"
            raise FleetRefused(msg)

        def check(door: Door) -> None:
            Identity.of(door)
            _refuse_dropped(door, policy, now_unix)

        before = self.store.door(door_name)
        check(before)
        key = self.signer(before, passphrase)
        door = self.store.reserve_policy(door_name, body, check)
        return Hours(door, door.version, self.sealed(policy, door, now_unix, key))

    def policy(self, door_name: str) -> DoorPolicy | None:
        """The newest policy made for a door, None if there is none. Raises FleetRefused or FleetFault."""
        return self._policy_of(self.store.door(door_name))

    def _policy_of(self, door: Door) -> DoorPolicy | None:
        try:
            return table.unpack(bytes.fromhex(door.policy)) if door.policy else None
        except DocumentRefused as cause:
            msg = f'the policy of "{door.name}" in the fleet\'s store is damaged; restore it from your copy'
            raise FleetFault(msg) from cause

    def _refuse_timetable(self, door: Door, timetable: int) -> None:
        if timetable == NO_TIMETABLE:
            return
        policy = self._policy_of(door)
        if policy is None or timetable not in policy.numbers:
            msg = (
                f'the newest policy of "{door.name}" has no timetable {timetable}, and this place would open nothing; '
                "give the policy one first, with `doorward policy set`"
            )
            raise FleetRefused(msg)

    def signer(self, door: Door, passphrase: str) -> SigningKey:
        """The key that signs documents for `door`. Raises FleetRefused or FleetFault."""
        return self.unlock(passphrase, door.believes(self.store.public_key()))

    def unlock(self, passphrase: str, public: str | None = None) -> SigningKey:
        """The private half of `public` (64 hexadecimal digits); None: of the fleet's key.

        Raises FleetRefused or FleetFault.
        """
        wanted = public or self.store.public_key()
        path = self.older_key(wanted)
        if not path.exists():
            path = self.folder / KEY_FILE
        key = keys.unseal(read_key(path), passphrase)
        if bytes(key.verify_key).hex() != wanted and (self.folder / NEXT_KEY_FILE).exists():
            key = keys.unseal(read_key(self.folder / NEXT_KEY_FILE), passphrase)  # a rotation was interrupted
        if bytes(key.verify_key).hex() != wanted:
            msg = (
                f"{path} belongs to another fleet, or the fleet's key was replaced on another computer, whose "
                "document.key is needed here: its doors would refuse what this one signs"
            )
            raise FleetRefused(msg)
        return key

    def older_key(self, public: str) -> Path:
        """Where the private half of a key that was replaced is kept, while a door may still believe it."""
        return self.folder / f"document-{public[:16]}.key"

    def sealed(self, body: document.Body, door: Door, now_unix: int, key: SigningKey) -> bytes:
        """What travels: signed for this version of the door, and sealed to its key. Raises FleetRefused."""
        if bytes(key.verify_key).hex() != door.believes(self.store.public_key()):
            msg = "the fleet's key was replaced at this very moment; make it once more"
            raise FleetRefused(msg)
        return sealed(body, door, now_unix, key)


def init(folder: Path, passphrase: str, store_url: str | None = None) -> Fleet:
    """A new fleet in `folder`, its store there or at `store_url`.

    Raises FleetRefused if there is one, FleetFault if it cannot be written.
    """
    _need_packages()
    from provisioning import stores  # here, as below: SQLAlchemy takes a while, and help needs no store

    if stores.exists(folder, store_url):
        msg = f"there is a fleet in {folder if store_url is None else stores.at(folder, store_url).place} already"
        raise FleetRefused(msg)
    key = keys.new_key()
    at_rest = keys.seal(key, passphrase)
    files.make_folder(folder)
    files.create(folder / KEY_FILE, at_rest)
    # Last: a folder with a key and no fleet was interrupted, and says so at the next attempt.
    return Fleet(folder, stores.create(folder, store_url, bytes(key.verify_key).hex()))


def open_fleet(folder: Path, store_url: str | None = None) -> Fleet:
    """The fleet in `folder`, its store there or at `store_url`. Raises FleetRefused if there is none."""
    _need_packages()
    from provisioning import stores

    return Fleet(folder, stores.opened(folder, store_url))


def upgrade(folder: Path, store_url: str | None = None) -> bool:
    """Bring the store of the fleet in `folder` to this program's version; False if nothing had to be done."""
    _need_packages()
    from provisioning import stores

    return stores.upgrade(folder, store_url)


def door_table(door: Door, public_key: str) -> str:
    """The [door] table for door.toml."""
    return f'[door]\nid = "{door.id}"\nmanager_key = "{public_key}"'


def _need_packages() -> None:
    """Say what is missing where only a door was installed."""
    for package in ("sqlalchemy", "alembic"):
        if find_spec(package) is None:
            msg = f"the manager's side needs the package {package}, which is not here: pip install 'doorward[manager]'"
            raise FleetFault(msg)


def read_key(path: Path) -> bytes:
    """The content of a file that holds a sealed key. Raises FleetFault."""
    try:
        return reading.content(path, keys.LARGEST)
    except OSError as cause:
        msg = f"the fleet's key {path} cannot be read: {cause.strerror}"
        raise FleetFault(msg) from cause


def sealed(body: document.Body, door: Door, now_unix: int, key: SigningKey) -> bytes:
    """What travels: signed for this version of the door, and sealed to its key."""
    door_id = bytes.fromhex(door.id)
    signed = document.sign(body, door_id=door_id, version=door.version, issued_unix=now_unix, key=key)
    return document.seal(signed, door_id=door_id, document_key=bytes.fromhex(door.document_key))


def _refuse_dropped(door: Door, policy: DoorPolicy, now_unix: int) -> None:
    for slot in door.slots:
        stands = slot.ends_unix == NO_END or slot.ends_unix > now_unix
        if stands and slot.timetable != NO_TIMETABLE and slot.timetable not in policy.numbers:
            msg = (
                f"place {slot.number} has the hours of timetable {slot.timetable}, and this policy has none of that "
                "number; keep it, or offer the place anew without it first"
            )
            raise FleetRefused(msg)


def door_name(name: str) -> str:
    """The name of a new door. Raises FleetRefused."""
    clean = unicodedata.normalize("NFC", name.strip())
    if not 0 < len(clean) <= LONGEST_NAME or not clean.isprintable():
        msg = f"a door's name has 1 to {LONGEST_NAME} letters, digits, spaces or signs"
        raise FleetRefused(msg)
    return clean

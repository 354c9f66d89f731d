"""Another key for the fleet: each door is told by the one that it believes.

Rules kept here:
- The new key is on disk before anything names it; the old one is kept, sealed, for as long as a door may believe it.
- An interruption anywhere costs nothing: whoever asks again goes on where it stopped. A document that was made for a
  door is made again with the same version, and nobody begins a second rotation before the first has ended.
- A door is done when it says so: with the number of its newest document in a report, or by somebody's word. Of a door
  that was never mounted, and can be told nothing, the word is enough.
- Labels that name the old key are revoked: a door that joined by one would believe a key that was given up.

In the fleet's folder: `document.key` is the newest key, `document-next.key` the one that a rotation begins with, and
`document-` with the first 16 digits of its public half an older one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from nacl.signing import SigningKey

from device.document import Successor
from provisioning import document_files, files, keys
from provisioning.errors import FleetFault, FleetRefused
from provisioning.fleet import KEY_FILE, NEXT_KEY_FILE, Fleet, read_key, sealed
from provisioning.identity import Identity
from provisioning.store import Door, DoorState

_OLDER = re.compile(r"document-[0-9a-f]{16}\.key")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rotation is: the fleet's public key, and which doors may still believe an older one.

    `made`: the documents that were written now, for the door each is for. `waiting` got one and did not say yet that
    they know the new key; for `unknown` nothing can be sealed before their own key is known.
    """

    public_key: str
    made: tuple[tuple[Door, Path], ...] = ()
    waiting: tuple[Door, ...] = ()
    unknown: tuple[Door, ...] = ()

    @property
    def done(self) -> bool:
        """Whether every door knows the fleet's key."""
        return not self.waiting and not self.unknown


def progress(fleet: Fleet) -> Progress:
    """How far the fleet is. Raises FleetFault."""
    behind = [door for door in fleet.store.doors() if door.manager_key and door.state is not DoorState.RETIRED]
    waiting = tuple(door for door in behind if door.document_key)
    return Progress(
        fleet.store.public_key(), waiting=waiting, unknown=tuple(door for door in behind if not door.document_key)
    )


def rotate(fleet: Fleet, folder: Path, *, now_unix: int, passphrase: str) -> Progress:
    """Begin a rotation, or go on with the one that was begun; documents go into `folder`.

    Raises FleetRefused or FleetFault; what was done until then stands, and the next call goes on.
    """
    went_on = _settle(fleet, passphrase)
    before = progress(fleet)
    if before.done and not went_on:
        _begin(fleet, passphrase)
        _settle(fleet, passphrase)
        before = progress(fleet)
    older: dict[str, SigningKey] = {}
    made: list[tuple[Door, Path]] = []
    for door in before.waiting:
        if door.manager_key not in older:
            older[door.manager_key] = fleet.unlock(passphrase, door.manager_key)
        path = _document(fleet, door, folder, older[door.manager_key], now_unix)
        if path is not None:
            made.append((door, path))
    _forget(fleet)
    return replace(progress(fleet), made=tuple(made))


def acknowledge(fleet: Fleet, door_name: str) -> Progress:
    """Note that a door knows the fleet's key. Raises FleetRefused, FleetFault."""
    fleet.store.acknowledge(door_name, _refuse_untold)
    _forget(fleet)
    return progress(fleet)


def heard(fleet: Fleet, door: Door, docs: int) -> bool:
    """A report of `door` says that `docs` is its newest document; True if that tells, the first time, that it knows.

    `door` may be as it was some time ago. Raises FleetRefused, FleetFault.
    """
    if not _tells(door, docs) or not _tells(fleet.store.door(door.name), docs):
        return False
    acknowledge(fleet, door.name)
    return True


def _tells(door: Door, docs: int) -> bool:
    return door.succession is not None and docs >= door.succession and door.state is not DoorState.RETIRED


def _refuse_untold(door: Door) -> None:
    # Without its key nothing can be sealed to a door: one that was never mounted would hold up the next rotation.
    if door.manager_key and door.document_key and door.succession is None:
        msg = f'"{door.name}" was not told the fleet\'s key yet; `doorward fleet rotate` makes the document for it'
        raise FleetRefused(msg)


def _begin(fleet: Fleet, passphrase: str) -> None:
    old = fleet.unlock(passphrase)
    public = bytes(old.verify_key).hex()
    following = fleet.folder / NEXT_KEY_FILE
    if not following.exists():
        files.create(following, keys.seal(keys.new_key(), passphrase))
    if not fleet.older_key(public).exists():
        files.create(fleet.older_key(public), keys.seal(old, passphrase))
    new = keys.unseal(read_key(following), passphrase)
    fleet.store.rotate(public, bytes(new.verify_key).hex())


def _settle(fleet: Fleet, passphrase: str) -> bool:
    """Let `document.key` be the fleet's key, if it is still the next; False if there was nothing to do."""
    following = fleet.folder / NEXT_KEY_FILE
    if not following.exists():
        return False
    content = read_key(following)
    if bytes(keys.unseal(content, passphrase).verify_key).hex() != fleet.store.public_key():
        return False  # it was made, and the store was not told
    files.replace(fleet.folder / KEY_FILE, content)
    _remove(following)
    return True


def _document(fleet: Fleet, door: Door, folder: Path, key: SigningKey, now_unix: int) -> Path | None:
    """Where the document for a door was written; None if it is there already."""
    told = fleet.store.reserve_succession(door.name, _known)
    if told.succession is None:
        msg = f'the number of the document for "{door.name}" is not in the fleet\'s store'
        raise FleetFault(msg)
    path = folder / document_files.name(told, told.succession)
    if path.exists():
        return None
    body = Successor(bytes.fromhex(fleet.store.public_key()))
    files.create(path, sealed(body, replace(told, version=told.succession), now_unix, key))
    return path


def _known(door: Door) -> None:
    Identity.of(door)


def _forget(fleet: Fleet) -> None:
    """Remove the older keys that no door believes any more."""
    if (fleet.folder / NEXT_KEY_FILE).exists():
        return
    needed = {fleet.older_key(door.manager_key).name for door in fleet.store.doors() if door.manager_key}
    for path in fleet.folder.glob("document-*.key"):
        if _OLDER.fullmatch(path.name) and path.name not in needed:
            _remove(path)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as cause:
        msg = f"{path} cannot be removed: {cause.strerror}"
        raise FleetFault(msg) from cause

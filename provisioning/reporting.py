"""What the fleet's doors tell by themselves, why they raised an alarm, and what their reports seal.

Rules kept here:
- What no door would believe is refused before a version is used up for it, and nothing is signed before its version is
  on disk.
- The key that opens what doors seal is the installer's. On disk it exists only sealed under a passphrase, as the
  fleet's own key does; it signs nothing, and a door needs only its public half.
- A reason that opens says what the alarm was about, or that it was a test; what a report seals, two of its flags. None
  is taken for another. That it is the door's, it does not prove: whoever has the public key can seal one, and only the
  connection to the broker says who sent it.

Key file: as in `keys`, with the magic "DWAK" around the 32 bytes of an X25519 private key.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from device import document, reading
from device.document import Telling
from device.errors import DocumentRefused
from device.wire import NO_ALARM_KEY, SEALED_FLAGS, TEST_ALARM, OccurrenceKind
from provisioning import files, keys
from provisioning.errors import FleetFault, FleetRefused
from provisioning.fleet import Fleet
from provisioning.identity import Identity
from provisioning.store import Door

KEY_FILE = "alarm.key"
LONGEST_PAYLOAD = 4096
_MAGIC = b"DWAK"
_SEALED_BYTES = 16


@dataclass(frozen=True, slots=True)
class Choice:
    """What a door may tell from now on: the document is for the door."""

    door: Door
    version: int
    document: bytes


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that was opened: the door's id (16 hexadecimal digits), and what it was about; None: it was a test."""

    door: str
    kind: OccurrenceKind | None


@dataclass(frozen=True, slots=True)
class SealedFlags:
    """What a report of a BUILDING seals: the camera is well; somebody had to wait since the report before."""

    camera: bool
    lockout: bool


def set_reporting(fleet: Fleet, door_name: str, telling: Telling, *, now_unix: int, passphrase: str) -> Choice:
    """Let a door tell what `telling` says. Raises FleetRefused or DocumentRefused, each with one sentence."""
    body = document.pack_telling(telling)

    def check(door: Door) -> None:
        Identity.of(door)

    before = fleet.store.door(door_name)
    check(before)
    key = fleet.signer(before, passphrase)
    door = fleet.store.reserve_reporting(door_name, body, check)
    return Choice(door, door.version, fleet.sealed(telling, door, now_unix, key))


def reporting(fleet: Fleet, door_name: str) -> Telling | None:
    """The newest choice made for a door, None if there is none. Raises FleetRefused or FleetFault."""
    return chosen(fleet.store.door(door_name))


def chosen(door: Door) -> Telling | None:
    """As `reporting`, of a door in hand. Raises FleetFault."""
    try:
        return document.unpack_telling(bytes.fromhex(door.reporting)) if door.reporting else None
    except DocumentRefused as cause:
        msg = f'what "{door.name}" may tell is damaged in the fleet\'s store; restore it from your copy'
        raise FleetFault(msg) from cause


def public_key(digits: str) -> bytes:
    """The alarm key that somebody typed or copied. Raises FleetRefused."""
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        key = b""
    if len(key) != document.KEY_BYTES:
        msg = "an alarm key is 64 hexadecimal digits, as `doorward alarm key` shows it"
        raise FleetRefused(msg)
    if key == NO_ALARM_KEY:
        msg = "an alarm key of nothing but zeros is none; leave it away if nobody shall read why there was an alarm"
        raise FleetRefused(msg)
    return key


def make_key(path: Path, passphrase: str) -> bytes:
    """A new key pair: the private half goes to the new file `path`, sealed; the public half (32 bytes) is returned.

    Raises FleetRefused if there is such a file already or the passphrase is too short, FleetFault if it cannot be
    written.
    """
    private = PrivateKey.generate()
    files.create(path, keys.seal_secret(bytes(private), passphrase, _MAGIC))
    return bytes(private.public_key)


def load_key(path: Path, passphrase: str) -> PrivateKey:
    """The private half in the file `path`. Raises FleetRefused or FleetFault."""
    try:
        content = reading.content(path, keys.LARGEST)
    except FileNotFoundError as cause:
        msg = f"there is no alarm key at {path}; `doorward alarm key` makes one"
        raise FleetRefused(msg) from cause
    except OSError as cause:
        msg = f"the alarm key {path} cannot be read: {cause.strerror}"
        raise FleetFault(msg) from cause
    return PrivateKey(keys.unseal_secret(content, passphrase, _MAGIC))


def read_alarm(payload: bytes, key: PrivateKey) -> Alarm:
    """Open the reason of an alarm as it came from the broker. Raises FleetRefused."""
    door, reason = _parts(payload, "alarm", "reason")
    content = _opened(reason, key, "the reason")
    if any(content[1:]) or content[0] not in {*OccurrenceKind, TEST_ALARM}:
        raise _senseless("the reason")
    return Alarm(door, OccurrenceKind(content[0]) if content[0] != TEST_ALARM else None)


def read_flags(payload: bytes, key: PrivateKey) -> SealedFlags:
    """Open what a report seals, as it came from the broker. Raises FleetRefused."""
    content = _opened(_parts(payload, "report", "sealed")[1], key, "it")
    kind, camera, lockout, *rest = content
    if kind != SEALED_FLAGS or max(camera, lockout) > 1 or any(rest):
        raise _senseless("it")
    return SealedFlags(bool(camera), bool(lockout))


def _opened(letters: str, key: PrivateKey, it: str) -> bytes:
    try:
        content = SealedBox(key).decrypt(base64.b64decode(letters, validate=True))
    except (CryptoError, ValueError) as cause:
        # ValueError: no base64, or too short to be a box at all.
        msg = f"{it} does not open with this key: it was sealed to another one, or to nobody"
        raise FleetRefused(msg) from cause
    if len(content) != _SEALED_BYTES:
        raise _senseless(it)
    return content


def _senseless(it: str) -> FleetRefused:
    return FleetRefused(f"{it} opens and makes no sense: a newer door has sent it, or no door at all")


def _parts(payload: bytes, kind: str, key: str) -> tuple[str, str]:
    """The door that a message names, and what it holds at `key`. Raises FleetRefused."""
    msg = f"this is no {kind} of a door: its message from the topic that ends in /{kind} is wanted, as it came"
    if len(payload) > LONGEST_PAYLOAD:
        raise FleetRefused(msg)
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError) as cause:
        raise FleetRefused(msg) from cause
    door, letters = (said.get("door"), said.get(key)) if isinstance(said, dict) else (None, None)
    if not isinstance(door, str) or not isinstance(letters, str) or not letters.isascii() or not door.isalnum():
        raise FleetRefused(msg)
    return door, letters

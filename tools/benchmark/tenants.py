"""A house full of people, put into keeper's files before the door is first switched on.

Rules kept here:
- As keeper would have left them, with its own forms and the door's own keys: if keeper refused one, the resident whose
  slot is among them could not open.
- The resident has a PIN and adds a card at the door; each of the others has a PIN that nobody knows, and two cards.
"""

from __future__ import annotations

import os
import time
from itertools import count

from device.edges import Room
from device.keeper import record
from device.keeper.attempts import AttemptFile
from device.keeper.cards import registered
from device.keeper.cards.counters import FORM, Kept
from device.keeper.cards.registered import MOST_CARDS, CardKind, Registered
from device.keeper.pages import TwinPages
from device.keeper.pin import SALT_BYTES, VERIFIER_BYTES, Verifiers, derive, stretcher
from device.keeper.record import OFFER_ID_BYTES, Credential, Kind
from device.paths import Paths
from device.sealing.binding import Binding
from device.sealing.keys import FileKeyStore
from device.wire import NO_END
from tools.benchmark.drawer import write_records
from tools.simulator.layout import credentials

_NXP = b"\x04"  # the first byte of a card's number is its maker (ISO/IEC 7816-6)


def move_in(paths: Paths, door: bytes, slots: int, slot: int, pin: str) -> None:
    """Let `slots` slots of the door with the id `door` (8 bytes), which was never on, be taken; `slot` has `pin`."""
    root_key = (credentials(paths, Room.KEEPER) / "keeper.key").read_bytes()
    state = paths.state(Room.KEEPER)
    salt, serials = os.urandom(SALT_BYTES), count(1)
    held = {slot: _tenant(salt, Verifiers.of_door(root_key).verifier(slot, stretcher()(pin, salt)), ())}
    for other in (number for number in range(1, slots + 1) if number != slot):
        if len(held) < slots:
            cards = tuple(Registered(CardKind.NTAG_424, _NXP + os.urandom(6), next(serials)) for _ in range(MOST_CARDS))
            held[other] = _tenant(os.urandom(SALT_BYTES), os.urandom(VERIFIER_BYTES), cards)
    payloads = {number: record.pack(tenant) for number, tenant in held.items()}
    keys = FileKeyStore(state / "epoch.key", derive(root_key, b"doorward ring"))
    write_records(state / "records", keys, Binding(door, "pin"), payloads, os.urandom(32))
    counters = TwinPages(state / "cards", derive(root_key, b"doorward counts"), FORM)
    counters.load({serial: Kept(1, pending=False) for serial in range(1, next(serials))})
    counters.close()
    tries = AttemptFile(state / "attempts", derive(root_key, b"doorward tries"))
    tries.load(())  # nobody has mistyped yet; without the file all tries would be taken for spent
    tries.close()


def _tenant(salt: bytes, verifier: bytes, cards: tuple[Registered, ...]) -> Credential:
    now = int(time.time())
    offer = os.urandom(OFFER_ID_BYTES)
    return Credential(Kind.PIN, 1, offer, now, now, NO_END, salt, verifier, cards=registered.pack(cards))

"""A place that ends now, and the numbers of places.

Rules kept here:
- A place ends by an offer to nobody, which takes the next serial: no older offer, and no older end, undoes it.
- Ending a place twice is no mistake: a document that got lost on its way is made anew, with higher numbers.
- Only a place that was offered can be ended here. One that was not has nothing to end.
- Nothing is asked about who lives there, or whether anybody does, and nothing is given back.
- Whoever lets the next number be chosen gets one that no offer of this door had: a place that was given up is not
  handed on by mistake.
"""

from __future__ import annotations

from dataclasses import dataclass

from device.document import FIRST_SLOT, LAST_SLOT, SlotOffers
from device.wire import SlotOffer
from provisioning.errors import FleetRefused
from provisioning.fleet import Fleet
from provisioning.identity import Identity
from provisioning.store import Door


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A place that has ended as soon as its door has the document."""

    door: Door
    slot: int
    serial: int
    version: int
    document: bytes


def withdraw(fleet: Fleet, door_name: str, slot: int, *, now_unix: int, passphrase: str) -> Withdrawn:
    """End the place `slot` of a door; `now_unix` in seconds since 1970. Raises FleetRefused or FleetFault."""

    def check(door: Door) -> None:
        Identity.of(door)
        if all(each.number != slot for each in door.slots):
            msg = f'place {slot} of "{door.name}" was never offered; `doorward slot list` shows those that were'
            raise FleetRefused(msg)

    door = fleet.store.door(door_name)
    check(door)
    key = fleet.signer(door, passphrase)
    reserved = fleet.store.reserve_withdrawal(door_name, slot, now_unix, check)
    body = SlotOffers((SlotOffer.withdrawal(slot, reserved.serial),))
    return Withdrawn(
        reserved.door, slot, reserved.serial, reserved.version, fleet.sealed(body, reserved.door, now_unix, key)
    )


def unused(door: Door) -> int:
    """The lowest number that no place of `door` ever had. Raises FleetRefused if there is none."""
    taken = {each.number for each in door.slots}
    number = next((each for each in range(FIRST_SLOT, LAST_SLOT + 1) if each not in taken), None)
    if number is None:
        msg = f'every number of "{door.name}" was given to a place already; name the one to offer again with --slot'
        raise FleetRefused(msg)
    return number

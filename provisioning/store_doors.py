"""The row of a door: found and held, filled, counted up. Within a transaction of `store_sql`.

Rules kept here:
- Whoever changes a door holds its row until the transaction ends.
- A version and a serial only grow, and neither is handed out beyond the last that a document can name.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from provisioning import store_rows
from provisioning.errors import FleetRefused
from provisioning.store import HIGHEST, Door, DoorState, Reserved, Slot
from provisioning.store_engine import READING
from provisioning.store_tables import DoorRow, SlotRow


def add(session: Session, door: Door) -> None:
    """A row for `door`. Raises FleetRefused for a name or an id that is taken."""
    if session.scalar(sa.select(DoorRow.id).where(DoorRow.name == door.name)) is not None:
        msg = f'there is a door named "{door.name}" already'
        raise FleetRefused(msg)
    if session.get(DoorRow, door.id) is not None:
        msg = f"there is a door with the id {door.id} already"
        raise FleetRefused(msg)
    row = DoorRow(
        id=door.id,
        name=door.name,
        version=door.version,
        policy=bytes.fromhex(door.policy),
        reporting=bytes.fromhex(door.reporting),
        document_key=door.document_key,
        state=DoorState.ADDED.value,
        created_unix=door.created_unix,
        building=door.building,
        floor=door.floor,
    )
    store_rows.door(row)  # nothing is written that could not be read again
    session.add(row)


def named(session: Session, name: str) -> DoorRow:
    """The row of a door, held until the transaction ends. Raises FleetRefused."""
    asked = sa.select(DoorRow).where(DoorRow.name == name)
    if not session.get_bind().get_execution_options().get(READING):
        asked = asked.with_for_update()
    row = session.scalar(asked)
    if row is None:
        msg = f'there is no door named "{name}" in this fleet'
        raise FleetRefused(msg)
    return row


def take_version(row: DoorRow) -> None:
    """Count the version up, for the document that is made now. Raises FleetRefused when there is none left."""
    if row.version == HIGHEST:
        raise _used_up(row)
    row.version += 1


def next_offer(row: DoorRow, offered: Slot) -> Reserved:
    """Note `offered` with the next serial of its slot, and take a version. Raises FleetRefused."""
    place = next((known for known in row.slots if known.number == offered.number), None)
    if place is None:
        place = SlotRow(number=offered.number, serial=0)
        row.slots.append(place)
        row.slots.sort(key=lambda each: each.number)
    if place.serial == HIGHEST:
        raise _used_up(row)
    place.serial += 1
    place.expires_unix, place.ends_unix = offered.expires_unix, offered.ends_unix
    place.timetable = offered.timetable
    take_version(row)
    return Reserved(store_rows.door(row), row.version, place.serial)


def refuse_knowing(row: DoorRow) -> None:
    """Raise FleetRefused if the door knows the fleet's key: then no other one is on its way."""
    if row.manager_key is None:
        msg = f'"{row.name}" knows the key of this fleet; no other one is on its way'
        raise FleetRefused(msg)


def _used_up(row: DoorRow) -> FleetRefused:
    return FleetRefused(f'"{row.name}" has used up all its versions; add it to the fleet anew')

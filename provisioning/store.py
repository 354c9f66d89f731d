"""What the fleet remembers: its doors, and which places on them were offered.

Rules kept here:
- The store is a port: `FleetStore` says what it can do, `JsonStore` does it in one small file. Every operation is one
  step that happens wholly or not at all, so that a database can take the file's place.
- A version or serial that was handed out is on disk first and never handed out again, whatever fails afterwards.
- No column for a name, an invitation, a credential or the use of a door exists.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from device.document import LATEST_UNIX
from device.policy.schedule import LAST_TIMETABLE
from device.wire import NO_END, NO_TIMETABLE
from provisioning import files
from provisioning.errors import FleetFault, FleetRefused

STORE_FORMAT = 3
_HIGHEST = 2**32 - 1  # versions and serials are u32 on the wire
_MAY_LACK = frozenset({"policy", "document_key"})


@dataclass(frozen=True, slots=True)
class Slot:
    """A place on a door's list. `serial` counts its offers.

    Of the last offer, in seconds since 1970: `expires_unix` is when its invitation lapses, `ends_unix` when the place
    itself ends (wire.NO_END: it does not), and `timetable` the number of its hours (wire.NO_TIMETABLE: the door's).
    """

    number: int
    serial: int
    expires_unix: int
    ends_unix: int = NO_END
    timetable: int = NO_TIMETABLE


@dataclass(frozen=True, slots=True)
class Door:
    """A door. `id` is 16 hexadecimal digits; `version` is that of the newest document made for it, 0 at first.

    `policy`: the body of the newest policy made for it, in hexadecimal digits; empty if there is none. `document_key`:
    what its documents are sealed to, 64 hexadecimal digits; empty until somebody brought it from the door.
    """

    name: str
    id: str
    version: int = 0
    slots: tuple[Slot, ...] = ()
    policy: str = ""
    document_key: str = ""


Check = Callable[[Door], None]  # raises FleetRefused for what must not be done to this door


@dataclass(frozen=True, slots=True)
class Reserved:
    """A version and a serial that nobody else will get."""

    door: Door
    version: int
    serial: int


class FleetStore(Protocol):
    """What any store of a fleet does."""

    def public_key(self) -> str:
        """The fleet's public document key, 64 hexadecimal digits."""

    def doors(self) -> tuple[Door, ...]:
        """All doors, by name."""

    def add_door(self, door: Door) -> None:
        """Remember a new door. Raises FleetRefused if its name or id is taken."""

    def identify(self, door_name: str, document_key: str, check: Check) -> Door:
        """Durably bind a document key (64 hexadecimal digits) to a door that passes `check`. Raises FleetRefused."""

    def reserve_offer(self, door_name: str, offered: Slot, check: Check) -> Reserved:
        """Durably take the next version of a door and the next serial of a slot; `offered.serial` does not count.

        Raises FleetRefused, also what `check` raises of the door as it is at that moment.
        """

    def reserve_policy(self, door_name: str, policy: bytes, check: Check) -> Door:
        """Durably take the next version of a door for its new policy. Raises FleetRefused, as above."""


@dataclass(frozen=True, slots=True)
class JsonStore:
    """A fleet in one file, `fleet.json` in `folder`, with an advisory lock beside it."""

    folder: Path

    @property
    def path(self) -> Path:
        """The store's file."""
        return self.folder / "fleet.json"

    def exists(self) -> bool:
        """Whether there is a fleet here."""
        return self.path.exists()

    def create(self, public_key: str) -> None:
        """Begin a fleet. Raises FleetRefused if there is one."""
        with files.locked(self.folder / ".lock"):
            files.create(self.path, _written(public_key, ()))

    def public_key(self) -> str:
        return self._read()[0]

    def doors(self) -> tuple[Door, ...]:
        return tuple(sorted(self._read()[1], key=lambda door: door.name))

    def add_door(self, door: Door) -> None:
        with self._changing() as (key, doors):
            if any(door.name == known.name for known in doors):
                msg = f'there is a door named "{door.name}" already'
                raise FleetRefused(msg)
            if any(door.id == known.id for known in doors):
                msg = f"there is a door with the id {door.id} already"
                raise FleetRefused(msg)
            files.replace(self.path, _written(key, (*doors, door)))

    def identify(self, door_name: str, document_key: str, check: Check) -> Door:
        with self._changing() as (key, doors):
            door = find(doors, door_name)
            check(door)
            changed = replace(door, document_key=document_key)
            self._write(key, doors, door, changed)
            return changed

    def reserve_offer(self, door_name: str, offered: Slot, check: Check) -> Reserved:
        with self._changing() as (key, doors):
            door = find(doors, door_name)
            check(door)
            slot = offered.number
            old = next((known for known in door.slots if known.number == slot), replace(offered, serial=0))
            if _HIGHEST in (door.version, old.serial):
                raise _used_up(door_name)
            new = replace(offered, serial=old.serial + 1)
            others = (known for known in door.slots if known.number != slot)
            slots = tuple(sorted((*others, new), key=lambda each: each.number))
            changed = replace(door, version=door.version + 1, slots=slots)
            self._write(key, doors, door, changed)
            return Reserved(changed, changed.version, new.serial)

    def reserve_policy(self, door_name: str, policy: bytes, check: Check) -> Door:
        with self._changing() as (key, doors):
            door = find(doors, door_name)
            check(door)
            if door.version == _HIGHEST:
                raise _used_up(door_name)
            changed = replace(door, version=door.version + 1, policy=policy.hex())
            self._write(key, doors, door, changed)
            return changed

    def _write(self, key: str, doors: tuple[Door, ...], old: Door, new: Door) -> None:
        files.replace(self.path, _written(key, tuple(new if each is old else each for each in doors)))

    @contextmanager
    def _changing(self) -> Iterator[tuple[str, tuple[Door, ...]]]:
        self._read()  # a folder that holds no fleet gets no lock file either
        with files.locked(self.folder / ".lock"):
            yield self._read()

    def _read(self) -> tuple[str, tuple[Door, ...]]:
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError as cause:
            msg = f"there is no fleet in {self.folder}; `doorward fleet init` makes one"
            raise FleetRefused(msg) from cause
        except OSError as cause:
            msg = f"the fleet in {self.folder} cannot be read: {cause.strerror}"
            raise FleetFault(msg) from cause
        try:
            return _parsed(json.loads(raw))
        except (ValueError, KeyError, TypeError, AttributeError) as cause:
            msg = f"{self.path} is damaged or of another version; restore it from your copy"
            raise FleetFault(msg) from cause


def find(doors: tuple[Door, ...], name: str) -> Door:
    """The door called `name`. Raises FleetRefused."""
    for door in doors:
        if door.name == name:
            return door
    msg = f'there is no door named "{name}" in this fleet'
    raise FleetRefused(msg)


def _written(public_key: str, doors: tuple[Door, ...]) -> bytes:
    tables = {"format": STORE_FORMAT, "public_key": public_key, "doors": [_table(door) for door in doors]}
    return (json.dumps(tables, indent=1, ensure_ascii=False) + "\n").encode()


def _table(door: Door) -> dict[str, Any]:
    return {key: value for key, value in asdict(door).items() if key not in _MAY_LACK or value}


def _used_up(door_name: str) -> FleetRefused:
    return FleetRefused(f'"{door_name}" has used up all its versions; add it to the fleet anew')


def _parsed(table: Any) -> tuple[str, tuple[Door, ...]]:
    _exactly(table, {"format", "public_key", "doors"})
    if table["format"] != STORE_FORMAT:
        msg = "another format"
        raise ValueError(msg)
    return _hex(table["public_key"], 32), tuple(_door(each) for each in table["doors"])


def _door(table: Any) -> Door:
    _exactly(table, {"name", "id", "version", "slots"} | (_MAY_LACK & set(table)))
    slots = tuple(_slot(each) for each in table["slots"])
    policy = bytes.fromhex(table.get("policy", "")).hex()
    key = _hex(table["document_key"], 32) if "document_key" in table else ""
    return Door(str(table["name"]), _hex(table["id"], 8), _counter(table["version"]), slots, policy, key)


def _slot(table: Any) -> Slot:
    _exactly(table, {"number", "serial", "expires_unix", "ends_unix", "timetable"})
    times = _time(table["expires_unix"]), _time(table["ends_unix"])
    timetable = _counter(table["timetable"])
    if timetable > LAST_TIMETABLE:
        msg = "a timetable out of range"
        raise ValueError(msg)
    return Slot(_counter(table["number"]), _counter(table["serial"]), *times, timetable)


def _exactly(table: Any, keys: set[str]) -> None:
    if set(table) != keys:
        msg = "other keys"
        raise ValueError(msg)


def _hex(value: str, size: int) -> str:
    if len(bytes.fromhex(value)) != size:
        msg = "another size"
        raise ValueError(msg)
    return value


def _counter(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _HIGHEST:
        msg = "a counter out of range"
        raise ValueError(msg)
    return value


def _time(value: object) -> int:
    if type(value) is not int or not 0 <= value <= LATEST_UNIX:
        msg = "a time out of range"
        raise ValueError(msg)
    return value

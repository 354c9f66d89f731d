"""From a row to a value, and what a row of ours can hold.

Rules kept here:
- SQLite takes anything for a number, and a person with an editor writes anything at all: what no program of ours wrote
  is damage (ValueError), and is neither shown nor signed.
"""

from __future__ import annotations

from typing import TypeVar

from device.document import LATEST_UNIX
from device.policy.schedule import LAST_TIMETABLE
from provisioning.store import HIGHEST, Act, Certificate, Door, DoorState, Label, LabelState, Login, Slot
from provisioning.store_tables import ActRow, CertificateRow, DoorRow, LabelRow, ManagerRow, SlotRow

Kind = TypeVar("Kind")

_LONGEST_SERIAL = 40  # hexadecimal digits: RFC 5280 4.1.2.2 allows a certificate's serial 20 bytes


def door(row: DoorRow) -> Door:
    """The door of a row, with its places in the order of their numbers."""
    return Door(
        _a(str, row.name),
        _hex(row.id, 8),
        _number(row.version, HIGHEST),
        tuple(_slot(each) for each in row.slots),
        _a(bytes, row.policy).hex(),
        _hex(row.document_key, 32) if row.document_key else "",
        _a(bytes, row.reporting).hex(),
        DoorState(row.state),
        _number(row.created_unix, LATEST_UNIX),
        _maybe(row.joined_unix),
        row.certificate_serial,
        _maybe(row.not_after_unix),
        "" if row.manager_key is None else key(row.manager_key),
        None if row.succession is None else _number(row.succession, HIGHEST),
        _a(str, row.building),
        _a(str, row.floor),
    )


def label(row: LabelRow) -> Label:
    """The label of a row."""
    times = _number(row.made_unix, LATEST_UNIX), _number(row.expires_unix, LATEST_UNIX)
    return Label(_hex(row.door_id, 8), _hex(row.verifier, 32), *times, LabelState(row.state))


def certificate(row: CertificateRow) -> Certificate:
    """The certificate of a row."""
    times = _number(row.not_before_unix, LATEST_UNIX), _number(row.not_after_unix, LATEST_UNIX)
    numbered = _hex(row.door_id, 8), _serial(row.serial)
    return Certificate(*numbered, *times, _hex(row.fingerprint, 32), _maybe(row.revoked_unix))


def login(row: ManagerRow) -> Login:
    """The certificate of a manager's computer."""
    times = _number(row.not_before_unix, LATEST_UNIX), _number(row.not_after_unix, LATEST_UNIX)
    return Login(_a(str, row.name), _serial(row.serial), *times, _maybe(row.revoked_unix))


def act(row: ActRow) -> Act:
    """The act of a row."""
    words = str(row.who), str(row.command), str(row.door_id), str(row.about)
    return Act(_number(row.at_unix, LATEST_UNIX), *words, "" if row.chain is None else _hex(row.chain, 32))


def key(value: str) -> str:
    """A key of 32 bytes, in hexadecimal digits."""
    return _hex(value, 32)


def _slot(row: SlotRow) -> Slot:
    times = _number(row.expires_unix, LATEST_UNIX), _number(row.ends_unix, LATEST_UNIX)
    counters = _number(row.number, HIGHEST), _number(row.serial, HIGHEST)
    return Slot(*counters, *times, _number(row.timetable, LAST_TIMETABLE))


def _serial(value: str) -> str:
    if len(value) > _LONGEST_SERIAL or int(value, 16) < 1:
        msg = "a serial out of range"
        raise ValueError(msg)
    return value


def _hex(value: str, size: int) -> str:
    if len(bytes.fromhex(value)) != size or len(value) != 2 * size:
        msg = "another size"
        raise ValueError(msg)
    return value


def _a(kind: type[Kind], value: object) -> Kind:
    if not isinstance(value, kind):
        msg = "another type"
        raise TypeError(msg)
    return value


def _maybe(value: int | None) -> int | None:
    return None if value is None else _number(value, LATEST_UNIX)


def _number(value: object, highest: int) -> int:
    if type(value) is not int or not 0 <= value <= highest:
        msg = "a number out of range"
        raise ValueError(msg)
    return value

"""Which chip knows which command.

Rules kept here:
- The table is the chip: what is not in it is an ILLEGAL_COMMAND, whatever else the chip can do.
"""

from __future__ import annotations

from tools.simulator.cards import applications, authentication, data, files, keys
from tools.simulator.cards.field import Field, Handler
from tools.simulator.cards.memory import NTAG_APPLICATION, PICC, Kind
from tools.simulator.cards.status import Iso

_EVERY_CHIP: dict[int, Handler] = {
    0x51: applications.get_card_uid,
    0x5F: files.change_file_settings,
    0x60: applications.get_version,
    0x64: keys.get_key_version,
    0xC4: keys.change_key,
    0xF5: files.get_file_settings,
}
_DESFIRE: dict[int, Handler] = {
    0x3D: data.write_data,
    0x5A: applications.select_application,
    0x6A: applications.get_application_ids,
    0x6E: applications.get_free_memory,
    0xA7: data.abort,
    0xAA: authentication.authenticate_aes,
    0xBD: data.read_data,
    0xC7: data.commit,
    0xCA: applications.create_application,
    files.CREATE_BACKUP: files.create_file,
    files.CREATE_STANDARD: files.create_file,
}
_EV2_MESSAGING: dict[int, Handler] = {
    0x71: authentication.authenticate_ev2_first,
    0x77: authentication.authenticate_ev2_non_first,
    0x8D: data.write_data,
    0xAD: data.read_data,
}
COMMANDS: dict[Kind, dict[int, Handler]] = {
    Kind.DESFIRE_EV1: _EVERY_CHIP | _DESFIRE,
    Kind.DESFIRE_EV2: _EVERY_CHIP | _DESFIRE | _EV2_MESSAGING,
    Kind.NTAG424: _EVERY_CHIP | _EV2_MESSAGING,
    Kind.UID_ONLY: {},
}

# ISO names: of the card itself and, on an NTAG, of its one application (NT4H2421Gx section 8.2).
_CARD_NAME = bytes.fromhex("D2760000850100")
_NTAG_NAME = bytes.fromhex("D2760000850101")
_BY_NAME = 0x04
_FIRST_OR_ONLY = {0x00, 0x0C}  # with file control information, of which there is none here, or without


def iso_select(field: Field, p1: int, p2: int, name: bytes) -> Iso:
    """ISOSelectFile by name. What is refused leaves the selected application and its session as they are."""
    if p1 != _BY_NAME or p2 not in _FIRST_OR_ONLY:
        return Iso.WRONG_PARAMETERS
    if name == _CARD_NAME:
        field.select(PICC)
    elif name == _NTAG_NAME and field.memory.kind is Kind.NTAG424:
        field.select(NTAG_APPLICATION)
    else:
        return Iso.NOT_FOUND
    return Iso.OK

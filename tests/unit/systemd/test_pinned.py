"""What door.toml opens beyond the units: a TPM for one room each, and nothing unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from device import config
from device.desk.network.links import HOUSE
from device.desk.setup import writing
from device.desk.upkeep import page_units, pinned
from device.edges import Room
from device.paths import Paths
from tools.units.files import parse

LINE = "/dev/serial/by-path/platform-3f980000.usb-usb-0:1.3:1.0-port0"
DOOR = '[door]\nid = "00112233445566aa"\n'


def _files(more: str = "") -> dict[Path, str | None]:
    return pinned.files(config.parse(DOOR + more))


def test_a_door_with_nothing_of_its_own_gets_no_file() -> None:
    assert set(_files().values()) == {None}


@pytest.mark.parametrize(("room", "other"), [(Room.VAULT, Room.KEEPER), (Room.KEEPER, Room.VAULT)])
def test_a_tpm_is_opened_for_the_room_whose_key_lives_in_it(room: Room, other: Room) -> None:
    files = _files(f'[{room}]\nkey_store = "tpm-nv"\n')
    unit = parse("50-setup.conf", files[pinned.drop_in(room)] or "")
    assert unit.one("Service", "DeviceAllow") == "/dev/tpmrm0 rw"
    assert unit.one("Service", "DevicePolicy") == "closed"
    assert files[pinned.drop_in(other)] is None


def test_a_root_key_sealed_by_a_tpm_opens_no_device_because_systemd_opens_the_seal() -> None:
    assert set(_files('[vault]\nroot_key_sealed_with = "tpm2"\n').values()) == {None}


def test_the_kinds_of_a_serial_adapter_are_known_before_it_is_plugged_in() -> None:
    files = _files(f'[lock]\nosdp = "{LINE}"\n')
    assert (files[pinned.MODULES] or "").splitlines()[1:] == ["usbserial", "cdc_acm"]


def test_set_up_writes_them_and_takes_them_away_again(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    with_tpm = config.parse(DOOR + '[vault]\nkey_store = "tpm-nv"\n')
    writing.write(writing.sheets(with_tpm, paths))
    assert "tpmrm0" in (tmp_path / pinned.drop_in(Room.VAULT)).read_text(encoding="utf-8")
    assert not (tmp_path / pinned.drop_in(Room.KEEPER)).exists()
    writing.write(writing.sheets(config.parse(DOOR), paths))
    assert not (tmp_path / pinned.drop_in(Room.VAULT)).exists()


PAGE = "[page]\nport = 8443\n"


@pytest.mark.parametrize(
    ("address", "listens"), [("", "8443"), ("192.168.1.20", "192.168.1.20:8443"), ("fe80::1", "[fe80::1]:8443")]
)
def test_a_door_with_a_page_gets_its_one_socket_of_the_network(address: str, listens: str) -> None:
    files = _files(f'{PAGE}address = "{address}"\n')
    socket = parse("doorward-page.socket", files[page_units.SOCKET] or "")
    assert socket.one("Socket", "ListenStream") == listens
    assert socket.one("Socket", "FileDescriptorName") == "page"
    assert socket.one("Socket", "Service") == "doorward-desk.service"
    assert not socket.one("Socket", "Accept"), "desk takes the calls itself"
    assert socket.one("Socket", "IPAddressDeny") == "any"
    assert socket.words("Socket", "IPAddressAllow") == frozenset(map(str, HOUSE))
    drop_in = parse("50-setup.conf", files[page_units.DROP_IN] or "")
    assert drop_in.all("Service", "Sockets") == ("doorward-page.socket",)
    opened = {key for section, key in drop_in.settings if section == "Service"}
    assert opened == {"Sockets"}, "a handed-over socket needs no wall to be opened"


def test_a_simulated_door_and_one_without_a_page_have_no_unit_of_it() -> None:
    assert set(_files(f'{PAGE}[lock]\nboard = "sim"\n').values()) == {None}
    assert page_units.SOCKET in _files()

"""The units against the code: the same table of edges, users, folders, keys and walls, written down a second time."""

from __future__ import annotations

import pwd
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.desk.audit.folders import STATEFUL
from device.edges import EDGES, PROCESSES, Edge, Room
from device.link import permitted_uids
from device.lock import identity, reader_osdp
from device.paths import Paths
from device.vault import __main__ as vault_main
from tools.units import agree
from tools.units.files import FOLDER, Unit, parse, read

ROOMS = [str(room) for room in PROCESSES]
SOCKETS = [agree.socket_name(edge) for edge in EDGES]
CHECKOUT = FOLDER.parent
UNITS = read()


def changed(name: str, old: str, new: str) -> dict[str, Unit]:
    """The units, with `old` in `name` replaced; the line must be there, or the test shows nothing."""
    text = (FOLDER / "system" / name).read_text(encoding="utf-8")
    assert f"\n{old}\n" in text, f"{name} has no line {old}"
    return {**UNITS, name: parse(name, text.replace(f"\n{old}\n", f"\n{new}\n"))}


def complaints(units: Mapping[str, Unit], name: str) -> list[str]:
    return [told for told in agree.disagreements(units) if name in told]


def test_units_say_what_the_code_says() -> None:
    assert agree.disagreements(UNITS) == []


@pytest.mark.parametrize("wall", [f"{key}={value}" for key, value in agree.WALLS.items()])
def test_a_room_without_one_of_its_walls_is_told(wall: str) -> None:
    for room in ROOMS:
        name = f"doorward-{room}.service"
        assert complaints(changed(name, wall, ""), name), wall


@pytest.mark.parametrize("line", [f"{key}={value}" for key, value in agree.NO_NETWORK.items()])
@pytest.mark.parametrize("room", [room for room in ROOMS if room != "report"])
def test_a_room_that_could_reach_a_network_is_told(room: str, line: str) -> None:
    name = f"doorward-{room}.service"
    assert complaints(changed(name, line, ""), name)


@pytest.mark.parametrize("room", ["eye", "vault", "desk"])
def test_an_address_family_more_is_told(room: str) -> None:
    name = f"doorward-{room}.service"
    units = changed(name, "RestrictAddressFamilies=AF_UNIX", "RestrictAddressFamilies=AF_UNIX AF_INET")
    assert complaints(units, name)


@pytest.mark.parametrize("name", SOCKETS)
def test_a_socket_open_to_another_than_its_connector_is_told(name: str) -> None:
    connector = name.removesuffix(".socket").rpartition("-")[2]
    user = "root" if connector == "doorctl" else f"doorward-{connector}"
    assert complaints(changed(name, f"SocketUser={user}", "SocketUser=doorward-report"), name) or user.endswith(
        "report"
    )
    for line in ("SocketMode=0600", "DirectoryMode=0711"):
        assert complaints(changed(name, line, line.partition("=")[0] + "=0666"), name)


def test_a_socket_of_no_edge_is_told_and_so_is_an_edge_without_a_socket() -> None:
    units = dict(UNITS)
    one = units.pop("doorward-vault-lock.socket")
    assert complaints(units, "doorward-vault-lock.socket is missing")
    # Nobody connects to lock.
    assert complaints({**UNITS, "doorward-lock-report.socket": one}, "doorward-lock-report.socket")


def test_a_second_way_to_listen_is_told() -> None:
    name = "doorward-desk-doorctl.socket"
    units = changed(name, "RemoveOnStop=yes", "RemoveOnStop=yes\nListenStream=8443")
    assert complaints(units, name)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("doorward-eye.service", "User=doorward-eye", "User=root"),
        ("doorward-eye.service", "Group=doorward-eye", "Group=doorward-eye\nSupplementaryGroups=video"),
        ("doorward-eye.service", "DeviceAllow=char-media rw", "DeviceAllow=char-media rw\nDeviceAllow=/dev/vcio rw"),
        (
            "doorward-eye.service",
            "DeviceAllow=char-media rw",
            "DeviceAllow=char-media rw\nDeviceAllow=char-gpiochip rw",
        ),
        ("doorward-keeper.service", "PrivateDevices=yes", ""),
        ("doorward-keeper.service", "LimitRTPRIO=1", ""),
        ("doorward-report.service", "StateDirectory=doorward/report", "StateDirectory=doorward/vault"),
        ("doorward-report.service", "WatchdogSec=10", "LoadCredentialEncrypted=vault.key:vault.key\nWatchdogSec=10"),
        ("doorward-vault.service", "LoadCredentialEncrypted=vault.key:vault.key", ""),
        ("doorward-vault.service", "WatchdogSec=10", ""),
        ("doorward-vault.service", "NotifyAccess=main", "NotifyAccess=all"),
        ("doorward-vault.service", "RestartPreventExitStatus=78", ""),
        ("doorward-vault.service", "StartLimitBurst=5", "StartLimitBurst=5\nStartLimitAction=reboot"),
        ("doorward-vault.service", "StartLimitIntervalSec=60", "StartLimitIntervalSec=10"),
        ("doorward-lock.service", "StartLimitBurst=20", "StartLimitBurst=5"),
        ("doorward-lock.service", "ExecStopPost=/usr/lib/doorward/bin/python -I -B -m device.lock.secure", ""),
        ("doorward-lock.service", "MemoryMax=192M", ""),
        ("doorward-desk.service", "ExecStart=/usr/lib/doorward/bin/python -I -B -m device.desk", "ExecStart=/bin/sh"),
        ("doorward-desk.service", "SystemCallFilter=~@privileged @resources", ""),
        ("doorward-report.service", "PartOf=doorward.target", "PartOf=doorward.target\nAfter=network-online.target"),
        ("doorward-desk.service", "ConditionPathExists=/etc/doorward/door.toml", ""),
        ("doorward-eye.service", "After=doorward-keeper.service doorward-lock.service", ""),
        (
            "doorward-vault.service",
            "After=doorward-keeper.service doorward-lock.service",
            "After=doorward-keeper.service doorward-lock.service doorward-report.service",
        ),
        (
            "doorward-lock.service",
            "PartOf=doorward.target",
            "PartOf=doorward.target\nAfter=doorward-keeper.service",
        ),
        (
            "doorward-eye.service",
            "PartOf=doorward.target",
            "PartOf=doorward.target\nRequires=doorward-lock.service",
        ),
        ("doorward.target", "Wants=doorward-report.service doorward-desk.service", "Requires=doorward-report.service"),
    ],
)
def test_a_room_that_is_not_as_the_code_expects_is_told(name: str, old: str, new: str) -> None:
    assert complaints(changed(name, old, new), name)


def test_each_room_is_handed_the_keys_that_its_code_reads_and_no_other() -> None:
    keeper = (CHECKOUT / "device" / "keeper" / "start.py").read_text(encoding="utf-8")
    asked = {
        Room.VAULT: {vault_main.KEY_NAME},
        Room.KEEPER: set(re.findall(r'credential\("([a-z.]+)"\)', keeper)),
        Room.LOCK: {identity.KEY_NAME, reader_osdp.KEY_NAME},
    }
    for room in PROCESSES:
        assert agree.keys_of(UNITS[agree.service_name(room)]) == asked.get(room, set()), room


@dataclass(frozen=True)
class _Account:
    pw_uid: int


def test_users_of_the_machine_are_those_that_a_listener_lets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (FOLDER / "sysusers.d" / "doorward.conf").read_text(encoding="utf-8").splitlines()
    names = [line.split()[1] for line in lines if line.startswith("u ")]
    uids = {name: 900 + i for i, name in enumerate(names)}
    assert len(set(names)) == len(names) == len(PROCESSES)
    monkeypatch.delenv("DOORWARD_ONE_USER", raising=False)
    monkeypatch.setattr(pwd, "getpwnam", lambda name: _Account(uids[name]))
    for edge in EDGES:
        user = UNITS[agree.socket_name(edge)].one("Socket", "SocketUser")
        assert permitted_uids(edge.connector) == {uids.get(user, 0)}, _told(edge)


def _told(edge: Edge) -> str:
    return f"{edge.connector} at {edge.listener}"


def test_a_users_comment_has_no_colon_because_sysusers_refuses_it() -> None:
    # Seen with systemd 252: "is not a valid GECOS field", and no user is made.
    for line in (FOLDER / "sysusers.d" / "doorward.conf").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or ":" not in line


def _folders() -> dict[str, tuple[str, str, str]]:
    lines = (FOLDER / "tmpfiles.d" / "doorward.conf").read_text(encoding="utf-8").splitlines()
    made = (line.split() for line in lines if line.startswith("d "))
    return {path: (mode, user, group) for _, path, mode, user, group, _ in made}


def test_folders_belong_to_the_room_whose_state_they_are() -> None:
    folders, door = _folders(), Paths(Path("/"))
    for room in STATEFUL:
        assert folders[str(door.state(room))] == ("0700", f"doorward-{room}", f"doorward-{room}")
    assert {path for path in folders if path.startswith("/var/lib/doorward/")} == {
        str(door.state(room)) for room in PROCESSES if room is not Room.EYE
    }


def test_folders_of_sockets_are_roots_so_that_no_room_can_replace_a_socket() -> None:
    folders, door = _folders(), Paths(Path("/"))
    for edge in EDGES:
        parent = str(door.socket(edge.listener, edge.connector).parent)
        assert folders[parent] == ("0711", "root", "root")
        assert parent != f"/run/{UNITS['doorward-lock.service'].one('Service', 'RuntimeDirectory')}"


def _rules(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _rights(rules: list[str]) -> dict[str, str]:
    """Which group each rule gives its devices to; a right that a later rule could still change is none."""
    found = {}
    for rule in rules:
        group, mode = re.search(r'GROUP:="([a-z-]+)"', rule), re.search(r'MODE:="(0660|0600)"', rule)
        found[rule.partition(",")[0]] = group[1] if group and mode else "anybody"
    return found


def test_devices_belong_to_one_room_and_never_to_the_group_video() -> None:
    rights = _rights(_rules((FOLDER / "udev" / "60-doorward.rules").read_text(encoding="utf-8")))
    assert set(rights.values()) == {"doorward-eye", "doorward-lock", "root"}
    assert rights['KERNEL=="vcio*"'] == "root"
    for subsystem in ("video4linux", "media", "dma_heap"):
        assert rights[f'SUBSYSTEM=="{subsystem}"'] == "doorward-eye"
    assert rights['SUBSYSTEM=="gpio"'] == "doorward-lock"


@pytest.mark.parametrize("rule", ['KERNEL=="vcio*", GROUP="video"', 'KERNEL=="vcio*", GROUP:="root", MODE="0666"'])
def test_a_rule_that_a_later_one_may_overrule_counts_as_none(rule: str) -> None:
    assert _rights([rule]) == {'KERNEL=="vcio*"': "anybody"}


def test_comments_stand_on_lines_of_their_own() -> None:
    for path in sorted((FOLDER / "system").iterdir()):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert line.startswith("#") or " #" not in line, f"{path.name}: systemd would read this comment as a value"


@pytest.mark.parametrize("text", ["User=a\n", "[Service]\nUser\n", "[Service]\n=a\n"])
def test_a_line_that_is_no_setting_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no setting"):
        parse("bad.service", text)


def test_an_empty_setting_forgets_what_was_said_before() -> None:
    unit = parse("a.service", "[Service]\nIPAddressDeny=any\nIPAddressDeny=\nIPAddressDeny=10.0.0.1\n")
    assert unit.all("Service", "IPAddressDeny") == ("10.0.0.1",)

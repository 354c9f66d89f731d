"""Whether the units say what the code says: who listens to whom, as which user, with which folders, keys and walls.

Rules kept here:
- The code is the measure: `device.edges`, `device.paths`, `device.link`, `device.service`. A unit too many is as wrong
  as one too few.
- Every disagreement is one sentence that names the unit. No sentence: they agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from device.desk.audit.folders import STATEFUL
from device.edges import EDGES, PROCESSES, Edge, Room, edges_into
from device.paths import Paths
from device.service import EXIT_REFUSED
from tools.simulator import layout
from tools.simulator.init import WATCHDOG_S
from tools.units.files import Unit

PYTHON = "/usr/lib/doorward/bin/python -I -B -m "
CONFIGURED = "/etc/doorward/door.toml"
DOOR = Paths(Path("/"))
# What closes a room's walls; every room has each of them, word for word.
WALLS: Mapping[str, str] = {
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateMounts": "yes",
    "PrivateIPC": "yes",
    "ProtectProc": "invisible",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectControlGroups": "yes",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    "RemoveIPC": "yes",
    "KeyringMode": "private",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "SystemCallArchitectures": "native",
    "SystemCallErrorNumber": "EPERM",
    "NoExecPaths": "/",
    "UMask": "0077",
    "DevicePolicy": "closed",
    "LimitCORE": "0",
    "MemorySwapMax": "0",
}
NO_NETWORK: Mapping[str, str] = {
    "PrivateNetwork": "yes",
    "RestrictAddressFamilies": "AF_UNIX",
    "IPAddressDeny": "any",
}
BOUNDS = ("MemoryMax", "TasksMax", "OOMScoreAdjust", "CPUWeight", "LogRateLimitBurst", "LogRateLimitIntervalSec")
# What a door has in every house. A keypad, a serial line and a TPM come with set-up (`device.desk.upkeep.pinned`).
DEVICES: Mapping[Room, frozenset[str]] = {
    Room.EYE: frozenset({"char-video4linux rw", "char-media rw", "char-dma_heap rw"}),
    Room.LOCK: frozenset({"char-gpiochip rw"}),
}
_COME_FIRST = frozenset({Room.KEEPER, Room.LOCK})  # what device.urgency asks for is theirs
_SENDS = Room.REPORT
_PATIENT: Mapping[str, str] = {"StartLimitIntervalSec": "10", "StartLimitBurst": "20"}
_CALMED: Mapping[str, str] = {"StartLimitIntervalSec": "60", "StartLimitBurst": "5"}
# A face is worth nothing before keeper and lock are there; report and desk can tell of a door whose keeper hangs.
_COME_LATER = frozenset({Room.EYE, Room.VAULT})


def socket_name(edge: Edge) -> str:
    """The socket unit of `edge`."""
    return f"doorward-{edge.listener}-{edge.connector}.socket"


def service_name(room: Room) -> str:
    """The service unit of `room`."""
    return f"doorward-{room}.service"


def user_of(room: Room) -> str:
    """The user `room` runs as, as `device.link.permitted_uids` expects it."""
    return "root" if room is Room.DOORCTL else f"doorward-{room}"


def disagreements(units: Mapping[str, Unit]) -> list[str]:
    """Everything in which `units` differ from the code."""
    return [*_names(units), *_sockets(units), *_services(units), *_target(units), *_everywhere(units)]


def keys_of(unit: Unit) -> frozenset[str]:
    """The names of the credentials that `unit` is handed."""
    return frozenset(value.split(":")[0] for value in unit.all("Service", "LoadCredentialEncrypted"))


def _names(units: Mapping[str, Unit]) -> Iterator[str]:
    wanted = {socket_name(edge) for edge in EDGES}
    sockets = {name for name in units if name.endswith(".socket")}
    yield from (f"{name} is missing, and device/edges.py has that edge" for name in sorted(wanted - sockets))
    yield from (f"{name} is a socket for which device/edges.py has no edge" for name in sorted(sockets - wanted))
    rooms = {service_name(room) for room in PROCESSES}
    yield from (f"{name} is missing" for name in sorted(rooms - units.keys()))
    others = {"doorward-keys.service", "doorward-again@.service"}
    services = {name for name in units if name.endswith(".service")}
    yield from (f"{name} is no room's" for name in sorted(services - rooms - others))


def _differ(unit: Unit, section: str, wanted: Mapping[str, str]) -> Iterator[str]:
    for key, value in wanted.items():
        said = unit.all(section, key)
        if said != (value,):
            yield f"{unit.name} says {key}={', '.join(said) if said else 'nothing'}, and it must be {value or 'empty'}"


def _sockets(units: Mapping[str, Unit]) -> Iterator[str]:
    for edge in EDGES:
        unit = units.get(socket_name(edge))
        if unit is None:
            continue
        wanted = {
            "ListenSequentialPacket": str(DOOR.socket(edge.listener, edge.connector)),
            "Service": service_name(edge.listener),
            "FileDescriptorName": str(edge.connector),
            "SocketUser": user_of(edge.connector),
            "SocketGroup": user_of(edge.connector),
            "SocketMode": "0600",
            "DirectoryMode": "0711",
            "RemoveOnStop": "yes",
            "TriggerLimitIntervalSec": "60",
            "TriggerLimitBurst": "6",
        }
        yield from _differ(unit, "Socket", wanted)
        yield from (
            f"{unit.name} says {key}=, which no socket of a door has"
            for section, key in unit.settings
            if section == "Socket" and key not in wanted
        )


def _services(units: Mapping[str, Unit]) -> Iterator[str]:
    for room in PROCESSES:
        unit = units.get(service_name(room))
        if unit is not None:
            yield from _service(unit, room)
            yield from _walls(unit, room)


def _service(unit: Unit, room: Room) -> Iterator[str]:
    wanted = {
        "Type": "notify",
        "NotifyAccess": "main",
        "ExecStart": f"{PYTHON}device.{room}",
        "User": user_of(room),
        "Group": user_of(room),
        "WatchdogSec": f"{WATCHDOG_S:.0f}",
        "Restart": "always",
        "RestartPreventExitStatus": str(EXIT_REFUSED),
    }
    if room is Room.LOCK:
        wanted |= {"ExecStopPost": f"{PYTHON}device.lock.secure"}
    if room is not Room.EYE:
        wanted |= {"StateDirectory": f"doorward/{room}", "StateDirectoryMode": "0700"}
    yield from _differ(unit, "Service", wanted)
    # A room that fails after seconds, again and again, would else never reach its limit, and take the processor away.
    yield from _differ(unit, "Unit", _PATIENT if room in _COME_FIRST else _CALMED)
    sockets = frozenset(socket_name(edge) for edge in edges_into(room))
    for section, key in (("Service", "Sockets"), ("Unit", "Requires")):
        if unit.words(section, key) != sockets:
            yield f"{unit.name} must have {key}= of exactly the sockets on which {room} listens"
    if not sockets <= unit.words("Unit", "After"):
        yield f"{unit.name} starts before its sockets are there"
    awaited = {service_name(first) for first in _COME_FIRST} if room in _COME_LATER else set()
    if unit.words("Unit", "After") & {service_name(other) for other in PROCESSES} != awaited:
        yield f"{unit.name} must start after {' and '.join(sorted(awaited)) or 'no other room'}"
    keys = frozenset({f"{room}.key"} if room in layout.KEYED_ROOMS else ()) | (
        frozenset({"osdp.key"}) if room is Room.LOCK else frozenset()
    )
    if keys_of(unit) != keys:
        yield f"{unit.name} is handed {', '.join(sorted(keys_of(unit))) or 'no key'}, and not what {room} reads"
    if room in STATEFUL and not unit.all("Service", "StateDirectory"):
        yield f"{unit.name} has no folder for the state of {room}"


def _walls(unit: Unit, room: Room) -> Iterator[str]:
    yield from _differ(unit, "Service", WALLS)
    if room is _SENDS:
        yield from _differ(unit, "Service", {"RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6"})
    else:
        yield from _differ(unit, "Service", NO_NETWORK)
    if unit.all("Service", "SystemCallFilter")[:2] != ("@system-service", "~@privileged @resources"):
        yield f"{unit.name} must begin its system calls with @system-service, without @privileged and @resources"
    if room in _COME_FIRST:
        yield from _differ(unit, "Service", {"LimitRTPRIO": "1", "RestrictRealtime": "no"})
    else:
        yield from _differ(unit, "Service", {"RestrictRealtime": "yes"})
    devices = DEVICES.get(room, frozenset())
    if frozenset(unit.all("Service", "DeviceAllow")) != devices:
        yield f"{unit.name} may open {sorted(unit.all('Service', 'DeviceAllow'))}, and {room} needs {sorted(devices)}"
    if not devices:
        yield from _differ(unit, "Service", {"PrivateDevices": "yes"})
    yield from (f"{unit.name} has no {key}=" for key in BOUNDS if not unit.one("Service", key))


def _target(units: Mapping[str, Unit]) -> Iterator[str]:
    target = units.get("doorward.target")
    if target is None:
        yield "doorward.target is missing"
        return
    if target.words("Unit", "Wants") != {service_name(room) for room in PROCESSES}:
        yield "doorward.target must want exactly the six rooms"
    if target.all("Unit", "Requires"):
        yield "doorward.target requires a room: then the door ends with it"


def _everywhere(units: Mapping[str, Unit]) -> Iterator[str]:
    for unit in units.values():
        awaited = unit.words("Unit", "After") | unit.words("Unit", "Wants") | unit.words("Unit", "Requires")
        if any(word.startswith("network") for word in awaited):
            yield f"{unit.name} waits for the network"
        if unit.all("Service", "SupplementaryGroups"):
            yield f"{unit.name} is in a further group; a device belongs to the group of one room"
        kind = unit.name.rpartition(".")[2]
        conditions = unit.all("Unit", "ConditionPathExists")
        if kind in {"service", "socket", "target"} and "@" not in unit.name and CONFIGURED not in conditions:
            yield f"{unit.name} starts before there is a {CONFIGURED}"
        if unit.all("Unit", "StartLimitAction") or unit.all("Unit", "FailureAction"):
            yield f"{unit.name} acts on the whole machine when it fails"

"""Every wall that is missing fails the audit, alone and by its name; a room behind all of them passes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from device.desk.audit import walls_judged
from device.desk.audit.finding import State
from device.desk.audit.walls_expected import NETWORKED, Expected, Node
from device.desk.network.permitted import Called, Place
from device.edges import PROCESSES, Room
from tests.unit.desk.audit import walls_door as at
from tests.unit.desk.audit.walls_door import alone, answers, gaps, process, room, states

WALLS = ("user", "network", "memory", "sockets", "devices", "reach")
APART = tuple(each for each in PROCESSES if each not in NETWORKED)
CHILD = process(pid=71)


@pytest.mark.parametrize("which", PROCESSES)
def test_a_room_behind_all_its_walls_passes(which: Room) -> None:
    assert states(room(which)) == dict.fromkeys(WALLS, State.OK)


PROCESS_FAULTS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("another user", {"uids": frozenset({at.UID, 0})}, "user"),
    ("no user at all", {"uids": frozenset()}, "user"),
    ("root's group", {"gids": frozenset({0})}, "user"),
    ("the camera's group beside its own", {"groups": frozenset({at.GID, 44})}, "user"),
    ("a capability", {"capabilities": 1 << 21}, "user"),
    ("new privileges", {"no_new_privileges": False}, "user"),
    ("no filter", {"filtered": False}, "sockets"),
    ("memory in swap", {"swap_kb": 4}, "memory"),
    ("a kernel that does not say", {"swap_kb": None}, "memory"),
    ("a core limit that can be raised", {"core_limits": ("0", "unlimited")}, "memory"),
    ("no core limit known", {"core_limits": ()}, "memory"),
    ("dumpable", {"dumpable": True}, "memory"),
)


@pytest.mark.parametrize(("fault", "wall"), [each[1:] for each in PROCESS_FAULTS], ids=[f[0] for f in PROCESS_FAULTS])
@pytest.mark.parametrize("which", PROCESSES)
def test_what_is_wrong_with_one_process_is_caught_and_in_a_child_as_well(
    which: Room, fault: dict[str, Any], wall: str
) -> None:
    assert gaps(room(which, processes=(process(**fault),))) == [wall]
    assert gaps(room(which, processes=(process(), replace(CHILD, **fault)))) == [wall]


ROOM_FAULTS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("a unit that permits core dumps", {"core_limit": "infinity"}, "memory"),
    ("a unit that says nothing", {"core_limit": ""}, "memory"),
    ("swap", {"swap_barred": False}, "memory"),
    ("a unit that was changed", {"reload": True}, "user"),
    ("it traces", {"answers": answers(traces=True)}, "sockets"),
    ("another room's ring", {"answers": answers(files=("the folder of vault",))}, "reach"),
    ("another room's memory", {"answers": answers(memory=(80,))}, "reach"),
    ("a trial that says nothing", {"answers": answers(asked=False)}, "devices"),
)


@pytest.mark.parametrize(("fault", "wall"), [each[1:] for each in ROOM_FAULTS], ids=[each[0] for each in ROOM_FAULTS])
@pytest.mark.parametrize("which", PROCESSES)
def test_what_is_wrong_with_a_room_is_caught(which: Room, fault: dict[str, Any], wall: str) -> None:
    assert gaps(room(which, **fault)) == [wall]


@pytest.mark.parametrize("which", APART)
@pytest.mark.parametrize(
    "network",
    [
        alone(own=False),
        alone(interfaces=frozenset({"eth0"})),
        alone(routes=frozenset({"wlan0"})),
        alone(listens=frozenset({"@hidden"})),
    ],
    ids=["the machine's", "a cable", "a route", "a socket of its own"],
)
def test_a_room_with_a_network_is_caught(which: Room, network: Any) -> None:
    assert gaps(room(which, networks=(network,))) == ["network"]
    assert gaps(room(which, networks=(alone(), network))) == ["network"], "of a child"


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_PACKET", "AF_BLUETOOTH", "AF_VSOCK"])
@pytest.mark.parametrize("which", PROCESSES)
def test_a_socket_that_could_be_made_is_caught_where_it_may_not(which: Room, family: str) -> None:
    may = which in NETWORKED and family in ("AF_INET", "AF_INET6")
    assert gaps(room(which, answers=answers(families=(family,)))) == ([] if may else ["sockets"])


@pytest.mark.parametrize("which", PROCESSES)
def test_a_room_that_waits_for_calls_is_caught(which: Room) -> None:
    assert gaps(room(which, calls=frozenset({Place("0.0.0.0", 1883, "tcp")}))) == ["network"]  # noqa: S104 - not bound


ANYWHERE, CHOSEN = Place("::", 8443, "tcp"), Place("192.168.1.20", 8443, "tcp")


@pytest.mark.parametrize(
    ("which", "waits", "page", "missing"),
    [
        (Room.DESK, {ANYWHERE}, Called(8443), []),
        (Room.DESK, {CHOSEN}, Called(8443, "192.168.1.20"), []),
        (Room.DESK, {ANYWHERE}, Called(8443, "192.168.1.20"), ["network"]),
        (Room.DESK, {ANYWHERE}, Called(443), ["network"]),
        (Room.DESK, {ANYWHERE}, None, ["network"]),
        (Room.DESK, {ANYWHERE, CHOSEN}, Called(8443, "192.168.1.20"), ["network"]),
        (Room.REPORT, {ANYWHERE}, Called(8443), ["network"]),
        (Room.VAULT, {ANYWHERE}, Called(8443), ["network"]),
    ],
    ids=["everywhere", "one address", "not there", "not that port", "no page", "a second one", "report", "vault"],
)
def test_desk_alone_may_wait_for_browsers_and_only_where_door_toml_has_the_page(
    which: Room, waits: set[Place], page: Called | None, missing: list[str]
) -> None:
    stands, expected = room(which, calls=frozenset(waits)), replace(at.EXPECTED, page=page)
    assert [each for each, state in states(stands, expected).items() if state is State.FAILED] == missing
    told = next(each.sentence for each in walls_judged.findings(stands, expected, at.ALL) if "network" in each.name)
    assert (str(next(iter(waits))) in told) or len(waits) > 1, "it is told where anybody may call"


def test_filters_that_cannot_be_read_are_not_said_to_stand() -> None:
    unknown = room(Room.EYE, answers=answers(hidden="this kernel hides them", families=("AF_INET",), filters=0))
    assert states(unknown)["sockets"] is State.SKIPPED
    assert gaps(replace(unknown, processes=(process(filtered=False),))) == ["sockets"]


def test_walls_that_could_not_be_tried_fail() -> None:
    assert gaps(room(Room.VAULT, answers="it ended meanwhile")) == ["sockets", "devices", "reach"]


# ---- devices: who may open what

OPENS = {
    Room.EYE: {at.CAMERA, at.HEAP},
    Room.LOCK: {at.CHIP, at.KEYPAD, at.LINE},
    Room.VAULT: {at.TPM},
    Room.KEEPER: set[Node](),
    Room.REPORT: set[Node](),
    Room.DESK: set[Node](),
}
PASSES = {
    **{which: {*nodes, at.CLOCK} for which, nodes in OPENS.items()},
    Room.LOCK: {*OPENS[Room.LOCK], at.CLOCK, at.OTHER_KEYS, at.OTHER_LINE, at.TPM},
    Room.VAULT: {at.TPM, at.CLOCK},
    Room.KEEPER: {at.TPM, at.CLOCK},
}


@pytest.mark.parametrize("node", at.NODES, ids=lambda node: node.path)
@pytest.mark.parametrize("which", PROCESSES)
def test_a_device_opens_to_its_room_alone(which: Room, node: Node) -> None:
    opened = room(which, answers=answers(devices=(node.path,), group_devices=(node.path,)))
    assert gaps(opened) == ([] if node in OPENS[which] else ["devices"])


@pytest.mark.parametrize("node", at.NODES, ids=lambda node: node.path)
@pytest.mark.parametrize("which", PROCESSES)
def test_a_control_group_that_lets_too_much_through_is_caught_although_nothing_opens(which: Room, node: Node) -> None:
    passed = room(which, answers=answers(group_devices=(node.path,)))
    assert gaps(passed) == ([] if node in PASSES[which] else ["devices"])


def test_without_settings_no_room_may_open_a_keypad_a_line_or_a_tpm() -> None:
    nothing = Expected()
    for node in (at.KEYPAD, at.LINE, at.TPM):
        assert not any(nothing.may_open(which, node) for which in PROCESSES)


def test_the_sentence_names_what_opens_and_the_fault_names_the_device() -> None:
    well = room(Room.LOCK, answers=answers(devices=(at.CHIP.path, at.KEYPAD.path)))
    found = walls_judged.devices(well, at.EXPECTED, at.ALL)
    assert found.sentence.endswith("/dev/gpiochip0, /dev/input/event3")
    bad = room(Room.DESK, answers=answers(devices=(at.CHIP.path,)))
    assert "/dev/gpiochip0" in walls_judged.devices(bad, at.EXPECTED, at.ALL).sentence


# ---- sockets of the house

SOCKETS = {
    "/run/doorward/eye/lock.sock": "of user 5, mode 0600",
    "/run/doorward/desk/doorctl.sock": "of user 0, mode 0600",
}


def test_the_sockets_of_the_table_pass_and_every_difference_is_caught() -> None:
    one, other = SOCKETS
    assert walls_judged.listeners(SOCKETS, SOCKETS).state is State.OK
    for wrong in (
        {one: SOCKETS[one]},
        {**SOCKETS, "/run/doorward/eye/desk.sock": "of user 6, mode 0600"},
        {**SOCKETS, other: "of user 0, mode 0666"},
        {**SOCKETS, other: "of user 5, mode 0600"},
        {},
    ):
        assert walls_judged.listeners(wrong, SOCKETS).state is State.FAILED

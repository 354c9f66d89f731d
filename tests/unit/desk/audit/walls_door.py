"""A room that stands behind all its walls, for tests that take one of them away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from device.desk.audit.finding import State
from device.desk.audit.walls_expected import COMMON, Expected, Node
from device.desk.audit.walls_inside import Answers
from device.desk.audit.walls_judged import Stands, findings
from device.desk.audit.walls_process import Network, Seen
from device.edges import Room

UID, GID, TSS = 801, 901, 117
CHIP, CAMERA, HEAP = (
    Node("/dev/gpiochip0", "gpio"),
    Node("/dev/video0", "video4linux"),
    Node("/dev/dma_heap/a", "dma_heap"),
)
KEYPAD, OTHER_KEYS = Node("/dev/input/event3", "input"), Node("/dev/input/event0", "input")
LINE, OTHER_LINE, BUILT_IN = Node("/dev/ttyUSB0", "tty"), Node("/dev/ttyUSB1", "tty"), Node("/dev/ttyS0", "tty")
TPM, CLOCK = Node("/dev/tpmrm0", "tpmrm"), Node("/dev/rtc0", "rtc")
DISK, MEMORY, NOWHERE = Node("/dev/vda1", "block"), Node("/dev/mem", "mem"), Node("/dev/strange", "")
NODES = (CHIP, CAMERA, HEAP, KEYPAD, OTHER_KEYS, LINE, OTHER_LINE, BUILT_IN, TPM, CLOCK, DISK, MEMORY, NOWHERE)
EVERYBODYS = tuple(Node(f"/dev/{name}", "mem") for name in sorted(COMMON))
ALL = (*NODES, *EVERYBODYS)
EXPECTED = Expected(keypad=KEYPAD.path, line=LINE.path, tpm=TPM.path, tpm_rooms=frozenset({Room.VAULT}))


def process(**changes: Any) -> Seen:
    """A process of the room as it should be, but for `changes`."""
    well = Seen(
        pid=70,
        uids=frozenset({UID}),
        gids=frozenset({GID}),
        groups=frozenset({GID}),
        capabilities=0,
        no_new_privileges=True,
        filtered=True,
        swap_kb=0,
        core_limits=("0", "0"),
        dumpable=False,
    )
    return replace(well, **changes)


def alone(**changes: Any) -> Network:
    """A network namespace with nothing in it, but for `changes`."""
    return replace(Network(own=True, interfaces=frozenset(), routes=frozenset(), listens=frozenset()), **changes)


def answers(**changes: Any) -> Answers:
    """Nothing forbidden could be done, but for `changes`."""
    own = tuple(node.path for node in EVERYBODYS)
    well = Answers(
        group_devices=own,
        devices=own,
        files=(),
        families=(),
        memory=(),
        traces=False,
        asked=True,
        filters=30,
        hidden="",
    )
    return replace(well, **changes)


def room(which: Room, **changes: Any) -> Stands:
    """The room as it should be, but for `changes`."""
    well = Stands(
        room=which,
        uids=frozenset({UID}),
        gids=frozenset({GID}),
        more_groups=frozenset(),
        processes=(process(),),
        networks=(alone(own=which is not Room.REPORT),),
        calls=frozenset(),
        core_limit="0",
        swap_barred=True,
        reload=False,
        answers=answers(families=("AF_INET", "AF_INET6") if which is Room.REPORT else ()),
    )
    return replace(well, **changes)


def states(stands: Stands, expected: Expected = EXPECTED) -> dict[str, State]:
    """How each wall was found, by its name without the room's."""
    return {each.name.removeprefix(f"{stands.room} "): each.state for each in findings(stands, expected, ALL)}


def gaps(stands: Stands) -> list[str]:
    """The walls that are missing."""
    return [name for name, state in states(stands).items() if state is State.FAILED]

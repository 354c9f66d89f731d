"""The residents' page on a real machine: real sockets of systemd, desk behind its unit's walls, callers on real cables.

The door's page is shut as the tests begin; they are in the order in which its life goes on. What a resident does with a
face there is in `test_faces.py`, at a door that has one.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest

from device.desk.upkeep.page_units import SOCKET
from device.edges import Room
from tests.support.door import Said
from tests.support.ports import own_port
from tests.support.vm import journal, told
from tests.support.vm_desk import STANDS, behind
from tests.support.vm_door import BOLT, PATIENCE_S, OnMachine, unit
from tests.support.vm_page import (
    ANSWERED,
    DOOR,
    FAR_AWAY,
    GATEWAY,
    HERE,
    NEIGHBOUR,
    SHOWN_OUT,
    SILENCE,
    Telephone,
    arm,
    called,
    fill,
    full_disk,
    opened,
    pause,
    sits_down,
    types_code,
    until,
)
from tests.support.vm_resident import PIN, RIGHT, SLOT, with_a_resident
from tools.vm.machine import PAGE_PORT

LISTENS_S: Final = 10  # by the guest's clock, which listening keeps busy
PEM: Final = "/var/lib/doorward/desk/page/page.pem"
SAID_S: Final = 120.0


@pytest.fixture(scope="module")
def port() -> int:
    """Where this computer calls the page."""
    return own_port()


@pytest.fixture(scope="module")
def door(port: int) -> Iterator[OnMachine]:
    with with_a_resident(page_port=port) as made:
        yield made


@pytest.fixture
def telephone(port: int) -> Iterator[Telephone]:
    with Telephone(port) as held:
        yield held


def restarted(door: OnMachine) -> None:
    """Start desk and its socket anew, as after a change of their units: shut, with nobody in it."""
    agent = door.machine.agent
    agent.ask(
        f"systemctl daemon-reload; systemctl stop {unit(Room.DESK)} {SOCKET.name}; systemctl start {unit(Room.DESK)}"
    )
    door.well()


def listened(door: OnMachine, meanwhile: str) -> Said:
    """`doorctl audit --network`, while somebody at the address `meanwhile` calls the page and stays for a while."""
    agent = door.machine.agent
    words = f"doorctl audit --network --seconds {LISTENS_S} --json"
    command = f"{words} >/run/network.out 2>/run/network.err; echo $? >/run/network.code"
    agent.ask(f"rm -f /run/network.*; systemd-run -q --collect --unit=network sh -c '{command}'")
    agent.until("ss -H0l | grep -q .", "an audit that listens")  # its packet sockets
    told(f"{meanwhile} heard: {called(door, DOOR, meanwhile, stays_s=3)}")
    code = int(agent.until("test -s /run/network.code && cat /run/network.code", "the end of the audit", PATIENCE_S))
    return Said(code, agent.ask("cat /run/network.out"), agent.ask("cat /run/network.err"))


def checks(said: Said) -> dict[str, tuple[str, str]]:
    """Of each finding its state and its sentence."""
    return {each["name"]: (each["state"], each["sentence"]) for each in said.facts["checks"]}


def test_a_page_that_nobody_armed_hangs_up_before_tls(door: OnMachine, telephone: Telephone) -> None:
    """Everybody who calls, from the machine itself and from the house, before any of its code has loaded the web."""
    waits = door.machine.agent.ask(f"ss -Hltnp sport = :{PAGE_PORT}")
    main = door.machine.agent.ask(f"systemctl show -P MainPID {unit(Room.DESK)}").strip()
    assert f"pid={main}," in waits, "nobody waits there: that nothing is served says nothing"
    assert {called(door, to, by) for to, by in ((HERE, HERE), (DOOR, NEIGHBOUR))} == {SHOWN_OUT}
    assert not telephone.answered


def test_a_resident_sees_what_is_held_by_a_code_typed_with_the_pin_and_leaves(
    door: OnMachine, telephone: Telephone, port: int
) -> None:
    watch = door.lines.watch()
    opened(door, telephone)
    with Telephone(port) as somebody:
        somebody.goes()
        types_code(door, telephone.code, SLOT, "905217")  # no PIN of theirs
        assert not telephone.sits
        types_code(door, telephone.code, SLOT, PIN)
        until(lambda: telephone.sits, "the sitting", lambda: pause(door))
        assert not somebody.sits, "a code that was not typed"
        assert "/export.json" not in somebody.goes("/export")
    assert telephone.held()["state"] == "none"
    assert "There is no history here" in telephone.goes()
    telephone.sends("/leave")
    assert not telephone.sits
    assert not any(change.high for change in watch.changes(BOLT)), "the page opened the door"


def test_it_is_answered_within_the_house_alone(door: OnMachine) -> None:
    arm(door)
    heard = {by: called(door, DOOR, by) for by in (NEIGHBOUR, FAR_AWAY)}
    heard[HERE] = called(door, HERE, HERE)
    assert heard == {NEIGHBOUR: ANSWERED, HERE: ANSWERED, FAR_AWAY: SILENCE}


def test_the_audit_of_the_network_names_who_called_the_page(door: OnMachine) -> None:
    arm(door)
    said = listened(door, NEIGHBOUR)
    assert checks(said)["page"] == ("ok", f"called by {NEIGHBOUR}, and by nobody from beyond the local network")
    assert checks(said)["rooms"][0] == "ok"
    assert (said.code, said.facts["callers"]) == (0, [NEIGHBOUR])
    assert {each["who"] for each in said.facts["processes"]} == {Room.DESK}


def test_seeded_fault_a_socket_without_its_wall_answers_the_world_and_the_audit_says_so(door: OnMachine) -> None:
    agent, broken = door.machine.agent, f"/run/systemd/system/{SOCKET.name}.d/99-broken.conf"
    agent.put(broken, b"[Socket]\nIPAddressAllow=any\n")
    restarted(door)
    arm(door)
    assert called(door, DOOR, FAR_AWAY) == ANSWERED, "nobody could have called from there in any case"
    said = listened(door, FAR_AWAY)
    assert checks(said)["page"] == ("failed", f"it answered {FAR_AWAY}, from beyond the local network")
    assert said.code == 1
    agent.ask(f"rm {broken}")
    restarted(door)
    arm(door)
    assert called(door, DOOR, FAR_AWAY) == SILENCE


def test_nothing_behind_desks_walls_reaches_another_room_or_the_network(door: OnMachine) -> None:
    """It is handed the page's socket, and that is all the network it has."""
    assert behind(door) == STANDS


THE_MACHINES = ("whatever links the machine has",)


@pytest.mark.parametrize(
    ("without", "more", "fallen"),
    [
        (("PrivateNetwork",), "", {"links": THE_MACHINES}),
        (("RestrictAddressFamilies",), "", {"socket": True}),
        (
            ("InaccessiblePaths", "CapabilityBoundingSet", "User", "Group", "SystemCallFilter"),
            "CapabilityBoundingSet=CAP_DAC_READ_SEARCH",
            {"rooms": ["vault", "keeper", "lock", "report"], "keys": True},
        ),
    ],
    ids=["the machine's network", "sockets of a network", "root without blinds"],
)
def test_seeded_fault_a_unit_without_one_wall_is_found_out(
    door: OnMachine, without: tuple[str, ...], more: str, fallen: dict[str, Any]
) -> None:
    if fallen.get("links") is THE_MACHINES:
        # Others of this file lay a cable to the street, or have not yet.
        fallen = {"links": sorted(door.machine.agent.ask("ls /sys/class/net").split())}
        assert "eth0" in fallen["links"]
    assert behind(door, without, more) == replace(STANDS, **fallen)


def test_desk_killed_in_the_middle_of_a_sitting_ends_it_and_opens_nothing(
    door: OnMachine, telephone: Telephone
) -> None:
    sits_down(door, telephone, SLOT, PIN)
    restarts, watch = door.restarts(Room.DESK), door.lines.watch()
    door.kill(Room.DESK)
    door.machine.agent.until(f"[ $(systemctl show -P NRestarts {unit(Room.DESK)}) -gt {restarts} ]", "a new start")
    door.well()
    assert not telephone.answered, "it is shut again, and hangs up"
    opened(door, telephone)
    assert not telephone.sits
    assert "/export.json" not in telephone.goes("/export")
    assert not any(change.high for change in watch.changes(BOLT))
    door.lets_in(f"*{RIGHT}")  # 012 # waits for the rest of its row; * clears it


def test_a_full_disk_under_the_page_is_one_sentence_and_loses_nothing(door: OnMachine, telephone: Telephone) -> None:
    """The certificate is gone as well, so that the page has something to write; what was there comes back by itself."""
    agent = door.machine.agent
    with full_disk(door):
        sits_down(door, telephone, SLOT, PIN)
        assert telephone.held()["state"] == "none", "what needs no room is shown"
        agent.ask(f"rm {PEM}")
        fill(door)
        since = agent.ask("date +%s").strip()
        restarted(door)
        says = f"journalctl --no-pager -o cat -u {unit(Room.DESK)} --since @{since}"
        agent.until(f"{says} | grep -q 'the page: '", "what desk says of it", SAID_S)
        lines = [line for line in agent.ask(says).splitlines() if "the page: " in line]
        told(lines[0])
        assert set(lines) == {lines[0]}
        door.lets_in(RIGHT)
    agent.until(f"test -s {PEM}", "a certificate, once there is room for it", SAID_S)
    opened(door, telephone)
    assert door.well()["rooms"][Room.DESK]
    said = journal(door.machine, unit(Room.DESK))
    assert "Traceback" not in said
    assert not [each for each in (GATEWAY, NEIGHBOUR, FAR_AWAY) if each in said], "callers stand in the journal"

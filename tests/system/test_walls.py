"""`doorctl audit` on a booted machine: every wall of every room stands, and one that is taken away is missed.

The broken units are drop-ins, as somebody might write them who wants something to work. All faults are there at once,
each at a wall of its own, so that one audit shows that each is caught and that no other wall is called broken.
"""

import json
from dataclasses import dataclass

import pytest

from device.desk.audit.folders import STATEFUL
from device.edges import PROCESSES, Room
from tests.support.vm_door import OnMachine, all_active, unit
from tools.vm.machine import Machine

AUDIT_S = 600.0  # an emulated processor that others use as well; a quiet one needs a fraction
WALLS = ("user", "network", "memory", "sockets", "devices", "reach")
BROKEN = {
    Room.VAULT: "PrivateNetwork=no",
    Room.REPORT: "DeviceAllow=/dev/gpiochip0 rw",
    Room.KEEPER: "LimitCORE=infinity",
    Room.EYE: "RestrictAddressFamilies=\nRestrictAddressFamilies=AF_UNIX AF_INET",
    Room.DESK: "SupplementaryGroups=video",
    Room.LOCK: "SystemCallFilter=@debug",
}
FAULTS = {
    Room.VAULT: ("vault network", "stands in the network of the machine"),
    Room.REPORT: ("report devices", "/dev/gpiochip0"),
    Room.KEEPER: ("keeper memory", "LimitCORE=infinity"),
    Room.EYE: ("eye sockets", "AF_INET"),
    Room.DESK: ("desk user", "is in group"),
    Room.LOCK: ("lock sockets", "trace"),
}
# Beside the units: a file of root's where only report's belong, and an open folder. report and desk have a second wall.
FOREIGN, OPEN = "report state", frozenset({"eye reach", "vault reach", "keeper reach"})
# Whom nobody may call waits for calls: a process of keeper's user, at every address.
CALLED, _CALLED_AT = "keeper network", "0.0.0.0:9000/tcp"
_CALLABLE = "import socket, time; s = socket.create_server(('', 9000)); time.sleep(10**6)"
_FOREIGN_FILE = "/var/lib/doorward/report/foreign"
_LISTENER = "/run/doorward/eye/desk.sock"
_LISTENING = f"import socket, time; s = socket.socket(1, 5); s.bind('{_LISTENER}'); s.listen(); time.sleep(10**6)"


@dataclass(frozen=True)
class Audited:
    """What one audit said: its exit code, and of each check how it was found and the sentence."""

    code: int
    states: dict[str, str]
    sentences: dict[str, str]
    facts: dict[str, object]

    @property
    def failing(self) -> frozenset[str]:
        return frozenset(name for name, state in self.states.items() if state == "failed")


def audited(machine: Machine) -> Audited:
    said = machine.agent.run("doorctl audit --json", limit_s=AUDIT_S)
    facts = json.loads(said.out)
    checks = facts["checks"]
    states = {each["name"]: each["state"] for each in checks}
    assert len(states) == len(checks), "no name twice"
    return Audited(said.code, states, {each["name"]: each["sentence"] for each in checks}, facts)


def restarted(door: OnMachine) -> None:
    units, agent = " ".join(map(unit, PROCESSES)), door.machine.agent
    # Six starts at once on an emulated processor: one that takes too long is started again by systemd.
    agent.ask(f"systemctl daemon-reload; systemctl restart --no-block {units}")
    agent.until(f"systemctl list-jobs | grep -q 'No jobs' && {all_active(PROCESSES)}", "all rooms again", AUDIT_S)
    door.well()


@pytest.fixture(scope="module")
def restarts(door: OnMachine) -> list[int]:
    """How often each room was started anew before the first audit."""
    return [door.restarts(room) for room in PROCESSES]


@pytest.fixture(scope="module")
def whole(door: OnMachine, restarts: list[int]) -> Audited:
    """The door as the package and set-up left it."""
    assert len(restarts) == len(PROCESSES)
    return audited(door.machine)


@pytest.fixture(scope="module")
def broken(door: OnMachine, whole: Audited) -> Audited:
    """The same door with a fault in each room."""
    assert not whole.failing
    agent = door.machine.agent
    for room, lines in BROKEN.items():
        agent.put(f"/run/systemd/system/{unit(room)}.d/99-broken.conf", f"[Service]\n{lines}\n".encode())
    restarted(door)
    agent.ask(f"touch {_FOREIGN_FILE}; chmod 0755 /var/lib/doorward/lock")
    agent.ask(f'systemd-run -q --collect --unit=listener python3 -c "{_LISTENING}"')
    agent.until(f"test -S {_LISTENER}", "a socket that nobody expects")
    agent.ask(f'systemd-run -q --collect --unit=callable -p User=doorward-keeper python3 -c "{_CALLABLE}"')
    agent.until("ss -Hltn sport = :9000 | grep -q .", "somebody who can be called")
    return audited(door.machine)


def test_every_wall_of_every_room_stands(whole: Audited) -> None:
    wanted = {f"{room} {wall}" for room in PROCESSES for wall in WALLS}
    wanted |= {f"{room} state" for room in (*STATEFUL, Room.DESK)} | {"doors of rooms"}
    assert {name: whole.states.get(name) for name in wanted} == dict.fromkeys(wanted, "ok")
    assert (whole.code, whole.failing) == (0, frozenset())


def test_it_says_who_can_be_called_and_where(whole: Audited) -> None:
    """The socket of the page, which systemd made and handed to desk: desk itself can make none of its kind."""
    assert "handed the socket of the residents' page, [::]:8443/tcp" in whole.sentences["desk network"]
    assert "AF_INET" not in whole.sentences["desk sockets"]
    assert not any("8443" in whole.sentences[f"{room} network"] for room in PROCESSES if room is not Room.DESK)


def test_it_says_which_device_opens_to_whom(whole: Audited) -> None:
    assert "/dev/gpiochip0" in whole.sentences["lock devices"]
    for room in (Room.VAULT, Room.KEEPER, Room.REPORT, Room.DESK):
        assert whole.sentences[f"{room} devices"].endswith("none")
    assert "AF_INET" in whole.sentences["report sockets"]


def test_the_door_did_not_notice_that_it_was_audited(door: OnMachine, whole: Audited, restarts: list[int]) -> None:
    assert whole.code == 0
    assert [door.restarts(room) for room in PROCESSES] == restarts
    assert all(door.well()["rooms"].values())


def test_who_is_not_root_is_told_so(door: OnMachine) -> None:
    said = door.machine.agent.run("setpriv --reuid=nobody --regid=nogroup --clear-groups doorctl audit --json")
    found = {each["name"]: each for each in json.loads(said.out)["checks"]}
    assert (said.code, found["walls"]["state"]) == (1, "failed")
    assert "sudo" in found["walls"]["sentence"]


@pytest.mark.parametrize("room", FAULTS)
def test_a_wall_that_a_unit_took_away_fails_the_audit(broken: Audited, room: Room) -> None:
    wall, words = FAULTS[room]
    assert broken.states[wall] == "failed"
    assert words in broken.sentences[wall]
    assert broken.code == 1


def test_a_room_that_can_be_called_fails_it(broken: Audited) -> None:
    assert broken.states[CALLED] == "failed"
    assert _CALLED_AT in broken.sentences[CALLED]
    assert "8443" in broken.sentences["desk network"]


def test_a_foreign_file_an_open_folder_and_a_strange_socket_fail_it_too(broken: Audited) -> None:
    assert {FOREIGN, "doors of rooms", *OPEN} <= broken.failing
    assert _LISTENER in broken.sentences["doors of rooms"]
    assert "foreign" not in broken.sentences[FOREIGN]


def test_no_other_wall_is_called_broken(broken: Audited) -> None:
    assert broken.failing == {wall for wall, _ in FAULTS.values()} | {FOREIGN, CALLED, "doors of rooms"} | OPEN

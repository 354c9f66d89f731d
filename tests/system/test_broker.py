"""A door on a real machine that joins a fleet and reports to a real broker, over the one wire that leaves the machine.

The guest's only way out is a relay to Mosquitto on this computer's loopback, at 10.0.2.100:8883. The witness logs in
there as a manager and keeps the bytes as they came; how soon an alarm is there is told by this computer's clock.
"""

import json
import shlex
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nacl.pwhash import argon2id

from device.report.envelope import SIZE
from provisioning import fleet as fleets
from provisioning import keys, labels
from provisioning.labels import Plan, Where
from tests.support.office import Office
from tests.support.ports import own_port
from tests.support.room_process import short_root
from tests.support.site import HOST, context_of
from tests.support.vm import booted, journal, told
from tests.support.vm_door import DOOR, LAMP, OnMachine, unit
from tools.broker import INSTALL, PROGRAM, Mosquitto, Seen, Witness
from tools.vm.machine import BROKER_ADDRESS, BROKER_PORT
from tools.vm.say import VmFault

NAME, SLOT, PIN = "Front", 12, "482913"
RIGHT = f"{SLOT}#{PIN}#"
CADENCE_S = 20
PATIENCE_S = 180.0
AT_ONCE_S = 10.0  # of an emulated processor that others use; half of the cadence, so that no report can be meant
DAY_S = 86_400


class Manager(Witness):
    """A witness with a manager's certificate. The broker keeps what comes while it is away."""

    def __init__(self, office: Office) -> None:
        super().__init__(Mosquitto(office.root, office.port), "doorward/#", "watch")
        login = office.root / "watch"
        ca, pem, key = (login / name for name in ("ca.pem", "manager.pem", "manager.key"))
        self._client.tls_set_context(context_of(ca.read_bytes(), pem, key))

    def of(self, ending: str, already: int, timeout_s: float = PATIENCE_S) -> list[Seen]:
        """The messages on topics with this ending, as soon as there are more than `already`."""
        self.wait_for(lambda _: len(self.on(ending)) > already, timeout_s)
        return self.on(ending)

    @property
    def told(self) -> list[tuple[str, int]]:
        """Which start of report said what number, in the order in which it came, each message once."""
        said = [json.loads(each.payload) for each in self.seen if each.topic.endswith(("/report", "/alarm"))]
        return list(dict.fromkeys((each["run"], each["seq"]) for each in said))


@dataclass
class Joined:
    """A door that reports, its manager's office, and what came there."""

    door: OnMachine
    office: Office
    manager: Manager


def at_work(root: Path) -> Office:
    """An office whose broker doors call by the one address that the machine reaches."""
    office = Office(root, own_port(3), hosts=(HOST, BROKER_ADDRESS))
    office.begin(office.now_unix - DAY_S)
    office.start()
    return office


def join(door: OnMachine, office: Office, folder: Path) -> None:
    """By a label and two files, as somebody does who stands at the door with a laptop."""
    office.done("door", "add", NAME, "--no-label")
    plan = Plan.of(office.folder, Where(BROKER_ADDRESS, BROKER_PORT), 14, office.now_unix)
    label = labels.make(fleets.open_fleet(office.folder), NAME, plan)
    agent = door.machine.agent
    agent.put("/root/label", label.text().encode())
    agent.until("doorctl join --label /root/label --json || doorctl join --json", "a door that took its label")
    asked = agent.until("rm -f /root/asked; doorctl join --out /root/asked --json", "what the door asks", 600)
    request, answer = folder / "request", folder / "answer"
    request.write_bytes(bytes.fromhex(agent.ask("od -A n -v -t x1 /root/asked").replace("\n", "")))
    shown = json.loads(asked.splitlines()[-1])["fingerprint"]
    office.done("door", "approve", NAME, str(request), "--fingerprint", shown, "--out", str(answer))
    agent.put("/root/answer", answer.read_bytes())
    agent.ask("doorctl join --answer /root/answer")


def move_in(door: OnMachine, office: Office) -> None:
    """The manager offers a place; its document comes by the broker, and the resident sets a PIN."""
    made = office.done("slot", "offer", "--door", NAME, "--slot", str(SLOT))
    office.done("door", "send", NAME, str(made["document"]))
    took = f"doorctl status --json | python3 -c 'import json, sys; sys.exit(json.load(sys.stdin)[\"documents\"] < 1)'"
    with suppress(VmFault):
        door.machine.agent.until(took, "the document", 5)
    door.acts(lambda: door.press(f"00#{SLOT}#{made['invitation']}#{PIN}#{PIN}#"))


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Joined]:
    if not Path(PROGRAM).exists():
        pytest.fail(INSTALL, pytrace=False)
    with pytest.MonkeyPatch.context() as patch, short_root() as root:
        patch.setattr(keys, "AT_REST", keys.Hardness(argon2id.OPSLIMIT_MIN, argon2id.MEMLIMIT_MIN))
        root.chmod(0o755)  # Mosquitto becomes another user
        office = at_work(root)
        try:
            with booted(broker_port=office.port) as machine, Manager(office) as manager:
                door = OnMachine(machine, joined=False, more=f"[report]\ncadence_s = {CADENCE_S}\n")
                try:
                    door.begin()
                    join(door, office, tmp_path_factory.mktemp("papers"))
                    door.well()
                    door.close_the_door()
                    yield Joined(door, office, manager)
                except BaseException as error:
                    error.add_note(journal(machine, "doorward-*")[-6000:])
                    error.add_note(office.log[-2000:])
                    raise
        finally:
            office.stop()


def test_a_door_that_joined_by_file_reports(joined: Joined) -> None:
    seen = joined.manager.of("/report", 2)
    assert [each.payload for each in joined.manager.on("/availability")][-1] == b"online"
    said: dict[str, Any] = json.loads(seen[-1].payload)
    assert (said["lock"], said["keeper"], said["vault"], said["cert"]) == (True, True, True, True)

"""A door on a real machine that joins a fleet and reports to a real broker, over the one wire that leaves the machine.

The guest's only way out is a relay to Mosquitto on this computer's loopback, at 10.0.2.100:8883. The witness logs in
there as a manager and keeps the bytes as they came. How soon an alarm is there is told by the guest's clock, which goes
no faster than this computer's: its end is read when the alarm is there already.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nacl.pwhash import argon2id

from device.edges import Room
from device.report.envelope import SIZE
from provisioning import fleet as fleets
from provisioning import keys, labels
from provisioning.labels import Plan, Where
from tests.support.door import Said
from tests.support.office import Office
from tests.support.ports import own_port
from tests.support.room_process import short_root
from tests.support.site import HOST, context_of
from tests.support.vm import booted, journal, told
from tests.support.vm_door import DOOR, LIGHT, STARTS_WITHIN_S, OnMachine, unit
from tools.broker import INSTALL, PROGRAM, Mosquitto, Seen, Witness
from tools.vm.image import BROUGHT
from tools.vm.machine import BROKER_ADDRESS, BROKER_PORT

NAME, SLOT, PIN = "Front", 12, "482913"
RIGHT = f"{SLOT}#{PIN}#"
LABEL, ASKED, ANSWER = (f"{BROUGHT}/{paper}" for paper in ("label", "asked", "answer"))
CADENCE_S = 20
PATIENCE_S = 900.0
HASHED_S = 12.0  # by the guest's clock: an invitation and a new PIN are hashed, and the light is dark meanwhile
AT_ONCE_S = 10.0  # of an emulated processor; half of the cadence, so that no report can be meant
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
    def newest(self) -> dict[str, Any]:
        """What the newest report says; nothing before the first."""
        reports = self.on("/report")
        said: dict[str, Any] = json.loads(reports[-1].payload) if reports else {}
        return said

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
    agent.put(LABEL, label.text().encode())
    agent.run(f"doorctl join --label {LABEL}", limit_s=STARTS_WITHIN_S)  # its rooms are only starting: nothing to show
    door.well()
    asked = agent.until(f"rm -f {ASKED}; doorctl join --out {ASKED} --json", "what the door asks")
    request, answer = folder / "request", folder / "answer"
    request.write_bytes(bytes.fromhex(agent.ask(f"od -A n -v -t x1 {ASKED}").replace("\n", "")))
    shown = json.loads(asked.splitlines()[-1])["fingerprint"]
    office.done("door", "approve", NAME, str(request), "--fingerprint", shown, "--out", str(answer))
    agent.put(ANSWER, answer.read_bytes())
    agent.ask(f"doorctl join --answer {ANSWER}")


def move_in(door: OnMachine, office: Office) -> None:
    """The manager offers a place; its document comes by the broker, and the resident sets a PIN."""
    made = office.done("slot", "offer", "--door", NAME, "--slot", str(SLOT))
    office.done("door", "send", NAME, str(made["document"]))
    door.says(lambda facts: facts["policy_version"] == made["version"], "the document", PATIENCE_S)
    watch = door.lines.watch()
    door.press(f"00#{SLOT}#{made['invitation']}#{PIN}#{PIN}#")
    ends = time.monotonic() + PATIENCE_S
    while clock_s(door) - watch.changes(LIGHT)[-1].at_s < HASHED_S:
        assert time.monotonic() < ends, watch.changes(LIGHT)[-6:]


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
                    door.close_the_door()
                    yield Joined(door, office, manager)
                except BaseException as error:
                    error.add_note(journal(machine, "doorward-*")[-6000:])
                    error.add_note(office.log[-2000:])
                    raise
        finally:
            office.stop()


def clock_s(door: OnMachine) -> float:
    """The guest's clock."""
    return float(door.machine.agent.ask("cut -d' ' -f1 /proc/uptime"))


def force(door: OnMachine) -> float:
    """Pull the locked door open; when, by the guest's clock. `door.close_the_door()` ends it."""
    door.machine.agent.ask("sleep 3")  # by the guest's clock: a door pulled open as the bolt falls is late, not forced
    at_s = clock_s(door)
    door.lines.pull(DOOR, high=True)
    return at_s


def listened(door: OnMachine, seconds: int) -> Said:
    """`doorctl audit --network` for so long."""
    answer = door.machine.agent.run(f"doorctl audit --network --seconds {seconds} --json", limit_s=600)
    return Said(answer.code, answer.out, answer.err)


def test_a_door_that_joined_by_a_file_reports_and_says_that_it_is_well(joined: Joined) -> None:
    well = ("lock", "keeper", "vault", "bolt", "storage", "cert")
    # The first ones waited from before the door had its certificate, and say so.
    joined.manager.wait_for(lambda _: all(joined.manager.newest.get(name) for name in well), PATIENCE_S)
    assert joined.manager.on("/availability")[-1].payload == b"online"
    assert joined.office.done("door", "list")["doors"][0]["state"] == "joined"


def test_an_offer_that_comes_by_the_broker_lets_a_resident_in(joined: Joined) -> None:
    move_in(joined.door, joined.office)
    joined.door.types(RIGHT)


def test_a_forced_door_is_an_alarm_at_the_broker_at_once(joined: Joined) -> None:
    already = len(joined.manager.on("/alarm"))
    forced_s = force(joined.door)
    alarm = joined.manager.of("/alarm", already)[already]
    took_s = clock_s(joined.door) - forced_s
    joined.door.close_the_door()
    told(f"an alarm at the broker at most {took_s:.2f} s after the door was forced")
    assert took_s < AT_ONCE_S
    assert json.loads(alarm.payload)["kind"] == "alarm"


def test_a_pin_opens_while_the_broker_is_away_and_what_was_said_meanwhile_comes_later(joined: Joined) -> None:
    manager, door = joined.manager, joined.door
    alarms = len(manager.on("/alarm"))
    before = manager.told
    joined.office.stop()
    door.types(RIGHT)
    force(door)
    door.says(lambda facts: "forced open" in facts["alarms"], "the alarm at the door")
    door.close_the_door()
    door.types(RIGHT)
    joined.office.start()
    manager.of("/alarm", alarms)
    manager.of("/report", len(manager.on("/report")))
    runs = {run for run, _ in manager.told}
    assert len(runs) == 1, "report was started anew"
    numbers = [number for _, number in manager.told]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "in order, and none is missing"
    assert len(numbers) > len(before) + 1


def test_everything_that_it_said_so_far_has_one_size(joined: Joined) -> None:
    said = [each for each in joined.manager.seen if each.topic.endswith(("/report", "/alarm"))]
    assert len(said) > 3
    assert {len(each.payload) for each in said} == {SIZE}
    managers = {"document"}  # the offer of the place: not the door's own word
    topics = {each.topic.rsplit("/", 1)[1] for each in joined.manager.seen}
    assert topics - managers == {"availability", "report", "alarm"}


def test_report_alone_speaks_with_the_broker_alone_and_listens_on_nothing(joined: Joined) -> None:
    """What follows shows that the audit would have seen otherwise."""
    said = listened(joined.door, CADENCE_S + 5)
    assert said.code == 0, said
    # Whether the kernel asks for its neighbour's address again in these seconds (ARP) is chance: no word of report's.
    left = {(each["to"], each["way"]) for each in said.facts["went"] if each["way"] not in {"itself", "link"}}
    assert left == {(f"{BROKER_ADDRESS}:{BROKER_PORT}/tcp", "permitted")}
    assert {each["who"] for each in said.facts["processes"]} == {"report"}
    main = joined.door.machine.agent.ask(f"systemctl show -P MainPID {unit(Room.REPORT)}").strip()
    assert f"pid={main}," not in joined.door.machine.agent.ask("ss -Hlntup")


def test_seeded_fault_a_word_of_reports_user_to_another_address_fails_that_audit(joined: Joined) -> None:
    speak = "bash -c 'for _ in $(seq 40); do timeout 1 bash -c \": </dev/tcp/10.0.2.77/8883\"; sleep 0.2; done; true'"
    agent = joined.door.machine.agent
    agent.ask(f"systemd-run -q --collect --unit=elsewhere -p User=doorward-report {speak}")
    said = listened(joined.door, 8)
    assert said.code == 1
    assert "10.0.2.77" in said.out

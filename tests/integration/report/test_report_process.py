"""report as a real process, with a real broker and the test as lock."""

import itertools
import json
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nacl.public import PrivateKey

from device import wire
from device.edges import Room
from device.errors import BrokerFault
from device.report.envelope import SIZE
from device.service import EXIT_REFUSED
from device.wire import OccurrenceKind as Kind
from device.wire import Profile
from provisioning.errors import FleetRefused
from provisioning.reporting import read_flags
from tests.support.mosquitto import Mosquitto, Seen, Subscriber, running_broker
from tests.support.room_process import DOOR_ID, RoomProcess, room_process, short_root, write_config

INSTALLER = PrivateKey(bytes(range(32)))


@pytest.fixture
def root() -> Iterator[Path]:
    with short_root() as folder:
        yield folder


def configured(root: Path, broker: str, *, cadence_s: float = 1, rows: int = 100) -> Path:
    write_config(root, f'[report]\nbroker = "{broker}"\ncadence_s = {cadence_s}\noutbox_rows = {rows}\n')
    return root


def messages(seen: list[Seen], kind: str = "") -> list[Seen]:
    return [each for each in seen if "availability" not in each.topic and each.topic.endswith(kind)]


def said(seen: list[Seen], kind: str = "") -> list[dict[str, Any]]:
    return [json.loads(each.payload) for each in messages(seen, kind)]


def reports(count: int) -> Callable[[list[Seen]], bool]:
    return lambda seen: len(messages(seen, "report")) >= count


def test_reports_arrive_with_one_size_and_one_rhythm_whatever_lock_says(root: Path, tmp_path: Path) -> None:
    with (
        running_broker(tmp_path) as broker,
        Subscriber(broker) as witness,
        room_process(Room.REPORT, configured(root, broker.url)) as room,
    ):
        lock = room.connect(Room.LOCK)
        for kind in (Kind.STARTED, Kind.CAMERA_WELL, Kind.LOCKOUT, Kind.CAMERA_FAULT, Kind.VAULT_GONE) * 50:
            lock.send(wire.Occurrence(kind))
        seen = witness.wait_for(reports(4))
        assert {(each.qos, each.retain, len(each.payload)) for each in messages(seen)} == {(1, False, SIZE)}
        assert {each.topic for each in seen} == {f"doorward/{DOOR_ID}/{end}" for end in ("availability", "report")}
        gaps = [b.at_s - a.at_s for a, b in itertools.pairwise(messages(seen))]
        assert all(0.5 < gap < 1.5 for gap in gaps), gaps
        assert (said(seen)[-1]["lock"], said(seen)[-1]["vault"]) == (True, False)
        assert not [each for each in said(seen) if "camera" in each or "lockout" in each]
        assert len({each["sealed"] for each in said(seen)}) == len(said(seen))


def test_what_a_building_seals_the_installer_reads_and_a_home_says_openly(root: Path, tmp_path: Path) -> None:
    with (
        running_broker(tmp_path) as broker,
        Subscriber(broker) as witness,
        room_process(Room.REPORT, configured(root, broker.url)) as room,
    ):
        lock = room.connect(Room.LOCK)
        lock.send(wire.Reporting(Profile.BUILDING, bytes(INSTALLER.public_key)))
        lock.send(wire.Occurrence(Kind.CAMERA_FAULT))
        seen = witness.wait_for(lambda seen: (False, False) in [opened(each) for each in messages(seen, "report")])
        lock.send(wire.Occurrence(Kind.LOCKOUT))
        before = len(messages(seen, "report"))
        seen = witness.wait_for(lambda seen: (False, True) in [opened(each) for each in messages(seen, "report")])
        seen = witness.wait_for(reports(before + 4))
        assert [opened(each) for each in messages(seen, "report")].count((False, True)) == 1
        lock.send(wire.Reporting(Profile.HOME, bytes(INSTALLER.public_key)))
        seen = witness.wait_for(lambda seen: "camera" in said(seen, "report")[-1])
        assert (said(seen, "report")[-1]["camera"], said(seen, "report")[-1]["lockout"]) == (False, False)
        assert len({len(each.payload) for each in messages(seen, "report")}) == 1


def opened(report: Seen) -> tuple[bool, bool] | None:
    """What a report seals for the installer: camera, lockout; None if it is for nobody, or sealed to nobody."""
    try:
        read = read_flags(report.payload, INSTALLER)
    except FleetRefused:
        return None
    return read.camera, read.lockout


def test_an_alarm_arrives_at_once_and_says_nothing_more(root: Path, tmp_path: Path) -> None:
    with (
        running_broker(tmp_path) as broker,
        Subscriber(broker) as witness,
        room_process(Room.REPORT, configured(root, broker.url, cadence_s=86400)) as room,
    ):
        witness.wait_for(lambda seen: b"online" in [each.payload for each in seen])
        room.connect(Room.LOCK).send(wire.Occurrence(Kind.FORCED_OPEN))
        seen = witness.wait_for(lambda seen: len(messages(seen, "alarm")) == 1)
        alarm = messages(seen, "alarm")[0]
        assert len(alarm.payload) == SIZE
        assert set(json.loads(alarm.payload)) == {"v", "kind", "door", "run", "seq", "sw", "dropped", "reason"}


def test_two_worlds_with_and_without_people_leave_the_same_bytes(root: Path, tmp_path: Path) -> None:
    worlds: list[list[bytes]] = []
    for name, busy in (("busy", True), ("empty", False)):
        with (
            running_broker(tmp_path / name) as broker,
            Subscriber(broker) as witness,
            room_process(Room.REPORT, configured(root / name, broker.url)) as room,
        ):
            lock = room.connect(Room.LOCK)
            lock.send(wire.Occurrence(Kind.STARTED))
            for count in (1, 2, 3):
                for _ in range(50 * busy):  # everything a door's lock may say while people come and go
                    for kind in (Kind.CAMERA_FAULT, Kind.LOCKOUT, Kind.CAMERA_WELL):
                        lock.send(wire.Occurrence(kind))
                witness.wait_for(reports(count))
            payloads = [each.payload for each in witness.seen]
            run = said(witness.seen)[0]["run"].encode()
            own = re.compile(run + rb'|"sealed":"[0-9A-Za-z+/=]{88}"')
            worlds.append([own.sub(b"--------", payload) for payload in payloads][:4])
    assert worlds[0] == worlds[1]


def test_nothing_is_lost_when_the_broker_restarts_in_the_middle(root: Path, tmp_path: Path) -> None:
    with (
        running_broker(tmp_path) as broker,
        Subscriber(broker) as witness,
        room_process(Room.REPORT, configured(root, broker.url)) as room,
    ):
        witness.wait_for(reports(2))
        broker.stop()
        broker.start()
        seen = witness.wait_for(
            lambda seen: [each.payload for each in seen].count(b"online") >= 2 and reports(5)(seen), 60.0
        )
        numbers = [each["seq"] for each in said(seen, "report")]
        assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))
        assert room.stderr.count("no connection to the broker") == 1


def test_what_was_said_before_the_broker_came_and_before_a_kill_arrives(root: Path, tmp_path: Path) -> None:
    with (
        running_broker(tmp_path, started=False) as broker,
        room_process(Room.REPORT, configured(root, broker.url, cadence_s=86400)) as room,
    ):
        tell_and_wait(room, Kind.TAMPER)
        room.kill(signal.SIGKILL)
        broker.start()
        with Subscriber(broker) as witness:
            room.start()
            tell_and_wait(room, Kind.HELD_OPEN)
            seen = witness.wait_for(lambda seen: len({each["run"] for each in said(seen)}) == 2, 40.0)
        before, after = (list(run) for _, run in itertools.groupby(said(seen), lambda each: each["run"]))
        assert (before[0]["seq"], after[0]["seq"]) == (1, 1)


def tell_and_wait(room: RoomProcess, kind: Kind) -> None:
    """Say `kind` and return when report has stored it: it answers the Ack behind it by hanging up (and by an alarm)."""
    lock = room.connect(Room.LOCK)
    lock.send(wire.Occurrence(kind))
    lock.send(wire.Ack(0, wire.Result.DONE))
    assert lock.receive() is None


def test_a_killed_process_is_offline_by_its_last_will_and_a_stopped_one_by_its_goodbye(
    root: Path, tmp_path: Path
) -> None:
    with (
        running_broker(tmp_path) as broker,
        Subscriber(broker) as witness,
        room_process(Room.REPORT, configured(root, broker.url)) as room,
    ):
        witness.wait_for(bool)
        room.kill(signal.SIGKILL)
        witness.wait_for(lambda seen: seen[-1].payload == b"offline")
        room.start()
        witness.wait_for(lambda seen: seen[-1].payload != b"offline" and b"online" in [e.payload for e in seen[2:]])
        assert room.stop() == 0
        witness.wait_for(lambda seen: seen[-1].payload == b"offline")


@pytest.mark.parametrize(
    ("datagram", "sentence"),
    [
        (wire.pack(wire.Ack(3, wire.Result.DONE)), "lock sent Ack although no document was passed on"),
        (wire.pack(wire.Breach()), "lock must not send Breach to report"),
        (wire.pack(wire.Occurrence(Kind.STARTED)) + b"\0", "Occurrence holds 1 bytes, not 2"),
        (b"\x03\x70\xff", "Occurrence.kind is no OccurrenceKind"),
        (b"\x01\x70\x01", f"a message begins with wire version {wire.WIRE_VERSION}"),
    ],
)
def test_what_lock_must_not_say_ends_the_connection_and_is_an_alarm(
    root: Path, tmp_path: Path, datagram: bytes, sentence: str
) -> None:
    with (
        running_broker(tmp_path) as broker,
        Subscriber(broker) as witness,
        room_process(Room.REPORT, configured(root, broker.url)) as room,
    ):
        lock = room.connect(Room.LOCK)
        lock.send_raw(datagram)
        assert lock.receive() is None
        witness.wait_for(lambda seen: bool(messages(seen, "alarm")))
        assert sentence in room.stderr
        assert "Traceback" not in room.stderr


@pytest.mark.parametrize(
    ("broker", "sentence"),
    [
        ("mqtt://192.168.7.7:1883", "another machine; without TLS"),
        ("mqtt://127.0.0.1:99999", "mqtt://HOST:PORT"),
        ("mqtts://127.0.0.1:0", "mqtts://HOST:PORT"),
    ],
)
def test_a_broker_it_may_not_talk_to_is_refused_in_one_sentence(root: Path, broker: str, sentence: str) -> None:
    with room_process(Room.REPORT, configured(root, broker), wait=False) as room:
        assert room.wait() == EXIT_REFUSED
        assert sentence in room.stderr
        assert room.stderr.count("\n") == 1


def test_a_damaged_outbox_does_not_keep_the_process_from_reporting(root: Path, tmp_path: Path) -> None:
    with running_broker(tmp_path) as broker, Subscriber(broker) as witness:
        outbox = configured(root, broker.url) / "var/lib/doorward/report/outbox.sqlite"
        outbox.parent.mkdir(parents=True)
        outbox.write_bytes(b"SQLite format 3\0" + b"\xa5" * 9000)
        with room_process(Room.REPORT, root) as room:
            seen = witness.wait_for(reports(1))
            assert said(seen)[0]["dropped"] == 1
            assert room.stderr.count("the outbox is damaged") == 1


def test_the_ledger_is_what_the_broker_saw(root: Path, tmp_path: Path) -> None:
    with (
        running_broker(tmp_path) as broker,
        Subscriber(broker) as witness,
        room_process(Room.REPORT, configured(root, broker.url), {"DOORWARD_LEDGER": "1"}) as room,
    ):
        witness.wait_for(reports(2))
        room.stop()
        seen = witness.wait_for(lambda seen: seen[-1].payload == b"offline")
        lines = [line.split("\t") for line in (room.paths.run / "report" / "ledger").read_text().splitlines()]
        at_broker = [[each.topic, str(len(each.payload)), each.payload.decode().rstrip()] for each in seen]
        assert lines[0][0].startswith("CONNECT ")
        assert lines[1:] == at_broker[:-1]  # the last one is the will, which left with CONNECT
        assert lines[0][1:] == at_broker[-1][1:]


def test_the_watchdog_is_fed_while_there_is_no_broker(root: Path) -> None:
    environ = {"WATCHDOG_USEC": "200000"}
    with room_process(Room.REPORT, configured(root, "mqtt://127.0.0.1:1"), environ) as room:
        fed = [room.notifications(5.0) for _ in range(5)]
        assert all("WATCHDOG=1" in told for told in fed)


def test_a_broker_that_cannot_start_says_why_and_one_that_ran_is_gone(tmp_path: Path) -> None:
    """The helper itself: a broker that cannot start says why, and is not left behind."""
    with pytest.raises(BrokerFault, match="did not start"), running_broker(tmp_path, extra="no_such_option 1\n"):
        pass
    broker = Mosquitto(tmp_path / "second")
    broker.start()
    process = broker.process
    broker.stop()
    assert process is not None
    assert process.poll() is not None

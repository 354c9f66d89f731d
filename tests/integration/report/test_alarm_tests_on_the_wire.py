"""report as a real process, a real broker, and every byte between them: a test alarm and a real one are the same.

The process is the product's with one number exchanged, how many tests go in a day, as nobody waits three hours for one.
"""

import base64
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from nacl.public import PrivateKey, SealedBox

from device import wire
from device.edges import Room
from device.wire import OccurrenceKind as Kind
from device.wire import Profile
from tests.integration.anonymity.recorder import PUBLISH, recording
from tests.support.mosquitto import Seen, Subscriber, running_broker
from tests.support.room_process import CHECKOUT, room_process, short_root, write_config

INSTALLER = PrivateKey(bytes(range(32)))
REAL = (Kind.HELD_OPEN, Kind.DURESS)
OFTEN = ("report/alarm_tests.py", "A_DAY = 32.0", "A_DAY = 2 * 86_400.0")
LONGER = ("report/loop.py", "self._tell(test)", 'self._tell(Message(test.topic, test.payload + b" "))')
_ITS_OWN = re.compile(rb'"seq":\d+|"reason":"[^"]*"')


@pytest.fixture
def root() -> Iterator[Path]:
    with short_root() as folder:
        yield folder


def copied(folder: Path, *changes: tuple[str, str, str]) -> Path:
    """A checkout of the door's code with these changes."""
    code = folder / "copy"
    shutil.copytree(CHECKOUT / "device", code / "device", ignore=shutil.ignore_patterns("__pycache__"))
    for name, before, after in changes:
        path = code / "device" / name
        assert path.read_text().count(before) == 1
        path.write_text(path.read_text().replace(before, after))
    return code


@dataclass(frozen=True)
class Heard:
    """What came of a stretch: alarms at the broker with what they say to the key, and their packets on the wire."""

    alarms: list[tuple[Seen, int]]
    packets: list[bytes]

    @property
    def looks(self) -> set[tuple[object, ...]]:
        """How alarms look at the broker, without the values that differ from message to message."""
        return {
            (each.topic, each.qos, each.retain, each.expiry_s is None, len(each.payload), masked(each.payload))
            for each, _ in self.alarms
        }

    @property
    def on_the_wire(self) -> set[tuple[int, bytes]]:
        """The same of packets: lengths and bytes, without the number that MQTT gives to each."""
        return {(len(each), masked(unnumbered(each))) for each in self.packets}


def masked(payload: bytes) -> bytes:
    return _ITS_OWN.sub(b"", payload).rstrip()


def unnumbered(packet: bytes) -> bytes:
    """A PUBLISH without its packet identifier, two bytes behind the topic (MQTT 5.0, 3.3.2.2)."""
    behind = packet.index(b"/alarm") + len(b"/alarm")
    return packet[:behind] + packet[behind + 2 :]


def lived(root: Path, folder: Path, *changes: tuple[str, str, str]) -> Heard:
    """Tests go; the door is held open and somebody calls for help; tests go on."""
    code = copied(folder, OFTEN, *changes)
    environ = {"PYTHONPATH": str(code), "PYTHONSAFEPATH": "1"}
    with ExitStack() as stack:
        broker = stack.enter_context(running_broker(folder))
        witness = stack.enter_context(Subscriber(broker))
        recorder = stack.enter_context(recording(broker.port))
        write_config(root, f'[report]\nbroker = "{recorder.url}"\ncadence_s = 86400\n')
        room = stack.enter_context(room_process(Room.REPORT, root, environ))
        lock = room.connect(Room.LOCK)
        lock.send(wire.Reporting(Profile.BUILDING, bytes(INSTALLER.public_key)))
        witness.wait_for(lambda _: len(opened(witness)) >= 2, 60.0)
        for kind in REAL:
            lock.send(wire.Occurrence(kind))
        witness.wait_for(lambda _: {said for _, said in opened(witness)} >= set(REAL), 60.0)
        so_far = len(opened(witness))
        witness.wait_for(lambda _: len(opened(witness)) >= so_far + 2, 60.0)
        written = [each for connection in recorder.connections for each in connection.written()]
        assert "Traceback" not in room.stderr
        return Heard(opened(witness), [each for each in written if each[0] >> 4 == PUBLISH and b"/alarm" in each])


def opened(witness: Subscriber) -> list[tuple[Seen, int]]:
    """The alarms so far, and what each says to the holder of the key. A message that came twice (QoS 1) counts once."""
    once = {json.loads(each.payload)["seq"]: each for each in reversed(witness.on("/alarm"))}
    return [
        (each, SealedBox(INSTALLER).decrypt(base64.b64decode(json.loads(each.payload)["reason"]))[0])
        for _, each in sorted(once.items())
    ]


def test_a_test_and_an_alarm_are_the_same_at_the_broker_and_on_the_wire_and_both_go(root: Path, tmp_path: Path) -> None:
    heard = lived(root, tmp_path)
    said = [said for _, said in heard.alarms]
    assert said.count(wire.TEST_ALARM) >= 4
    assert [kind for kind in said if kind != wire.TEST_ALARM] == list(REAL), "each once, in their order, between tests"
    assert said[0] == said[-1] == wire.TEST_ALARM
    assert len(heard.looks) == 1
    assert len(heard.on_the_wire) == 1
    assert [json.loads(each.payload)["seq"] for each, _ in heard.alarms] == list(range(1, len(said) + 1))


def test_tests_that_are_a_byte_longer_are_told_apart(root: Path, tmp_path: Path) -> None:
    """The seeded fault."""
    heard = lived(root, tmp_path, LONGER)
    assert len(heard.looks) == len(heard.on_the_wire) == 2

"""What Home Assistant is told: it fits the schema that is published, shows all that is said, and commands nothing.

The schema is here as facts, read in Home Assistant 2026.11.0 (homeassistant/components/mqtt: discovery.py, schemas.py,
config.py, binary_sensor.py, event.py, sensor.py; components/binary_sensor/const.py). It is stricter than theirs where
theirs drops a key it does not know: here that is a complaint. tests/integration/report has theirs run, if there is one.
"""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from device import wire
from device.edges import EDGES, Room
from device.link import Link
from device.report import envelope, homeassistant, state
from device.report.envelope import Envelope
from device.report.health import Health
from device.report.loop import Report
from device.report.memory import MemoryBroker, MemoryPublisher
from device.report.outbox import Outbox
from device.report.retained import FORGET
from device.report.seal import LETTERS
from device.report.teller import Identity, Teller
from device.wire import OccurrenceKind, Profile
from provisioning.broker_config import LONGEST_PACKET, acl

DOOR = "00112233445566ff"
ME = Identity(DOOR, "0a0b0c0d", "0.1.0")
CONFIG, STATE = f"homeassistant/device/doorward_{DOOR}/config", f"doorward/{DOOR}/state"


# ---- the published schema, as facts

SHARED = {
    *("availability", "availability_mode", "availability_template", "availability_topic"),
    *("payload_available", "payload_not_available", "encoding", "qos", "state_topic"),
}
COMMON = SHARED | {
    *("enabled_by_default", "entity_category", "entity_picture", "icon", "json_attributes_template"),
    *("json_attributes_topic", "name", "platform", "unique_id", "value_template", "device_class"),
}
ALLOWED = {
    "binary_sensor": {"expire_after", "force_update", "off_delay", "payload_on", "payload_off"},
    "event": {"event_types"},
    "sensor": {
        *("expire_after", "force_update", "last_reset_value_template", "options", "state_class"),
        *("suggested_display_precision", "unit_of_measurement"),
    },
}
REQUIRED = {
    "binary_sensor": {"platform", "unique_id", "state_topic"},
    "event": {"platform", "unique_id", "state_topic", "event_types"},
    "sensor": {"platform", "unique_id", "state_topic"},
}
CLASSES = {
    "binary_sensor": {
        *("battery", "battery_charging", "carbon_monoxide", "cold", "connectivity", "door", "garage_door", "gas"),
        *("heat", "light", "lock", "moisture", "motion", "moving", "occupancy", "opening", "plug", "power", "presence"),
        *("problem", "running", "safety", "smoke", "sound", "tamper", "update", "vibration", "window"),
    },
    "event": {"button", "doorbell", "motion"},
}
DEVICE = {
    *("identifiers", "connections", "manufacturer", "model", "model_id", "name", "hw_version", "serial_number"),
    *("sw_version", "via_device", "suggested_area", "configuration_url"),
}
ORIGIN = {"name", "sw_version", "support_url"}
# Lists of texts, and numbers; every other value is a text.
LISTS, NUMBERS = {"identifiers", "event_types"}, {"qos"}
DISCOVERED = re.compile(r"homeassistant/device/([a-zA-Z0-9_-]+/)?[a-zA-Z0-9_-]+/config")


def complaints(at: str, said: dict[str, Any]) -> Iterator[str]:
    """What Home Assistant would refuse, or leave out, of a device told on the topic `at`."""
    if not DISCOVERED.fullmatch(at):
        yield f"nobody looks at {at}"
    yield from _keys("message", said, {"device", "origin", "components"}, SHARED | {"device", "origin", "components"})
    yield from _keys("device", said.get("device", {}), {"identifiers"}, DEVICE)
    yield from _keys("origin", said.get("origin", {}), {"name"}, ORIGIN)
    components = said.get("components", {})
    for name, each in components.items():
        platform = each.get("platform")
        if platform not in ALLOWED:
            yield f"{name} is no component that only shows: {platform}"
            continue
        yield from _keys(name, said | each, REQUIRED[platform], {*said, *COMMON, *ALLOWED[platform]})
        if "device_class" in each and each["device_class"] not in CLASSES.get(platform, ()):
            yield f"{name} has no such device class"
        if each.get("entity_category", "diagnostic") != "diagnostic":
            yield f"{name} shows, so it configures nothing"
    for about in ("unique_id", "name"):
        if len({each.get(about) for each in components.values()}) < len(components):
            yield f"two components share their {about}"
    yield from (f"a command: {key}" for key in _every_key(said) if re.search(r"(command|cmd)_|(^|_)set_", key))


def _keys(what: str, said: dict[str, Any], required: set[str], allowed: set[str]) -> Iterator[str]:
    yield from (f"{what} has no {key}" for key in sorted(required - set(said)))
    yield from (f"{what} has the unknown {key}" for key in sorted(set(said) - allowed))
    for key, value in said.items():
        if isinstance(value, dict):
            continue
        texts = value if key in LISTS else [value]
        fits = all(isinstance(each, int if key in NUMBERS else str) for each in texts) and texts
        if not fits or (key in NUMBERS and value not in (0, 1, 2)):
            yield f"{what}.{key} is of another kind"
        if key.endswith("topic") and (not value or set(value) & set("#+\0") or len(value) > 65535):
            yield f"{what}.{key} is no topic"


def _every_key(value: object) -> Iterator[str]:
    for key, each in value.items() if isinstance(value, dict) else ():
        yield key
        yield from _every_key(each)


def message() -> dict[str, Any]:
    said: dict[str, Any] = json.loads(homeassistant.encode(ME))
    return said


def test_it_fits_the_published_schema_and_commands_nothing() -> None:
    assert homeassistant.topic(DOOR) == CONFIG
    assert list(complaints(CONFIG, message())) == []


def _put(*path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(said: dict[str, Any]) -> None:
        for key in path[:-1]:
            said = said[key]
        said[path[-1]] = value

    return change


def _drop(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(said: dict[str, Any]) -> None:
        for key in path[:-1]:
            said = said[key]
        del said[path[-1]]

    return change


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (_drop("origin"), "message has no origin"),
        (_drop("origin", "name"), "origin has no name"),
        (_drop("device", "identifiers"), "device has no identifiers"),
        (_put("device", "identifiers", value=[]), "device.identifiers is of another kind"),
        (_put("device", "serial", value="7"), "device has the unknown serial"),
        (_put("retain", value=1), "message has the unknown retain"),
        (_drop("components", "open", "unique_id"), "open has no unique_id"),
        (_drop("components", "raised", "event_types"), "raised has no event_types"),
        (_drop("components", "docs", "state_topic"), "docs has no state_topic"),
        (_put("components", "open", "device_class", value="gate"), "open has no such device class"),
        (_put("components", "docs", "payload_on", value="1"), "docs has the unknown payload_on"),
        (_put("components", "open", "payload_on", value=True), "open.payload_on is of another kind"),
        (_put("components", "open", "state_topic", value="doorward/+/state"), "open.state_topic is no topic"),
        (_put("components", "docs", "entity_category", value="config"), "docs shows, so it configures nothing"),
        (_put("components", "docs", "name", value="Door"), "two components share their name"),
        (_put("components", "open", "platform", value="lock"), "open is no component that only shows: lock"),
        (_put("command_topic", value="doorward/x/open"), "a command: command_topic"),
        (_put("components", "open", "command_topic", value="doorward/x/open"), "a command: command_topic"),
        (_put("components", "open", "cmd_t", value="doorward/x/open"), "a command: cmd_t"),
    ],
)
def test_a_message_that_would_not_fit_is_caught_here(change: Callable[[dict[str, Any]], None], complaint: str) -> None:
    said = deepcopy(message())
    change(said)
    assert complaint in list(complaints(CONFIG, said))


def test_a_topic_that_nobody_looks_at_is_caught_here() -> None:
    assert list(complaints("homeassistant/device/door ward/config", message()))


# ---- what is shown


def shown(name: str, payload: bytes) -> str:
    """What the component `name` makes of `payload`: its template filled in; "on" or "off" where it knows two words.

    A template writes a value as Python's str() does, and nothing for a key that is not there; those are Jinja's rules
    for what stands between braces.
    """
    each = message()["components"][name]
    values = json.loads(payload)
    text = re.sub(r"{{ value_json\.(\w+) }}", lambda found: str(values.get(found[1], "")), each["value_template"])
    return {each.get("payload_on"): "on", each.get("payload_off"): "off"}.get(text, text)


@pytest.mark.parametrize(("granted", "is_open"), list(itertools.product((False, True), repeat=2)))
def test_on_means_unlocked_and_open(granted: bool, is_open: bool) -> None:
    payload = state.encode(wire.DoorState(granted, is_open))
    assert shown("unlocked", payload) == ("on" if granted else "off")
    assert shown("open", payload) == ("on" if is_open else "off")


def reported(health: Health | None, sealed: str = "") -> bytes:
    return envelope.encode(Envelope(DOOR, "0a0b0c0d", 1, "0.1.0", 0, health, sealed))


WELL = Health(lock=True, documents=7)
PROBLEMS = {
    "lock": replace(WELL, lock=False),
    "camera": replace(WELL, camera=False),
    "vault": replace(WELL, vault=False),
    "keeper": replace(WELL, keeper=False),
    "storage": replace(WELL, storage=False),
    "cert": replace(WELL, certificate=False),
    "lockout": replace(WELL, lockout=True),
    "alarm": replace(WELL, alarms=frozenset({OccurrenceKind.TAMPER})),
}


def test_every_flag_of_a_report_is_shown_and_a_problem_is_on_where_it_is() -> None:
    problems = {name for name, each in message()["components"].items() if each.get("device_class") == "problem"}
    assert problems == {*PROBLEMS, "bolt"}
    flags = {key for key, value in json.loads(reported(WELL)).items() if isinstance(value, bool)}
    # A door that has ended keeps no document, also not the one that made it a HOME: the announcement is taken back.
    assert problems == flags - {"retired"}
    assert {name for name in problems if shown(name, reported(WELL)) != "off"} == set()
    for trouble, health in PROBLEMS.items():
        assert {name for name in problems if shown(name, reported(health)) != "off"} == {trouble}
    fault = replace(WELL, alarms=frozenset({OccurrenceKind.BOLT_FAULT}))
    assert {name for name in problems if shown(name, reported(fault)) != "off"} == {"bolt", "alarm"}
    assert shown("docs", reported(WELL)) == "7"


def test_a_report_that_seals_changes_nothing_of_what_it_does_not_say() -> None:
    """Before lock has spoken a home reports as a building does."""
    said = reported(replace(WELL, camera=False, lockout=True), "A" * LETTERS)
    assert (shown("camera", said), shown("lockout", said)) == ("", "")
    assert shown("lock", said) == "off"


def test_an_alarm_is_an_event_that_says_no_more_than_that() -> None:
    assert json.loads(shown("raised", reported(None, "A" * 88))) == {"event_type": "alarm"}
    assert message()["components"]["raised"]["event_types"] == ["alarm"]


def test_it_reads_what_the_door_says_anyway_and_lies_where_the_door_may_write() -> None:
    said = message()
    read = {each["state_topic"] for each in said["components"].values()} | {said["availability_topic"]}
    assert read == {f"doorward/{DOOR}/{end}" for end in ("state", "report", "alarm", "availability")}
    rights = acl([]).replace("%u", DOOR).splitlines()
    assert {f"pattern write {topic}" for topic in {*read, CONFIG}} <= set(rights)
    assert (said["payload_available"], said["payload_not_available"]) == ("online", "offline")


def test_a_broker_set_up_by_doorward_takes_it() -> None:
    longest = replace(ME, software="v" * 64)
    assert len(homeassistant.encode(longest)) < LONGEST_PACKET - 2048, "with room for what is added one day"


# ---- when it is sent


@dataclass
class Loop:
    watched: dict[int, Callable[[], None]] = field(default_factory=dict)

    def send(self, peer: Room, msg: wire.Message) -> bool:
        return True

    def watch(self, fileno: int, callback: Callable[[], None]) -> None:
        self.watched[fileno] = callback

    def unwatch(self, fileno: int) -> None:
        del self.watched[fileno]


class Door:
    """report with a broker in memory, the test as lock and as clock."""

    def __init__(self, path: Path, run: str = "0a0b0c0d") -> None:
        self.now_s, self.loop, self.broker = 1000.0, Loop(), MemoryBroker()
        self.publisher = MemoryPublisher(DOOR, self.broker)
        self.teller = Teller(Identity(DOOR, run, "0.1.0"), 900.0, self.now_s)
        self.work = Report(self.loop, self.teller, Outbox(path, 100), self.publisher, lambda: self.now_s)
        edge = next(edge for edge in EDGES if (edge.listener, edge.connector) == (Room.REPORT, Room.LOCK))
        self.link = Link(Room.LOCK, edge, None, Room.REPORT)  # type: ignore[arg-type]  # report never sends by it here
        self.turn()

    def turn(self) -> None:
        for _ in range(12):
            due = self.work.deadline()
            if due is not None and self.now_s >= due:
                self.work.tick()
            self.publisher.turn()
            for callback in list(self.loop.watched.values()):
                callback()

    def says(self, *msgs: wire.Message) -> None:
        for msg in msgs:
            self.work.received(self.link, msg)
            self.turn()

    def cadences(self, count: int) -> None:
        for _ in range(count):
            self.now_s = self.teller.due_s
            self.turn()

    def reconnect(self) -> None:
        for up in (False, True):
            self.broker.up = up
            self.turn()

    def order(self, *topics: str) -> list[tuple[str, bytes]]:
        return [(at, payload) for at, payload in self.broker.received if at in topics]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    door = Door(tmp_path / "outbox.sqlite")
    yield door
    door.work.stop()


BUILDING, HOME = (wire.Reporting(profile, bytes(32)) for profile in (Profile.BUILDING, Profile.HOME))
SHUT = wire.DoorState(granted=False, open=False)


def test_a_home_is_announced_once_a_connection_and_before_its_state(door: Door) -> None:
    door.says(HOME, SHUT, wire.DoorState(granted=True, open=True), HOME, SHUT)
    door.cadences(3)
    assert door.broker.payloads(CONFIG) == [homeassistant.encode(ME)]
    assert [at for at, _ in door.order(CONFIG, STATE)][:2] == [CONFIG, STATE]
    assert door.broker.retained[CONFIG] == homeassistant.encode(ME)
    door.reconnect()
    assert door.broker.payloads(CONFIG) == [homeassistant.encode(ME)] * 2


def test_a_building_is_never_announced(door: Door) -> None:
    door.says(BUILDING)
    door.reconnect()
    door.cadences(3)
    assert door.order(CONFIG, STATE) == []
    assert door.work.deadline() == door.teller.due_s, "it is at rest"


def test_a_choice_that_is_taken_back_removes_the_door_first_and_then_its_state(door: Door) -> None:
    door.says(HOME, SHUT, BUILDING)
    assert door.order(CONFIG, STATE)[-2:] == [(CONFIG, FORGET), (STATE, FORGET)]
    told = len(door.order(CONFIG, STATE))
    door.reconnect()
    assert len(door.order(CONFIG, STATE)) == told, "it is over, and not said again"


def test_what_was_taken_back_while_the_broker_was_away_is_removed_when_it_is_back(door: Door) -> None:
    door.says(HOME, SHUT)
    door.broker.up = False
    door.turn()
    door.says(BUILDING)
    door.broker.up = True
    door.turn()
    assert (door.broker.retained[CONFIG], door.broker.retained[STATE]) == (FORGET, FORGET)


def test_two_worlds_announce_the_same_bytes(tmp_path: Path, door: Door) -> None:
    door.says(HOME, SHUT)
    busy = Door(tmp_path / "busy.sqlite", run="0e0e0e0e")
    busy.cadences(5)
    busy.says(
        wire.Occurrence(OccurrenceKind.LOCKOUT), wire.DoorKeys(9, bytes(32)), wire.Reporting(Profile.HOME, b"k" * 32)
    )
    busy.says(wire.DoorState(granted=True, open=True), wire.Occurrence(OccurrenceKind.TAMPER))
    assert busy.broker.payloads(CONFIG) == door.broker.payloads(CONFIG)
    busy.work.stop()


def test_a_broker_that_takes_no_announcement_gets_state_and_reports(
    door: Door, capfd: pytest.CaptureFixture[str]
) -> None:
    door.broker.willing = False
    door.says(HOME)
    door.broker.willing = True
    door.says(SHUT)
    door.cadences(1)
    assert CONFIG not in door.broker.retained
    assert door.broker.retained[STATE] == state.encode(SHUT)
    assert len(door.broker.payloads(f"doorward/{DOOR}/report")) == 1
    door.says(BUILDING)
    assert door.broker.retained[CONFIG] == FORGET, "nobody knows what a broker did that declined"
    assert capfd.readouterr().err.count("declines the announcement to Home Assistant") == 1

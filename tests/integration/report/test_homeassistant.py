"""A door of the profile HOME at a real broker, and what Home Assistant's own code says of it, where there is some.

Home Assistant needs a younger Python than the door has, so it is looked for in an interpreter of its own:
DOORWARD_HOMEASSISTANT names one that has `homeassistant` (2024.11 or later) with its MQTT integration.
"""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from device import wire
from device.edges import Room
from device.report import envelope, homeassistant, state
from device.report.envelope import Envelope
from device.report.health import Health
from device.report.publisher import What
from device.report.teller import Identity
from device.version import software_version
from device.wire import Profile
from provisioning.broker_config import RIGHTS
from provisioning.certificates import new_authority, new_key
from tests.support.mosquitto import Seen, Subscriber, running_broker
from tests.support.ports import own_port
from tests.support.room_process import DOOR_ID, room_process, short_root, write_config
from tests.support.site import Party, Site, context_of
from tools.broker import INSTALL, PROGRAM

SWITCH = "DOORWARD_HOMEASSISTANT"
THEIRS = Path(__file__).parents[2] / "support" / "homeassistant_says.py"
GUIDE = Path(__file__).parents[3] / "docs" / "home-assistant.md"
CONFIG, STATE = homeassistant.topic(DOOR_ID), state.topic(DOOR_ID)
ANNOUNCED = homeassistant.encode(Identity(DOOR_ID, "", software_version()))
SHUT, OPEN = wire.DoorState(granted=False, open=False), wire.DoorState(granted=True, open=True)


@pytest.fixture
def root() -> Iterator[Path]:
    with short_root() as folder:
        yield folder


def held(seen: list[Seen]) -> dict[str, bytes]:
    """What the broker kept of the door for somebody who asked later."""
    return {each.topic: each.payload for each in seen if each.retain and each.topic in (CONFIG, STATE)}


def goodbye(seen: list[Seen]) -> bool:
    """Whether the door has gone just now: that comes behind everything that was kept."""
    return (b"offline", False) in [(each.payload, each.retain) for each in seen]


def test_a_real_broker_keeps_door_and_state_and_forgets_both_when_the_choice_is_taken_back(
    root: Path, tmp_path: Path
) -> None:
    with running_broker(tmp_path) as broker, Subscriber(broker) as witness:
        write_config(root, f'[report]\nbroker = "{broker.url}"\ncadence_s = 86400\n')
        with room_process(Room.REPORT, root) as room:
            lock = room.connect(Room.LOCK)
            lock.send(wire.Reporting(Profile.HOME, bytes(32)))
            lock.send(SHUT)
            witness.wait_for(lambda seen: STATE in [each.topic for each in seen])
            with Subscriber(broker, name="home") as later:
                later.wait_for(lambda seen: held(seen) == {CONFIG: ANNOUNCED, STATE: state.encode(SHUT)})
            lock.send(wire.Reporting(Profile.BUILDING, bytes(32)))
            seen = witness.wait_for(lambda seen: (seen[-1].topic, seen[-1].payload) == (STATE, b""))
            assert [each.topic for each in seen if each.topic in (CONFIG, STATE)] == [CONFIG, STATE, CONFIG, STATE]
            with Subscriber(broker, name="building") as later:
                room.stop()
                assert held(later.wait_for(goodbye)) == {}


def test_the_rights_that_the_guide_gives_home_assistant_let_it_read_the_door_and_say_nothing_to_it(root: Path) -> None:
    if not Path(PROGRAM).exists():
        pytest.skip(INSTALL)
    rights = re.findall(r"^    ((?:user|topic) .*)$", GUIDE.read_text(), re.MULTILINE)
    assert rights[0] == "user manager/house"
    root.chmod(0o755)  # Mosquitto becomes another user
    (root / "log").touch()
    site = Site(root, new_authority(new_key(), int(time.time())), own_port())
    site.configure()
    with (site.folder / RIGHTS).open("a") as acl:
        acl.write("\n" + "\n".join(rights) + "\n")
    pair = site.authority.issue_manager("house", 1, site.began_unix)
    for name, content in (("pem", pair.issued.pem), ("key", pair.key_pem)):
        (root / name).write_bytes(content)
    site.start()
    try:
        with site.publisher(DOOR_ID) as door:
            for row, topic in enumerate((CONFIG, STATE), 1):
                door.until(What.CONNECTED if row == 1 else What.ACCEPTED)
                assert door.publisher.publish(row, topic, b"told", retain=True)
            door.until(What.ACCEPTED)
            with Party(site, context_of(site.authority.pem, root / "pem", root / "key"), "#") as house:
                house.wait(lambda: {(CONFIG, b"told"), (STATE, b"told")} <= set(house.heard))
                for topic in (f"doorward/{DOOR_ID}/document", f"doorward/{DOOR_ID}/certificate", STATE, CONFIG):
                    assert house.say(topic, b"open") == "Not authorized"
                assert house.say("homeassistant/status", b"online") != "Not authorized"
            assert door.documents == []
    finally:
        site.stop()


def says(topic: str, announced: bytes, messages: dict[str, list[bytes]]) -> dict[str, list[str]]:
    """What Home Assistant makes of `announced`: by component, what each of the `messages` to its topic becomes."""
    python = os.environ.get(SWITCH)
    if not python:
        pytest.skip(f"{SWITCH} names no Python that has Home Assistant; docs/home-assistant.md says how to make one")
    question = {
        "topic": topic,
        "announced": announced.decode(),
        "messages": {at: [each.decode() for each in payloads] for at, payloads in messages.items()},
    }
    run = subprocess.run(
        [python, str(THEIRS)], input=json.dumps(question).encode(), capture_output=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stderr.decode()
    answer: dict[str, list[str]] = json.loads(run.stdout)
    return answer


def reported(health: Health | None, sealed: str = "") -> bytes:
    return envelope.encode(Envelope(DOOR_ID, "0a0b0c0d", 1, "0.1.0", 0, health, sealed))


def test_home_assistants_own_schema_takes_it_and_its_templates_read_it() -> None:
    ill = Health(lock=True, camera=False, lockout=True, documents=7)
    answer = says(
        CONFIG,
        ANNOUNCED,
        {
            STATE: [state.encode(SHUT), state.encode(OPEN)],
            f"doorward/{DOOR_ID}/report": [reported(ill)],
            f"doorward/{DOOR_ID}/alarm": [reported(None, "A" * 88)],
        },
    )
    assert answer == {
        "binary_sensor open": ["off", "on"],
        "binary_sensor unlocked": ["off", "on"],
        "event raised": ['{"event_type": "alarm"}'],
        "binary_sensor alarm": ["off"],
        **{f"binary_sensor {name}": ["off"] for name in ("lock", "vault", "keeper", "bolt", "storage", "cert")},
        "binary_sensor camera": ["on"],
        "binary_sensor lockout": ["on"],
        "sensor docs": ["7"],
    }


@pytest.mark.parametrize("lost", ["origin", "device"])
def test_home_assistants_own_schema_refuses_what_lacks_a_part(lost: str) -> None:
    said = json.loads(ANNOUNCED)
    del said[lost]
    with pytest.raises(AssertionError, match=f"required key not provided.*{lost}"):
        says(CONFIG, json.dumps(said).encode(), {})

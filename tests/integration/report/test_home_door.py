"""A whole door of the profile HOME, six processes and a real broker: from the signed document to what is retained.

What Home Assistant's own schema says of the announcement is in `test_homeassistant.py`: the same bytes.
"""

import time
from collections.abc import Iterator

import pytest

from device import wire
from device.document import Telling
from device.edges import Room
from device.report import homeassistant, state
from device.report.teller import Identity
from device.version import software_version
from device.wire import Profile
from tests.support.door import OPENED, Home, door_up
from tests.support.mosquitto import Mosquitto, Seen, Subscriber, running_broker

DOOR_ID = "00112233445566ff"
CONFIG, STATE = homeassistant.topic(DOOR_ID), state.topic(DOOR_ID)
ANNOUNCED = homeassistant.encode(Identity(DOOR_ID, "", software_version()))
SHUT = state.encode(wire.DoorState(granted=False, open=False))
RELEASED = state.encode(wire.DoorState(granted=True, open=False))
OPEN = state.encode(wire.DoorState(granted=True, open=True))
SLOT, PIN = 12, "482913"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with running_broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture(scope="module")
def home(broker: Mosquitto) -> Iterator[Home]:
    """A resident lives behind it; unlocked for so long that a test can open the door while it is."""
    with door_up(broker=broker.url, cadence_s=86400, door_id=DOOR_ID, unlock_ms=15000) as home:
        home.move_in(SLOT, PIN)
        yield home


def chooses(home: Home, telling: Telling) -> None:
    """The manager signs, and the document is applied at the door."""
    home.manager.version += 1
    content = home.manager.signed(home.door_id, telling, home.manager.version, int(time.time()))
    said = home.apply(home.manager.sealed(home.door_id, content))
    assert said.code == 0, said


def told(seen: list[Seen]) -> list[tuple[str, bytes]]:
    return [(each.topic, each.payload) for each in seen if each.topic in (CONFIG, STATE)]


def kept(broker: Mosquitto, name: str) -> dict[str, bytes]:
    """What somebody is given who asks for the first time now; a message of their own says that it was all."""
    with Subscriber(broker, name=name) as later:
        later._client.publish(f"end/{name}", b"end", qos=1)
        seen = later.wait_for(lambda seen: f"end/{name}" in [each.topic for each in seen])
    return {each.topic: each.payload for each in seen if each.retain and each.topic in (CONFIG, STATE)}


def comes_home(home: Home) -> None:
    assert home.types(f"{SLOT}#{PIN}#") == OPENED
    home.door.move_door(is_open=True)
    home.door.move_door(is_open=False)
    home.until(lambda now: not now["granted"], "the door secured")


def test_a_signed_choice_announces_the_door_and_tells_it_live_until_it_is_taken_back(
    home: Home, broker: Mosquitto
) -> None:
    with Subscriber(broker) as witness:
        comes_home(home)
        assert told(witness.seen) == [], "a building tells nothing of this"
        chooses(home, Telling(Profile.HOME))
        seen = witness.wait_for(lambda seen: len(told(seen)) >= 2)
        assert told(seen) == [(CONFIG, ANNOUNCED), (STATE, SHUT)]
        assert kept(broker, "first") == {CONFIG: ANNOUNCED, STATE: SHUT}

        assert home.types(f"{SLOT}#{PIN}#") == OPENED
        witness.wait_for(lambda seen: told(seen)[-1] == (STATE, RELEASED))
        home.door.move_door(is_open=True)
        witness.wait_for(lambda seen: told(seen)[-1] == (STATE, OPEN))
        assert kept(broker, "second") == {CONFIG: ANNOUNCED, STATE: OPEN}, "as it stands, and not as it stood"
        home.door.move_door(is_open=False)
        witness.wait_for(lambda seen: told(seen)[-1] == (STATE, SHUT))

        chooses(home, Telling())
        seen = witness.wait_for(lambda seen: told(seen)[-2:] == [(CONFIG, b""), (STATE, b"")])
        already = len(told(seen))
        assert kept(broker, "third") == {}
        comes_home(home)
        home.door.tamper(on=True)  # what comes behind the opening shows that nothing came with it
        seen = witness.wait_for(lambda seen: seen[-1].topic.endswith("/alarm"))
        assert len(told(seen)) == already
        home.door.tamper(on=False)


def test_what_a_report_left_that_ended_is_taken_back_by_the_next_one(home: Home, broker: Mosquitto) -> None:
    """The choice is taken back while no report runs to hear of it."""
    with Subscriber(broker) as witness:
        chooses(home, Telling(Profile.HOME))
        witness.wait_for(lambda seen: (STATE, SHUT) in told(seen))
        home.door.stop(Room.REPORT)
        home.until(lambda now: now["processes"][Room.REPORT] == "down", "report down")
        assert kept(broker, "still") == {CONFIG: ANNOUNCED, STATE: SHUT}, "that it ended takes nothing back"
        chooses(home, Telling())
        home.door.start(Room.REPORT)
        witness.wait_for(lambda seen: told(seen)[-2:] == [(CONFIG, b""), (STATE, b"")])
    assert kept(broker, "after") == {}

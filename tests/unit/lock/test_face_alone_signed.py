"""A face alone opens only while a policy is in force that names it: without one it needs the PIN."""

from __future__ import annotations

from pathlib import Path

import pytest

from device import document, wire
from device.edges import Room
from device.lock.hours import NOT_ALONE
from device.lock.policy import Policy, VersionFile
from device.lock.state import FaceButton, Rules, Signal
from device.policy.methods import EVERYTHING, PIN_AND_CARD, Method
from device.policy.schedule import DoorPolicy, Interval, Schedule
from device.wire import Result
from tests.unit.lock.house import DOCUMENT_KEY, DOOR, MANAGER, Clock, House

ALWAYS = ((Interval(0, 1440),),) * 7
ALONE = DoorPolicy("UTC", (Schedule(PIN_AND_CARD | Method.FACE, ALWAYS),))
WITH_PIN = DoorPolicy("UTC", (Schedule(PIN_AND_CARD | Method.FACE_WITH_PIN, ALWAYS),))


def sign(house: House, policy: DoorPolicy, version: int) -> None:
    """The manager's policy reaches the door."""
    paper = document.sign(policy, door_id=DOOR, version=version, issued_unix=1_760_000_000, key=MANAGER)
    sealed = document.seal(paper, door_id=DOOR, document_key=DOCUMENT_KEY.public)
    assert house.work._policy.received(sealed, Room.DESK) == (Result.DONE, ())


def opened(house: House) -> int:
    """How often the bolt was released after a face that vault knows was seen in each approach of one window."""
    eye, vault = house.join(Room.EYE), house.join(Room.VAULT)
    vault.say(wire.FaceReady(recognise=True, enrol=False, claim_first=False))
    house.turn()
    house.board.happens(FaceButton())
    house.turn()
    while looks := [msg for msg in eye.heard() if isinstance(msg, wire.Look)]:
        vault.say(house.accepted(looks[0]))
        house.turn()
    return house.board.bolt.releases


def real(folder: Path, clock: Clock, *, tier_face: bool = True) -> House:
    """A door with a board of its own, as door.toml says, not one of doorsim."""
    house = House(folder, clock, Rules(face_alone_opens=tier_face), unsigned=NOT_ALONE)
    house.turn()
    return house


def test_without_a_policy_a_face_asks_for_its_pin(tmp_path: Path, clock: Clock) -> None:
    house = real(tmp_path, clock)
    assert opened(house) == 0
    assert house.board.signals[-1] is Signal.ENTER_PIN
    house.close()


def test_a_policy_that_does_not_name_it_does_not_let_it_in_alone(tmp_path: Path, clock: Clock) -> None:
    house = real(tmp_path, clock)
    sign(house, WITH_PIN, 3)
    assert opened(house) == 0
    house.close()


def test_a_policy_that_names_it_lets_it_in_alone_where_door_toml_does(tmp_path: Path, clock: Clock) -> None:
    for tier_face, times in ((False, 0), (True, 1)):
        house = real(tmp_path / str(times), clock, tier_face=tier_face)
        (house.folder / "lock").mkdir(parents=True)
        sign(house, ALONE, 3)
        assert opened(house) == times
        house.close()


def test_the_strict_choice_is_the_default_and_doorsim_says_otherwise(tmp_path: Path) -> None:
    key, versions = bytes(MANAGER.verify_key), VersionFile(tmp_path / "policy-version")
    assert Policy(DOOR, key, DOCUMENT_KEY, versions).hours.at(0).allowed == NOT_ALONE == EVERYTHING & ~Method.FACE
    assert Policy(DOOR, key, DOCUMENT_KEY, versions, EVERYTHING).hours.at(0).allowed == EVERYTHING


def test_a_lock_that_takes_no_policy_for_every_policy_is_seen(tmp_path: Path, clock: Clock) -> None:
    """The seeded fault: without a signature everything is allowed, as it was before there were policies."""
    house = House(tmp_path, clock, Rules(face_alone_opens=True), unsigned=EVERYTHING)
    house.turn()
    with pytest.raises(AssertionError):
        assert opened(house) == 0
    house.close()

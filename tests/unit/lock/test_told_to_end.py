"""lock is told to end (an upgrade, a shutdown) while somebody is on the way in: they go through, and nobody after."""

from typing import Any, get_args, get_type_hints

import pytest

from device.config.tables import LockTable
from device.edges import Room
from device.lock.state import DoorMoved
from tests.unit.lock.house import End, House
from tools.units.files import read

PIN = "12#482913#"
UNLOCK_S = 4.0


@pytest.fixture
def keeper(house: House) -> End:
    """The one who checks PINs."""
    return house.join(Room.KEEPER)


def lets_in(house: House, keeper: End) -> None:
    house.keys(PIN)
    (question,) = keeper.heard()
    keeper.say(house.accepted(question))
    house.turn()
    assert house.board.bolt.released_ms is not None


def test_lock_that_let_nobody_in_ends_at_once(house: House, keeper: End) -> None:
    assert not house.work.serves()
    house.keys(PIN)
    assert keeper.heard()
    assert not house.work.serves(), "a PIN that is only being checked has let nobody in"


def test_whoever_was_let_in_has_their_whole_time(house: House, keeper: End) -> None:
    lets_in(house, keeper)
    house.passes(1.0)
    assert house.work.serves()
    house.passes(UNLOCK_S - 1.1)
    assert house.work.serves()
    assert house.board.bolt.released_ms is not None
    house.passes(0.2)
    assert not house.work.serves()
    assert house.board.bolt.released_ms is None


def test_lock_ends_as_soon_as_they_are_through(house: House, keeper: End) -> None:
    lets_in(house, keeper)
    assert house.work.serves()
    for is_open in (True, False):
        house.board.happens(DoorMoved(open=is_open))
        house.turn()
    assert not house.work.serves()
    assert house.board.bolt.released_ms is None


def test_nobody_who_is_let_in_afterwards_makes_it_longer(house: House, keeper: End) -> None:
    lets_in(house, keeper)
    assert house.work.serves()
    house.passes(UNLOCK_S - 1)
    lets_in(house, keeper)
    assert house.work.state.granted_until_ns is not None
    house.passes(1.1)
    assert house.work.state.granted_until_ns is not None, "the door is open for the second one"
    assert not house.work.serves()


def test_lock_that_counts_anew_for_each_of_them_is_seen_by_these_tests(
    house: House, keeper: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(*_: object) -> bool:
        house.work._serves_until_ns = None
        return serves()

    serves = house.work.serves
    monkeypatch.setattr(house.work, "serves", forgetful)
    with pytest.raises(AssertionError):
        test_nobody_who_is_let_in_afterwards_makes_it_longer(house, keeper)


def test_a_bolt_that_does_not_obey_keeps_no_lock_from_ending(house: House, keeper: End) -> None:
    lets_in(house, keeper)
    assert house.work.serves()
    house.board.bolt.deaf_to_secure = True
    house.passes(UNLOCK_S + 0.1)
    assert not house.work.serves()


def test_process_that_ends_secures_the_bolt_whatever_is_left_of_somebody_s_time(house: House, keeper: End) -> None:
    lets_in(house, keeper)
    assert house.work.serves()
    house.work.stop()
    assert house.board.bolt.released_ms is None


def test_the_unit_gives_it_the_time_under_every_setting() -> None:
    hint: Any = get_type_hints(LockTable, include_extras=True)["unlock_ms"]
    longest_s = get_args(hint)[1].high / 1000
    assert longest_s <= float(read()["doorward-lock.service"].one("Service", "TimeoutStopSec")) / 2

"""lock's loop between two moments: a document that waits for keeper, and a bolt that obeys again."""

from __future__ import annotations

from device import wire
from device.edges import Room
from device.lock.loop import APPLY_NS
from device.wire import OccurrenceKind, Result
from tests.unit.lock.house import End, House, sealed

APPLY_S = APPLY_NS / 1e9


def test_a_document_waits_for_keeper_whatever_else_the_loop_wakes_for(house: House) -> None:
    desk, keeper = house.join(Room.DESK), house.join(Room.KEEPER)
    desk.say(wire.Document(sealed()))
    house.turn()
    for _ in range(4):
        house.board.due_s = house.clock.monotonic()
        house.passes(1.0)
    house.board.due_s = None
    assert desk.heard() == [], "it is neither kept nor given up"
    keeper.say(wire.OfferKept(12, 1, Result.DONE))
    house.turn()
    assert desk.heard() == [wire.Ack(7, Result.DONE)]


def test_a_document_is_given_up_at_the_moment_that_was_asked_for(house: House) -> None:
    """Else the loop would turn in circles until the clock moves on."""
    desk, _ = house.join(Room.DESK), house.join(Room.KEEPER)
    desk.say(wire.Document(sealed()))
    house.turn()
    assert house.work.deadline() == house.clock.monotonic() + APPLY_S
    house.passes(APPLY_S)
    assert desk.heard() == [wire.Ack(0, Result.FAULT)]


def opens(house: House, keeper: End) -> None:
    """Somebody types a right PIN."""
    house.keys("12#482913#")
    (question,) = [msg for msg in keeper.heard() if isinstance(msg, wire.CheckPin)]
    keeper.say(house.accepted(question))
    house.turn()


def told(report: End) -> list[OccurrenceKind]:
    """The alarms of the bolt that report heard of, and their ends."""
    kinds = [msg.kind for msg in report.heard() if isinstance(msg, wire.Occurrence)]
    return [kind for kind in kinds if kind in (OccurrenceKind.BOLT_FAULT, OccurrenceKind.ALARM_CLEARED)]


def test_the_alarm_of_a_bolt_ends_with_the_first_opening_at_which_it_obeys_and_not_before(house: House) -> None:
    keeper, report = house.join(Room.KEEPER), house.join(Room.REPORT)
    house.turn()
    opens(house, keeper)
    assert told(report) == [], "a bolt that always obeyed ends no alarm"
    house.passes(10)
    house.board.bolt.deaf_to_release = True
    for _ in range(2):
        opens(house, keeper)
        house.passes(10)
    assert told(report) == [OccurrenceKind.BOLT_FAULT], "it stands, and is told once"
    house.board.bolt.deaf_to_release = False
    opens(house, keeper)
    assert house.board.bolt.released_ms is not None
    assert told(report) == [OccurrenceKind.ALARM_CLEARED]

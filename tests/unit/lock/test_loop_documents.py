"""What lock answers about itself, and how it carries the manager's documents to keeper."""

from __future__ import annotations

import pytest

from device import wire
from device.document import MAX_OFFERS
from device.edges import Room
from device.lock.state import Signal, TamperMoved
from device.wire import AlarmBits, Result
from tests.unit.lock.house import DOCUMENT_KEY, House, offer, sealed


def test_status_tells_the_health_and_the_version(house: House) -> None:
    house.versions.store(7)
    desk = house.join(Room.DESK)
    house.join(Room.VAULT)
    house.board.happens(TamperMoved(on=True))
    house.turn()
    desk.say(wire.AskStatus())
    house.turn()
    assert desk.heard() == [
        wire.DoorStatus(
            eye=False,
            vault=True,
            keeper=False,
            report=False,
            camera_well=True,
            alarms=AlarmBits.TAMPER,
            policy_version=7,
            document_key=DOCUMENT_KEY.public,
            ending=wire.Ending.NONE,
            ends_in_s=0,
        )
    ]


def test_a_keeper_of_which_only_the_socket_unit_answers_is_not_there_and_nobody_waits_for_it(house: House) -> None:
    """One that cannot start: its socket takes lock's connection all the same, and who typed waited six seconds."""
    desk, keeper = house.join(Room.DESK), house.join(Room.KEEPER, served=False)

    def status() -> wire.DoorStatus:
        desk.say(wire.AskStatus())
        house.turn()
        (told,) = desk.heard()
        assert isinstance(told, wire.DoorStatus)
        return told

    assert not status().keeper
    house.keys("12#482913#")
    assert house.board.signals[-1] is Signal.REFUSED
    assert keeper.heard() == [], "nothing that would be answered after whoever typed has gone"
    keeper.say(wire.Occupied(many=False, some=True))
    house.turn()
    assert status().keeper
    house.keys("12#482913#")
    assert [type(msg) for msg in keeper.heard()] == [wire.CheckPin]


def test_a_damaged_version_file_ends_neither_status_nor_lock(house: House) -> None:
    house.versions.store(7)
    house.versions.path.write_bytes(b"??")
    desk, keeper = house.join(Room.DESK), house.join(Room.KEEPER)
    desk.say(wire.AskStatus(), wire.Document(sealed(8)), wire.AskStatus())
    house.turn()
    status, ack, again = desk.heard()
    assert status == again
    assert isinstance(status, wire.DoorStatus)
    assert status.policy_version == 0
    assert ack == wire.Ack(0, Result.FAULT)
    assert keeper.heard() == []


# ---- documents


def test_a_document_goes_to_keeper_and_its_end_back_to_the_one_who_brought_it(house: House) -> None:
    desk, report, keeper = house.join(Room.DESK), house.join(Room.REPORT), house.join(Room.KEEPER)
    report.heard()
    desk.say(wire.Document(sealed(7, offer(3), offer(12))))
    house.turn()
    assert keeper.heard() == [offer(3), offer(12)]
    assert desk.heard() == []
    keeper.say(wire.OfferKept(3, 1, Result.DONE), wire.OfferKept(12, 1, Result.DONE))
    house.turn()
    assert desk.heard() == [wire.Ack(7, Result.DONE)]
    assert wire.Ack not in {type(msg) for msg in report.heard()}
    assert house.versions.load() == 7
    assert house.board.bolt.releases == 0


def test_the_longest_document_fits_keepers_line(house: House) -> None:
    desk, keeper = house.join(Room.DESK), house.join(Room.KEEPER)
    offers = tuple(offer(slot) for slot in range(1, MAX_OFFERS + 1))
    desk.say(wire.Document(sealed(1, *offers)))
    house.turn()
    assert keeper.heard() == list(offers)


@pytest.mark.parametrize(
    ("content", "result"),
    [
        (b"nonsense", Result.MALFORMED),
        (sealed()[:5] + bytes(8) + sealed()[13:], Result.WRONG_DOOR),
        (sealed(2), Result.STALE),
    ],
)
def test_a_refused_document_is_answered_at_once_with_the_version_that_stands(
    house: House, content: bytes, result: Result
) -> None:
    house.versions.store(5)
    desk, keeper = house.join(Room.DESK), house.join(Room.KEEPER)
    desk.say(wire.Document(content))
    house.turn()
    assert desk.heard() == [wire.Ack(5, result)]
    assert keeper.heard() == []
    assert not desk.cut_off(), "a bad document is a person's mistake and no breach"


def test_a_second_document_is_told_to_wait(house: House) -> None:
    desk, report = house.join(Room.DESK), house.join(Room.REPORT)
    keeper = house.join(Room.KEEPER)
    desk.say(wire.Document(sealed(7)))
    house.turn()
    report.heard()
    report.say(wire.Document(sealed(8)))
    house.turn()
    assert wire.Ack(0, Result.BUSY) in report.heard()
    keeper.say(wire.OfferKept(12, 1, Result.DONE))
    house.turn()
    assert desk.heard() == [wire.Ack(7, Result.DONE)]


def test_without_keeper_a_document_is_not_begun(house: House) -> None:
    desk = house.join(Room.DESK)
    desk.say(wire.Document(sealed()))
    house.turn()
    assert desk.heard() == [wire.Ack(0, Result.FAULT)]
    assert house.work.deadline() is None


def test_keeper_gone_in_the_middle_gives_the_document_up(house: House) -> None:
    desk, keeper = house.join(Room.DESK), house.join(Room.KEEPER)
    desk.say(wire.Document(sealed()))
    house.turn()
    keeper.sock.close()
    house.turn()
    assert desk.heard() == [wire.Ack(0, Result.FAULT)]
    keeper = house.join(Room.KEEPER)
    desk.say(wire.Document(sealed()))
    house.turn()
    keeper.say(wire.OfferKept(12, 1, Result.STALE))
    house.turn()
    assert desk.heard() == [wire.Ack(7, Result.DONE)]


def test_a_keeper_that_takes_too_long_gives_the_document_up(house: House) -> None:
    desk, keeper = house.join(Room.DESK), house.join(Room.KEEPER)
    desk.say(wire.Document(sealed()))
    house.turn()
    house.passes(4.9)
    assert desk.heard() == []
    house.passes(0.2)
    assert desk.heard() == [wire.Ack(0, Result.FAULT)]
    keeper.say(wire.OfferKept(12, 1, Result.DONE))
    house.turn()
    assert desk.heard() == []
    assert house.versions.load() == 0


def test_a_desk_that_was_restarted_gets_no_ack_it_never_asked_for(house: House) -> None:
    """It would take one for a breach, and raise an alarm about a lock that did its work."""
    desk, keeper = house.join(Room.DESK), house.join(Room.KEEPER)
    desk.say(wire.Document(sealed()))
    house.turn()
    desk.sock.close()
    house.turn()
    desk = house.join(Room.DESK)
    keeper.say(wire.OfferKept(12, 1, Result.DONE))
    house.turn()
    assert desk.heard() == []
    assert house.versions.load() == 7

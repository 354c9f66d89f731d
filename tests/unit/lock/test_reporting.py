"""What report is told: what the manager has signed, and nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from device import document, wire
from device.document import Telling
from device.edges import Room
from device.errors import StoreFault
from device.lock import durable
from device.lock import reporting as reporting_module
from device.lock.daily_count import DAY_S
from device.lock.managers import Managers
from device.lock.policy import Policy
from device.lock.reporting import Reporting
from device.lock.state import DoorMoved, FaceButton
from device.wire import NO_ALARM_KEY, Profile, Result
from tests.unit.lock.house import DOCUMENT_KEY, DOOR, MANAGER, End, House, sealed
from tests.unit.lock.house import signed as signed_offers

ALARM_KEY = bytes(range(100, 132))
MIDNIGHT = 22_000 * DAY_S
TOLD = wire.Reporting | wire.DailyCount | wire.DoorState | wire.DoorKeys
COUNTED = Telling(epsilon_milli=500)
HOME = Telling(Profile.HOME)


def signed(telling: Telling, version: int = 8) -> bytes:
    return document.sign(telling, door_id=DOOR, version=version, issued_unix=1_900_000_000, key=MANAGER)


def travels(telling: Telling, version: int = 8) -> wire.Document:
    box = document.seal(signed(telling, version), door_id=DOOR, document_key=DOCUMENT_KEY.public)
    return wire.Document(box)


def told(report: End, *kinds: type[wire.Message]) -> list[wire.Message]:
    """What report heard that is no occurrence, of these kinds if any are named."""
    return [msg for msg in report.heard() if isinstance(msg, kinds or TOLD)]


class Choice:
    """A door under a choice, with report, desk and keeper there, and a clock that is believed."""

    def __init__(self, house: House, telling: Telling | None = None) -> None:
        self.house = house
        self.unix = MIDNIGHT + 8 * 3600.0
        self.policy.hours.wall = lambda: self.unix
        self.policy.reporting.count.below = random.Random(5).randrange
        self.keeper, self.desk = house.join(Room.KEEPER), house.join(Room.DESK)
        self.report = house.join(Room.REPORT)
        house.turn()
        self.version = 7
        if telling:
            assert self.chooses(telling) is Result.DONE
        self.first = told(self.report)

    @property
    def policy(self) -> Policy:
        return self.house.work._policy

    def chooses(self, telling: Telling) -> Result:
        self.version += 1
        self.desk.say(travels(telling, self.version))
        self.house.turn()
        (ack,) = self.desk.heard()
        assert isinstance(ack, wire.Ack)
        return ack.result

    def lets_in(self, times: int = 1) -> None:
        for _ in range(times):
            self.house.keys("12#482913#")
            question = self.keeper.heard()[-1]
            self.keeper.say(self.house.accepted(question))
            self.house.turn()

    def passes(self, seconds: float) -> None:
        """Both clocks go on, and lock wakes when it asked to."""
        end_ns = self.house.clock.now_ns + round(seconds * 1e9)
        while (due_s := self.house.work.deadline()) is not None and due_s * 1e9 <= end_ns:
            self._on(max(0, round(due_s * 1e9) - self.house.clock.now_ns))
            self.house.work.tick()
        self._on(end_ns - self.house.clock.now_ns)
        self.house.turn()

    def _on(self, ns: int) -> None:
        self.house.clock.now_ns += ns
        self.unix += ns / 1e9

    def to_midnight(self) -> None:
        self.passes(DAY_S - self.unix % DAY_S + 2)


@pytest.fixture
def house(house: House) -> House:
    house.join(Room.EYE, served=False)
    return house


def test_a_door_without_a_document_is_a_building_that_counts_nothing(house: House) -> None:
    door = Choice(house)
    assert door.first == [wire.Reporting(Profile.BUILDING, NO_ALARM_KEY), wire.DoorKeys(0, DOCUMENT_KEY.public)]
    door.keeper.say(wire.Occupied(many=True, some=True))
    house.board.happens(DoorMoved(open=True))
    door.lets_in(3)
    door.to_midnight()
    assert told(door.report) == []
    assert not (house.folder / "lock" / "daily-count").exists()


def test_a_new_choice_is_told_at_once_and_again_to_whoever_comes(house: House) -> None:
    door = Choice(house)
    assert door.chooses(Telling(alarm_key=ALARM_KEY)) is Result.DONE
    wanted = {wire.Reporting(Profile.BUILDING, ALARM_KEY), wire.DoorKeys(8, DOCUMENT_KEY.public)}
    assert set(told(door.report)) == wanted
    assert set(told(_again(house))) == wanted


def _again(house: House) -> End:
    """Report was restarted."""
    house.service.peers.drop(house.service.peers.links[Room.REPORT])
    report = house.join(Room.REPORT)
    house.turn()
    return report


def test_every_document_that_is_applied_is_told_by_its_version(house: House) -> None:
    door = Choice(house)
    door.desk.say(wire.Document(sealed(7)))
    house.turn()
    (offer,) = [msg for msg in door.keeper.heard() if isinstance(msg, wire.SlotOffer)]
    door.keeper.say(wire.OfferKept(offer.slot, offer.serial, Result.DONE))
    house.turn()
    assert told(door.report, wire.DoorKeys) == [wire.DoorKeys(7, DOCUMENT_KEY.public)]


# ---- the live state


def test_under_home_the_door_is_told_as_it_stands(house: House) -> None:
    door = Choice(house, HOME)
    assert wire.DoorState(granted=False, open=False) in door.first
    door.lets_in()
    assert told(door.report) == [wire.DoorState(granted=True, open=False)]
    house.board.happens(DoorMoved(open=True))
    house.turn()
    house.board.happens(DoorMoved(open=False))
    house.turn()
    assert told(door.report) == [wire.DoorState(granted=True, open=True), wire.DoorState(granted=False, open=False)]
    assert wire.DoorState(granted=False, open=False) in told(_again(house))


def test_a_door_that_is_no_home_any_more_tells_nothing_more(house: House) -> None:
    door = Choice(house, HOME)
    door.chooses(Telling())
    assert told(door.report, wire.Reporting, wire.DoorState) == [wire.Reporting(Profile.BUILDING, NO_ALARM_KEY)]
    door.lets_in()
    assert told(door.report) == []


@pytest.mark.parametrize("telling", [None, COUNTED, Telling(alarm_key=ALARM_KEY)])
def test_no_opening_reaches_report_of_a_building(house: House, telling: Telling | None) -> None:
    door = Choice(house, telling)
    door.lets_in()
    house.board.happens(DoorMoved(open=True), DoorMoved(open=False), FaceButton())
    house.turn()
    assert door.report.heard() == []


def test_a_state_of_a_building_is_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: the profile is not asked."""
    monkeypatch.setattr(reporting_module, "Profile", type("Any", (), {"HOME": Profile.BUILDING}))
    door = Choice(house)
    door.lets_in()
    assert door.report.heard() != []


# ---- the number of the day


def test_a_number_comes_once_a_day_and_again_to_whoever_comes(house: House) -> None:
    door = Choice(house, COUNTED)
    door.keeper.say(wire.Occupied(many=True, some=True))
    house.turn()
    door.to_midnight()
    assert told(door.report) == [], "nobody counted on the morning before the document"
    door.lets_in(3)
    door.passes(3600)
    assert told(door.report) == [], "nothing before midnight"
    door.to_midnight()
    choice, number = told(door.report)
    assert choice == wire.Reporting(Profile.BUILDING, NO_ALARM_KEY)
    assert isinstance(number, wire.DailyCount)
    assert abs(number.noisy - 3) < 40
    door.passes(5 * 3600)
    assert told(door.report) == []
    assert told(_again(house), wire.DailyCount) == [number]


def numbers_of_a_small_house(house: House) -> list[wire.Message]:
    door = Choice(house, COUNTED)
    door.keeper.say(wire.Occupied(many=False, some=True))
    house.turn()
    door.to_midnight()
    door.lets_in()
    door.to_midnight()
    return told(door.report, wire.DailyCount)


def test_a_house_with_fewer_than_twenty_places_taken_tells_none(house: House) -> None:
    assert numbers_of_a_small_house(house) == []


def test_a_number_of_a_small_house_is_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: keeper's word is not asked for."""
    monkeypatch.setattr(Reporting, "many", property(lambda _self: True, lambda _self, _many: None))
    assert len(numbers_of_a_small_house(house)) == 1


def test_a_house_that_has_become_small_takes_its_number_back(house: House) -> None:
    door = Choice(house, COUNTED)
    door.keeper.say(wire.Occupied(many=True, some=True))
    house.turn()
    door.to_midnight()
    door.to_midnight()
    assert len(told(door.report, wire.DailyCount)) == 1
    door.keeper.say(wire.Occupied(many=False, some=True))
    house.turn()
    assert told(door.report) == [wire.Reporting(Profile.BUILDING, NO_ALARM_KEY)]
    door.keeper.say(wire.Occupied(many=True, some=True))
    house.turn()
    door.passes(3600)
    assert told(door.report) == [], "when somebody moved in is nobody's business"
    door.to_midnight()
    assert len(told(door.report, wire.DailyCount)) == 1


def test_a_lockout_is_told_as_an_occurrence_and_shows_nothing_at_the_door(house: House) -> None:
    door = Choice(house)
    shown = list(house.board.signals)
    door.keeper.say(wire.LockedOut())
    house.turn()
    assert door.report.heard() == [wire.Occurrence(wire.OccurrenceKind.LOCKOUT)]
    assert house.board.signals == shown


# ---- the disk


def stored(folder: Path) -> Reporting:
    managers = Managers(folder, DOOR, bytes(MANAGER.verify_key), DOCUMENT_KEY.kept)
    return Reporting(folder, managers.kept, DOCUMENT_KEY.kept)


def test_the_choice_survives_a_restart_and_cannot_be_read_off_the_disk(house: House) -> None:
    Choice(house, Telling(Profile.HOME, alarm_key=ALARM_KEY))
    folder = house.folder / "lock"
    assert stored(folder).telling == Telling(Profile.HOME, alarm_key=ALARM_KEY)
    assert ALARM_KEY not in (folder / "reporting").read_bytes()


@pytest.mark.parametrize("damage", ["torn", "zeros", "other key", "other door's", "offers", "empty"])
def test_a_choice_that_cannot_be_believed_tells_health_alone(
    tmp_path: Path, damage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    home = bytes(DOCUMENT_KEY.kept.encrypt(signed(HOME)))
    (tmp_path / "reporting").write_bytes(home)
    assert stored(tmp_path).telling == HOME
    other = document.sign(HOME, door_id=bytes(8), version=8, issued_unix=1_900_000_000, key=MANAGER)
    content = {
        "torn": home[:-1],
        "zeros": bytes(len(home)),
        "other key": bytes([home[0] ^ 1]) + home[1:],
        "other door's": bytes(DOCUMENT_KEY.kept.encrypt(other)),
        "offers": bytes(DOCUMENT_KEY.kept.encrypt(signed_offers(7))),
        "empty": b"",
    }[damage]
    (tmp_path / "reporting").write_bytes(content)
    assert stored(tmp_path).telling == Telling()
    assert "health alone" in capfd.readouterr().err


def test_a_choice_that_cannot_be_stored_is_not_in_force_and_may_be_sent_again(house: House) -> None:
    door = Choice(house)
    blocking = house.folder / "lock" / "reporting"
    blocking.mkdir(parents=True)
    assert door.chooses(HOME) is Result.FAULT
    door.lets_in()
    assert told(door.report) == []
    blocking.rmdir()
    door.version -= 1
    assert door.chooses(HOME) is Result.DONE


def taken_back_on_a_full_disk(house: House, monkeypatch: pytest.MonkeyPatch) -> list[wire.Message]:
    """What report hears of a home whose choice is taken back while nothing can be stored, and of whoever comes then."""
    door = Choice(house, Telling(Profile.HOME, alarm_key=ALARM_KEY))

    def full(_path: Path, _content: bytes, _what: str) -> None:
        msg = "the disk is full"
        raise StoreFault(msg)

    monkeypatch.setattr(durable, "store", full)
    assert door.chooses(Telling(alarm_key=ALARM_KEY)) is Result.FAULT
    door.lets_in()
    return told(door.report)


def test_a_choice_that_is_taken_back_is_over_even_if_the_disk_is_full(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = taken_back_on_a_full_disk(house, monkeypatch)
    assert heard == [wire.Reporting(Profile.BUILDING, ALARM_KEY)]


def test_a_home_that_goes_on_because_its_disk_is_full_is_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: what cannot be stored changes nothing."""
    monkeypatch.setattr(reporting_module, "_both", lambda one, _other: one)
    assert wire.DoorState(granted=True, open=False) in taken_back_on_a_full_disk(house, monkeypatch)


@pytest.mark.parametrize(
    ("held", "newer"),
    [
        (Telling(), HOME),
        (HOME, COUNTED),
        (COUNTED, Telling(epsilon_milli=2000)),
        (Telling(alarm_key=ALARM_KEY), Telling(alarm_key=bytes(range(32)))),
    ],
)
def test_what_cannot_be_stored_lets_nothing_more_be_told(held: Telling, newer: Telling) -> None:
    assert reporting_module._both(held, newer) == Telling()


def test_an_older_choice_is_stale(house: House) -> None:
    door = Choice(house, Telling(alarm_key=ALARM_KEY))
    door.version -= 1
    assert door.chooses(HOME) is Result.STALE
    assert door.policy.reporting.telling == Telling(alarm_key=ALARM_KEY)

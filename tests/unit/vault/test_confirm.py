"""The bracket: a face that was seen is kept only once the same slot's PIN was shown again, in time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from device import wire
from device.edges import Room
from device.errors import EnrolmentRefused
from device.vault.credentials import Place
from device.vault.enrolling import CONFIRM_NS, Enrolling
from device.vault.enrolments import Enrolments
from device.wire import Hint, Purpose, Result
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.vault.house import House
from tests.unit.vault.values import CONSENT, SECOND, nonce, unit

ANNA, BO, PASSER_BY = unit(1), unit(2), unit(77)


def test_the_person_is_asked_for_the_pin_once_the_face_was_seen(house: House) -> None:
    house.capture(ANNA)
    assert house.got(Room.DESK, wire.EnrolHint) == [wire.EnrolHint(Hint.CONFIRM_WITH_PIN)]
    assert house.got(Room.LOCK, wire.EnrolmentEnded)[-1].result is Result.CONFIRM
    assert house.vault.faces.slots() == ()
    assert house.recognised(ANNA) is None


# ---- what confirms nothing: each leaves the passer-by's face unknown


def nobody(_house: House) -> None:
    """The resident sees that it was somebody else, and does nothing."""


def confirmed(house: House) -> None:
    """The one thing that keeps a face."""
    house.confirm()


def another_slot(house: House) -> None:
    house.move_in(12)
    house.confirm(12)


def another_purpose(house: House) -> None:
    for purpose in (Purpose.ERASE, Purpose.PAUSE, Purpose.RESUME):
        house.grant(purpose, 11)


def a_minute_later(house: House) -> None:
    house.wait(60)
    house.confirm()


def a_grant_that_is_over(house: House) -> None:
    house.grant(Purpose.ENROL, 11, seconds=0)


def the_pin_lost_meanwhile(house: House) -> None:
    house.lose_pin(11)
    house.confirm()


def the_slot_taken_anew_meanwhile(house: House) -> None:
    house.move_in(11, tenant=2)
    house.tell(11)
    house.confirm()


def the_command_line_closed(house: House) -> None:
    house.disconnect(Room.DESK)
    house.connect(Room.DESK)
    house.confirm()


def vault_restarted(house: House) -> None:
    house.restart()
    house.connect()
    house.confirm()


def more_frames(house: House) -> None:
    house.show(PASSER_BY, house.window())
    house.close_window()


NO_CONFIRMATIONS = [
    nobody,
    another_slot,
    another_purpose,
    a_minute_later,
    a_grant_that_is_over,
    the_pin_lost_meanwhile,
    the_slot_taken_anew_meanwhile,
    the_command_line_closed,
    vault_restarted,
    more_frames,
]


def what_is_left_of_a_passer_by(house: House, then: Callable[[House], None]) -> set[str]:
    """Somebody else pressed the button and looked while slot 11 was to enrol; then `then`, and a minute more."""
    assert isinstance(house.disk, SimulatedDisk)
    before = house.disk.all_names()
    house.capture(PASSER_BY)
    then(house)
    house.wait(61)
    left = set()
    if house.vault.faces.slots() or house.disk.all_names() != before:
        left.add("stored")
    if house.enrolling is not None:
        left.add("in memory")
    if house.recognised(PASSER_BY) is not None:
        left.add("recognised")
    return left


@pytest.mark.parametrize("then", NO_CONFIRMATIONS)
def test_a_passer_by_who_looked_first_is_forgotten(house: House, then: Callable[[House], None]) -> None:
    assert what_is_left_of_a_passer_by(house, then) == set()


def test_the_scenario_would_show_a_face_that_was_kept(house: House) -> None:
    assert what_is_left_of_a_passer_by(house, confirmed) == {"stored", "recognised"}


def test_keeping_a_face_as_soon_as_it_was_seen_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def keeps_at_once(self: Enrolments, sample: wire.Sample) -> None:
        collect(self, sample)
        if self._current and self._current.seen:
            self._end(self._keep(self._current))

    collect = Enrolments.collect
    monkeypatch.setattr(Enrolments, "collect", keeps_at_once)
    house = House()
    house.connect()
    assert what_is_left_of_a_passer_by(house, nobody) == {"stored", "recognised"}
    house.close()


@pytest.mark.parametrize("then", [another_slot, another_purpose, a_grant_that_is_over])
def test_taking_any_grant_for_a_confirmation_is_noticed(
    monkeypatch: pytest.MonkeyPatch, then: Callable[[House], None]
) -> None:
    monkeypatch.setattr(Enrolling, "confirmed_by", lambda self, _grant, _now_ns: self.seen)
    house = House()
    house.connect()
    assert "stored" in what_is_left_of_a_passer_by(house, then)
    house.close()


def test_forgetting_the_minute_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Enrolments, "tick", lambda _self: None)
    monkeypatch.setattr(Enrolments, "expires_ns", None)
    monkeypatch.setattr(Enrolling, "confirmed_by", lambda self, grant, _now_ns: self.seen and grant.slot == self.slot)
    house = House()
    house.connect()
    assert "stored" in what_is_left_of_a_passer_by(house, a_minute_later)
    house.close()


# ---- how it ends


@pytest.mark.parametrize(
    ("then", "result"),
    [
        (nobody, Result.UNCONFIRMED),
        (another_slot, Result.UNCONFIRMED),
        (a_minute_later, Result.UNCONFIRMED),
        (the_pin_lost_meanwhile, Result.NO_CREDENTIAL),
        (the_slot_taken_anew_meanwhile, Result.NO_GRANT),
        (lambda house: house.act(wire.Erase, 11), Result.UNCONFIRMED),
    ],
)
def test_desk_hears_once_how_it_ended_and_lock_nothing_more(
    house: House, then: Callable[[House], object], result: Result
) -> None:
    grant = house.capture(ANNA)
    then(house)
    house.wait(61)
    assert house.result(grant) is result
    assert [ended.result for ended in house.got(Room.LOCK, wire.EnrolmentEnded)] == [Result.CONFIRM]
    assert house.vault.deadline() is None


@pytest.mark.parametrize(("seconds", "result"), [(59.9, Result.DONE), (60, Result.UNCONFIRMED)])
def test_there_is_a_minute_from_the_moment_the_face_was_seen(house: House, seconds: float, result: Result) -> None:
    assert CONFIRM_NS == 60 * SECOND
    grant = house.begin()
    house.wait(50)  # the first grant has ten seconds left
    house.show(ANNA, house.window())
    house.close_window()
    house.wait(seconds)
    house.confirm()
    assert house.result(grant) is result


def test_eye_or_lock_going_away_after_the_face_was_seen_takes_nothing_away(house: House) -> None:
    grant = house.capture(ANNA)
    for room in (Room.EYE, Room.LOCK):
        house.disconnect(room)
        house.connect(room)
    house.confirm()
    assert house.result(grant) is Result.DONE


def test_a_neighbour_who_comes_home_meanwhile_is_recognised_and_changes_nothing(house: House) -> None:
    house.enrol(12, BO)
    grant = house.capture(ANNA)
    assert house.probe(BO).slot == 12
    house.close_window()
    house.confirm()
    assert house.result(grant) is Result.DONE
    assert (house.recognised(ANNA), house.recognised(BO)) == (11, 12)


def test_whoever_erases_while_the_pin_is_awaited_is_not_enrolled_by_showing_it(house: House) -> None:
    grant = house.capture(ANNA)
    assert house.act(wire.Erase, 11) is Result.NOTHING_TO_DO
    assert house.result(grant) is Result.UNCONFIRMED
    house.confirm()
    assert house.vault.faces.slots() == ()


# ---- the second grant


def test_a_pin_shown_twice_before_the_camera_looked_confirms_nothing(house: House) -> None:
    grant = house.begin()
    early = house.confirm()
    house.show(ANNA, house.window())
    house.close_window()
    assert house.unanswered(grant)
    assert house.vault.faces.slots() == ()
    # That early grant is an ordinary one: whoever names it begins anew, and what was seen is forgotten.
    house.say(Room.DESK, wire.Enrol(early, CONSENT, under_14=False))
    assert house.result(grant) is Result.UNCONFIRMED
    assert house.ready() == (False, True)
    assert house.vault.faces.slots() == ()


def test_the_same_grant_told_twice_is_no_second_one(house: House) -> None:
    grant = house.capture(ANNA)
    house.say(Room.KEEPER, wire.Grant(grant, Purpose.ENROL, house.now_ns + 60 * SECOND, 11))
    assert house.unanswered(grant)
    assert house.vault.faces.slots() == ()


def test_a_grant_that_confirmed_is_used_up(house: House) -> None:
    house.capture(ANNA)
    second = house.confirm()
    house.act(wire.Erase, 11)
    house.say(Room.DESK, wire.Enrol(second, CONSENT, under_14=False))
    assert house.result(second) is Result.NO_GRANT
    house.say(Room.DESK, wire.Erase(second))
    assert house.enrolling is None


def test_another_slot_s_confirmation_stays_its_own_grant(house: House) -> None:
    house.capture(ANNA)
    house.move_in(12)
    other = house.confirm(12)
    house.say(Room.DESK, wire.Enrol(other, CONSENT, under_14=False))
    assert house.result(other) is Result.REFUSED, "one enrolment at a time"
    house.confirm(11)
    assert house.vault.faces.slots() == (11,)


# ---- the pure core


def test_the_core_gives_no_record_of_a_face_it_has_not_seen() -> None:
    enrolling = Enrolling(nonce(), 11, under_14=False, frames=3, expires_ns=60 * SECOND, place=Place(b"t" * 16))
    with pytest.raises(EnrolmentRefused, match="nothing was kept"):
        enrolling.face(b"a consent", 1)


def test_a_repr_shows_neither_slot_nor_tenancy_nor_template(house: House) -> None:
    house.capture(ANNA, slot=424242)
    shown = repr(house.enrolling)
    assert "424242" not in shown
    assert "template" not in shown
    assert repr(house.tenancies[424242]) not in shown

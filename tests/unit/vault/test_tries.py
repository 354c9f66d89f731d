"""Trying out attacks: nobody is compared, nothing opens, desk hears the verdict alone, and it always ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from device import wire
from device.edges import EDGES, Room, permitted
from device.vault.tries import LONGEST_NS, Tries
from device.wire import Attack, LookMode, Outcome, Purpose, Result
from tests.unit.vault.house import House, another_house
from tests.unit.vault.values import MODEL, SECOND, unit

ANNA = unit(1)
EVERY = tuple(Attack)


def begin(house: House) -> None:
    house.say(Room.DESK, wire.TryFaces(on=True))
    assert house.got(Room.DESK, wire.TryStands)[-1].on


def told(house: House) -> list[Attack]:
    """What desk heard of tries."""
    return [tried.attack for tried in house.got(Room.DESK, wire.Tried)]


def probe_of(house: House, name: bytes, attack: Attack = Attack.NOT_TESTED) -> wire.Probe:
    return wire.Probe(name, house.now_ns, 3, attack, MODEL[:8], ANNA.astype("<f4").tobytes())


# ---- while it lasts


def opened_while_tried(house: House) -> list[wire.Verdict]:
    """Verdicts that are anything but a plain refusal, about the face of somebody enrolled."""
    house.enrol(11, ANNA)
    begin(house)
    found = [house.probe(ANNA, attack=attack, claim=claim) for attack in EVERY for claim in (wire.NOBODY, 11)]
    return [verdict for verdict in found if (verdict.outcome, verdict.slot) != (Outcome.REFUSED, wire.NOBODY)]


def test_no_face_is_recognised_while_attacks_are_tried_out_whatever_eye_holds_it_for(house: House) -> None:
    assert opened_while_tried(house) == []
    assert told(house) == [attack for attack in EVERY for _ in range(2)]


def test_a_vault_that_compares_all_the_same_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tries, "compares", property(lambda _self: True))
    with another_house() as house:
        assert opened_while_tried(house)


def test_a_try_costs_nobody_a_comparison(house: House) -> None:
    """The limit of failures is about strangers; an installer who tries forty times locks nobody out."""
    house.enrol(11, ANNA)
    begin(house)
    for _ in range(50):
        house.probe(ANNA, attack=Attack.PRESENTATION)
    house.say(Room.DESK, wire.TryFaces(on=False))
    assert house.probe(ANNA).slot == 11


def test_a_press_makes_sense_before_anybody_is_enrolled_and_no_longer_than_it_lasts(house: House) -> None:
    assert house.ready() == (False, False)
    begin(house)
    assert house.ready() == (True, False)
    house.say(Room.DESK, wire.TryFaces(on=False))
    assert house.ready() == (False, False)


def test_a_second_probe_for_one_approach_is_a_breach_as_ever(house: House) -> None:
    begin(house)
    name = house.window(LookMode.RECOGNISE)
    assert house.say(Room.EYE, probe_of(house, name))
    assert not house.say(Room.EYE, probe_of(house, name))
    assert len(told(house)) == 1


def test_nothing_of_a_try_is_written(house: House) -> None:
    house.enrol(11, ANNA)
    template = house.template(11).tobytes()
    begin(house)
    house.probe(unit(2), attack=Attack.BONA_FIDE)
    house.restart()
    house.connect()
    assert house.vault.faces.slots() == (11,)
    assert house.template(11).tobytes() == template


# ---- what begins before, or ends after


def across(house: House, change: Callable[[], None]) -> tuple[wire.Verdict, list[Attack]]:
    """An approach begins, `change` happens, the probe of somebody enrolled comes; the verdict, and what desk heard."""
    name = house.window(LookMode.RECOGNISE)
    change()
    house.say(Room.EYE, probe_of(house, name, Attack.BONA_FIDE))
    return house.got(Room.LOCK, wire.Verdict)[-1], told(house)


def test_who_pressed_before_it_began_is_neither_compared_nor_told_of(house: House) -> None:
    house.enrol(11, ANNA)
    verdict, heard = across(house, lambda: begin(house))
    assert verdict.slot == wire.NOBODY
    assert heard == []


def test_what_was_held_up_before_it_ended_opens_nothing_after(house: House) -> None:
    house.enrol(11, ANNA)
    begin(house)
    verdict, heard = across(house, lambda: house.disconnect(Room.DESK))
    assert verdict.slot == wire.NOBODY
    assert heard == []
    assert house.probe(ANNA).slot == 11, "the next approach is anybody's"


def test_a_vault_that_looks_at_the_end_alone_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tries, "compares", property(lambda self: not self.on))
    with another_house() as house, pytest.raises(AssertionError):
        test_what_was_held_up_before_it_ended_opens_nothing_after(house)


# ---- it ends


def connects_anew(house: House) -> None:
    house.disconnect(Room.DESK)
    house.connect(Room.DESK)


def starts_anew(house: House) -> None:
    house.restart()
    house.connect()


ENDS: dict[str, Callable[[House], object]] = {
    "by word": lambda house: house.say(Room.DESK, wire.TryFaces(on=False)),
    "with the connection": connects_anew,
    "by itself": lambda house: house.wait(LONGEST_NS / SECOND),
    "with the process": starts_anew,
}


@pytest.mark.parametrize("ends", ENDS.values(), ids=ENDS)
def test_it_ends_and_faces_are_recognised_again(house: House, ends: Callable[[House], object]) -> None:
    house.enrol(11, ANNA)
    begin(house)
    ends(house)
    before = len(told(house))
    assert house.probe(ANNA).slot == 11
    assert len(told(house)) == before


def test_desk_hears_that_it_ended_by_itself_once_and_it_lasts_until_then(house: House) -> None:
    begin(house)
    house.wait(LONGEST_NS / SECOND - 1)
    assert house.probe(ANNA).slot == wire.NOBODY
    assert len(told(house)) == 1
    house.wait(2)
    assert [stands.on for stands in house.got(Room.DESK, wire.TryStands)] == [True, False]
    house.wait(2 * LONGEST_NS / SECOND)
    assert len(house.got(Room.DESK, wire.TryStands)) == 2


def test_a_vault_without_a_clock_for_it_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tries, "tick", lambda _self, _now_ns: False)
    with another_house() as house:
        house.enrol(11, ANNA)
        begin(house)
        house.vault._tick_tries()
        house.now_ns += 2 * LONGEST_NS
        assert house.probe(ANNA).slot == wire.NOBODY


# ---- beside an enrolment


def test_it_does_not_begin_while_somebody_enrols_and_disturbs_them_in_nothing(house: House) -> None:
    grant = house.begin(11)
    house.say(Room.DESK, wire.TryFaces(on=True))
    assert [stands.on for stands in house.got(Room.DESK, wire.TryStands)] == [False]
    house.show(ANNA, house.window())
    house.close_window()
    house.confirm(11)
    assert house.result(grant) is Result.DONE


def test_nobody_begins_to_enrol_while_it_lasts_and_their_pin_is_not_used_up(house: House) -> None:
    house.move_in(11)
    begin(house)
    grant = house.grant(Purpose.ENROL, 11)
    enrol = wire.Enrol(grant, house.terms.hash, under_14=False)
    house.say(Room.DESK, enrol)
    assert house.results(grant) == [Result.BUSY]
    house.say(Room.DESK, wire.TryFaces(on=False))
    house.say(Room.DESK, enrol)
    assert house.enrolling is not None


def test_erasing_and_pausing_go_on(house: House) -> None:
    house.enrol(11, ANNA)
    begin(house)
    assert house.act(wire.Pause, 11) is Result.DONE
    assert house.act(wire.Erase, 11) is Result.DONE


def test_eye_and_lock_cannot_begin_it() -> None:
    for edge in EDGES:
        for room in (edge.listener, edge.connector):
            if room in (Room.EYE, Room.LOCK, Room.KEEPER, Room.REPORT):
                assert not permitted(edge, room) & {wire.TryFaces, wire.TryStands, wire.Tried}


def test_the_log_tells_that_it_lasts_and_nothing_of_the_tries(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    begin(house)
    house.probe(ANNA, attack=Attack.PRESENTATION)
    house.say(Room.DESK, wire.TryFaces(on=False))
    said = capfd.readouterr().err
    assert said.count("tried out") == 2
    assert "PRESENTATION" not in said

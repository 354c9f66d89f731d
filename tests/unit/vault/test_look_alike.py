"""Somebody enrols who is close to a face that is awake here: they are told that, and never whose it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from device import wire
from device.edges import Room
from device.vault import loop
from device.vault.enrolling import Enrolling
from device.vault.enrolments import Enrolments
from device.vault.faces import Faces
from device.vault.gallery import gallery_of
from device.vault.record import Vector, unit_vector
from device.wire import Hint, Result
from tests.unit.vault.house import House, another_house
from tests.unit.vault.values import TERMS, THRESHOLD, at_cosine, unit

ANNA, BO = unit(1), unit(2)
TWIN = at_cosine(ANNA, 0.9, seed=8)
WARNED = [Hint.LOOKS_LIKE_ANOTHER, Hint.CONFIRM_WITH_PIN]
NOT_WARNED = [Hint.CONFIRM_WITH_PIN]


def awake(_house: House) -> None:
    """Anna's face opens."""


def paused(house: House) -> None:
    house.act(wire.Pause, 11)


def without_a_pin(house: House) -> None:
    house.lose_pin(11)


def under_other_terms(house: House) -> None:
    house.restart_under(replace(TERMS, purpose="another purpose"))


def ended(house: House) -> None:
    house.unix_s += 1000
    house.wait(61)


def erased(house: House) -> None:
    house.act(wire.Erase, 11)


SLEEPS = [paused, without_a_pin, under_other_terms, ended]


def hints_for(house: House, face: Vector, then: Callable[[House], None] = awake) -> list[Hint]:
    """What desk is told in an enrolment of `face` in slot 13, where ANNA is held in 11 and BO in 12."""
    house.ends[11] = int(house.unix_s) + 500
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    then(house)
    house.sent[Room.DESK].clear()
    house.capture(face, slot=13)
    return [hint.hint for hint in house.got(Room.DESK, wire.EnrolHint)]


def test_whoever_is_close_to_a_face_that_is_awake_is_told_before_the_pin_is_asked_for(house: House) -> None:
    assert hints_for(house, TWIN) == WARNED


@pytest.mark.parametrize("then", SLEEPS)
def test_who_sleeps_is_compared_with_nobody_here_neither(house: House, then: Callable[[House], None]) -> None:
    """They paused, have not agreed to what holds now, or have no place here any more."""
    assert hints_for(house, TWIN, then) == NOT_WARNED


def test_a_stranger_to_everybody_is_not_told_so(house: House) -> None:
    assert hints_for(house, unit(3)) == NOT_WARNED


def test_a_face_that_was_erased_is_not_remembered(house: House) -> None:
    assert hints_for(house, TWIN, erased) == NOT_WARNED


def test_the_line_is_the_threshold_of_one_face(house: House) -> None:
    house.enrol(11, ANNA)
    faces, held = house.vault.faces, house.template(11)
    for cosine, close in ((THRESHOLD + 0.001, True), (THRESHOLD - 0.001, False)):
        assert faces.resembles(at_cosine(held, cosine).astype("<f4").tobytes(), THRESHOLD) is close
    assert not faces.resembles(bytes(512), -1.0), "what is no template resembles nobody"


def test_lock_hears_nothing_of_it() -> None:
    sent = {}
    for name, face in (("twin", TWIN), ("stranger", unit(3))):
        with another_house() as other:
            hints_for(other, face)
            sent[name] = [type(msg) for msg in other.sent[Room.LOCK]]
            assert not other.got(Room.LOCK, wire.Guidance)
    assert sent["twin"] == sent["stranger"]


def test_desk_is_told_the_same_whoever_it_is() -> None:
    told = []
    for face in (ANNA, TWIN, BO, at_cosine(BO, 0.8)):
        with another_house() as other:
            hints_for(other, face)
            told.append([wire.pack(msg) for msg in other.sent[Room.DESK]])
    assert all(each == told[0] for each in told)
    assert len(told[0]) == 2


def test_the_warning_stops_nobody_and_each_is_recognised_as_themselves(house: House) -> None:
    hints_for(house, TWIN)
    house.confirm(13)
    assert house.got(Room.DESK, wire.Done)[-1].result is Result.DONE
    assert (house.recognised(ANNA), house.recognised(TWIN), house.recognised(BO)) == (11, 13, 12)


def test_the_warning_comes_once_and_writes_nothing(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    hints_for(house, TWIN)
    house.wait(61)
    assert [hint.hint for hint in house.got(Room.DESK, wire.EnrolHint)] == WARNED
    assert house.got(Room.DESK, wire.Done)[-1].result is Result.UNCONFIRMED
    assert house.vault.faces.slots() == (11, 12)
    assert capfd.readouterr().err == ""


# ---- eye


def hinted_by_eye(house: House) -> list[wire.Message]:
    """What vault sends on when eye itself says that somebody looks like another."""
    house.begin()
    name = house.window()
    house.wait(1)
    house.say(Room.EYE, wire.Guidance(name, Hint.LOOKS_LIKE_ANOTHER))
    return [*house.got(Room.DESK, wire.EnrolHint), *house.got(Room.LOCK, wire.Guidance)]


def test_eye_cannot_make_vault_say_it(house: House) -> None:
    assert hinted_by_eye(house) == []


def test_a_vault_that_passes_it_on_for_eye_is_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_OWN_HINTS", (Hint.CONFIRM_WITH_PIN,))
    assert len(hinted_by_eye(house)) == 2


# ---- seeded faults


def vector(template: bytes) -> Vector:
    found = unit_vector(template)
    assert found is not None
    return found


@pytest.mark.parametrize("then", SLEEPS)
def test_a_vault_that_compares_with_those_awake_alone_is_seen(
    house: House, monkeypatch: pytest.MonkeyPatch, then: Callable[[House], None]
) -> None:
    def with_those_awake(self: Faces, template: bytes, threshold: float, **_kind: bool) -> bool:
        return self.gallery().compare(vector(template), threshold) is not None

    monkeypatch.setattr(Faces, "resembles", with_those_awake)
    assert hints_for(house, TWIN, then) == NOT_WARNED


def test_a_vault_that_compares_with_a_template_that_was_not_turned_is_seen(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_turned(self: Faces, template: bytes, threshold: float, **_kind: bool) -> bool:
        held = gallery_of({slot: vector(face.template) for slot, face in self._records.items()}, self._rotation)
        return bool((held.templates @ vector(template) >= threshold).any())

    monkeypatch.setattr(Faces, "resembles", not_turned)
    assert hints_for(house, TWIN) == NOT_WARNED


def test_a_vault_that_warns_lock_too_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = Enrolments._ask_to_confirm

    def tells_lock(self: Enrolments, current: Enrolling, nonce: bytes) -> None:
        self.rooms.send(Room.LOCK, wire.Guidance(nonce, Hint.LOOKS_LIKE_ANOTHER))
        ask(self, current, nonce)

    monkeypatch.setattr(Enrolments, "_ask_to_confirm", tells_lock)
    with pytest.raises(AssertionError):
        test_lock_hears_nothing_of_it()

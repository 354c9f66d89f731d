"""The light challenge between lock's board and eye: what is driven, what eye hears, and what a fault changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from device import config, wire
from device.challenge import OFF, REST, kind_of
from device.challenge import Lights as Both
from device.edges import Room
from device.errors import ConfigRefused
from device.lock import lights
from device.lock.narrowing import rules_of
from device.lock.state import FaceButton, Rules
from device.wire import LookMode, OccurrenceKind, Outcome
from tests.unit.lock.house import Clock, End, House

PINS = {
    "left_light_weak_pin": "GPIO13",
    "left_light_strong_pin": "GPIO19",
    "right_light_weak_pin": "GPIO20",
    "right_light_strong_pin": "GPIO21",
}


@pytest.fixture
def lit(tmp_path: Path, clock: Clock) -> Iterator[House]:
    """A door with lights, a second old."""
    house = House(tmp_path, clock, Rules(face_alone_opens=True, lights=True))
    house.turn()
    house.passes(1)
    yield house
    house.close()


def looks(house: House) -> tuple[End, End, wire.Look]:
    eye, vault = house.join(Room.EYE), house.join(Room.VAULT)
    vault.say(wire.FaceReady(recognise=True, enrol=False, claim_first=False))
    house.turn()
    house.board.happens(FaceButton())
    house.turn()
    (asked,) = eye.heard()
    assert isinstance(asked, wire.Look)
    return eye, vault, asked


def to_the_log(house: House, eye: End) -> tuple[wire.ChallengeLog, list[tuple[int, tuple[int, int]]]]:
    """What eye hears, and what the board was told meanwhile, by the loop's own deadlines."""
    seen: list[tuple[int, tuple[int, int]]] = []
    for _ in range(20):
        shown = len(house.board.shone)
        due_s = house.work.deadline()
        assert due_s is not None
        house.clock.now_ns = max(house.clock.now_ns, round(due_s * 1e9))
        house.turn()
        seen += [(house.clock.now_ns, each) for each in house.board.shone[shown:]]
        heard = eye.heard()
        if heard:
            (log,) = heard
            assert isinstance(log, wire.ChallengeLog)
            return log, seen
    msg = "eye never heard of its challenge"
    raise AssertionError(msg)


def test_eye_asks_and_hears_what_the_lights_did_and_nothing_before(lit: House) -> None:
    eye, vault, asked = looks(lit)
    assert lit.board.shone == [(REST.left, REST.right)]
    vault.heard()
    eye.say(wire.ChallengeRequest(asked.nonce))
    lit.turn()
    log, seen = to_the_log(lit, eye)
    assert log.nonce == asked.nonce
    told = [(log.at_1_ns, (log.left_1, log.right_1)), (log.at_2_ns, (log.left_2, log.right_2))]
    assert [*told, (log.at_3_ns, (log.left_3, log.right_3))] == seen
    assert {kind_of(REST), *(kind_of(Both(*levels)) for _, levels in seen)} == {*map(kind_of, map_of_kinds())}
    assert vault.heard() == [], "nobody but eye hears of it"
    assert lit.board.bolt.releases == 0


def map_of_kinds() -> tuple[Both, ...]:
    return Both(1, 1), Both(2, 1), Both(1, 2), Both(2, 2)


def test_a_pin_opens_at_once_in_the_middle_of_a_challenge_and_the_lights_go_out(lit: House) -> None:
    keeper = lit.join(Room.KEEPER)
    eye, _, asked = looks(lit)
    eye.say(wire.ChallengeRequest(asked.nonce))
    lit.turn()
    lit.passes(0.5)
    lit.keys("12#482913#")
    (question,) = keeper.heard()
    keeper.say(lit.accepted(question))
    lit.turn()
    assert lit.board.bolt.released_ms == 4000
    assert eye.heard() == [wire.Close()]
    lit.passes(1)
    assert lit.board.shone[-1] == (OFF.left, OFF.right)
    lit.passes(3)
    assert eye.heard() == [], "no log"


def test_a_new_process_waits_a_second_before_it_touches_the_lights(tmp_path: Path, clock: Clock) -> None:
    house = House(tmp_path, clock, Rules(lights=True))
    house.turn()
    looks(house)
    assert house.board.lit
    assert house.board.shone == []
    due_s = house.work.deadline()
    assert due_s is not None
    assert due_s == pytest.approx(clock.monotonic() + 1)
    house.passes(1)
    assert house.board.shone == [(REST.left, REST.right)]
    house.close()


def test_a_bolt_that_does_not_obey_neither_stops_the_lights_nor_makes_the_log_lie(lit: House) -> None:
    keeper = lit.join(Room.KEEPER)
    eye, _, asked = looks(lit)
    eye.say(wire.ChallengeRequest(asked.nonce))
    lit.turn()
    lit.board.bolt.deaf_to_secure = lit.board.bolt.deaf_to_release = True
    lit.keys("12#482913#")
    (question,) = keeper.heard()
    keeper.say(wire.Verdict(question.nonce, lit.clock.now_ns, Outcome.REFUSED, 0))  # type: ignore[attr-defined] # CheckPin's
    lit.turn()
    log, seen = to_the_log(lit, eye)
    assert [at_ns for at_ns, _ in seen] == [log.at_1_ns, log.at_2_ns, log.at_3_ns]
    lit.board.bolt.deaf_to_secure = lit.board.bolt.deaf_to_release = False


def test_a_change_of_the_lights_is_made_even_in_the_moment_in_which_the_bolt_fails(lit: House) -> None:
    """The strike does not fall, and a light is due, in the same tick: what the state says burns has to burn."""
    keeper = lit.join(Room.KEEPER)
    lit.keys("12#482913#")
    (question,) = keeper.heard()
    keeper.say(lit.accepted(question))
    lit.turn()
    until_ns = lit.work.state.granted_until_ns
    assert until_ns is not None
    lit.work.state = replace(lit.work.state, lights=REST)  # owed: the window is closed
    lit.board.bolt.deaf_to_secure = True
    lit.clock.now_ns = until_ns
    lit.turn()
    assert not lit.work.healthy()
    assert lit.work.state.lights == OFF
    assert lit.board.shone[-1] == (0, 0)
    lit.board.bolt.deaf_to_secure = False


def test_leaving_the_loop_puts_the_lights_out(lit: House) -> None:
    looks(lit)
    lit.work.stop()
    assert lit.board.shone[-1] == (0, 0)
    assert lit.board.bolt.released_ms is None


def test_a_request_for_an_approach_that_never_was_ends_eyes_connection_and_its_window(lit: House) -> None:
    report = lit.join(Room.REPORT)
    eye, _, asked = looks(lit)
    eye.say(wire.ChallengeRequest(bytes(16)))
    lit.turn()
    heard = [msg for msg in eye.heard() if not isinstance(msg, wire.Close)]
    assert heard == []
    assert eye.cut_off()
    assert lit.work.state.window is None
    assert wire.Occurrence(OccurrenceKind.BREACH) in report.heard()
    assert asked.mode is LookMode.RECOGNISE


def test_no_line_of_the_log_tells_of_lights(lit: House, capfd: pytest.CaptureFixture[str]) -> None:
    eye, _, asked = looks(lit)
    eye.say(wire.ChallengeRequest(asked.nonce))
    lit.turn()
    capfd.readouterr()
    to_the_log(lit, eye)
    assert capfd.readouterr() == ("", "")


def test_that_lights_are_fitted_comes_from_the_configuration() -> None:
    door = '[door]\nid = "00112233445566aa"\n[lock]\n'
    assert not rules_of(config.parse(door)).lights
    four = "".join(f'{name} = "{pin}"\n' for name, pin in PINS.items())
    assert rules_of(config.parse(door + four)).lights


def test_a_process_that_begins_knows_nothing_but_that_it_has_to_wait() -> None:
    state = lights.at_start(5)
    assert (state.lights, state.challenge, state.window) == (OFF, None, None)
    assert replace(state, lights_changed_ns=()) == type(state)()


@pytest.mark.parametrize(("offset_mm", "taken"), [(29.9, False), (30, True), (80, True), (300, True), (300.1, False)])
def test_the_lights_stand_where_a_housing_can_have_them(offset_mm: float, taken: bool) -> None:
    text = f'[door]\nid = "00112233445566aa"\n[eye]\nlight_offset_mm = {offset_mm}\n'
    if taken:
        assert config.parse(text).eye.light_offset_mm == offset_mm
        return
    with pytest.raises(ConfigRefused, match=r"\[eye\] light_offset_mm must be from 30 to 300"):
        config.parse(text)

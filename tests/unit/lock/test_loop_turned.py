"""The motion challenge in lock's real frame: what the board is told, what eye hears, and what a fault changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device import wire
from device.challenge import OFF, REST
from device.edges import Room
from device.lock.state import Rules, Signal
from device.motion import LIGHTS, LIMIT_MS, told
from device.wire import OccurrenceKind, Outcome
from tests.unit.lock.house import Clock, End, House
from tests.unit.lock.test_loop_lights import looks, to_the_log


@pytest.fixture
def lit(tmp_path: Path, clock: Clock) -> Iterator[House]:
    """A door with lights, a second old, at which a face alone opens."""
    house = House(tmp_path, clock, Rules(face_alone_opens=True, lights=True))
    house.turn()
    house.passes(1)
    yield house
    house.close()


def in_doubt(house: House) -> tuple[End, End, wire.ChallengeLog]:
    """Somebody looks, the lights have shone, eye has heard how, and wants to see the face turn."""
    eye, vault, asked = looks(house)
    eye.say(wire.ChallengeRequest(asked.nonce))
    house.turn()
    log, _ = to_the_log(house, eye)
    eye.say(wire.MotionRequest(asked.nonce))
    house.turn()
    return eye, vault, log


def lives_on(house: House, ms: int = LIMIT_MS) -> list[tuple[int, tuple[int, int]]]:
    """Time, with lock waking up when it said it wants to; what the board was told meanwhile, and when."""
    end_ns, seen = house.clock.now_ns + ms * 1_000_000, list[tuple[int, tuple[int, int]]]()
    while True:
        shown, due_s = len(house.board.shone), house.work.deadline()
        due_ns = end_ns + 1 if due_s is None else round(due_s * 1e9)
        house.clock.now_ns = min(end_ns, max(house.clock.now_ns, due_ns))
        house.turn()
        seen += [(house.clock.now_ns, each) for each in house.board.shone[shown:]]
        if house.clock.now_ns >= end_ns:
            return seen


def test_the_board_shows_what_is_asked_and_eye_alone_hears_what_it_was_and_nothing_before(lit: House) -> None:
    eye, vault, light = in_doubt(lit)
    vault.heard()
    signals = len(lit.board.signals)
    began_ns = lit.clock.now_ns
    seen = lives_on(lit)
    (log,) = eye.heard()
    assert isinstance(log, wire.MotionLog)
    found = told(log)
    assert found is not None
    assert log.nonce == light.nonce
    prompted = [(at_ns, (LIGHTS[facing].left, LIGHTS[facing].right)) for facing, at_ns, _ in found.spans()]
    assert [each for each in seen if each[0] in log_times(log)[:3]] == prompted
    assert {each for at_ns, each in seen if at_ns not in log_times(log)[:3]} <= {(REST.left, REST.right)}
    assert log.ended_ns - began_ns <= LIMIT_MS * 1_000_000
    assert (vault.heard(), lit.board.bolt.releases) == ([], 0)
    assert lit.board.signals[signals:] == [Signal.LOOK]


def log_times(log: wire.MotionLog) -> tuple[int, int, int, int]:
    return log.began_0_ns, log.began_1_ns, log.began_2_ns, log.ended_ns


def test_vault_may_accept_that_face_and_the_door_asks_for_the_pin(lit: House) -> None:
    keeper = lit.join(Room.KEEPER)
    eye, vault, light = in_doubt(lit)
    lives_on(lit)
    vault.say(wire.Verdict(light.nonce, lit.clock.now_ns, Outcome.ACCEPTED, 12))
    lit.turn()
    assert lit.board.bolt.releases == 0
    assert lit.board.signals[-1] is Signal.ENTER_PIN
    lit.keys("482913#")
    (question,) = keeper.heard()
    assert isinstance(question, wire.CheckPin)
    assert question.claim == 12
    keeper.say(lit.accepted(question))
    lit.turn()
    assert lit.board.bolt.releases == 1
    assert wire.Close() in eye.heard()


def test_flat_and_pin_open_at_once_while_the_lights_ask(lit: House) -> None:
    keeper = lit.join(Room.KEEPER)
    eye, _, _ = in_doubt(lit)
    lives_on(lit, 1800)
    lit.keys("12#482913#")
    (question,) = keeper.heard()
    keeper.say(lit.accepted(question))
    lit.turn()
    assert lit.board.bolt.released_ms == 4000
    lives_on(lit)
    assert eye.heard() == [wire.Close()], "no log"
    assert lit.board.shone[-1] == (OFF.left, OFF.right)


def test_a_second_request_ends_eyes_connection_and_its_window(lit: House) -> None:
    report = lit.join(Room.REPORT)
    eye, _, light = in_doubt(lit)
    eye.say(wire.MotionRequest(light.nonce))
    lit.turn()
    assert eye.cut_off()
    assert lit.work.state.window is None
    assert wire.Occurrence(OccurrenceKind.BREACH) in report.heard()


def test_one_request_for_an_approach_that_never_was_does_so_too(lit: House) -> None:
    eye, _, _ = looks(lit)
    eye.say(wire.MotionRequest(bytes(16)))
    lit.turn()
    assert eye.cut_off()
    assert lit.work.state.window is None


def test_eye_that_goes_away_before_the_log_takes_its_window_along_and_nothing_else(lit: House) -> None:
    keeper = lit.join(Room.KEEPER)
    eye, vault, light = in_doubt(lit)
    lives_on(lit, 3000)
    eye.sock.close()
    vault.say(wire.Verdict(light.nonce, lit.clock.now_ns, Outcome.ACCEPTED, 12))
    lives_on(lit)
    assert lit.work.state.window is None
    assert lit.board.bolt.releases == 0
    assert lit.board.shone[-1] == (OFF.left, OFF.right)
    lit.keys("12#482913#")
    (question,) = keeper.heard()
    keeper.say(lit.accepted(question))
    lit.turn()
    assert lit.board.bolt.releases == 1


def test_a_lock_that_does_not_get_to_run_tells_no_log_of_a_window_that_is_over(lit: House) -> None:
    eye, _, _ = in_doubt(lit)
    lit.passes(1)
    lit.passes(10)
    assert [type(msg) for msg in eye.heard()] == [wire.Close]
    lit.passes(1)
    assert lit.board.shone[-1] == (OFF.left, OFF.right)


def test_no_line_of_the_log_tells_of_it(lit: House, capfd: pytest.CaptureFixture[str]) -> None:
    in_doubt(lit)
    capfd.readouterr()
    lives_on(lit)
    assert capfd.readouterr() == ("", "")

"""Guards that the other tests of the machine leave to chance: each was taken out once and nobody noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device import wire
from device.edges import Room
from device.lock import keypad, machine
from device.lock.keypad import Entry
from device.lock.state import (
    Alarm,
    Asked,
    Came,
    Check,
    Event,
    Key,
    PeerDown,
    PeerUp,
    Release,
    Show,
    Signal,
    State,
    Tell,
    Tick,
    Window,
)
from device.wire import CameraCondition, Hint, LookMode, OccurrenceKind, Outcome
from tests.unit.lock.support import ALL_UP, FACE_NONCE, FRESH, NOW, OLD_NONCE, PIN_NONCE, RULES, S

UP = State(up=ALL_UP, recognise_ready=True)
LOOKING = replace(UP, window=Window(LookMode.RECOGNISE, FACE_NONCE, NOW + S, 1))
CHECKING = replace(UP, check=Check(PIN_NONCE, NOW + S, opens=True), asked=(Asked(PIN_NONCE, Room.KEEPER, NOW - S),))


def step(state: State, event: Event, now_ns: int = NOW) -> machine.Step:
    return machine.step(state, event, now_ns, FRESH, RULES)


def opens(state: State, sender: Room, nonce: bytes, age_ns: int = 0) -> bool:
    _, effects = step(state, Came(sender, wire.Verdict(nonce, NOW - age_ns, Outcome.ACCEPTED, 12)))
    return any(isinstance(effect, Release) for effect in effects)


def test_the_machine_alone_opens_only_for_what_was_asked_and_not_answered() -> None:
    assert opens(CHECKING, Room.KEEPER, PIN_NONCE)
    assert not opens(replace(CHECKING, asked=()), Room.KEEPER, PIN_NONCE)
    assert not opens(LOOKING, Room.VAULT, FACE_NONCE)
    assert opens(replace(LOOKING, asked=(Asked(FACE_NONCE, Room.VAULT, NOW),)), Room.VAULT, FACE_NONCE)


@pytest.mark.parametrize("asked", [Asked(PIN_NONCE, Room.VAULT, NOW), Asked(OLD_NONCE, Room.KEEPER, NOW)])
def test_a_question_to_somebody_else_or_another_question_does_not_count(asked: Asked) -> None:
    assert not opens(replace(CHECKING, asked=(asked,)), Room.KEEPER, PIN_NONCE)


def test_an_answer_to_the_check_before_does_not_answer_this_one() -> None:
    late = replace(CHECKING, asked=(*CHECKING.asked, Asked(OLD_NONCE, Room.KEEPER, NOW - 8 * S)))
    assert not opens(late, Room.KEEPER, OLD_NONCE)


def test_a_verdict_lives_500_ms_to_the_nanosecond() -> None:
    assert opens(CHECKING, Room.KEEPER, PIN_NONCE, S // 2)
    assert not opens(CHECKING, Room.KEEPER, PIN_NONCE, S // 2 + 1)


def test_an_answer_ends_no_check_that_may_open_and_none_but_its_own() -> None:
    answer = Came(Room.KEEPER, wire.Answer(PIN_NONCE, Outcome.ACCEPTED))
    assert step(CHECKING, answer)[0].check == CHECKING.check
    personal = replace(CHECKING, check=Check(PIN_NONCE, NOW + S, opens=False))
    other = Came(Room.KEEPER, wire.Answer(OLD_NONCE, Outcome.ACCEPTED))
    assert step(personal, other)[0].check == personal.check
    assert step(personal, answer)[0].check is None


@pytest.mark.parametrize("key", ["", "12", "a", "#*", "\u0661"])
def test_what_is_no_key_is_nothing(key: str) -> None:
    state = replace(UP, entry=Entry("1", NOW - S))
    assert step(state, Key(key)) == (state, ())


def test_a_hint_is_shown_for_the_approach_of_this_moment_alone() -> None:
    def shown(state: State, nonce: bytes) -> tuple[object, ...]:
        return step(state, Came(Room.VAULT, wire.Guidance(nonce, Hint.COME_CLOSER)))[1]

    assert shown(LOOKING, FACE_NONCE) == (Show(Signal.LOOK, Hint.COME_CLOSER),)
    assert shown(LOOKING, OLD_NONCE) == ()
    assert shown(UP, FACE_NONCE) == ()


@pytest.mark.parametrize(
    ("room", "gone", "back"),
    [
        (Room.VAULT, OccurrenceKind.VAULT_GONE, OccurrenceKind.VAULT_BACK),
        (Room.KEEPER, OccurrenceKind.KEEPER_GONE, OccurrenceKind.KEEPER_BACK),
        (Room.EYE, OccurrenceKind.CAMERA_FAULT, OccurrenceKind.CAMERA_WELL),
    ],
)
def test_report_hears_that_a_room_is_gone_and_that_it_is_back(
    room: Room, gone: OccurrenceKind, back: OccurrenceKind
) -> None:
    assert Tell(gone) in step(UP, PeerDown(room))[1]
    assert Tell(back) in step(UP, PeerUp(room))[1]


def test_what_a_camera_did_ends_with_eye_and_with_nobody_else() -> None:
    streaming = replace(UP, camera=CameraCondition.STREAMING)
    assert step(streaming, PeerDown(Room.EYE))[0].camera is CameraCondition.IDLE
    assert step(streaming, PeerDown(Room.VAULT))[0].camera is CameraCondition.STREAMING


def test_a_check_ends_with_keeper_and_with_nobody_else() -> None:
    state, effects = step(CHECKING, PeerDown(Room.KEEPER))
    assert state.check is None
    assert Show(Signal.REFUSED) in effects
    assert step(CHECKING, PeerDown(Room.VAULT))[0].check == CHECKING.check
    assert Show(Signal.REFUSED) not in step(UP, PeerDown(Room.KEEPER))[1]


def test_a_half_entry_ends_with_the_tick_that_was_asked_for_and_not_before() -> None:
    state = replace(UP, entry=Entry("12#", NOW))
    due = machine.next_deadline_ns(state, RULES)
    assert due == NOW + keypad.KEY_TIMEOUT_NS + 1
    assert step(state, Tick(), due - 1)[0].entry == state.entry
    assert step(state, Tick(), due)[0].entry is None


def test_an_alarm_that_stands_asks_for_no_more_ticks() -> None:
    """A deadline that is over would keep the loop awake for as long as the door stands open."""
    long_since = NOW + RULES.held_open_ns + RULES.remind_for_ns  # and nobody is reminded any more
    held = replace(UP, door_open=True, open_since_ns=NOW - RULES.held_open_ns, reminded_ns=long_since)
    assert machine.next_deadline_ns(held, RULES) == NOW
    assert machine.next_deadline_ns(replace(held, alarms=frozenset({Alarm.HELD_OPEN})), RULES) is None


def test_a_question_is_remembered_for_its_time_and_no_longer() -> None:
    state = replace(UP, asked=(Asked(OLD_NONCE, Room.VAULT, NOW),))
    assert step(state, Tick(), NOW + RULES.remembered_ns - 1)[0].asked == state.asked
    assert step(state, Tick(), NOW + RULES.remembered_ns)[0].asked == ()

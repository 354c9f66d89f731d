"""How a window ends of which nothing came; whose word ends it; and what is told of a camera that fails."""

from __future__ import annotations

import pytest

from device import wire
from device.edges import Room
from device.lock import machine, window
from device.lock.state import Came, Effect, Rules, Show, Signal, State, Tell, Tick, Window
from device.wire import CameraCondition, LookMode, OccurrenceKind, Result
from tests.unit.lock.support import ALL_UP, FACE_NONCE, FRESH, NOW, OLD_NONCE, with_rules


def over(mode: LookMode, *, face_alone_opens: bool) -> tuple[State, list[Signal]]:
    """A window whose time has run out, and what is shown."""
    state = State(up=ALL_UP, recognise_ready=True, window=Window(mode, FACE_NONCE, NOW, 1))
    state, effects = machine.step(state, Tick(), NOW, FRESH, with_rules(face_alone_opens=face_alone_opens))
    return state, [effect.signal for effect in effects if isinstance(effect, Show)]


@pytest.mark.parametrize("face_alone_opens", [True, False])
def test_an_enrolment_that_ran_out_is_refused_and_asks_for_no_pin(face_alone_opens: bool) -> None:
    state, shown = over(LookMode.ENROL, face_alone_opens=face_alone_opens)
    assert (state.window, state.claim, shown) == (None, None, [Signal.REFUSED])


def test_where_no_face_opens_alone_everybody_is_asked_for_the_pin() -> None:
    state, shown = over(LookMode.RECOGNISE, face_alone_opens=False)
    assert state.window is None
    assert state.claim is not None
    assert shown == [Signal.ENTER_PIN]


def test_without_that_guard_an_enrolment_would_ask_for_a_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(state: State, now_ns: int, rules: Rules) -> machine.Step:
        return window.named(state, state.window.known if state.window else 0, now_ns, rules)

    monkeypatch.setattr(window, "_over", careless)
    state, shown = over(LookMode.ENROL, face_alone_opens=False)
    assert (state.claim is None, shown) == (False, [Signal.ENTER_PIN])


def heard(state: State, msg: wire.Message, sender: Room) -> tuple[State, tuple[Effect, ...]]:
    return machine.step(state, Came(sender, msg), NOW - 1, FRESH, with_rules(face_alone_opens=True))


def test_the_end_of_an_enrolment_that_is_over_ends_no_other_window() -> None:
    looking = State(up=ALL_UP, window=Window(LookMode.ENROL, FACE_NONCE, NOW, 1))
    assert heard(looking, wire.EnrolmentEnded(OLD_NONCE, Result.CONFIRM), Room.VAULT)[0].window == looking.window
    assert heard(looking, wire.EnrolmentEnded(FACE_NONCE, Result.CONFIRM), Room.VAULT)[0].window is None
    assert heard(State(up=ALL_UP), wire.EnrolmentEnded(OLD_NONCE, Result.CONFIRM), Room.VAULT)[1] == ()


def test_a_camera_that_fails_is_told_once_and_once_that_it_is_well_again() -> None:
    state, told = State(up=ALL_UP), []
    for condition in (
        CameraCondition.STREAMING,
        CameraCondition.FAULT,
        CameraCondition.FAULT,
        CameraCondition.IDLE,
        CameraCondition.STREAMING,
    ):
        state, effects = heard(state, wire.CameraState(condition), Room.EYE)
        told.append([effect.kind for effect in effects if isinstance(effect, Tell)])
    assert told == [[], [OccurrenceKind.CAMERA_FAULT], [], [OccurrenceKind.CAMERA_WELL], []]

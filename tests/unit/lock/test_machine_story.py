"""What people see: one story a test."""

from __future__ import annotations

import pytest

from device import wire
from device.edges import Room
from device.lock.state import (
    Alarm,
    BoltFailed,
    BoltObeys,
    Breached,
    Came,
    DoorMoved,
    ExitRequested,
    FaceButton,
    Key,
    PeerDown,
    PeerUp,
    Send,
    Show,
    Signal,
    TamperMoved,
    Tell,
)
from device.wire import CameraCondition, LookMode, OccurrenceKind, Outcome, Result
from tests.unit.lock.support import S, World, connected, with_rules


def type_keys(world: World, keys: str) -> None:
    for key in keys:
        world.send(Key(key))


def asked_keeper(world: World) -> wire.Message:
    return [e.msg for e in world.effects if isinstance(e, Send) and e.room is Room.KEEPER][-1]


def shown(world: World) -> list[Signal]:
    return [effect.signal for effect in world.effects if isinstance(effect, Show)]


def face_verdict(world: World, outcome: Outcome = Outcome.ACCEPTED) -> wire.Verdict:
    assert world.state.window is not None
    return wire.Verdict(world.state.window.nonce, world.now_ns, outcome, 12 if outcome else 0)


def test_press_look_in() -> None:
    world = connected(World())
    world.send(FaceButton())
    assert world.lamp
    assert world.looking
    world.send(Came(Room.VAULT, face_verdict(world)))
    assert world.released
    assert not world.lamp
    assert not world.looking
    world.passes(world.rules.unlock_ns)
    assert not world.released


def test_a_stranger_gets_three_looks_and_one_refusal() -> None:
    world = connected(World())
    world.send(FaceButton())
    looks = 1
    while world.state.window:
        world.send(Came(Room.VAULT, face_verdict(world, Outcome.REFUSED)))
        looks += world.state.window is not None
    assert looks == 3
    assert shown(world)[-1] is Signal.REFUSED
    assert not world.released


def test_pin_opens_while_eye_and_vault_are_gone() -> None:
    world = World()
    world.send(PeerUp(Room.KEEPER))
    type_keys(world, "12#482913#")
    question = asked_keeper(world)
    assert isinstance(question, wire.CheckPin)
    world.send(Came(Room.KEEPER, wire.Verdict(question.nonce, world.now_ns, Outcome.ACCEPTED, 12)))
    assert world.released


def test_a_digit_never_opens_the_camera() -> None:
    world = connected(World())
    type_keys(world, "12#482913#01#12#482913#")
    assert not world.looking
    assert not world.lamp


def test_a_personal_act_proves_the_pin_and_opens_nothing() -> None:
    world = connected(World())
    type_keys(world, "01#12#482913#")
    question = asked_keeper(world)
    assert isinstance(question, wire.ProvePin)
    world.send(Came(Room.KEEPER, wire.Answer(question.nonce, Outcome.ACCEPTED)))
    assert not world.released
    assert shown(world)[-1] is Signal.NOTED


@pytest.mark.parametrize("result", wire.Result)
def test_an_act_at_the_keypad_alone_is_heard_to_be_done_or_refused_and_opens_nothing(result: wire.Result) -> None:
    world = connected(World())
    world.send(Came(Room.VAULT, wire.ActEnded(result)))
    assert not world.released
    assert shown(world)[-1] is (Signal.DONE if result is wire.Result.DONE else Signal.REFUSED)


def test_a_verdict_in_reply_to_a_personal_act_opens_nothing() -> None:
    world = connected(World())
    type_keys(world, "01#12#482913#")
    question = asked_keeper(world)
    assert isinstance(question, wire.ProvePin)
    world.send(Came(Room.KEEPER, wire.Verdict(question.nonce, world.now_ns, Outcome.ACCEPTED, 12)))
    assert not world.released


def test_face_alone_does_not_open_the_default_tier() -> None:
    world = connected(World(rules=with_rules(face_alone_opens=False)))
    world.send(FaceButton())
    while world.state.window:
        world.send(Came(Room.VAULT, face_verdict(world)))
        assert not world.released
    assert shown(world)[-1] is Signal.ENTER_PIN


def test_with_nobody_enrolled_the_button_reads_no_frame() -> None:
    world = connected(World())
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=False, enrol=False, claim_first=False)))
    world.send(FaceButton())
    assert not world.looking
    assert shown(world)[-1] is Signal.USE_PIN_OR_CARD


def test_an_enrolment_opens_a_window_that_cannot_open_the_door() -> None:
    world = connected(World())
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=True, enrol=True, claim_first=False)))
    world.send(FaceButton())
    assert world.state.window is not None
    assert world.state.window.mode is LookMode.ENROL
    world.send(Came(Room.VAULT, face_verdict(world)))
    assert not world.released


def test_enrolment_ends_the_window() -> None:
    world = connected(World())
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=False, enrol=True, claim_first=False)))
    world.send(FaceButton())
    assert world.state.window is not None
    world.send(Came(Room.VAULT, wire.EnrolmentEnded(world.state.window.nonce, Result.CONFIRM)))
    assert not world.lamp
    assert shown(world)[-1] is Signal.ENTER_PIN, "what the camera saw is kept only after the PIN is shown again"


def test_an_enrolment_that_is_given_up_closes_its_window() -> None:
    world = connected(World())
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=True, enrol=True, claim_first=False)))
    world.send(FaceButton())
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=True, enrol=False, claim_first=False)))
    assert not world.looking
    assert shown(world)[-1] is Signal.REFUSED


def test_a_window_in_which_nobody_can_be_recognised_any_more_closes() -> None:
    world = connected(World())
    world.send(FaceButton())
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=False, enrol=False, claim_first=False)))
    assert not world.looking
    assert shown(world)[-1] is Signal.USE_PIN_OR_CARD


def test_the_lamp_outlasts_a_frame_that_is_exposed_while_close_arrives() -> None:
    world = connected(World())
    world.send(FaceButton())
    world.send(Came(Room.EYE, wire.CameraState(CameraCondition.STREAMING)))
    world.passes(world.rules.window_ns)
    assert not world.looking
    assert world.lamp
    world.send(Came(Room.EYE, wire.CameraState(CameraCondition.IDLE)))
    assert not world.lamp


def test_the_window_closes_after_ten_seconds() -> None:
    world = connected(World())
    world.send(FaceButton())
    world.passes(world.rules.window_ns)
    assert not world.lamp
    assert not world.looking


def test_loss_of_a_room_closes() -> None:
    for room in (Room.EYE, Room.VAULT):
        world = connected(World())
        world.send(FaceButton())
        late = face_verdict(world)
        world.send(PeerDown(room))
        assert not world.lamp
        assert not world.looking
        world.send(Came(Room.VAULT, late))
        assert not world.released


def test_a_camera_fault_closes_the_window_and_is_told() -> None:
    world = connected(World())
    world.send(FaceButton())
    world.send(Came(Room.EYE, wire.CameraState(CameraCondition.FAULT)))
    assert not world.lamp
    assert Tell(OccurrenceKind.CAMERA_FAULT) in world.effects
    assert shown(world)[-1] is Signal.USE_PIN_OR_CARD


def test_a_verdict_that_comes_late_is_late_and_a_second_one_is_a_breach() -> None:
    world = connected(World())
    world.send(FaceButton())
    late = face_verdict(world)
    world.passes(world.rules.window_ns)
    world.send(Came(Room.VAULT, late))
    assert not world.released
    assert world.breaches == 0
    world.send(Came(Room.VAULT, late))
    assert world.breaches == 1
    assert Alarm.BREACH in world.state.alarms
    assert not world.released


def test_forced_open_is_an_alarm_and_the_way_out_silences_it() -> None:
    world = connected(World())
    world.send(ExitRequested())
    world.send(DoorMoved(open=True))
    assert not world.state.alarms
    assert not world.released
    world.send(DoorMoved(open=False))
    world.passes(world.rules.exit_ns)
    world.send(DoorMoved(open=True))
    assert world.state.alarms == {Alarm.FORCED_OPEN}


def test_the_door_locks_behind_whoever_went_through() -> None:
    world = connected(World())
    world.send(FaceButton())
    world.send(Came(Room.VAULT, face_verdict(world)))
    world.send(DoorMoved(open=True))
    assert world.released
    world.send(DoorMoved(open=False))
    assert not world.released
    assert not world.state.alarms


def test_held_open_and_tamper_stand_until_their_cause_is_gone() -> None:
    world = connected(World())
    world.send(ExitRequested())
    world.send(DoorMoved(open=True))
    world.send(TamperMoved(on=True))
    world.passes(world.rules.held_open_ns)
    assert world.state.alarms == {Alarm.HELD_OPEN, Alarm.TAMPER}
    world.send(DoorMoved(open=False))
    assert world.state.alarms == {Alarm.TAMPER}
    world.send(TamperMoved(on=False))
    assert not world.state.alarms


def test_a_report_that_was_restarted_hears_what_stands() -> None:
    world = connected(World())
    world.send(TamperMoved(on=True))
    world.send(PeerDown(Room.REPORT))
    effects = world.send(PeerUp(Room.REPORT))
    assert Tell(OccurrenceKind.TAMPER) in effects
    assert Tell(OccurrenceKind.STARTED) in effects


def test_an_unlock_tells_report_nothing() -> None:
    world = connected(World())
    world.effects.clear()
    world.send(FaceButton())
    world.send(Came(Room.VAULT, face_verdict(world)))
    world.send(DoorMoved(open=True))
    world.send(DoorMoved(open=False))
    world.passes(60 * S)
    assert world.state.granted_until_ns is None
    assert not [effect for effect in world.effects if isinstance(effect, Tell)]


def test_keys_wait_while_a_pin_is_checked_and_a_silent_keeper_ends_in_a_refusal() -> None:
    world = connected(World())
    type_keys(world, "12#482913#7")
    assert world.state.entry is None
    world.passes(world.rules.check_ns)
    assert world.state.check is None
    assert shown(world)[-1] is Signal.REFUSED


# ---- face and PIN: the face names the flat, the PIN decides


def face_and_pin() -> World:
    return connected(World(rules=with_rules(face_alone_opens=False)))


def test_after_a_known_face_the_pin_alone_is_enough_and_is_checked_against_that_flat() -> None:
    world = face_and_pin()
    world.send(FaceButton())
    world.looks_to_the_end()
    type_keys(world, "482913#")
    question = asked_keeper(world)
    assert isinstance(question, wire.CheckPin)
    assert (question.claim, question.digits) == (12, "482913")
    world.send(Came(Room.KEEPER, wire.Verdict(question.nonce, world.now_ns, Outcome.ACCEPTED, 12)))
    assert world.released


def test_a_stranger_hears_the_same_as_a_resident_and_their_pin_is_checked_against_nobody() -> None:
    world = face_and_pin()
    world.send(FaceButton())
    while world.state.window:
        world.send(Came(Room.VAULT, face_verdict(world, Outcome.REFUSED)))
    assert shown(world)[-1] is Signal.ENTER_PIN
    type_keys(world, "482913#")
    question = asked_keeper(world)
    assert isinstance(question, wire.CheckPin)
    assert question.claim == wire.NOBODY


def test_a_face_stands_for_its_flat_for_seconds_and_for_one_entry() -> None:
    world = face_and_pin()
    world.send(FaceButton())
    world.looks_to_the_end()
    world.passes(world.rules.claim_ns)
    type_keys(world, "482913#")
    assert world.state.check is None
    world.send(FaceButton())
    world.looks_to_the_end()
    type_keys(world, "7#482913#")
    question = asked_keeper(world)
    assert isinstance(question, wire.CheckPin)
    assert (question.claim, question.digits) == (7, "482913")
    assert world.state.claim is None


def test_a_pin_alone_means_nothing_where_no_face_was_looked_at() -> None:
    world = connected(World())
    type_keys(world, "482913#")
    assert world.state.check is None
    assert shown(world)[-1] is Signal.REFUSED


def test_a_claim_never_shows_in_a_repr() -> None:
    world = face_and_pin()
    world.send(FaceButton())
    world.looks_to_the_end()
    assert world.state.claim is not None
    assert "12" not in repr(world.state.claim)


# ---- the door itself


def test_a_door_pulled_open_as_the_bolt_falls_is_late_and_not_forced() -> None:
    world = connected(World())
    world.send(FaceButton())
    world.send(Came(Room.VAULT, face_verdict(world)))
    world.passes(world.rules.unlock_ns + S // 50)
    assert not world.released
    world.send(DoorMoved(open=True))
    assert not world.state.alarms
    world.send(DoorMoved(open=False))
    world.passes(world.rules.passage_ns)
    world.send(DoorMoved(open=True))
    assert world.state.alarms == {Alarm.FORCED_OPEN}


def test_without_a_wired_exit_nobody_is_called_a_burglar_for_leaving() -> None:
    world = connected(World(rules=with_rules(exit_wired=False)))
    world.send(DoorMoved(open=True))
    assert not world.state.alarms


def test_a_door_that_falls_shut_behind_somebody_else_cancels_nobodys_grant() -> None:
    world = connected(World())
    world.send(ExitRequested())
    world.send(DoorMoved(open=True))
    world.send(FaceButton())
    world.send(Came(Room.VAULT, face_verdict(world)))
    world.send(DoorMoved(open=False))
    assert world.released


def test_a_breach_stands_for_a_while_and_the_next_one_is_told_again() -> None:
    world = connected(World())
    world.send(Breached())
    world.passes(world.rules.quiet_ns - 1)
    assert world.state.alarms == {Alarm.BREACH}
    world.passes(1)
    assert not world.state.alarms
    assert Tell(OccurrenceKind.BREACH) in world.send(Breached())


def test_a_bolt_fault_is_over_when_the_bolt_obeys() -> None:
    world = connected(World())
    world.send(BoltFailed())
    assert world.state.alarms == {Alarm.BOLT_FAULT}
    world.send(BoltObeys())
    assert not world.state.alarms

"""Claim first, and faces that never open alone: what people see, one story a test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from device import wire
from device.edges import Room
from device.lock.keypad import KEY_TIMEOUT_NS
from device.lock.state import Alarm, Came, FaceButton, Inquiry, Key, PeerDown, PeerUp, Send, Show, Signal, Window
from device.wire import CameraCondition, LookMode, Outcome, Result
from tests.unit.lock.support import NOW, S, World, connected, with_rules

TOO_MANY = wire.FaceReady(recognise=False, enrol=False, claim_first=True)


def door(*, too_many: bool = True, tier: str = "face") -> World:
    world = connected(World(rules=with_rules(face_alone_opens=tier == "face")))
    if too_many:
        world.send(Came(Room.VAULT, TOO_MANY))
    return world


def keys(world: World, row: str) -> None:
    for key in row:
        world.send(Key(key))


def sent(world: World, room: Room) -> list[wire.Message]:
    return [effect.msg for effect in world.effects if isinstance(effect, Send) and effect.room is room]


def shown(world: World) -> list[Signal]:
    return [effect.signal for effect in world.effects if isinstance(effect, Show)]


def asks(world: World, flat: str = "12") -> bytes:
    """Flat, #, face button; the nonce of the question."""
    keys(world, f"{flat}#")
    world.send(FaceButton())
    question = sent(world, Room.VAULT)[-1]
    assert isinstance(question, wire.AskClaim)
    assert question.claim == int(flat)
    return question.nonce


def awake(world: World, nonce: bytes) -> None:
    world.send(Came(Room.VAULT, wire.ClaimAnswer(nonce, awake=True)))


def seen(world: World, outcome: Outcome, slot: int) -> None:
    assert world.state.window is not None
    world.send(Came(Room.VAULT, wire.Verdict(world.state.window.nonce, world.now_ns, outcome, slot)))


def checks_the_pin_of(world: World, flat: int) -> bytes:
    question = sent(world, Room.KEEPER)[-1]
    assert isinstance(question, wire.CheckPin)
    assert (question.claim, question.digits) == (flat, "482913")
    return question.nonce


def nothing_was_looked_at(world: World) -> bool:
    return not world.looking and not world.lamp and not sent(world, Room.EYE)


# ---- flat, button, look


def test_where_the_faces_are_too_many_the_button_alone_asks_for_the_flat_and_opens_no_camera() -> None:
    world = door()
    world.send(FaceButton())
    assert shown(world) == [Signal.CLAIM_FIRST]
    assert nothing_was_looked_at(world)
    assert sent(world, Room.VAULT) == []


def test_flat_press_look_in() -> None:
    world = door()
    nonce = asks(world)
    assert shown(world)[-1] is Signal.WAIT
    assert nothing_was_looked_at(world), "vault has not said yet that anybody agreed to be looked for"
    awake(world, nonce)
    assert world.lamp
    assert world.looking
    assert shown(world)[-1] is Signal.LOOK
    seen(world, Outcome.ACCEPTED, 12)
    assert world.released
    assert not world.lamp


def test_digits_alone_never_ask_vault_and_never_open_the_camera() -> None:
    world = door()
    keys(world, "12#")
    world.passes(KEY_TIMEOUT_NS // 2)
    assert nothing_was_looked_at(world)
    assert sent(world, Room.VAULT) == []


def test_all_three_approaches_carry_the_claim_and_each_its_own_nonce() -> None:
    world = door()
    awake(world, asks(world))
    for _ in range(3):
        seen(world, Outcome.REFUSED, 0)
    told = [msg for msg in sent(world, Room.VAULT) if isinstance(msg, wire.Window)]
    assert [(each.mode, each.claim) for each in told] == [(LookMode.RECOGNISE, 12)] * 3
    assert len({each.nonce for each in told}) == 3
    assert [msg.nonce for msg in sent(world, Room.EYE) if isinstance(msg, wire.Look)] == [each.nonce for each in told]
    assert shown(world)[-1] is Signal.REFUSED
    assert not world.lamp


def test_a_face_of_another_flat_than_the_one_typed_is_nobody() -> None:
    world = door()
    awake(world, asks(world))
    for approaches_left in (2, 1, 0):
        assert world.state.window is not None
        assert world.state.window.approaches_left == approaches_left
        seen(world, Outcome.ACCEPTED, 7)
    assert not world.released
    assert shown(world)[-1] is Signal.REFUSED


def test_a_claim_is_honoured_where_a_press_alone_would_do_because_it_only_narrows() -> None:
    world = door(too_many=False)
    awake(world, asks(world))
    seen(world, Outcome.ACCEPTED, 7)
    assert not world.released
    seen(world, Outcome.ACCEPTED, 12)
    assert world.released


def test_on_a_door_that_wants_face_and_pin_a_claimed_face_is_asked_for_its_pin() -> None:
    world = door(tier="face+pin")
    awake(world, asks(world))
    world.looks_to_the_end()
    assert not world.released
    assert shown(world)[-1] is Signal.ENTER_PIN
    keys(world, "482913#")
    assert checks_the_pin_of(world, 12)


def test_on_such_a_door_a_face_of_another_flat_ends_like_a_strangers() -> None:
    world = door(tier="face+pin")
    awake(world, asks(world))
    for _ in range(3):
        seen(world, Outcome.ACCEPTED, 7)
    assert shown(world)[-1] is Signal.ENTER_PIN
    keys(world, "482913#")
    question = sent(world, Room.KEEPER)[-1]
    assert isinstance(question, wire.CheckPin)
    assert question.claim == wire.NOBODY


# ---- no yes from vault, no camera


def test_a_flat_without_a_face_awake_opens_no_camera_and_pin_and_card_go_on() -> None:
    world = door()
    world.send(Came(Room.VAULT, wire.ClaimAnswer(asks(world), awake=False)))
    assert shown(world)[-1] is Signal.USE_PIN_OR_CARD
    assert nothing_was_looked_at(world)
    keys(world, "12#482913#")
    assert checks_the_pin_of(world, 12)


def test_a_silent_vault_a_dead_one_and_a_sleeping_face_look_and_sound_the_same() -> None:
    silent, dead, asleep, blind = door(), door(), door(), door()
    for world in (silent, dead, asleep, blind):
        world.effects.clear()
    asks(silent)
    silent.passes(silent.rules.inquiry_ns)
    asks(dead)
    dead.send(PeerDown(Room.VAULT))
    asleep.send(Came(Room.VAULT, wire.ClaimAnswer(asks(asleep), awake=False)))
    asks(blind)
    blind.send(Came(Room.EYE, wire.CameraState(CameraCondition.FAULT)))
    for world in (silent, dead, asleep, blind):
        assert shown(world) == [Signal.KEY] * 3 + [Signal.WAIT, Signal.USE_PIN_OR_CARD]
        assert world.state.inquiry is None
        assert nothing_was_looked_at(world)


def test_an_answer_after_its_time_is_late_and_a_second_one_is_a_breach() -> None:
    world = door()
    nonce = asks(world)
    world.passes(world.rules.inquiry_ns)
    assert shown(world)[-1] is Signal.USE_PIN_OR_CARD
    awake(world, nonce)
    assert (world.breaches, nothing_was_looked_at(world)) == (0, True)
    awake(world, nonce)
    assert (world.breaches, nothing_was_looked_at(world)) == (1, True)
    assert Alarm.BREACH in world.state.alarms


def test_the_question_ends_a_second_after_the_press_even_if_nothing_else_happens() -> None:
    world = door()
    asks(world)
    assert world.state.inquiry is not None
    world.passes(world.rules.inquiry_ns - 1)
    assert world.state.inquiry is not None
    world.passes(1)
    assert world.state.inquiry is None


def test_vault_that_dies_between_question_and_answer_leaves_nothing_to_answer() -> None:
    world = door()
    nonce = asks(world)
    world.send(PeerDown(Room.VAULT))
    world.send(PeerUp(Room.VAULT))
    world.send(Came(Room.VAULT, TOO_MANY))
    awake(world, nonce)
    assert nothing_was_looked_at(world)
    assert world.breaches == 1, "the one that came back was asked nothing"


def test_vault_that_comes_back_has_to_announce_anew() -> None:
    world = door()
    world.send(PeerDown(Room.VAULT))
    world.send(PeerUp(Room.VAULT))
    world.send(FaceButton())
    assert shown(world)[-1] is Signal.USE_PIN_OR_CARD


def test_the_button_pressed_twice_asks_once() -> None:
    world = door()
    nonce = asks(world)
    world.send(FaceButton())
    assert len([msg for msg in sent(world, Room.VAULT) if isinstance(msg, wire.AskClaim)]) == 1
    awake(world, nonce)
    world.send(FaceButton())
    assert len([msg for msg in sent(world, Room.EYE) if isinstance(msg, wire.Look)]) == 1


def test_the_last_face_that_falls_asleep_ends_the_question() -> None:
    world = door()
    nonce = asks(world)
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=False, enrol=False, claim_first=False)))
    assert shown(world)[-1] is Signal.USE_PIN_OR_CARD
    awake(world, nonce)
    assert nothing_was_looked_at(world)


def test_somebody_who_opens_by_pin_meanwhile_ends_the_question() -> None:
    world = door()
    nonce = asks(world)
    keys(world, "7#482913#")
    question = sent(world, Room.KEEPER)[-1]
    assert isinstance(question, wire.CheckPin)
    world.send(Came(Room.KEEPER, wire.Verdict(question.nonce, world.now_ns, Outcome.ACCEPTED, 7)))
    assert world.released
    assert world.state.inquiry is None
    awake(world, nonce)
    assert nothing_was_looked_at(world)
    assert world.breaches == 0


@pytest.mark.parametrize(
    "changed",
    [{"up": frozenset({Room.VAULT})}, {"camera": CameraCondition.FAULT}, {"granted_until_ns": NOW + S}],
    ids=["eye gone", "camera fault", "granted"],
)
def test_a_yes_opens_no_camera_that_a_press_would_not_open_now(changed: dict[str, Any]) -> None:
    """Each of these ends the question already; the second guard stands for the day when one of them does not."""
    world = door()
    nonce = asks(world)
    world.state = replace(world.state, **changed)
    awake(world, nonce)
    assert nothing_was_looked_at(world)
    assert world.state.inquiry is None


# ---- what a press does to the keys


def test_a_flat_is_used_up_by_the_press_and_costs_nobody_a_guess() -> None:
    """Left standing, `12#` and then `12#482913#` would check the PIN "12"."""
    world = door()
    world.send(Came(Room.EYE, wire.CameraState(CameraCondition.FAULT)))
    keys(world, "12#")
    world.send(FaceButton())
    assert shown(world)[-1] is Signal.USE_PIN_OR_CARD
    keys(world, "12#482913#")
    questions = [msg for msg in sent(world, Room.KEEPER) if isinstance(msg, wire.CheckPin)]
    assert [each.digits for each in questions] == ["482913"]


def test_a_flat_typed_too_long_ago_is_no_claim() -> None:
    world = door()
    keys(world, "12#")
    world.passes(KEY_TIMEOUT_NS + 1)
    world.send(FaceButton())
    assert shown(world)[-1] is Signal.CLAIM_FIRST
    assert nothing_was_looked_at(world)


@pytest.mark.parametrize("half", ["12", "12#48", "06#", "06#12#"])
def test_half_an_entry_is_no_claim_and_is_left_alone(half: str) -> None:
    world = door()
    keys(world, half)
    world.send(FaceButton())
    assert shown(world)[-1] is Signal.CLAIM_FIRST
    assert nothing_was_looked_at(world)
    keys(world, {"12": "#482913#", "12#48": "2913#", "06#": "12#482913#", "06#12#": "482913#"}[half])
    assert isinstance(sent(world, Room.KEEPER)[-1], wire.ProvePin if half.startswith("06") else wire.CheckPin)


# ---- with an enrolment


def test_a_pending_enrolment_comes_first_and_its_window_carries_no_claim() -> None:
    world = door()
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=False, enrol=True, claim_first=True)))
    keys(world, "12#")
    world.send(FaceButton())
    (told,) = sent(world, Room.VAULT)
    assert isinstance(told, wire.Window)
    assert (told.mode, told.claim) == (LookMode.ENROL, wire.NOBODY)
    assert world.looking
    world.send(Came(Room.VAULT, wire.EnrolmentEnded(told.nonce, Result.CONFIRM)))
    keys(world, "01#12#482913#")
    assert isinstance(sent(world, Room.KEEPER)[-1], wire.ProvePin), "the flat typed before does not run into this"


# ---- while a window is open


def test_a_window_for_anybody_closes_when_the_faces_become_too_many() -> None:
    world = door(too_many=False)
    world.send(FaceButton())
    world.send(Came(Room.VAULT, TOO_MANY))
    assert not world.looking
    assert shown(world)[-1] is Signal.CLAIM_FIRST


def test_a_window_for_one_flat_goes_on_when_the_faces_become_too_many_or_few_again() -> None:
    world = door(too_many=False)
    awake(world, asks(world))
    world.send(Came(Room.VAULT, TOO_MANY))
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=True, enrol=False, claim_first=False)))
    assert world.looking
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=False, enrol=False, claim_first=False)))
    assert not world.looking
    assert shown(world)[-1] is Signal.USE_PIN_OR_CARD


def test_an_announcement_that_contradicts_itself_is_read_the_stricter_way() -> None:
    world = door(too_many=False)
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=True, enrol=False, claim_first=True)))
    world.send(FaceButton())
    assert shown(world)[-1] is Signal.CLAIM_FIRST
    assert nothing_was_looked_at(world)


def test_a_flat_never_shows_in_a_repr() -> None:
    world = door()
    nonce = asks(world, "4711")
    assert isinstance(world.state.inquiry, Inquiry)
    assert "4711" not in repr(world.state)
    awake(world, nonce)
    assert isinstance(world.state.window, Window)
    assert "4711" not in repr(world.state)
    assert not [effect for effect in world.effects if "4711" in repr(effect)]


# ---- a face that never opens without its PIN


@pytest.mark.parametrize("tier", ["face", "face+pin"])
@pytest.mark.parametrize("claim_first", [True, False])
def test_a_face_that_needs_its_pin_is_asked_for_it_and_the_pin_opens(tier: str, claim_first: bool) -> None:
    world = door(too_many=claim_first, tier=tier)
    if claim_first:
        awake(world, asks(world))
    else:
        world.send(FaceButton())
    assert world.looks_to_the_end(Outcome.WITH_PIN) == (1 if tier == "face" else world.rules.approaches)
    assert not world.released
    assert not world.lamp
    assert shown(world)[-1] is Signal.ENTER_PIN
    keys(world, "482913#")
    nonce = checks_the_pin_of(world, 12)
    world.send(Came(Room.KEEPER, wire.Verdict(nonce, world.now_ns, Outcome.ACCEPTED, 12)))
    assert world.released


def test_a_face_that_needs_its_pin_does_not_wait_longer_for_it_than_others() -> None:
    world = door(too_many=False)
    world.send(FaceButton())
    seen(world, Outcome.WITH_PIN, 12)
    world.passes(world.rules.claim_ns)
    keys(world, "482913#")
    assert sent(world, Room.KEEPER) == []


def test_a_face_that_needs_its_pin_must_be_the_claimed_one_and_fresh_like_any_other() -> None:
    world = door()
    awake(world, asks(world))
    seen(world, Outcome.WITH_PIN, 7)
    assert world.state.claim is None
    assert world.state.window is not None
    late = wire.Verdict(world.state.window.nonce, world.now_ns - S, Outcome.WITH_PIN, 12)
    world.send(Came(Room.VAULT, late))
    assert world.state.claim is None


@pytest.mark.parametrize("row", ["12#482913#", "06#12#482913#"])
def test_from_keeper_the_same_word_is_a_refusal(row: str) -> None:
    world = door()
    keys(world, row)
    match sent(world, Room.KEEPER)[-1]:
        case wire.ProvePin(nonce):
            world.send(Came(Room.KEEPER, wire.Answer(nonce, Outcome.WITH_PIN)))
        case wire.CheckPin(nonce):
            world.send(Came(Room.KEEPER, wire.Verdict(nonce, world.now_ns, Outcome.WITH_PIN, 12)))
    assert not world.released
    assert world.state.claim is None
    assert shown(world)[-1] is Signal.REFUSED

"""The permit table over every state, sender and message, against an oracle written from the rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from device import wire
from device.edges import Room, edges_out_of
from device.edges import permitted as may_travel
from device.lock import machine
from device.lock.permits import PERMITS, permitted
from device.lock.state import Asked, Came, State
from device.wire import Message
from tests.unit.lock.support import (
    ASK_NONCE,
    CARD_NONCE,
    FACE_NONCE,
    FRESH,
    NOW,
    OLD_NONCE,
    PIN_NONCE,
    RULES,
    states,
    verdict,
)
from tests.unit.shared.strategies import TYPES, example

# Each to a nonce that was asked, once. A request for a challenge is one to Look.
REQUESTS = {wire.ChallengeRequest, wire.MotionRequest}
REPLIES = {wire.Verdict, wire.EnrolmentEnded, wire.Answer, wire.ClaimAnswer} | REQUESTS
WITHIN = {wire.CardCommand}  # as often as it takes, to a nonce that was asked and is not answered yet
HEARD = {(edge.listener, msg) for edge in edges_out_of(Room.LOCK) for msg in may_travel(edge, edge.listener)}
NONCES = (FACE_NONCE, PIN_NONCE, CARD_NONCE, OLD_NONCE, ASK_NONCE, b"?" * 16)


def with_nonces(cls: type[Message]) -> list[Message]:
    plain: Any = example(cls)
    return [replace(plain, nonce=nonce) for nonce in NONCES] if hasattr(plain, "nonce") else [plain]


ALL = [(cls, with_nonces(cls)) for cls in TYPES]


def oracle(state: State, sender: Room, msg: Message) -> bool:
    if (sender, type(msg)) not in HEARD:
        return False
    if type(msg) not in REPLIES | WITHIN:
        return True
    motion = isinstance(msg, wire.MotionRequest)
    open_ones = {(asked.nonce, asked.room) for asked in state.asked if asked.motion is motion}
    return (msg.nonce, sender) in open_ones  # type: ignore[attr-defined]  # whatever is asked for has one


def test_the_table_and_the_edges_say_the_same() -> None:
    rows = [(permit.sender, permit.message) for permit in PERMITS]
    assert len(set(rows)) == len(rows)
    assert set(rows) == HEARD


def test_only_a_verdict_of_vault_or_keeper_may_open() -> None:
    openers = {(permit.sender, permit.message) for permit in PERMITS if permit.may_open}
    assert openers == {(Room.VAULT, wire.Verdict), (Room.KEEPER, wire.Verdict)}


@pytest.mark.exhaustive(40)
@pytest.mark.parametrize("name", states())
def test_every_sender_and_message_in_every_state(name: str) -> None:
    state = states()[name]
    for sender in Room:
        for cls, msgs in ALL:
            for msg in msgs:
                assert permitted(state, sender, msg) is oracle(state, sender, msg), (sender, cls.__name__)


def test_a_reply_is_heard_from_the_room_that_was_asked_and_no_other() -> None:
    state = State(asked=(Asked(PIN_NONCE, Room.KEEPER, NOW),))
    assert permitted(state, Room.KEEPER, verdict(PIN_NONCE))
    assert not permitted(state, Room.VAULT, verdict(PIN_NONCE))
    assert not permitted(state, Room.KEEPER, verdict(FACE_NONCE))
    assert not permitted(state, Room.DESK, verdict(PIN_NONCE))


def test_the_answer_about_a_claim_is_heard_from_vault_to_the_question_it_was_asked_and_once() -> None:
    state = State(asked=(Asked(ASK_NONCE, Room.VAULT, NOW),))
    answer = wire.ClaimAnswer(ASK_NONCE, awake=True)
    assert permitted(state, Room.VAULT, answer)
    assert not permitted(state, Room.KEEPER, answer)
    assert not permitted(state, Room.VAULT, wire.ClaimAnswer(FACE_NONCE, awake=True))
    after, _ = machine.step(state, Came(Room.VAULT, answer), NOW, FRESH, RULES)
    assert not permitted(after, Room.VAULT, answer)


def test_a_reply_is_heard_once() -> None:
    state = State(asked=(Asked(PIN_NONCE, Room.KEEPER, NOW),))
    after, _ = machine.step(state, Came(Room.KEEPER, verdict(PIN_NONCE)), NOW, FRESH, RULES)
    assert not permitted(after, Room.KEEPER, verdict(PIN_NONCE))


def test_a_new_door_has_asked_nobody_and_hears_no_reply() -> None:
    for cls in REPLIES | WITHIN:
        for sender in Room:
            assert not any(permitted(State(), sender, msg) for msg in with_nonces(cls))


def test_keeper_may_talk_to_a_card_as_often_as_it_takes_and_no_more_once_it_has_answered() -> None:
    state = State(asked=(Asked(CARD_NONCE, Room.KEEPER, NOW),))
    command = wire.CardCommand(CARD_NONCE, b"\x90\x5a\0\0\0")
    for _ in range(3):
        assert permitted(state, Room.KEEPER, command)
        assert not permitted(state, Room.VAULT, command)
        state, _ = machine.step(state, Came(Room.KEEPER, command), NOW, FRESH, RULES)
    for reply in (verdict(CARD_NONCE), wire.Answer(CARD_NONCE, wire.Outcome.ACCEPTED)):
        after, _ = machine.step(state, Came(Room.KEEPER, reply), NOW, FRESH, RULES)
        assert not permitted(after, Room.KEEPER, command)


def test_each_request_of_eye_is_heard_once_and_neither_stands_for_the_other() -> None:
    state = State(asked=tuple(Asked(FACE_NONCE, Room.EYE, NOW, motion) for motion in (False, True)))
    light, motion = wire.ChallengeRequest(FACE_NONCE), wire.MotionRequest(FACE_NONCE)
    for first, second in ((light, motion), (motion, light)):
        assert not permitted(state, Room.VAULT, first)
        after, _ = machine.step(state, Came(Room.EYE, first), NOW, FRESH, RULES)
        assert not permitted(after, Room.EYE, first)
        assert permitted(after, Room.EYE, second)
        after, _ = machine.step(after, Came(Room.EYE, second), NOW, FRESH, RULES)
        assert not permitted(after, Room.EYE, first)
        assert not permitted(after, Room.EYE, second)

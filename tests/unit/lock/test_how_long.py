"""For how long a door believes, waits and warns, and what lock takes for true when it starts: written down once more.

Who changes one of these changes what somebody can do at a door, or what neighbours hear: it shall not happen unseen.
"""

from __future__ import annotations

from dataclasses import fields

import pytest

from device.challenge import OFF
from device.edges import Room
from device.lock.keypad import Entry
from device.lock.state import (
    CardReplied,
    CardSend,
    Check,
    Claim,
    Inquiry,
    Key,
    Rules,
    State,
    Window,
)
from device.policy.methods import EVERYTHING, Method
from device.wire import NO_DAY, CameraCondition, Ending, LookMode

S = 1_000_000_000
NONCE = bytes(16)

TIMES_S = {
    "unlock_ns": 4,
    "window_ns": 10,
    "verdict_life_ns": 0.5,
    "check_ns": 6,
    "card_ns": 5,
    "inquiry_ns": 1,
    "held_open_ns": 60,
    "remind_ns": 10,
    "remind_for_ns": 300,
    "exit_ns": 10,
    "remembered_ns": 60,
    "claim_ns": 15,
    "fading_ns": 1,
    "passage_ns": 2,
    "quiet_ns": 600,
    "announce_ns": 2,
    "proof_ns": 60,
}


def test_every_time_of_a_door_is_the_one_that_was_agreed_on() -> None:
    rules = Rules()
    assert {name: getattr(rules, name) for name in TIMES_S} == {name: round(at * S) for name, at in TIMES_S.items()}
    assert {each.name for each in fields(Rules) if each.name.endswith("_ns")} == set(TIMES_S), (
        "no time is forgotten here"
    )


def test_a_door_that_nobody_configured_trusts_no_face_alone_and_allows_what_no_policy_forbids() -> None:
    rules = Rules()
    assert not rules.face_alone_opens
    assert rules.exit_wired
    assert (rules.approaches, rules.approaches_twice, rules.twice) == (3, 5, False)
    assert (rules.methods, rules.barred, rules.day, rules.ending) == (EVERYTHING, frozenset(), NO_DAY, Ending.NONE)


def test_a_lock_that_starts_is_secured_and_takes_nothing_for_granted() -> None:
    state = State()
    nothing = {
        **dict.fromkeys(("granted_until_ns", "claim", "fading_until_ns", "window", "inquiry", "entry", "check")),
        **dict.fromkeys(("announce_at_ns", "proven_until_ns", "challenge", "motion")),
        **dict.fromkeys(("opened_while_granted", "recognise_ready", "enrol_ready", "claim_first_ready"), False),
        **dict.fromkeys(("door_open", "help_owed"), False),
        **dict.fromkeys(("passage_until_ns", "breach_until_ns", "open_since_ns", "reminded_ns", "exit_until_ns"), 0),
        "asked": (),
        "lights": OFF,
        "lights_changed_ns": (),
        "up": frozenset[Room](),
        "alarms": frozenset(),
        "camera": CameraCondition.IDLE,
        "enrol_mode": LookMode.ENROL,
    }
    assert {each.name: getattr(state, each.name) for each in fields(State)} == nothing


def test_a_question_to_keeper_is_only_what_was_asked_for() -> None:
    check = Check(NONCE, 5, opens=True)
    assert (check.by, check.left, check.redeems, check.ends_door) == (Method.PIN, False, False, False)


@pytest.mark.parametrize(
    "told",
    [
        Window(LookMode.RECOGNISE, NONCE, 5, 1, claim=4711),
        Window(LookMode.RECOGNISE, NONCE, 5, 1, known=4711),
        Window(LookMode.RECOGNISE, NONCE, 5, 1, answered=4711),
        Inquiry(NONCE, 4711, 5),
        Claim(4711, 5),
        Rules(barred=frozenset({4711})),
        Entry("4711"),
        Key("4711"),
        CardReplied(b"4711"),
        CardSend(b"4711"),
    ],
    ids=lambda told: type(told).__name__,
)
def test_nobody_reads_off_a_repr_who_is_at_the_door(told: object) -> None:
    assert "4711" not in repr(told)


def test_a_window_without_a_claim_is_for_nobody_in_particular() -> None:
    window = Window(LookMode.RECOGNISE, NONCE, 5, 1)
    assert (window.claim, window.known, window.answered) == (0, 0, 0)

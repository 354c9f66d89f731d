"""Every state against every event: nothing but an authorised decision opens, and a window always has its lamp."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device.edges import Room
from device.lock import machine, window
from device.lock.permits import permitted
from device.lock.state import Came, Claim, FaceButton, Lamp, Release, Rules, Secure, Send, Show, Signal, Tick
from device.policy.methods import EVERYTHING, Method
from device.wire import (
    AskClaim,
    CameraCondition,
    CameraState,
    CardCommand,
    Close,
    Guidance,
    Look,
    LookMode,
    Outcome,
    Verdict,
    Window,
)
from tests.unit.lock.support import FRESH, NOW, RULES, events, may_look, may_open, states, with_rules

MANY = (CardCommand, Guidance)  # under one nonce as many as it takes
MATRIX = [(name, state, label, event) for name, state in states().items() for label, event in events().items()]


def test_the_matrix_holds_every_event_type_and_both_answers() -> None:
    assert {type(event) for event in events().values()} == set(machine._HANDLERS)
    opening = sum(may_open(state, event, RULES) for _, state, _, event in MATRIX)
    assert 0 < opening < len(MATRIX) / 20


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"face_alone_opens": False},
        {"lights": True},
        {"lights": True, "face_alone_opens": False},
        *({"methods": EVERYTHING & ~method} for method in (Method.PIN, Method.CARD, Method.FACE)),
        {"barred": frozenset({12})},
        {"barred": frozenset({7, 700})},
    ],
    ids=str,
)
def test_only_an_authorised_decision_releases(changes: dict[str, object]) -> None:
    rules = with_rules(**changes)
    for name, state, label, event in MATRIX:
        _, effects = machine.step(state, event, NOW, FRESH, rules)
        released = any(isinstance(effect, Release) for effect in effects)
        assert released == may_open(state, event, rules), f"{label} in {name}"


def test_granted_in_the_state_and_release_in_the_world_go_together() -> None:
    for name, state, label, event in MATRIX:
        after, effects = machine.step(state, event, NOW, FRESH, RULES)
        released = any(isinstance(effect, Release) for effect in effects)
        secured = any(isinstance(effect, Secure) for effect in effects)
        if after.granted_until_ns is None:
            assert secured == (state.granted_until_ns is not None or label == "bolt failed"), f"{label} in {name}"
        elif after.granted_until_ns != state.granted_until_ns:
            assert released
            assert after.granted_until_ns == NOW + RULES.unlock_ns, f"{label} in {name}"


def test_lamp_and_window_go_together() -> None:
    for name, state, label, event in MATRIX:
        after, effects = machine.step(state, event, NOW, FRESH, RULES)
        lamps = [effect.on for effect in effects if isinstance(effect, Lamp)]
        closed = state.window and after.window is None
        lit = [each.window is not None for each in (state, after)]
        assert lamps == ([lit[1]] if lit[0] != lit[1] else []), f"{label} in {name}"
        looks = [effect.msg for effect in effects if isinstance(effect, Send) and isinstance(effect.msg, Look)]
        closes = [effect.msg for effect in effects if isinstance(effect, Send) and isinstance(effect.msg, Close)]
        assert bool(closes) == bool(closed), f"{label} in {name}"
        assert all(after.window and look.nonce == after.window.nonce for look in looks), f"{label} in {name}"


@pytest.mark.slow
def test_lamp_waits_for_a_read_that_is_under_way_and_no_longer_than_it_must() -> None:
    for name, state, label, event in MATRIX:
        if state.window is None:
            continue
        streaming = replace(state, camera=CameraCondition.STREAMING)
        after, effects = machine.step(streaming, event, NOW, FRESH, RULES)
        dark = [effect for effect in effects if isinstance(effect, Lamp) and not effect.on]
        if after.window:
            assert not dark, f"{label} in {name}"
        elif after.camera is CameraCondition.STREAMING:
            assert not dark, f"{label} in {name}"
            later, faded = machine.step(after, Tick(), NOW + RULES.fading_ns, FRESH, RULES)
            assert Lamp(on=False) in faded
            assert later.fading_until_ns is None
        else:
            assert dark, f"{label} in {name}"


def test_eyes_word_alone_never_lights_the_lamp() -> None:
    streams = Came(Room.EYE, CameraState(CameraCondition.STREAMING))
    for name, state in states().items():
        if state.window is None and Room.EYE in state.up:
            after, effects = machine.step(state, streams, NOW, FRESH, RULES)
            assert Lamp(on=True) not in effects, name
            assert machine.step(after, Tick(), NOW + 1, FRESH, RULES)[1].count(Lamp(on=True)) == 0, name


@pytest.mark.slow
def test_vault_hears_of_every_approach_before_eye_and_of_its_end() -> None:
    for name, state, label, event in MATRIX:
        after, effects = machine.step(state, event, NOW, FRESH, RULES)
        sent = [(effect.room, type(effect.msg)) for effect in effects if isinstance(effect, Send)]
        if (Room.EYE, Look) in sent:
            assert sent.index((Room.VAULT, Window)) < sent.index((Room.EYE, Look)), f"{label} in {name}"
            told = [effect.msg for effect in effects if isinstance(effect, Send) and isinstance(effect.msg, Window)]
            assert [each.nonce for each in told] == [after.window.nonce if after.window else b""], f"{label} in {name}"
        assert ((Room.EYE, Close) in sent) == ((Room.VAULT, Close) in sent), f"{label} in {name}"


@pytest.mark.slow
def test_only_a_press_or_the_answer_to_its_question_opens_a_window() -> None:
    opened = 0
    for name, state, label, event in MATRIX:
        after, _ = machine.step(state, event, NOW, FRESH, RULES)
        if state.window is None:
            assert (after.window is not None) == may_look(state, event), f"{label} in {name}"
            opened += after.window is not None
    assert opened > 0


@pytest.mark.slow
def test_a_window_is_for_the_flat_that_was_typed_and_for_it_alone() -> None:
    for name, state, label, event in MATRIX:
        after, effects = machine.step(state, event, NOW, FRESH, RULES)
        claims = [effect.msg.claim for effect in effects if isinstance(effect, Send) and isinstance(effect.msg, Window)]
        if not claims:
            continue
        assert after.window
        assert claims == [after.window.claim], f"{label} in {name}"
        if state.window:
            assert after.window.claim == state.window.claim, f"{label} in {name}"
        else:
            enrols = after.window.mode is LookMode.ENROL
            assert after.window.claim == (12 if state.inquiry and not enrols else 0), f"{label} in {name}"
            assert state.inquiry or enrols or not state.claim_first_ready, f"{label} in {name}"


@pytest.mark.slow
def test_vault_is_asked_about_a_flat_only_when_it_was_typed_before_the_press_and_the_camera_stays_closed() -> None:
    asked = 0
    for name, state, label, event in MATRIX:
        after, effects = machine.step(state, event, NOW, FRESH, RULES)
        sent = [effect.msg for effect in effects if isinstance(effect, Send)]
        for question in (msg for msg in sent if isinstance(msg, AskClaim)):
            asked += 1
            assert isinstance(event, FaceButton), f"{label} in {name}"
            assert state.entry, f"{label} in {name}"
            assert (state.entry.keys, question.claim) == ("12#", 12), f"{label} in {name}"
            assert sent == [question], f"{label} in {name}"
            assert (after.window, after.entry) == (None, None), f"{label} in {name}"
    assert asked > 0


@pytest.mark.slow
def test_window_and_inquiry_never_stand_together() -> None:
    for name, state, label, event in MATRIX:
        after, _ = machine.step(state, event, NOW, FRESH, RULES)
        assert after.window is None or after.inquiry is None, f"{label} in {name}"


@pytest.mark.parametrize("tier_alone", [True, False])
def test_a_face_that_needs_its_pin_leads_to_the_question_for_it_in_every_tier(tier_alone: bool) -> None:
    rules = with_rules(face_alone_opens=tier_alone)
    met = 0
    for name, state, label, event in MATRIX:
        if label != "verdict vault f with pin" or not state.window or state.window.mode is LookMode.ENROL:
            continue
        after, effects = machine.step(state, event, NOW, FRESH, rules)
        met += 1
        if not tier_alone and state.window.approaches_left:  # the camera looks on, as it does for a stranger
            assert after.claim is None, name
            assert after.window == replace(state.window, nonce=FRESH, approaches_left=0, known=12, doubted=False), name
            continue
        assert after.claim == Claim(12, NOW + rules.claim_ns), name
        assert after.window is None, name
        assert Show(Signal.ENTER_PIN) in effects, name
    assert met > 0


def test_no_reply_is_taken_twice() -> None:
    for name, state, label, event in MATRIX:
        if not isinstance(event, Came) or not hasattr(event.msg, "nonce") or isinstance(event.msg, MANY):
            continue
        if not permitted(state, event.sender, event.msg):
            continue
        after, _ = machine.step(state, event, NOW, FRESH, RULES)
        assert not permitted(after, event.sender, event.msg), f"{label} in {name}"


def test_the_matrix_catches_a_machine_that_forgets_nonces_or_time() -> None:
    """Seeded fault: a machine that opens for every accepted verdict differs from the oracle where it must."""

    def careless(event: object) -> bool:
        msg = event.msg if isinstance(event, Came) else None
        return isinstance(msg, Verdict) and msg.outcome is Outcome.ACCEPTED and msg.slot != 0

    wrong = [label for _, state, label, event in MATRIX if careless(event) != may_open(state, event, RULES)]
    assert any("stale" in label for label in wrong)
    assert any(" ? " in label for label in wrong)
    assert any("other" in label for label in wrong)


def test_the_matrix_catches_a_machine_that_opens_for_one_answered_challenge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded fault: where a face alone opens, what a window has seen before is not asked for."""
    monkeypatch.setattr(Rules, "twice", False)
    rules, wrong = with_rules(lights=True), set()
    for name, state, label, event in MATRIX:
        _, effects = machine.step(state, event, NOW, FRESH, rules)
        if any(isinstance(effect, Release) for effect in effects) != may_open(state, event, rules):
            wrong.add((label, name.split()[0]))
    assert {label for label, _ in wrong} == {"verdict vault f yes", "verdict vault f other"}
    assert {"looking", "last-look", "claimed", "last-claimed", "another-answered"} <= {face for _, face in wrong}
    assert ("verdict vault f yes", "answered") not in wrong


def test_the_matrix_catches_a_machine_that_opens_for_a_face_that_needs_its_pin() -> None:
    """Seeded fault: WITH_PIN taken for ACCEPTED, from vault or from keeper."""
    wrong = set()
    for _, state, label, event in MATRIX:
        if isinstance(event, Came) and isinstance(event.msg, Verdict) and event.msg.outcome is Outcome.WITH_PIN:
            taken = Came(event.sender, replace(event.msg, outcome=Outcome.ACCEPTED))
            _, effects = machine.step(state, taken, NOW, FRESH, RULES)
            if any(isinstance(effect, Release) for effect in effects) != may_open(state, event, RULES):
                wrong.add(label)
    assert wrong == {"verdict vault f with pin", "verdict keeper p with pin", "verdict keeper c with pin"}


@pytest.mark.slow
def test_the_matrix_catches_a_machine_that_does_not_hold_a_verdict_against_the_claim(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Seeded fault: the guard in `window.worth` sees a window without a claim."""
    guarded = window.worth
    monkeypatch.setattr(window, "worth", lambda at, msg, rules: guarded(replace(at, claim=0), msg, rules))
    wrong = set()
    for name, state, label, event in MATRIX:
        _, effects = machine.step(state, event, NOW, FRESH, RULES)
        if any(isinstance(effect, Release) for effect in effects) != may_open(state, event, RULES):
            wrong.add((name.split()[0], label))
    assert wrong == {("claimed", "verdict vault f other"), ("last-claimed", "verdict vault f other")}


@pytest.mark.slow
def test_the_matrix_catches_a_machine_that_looks_for_anybody_while_the_faces_are_too_many() -> None:
    """Seeded fault: a press that takes "claim first" for "somebody is awake"."""
    wrong = set()
    for name, state, label, event in MATRIX:
        careless = replace(state, recognise_ready=True, claim_first_ready=False)
        after, _ = machine.step(careless, event, NOW, FRESH, RULES)
        if state.window is None and (after.window is not None) != may_look(state, event):
            wrong.add((name.split()[-1], label))
    assert ("many", "face button") in wrong

"""Random lives of a door: granted always means an authorised decision at most `unlock_ns` ago."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from device import wire
from device.edges import Room
from device.lock import machine
from device.lock.state import (
    BoltFailed,
    Came,
    CardCame,
    CardLeft,
    CardReplied,
    CardSend,
    DoorMoved,
    Event,
    ExitRequested,
    FaceButton,
    Inquiry,
    Key,
    NumberRead,
    PeerDown,
    PeerUp,
    Rules,
    State,
    TamperMoved,
)
from device.wire import CameraCondition, LookMode, Outcome, Result
from tests.unit.lock.support import ALL_UP, APDU, RULES, S, Stepper, World, connected, with_rules

pytestmark = pytest.mark.slow

ROOMS = st.sampled_from(sorted(ALL_UP))


class Life(RuleBasedStateMachine):
    """The world of support.World, driven at random; `honest` says which verdicts were authorised, and when."""

    step: ClassVar[object] = staticmethod(machine.step)
    numbers: ClassVar[Rules] = RULES

    def __init__(self) -> None:
        super().__init__()
        self.world = World(rules=self.numbers, step=self.step)  # type: ignore[arg-type] # a Stepper; ClassVar of a callable binds
        self.seen: list[tuple[Room, bytes]] = []
        self.asked: list[Inquiry] = []
        self.doubted: set[bytes] = set()
        self.shown = wire.NOBODY  # whom the last approach of this window has shown that counted
        self.decided_ns: int | None = None
        self.closed_ns = 0

    @initialize()
    def connects(self) -> None:
        connected(self.world)

    def _send(self, event: Event) -> None:
        was_open, before, now_ns = self.world.looking, self.world.state, self.world.now_ns
        self.world.send(event)
        state = self.world.state
        if state.inquiry and state.inquiry not in self.asked:
            assert isinstance(event, FaceButton)
            self.asked.append(state.inquiry)
        if state.window is None:
            self.shown = wire.NOBODY
        if state.window and before.window is None:
            self._is_a_window_somebody_asked_for(event, before, now_ns)
        elif state.window and before.window:
            assert state.window.claim == before.window.claim
        if was_open and not self.world.looking:
            self.closed_ns = self.world.now_ns
        if state.window and (Room.VAULT, state.window.nonce) not in self.seen:
            self.seen.append((Room.VAULT, state.window.nonce))
        if state.check and (Room.KEEPER, state.check.nonce) not in self.seen:
            self.seen.append((Room.KEEPER, state.check.nonce))

    def _is_a_window_somebody_asked_for(self, event: Event, before: State, now_ns: int) -> None:
        window = self.world.state.window
        assert window is not None
        if isinstance(event, FaceButton):
            assert window.claim == wire.NOBODY
            assert window.mode is LookMode.ENROL or not before.claim_first_ready
            return
        assert isinstance(event, Came)
        assert isinstance(event.msg, wire.ClaimAnswer)
        assert event.msg.awake
        assert before.inquiry is not None
        assert (before.inquiry.nonce, before.inquiry.slot) == (event.msg.nonce, window.claim)
        assert before.inquiry == self.asked[-1]
        assert now_ns < before.inquiry.until_ns

    def _authorises(self, sender: Room, msg: wire.Verdict) -> bool:
        state = self.world.state
        fresh = 0 <= self.world.now_ns - msg.stamped_ns <= S // 2
        asked = any(one.nonce == msg.nonce and one.room is sender for one in state.asked)
        window = state.window
        by_face = (
            sender is Room.VAULT
            and window is not None
            and window.mode is LookMode.RECOGNISE
            and window.nonce == msg.nonce
            and window.claim in (wire.NOBODY, msg.slot)
            and window.nonce not in self.doubted
            and self.world.now_ns < window.until_ns
        )
        check = state.check
        by_pin_or_card = (
            sender is Room.KEEPER
            and check is not None
            and check.opens
            and check.nonce == msg.nonce
            and self.world.now_ns < check.until_ns
        )
        face = by_face and self.world.rules.face_alone_opens and msg.outcome is Outcome.ACCEPTED
        if face and fresh and asked and msg.slot > 0 and self.world.rules.lights:
            face, self.shown = self.shown == msg.slot, msg.slot
        keeper = by_pin_or_card and msg.outcome in (Outcome.ACCEPTED, Outcome.DURESS)
        return fresh and asked and msg.slot > 0 and (face or keeper)

    @rule()
    def presses_the_face_button(self) -> None:
        self._send(FaceButton())

    @rule(keys=st.sampled_from(["12#482913#", "06#12#482913#", "00#12#1#22#22#", "12#", "*7#", "1", "#", "*", "##9"]))
    def types(self, keys: str) -> None:
        for key in keys:
            self._send(Key(key))

    @rule(by_face=st.booleans())
    def somebody_comes_home(self, by_face: bool) -> None:
        """Press or type, and be recognised: the rest of the rules alone rarely get that far."""
        if by_face:
            self.presses_the_face_button()
            for _ in range(2 if self.world.rules.lights else 1):
                self.the_current_question_is_answered(Room.VAULT, Outcome.ACCEPTED)
        else:
            self.types("*")
            self.types("12#482913#")
            self.the_current_question_is_answered(Room.KEEPER, Outcome.ACCEPTED)

    @rule(looks=st.booleans(), outcome=st.sampled_from(Outcome))
    def eye_wants_to_see_somebody_turn(self, looks: bool, outcome: Outcome) -> None:
        """And vault knows that face, or not; or nobody looks, and it is about the approach before."""
        if looks:
            self.presses_the_face_button()
        window = self.world.state.window
        nonces = [nonce for room, nonce in self.seen if room is Room.VAULT] or [b"!" * 16]
        nonce = window.nonce if window else nonces[-1]
        self.doubted.add(nonce)
        self._send(Came(Room.EYE, wire.MotionRequest(nonce)))
        self.the_current_question_is_answered(Room.VAULT, outcome)

    @rule(awake=st.booleans(), slot=st.sampled_from([7, 12]), outcome=st.sampled_from(Outcome), many=st.booleans())
    def somebody_says_who_they_are_first(self, awake: bool, slot: int, outcome: Outcome, many: bool) -> None:
        self._send(Came(Room.VAULT, wire.FaceReady(recognise=not many, enrol=False, claim_first=many)))
        self.types("*")
        self.types("12#")
        self.presses_the_face_button()
        self.vault_answers_about_a_claim(awake, 0)
        window = self.world.state.window
        if window:
            self._is_told(Room.VAULT, wire.Verdict(window.nonce, self.world.now_ns, outcome, slot if outcome else 0))

    @rule(awake=st.booleans(), back=st.integers(0, 2))
    def vault_answers_about_a_claim(self, awake: bool, back: int) -> None:
        nonces = [b"?" * 16, *(one.nonce for one in self.asked)]
        self._send(Came(Room.VAULT, wire.ClaimAnswer(nonces[max(0, len(nonces) - 1 - back)], awake)))

    def _is_told(self, sender: Room, msg: wire.Verdict) -> None:
        if self._authorises(sender, msg):
            self.decided_ns = self.world.now_ns
        self._send(Came(sender, msg))

    @rule(data=st.data(), sender=st.sampled_from([Room.VAULT, Room.KEEPER]), age_ms=st.integers(-50, 900))
    def a_verdict_comes(self, data: st.DataObject, sender: Room, age_ms: int) -> None:
        nonces = [nonce for _, nonce in self.seen[-6:]] + [b"?" * 16]
        outcome = data.draw(st.sampled_from(Outcome))
        slot = data.draw(st.sampled_from([0, 7, 12]))
        stamped = self.world.now_ns - age_ms * 1_000_000
        self._is_told(sender, wire.Verdict(data.draw(st.sampled_from(nonces)), stamped, outcome, slot))

    @rule(sender=st.sampled_from([Room.VAULT, Room.KEEPER]), outcome=st.sampled_from(Outcome))
    def the_current_question_is_answered(self, sender: Room, outcome: Outcome) -> None:
        state = self.world.state
        nonce = (state.window and state.window.nonce) if sender is Room.VAULT else (state.check and state.check.nonce)
        self._is_told(sender, wire.Verdict(nonce or b"!" * 16, self.world.now_ns, outcome, 12 if outcome else 0))

    @rule(outcome=st.sampled_from(Outcome))
    def an_answer_comes(self, outcome: Outcome) -> None:
        check = self.world.state.check
        self._send(Came(Room.KEEPER, wire.Answer(check.nonce if check else b"!" * 16, outcome)))

    @rule(events=st.lists(st.sampled_from([CardCame(), CardLeft(), CardReplied(b"\x91\0"), NumberRead()]), max_size=3))
    def a_card_is_held_to_the_reader(self, events: list[Event]) -> None:
        for event in events:
            self._send(event)

    @rule(outcome=st.sampled_from(Outcome), back=st.integers(0, 1))
    def somebody_comes_home_by_card(self, outcome: Outcome, back: int) -> None:
        self._send(CardCame())
        nonces = [nonce for room, nonce in self.seen if room is Room.KEEPER] or [b"?" * 16]
        nonce = nonces[max(0, len(nonces) - 1 - back)]
        self._send(Came(Room.KEEPER, wire.CardCommand(nonce, APDU)))
        self._is_told(Room.KEEPER, wire.Verdict(nonce, self.world.now_ns, outcome, 12 if outcome else 0))

    @rule(faces=st.sampled_from([(False, False), (True, False), (False, True)]), enrol=st.booleans())
    def vault_says_who_is_ready(self, faces: tuple[bool, bool], enrol: bool) -> None:
        self._send(Came(Room.VAULT, wire.FaceReady(recognise=faces[0], enrol=enrol, claim_first=faces[1])))
        self._send(FaceButton())
        self._send(Came(Room.VAULT, wire.FaceReady(recognise=True, enrol=False, claim_first=False)))

    @rule(result=st.sampled_from(Result))
    def an_enrolment_ends(self, result: Result) -> None:
        window = self.world.state.window
        self._send(Came(Room.VAULT, wire.EnrolmentEnded(window.nonce if window else b"!" * 16, result)))

    @rule(condition=st.sampled_from(CameraCondition))
    def the_camera_changes(self, condition: CameraCondition) -> None:
        self._send(Came(Room.EYE, wire.CameraState(condition)))
        if condition is CameraCondition.FAULT:
            self._send(Came(Room.EYE, wire.CameraState(CameraCondition.IDLE)))  # else no window opens any more

    @rule(is_open=st.booleans())
    def the_door_moves(self, is_open: bool) -> None:
        self._send(DoorMoved(open=is_open))

    @rule(on=st.booleans())
    def the_housing_moves(self, on: bool) -> None:
        self._send(TamperMoved(on=on))

    @rule()
    def somebody_leaves(self) -> None:
        self._send(ExitRequested())

    @rule()
    def the_bolt_fails(self) -> None:
        self._send(BoltFailed())

    @rule(room=ROOMS, ready=st.booleans())
    def a_room_restarts(self, room: Room, ready: bool) -> None:
        self._send(PeerDown(room))
        self._send(PeerUp(room))
        if room is Room.VAULT:
            self._send(Came(Room.VAULT, wire.FaceReady(recognise=ready, enrol=False, claim_first=False)))

    @rule(ms=st.sampled_from([1, 50, 400, 1000, 4000, 12000, 70000]))
    def time_passes(self, ms: int) -> None:
        was_open = self.world.looking
        window = self.world.state.window
        self.world.passes(ms * 1_000_000)
        if was_open and not self.world.looking and window:
            self.closed_ns = window.until_ns

    @rule()
    def lock_is_killed_and_starts_anew(self) -> None:
        """The line falls with its owner; the new process remembers nothing."""
        self.world.state = State()
        self.world.released_until_ns = None
        self.world.lamp = self.world.looking = False
        self.world.cards = 0
        self.decided_ns = None
        self.asked.clear()
        connected(self.world)

    @invariant()
    def granted_implies_an_authorised_decision_at_most_t_ago(self) -> None:
        if self.world.released or self.world.state.granted_until_ns is not None:
            assert self.decided_ns is not None
            assert self.world.now_ns - self.decided_ns <= self.world.rules.unlock_ns

    @invariant()
    def every_card_is_let_go_once_and_one_at_most_is_talked_to(self) -> None:
        check = self.world.state.check
        assert self.world.cards == int(check is not None and check.card)

    @invariant()
    def the_lamp_is_lit_while_the_window_is_open_and_a_moment_longer_at_most(self) -> None:
        state = self.world.state
        assert state.window is None or state.inquiry is None
        assert self.world.looking == (state.window is not None)
        assert self.world.lamp or not self.world.looking
        if self.world.lamp and not self.world.looking:
            assert state.camera is CameraCondition.STREAMING
            assert self.world.now_ns - self.closed_ns < self.world.rules.fading_ns


QUICK = settings(
    max_examples=150, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
TestLife = Life.TestCase
TestLife.settings = QUICK


class LifeWithLights(Life):
    """At a door where a face alone opens by two answered challenges."""

    numbers: ClassVar[Rules] = with_rules(lights=True)


TestLifeWithLights = LifeWithLights.TestCase
TestLifeWithLights.settings = QUICK


def _without_relock(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
    """Seeded fault: granted never ends."""
    after, effects = machine.step(state, event, now_ns, fresh, rules)
    if state.granted_until_ns is not None and after.granted_until_ns is None:
        after = replace(after, granted_until_ns=now_ns + rules.unlock_ns)
    return after, effects


def _pin_forgotten(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
    """Seeded fault: a face that needs its PIN is taken for one that opens."""
    if isinstance(event, Came) and isinstance(event.msg, wire.Verdict) and event.msg.outcome is Outcome.WITH_PIN:
        event = Came(event.sender, replace(event.msg, outcome=Outcome.ACCEPTED))
    return machine.step(state, event, now_ns, fresh, rules)


def _doubt_forgotten(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
    """Seeded fault: that eye wanted to see a face turn is forgotten before vault answers."""
    if state.window and state.window.doubted:
        state = replace(state, window=replace(state.window, doubted=False))
    return machine.step(state, event, now_ns, fresh, rules)


def _claim_forgotten(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
    """Seeded fault: whoever vault names is taken for whoever was claimed."""
    if isinstance(event, Came) and isinstance(event.msg, wire.Verdict) and state.window and event.msg.slot:
        event = Came(event.sender, replace(event.msg, slot=state.window.claim or event.msg.slot))
    return machine.step(state, event, now_ns, fresh, rules)


def _flat_not_asked_for(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
    """Seeded fault: "claim first" is taken for "somebody is awake"."""
    ready = state.recognise_ready or state.claim_first_ready
    if isinstance(event, FaceButton) and not state.entry:
        after, effects = machine.step(
            replace(state, recognise_ready=ready, claim_first_ready=False), event, now_ns, fresh, rules
        )
        return replace(after, claim_first_ready=state.claim_first_ready), effects
    return machine.step(state, event, now_ns, fresh, rules)


def _not_counted(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
    """Seeded fault: one answered challenge is taken for two."""
    if isinstance(event, Came) and isinstance(event.msg, wire.Verdict) and state.window and event.msg.slot:
        state = replace(state, window=replace(state.window, answered=event.msg.slot))
    return machine.step(state, event, now_ns, fresh, rules)


def _kept_for_the_next(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
    """Seeded fault: whom one window has shown still counts in the next."""
    after, effects = machine.step(state, event, now_ns, fresh, rules)
    if state.window is None and after.window is not None:
        after = replace(after, window=replace(after.window, answered=12))
    return after, effects


def _card_kept(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
    """Seeded fault: the card of a keeper that is gone is not let go."""
    after, effects = machine.step(state, event, now_ns, fresh, rules)
    if isinstance(event, PeerDown):
        effects = tuple(effect for effect in effects if effect != CardSend(None))
    return after, effects


@pytest.mark.parametrize(
    "fault",
    [_card_kept, _without_relock, _pin_forgotten, _claim_forgotten, _flat_not_asked_for, _doubt_forgotten],
)
def test_a_machine_without_one_of_its_guards_is_found(fault: Stepper) -> None:
    hunted(Life, fault)


@pytest.mark.parametrize("fault", [_not_counted, _kept_for_the_next, _doubt_forgotten])
def test_a_machine_that_does_not_count_to_two_is_found(fault: Stepper) -> None:
    hunted(LifeWithLights, fault)


def hunted(life: type[Life], fault: Stepper) -> None:
    faulty = type("Faulty", (life,), {"step": staticmethod(fault)})
    # Only generate: the smallest example is of no interest here, and shrinking takes longer than finding.
    # What is generated depends on which modules are loaded, even derandomized: enough examples for any of them.
    hunt = settings(QUICK, max_examples=5000, derandomize=True, phases=(Phase.generate,), report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(faulty, settings=hunt)

"""Where every face needs its PIN, nobody can tell a known face's window from an unknown one's by watching the door.

What can be watched is written down with its time: every signal, the lamp, and what eye, vault and keeper are told, by
its kind. Two windows whose verdicts come at the same times must leave the same list, whatever the verdicts say.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import wire
from device.edges import Room
from device.lock import alarms, window
from device.lock.state import (
    Came,
    Claim,
    Effect,
    Event,
    FaceButton,
    Key,
    Lamp,
    PeerDown,
    Rules,
    Send,
    Show,
    Signal,
    State,
    Window,
)
from device.wire import CameraCondition, Hint, Outcome
from tests.unit.lock.support import S, World, connected, with_rules

Verdicts = tuple[tuple[Outcome, int], ...]
Watched = list[tuple[int, str]]

STRANGER: Verdicts = ((Outcome.REFUSED, 0),) * 3
RESIDENT: Verdicts = ((Outcome.WITH_PIN, 12),) * 3
TIMES_MS = (700, 400, 900)
PIN = "482913#"
TOO_MANY = Came(Room.VAULT, wire.FaceReady(recognise=False, enrol=False, claim_first=True))
NOBODY_AWAKE = Came(Room.VAULT, wire.FaceReady(recognise=False, enrol=False, claim_first=False))
MEANWHILE: tuple[tuple[Event, ...], ...] = (
    (),
    tuple(Key(key) for key in PIN),
    tuple(Key(key) for key in "7#482913#"),
    (FaceButton(),),
    (TOO_MANY,),
    (NOBODY_AWAKE,),
    (PeerDown(Room.EYE),),
    (PeerDown(Room.VAULT),),
    (Came(Room.EYE, wire.CameraState(CameraCondition.FAULT)),),
)


def kind(effect: Effect) -> str:
    """What of `effect` somebody who watches could tell: not the numbers inside a message."""
    return f"{effect.room} {type(effect.msg).__name__}" if isinstance(effect, Send) else repr(effect)


@dataclass
class Door(World):
    """A world whose effects are noted with their time from the press on."""

    watched: Watched = field(default_factory=list)
    pressed_ns: int = 0

    def send(self, event: Event) -> tuple[Effect, ...]:
        effects = super().send(event)
        self.watched += [(self.now_ns - self.pressed_ns, kind(effect)) for effect in effects]
        return effects

    def approach(self, outcome: Outcome, slot: int) -> None:
        """Vault's verdict on the approach under way, if there is one."""
        if self.state.window:
            self.send(Came(Room.VAULT, wire.Verdict(self.state.window.nonce, self.now_ns, outcome, slot)))

    def guided(self) -> None:
        if self.state.window:
            self.send(Came(Room.VAULT, wire.Guidance(self.state.window.nonce, Hint.COME_CLOSER)))

    def looks(self) -> int:
        return sum(each == "eye Look" for _, each in self.watched)

    def lamp_spans(self) -> list[int]:
        """How long the lamp burned each time, in ns."""
        lit = [at for at, each in self.watched if each == kind(Lamp(on=True))]
        dark = [at for at, each in self.watched if each == kind(Lamp(on=False))]
        return [after - before for before, after in zip(lit, dark, strict=True)]

    def signals(self) -> list[str]:
        return [each for _, each in self.watched if each.startswith("Show")]


def pressed(*, claimed: bool = False, alone: bool = False) -> Door:
    """A door whose face button was pressed, after the flat number 12 if `claimed`; its window is open."""
    door = Door(rules=with_rules(face_alone_opens=alone))
    connected(door)
    if claimed:
        for key in "12#":
            door.send(Key(key))
    door.watched.clear()
    door.pressed_ns = door.now_ns
    door.send(FaceButton())
    if door.state.inquiry:
        door.send(Came(Room.VAULT, wire.ClaimAnswer(door.state.inquiry.nonce, awake=True)))
    assert door.looking
    return door


def lived(
    verdicts: Verdicts,
    *,
    times_ms: tuple[int, ...] = TIMES_MS,
    claimed: bool = False,
    streaming: bool = False,
    meanwhile: tuple[Event, ...] = (),
) -> Door:
    """One window on a face+pin door from the press to its end, and the PIN alone that is typed after it."""
    door = pressed(claimed=claimed)
    if streaming:
        door.send(Came(Room.EYE, wire.CameraState(CameraCondition.STREAMING)))
    for number, (after_ms, (outcome, slot)) in enumerate(zip(times_ms, verdicts, strict=True)):
        door.passes(after_ms * S // 1000)
        door.approach(outcome, slot)
        door.guided()
        for event in meanwhile if number == 0 else ():
            door.send(event)
    door.passes(max(0, door.rules.window_ns - sum(times_ms) * S // 1000))
    for key in PIN:
        door.send(Key(key))
    return door


# ---- alike


@pytest.mark.parametrize("claimed", [False, True])
@pytest.mark.parametrize("streaming", [False, True])
def test_a_known_and_an_unknown_face_leave_the_same_to_be_watched(claimed: bool, streaming: bool) -> None:
    known = lived(RESIDENT, claimed=claimed, streaming=streaming)
    unknown = lived(STRANGER, claimed=claimed, streaming=streaming)
    assert known.watched == unknown.watched
    assert known.looks() == unknown.looks() == 3
    assert known.lamp_spans() == unknown.lamp_spans() == [sum(TIMES_MS) * S // 1000 + streaming * known.rules.fading_ns]
    assert known.signals() == unknown.signals()
    assert kind(Show(Signal.ENTER_PIN)) in known.signals()


verdicts = st.tuples(*[st.tuples(st.sampled_from(Outcome), st.sampled_from([0, 7, 12]))] * 3)


@given(
    one=verdicts,
    other=verdicts,
    times_ms=st.tuples(*[st.integers(0, 5000)] * 3),
    claimed=st.booleans(),
    streaming=st.booleans(),
    meanwhile=st.sampled_from(MEANWHILE),
)
def test_whatever_vault_says_and_whatever_else_happens_the_times_alone_decide_what_is_watched(
    one: Verdicts,
    other: Verdicts,
    times_ms: tuple[int, ...],
    claimed: bool,
    streaming: bool,
    meanwhile: tuple[Event, ...],
) -> None:
    doors = [
        lived(each, times_ms=times_ms, claimed=claimed, streaming=streaming, meanwhile=meanwhile)
        for each in (one, other)
    ]
    assert doors[0].watched == doors[1].watched
    assert not doors[0].released
    assert not doors[1].released


def _named_at_once(state: State, _window: Window, slot: int, now_ns: int, _fresh: bytes, rules: Rules) -> alarms.Step:
    """Seeded fault: how it was: the first known approach ends the window."""
    return window.named(state, slot, now_ns, rules)


@pytest.mark.parametrize("claimed", [False, True])
def test_a_window_that_a_known_face_ends_early_is_found(claimed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "recognised", _named_at_once)
    known, unknown = lived(RESIDENT, claimed=claimed), lived(STRANGER, claimed=claimed)
    assert known.watched != unknown.watched
    assert (known.looks(), unknown.looks()) == (1, 3)
    assert known.lamp_spans() < unknown.lamp_spans()


# ---- what nobody can watch: for whom the PIN is then checked


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        (RESIDENT, 12),
        (STRANGER, 0),
        (((Outcome.WITH_PIN, 12), (Outcome.WITH_PIN, 7), (Outcome.WITH_PIN, 7)), 12),
        (((Outcome.REFUSED, 0), (Outcome.WITH_PIN, 7), (Outcome.WITH_PIN, 12)), 7),
        (((Outcome.REFUSED, 0), (Outcome.REFUSED, 0), (Outcome.ACCEPTED, 12)), 12),
        (((Outcome.ACCEPTED, 12), (Outcome.REFUSED, 0), (Outcome.REFUSED, 0)), 12),
    ],
)
def test_the_pin_is_checked_for_the_first_flat_an_approach_has_shown(told: Verdicts, counts: int) -> None:
    door = pressed()
    for left, (outcome, slot) in zip((2, 1, 0), told, strict=True):
        assert door.state.claim is None
        assert door.state.window is not None
        assert door.state.window.approaches_left == left
        door.approach(outcome, slot)
    assert door.state.window is None
    assert door.state.claim == Claim(counts, door.now_ns + door.rules.claim_ns)


@pytest.mark.parametrize("counts", [12, 0])
def test_a_window_that_runs_out_of_time_keeps_whom_it_has_seen(counts: int) -> None:
    door = pressed()
    door.approach(Outcome.WITH_PIN if counts else Outcome.REFUSED, counts)
    door.passes(door.rules.window_ns)
    assert door.state.window is None
    assert door.state.claim == Claim(counts, door.now_ns + door.rules.claim_ns)
    assert door.signals()[-1] == kind(Show(Signal.ENTER_PIN))


def test_after_a_claim_another_flats_face_is_nobody_however_often_it_is_seen() -> None:
    door = pressed(claimed=True)
    door.approach(Outcome.WITH_PIN, 7)
    door.approach(Outcome.WITH_PIN, 12)
    door.approach(Outcome.WITH_PIN, 7)
    assert door.state.claim == Claim(12, door.now_ns + door.rules.claim_ns)


def test_whom_a_window_has_seen_does_not_outlive_it_when_it_is_broken_off() -> None:
    door = pressed()
    door.approach(Outcome.WITH_PIN, 12)
    door.send(TOO_MANY)
    assert door.state.window is None
    assert door.state.claim is None


def test_whom_a_window_has_seen_is_in_no_repr() -> None:
    door = pressed()
    door.approach(Outcome.WITH_PIN, 4711)
    assert door.state.window is not None
    assert door.state.window.known == 4711
    assert "4711" not in repr(door.state)


# ---- where a face alone opens, a known face shows in any case, and nobody is kept waiting


@pytest.mark.parametrize("claimed", [False, True])
def test_where_a_face_alone_opens_a_match_opens_at_once(claimed: bool) -> None:
    door = pressed(claimed=claimed, alone=True)
    door.passes(S)
    door.approach(Outcome.ACCEPTED, 12)
    assert door.released
    assert (door.looks(), door.lamp_spans()) == (1, [S])


@pytest.mark.parametrize("claimed", [False, True])
def test_where_a_face_alone_opens_one_that_needs_its_pin_is_asked_for_it_at_once(claimed: bool) -> None:
    door = pressed(claimed=claimed, alone=True)
    door.passes(S)
    door.approach(Outcome.WITH_PIN, 12)
    assert not door.released
    assert (door.looks(), door.lamp_spans()) == (1, [S])
    assert door.signals()[-1] == kind(Show(Signal.ENTER_PIN))
    assert door.state.claim == Claim(12, door.now_ns + door.rules.claim_ns)

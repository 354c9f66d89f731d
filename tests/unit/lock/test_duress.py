"""A duress PIN does at the door what the PIN does, in every state: what differs is heard by report alone.

And what a slot's own hours refuse is refused by every way in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from device.edges import Room
from device.lock import machine
from device.lock.state import Came, Effect, PeerDown, PeerUp, Release, Rules, Show, Signal, State, Tell
from device.policy.methods import EVERYTHING, PIN_AND_CARD, Method
from device.wire import NOBODY, Answer, OccurrenceKind, Outcome
from tests.unit.lock.support import (
    CARD_NONCE,
    FACE_NONCE,
    FRESH,
    NOW,
    PIN_NONCE,
    RULES,
    S,
    World,
    connected,
    states,
    verdict,
    with_rules,
)
from tests.unit.lock.test_machine_story import type_keys

CALL = Tell(OccurrenceKind.DURESS)
RULE_SETS: tuple[Rules, ...] = (
    RULES,
    with_rules(face_alone_opens=False),
    with_rules(barred=frozenset({12})),
    with_rules(methods=EVERYTHING & ~Method.PIN),
    with_rules(methods=Method.PIN),
    with_rules(methods=Method(0)),
)
ASKED = {PIN_NONCE: "opening", CARD_NONCE: "card"}


def pairs(
    sender: Room, *, age_ns: int = S // 10
) -> Iterator[tuple[str, State, Rules, bytes, machine.Step, machine.Step]]:
    """Each state with the same verdict twice: accepted, and accepted under duress."""
    for name, state in states().items():
        for rules in RULE_SETS:
            for nonce in (PIN_NONCE, CARD_NONCE, FACE_NONCE):
                plain, forced = (
                    machine.step(state, Came(sender, verdict(nonce, outcome=outcome, age_ns=age_ns)), NOW, FRESH, rules)
                    for outcome in (Outcome.ACCEPTED, Outcome.DURESS)
                )
                yield name, state, rules, nonce, plain, forced


def asked(state: State, nonce: bytes) -> bool:
    """Whether keeper was asked under `nonce` and has not answered."""
    return any(each.nonce == nonce and each.room is Room.KEEPER for each in state.asked)


def told_apart() -> set[str]:
    """Where somebody at the door could tell the two apart, or no call was made, or one too many, or not last."""
    wrong = set()
    for name, state, _, nonce, plain, forced in pairs(Room.KEEPER):
        calls = asked(state, nonce) and Room.REPORT in state.up
        if forced != (plain[0], (*plain[1], CALL) if calls else plain[1]):
            wrong.add(name)
    return wrong


def test_under_duress_the_door_does_the_very_same_and_report_hears_of_it_last() -> None:
    assert told_apart() == set()


def test_the_door_opens_under_duress_where_it_opens_and_refuses_where_it_refuses() -> None:
    met = {True: 0, False: 0}
    for name, state, rules, nonce, _, forced in pairs(Room.KEEPER):
        if state.check and state.check.nonce == nonce and state.check.opens:
            method = Method.PIN if nonce == PIN_NONCE else Method.CARD
            opened = any(isinstance(effect, Release) for effect in forced[1])
            assert opened == (bool(method & rules.methods) and 12 not in rules.barred), name
            assert CALL in forced[1], name
            met[opened] += 1
    assert min(met.values()) > 0


def test_a_verdict_that_came_too_late_is_refused_alike_and_the_call_is_made_nevertheless() -> None:
    for name, state, _, nonce, plain, forced in pairs(Room.KEEPER, age_ns=S // 2 + 1):
        assert forced[1] == (*plain[1], *((CALL,) if asked(state, nonce) else ())), name
        assert not any(isinstance(effect, Release) for effect in forced[1]), name
        assert forced[0].granted_until_ns == state.granted_until_ns


def test_vault_calls_for_nobodys_help_and_opens_nothing_by_saying_so() -> None:
    for name, state, _, _, _, forced in pairs(Room.VAULT):
        assert not any(isinstance(effect, Release) or effect == CALL for effect in forced[1]), name
        before = state.window.answered if state.window else NOBODY  # whom vault has named by another word
        assert forced[0].claim is None or forced[0].claim.slot in (NOBODY, before), name


@pytest.mark.parametrize("nonce", [PIN_NONCE, CARD_NONCE])
def test_a_personal_act_or_a_new_card_under_duress_is_done_alike_and_told(nonce: bytes) -> None:
    met = 0
    for name, state in states().items():
        if state.check and state.check.nonce == nonce and (state.check.card or not state.check.opens):
            plain, forced = (
                machine.step(state, Came(Room.KEEPER, Answer(nonce, outcome)), NOW, FRESH, RULES)
                for outcome in (Outcome.ACCEPTED, Outcome.DURESS)
            )
            assert forced == (plain[0], (*plain[1], CALL)), name
            met += 1
    assert met > 0


def test_a_call_for_help_waits_for_a_report_that_is_not_there_and_is_made_once() -> None:
    world = connected(World())
    world.send(PeerDown(Room.REPORT))
    type_keys(world, "12#482913#")
    assert world.state.check
    world.send(Came(Room.KEEPER, verdict(world.state.check.nonce, outcome=Outcome.DURESS, age_ns=0)))
    assert world.released
    assert CALL not in world.effects
    assert CALL in world.send(PeerUp(Room.REPORT))
    assert CALL not in world.send(PeerDown(Room.REPORT)) + world.send(PeerUp(Room.REPORT))


def test_duress_is_no_alarm_that_stands_and_no_status_shows_it() -> None:
    for _, _, _, _, plain, forced in pairs(Room.KEEPER):
        assert plain[0].alarms == forced[0].alarms


def _shows(shown: machine.Step) -> machine.Step:
    return shown[0], (*shown[1], Show(Signal.NOTED), CALL)


def _silent(shown: machine.Step) -> machine.Step:
    return shown


def _refuses(shown: machine.Step) -> machine.Step:
    return replace(shown[0], granted_until_ns=None), (Show(Signal.REFUSED), CALL)


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize("fault", [_shows, _silent, _refuses])
def test_a_door_that_gives_somebody_under_duress_away_or_calls_for_nobody_is_found(
    fault: Callable[[machine.Step], machine.Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_with_a_call_for_help", fault)
    assert told_apart()


def test_a_lamp_that_waits_for_the_call_for_help_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_help_last", lambda effects: effects)
    assert told_apart()


# ---- a slot's own hours


def opened(rules: Rules) -> dict[str, int]:
    """By which way in the door opened, in how many states."""
    ways = {"pin": (Room.KEEPER, PIN_NONCE), "card": (Room.KEEPER, CARD_NONCE), "face": (Room.VAULT, FACE_NONCE)}
    found = dict.fromkeys(ways, 0)
    for state in states().values():
        for way, (sender, nonce) in ways.items():
            effects: tuple[Effect, ...] = machine.step(state, Came(sender, verdict(nonce)), NOW, FRESH, rules)[1]
            found[way] += any(isinstance(effect, Release) for effect in effects)
    return found


def test_a_slot_whose_own_hours_are_not_now_opens_by_no_way_in_and_any_other_slot_by_all() -> None:
    assert set(opened(with_rules(barred=frozenset({12, 700}))).values()) == {0}
    assert opened(with_rules(barred=frozenset({7, 700}))) == opened(RULES)
    assert min(opened(RULES).values()) > 0


def test_whom_the_own_hours_refuse_is_refused_as_whoever_mistyped() -> None:
    for name, state in states().items():
        if state.check and state.check.opens:
            barred, mistyped = (
                machine.step(state, Came(Room.KEEPER, verdict(state.check.nonce, outcome=outcome)), NOW, FRESH, rules)
                for outcome, rules in (
                    (Outcome.ACCEPTED, with_rules(barred=frozenset({12}))),
                    (Outcome.REFUSED, RULES),
                )
            )
            shown = [[each for each in step[1] if isinstance(each, Show)] for step in (barred, mistyped)]
            assert shown[0] == shown[1] == [Show(Signal.REFUSED)], name


def test_a_lock_that_forgets_the_own_hours_of_a_slot_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = machine._decide

    def forgets(state: State, now_ns: int, rules: Rules, method: Method, slot: int) -> machine.Step:
        return guarded(state, now_ns, replace(rules, barred=frozenset()), method, slot)

    monkeypatch.setattr(machine, "_decide", forgets)
    assert min(opened(with_rules(barred=frozenset({12}))).values()) > 0


def test_the_slots_that_are_barred_are_in_no_repr() -> None:
    assert "4711" not in repr(with_rules(barred=frozenset({4711}), methods=PIN_AND_CARD))

"""Every state against every event: what lock hands on between keeper and a card, and that no card is ever kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from device import wire
from device.edges import Room
from device.lock import card, machine
from device.lock.card import TYPING_NS
from device.lock.state import (
    Came,
    CardCame,
    CardLeft,
    CardReplied,
    CardSend,
    Check,
    Effect,
    Event,
    Key,
    NumberRead,
    Rules,
    Send,
    Show,
    Signal,
    State,
    Tick,
)
from device.policy.methods import Method
from tests.unit.lock.support import CARD_NONCE, FRESH, NOW, OLD_NONCE, RULES, S, events, states, with_rules

Step = tuple[str, State, Event, State, tuple[Effect, ...]]
# Whether the door stands open is nothing to a card; test_machine_matrix has both.
STATES = {name: state for name, state in states().items() if not state.door_open}
MATRIX = [(f"{label} in {name}", state, event) for name, state in STATES.items() for label, event in events().items()]
# What only time does: a check, or an exchange, that has come to its end.
OVER = [
    (f"over in {name}", replace(state, check=replace(state.check, until_ns=NOW)), Tick())
    for name, state in STATES.items()
    if state.check
]


def steps(rules: Rules = RULES) -> Iterator[Step]:
    for name, state, event in (*MATRIX, *OVER):
        yield name, state, event, *machine.step(state, event, NOW, FRESH, rules)


def to_keeper(effects: tuple[Effect, ...]) -> list[wire.Message]:
    return [each.msg for each in effects if isinstance(each, Send) and each.room is Room.KEEPER]


def exchange(state: State) -> bytes | None:
    return state.check.nonce if state.check and state.check.by is Method.CARD else None


def typing(state: State) -> bool:
    """Whether somebody pressed a key a moment ago."""
    return state.entry is not None and NOW - state.entry.last_ns < TYPING_NS


def there(state: State) -> bytes | None:
    """The exchange whose card has not left."""
    return exchange(state) if state.check and not state.check.left else None


# ---- each property gives the steps that break it


def let_go_wrongly() -> set[str]:
    """A card is let go once: when its exchange ends, or at once if none begins; one beside another goes with that."""
    wrong = set()
    for name, state, event, after, effects in steps():
        let_go = effects.count(CardSend(None))
        if isinstance(event, CardCame):
            elsewhere = state.check is not None or Room.KEEPER not in state.up or typing(state)
            wanted = int(exchange(state) is None and elsewhere)
        else:
            wanted = int(exchange(state) is not None and exchange(after) is None)
        if let_go != wanted:
            wrong.add(name)
    return wrong


def handed_on_wrongly() -> set[str]:
    """What keeper says reaches the card of its own exchange and no other; what that answers goes to keeper alone."""
    wrong = set()
    for name, state, event, _, effects in steps():
        told = [each.apdu for each in effects if isinstance(each, CardSend) and each.apdu is not None]
        answered = [msg for msg in to_keeper(effects) if isinstance(msg, wire.CardAnswer)]
        msg = event.msg if isinstance(event, Came) else None
        meant = isinstance(msg, wire.CardCommand) and msg.nonce == there(state)
        if told != ([msg.apdu] if isinstance(msg, wire.CardCommand) and meant else []):
            wrong.add(name)
        reply = isinstance(event, CardReplied) and there(state) is not None
        if answered != ([wire.CardAnswer(CARD_NONCE, b"\x91\x00")] if reply else []):
            wrong.add(name)
    return wrong


def begun_wrongly() -> set[str]:
    """A card begins an exchange where keeper is there and nobody types or waits; nothing else does."""
    wrong = set()
    for name, state, event, after, effects in steps():
        shown = [msg for msg in to_keeper(effects) if isinstance(msg, wire.CardShown)]
        may = isinstance(event, CardCame) and state.check is None and Room.KEEPER in state.up and not typing(state)
        begun = after.check == Check(FRESH, NOW + RULES.card_ns, opens=True, by=Method.CARD)
        if shown != ([wire.CardShown(FRESH)] if may else []) or begun is not may:
            wrong.add(name)
    return wrong


def told_gone_wrongly() -> set[str]:
    """Once, and no more, keeper hears that the card is gone: when it is, or when lock waits no longer."""
    wrong = set()
    for name, state, event, after, effects in steps():
        gone = [msg for msg in to_keeper(effects) if isinstance(msg, wire.CardGone)]
        over = isinstance(event, CardLeft) or (exchange(after) is None and name.startswith("over"))
        if gone != ([wire.CardGone(CARD_NONCE)] if over and there(state) else []):
            wrong.add(name)
    return wrong


PROPERTIES = (let_go_wrongly, handed_on_wrongly, begun_wrongly, told_gone_wrongly)


@pytest.mark.slow
@pytest.mark.parametrize("broken", PROPERTIES)
def test_cards_come_are_talked_to_and_let_go_as_they_must(broken: Callable[[], set[str]]) -> None:
    assert broken() == set()


def _never_let_go(_check: Check) -> tuple[Effect, ...]:
    return ()


def _kept_after_its_time(check: Check) -> tuple[Effect, ...]:
    return (Send(Room.KEEPER, wire.CardGone(check.nonce)),) if check.card else ()


def _whatever_is_checked(state: State, _nonce: bytes, apdu: bytes) -> machine.Step:
    return state, (CardSend(apdu),) if state.check and state.check.card else ()


def _whoever_came_after_it(state: State, nonce: bytes, apdu: bytes) -> machine.Step:
    return state, (CardSend(apdu),) if state.check and state.check.card and state.check.nonce == nonce else ()


def _even_of_a_pin(state: State, nonce: bytes, apdu: bytes) -> machine.Step:
    return state, (CardSend(apdu),) if state.check and state.check.nonce == nonce else ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "fault", "broken"),
    [
        ("let_go", _never_let_go, let_go_wrongly),
        ("abandoned", _kept_after_its_time, let_go_wrongly),
        ("abandoned", _never_let_go, told_gone_wrongly),
        ("told", _whatever_is_checked, handed_on_wrongly),
        ("told", _even_of_a_pin, handed_on_wrongly),
        ("told", _whoever_came_after_it, handed_on_wrongly),
    ],
)
def test_a_lock_that_keeps_cards_or_mixes_exchanges_up_is_found(
    name: str, fault: Callable[..., object], broken: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, name, fault)
    assert broken()


@pytest.mark.slow
def test_a_card_that_is_taken_while_something_is_checked_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def always(state: State, event: CardCame, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
        return card.came(replace(state, check=None), event, now_ns, fresh, rules)

    monkeypatch.setitem(machine._HANDLERS, CardCame, always)
    assert {name.split()[4] for name in begun_wrongly()} >= {"opening", "personal", "card", "pulled"}


# ---- beside the keys


@pytest.mark.slow
def test_a_check_and_an_exchange_never_overlap_and_neither_disturbs_the_other() -> None:
    met = 0
    for name, state, event, after, effects in steps():
        if isinstance(event, CardCame | Key) and state.check:
            met += 1
            assert after.check == state.check, name
            assert effects[0] == Show(Signal.WAIT), name
            assert not to_keeper(effects), name
    assert met > 0


def test_nothing_in_front_of_a_reader_erases_the_keys_of_somebody_who_types() -> None:
    typed = [state for state in states().values() if typing(state)]
    assert typed
    for state in typed:
        after, effects = machine.step(state, CardCame(), NOW, FRESH, RULES)
        assert (after.entry, effects) == (state.entry, (Show(Signal.WAIT), CardSend(None)))
        after, effects = machine.step(state, NumberRead(), NOW, FRESH, RULES)
        assert (after.entry, effects) == (state.entry, (Show(Signal.WAIT),))


def test_keys_that_were_left_standing_before_a_card_of_whatever_kind_are_forgotten() -> None:
    typed = [
        replace(state, entry=replace(state.entry, last_ns=NOW - TYPING_NS))
        for state in states().values()
        if state.entry and Room.KEEPER in state.up
    ]
    assert typed
    for state in typed:
        after, _ = machine.step(state, CardCame(), NOW, FRESH, RULES)
        assert (after.entry, after.claim) == (None, None)
        assert machine.step(state, NumberRead(), NOW, FRESH, RULES)[0].entry is None
        alone = replace(state, up=state.up - {Room.KEEPER})
        after, effects = machine.step(alone, CardCame(), NOW, FRESH, RULES)
        assert (after.entry, effects) == (None, (Show(Signal.REFUSED), CardSend(None)))


# ---- how it ends


@pytest.mark.parametrize("outcome", wire.Outcome)
def test_an_answer_ends_the_exchange_and_says_whether_the_card_was_added(outcome: wire.Outcome) -> None:
    well = outcome in (wire.Outcome.ACCEPTED, wire.Outcome.DURESS)
    for name, state in states().items():
        if exchange(state):
            event = Came(Room.KEEPER, wire.Answer(CARD_NONCE, outcome))
            after, effects = machine.step(state, event, NOW, FRESH, RULES)
            assert (after.check, after.granted_until_ns) == (None, state.granted_until_ns), name
            assert [each.signal for each in effects if isinstance(each, Show)] == [
                Signal.DONE if well else Signal.REFUSED
            ]


def test_an_exchange_takes_its_own_time_and_not_that_of_a_pin() -> None:
    rules = with_rules(card_ns=3 * S, check_ns=9 * S)
    state = State(up=frozenset({Room.KEEPER}))
    with_card, _ = machine.step(state, CardCame(), NOW, FRESH, rules)
    assert machine.next_deadline_ns(with_card, rules) == NOW + 3 * S
    assert machine.step(with_card, Tick(), NOW + 3 * S - 1, FRESH, rules)[0].check
    assert machine.step(with_card, Tick(), NOW + 3 * S, FRESH, rules)[0].check is None


def test_no_apdu_shows_in_a_repr() -> None:
    for each in (CardSend(b"secret"), CardReplied(b"secret"), wire.CardCommand(OLD_NONCE, b"secret")):
        assert "secret" not in repr(each)

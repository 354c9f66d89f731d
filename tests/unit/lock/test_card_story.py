"""What happens between a card, lock and keeper, step by step; and what an attacker at either end gets: nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from device import wire
from device.edges import Room
from device.lock import machine
from device.lock.card import TYPING_NS
from device.lock.state import (
    Came,
    CardCame,
    CardLeft,
    CardReplied,
    CardSend,
    Effect,
    Event,
    Key,
    NumberRead,
    PeerDown,
    PeerUp,
    Release,
    Rules,
    Send,
    Show,
    Signal,
    State,
)
from device.wire import Outcome
from tests.unit.lock.support import APDU, S, Stepper, World, connected, with_rules
from tests.unit.lock.test_machine_story import shown, type_keys


def shows_a_card(world: World) -> bytes:
    """A card comes; the name of its exchange."""
    world.send(CardCame())
    check = world.state.check
    assert check is not None
    assert check.card
    return check.nonce


def keeper(world: World, nonce: bytes, outcome: Outcome = Outcome.ACCEPTED, age_ns: int = 0) -> tuple[Effect, ...]:
    return world.send(Came(Room.KEEPER, wire.Verdict(nonce, world.now_ns - age_ns, outcome, 12)))


def command(world: World, nonce: bytes) -> tuple[Effect, ...]:
    return world.send(Came(Room.KEEPER, wire.CardCommand(nonce, APDU)))


def test_a_card_is_asked_answers_and_opens() -> None:
    world = connected(World())
    nonce = shows_a_card(world)
    assert shown(world)[-1] is Signal.WAIT
    for _ in range(3):
        assert command(world, nonce) == (CardSend(APDU),)
        assert world.send(CardReplied(b"\x91\xaf")) == (Send(Room.KEEPER, wire.CardAnswer(nonce, b"\x91\xaf")),)
    effects = keeper(world, nonce)
    assert world.released
    assert effects[-2:] == (Show(Signal.OPENED), CardSend(None))


def test_a_card_that_was_pulled_away_after_its_last_answer_opens_when_keeper_says_so() -> None:
    """People pull it away as soon as they can; only keeper knows whether what it answered was enough."""
    world = connected(World())
    nonce = shows_a_card(world)
    assert world.send(CardLeft()) == (Send(Room.KEEPER, wire.CardGone(nonce)),)
    assert world.send(CardLeft()) == ()
    keeper(world, nonce)
    assert world.released
    assert world.cards == 0


def test_nothing_reaches_the_card_that_comes_after_the_one_that_left() -> None:
    world = connected(World())
    nonce = shows_a_card(world)
    world.send(CardLeft())
    world.send(CardCame())
    assert command(world, nonce) == ()
    assert world.send(CardReplied(b"\x91\x00")) == ()
    assert world.breaches == 0, "keeper's command was under way: that is nobody's fault"
    keeper(world, nonce, Outcome.REFUSED)
    assert world.cards == 0
    assert shows_a_card(world) != nonce


@pytest.mark.parametrize("left", [False, True])
def test_an_exchange_that_takes_too_long_is_refused_and_keeper_hears_of_it_once(left: bool) -> None:
    world = connected(World())
    nonce = shows_a_card(world)
    if left:
        world.send(CardLeft())
    world.passes(world.rules.card_ns)
    assert world.state.check is None
    assert shown(world)[-1] is Signal.REFUSED
    assert world.effects.count(Send(Room.KEEPER, wire.CardGone(nonce))) == 1
    assert world.cards == 0
    keeper(world, nonce)
    assert not world.released
    assert world.breaches == 0, "late, not forged"


def test_a_bare_number_opens_nothing_and_leaves_no_keys_behind() -> None:
    world = connected(World())
    type_keys(world, "12#48")
    assert world.send(NumberRead()) == (Show(Signal.WAIT),)
    world.now_ns += TYPING_NS
    assert world.send(NumberRead()) == (Show(Signal.REFUSED),)
    assert world.state.entry is None
    type_keys(world, "12#482913#")
    assert world.send(NumberRead()) == (Show(Signal.WAIT),)
    assert world.state.check is not None
    assert not world.released


def test_the_card_of_a_keeper_that_is_gone_is_let_go_and_refused() -> None:
    world = connected(World())
    nonce = shows_a_card(world)
    effects = world.send(PeerDown(Room.KEEPER))
    assert effects[-2:] == (Show(Signal.REFUSED), CardSend(None))
    world.send(PeerUp(Room.KEEPER))
    keeper(world, nonce)
    assert not world.released
    assert world.breaches == 1, "the keeper that came after was asked nothing"


def test_a_card_is_added_after_the_pin_and_opens_nothing_by_that() -> None:
    world = connected(World())
    type_keys(world, "07#12#482913#")
    assert world.state.check is not None
    world.send(Came(Room.KEEPER, wire.Answer(world.state.check.nonce, Outcome.ACCEPTED)))
    assert shown(world)[-1] is Signal.NOTED
    nonce = shows_a_card(world)
    command(world, nonce)
    world.send(Came(Room.KEEPER, wire.Answer(nonce, Outcome.ACCEPTED)))
    assert shown(world)[-1] is Signal.DONE
    assert not world.released
    assert world.cards == 0


def test_keys_and_card_take_their_turns() -> None:
    world = connected(World())
    nonce = shows_a_card(world)
    type_keys(world, "12#482913#")
    assert world.state.entry is None
    assert world.state.check is not None
    assert world.state.check.nonce == nonce
    keeper(world, nonce, Outcome.REFUSED)
    type_keys(world, "12#482913#")
    pin = world.state.check
    assert pin is not None
    assert world.send(CardCame()) == (Show(Signal.WAIT), CardSend(None))
    assert world.state.check == pin


def test_the_day_at_the_door_goes_with_the_digits() -> None:
    world = connected(World(rules=with_rules(day=20_779)))
    type_keys(world, "12#482913#")
    (asked,) = (each.msg for each in world.effects if isinstance(each, Send) and isinstance(each.msg, wire.CheckPin))
    assert asked.day == 20_779


# ---- attacks: each must fail, and each must succeed once the guard it tests is taken out


def an_old_exchange_answers_for_the_new_one(world: World) -> None:
    old = shows_a_card(world)
    world.passes(world.rules.card_ns)
    shows_a_card(world)
    keeper(world, old)


def a_yes_is_kept_back(world: World) -> None:
    keeper(world, shows_a_card(world), age_ns=S // 2 + 1)


def a_yes_comes_when_lock_waits_no_longer(world: World) -> None:
    nonce = shows_a_card(world)
    world.passes(world.rules.card_ns)
    keeper(world, nonce)


def a_card_is_added(world: World) -> None:
    world.send(Came(Room.KEEPER, wire.Answer(shows_a_card(world), Outcome.ACCEPTED)))


def a_card_is_refused(world: World) -> None:
    keeper(world, shows_a_card(world), Outcome.REFUSED)


class Waiting:
    """The machine behind a fault: the newest exchange stands for ever."""

    def __init__(self) -> None:
        self.last = State()

    def __call__(self, state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
        if isinstance(event, Came) and isinstance(event.msg, wire.Verdict) and self.last.check and not state.check:
            state = replace(state, check=replace(self.last.check, until_ns=now_ns + 1))
        after, effects = machine.step(state, event, now_ns, fresh, rules)
        self.last = after if after.check else self.last
        return after, effects


def faulty(change: Callable[[State, Came, int], wire.Message]) -> Callable[[], Stepper]:
    """The machine behind a fault that makes a guard see what it wants to see."""

    def step(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
        if isinstance(event, Came) and isinstance(event.msg, wire.Verdict | wire.Answer) and state.check:
            event = Came(Room.KEEPER, change(state, event, now_ns))
        return machine.step(state, event, now_ns, fresh, rules)

    return lambda: step


def _of_this_exchange(state: State, event: Came, _now_ns: int) -> wire.Message:
    assert state.check
    return replace(event.msg, nonce=state.check.nonce)  # type: ignore[call-arg] # verdicts have one


def _stamped_now(_state: State, event: Came, now_ns: int) -> wire.Message:
    return replace(event.msg, stamped_ns=now_ns)  # type: ignore[call-arg] # verdicts are


def _a_yes(state: State, _event: Came, now_ns: int) -> wire.Message:
    assert state.check
    return wire.Verdict(state.check.nonce, now_ns, Outcome.ACCEPTED, 12)


@pytest.mark.parametrize(
    ("attack", "without_guard"),
    [
        (an_old_exchange_answers_for_the_new_one, faulty(_of_this_exchange)),
        (a_yes_is_kept_back, faulty(_stamped_now)),
        (a_yes_comes_when_lock_waits_no_longer, Waiting),
        (a_card_is_added, faulty(_a_yes)),
        (a_card_is_refused, faulty(_a_yes)),
    ],
)
def test_an_attack_with_a_card_opens_nothing_and_would_without_its_guard(
    attack: Callable[[World], None], without_guard: Callable[[], Stepper]
) -> None:
    honest, careless = connected(World()), connected(World(step=without_guard()))
    attack(honest)
    attack(careless)
    assert not honest.released
    assert careless.released


def test_a_second_yes_is_a_breach_and_opens_nothing_again() -> None:
    world = connected(World())
    nonce = shows_a_card(world)
    keeper(world, nonce)
    world.passes(world.rules.unlock_ns)
    assert not world.released
    keeper(world, nonce)
    assert not world.released
    assert world.breaches == 1


def test_vault_cannot_answer_for_keeper_and_not_even_without_the_table_of_messages() -> None:
    world = connected(World())
    nonce = shows_a_card(world)
    msg = wire.Verdict(nonce, world.now_ns, Outcome.ACCEPTED, 12)
    assert not any(isinstance(effect, Release) for effect in world.send(Came(Room.VAULT, msg)))
    assert world.breaches == 1
    _, effects = machine.step(world.state, Came(Room.VAULT, msg), world.now_ns, bytes(16), world.rules)
    assert not any(isinstance(effect, Release) for effect in effects)


def test_a_row_of_keys_around_a_card_is_no_entry() -> None:
    world = connected(World())
    type_keys(world, "12#4829")
    world.now_ns += TYPING_NS
    nonce = shows_a_card(world)
    keeper(world, nonce, Outcome.REFUSED)
    world.send(Key("1"))
    assert world.state.entry is not None
    assert world.state.entry.keys == "1"

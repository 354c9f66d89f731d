"""The live state under the profile HOME: how the door stands now, and no diary."""

import json

import pytest

from device import wire
from device.report import state
from device.report.retained import FORGET
from device.report.state import LiveState

EVERY = [wire.DoorState(granted, is_open) for granted in (False, True) for is_open in (False, True)]


@pytest.mark.parametrize("now", EVERY)
def test_it_reads_back_as_plain_json_of_one_size(now: wire.DoorState) -> None:
    payload = state.encode(now)
    assert json.loads(payload) == {"locked": not now.granted, "door": "open" if now.open else "closed"}
    assert len(payload) == state.SIZE


def test_the_longest_object_has_the_length_that_the_module_states() -> None:
    assert max(len(state.encode(each).rstrip()) for each in EVERY) == 32


def test_before_lock_has_spoken_there_is_nothing_to_say_and_nothing_to_take_back() -> None:
    live = LiveState()
    live.over()
    live.reconnected()
    assert live.due() is None


def test_what_happened_while_the_broker_was_away_is_not_made_up_for() -> None:
    live = LiveState()
    for each in EVERY:
        live.is_now(each)
    live.reconnected()
    payload = live.due()
    assert payload == state.encode(EVERY[-1])
    live.sent(payload)
    assert live.due() is None
    live.accepted()
    assert live.due() is None


def test_a_state_that_changed_under_way_is_sent_behind_it() -> None:
    live = LiveState()
    live.is_now(EVERY[0])
    live.sent(state.encode(EVERY[0]))
    live.is_now(EVERY[3])
    live.accepted()
    assert live.due() == state.encode(EVERY[3])


def test_another_connection_hears_it_again() -> None:
    live = LiveState()
    live.is_now(EVERY[0])
    live.sent(state.encode(EVERY[0]))
    live.accepted()
    live.reconnected()
    assert live.due() == state.encode(EVERY[0])


def test_a_choice_that_was_taken_back_makes_the_broker_forget_once() -> None:
    live = LiveState()
    live.is_now(EVERY[0])
    live.over()
    assert live.due() == FORGET
    live.sent(FORGET)
    live.accepted()
    live.reconnected()
    assert live.due() is None


def test_a_state_that_the_broker_declines_is_given_up_until_the_next_one() -> None:
    live = LiveState()
    live.is_now(EVERY[0])
    live.sent(state.encode(EVERY[0]))
    live.declined()
    assert live.due() is None
    live.is_now(EVERY[1])
    assert live.due() == state.encode(EVERY[1])

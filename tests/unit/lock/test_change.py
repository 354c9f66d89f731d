"""`changed` is `dataclasses.replace`, and quicker: no field is forgotten, none invented, and the old state stays."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from typing import Any, cast

import pytest

from device.lock.change import changed
from device.lock.state import State
from tests.unit.lock.support import states

NAMES = [f.name for f in fields(State)]


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_changed_as_the_library_changes_it_and_no_other_is(name: str) -> None:
    other = cast("Any", object())
    for state in list(states().values())[::200]:
        before = dict(vars(state))
        after = changed(state, **{name: other})
        assert after == replace(state, **{name: other})
        assert vars(after) == {**before, name: other}
        assert vars(state) == before


def test_nothing_changed_is_an_equal_state_of_its_own() -> None:
    state = State()
    assert changed(state) == state
    assert changed(state) is not state


def test_a_field_that_there_is_not_is_refused() -> None:
    with pytest.raises(TypeError, match="granted_until"):
        changed(State(), granted_until=1)  # type: ignore[call-arg]  # on purpose


def test_what_was_made_so_cannot_be_changed_in_place() -> None:
    state = changed(State(), door_open=True)
    with pytest.raises(FrozenInstanceError):
        state.granted_until_ns = 1  # type: ignore[misc]  # on purpose
    assert set(vars(state)) == set(NAMES)

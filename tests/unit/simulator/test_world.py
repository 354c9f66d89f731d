"""The simulated hardware: what the strike sees follows the owner's word, the one-shot, and the owner's end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.eye.lamps import LightChange
from device.lock.bolt import Wiring
from tools.simulator.world import HISTORY, LIGHT_HISTORY, Change, World

MS = 1_000_000
words = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["coil 1 4000", "coil 0", "coil 1", "coil 0 4000", "lamp 1", "lamp 0", "show OPENED", "coil 1 ²"]),
    st.builds("lights {} {}".format, st.integers(-1, 4), st.sampled_from(["0", "3", "4", "²", "x"])),
    st.builds("coil {} {}".format, st.sampled_from("012"), st.integers(-5, 10**12)),
)


def test_a_new_fail_secure_door_is_locked_and_dark() -> None:
    world = World()
    assert not world.released
    assert not world.lamp


def test_the_one_shot_ends_a_release_by_itself() -> None:
    world = World()
    world.told("coil 1 4000", 0)
    assert world.released
    world.elapsed(4000 * MS - 1)
    assert world.released
    world.elapsed(4000 * MS)
    assert not world.released
    world.elapsed(9000 * MS)
    assert [change.level for change in world.history] == [True, False]


def test_a_second_release_starts_the_time_anew() -> None:
    world = World()
    world.told("coil 1 4000", 0)
    world.told("coil 1 4000", 3000 * MS)
    world.elapsed(4001 * MS)
    assert world.released
    world.elapsed(7000 * MS)
    assert not world.released
    assert world.releases == 1, "it never locked in between"


def test_secure_takes_the_one_shot_back() -> None:
    world = World()
    world.told("coil 1 1000", 0)
    world.told("coil 0", 500 * MS)
    world.told("coil 1 4000", 600 * MS)
    world.elapsed(1000 * MS)
    assert world.released
    assert world.releases == 2


@pytest.mark.parametrize("wiring", Wiring)
def test_a_time_given_for_locking_does_not_end_in_a_release(wiring: Wiring) -> None:
    world = World(wiring)
    locked = 0 if wiring is Wiring.FAIL_SECURE else 1
    world.told(f"coil {locked} 4000", 0)
    assert not world.released
    world.elapsed(10_000 * MS)
    assert not world.released


def test_without_its_owner_the_coil_has_no_current_and_the_lamp_is_dark() -> None:
    world = World()
    world.told("coil 1 4000", 0)
    world.told("lamp 1", 0)
    world.owner_gone(1000 * MS)
    assert not world.released
    assert not world.lamp
    assert list(world.history)[-2:] == [Change(1000 * MS, "coil", False), Change(1000 * MS, "lamp", False)]
    world.elapsed(4000 * MS)
    assert not world.released


def test_a_fail_safe_lock_is_held_by_its_coil_and_lets_go_without_power() -> None:
    world = World(Wiring.FAIL_SAFE)
    assert world.released, "no current yet: setup says so"
    world.told("coil 1", 0)
    assert not world.released
    world.told("coil 0 4000", 0)
    assert world.released
    world.elapsed(4000 * MS)
    assert not world.released
    world.owner_gone(5000 * MS)
    assert world.released
    assert world.releases == 2


@pytest.mark.parametrize(
    "said",
    [
        *("", "coil", "coil 2", "coil 1 x", "coil 1 -4000", "coil 1 ²", "coil 1 4000 1", "COIL 1", "lamp", "lamp on"),
        *(
            "lights",
            "lights 1",
            "lights 1 4",
            "lights -1 0",
            "lights 1 2 3",
            "lights 1 ²",
            "lights 01 1",
            "lights on on",
        ),
    ],
)
def test_unknown_words_change_nothing(said: str) -> None:
    world = World()
    world.told(said, 0)
    assert world == World()


@given(st.lists(words, max_size=30), st.sampled_from(Wiring))
def test_anything_at_all_may_be_said_and_without_an_owner_the_coil_is_off(said: list[str], wiring: Wiring) -> None:
    world = World(wiring)
    for at, each in enumerate(said):
        world.told(each, at * MS)
        world.elapsed(at * MS)
    world.owner_gone(10**15)
    assert (world.coil, world.lamp, world.coil_until_ns, world.lights) == (False, False, None, (0, 0))


@given(st.lists(words, max_size=30))
def test_every_change_of_a_level_is_in_the_history(said: list[str]) -> None:
    world = World()
    level = False
    for at, each in enumerate(said):
        world.told(each, at)
        world.elapsed(at)
        if world.coil != level:
            assert [change for change in world.history if change.line == "coil"][-1].level is world.coil
        level = world.coil


def test_the_history_has_an_end() -> None:
    world = World()
    for at in range(2 * HISTORY):
        world.told(f"coil {at % 2}", at)
        world.told("show KEY", at)
    assert len(world.history) == len(world.signals) == HISTORY
    assert world.signals_made == 2 * HISTORY


def test_what_was_shown_is_kept_in_order() -> None:
    world = World()
    world.told("show LOOK HOLD_STILL", 0)
    world.told("show OPENED", 1)
    assert list(world.signals) == ["LOOK HOLD_STILL", "OPENED"]


def test_the_lights_burn_as_told_and_are_dark_without_their_owner() -> None:
    world = World()
    assert world.lights == (0, 0)
    for at, words in enumerate(["lights 1 1", "lights 3 1", "lights 3 1", "lights 0 2"]):
        world.told(words, at)
    assert world.lights == (0, 2)
    world.owner_gone(9)
    assert world.lights == (0, 0)
    assert list(world.light_history) == [
        LightChange(0, 1, 1),
        LightChange(1, 3, 1),
        LightChange(3, 0, 2),
        LightChange(9, 0, 0),
    ]
    assert world.light_changes == 4
    world.owner_gone(10)
    assert world.light_changes == 4, "a light that is off cannot go out"


def test_lights_push_nothing_out_of_the_history_of_the_strike() -> None:
    world = World()
    world.told("coil 1 4000", 0)
    for at in range(2 * HISTORY):
        world.told(f"lights {at % 2} {at % 3}", at)
    assert list(world.history) == [Change(0, "coil", True)]
    assert len(world.light_history) == LIGHT_HISTORY
    assert world.light_history[-1] == LightChange(2 * HISTORY - 1, 1, (2 * HISTORY - 1) % 3)

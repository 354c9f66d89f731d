"""A step of the tour is ticked when the door did it, and not when a button was pressed."""

from __future__ import annotations

import pytest

from tools.simulator.held_up import As
from tools.simulator.showroom.house import MAX_KEYS
from tools.simulator.showroom.pictures import KINDS, PEOPLE
from tools.simulator.showroom.tour import PIN, SLOT, WRONG_PIN, Progress, steps

INVITATION = "670589797040"


def test_typing_ticks_nothing_until_the_door_answers() -> None:
    progress = Progress()
    progress.typed(f"00#{SLOT}#{INVITATION}#{PIN}#{PIN}#")
    assert progress.done == []
    progress.heard("REFUSED")
    assert progress.done == []
    progress.typed(f"00#{SLOT}#{INVITATION}#{PIN}#{PIN}#")
    progress.heard("NOTED")
    assert progress.done == ["move-in"]


def test_keys_count_together_one_by_one_and_after_a_star() -> None:
    progress = Progress()
    for key in f"77*{SLOT}#{PIN}#":
        progress.typed(key)
        progress.heard("KEY")
    progress.heard("WAIT")
    progress.heard("OPENED")
    assert progress.done == ["pin"]


def test_a_no_to_a_command_is_no_mistyped_pin() -> None:
    progress = Progress()
    progress.typed(f"07#{SLOT}#{WRONG_PIN}#")
    progress.heard("REFUSED")
    assert progress.done == []
    progress.typed(f"{SLOT}#{WRONG_PIN}#")
    progress.heard("REFUSED")
    assert progress.done == ["wrong-pin"]


@pytest.mark.parametrize(
    ("kind", "signal", "done"),
    [
        ("live", "OPENED", ["face"]),
        ("live", "ENTER_PIN", ["face"]),
        ("live", "REFUSED", []),
        ("print", "REFUSED", ["print"]),
        ("print", "USE_PIN_OR_CARD", ["print"]),
        ("print", "OPENED", []),
        ("screen", "REFUSED", []),
        ("", "ENTER_PIN", []),
        ("", "OPENED", []),
    ],
)
def test_a_look_ticks_what_was_before_the_lens(kind: str, signal: str, done: list[str]) -> None:
    progress = Progress()
    progress.pressed_face(kind)
    progress.heard(signal)
    assert progress.done == done


def test_a_copy_that_opened_would_tick_nothing() -> None:
    progress = Progress()
    progress.tapped("copy")
    progress.heard("OPENED")
    progress.tapped("own")
    progress.heard("DONE")
    assert progress.done == []
    progress.heard("OPENED")
    assert progress.done == ["card"]


def test_every_button_is_an_act_of_the_page() -> None:
    tour = steps(INVITATION)
    assert len({step.name for step in tour}) == len(tour)
    for act in (each.act for step in tour for each in step.tries):
        match act:
            case {"act": "keys", "keys": str(keys)}:
                assert set(keys) <= set("0123456789*#")
                assert len(keys) <= MAX_KEYS
            case {"act": "press", "what": "face"} | {"act": "enrol"} | {"act": "power", "on": bool()}:
                pass
            case {"act": "hold", "who": who, "kind": kind}:
                assert who in PEOPLE
                assert kind in list(As)
            case {"act": "tap", "card": "own" | "copy"}:
                pass
            case _:
                pytest.fail(f"no act of the page: {act}")


def test_every_way_to_hold_a_picture_up_has_a_name() -> None:
    assert set(KINDS) == set(As)

"""gpiod's board alone: lines by name, edges the kernel kept or lost, lines that are taken, chips that fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from device.errors import BoltFault
from device.lock.board import SETTLE_S
from device.lock.board_gpiod import GpiodBoard
from device.lock.gpiod_lines import output
from device.lock.state import DoorMoved, FaceButton, TamperMoved
from tests.contract.board.bench import PINS, TABLE, Bench, gpiod_bench_of, open_files, readable
from tests.contract.board.fake_gpiod import FakeChip, FakeChips, Pad


def quiet_bench(chips: FakeChips) -> Bench:
    bench = gpiod_bench_of(chips)
    bench.touch("door closed")
    bench.touch("tamper off")
    bench.events()
    return bench


def test_every_contact_is_debounced_by_the_kernel() -> None:
    chips = FakeChips()
    bench = gpiod_bench_of(chips)
    assert {chips.pad(pin).debounce for pin in PINS.values()} == {timedelta(seconds=SETTLE_S)}
    bench.board.close()


def test_a_press_that_was_over_before_anybody_looked_is_told() -> None:
    bench = quiet_bench(FakeChips())
    bench.touch("face down")
    bench.touch("face up")
    bench.touch("door open")
    bench.touch("door closed")
    assert bench.events() == [FaceButton(), DoorMoved(open=True), DoorMoved(open=False)]
    bench.board.close()


def test_an_edge_that_the_kernel_dropped_is_seen_at_the_next_look() -> None:
    chips = FakeChips()
    bench = quiet_bench(chips)
    chips.pad(TABLE.door_switch_pin).touch_unseen(True)
    assert not readable(bench.board)
    bench.touch("tamper on")
    assert set(bench.events()) == {DoorMoved(open=True), TamperMoved(on=True)}
    bench.board.close()


def test_more_edges_than_one_read_holds_lose_nothing() -> None:
    bench = quiet_bench(FakeChips())
    for _ in range(20):
        bench.touch("face down")
        bench.touch("face up")
    assert bench.events() == [FaceButton()] * 20
    assert not readable(bench.board)
    bench.board.close()


def test_a_button_held_down_at_the_start_was_not_pressed() -> None:
    chips = FakeChips()
    pad = chips.pad(TABLE.face_button_pin)
    pad.name = "held face"
    bench = gpiod_bench_of(chips, replace(TABLE, face_button_pin="line:held face"))
    assert FaceButton() not in bench.events()
    pad.touch(True)
    assert bench.events() == []
    pad.touch(False)
    assert bench.events() == [FaceButton()]
    bench.board.close()


@pytest.mark.parametrize(
    "name", ["bolt_pin", "lamp_pin", "face_button_pin", "rex_pin", "door_switch_pin", "tamper_pin"]
)
def test_a_line_that_is_taken_refuses_the_board_and_gives_the_others_back(name: str) -> None:
    chips = FakeChips()
    before = open_files()
    taken = output(chips.port, getattr(TABLE, name), on=False)
    with pytest.raises(BoltFault, match="cannot be claimed"):
        GpiodBoard(TABLE, chips.port)
    taken.give_back()
    assert open_files() == before
    GpiodBoard(TABLE, chips.port).close()
    assert open_files() == before


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        ("line:NOBODY", "no GPIO chip has a line of that name"),
        ("line:TWICE", "more than one GPIO chip has a line of that name"),
        ("line:1", "no GPIO chip has a line of that name"),
        ("gpiochip7:0", "No such file"),
        ("chip:gone:0", "no GPIO chip has that label"),
        ("chip:pinctrl-fake:0", "more than one GPIO chip has that label"),
        ("gpiochip1:9", "Invalid argument"),
    ],
)
def test_a_line_that_is_not_there_or_not_one_is_refused_in_one_sentence(pin: str, why: str) -> None:
    chips = FakeChips(
        {
            "/dev/gpiochip0": FakeChip([Pad("GPIO17"), Pad("TWICE")]),
            "/dev/gpiochip1": FakeChip([Pad("PA.04"), Pad("TWICE")]),
        }
    )
    with pytest.raises(BoltFault, match=why) as fault:
        output(chips.port, pin, on=True)
    assert "\n" not in str(fault.value)
    assert not any(pad.driven for chip in chips.at.values() for pad in chip.pads)


@pytest.mark.parametrize(("pin", "name"), [("GPIO17", "GPIO17"), ("line:PA.04", "PA.04"), ("gpiochip1:1", "SPARE")])
def test_a_line_is_found_by_name_and_by_chip_and_offset(pin: str, name: str) -> None:
    chips = FakeChips(
        {"/dev/gpiochip0": FakeChip([Pad("GPIO17")]), "/dev/gpiochip1": FakeChip([Pad("PA.04"), Pad("SPARE")])}
    )
    line = output(chips.port, pin, on=True)
    assert [pad.name for chip in chips.at.values() for pad in chip.pads if pad.level] == [name]
    line.give_back()


def test_a_chip_is_found_by_its_label_whatever_its_number() -> None:
    for numbers in (("0", "1"), ("1", "0")):
        main, other = (f"/dev/gpiochip{number}" for number in numbers)
        chips = FakeChips(
            {main: FakeChip([Pad("A"), Pad("B")], label="main"), other: FakeChip([Pad("C")], label="usb")}
        )
        line = output(chips.port, "chip:main:1", on=True)
        assert chips.pad("B").level
        line.give_back()


def test_whatever_a_chip_raises_is_a_fault_of_the_board() -> None:
    chips = FakeChips()
    bench = quiet_bench(chips)
    acts: list[tuple[str, Callable[[], object]]] = [
        (TABLE.bolt_pin, lambda: bench.board.bolt.release(1000)),
        (TABLE.bolt_pin, bench.board.bolt.secure),
        (TABLE.lamp_pin, lambda: bench.board.lamp(on=True)),
        (TABLE.rex_pin, lambda: bench.board.events(bench.now_s)),
    ]
    for pin, act in acts:
        chips.pad(pin).broken = True
        with pytest.raises(BoltFault, match=r"cannot be (driven|read)"):
            act()
        chips.pad(pin).broken = False
    bench.board.close()


def test_a_bolt_that_cannot_be_secured_on_the_way_out_still_gives_the_lines_back() -> None:
    chips = FakeChips()
    bench = quiet_bench(chips)
    chips.pad(TABLE.bolt_pin).broken = True
    with pytest.raises(BoltFault):
        bench.board.close()
    assert all(pad.owner is None for pad in chips.at["/dev/gpiochip0"].pads)

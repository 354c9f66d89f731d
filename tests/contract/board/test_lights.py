"""The two white lights on every board: their levels, their end, and that nothing of theirs can stop a door."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from device import config
from device.config.tables import LockTable
from device.errors import BoltFault, ConfigRefused
from device.lock.board import Board
from device.lock.board_gpiod import GpiodBoard
from device.lock.board_gpiozero import GpiozeroBoard
from device.lock.gpiod_lines import output, outputs
from device.lock.light_lines import LightLines, line_levels
from device.lock.parts import PartsBoard
from tests.contract.board.bench import TABLE, Bench, Breaks, Cable, Level, gpiod_wired, gpiozero_wired, open_files
from tests.contract.board.fake_gpiod import FakeChip, FakeChips, Pad, Together

LIT = replace(
    TABLE,
    left_light_weak_pin="GPIO13",
    left_light_strong_pin="GPIO19",
    right_light_weak_pin="GPIO20",
    right_light_strong_pin="GPIO21",
)
Wired = Callable[[LockTable], tuple[Bench, Level, Breaks]]
LEVELS = list(product(range(4), repeat=2))


@dataclass
class Lit:
    """A board with lights, and what they show."""

    bench: Bench
    shows: Callable[[], tuple[int, int]]
    breaks: Callable[[str], None] | None = None


def levels_of(level: Callable[[str], bool]) -> tuple[int, int]:
    on = [level(pin) for pin in LIT.light_pins]
    return on[0] + 2 * on[1], on[2] + 2 * on[3]


@pytest.fixture(params=["sim", "gpiozero", "gpiod"])
def lit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lit]:
    if request.param == "sim":
        cable = Cable(tmp_path / "c.sock")
        board = cable.claim()

        def shows() -> tuple[int, int]:
            cable.drain()
            return cable.world.lights

        board.events(0.0)  # what it read, it does not leave behind
        yield Lit(Bench(board, cable.touch, cable.lit, cable.released, cable.claim), shows)
        board.close()
        cable.close()
        return
    bench, level, breaks = (gpiozero_wired if request.param == "gpiozero" else gpiod_wired)(LIT)
    yield Lit(bench, lambda: levels_of(level), breaks)
    bench.board.close()


def test_every_pair_of_levels_is_shown_after_every_other(lit: Lit) -> None:
    assert lit.shows() == (0, 0)
    for before, after in product(LEVELS, LEVELS):
        for levels in (before, after):
            lit.bench.board.lights(*levels)
            assert lit.shows() == levels
    assert not lit.bench.released()
    assert not lit.bench.lamp()


def test_close_puts_the_lights_out_and_gives_their_lines_back(lit: Lit) -> None:
    lit.bench.board.lights(3, 2)
    lit.bench.board.close()
    assert lit.shows() == (0, 0)
    again = lit.bench.claim_again()
    assert lit.shows() == (0, 0)
    again.close()


def test_lights_of_a_lock_that_was_killed_are_dark_once_it_is_there_again(tmp_path: Path) -> None:
    """On the simulated board at once: its chip gives lines back. A Raspberry Pi's may keep them until then."""
    cable = Cable(tmp_path / "c.sock")
    board = cable.claim()
    board.events(0.0)
    board.lights(3, 3)
    cable.drain()
    assert cable.world.lights == (3, 3)
    board._cable.close()  # as the kernel closes it, with nobody saying anything
    cable.drain()
    assert cable.world.lights == (0, 0)
    cable.close()


def test_parts_beside_a_board_leave_its_lights_alone(lit: Lit) -> None:
    board: Board = PartsBoard(lit.bench.board, ())
    board.lights(1, 3)
    assert lit.shows() == (1, 3)


@pytest.mark.parametrize("wired", [gpiozero_wired, gpiod_wired])
def test_a_board_without_lights_shows_nothing_and_takes_no_line_for_them(wired: Wired) -> None:
    bench, level, _ = wired(TABLE)
    bench.board.lights(3, 3)
    assert levels_of(level) == (0, 0)
    bench.board.close()


@pytest.mark.parametrize("wired", [gpiozero_wired, gpiod_wired])
@pytest.mark.parametrize("pin", LIT.light_pins)
def test_a_broken_light_is_said_once_and_the_door_goes_on(
    wired: Wired, pin: str, capfd: pytest.CaptureFixture[str]
) -> None:
    bench, _, breaks = wired(LIT)
    bench.board.lights(1, 1)
    breaks(pin)
    for levels in ((3, 1), (0, 0), (1, 3)):
        bench.board.lights(*levels)
    assert "".join(capfd.readouterr()).count("the white lights cannot be driven") == 1
    bench.board.lamp(on=True)
    assert bench.lamp()
    bench.board.bolt.release(1000)
    assert bench.released()
    bench.board.bolt.secure()
    assert not bench.released()


def test_a_board_whose_broken_light_raises_is_found() -> None:
    """Seeded fault: lines without the guard."""

    def broken(_levels: tuple[bool, ...]) -> None:
        raise OSError

    class Careless(LightLines):
        def show(self, left: int, right: int) -> None:
            broken(line_levels(left, right))

    LightLines(broken).show(1, 1)
    with pytest.raises(OSError):  # noqa: PT011 - whatever the driver says
        Careless(broken).show(1, 1)


def test_the_lines_of_one_chip_change_in_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Together] = []
    claim = Together.__init__

    def kept(self: Together, requests: list[object]) -> None:
        claim(self, requests)  # type: ignore[arg-type] # handed on as it came
        made.append(self)

    monkeypatch.setattr(Together, "__init__", kept)
    bench, level, _ = gpiod_wired(LIT)
    (together,) = made
    for calls, levels in enumerate(LEVELS, 1):
        bench.board.lights(*levels)
        assert together.calls == calls
        assert levels_of(level) == levels
    bench.board.close()


def test_lines_on_several_chips_are_driven_together_and_given_back() -> None:
    chips = FakeChips(
        {
            "/dev/gpiochip0": FakeChip([Pad("A"), Pad("B")], label="main"),
            "/dev/gpiochip1": FakeChip([Pad("C"), Pad("D")], label="aon"),
        }
    )
    lines = outputs(chips.port, ("line:C", "line:A", "chip:aon:1", "gpiochip0:1"))
    for levels in product((False, True), repeat=4):
        lines.drive(levels)
        assert tuple(chips.pad(name).level for name in ("C", "A", "D", "B")) == levels
    lines.give_back()
    assert not any(pad.owner for chip in chips.at.values() for pad in chip.pads)


@pytest.mark.parametrize("taken", ["A", "C"])
def test_a_light_line_that_is_taken_or_missing_leaves_none_of_them_claimed(taken: str) -> None:
    chips = FakeChips({"/dev/gpiochip0": FakeChip([Pad("A")]), "/dev/gpiochip1": FakeChip([Pad("C")])})
    holder = output(chips.port, f"line:{taken}", on=False)
    for pins in (("line:A", "line:C"), ("line:C", "line:A"), ("line:A", "line:none")):
        with pytest.raises(BoltFault, match="cannot be claimed"):
            outputs(chips.port, pins)
        assert [pad.name for chip in chips.at.values() for pad in chip.pads if pad.owner] == [taken]
    holder.give_back()


@pytest.mark.parametrize("pin", LIT.light_pins)
def test_a_light_line_that_is_taken_refuses_the_board_and_gives_the_others_back(pin: str) -> None:
    before = open_files()
    chips = FakeChips()
    holder = output(chips.port, pin, on=False)
    with pytest.raises(BoltFault, match="cannot be claimed"):
        GpiodBoard(LIT, chips.port)
    holder.give_back()
    factory = MockFactory()
    reserved = GpiozeroBoard(replace(TABLE, lamp_pin=pin), factory)
    with pytest.raises(BoltFault, match="cannot be claimed"):
        GpiozeroBoard(replace(LIT, bolt_pin="GPIO2", lamp_pin="GPIO3"), factory)
    reserved.close()
    assert open_files() == before


@pytest.mark.parametrize("missing", ["left_light_weak_pin", "right_light_strong_pin"])
def test_a_door_names_all_four_lines_or_none(missing: str) -> None:
    four = {name: pin for name, pin in zip(NAMES, LIT.light_pins, strict=True) if name != missing}
    some = "".join(f'{name} = "{pin}"\n' for name, pin in four.items())
    with pytest.raises(ConfigRefused, match="name all four") as refusal:
        config.parse(f'[door]\nid = "00112233445566ff"\n[lock]\n{some}')
    assert "\n" not in str(refusal.value)


NAMES = ("left_light_weak_pin", "left_light_strong_pin", "right_light_weak_pin", "right_light_strong_pin")

"""What every bolt driver keeps: the simulated board, gpiozero over a recording pin, gpiod over stand-in chips."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import gpiod
import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from device.errors import BoltFault
from device.lock.board_gpiod import GpiodBolt
from device.lock.board_gpiozero import GpiozeroBolt
from device.lock.board_sim import SimBoard
from device.lock.bolt import Bolt, Wiring
from tests.contract.board.fake_gpiod import FakeChip, FakeChips, Pad, Request
from tools.simulator.world import World


@dataclass
class Bench:
    """A driver under test, and the line it drives: `released()` as the strike sees it, and every level it ever saw."""

    bolt: Bolt
    released: Callable[[], bool]
    seen: Callable[[], list[bool]]
    passes: Callable[[float], None]
    claim_again: Callable[[], object]
    gone: Callable[[], None] = lambda: None


# ---- gpiozero


class OneStepPin(MockPin):  # type: ignore[misc] # gpiozero has no types
    """A pin that becomes an output with its first level in one step, as lgpio_factory's does, and records levels."""

    levels: list[bool]

    def output_with_state(self, state: object) -> None:
        self._function = "output"
        self.levels = [bool(state)]
        self._change_state(bool(state))

    def _change_state(self, value: object) -> bool:
        if self._function == "output":
            self.levels = [*getattr(self, "levels", []), bool(value)]
        changed: bool = super()._change_state(value)
        return changed


class BlipPin(OneStepPin):
    """Seeded fault: claims low first and writes afterwards, as stock LGPIOPin does."""

    def output_with_state(self, state: object) -> None:
        self._function = "output"
        self._change_state(value=False)
        self._change_state(state)


@dataclass
class ManualTimer:
    """A timer that goes off when the test says so."""

    seconds: float
    call: Callable[[], None]
    running: bool = False

    def start(self) -> None:
        self.running = True

    def cancel(self) -> None:
        self.running = False


@dataclass
class Timers:
    """All timers made, and a clock that is only ever moved by hand."""

    made: list[ManualTimer] = field(default_factory=list)

    def make(self, seconds: float, call: Callable[[], None]) -> ManualTimer:
        self.made.append(ManualTimer(seconds, call))
        return self.made[-1]

    def passes(self, seconds: float) -> None:
        for timer in [timer for timer in self.made if timer.running]:
            timer.seconds -= seconds
            if timer.seconds <= 0:
                timer.running = False
                timer.call()


def gpiozero_bench(wiring: Wiring, *, active_high: bool, pin_class: type = OneStepPin) -> Bench:
    factory = MockFactory(pin_class=pin_class)
    timers = Timers()

    def claim() -> GpiozeroBolt:
        return GpiozeroBolt("GPIO17", active_high=active_high, wiring=wiring, factory=factory, make_timer=timers.make)

    bolt = claim()
    pin = factory.pin("GPIO17")

    def as_released(level: bool) -> bool:
        energised = level if active_high else not level
        return energised if wiring is Wiring.FAIL_SECURE else not energised

    return Bench(
        bolt,
        released=lambda: as_released(pin.levels[-1]),
        seen=lambda: [as_released(level) for level in pin.levels],
        passes=timers.passes,
        claim_again=claim,
    )


# ---- gpiod


class BlipRequest(Request):
    """Seeded fault: becomes an output at low level first and is written afterwards."""

    def __init__(self, pad: Pad, offset: int, settings: gpiod.LineSettings) -> None:
        pad.driven.append(False)
        super().__init__(pad, offset, settings)


def gpiod_bench(wiring: Wiring, *, active_high: bool, claim_with: type[Request] = Request) -> Bench:
    pad = Pad("BOLT")
    chips = FakeChips({"/dev/gpiochip0": FakeChip([Pad(), pad], claim_with)})
    timers = Timers()

    def claim() -> GpiodBolt:
        return GpiodBolt(
            "gpiochip0:1", active_high=active_high, wiring=wiring, chips=chips.port, make_timer=timers.make
        )

    def as_released(level: bool) -> bool:
        energised = level if active_high else not level
        return energised if wiring is Wiring.FAIL_SECURE else not energised

    return Bench(
        claim(),
        released=lambda: as_released(pad.driven[-1]),
        seen=lambda: [as_released(level) for level in pad.driven],
        passes=timers.passes,
        claim_again=claim,
    )


# ---- the simulated board


class SimulatedBoard:
    """The board's end of the cable, run by hand: `World` is doorsim's own."""

    def __init__(self, path: Path, wiring: Wiring) -> None:
        self.path, self.world, self.now_ns = path, World(wiring), 0
        self.seen: list[bool] = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(path))
        self.listener.listen()
        self.cables: list[socket.socket] = []

    def plug(self, word: bytes) -> SimBoard:
        answered = threading.Thread(target=lambda: self._answer(word))
        answered.start()
        try:
            return SimBoard(self.path, self.world.wiring)
        finally:
            answered.join()

    def _answer(self, word: bytes) -> None:
        cable, _ = self.listener.accept()
        cable.send(word)
        self.cables.append(cable)

    def drain(self) -> None:
        self.cables[0].setblocking(False)
        while True:
            try:
                words = self.cables[0].recv(64)
            except BlockingIOError:
                return
            if not words:
                self.world.owner_gone(self.now_ns)
                return
            self.world.told(words.decode(), self.now_ns)
            self.seen.append(self.world.released)

    def released(self) -> bool:
        self.drain()
        self.world.elapsed(self.now_ns)
        return self.world.released

    def levels(self) -> list[bool]:
        self.drain()
        return self.seen

    def passes(self, seconds: float) -> None:
        self.drain()
        self.now_ns += round(seconds * 1e9)
        self.world.elapsed(self.now_ns)

    def close(self) -> None:
        for sock in [self.listener, *self.cables]:
            sock.close()


@pytest.fixture(
    params=[
        ("sim", Wiring.FAIL_SECURE, True),
        ("sim", Wiring.FAIL_SAFE, True),
        ("gpiozero", Wiring.FAIL_SECURE, True),
        ("gpiozero", Wiring.FAIL_SECURE, False),
        ("gpiozero", Wiring.FAIL_SAFE, True),
        ("gpiozero", Wiring.FAIL_SAFE, False),
        ("gpiod", Wiring.FAIL_SECURE, True),
        ("gpiod", Wiring.FAIL_SECURE, False),
        ("gpiod", Wiring.FAIL_SAFE, True),
        ("gpiod", Wiring.FAIL_SAFE, False),
    ],
    ids=lambda p: f"{p[0]}-{p[1]}-{'high' if p[2] else 'low'}",
)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    driver, wiring, active_high = request.param
    if driver == "gpiozero":
        yield gpiozero_bench(wiring, active_high=active_high)
        return
    if driver == "gpiod":
        made = gpiod_bench(wiring, active_high=active_high)
        yield made
        made.bolt.close()
        return
    board = SimulatedBoard(tmp_path / "cable.sock", wiring)
    owner = board.plug(b"yours")
    yield Bench(owner.bolt, board.released, board.levels, board.passes, lambda: board.plug(b"taken"))
    owner.close()
    board.close()


def test_a_bolt_is_born_secured_and_was_never_released_on_the_way(bench: Bench) -> None:
    assert not bench.released()
    assert bench.seen()
    assert not any(bench.seen())


def test_release_lets_go_and_secure_locks(bench: Bench) -> None:
    bench.bolt.release(4000)
    assert bench.released()
    bench.bolt.secure()
    assert not bench.released()


def test_a_release_ends_by_itself_below_the_program(bench: Bench) -> None:
    bench.bolt.release(4000)
    bench.passes(3.9)
    assert bench.released()
    bench.passes(0.2)
    assert not bench.released()


def test_a_second_release_starts_the_time_anew_and_the_first_end_does_not_cut_it_short(bench: Bench) -> None:
    bench.bolt.release(4000)
    bench.passes(3.0)
    bench.bolt.release(4000)
    bench.passes(3.0)
    assert bench.released()
    bench.passes(1.1)
    assert not bench.released()


def test_an_old_end_does_not_lock_a_later_release(bench: Bench) -> None:
    bench.bolt.release(1000)
    bench.bolt.secure()
    bench.bolt.release(4000)
    bench.passes(2.0)
    assert bench.released()


def test_secure_and_close_may_come_at_any_time(bench: Bench) -> None:
    bench.bolt.secure()
    bench.bolt.release(4000)
    bench.bolt.close()
    assert not bench.released()
    bench.bolt.close()


def test_after_close_nothing_is_driven(bench: Bench) -> None:
    bench.bolt.close()
    with pytest.raises(BoltFault):
        bench.bolt.release(4000)
    assert not bench.released()


def test_one_line_has_one_owner(bench: Bench) -> None:
    with pytest.raises(BoltFault):
        bench.claim_again()


def test_a_pin_that_is_claimed_low_first_is_caught() -> None:
    """Seeded fault: the start-up blip of stock LGPIOPin on an active-low relay (gpiozero #1177)."""
    blip = gpiozero_bench(Wiring.FAIL_SECURE, active_high=False, pin_class=BlipPin)
    assert any(blip.seen())
    blip = gpiod_bench(Wiring.FAIL_SECURE, active_high=False, claim_with=BlipRequest)
    assert any(blip.seen())
    blip.bolt.close()

"""A board, the hands that touch it, and a clock: the same for the simulated board, mock pins and stand-in chips."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gpiozero.pins.mock import MockFactory, MockPin

from device.config.tables import LockTable
from device.lock.board import Board
from device.lock.board_gpiod import GpiodBoard
from device.lock.board_gpiozero import GpiozeroBoard
from device.lock.board_sim import SimBoard
from device.lock.bolt import Wiring
from device.lock.state import Event
from tests.contract.board.fake_gpiod import FakeChips
from tools.simulator.world import World

TABLE = LockTable()


@dataclass
class Bench:
    """A board, the hands that touch it, and a clock moved by hand."""

    board: Board
    touch: Callable[[str], None]
    lamp: Callable[[], bool]
    released: Callable[[], bool]
    claim_again: Callable[[], Board]
    now_s: float = 100.0

    def events(self) -> list[Event]:
        """What lock's loop would hear until nothing is left: it wakes when readable, and at the board's deadline."""
        found: list[Event] = []
        for _ in range(20):
            if readable(self.board):
                found += self.board.events(self.now_s)
            due = self.board.deadline()
            if due is None and not readable(self.board):
                return found
            if due is not None:
                self.now_s = max(self.now_s, due)
                found += self.board.events(self.now_s)
        msg = "the board never comes to rest"
        raise AssertionError(msg)


def open_files() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def readable(board: Board) -> bool:
    return bool(select.select([board.fileno()], [], [], 0)[0])


# ---- gpiozero

PINS = {"face": TABLE.face_button_pin, "rex": TABLE.rex_pin, "door": TABLE.door_switch_pin, "tamper": TABLE.tamper_pin}


def gpiozero_hands(factory: MockFactory) -> Callable[[str], None]:
    def touch(what: str) -> None:
        name, _, position = what.partition(" ")
        pin = factory.pin(PINS[name])
        (pin.drive_low if position in ("down", "closed", "off") else pin.drive_high)()

    return touch


Level = Callable[[str], bool]
Breaks = Callable[[str], None]


def gpiozero_wired(table: LockTable) -> tuple[Bench, Level, Breaks]:
    """The board of `table`, how to read any line's level, and how to break one."""
    factory = MockFactory()
    board = GpiozeroBoard(table, factory)

    def breaks(name: str) -> None:
        def broken(*_args: object) -> None:
            raise OSError

        pin: MockPin = factory.pin(name)
        pin._set_state = broken

    bench = Bench(
        board,
        gpiozero_hands(factory),
        lamp=lambda: bool(factory.pin(table.lamp_pin).state),
        released=lambda: bool(factory.pin(table.bolt_pin).state),
        claim_again=lambda: GpiozeroBoard(table, factory),
    )
    return bench, lambda name: bool(factory.pin(name).state), breaks


def gpiozero_bench() -> Bench:
    return gpiozero_wired(TABLE)[0]


# ---- gpiod


def gpiod_hands(chips: FakeChips) -> Callable[[str], None]:
    def touch(what: str) -> None:
        name, _, position = what.partition(" ")
        chips.pad(PINS[name]).touch(position not in ("down", "closed", "off"))

    return touch


def gpiod_bench_of(chips: FakeChips, table: LockTable = TABLE) -> Bench:
    return Bench(
        GpiodBoard(table, chips.port),
        gpiod_hands(chips),
        lamp=lambda: chips.pad(table.lamp_pin).level,
        released=lambda: chips.pad(table.bolt_pin).level,
        claim_again=lambda: GpiodBoard(table, chips.port),
    )


def gpiod_wired(table: LockTable) -> tuple[Bench, Level, Breaks]:
    """As `gpiozero_wired`."""
    chips = FakeChips()

    def breaks(name: str) -> None:
        chips.pad(name).broken = True

    return gpiod_bench_of(chips, table), lambda name: chips.pad(name).level, breaks


# ---- the simulated board


@dataclass
class Cable:
    """doorsim's end, run by hand."""

    path: Path
    world: World = field(default_factory=World)
    owner: socket.socket | None = None

    def __post_init__(self) -> None:
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(self.path))
        self.listener.listen()

    def claim(self) -> SimBoard:
        self.drain()
        answering = threading.Thread(target=self._answer)
        answering.start()
        try:
            return SimBoard(self.path, Wiring.FAIL_SECURE)
        finally:
            answering.join()

    def _answer(self) -> None:
        cable, _ = self.listener.accept()
        if self.owner:
            cable.send(b"taken")
            cable.close()
            return
        cable.send(b"yours")
        with suppress(BrokenPipeError):  # whoever only locks may have done so and gone by now
            cable.send(b"door closed")
        cable.setblocking(False)
        self.owner = cable

    def drain(self) -> None:
        while self.owner:
            try:
                words = self.owner.recv(64)
            except BlockingIOError:
                return
            if words:
                self.world.told(words.decode(), 0)
            else:
                self.owner.close()
                self.owner = None
                self.world.owner_gone(0)

    def touch(self, what: str) -> None:
        assert self.owner
        if not what.endswith(" up"):
            self.owner.send(what.removesuffix(" down").encode())

    def lit(self) -> bool:
        self.drain()
        return self.world.lamp

    def released(self) -> bool:
        self.drain()
        return self.world.released

    def close(self) -> None:
        self.listener.close()
        if self.owner:
            self.owner.close()

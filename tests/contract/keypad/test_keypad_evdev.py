"""A keypad that is there, that vanishes, that babbles, that is exchanged: over pipes, with the kernel's part played.

No real keypad and no /dev/uinput was there to try.
"""

from __future__ import annotations

import errno
import os
import select
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device.lock import keypad_evdev
from device.lock.keypad_evdev import EVENTS_PER_S, EVIOCGID, EVIOCGRAB, MUTED_S, RETRY_S, EvdevKeypad, Kernel, kernel
from device.lock.parts import PartsBoard
from device.lock.state import Event, FaceButton, Key, TamperMoved
from tests.contract.board.bench import Bench, gpiozero_bench, open_files

MAKE = (3, 0x1A2C, 2, 0x110)
OTHER = (3, 0x1A2C, 2, 0x111)
PINNED = "0003:1a2c:0002:0110"
GONE, BACK = TamperMoved(on=True), TamperMoved(on=False)
CODES = dict(zip("1234567890", range(2, 12), strict=True)) | {"#": 28, "*": 55}


def tap(key: str) -> bytes:
    code = CODES[key]
    events = [(4, 4, code), (1, code, 1), (0, 0, 0), (1, code, 0), (0, 0, 0)]
    return b"".join(struct.pack("@qqHHi", 0, 0, *event) for event in events)


@dataclass
class Socket:
    """Where a keypad is plugged in: the kernel's part, over a pipe."""

    make: tuple[int, int, int, int] | None = MAKE
    grabbed_by_another: bool = False
    grabs: list[int] = field(default_factory=list)
    writer: int = -1

    def open(self, path: str) -> int:
        if self.make is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if self.writer >= 0:
            os.close(self.writer)
        reader, self.writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        return reader

    def ioctl(self, fd: int, request: int, argument: bytearray | int) -> object:
        os.fstat(fd)
        if request == EVIOCGRAB and argument == 1:
            if self.grabbed_by_another:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
            self.grabs.append(fd)
            return 0
        assert request == EVIOCGID
        assert isinstance(argument, bytearray)
        assert self.make
        argument[:] = struct.pack("@HHHH", *self.make)
        return 0

    def unplug(self) -> None:
        os.close(self.writer)
        self.make, self.writer = None, -1

    def send(self, content: bytes) -> None:
        os.write(self.writer, content)


@dataclass
class Door:
    """A board with a keypad, and a clock moved by hand."""

    bench: Bench
    board: PartsBoard
    socket: Socket

    def type(self, keys: str) -> list[Event]:
        for key in keys:
            self.socket.send(tap(key))
        return self.hear()

    def hear(self) -> list[Event]:
        """What the loop would hear right now."""
        heard: list[Event] = []
        for _ in range(200):
            due = self.board.deadline()
            late = due is not None and due <= self.bench.now_s
            if not late and not select.select([self.board.fileno()], [], [], 0)[0]:
                return heard
            heard += self.board.events(self.bench.now_s)
        msg = "the loop would spin"
        raise AssertionError(msg)

    def wait(self, seconds: float) -> list[Event]:
        end_s, heard = self.bench.now_s + seconds, self.hear()
        while (due := self.board.deadline()) is not None and due <= end_s:
            self.bench.now_s = max(self.bench.now_s, due)
            heard += self.hear()
        self.bench.now_s = end_s
        return heard + self.hear()


def keys(text: str) -> list[Event]:
    return [Key(key) for key in text]


def door_of(socket: Socket, pinned: str = "", keypad: type[EvdevKeypad] = EvdevKeypad) -> Door:
    bench = gpiozero_bench()
    bench.touch("door closed")
    bench.touch("tamper off")
    board = PartsBoard(bench.board, (keypad("/dev/input/by-path/x", pinned, Kernel(socket.open, socket.ioctl)),))
    return Door(bench, board, socket)


@pytest.fixture
def door() -> Iterator[Door]:
    made = door_of(Socket())
    made.wait(1)
    yield made
    made.board.close()
    if made.socket.writer >= 0:
        os.close(made.socket.writer)


def test_keys_arrive_in_order_and_are_nobody_elses(door: Door) -> None:
    assert door.type("12#3*0") == keys("12#3*0")
    assert len(door.socket.grabs) == 1, "taken for this process alone, once"


def test_a_keypad_that_nobody_touches_wakes_nobody(door: Door) -> None:
    assert door.hear() == []
    assert door.board.deadline() is None


def test_the_boards_own_events_come_through(door: Door) -> None:
    door.bench.touch("face down")
    assert door.wait(1) == [FaceButton()]
    door.bench.touch("tamper on")
    assert door.wait(1) == [GONE]
    door.bench.touch("tamper off")
    assert door.wait(1) == [BACK]


def test_a_keypad_that_vanishes_is_an_alarm_and_types_again_when_it_is_back(door: Door) -> None:
    door.type("1")
    door.socket.unplug()
    assert door.hear() == [GONE]
    assert door.wait(10 * RETRY_S) == [], "told once"
    door.socket.make = MAKE
    assert door.wait(RETRY_S) == [BACK]
    assert door.type("2#") == keys("2#")


def test_what_was_typed_in_the_moment_of_unplugging_is_not_taken_for_more() -> None:
    door = door_of(Socket())
    door.wait(1)
    door.socket.send(tap("1")[:-5])
    door.socket.unplug()
    assert door.hear() == [Key("1"), GONE]
    door.socket.make = MAKE
    door.wait(RETRY_S)
    assert door.type("2") == keys("2"), "the torn end of the old stream is no beginning of the new one"
    door.board.close()
    os.close(door.socket.writer)


def test_no_keypad_at_the_start_is_an_alarm() -> None:
    door = door_of(Socket(make=None))
    assert GONE in door.wait(1)
    door.board.close()


def test_another_make_is_an_alarm_and_types_nothing(door: Door) -> None:
    door.socket.unplug()
    door.hear()
    door.socket.make = OTHER
    assert door.wait(5) == []
    with pytest.raises(OSError, match="Broken pipe"):
        door.type("1")
    door.socket.make = MAKE
    assert BACK in door.wait(RETRY_S)


def test_a_pinned_make_holds_from_the_first_moment() -> None:
    wrong, right = door_of(Socket(OTHER), PINNED), door_of(Socket(MAKE), PINNED)
    assert GONE in wrong.wait(1)
    assert GONE not in right.wait(1)
    assert right.type("5") == keys("5")
    for door in (wrong, right):
        door.board.close()
        os.close(door.socket.writer)


def test_a_keypad_that_somebody_else_reads_types_nothing() -> None:
    door = door_of(Socket(grabbed_by_another=True))
    assert GONE in door.wait(1)
    door.socket.grabbed_by_another = False
    assert door.wait(RETRY_S) == [BACK]
    door.board.close()
    os.close(door.socket.writer)


def test_a_babbling_keypad_is_an_alarm_costs_no_time_and_keeps_its_digits_to_itself(door: Door) -> None:
    heard: list[Event] = []
    for _ in range(20):
        heard += door.type("7" * 20)
    assert heard.count(GONE) == 1
    assert sum(isinstance(event, Key) for event in heard) <= EVENTS_PER_S
    assert not select.select([door.board.fileno()], [], [], 0)[0], "not read, and not waiting to be"
    before = len(door.socket.grabs)
    assert door.wait(MUTED_S / 2) == []
    assert len(door.socket.grabs) == before, "still ours alone: given back, its digits would go to a console"
    heard = door.wait(MUTED_S)
    assert heard == [BACK], "what it sent meanwhile is forgotten"
    assert door.type("1") == keys("1")


def test_one_that_goes_on_babbling_stays_an_alarm(door: Door) -> None:
    door.type("7" * 60)
    for _ in range(5):
        door.bench.now_s += MUTED_S
        assert door.type("7" * 60) == []
        assert door.type("7" * 60) == []


def test_the_keys_of_a_trial_are_not_typed(door: Door) -> None:
    door.type("7" * 60)
    assert door.wait(MUTED_S) == []
    assert door.type("123") == []
    assert door.wait(1.5) == [BACK]


def test_quick_hands_and_a_key_held_down_are_no_babble(door: Door) -> None:
    held = b"".join(struct.pack("@qqHHi", 0, 0, *event) for event in [(1, 2, 2), (0, 0, 0)] * 33)
    for _ in range(10):
        assert door.type("1234567890") == keys("1234567890")
        door.socket.send(held)
        assert door.hear() == []
        door.bench.now_s += 1


def test_a_keypad_without_a_limit_is_caught(monkeypatch: pytest.MonkeyPatch, door: Door) -> None:
    """Seeded fault: nobody counts."""
    monkeypatch.setattr(keypad_evdev, "EVENTS_PER_S", 10**9)
    assert GONE not in door.type("7" * 200)


def test_a_keypad_that_takes_any_make_is_caught() -> None:
    """Seeded fault: the make is not compared."""

    class Trusting(EvdevKeypad):
        def _plugged(self, now_s: float) -> None:
            self._pinned = ""
            super()._plugged(now_s)

    door = door_of(Socket(OTHER), PINNED, Trusting)
    assert GONE not in door.wait(1)
    door.board.close()
    os.close(door.socket.writer)


def test_one_alarm_stands_while_either_says_so(door: Door) -> None:
    door.bench.touch("tamper on")
    assert door.wait(1) == [GONE]
    door.socket.unplug()
    assert door.wait(1) == []
    door.bench.touch("tamper off")
    assert door.wait(1) == [], "the keypad is still gone"
    door.socket.make = MAKE
    assert door.wait(RETRY_S) == [BACK]


def test_closing_secures_and_leaves_no_file_open() -> None:
    before = open_files()
    door = door_of(Socket())
    door.wait(1)
    door.board.bolt.release(60_000)
    assert door.bench.released()
    door.board.close()
    assert not door.bench.released()
    os.close(door.socket.writer)
    assert open_files() == before
    door.board.close()


def test_a_file_that_is_no_keypad_is_an_alarm_and_no_crash(tmp_path: Path) -> None:
    """The real open and the real ioctl, on what is no input device."""
    (tmp_path / "file").write_bytes(tap("1"))
    os.mkfifo(tmp_path / "fifo")
    for name in ("file", "fifo", "nothing", "."):
        keypad = EvdevKeypad(str(tmp_path / name), "", kernel())
        assert keypad.events(1.0) == []
        assert not keypad.well
        assert keypad.fileno() is None
        assert keypad.deadline() == 1.0 + RETRY_S


def test_no_line_in_the_log_holds_a_digit_that_was_typed(door: Door, capfd: pytest.CaptureFixture[str]) -> None:
    door.type("8" * 60)
    door.wait(MUTED_S + 2)
    door.socket.unplug()
    door.hear()
    said = "".join(capfd.readouterr())
    assert "sends more than hands can" in said
    assert "8" not in said

"""How much a keypad may send in a second, to the event; and what the journal says when it cannot be had or goes.

No real keypad was there to try: the kernel's part is played over a pipe.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from device.lock.keypad_evdev import CALM_S, EVENTS_PER_S, EVIOCGID, EVIOCGRAB, MUTED_S, RETRY_S, EvdevKeypad, Kernel
from device.lock.state import Event, Key

EVENT = struct.Struct("@qqHHi")
NOTHING = EVENT.pack(0, 0, 4, 4, 0)  # a scan code: an event, and no key
KEY_1 = EVENT.pack(0, 0, 1, 2, 1)
READS = 8  # more than a second's worth


@dataclass
class Plugged:
    """A keypad in its socket, and a clock moved by hand."""

    writer: int = -1
    now_s: float = 100.0

    def __post_init__(self) -> None:
        self.keypad = EvdevKeypad("/dev/input/by-path/x", "", Kernel(self._open, self._ioctl))
        self.look()

    def _open(self, _path: str) -> int:
        reader, self.writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        return reader

    def _ioctl(self, _fd: int, request: int, argument: bytearray | int) -> object:
        if request == EVIOCGID and isinstance(argument, bytearray):
            argument[:] = struct.pack("@HHHH", 3, 0x1A2C, 2, 0x110)
        return 0

    def sends(self, events: int) -> list[Event]:
        """So many events that are no keys, and then the key 1; what of it is typed."""
        os.write(self.writer, NOTHING * (events - 1) + KEY_1)
        return self.look()

    def look(self) -> list[Event]:
        return [event for _ in range(READS) for event in self.keypad.events(self.now_s)]


@pytest.fixture
def plugged() -> Iterator[Plugged]:
    made = Plugged()
    assert made.keypad.well
    yield made
    made.keypad.close()
    os.close(made.writer)


def test_so_many_events_in_a_second_are_hands_and_one_more_is_not(plugged: Plugged) -> None:
    """In the first second as in any other."""
    for _ in range(3):
        assert plugged.sends(EVENTS_PER_S) == [Key("1")]
        assert plugged.keypad.well
        plugged.now_s += 1
    assert plugged.sends(EVENTS_PER_S) == [Key("1")]
    assert plugged.sends(1) == []
    assert not plugged.keypad.well


def test_one_too_many_in_the_first_second_is_too_many(plugged: Plugged) -> None:
    assert plugged.sends(EVENTS_PER_S + 1) == []
    assert not plugged.keypad.well


@pytest.mark.parametrize(("events", "calm"), [(EVENTS_PER_S, True), (EVENTS_PER_S + 1, False)])
def test_a_trial_allows_as_much_as_any_second(plugged: Plugged, events: int, calm: bool) -> None:
    plugged.sends(EVENTS_PER_S + 1)
    plugged.now_s += MUTED_S
    plugged.look()
    plugged.now_s += CALM_S / 2
    assert plugged.sends(events) == [], "what comes on trial is not typed"
    plugged.now_s += CALM_S / 2
    plugged.look()
    assert plugged.keypad.well is calm


@pytest.mark.parametrize(
    ("cause", "said"),
    [(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)), os.strerror(errno.ENOENT)), (OSError("odd"), "odd")],
)
def test_a_keypad_that_cannot_be_had_is_said_in_the_systems_own_words(
    cause: OSError, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuses(_path: str) -> int:
        raise cause

    keypad = EvdevKeypad("/dev/input/by-path/x", "", Kernel(refuses, lambda *_: 0))
    assert keypad.events(1.0) == []
    assert not keypad.well
    assert f"the keypad cannot be had: {said}\n" in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("cause", "said"),
    [(OSError(errno.ENODEV, os.strerror(errno.ENODEV)), os.strerror(errno.ENODEV)), (OSError("odd"), "odd")],
)
def test_a_keypad_that_was_pulled_out_is_gone_and_had_again(
    plugged: Plugged, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], cause: OSError, said: str
) -> None:
    """The kernel answers a read with ENODEV then (its documentation of input devices)."""

    def pulled(_fd: int, _size: int) -> bytes:
        raise cause

    with monkeypatch.context() as patch:
        patch.setattr("device.lock.keypad_evdev.os.read", pulled)
        assert plugged.keypad.events(plugged.now_s) == []
    assert not plugged.keypad.well
    assert plugged.keypad.fileno() is None
    assert f"the keypad is gone: {said}\n" in "".join(capfd.readouterr())
    os.close(plugged.writer)
    plugged.now_s += RETRY_S
    plugged.look()
    assert plugged.keypad.well
    assert plugged.sends(1) == [Key("1")]


def test_the_kernel_is_asked_by_the_numbers_that_it_gives_its_requests() -> None:
    """asm-generic/ioctl.h: number, type, size and direction (1 write, 2 read), from the lowest bit up."""

    def request(direction: int, kind: str, number: int, size: int) -> int:
        return direction << 30 | size << 16 | ord(kind) << 8 | number

    assert request(2, "E", 0x02, 4 * 2) == EVIOCGID
    assert request(1, "E", 0x90, 4) == EVIOCGRAB

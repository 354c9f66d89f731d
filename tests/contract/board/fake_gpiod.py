"""A stand-in for the kernel's GPIO chips as libgpiod 2 shows them: there is neither a chip nor gpio-sim here.

It keeps what the kernel's interface promises (Documentation/userspace-api/gpio): a line has one owner, an output gets
direction and level in one step, edges queue until read, a line that is given back is driven by nobody. What it leaves
out: time. A contact is taken as debounced already; which debounce time was asked for can be looked up.
"""

from __future__ import annotations

import errno
import os
import select
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, cast

import gpiod
from gpiod.line import Bias, Direction, Edge, Value

from device.lock.gpiod_lines import Chips


@dataclass
class Pad:
    """One line of a chip: what the copper carries, and who owns it."""

    name: str = ""
    level: bool = False
    driven: list[bool] = field(default_factory=list)  # every level an owner ever put on it
    owner: Request | None = None
    broken: bool = False
    debounce: timedelta | None = None

    def touch(self, level: bool) -> None:
        """Somebody outside moves the contact."""
        if level != self.level:
            self.level = level
            if self.owner:
                self.owner.edge(level)

    def touch_unseen(self, level: bool) -> None:
        """As `touch`, but the edge is lost on the way."""
        self.level = level


class Request:
    """What `gpiod.LineRequest` offers of one line."""

    def __init__(self, pad: Pad, offset: int, settings: gpiod.LineSettings) -> None:
        self._pad, self._offset, self._settings = pad, offset, settings
        self.offset = offset
        self._edges: list[gpiod.EdgeEvent] = []
        self._seen = 0
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        pad.owner, pad.debounce = self, settings.debounce_period
        if settings.direction is Direction.OUTPUT:
            self._put(settings.output_value)
        elif settings.bias is Bias.PULL_UP and not pad.driven:
            pad.level = pad.level if pad.name.startswith("held") else True

    @property
    def fd(self) -> int:
        self._alive()
        return self._reader

    def __bool__(self) -> bool:
        return self._pad.owner is self

    def edge(self, level: bool) -> None:
        if self._settings.edge_detection is Edge.BOTH:
            active = level != self._settings.active_low
            self._seen += 1
            kind = gpiod.EdgeEvent.Type.RISING_EDGE if active else gpiod.EdgeEvent.Type.FALLING_EDGE
            self._edges.append(gpiod.EdgeEvent(kind.value, 0, self._offset, self._seen, self._seen))
            os.write(self._writer, b"e")

    def wait_edge_events(self, timeout: float) -> bool:
        self._alive()
        return bool(select.select([self._reader], [], [], timeout)[0])

    def read_edge_events(self) -> list[gpiod.EdgeEvent]:
        self._alive()
        os.read(self._reader, 16)
        read, self._edges = self._edges[:16], self._edges[16:]
        return read

    def get_value(self, offset: int) -> Value:
        self._alive()
        assert offset == self._offset
        return Value.ACTIVE if self._pad.level != self._settings.active_low else Value.INACTIVE

    def set_value(self, offset: int, value: Value) -> None:
        self._alive()
        assert offset == self._offset
        self._put(value)

    def release(self) -> None:
        if self:
            self._pad.owner = None
            self._pad.level = False  # driven by nobody, and pulled down
            os.close(self._reader)
            os.close(self._writer)

    def _put(self, value: Value) -> None:
        self._pad.level = (value is Value.ACTIVE) != self._settings.active_low
        self._pad.driven.append(self._pad.level)

    def _alive(self) -> None:
        if not self:
            raise gpiod.RequestReleasedError
        if self._pad.broken:
            raise OSError(errno.EIO, "the chip does not answer")


class Together:
    """One request for several lines; `set_values` is one call."""

    def __init__(self, requests: list[Request]) -> None:
        self._requests = {one.offset: one for one in requests}
        self.calls = 0

    def set_values(self, values: dict[int, Value]) -> None:
        self.calls += 1
        for offset, value in values.items():
            self._requests[offset].set_value(offset, value)

    def release(self) -> None:
        for one in self._requests.values():
            one.release()


@dataclass
class FakeChip:
    """What `gpiod.Chip` offers."""

    pads: list[Pad]
    claim: type[Request] = Request
    label: str = "pinctrl-fake"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        """Requests live on."""

    def get_info(self) -> Any:
        return cast("Any", type("Info", (), {"num_lines": len(self.pads), "label": self.label}))

    def get_line_info(self, offset: int) -> Pad:
        return self.pads[offset]

    def request_lines(self, config: dict[int, gpiod.LineSettings], consumer: str) -> Request:
        if len(config) > 1:
            if any(offset >= len(self.pads) or self.pads[offset].owner for offset in config):
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
            return cast("Request", Together([self.request_lines({one: config[one]}, consumer) for one in config]))
        ((offset, settings),) = config.items()
        if offset >= len(self.pads):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        pad = self.pads[offset]
        if pad.owner:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        return self.claim(pad, offset, settings)


@dataclass
class FakeChips:
    """All chips of a machine. By default one, with the lines of a Raspberry Pi's header."""

    at: dict[str, FakeChip] = field(
        default_factory=lambda: {"/dev/gpiochip0": FakeChip([Pad(f"GPIO{number}") for number in range(28)])}
    )

    def __post_init__(self) -> None:
        self.port = Chips(lambda: sorted(self.at), self.open)

    def open(self, path: str) -> gpiod.Chip:
        if path not in self.at:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return cast("gpiod.Chip", self.at[path])

    def pad(self, name: str) -> Pad:
        (pad,) = [pad for chip in self.at.values() for pad in chip.pads if pad.name == name]
        return pad

"""Lines of the kernel's GPIO chips through libgpiod 2, by name, or by chip (its label or its number) and offset.

Rules kept here:
- An output is claimed with its first level in one step: the kernel sets direction and level together, so that no line
  passes through the other level at the start.
- A name that no chip has, or that two chips have, is refused: a door does not guess which line its bolt hangs on. So is
  such a label of a chip.
- Lines that have to change together are one request: the kernel then sets all of a chip in one call.
- One line has one owner: the kernel refuses a second claim, and so does `claim`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import gpiod
from gpiod.line import Direction, Value

from device.errors import BoltFault

CONSUMER = "doorward"  # what `gpioinfo` shows beside the line


@dataclass(frozen=True, slots=True)
class Chips:
    """The GPIO chips of this machine: where their devices are, and how one is opened."""

    paths: Callable[[], list[str]]
    open: Callable[[str], gpiod.Chip]


def kernel_chips() -> Chips:
    """The real ones. A chip may have two names (a Raspberry Pi 5 links gpiochip4 to gpiochip0); it is counted once."""
    return Chips(lambda: sorted({str(path.resolve()) for path in Path("/dev").glob("gpiochip*")}), gpiod.Chip)


class Line:
    """One line that is ours until `give_back`. Levels are logical: `on` is the active one."""

    def __init__(self, request: gpiod.LineRequest, offset: int) -> None:
        self._request = request
        self._offset = offset

    def __bool__(self) -> bool:
        return bool(self._request)

    def fileno(self) -> int:
        """Readable after an edge."""
        return self._request.fd

    def drive(self, on: bool) -> None:  # noqa: FBT001 - the level itself
        """Set the level of an output. Raises what libgpiod raises."""
        self._request.set_value(self._offset, _value(on))

    def levels(self) -> list[bool]:
        """Every level since the last call, the present one last: the edges first, then a look, should one be lost."""
        seen: list[bool] = []
        while self._request.wait_edge_events(0):
            edges = self._request.read_edge_events()
            seen += [edge.event_type is gpiod.EdgeEvent.Type.RISING_EDGE for edge in edges]
        return [*seen, self._request.get_value(self._offset) is Value.ACTIVE]

    def give_back(self) -> None:
        """Let go of the line; it may float then."""
        self._request.release()


class Lines:
    """Several outputs that are ours until `give_back`; one request for those of each chip."""

    def __init__(self) -> None:
        self._requests: list[tuple[gpiod.LineRequest, dict[int, int]]] = []

    def add(self, request: gpiod.LineRequest, numbers: dict[int, int]) -> None:
        """The lines of one chip: by offset, the number of the line among all of these."""
        self._requests.append((request, numbers))

    def drive(self, levels: Sequence[bool]) -> None:
        """Set all of them. Raises what libgpiod raises."""
        for request, numbers in self._requests:
            request.set_values({offset: _value(levels[number]) for offset, number in numbers.items()})

    def give_back(self) -> None:
        """Let go of the lines; they may float then."""
        for request, _ in self._requests:
            request.release()


def outputs(chips: Chips, pins: Sequence[str]) -> Lines:
    """The lines `pins` as outputs that begin inactive and change together. Raises BoltFault, and keeps none then."""
    lines = Lines()
    try:
        on_chip: dict[str, dict[int, int]] = {}
        for number, pin in enumerate(pins):
            path, offset = _found(chips, pin)
            on_chip.setdefault(path, {})[offset] = number
        settings = gpiod.LineSettings(direction=Direction.OUTPUT, output_value=Value.INACTIVE)
        for path, numbers in on_chip.items():
            with chips.open(path) as chip:
                lines.add(chip.request_lines(dict.fromkeys(numbers, settings), consumer=CONSUMER), numbers)
    except Exception as cause:
        lines.give_back()
        if isinstance(cause, BoltFault):
            raise
        msg = f"the lines {', '.join(pins)} cannot be claimed: {cause}"
        raise BoltFault(msg) from cause
    return lines


def output(chips: Chips, pin: str, *, on: bool, active_high: bool = True) -> Line:
    """The line `pin` as an output whose first level is `on`. Raises BoltFault."""
    settings = gpiod.LineSettings(direction=Direction.OUTPUT, active_low=not active_high, output_value=_value(on))
    return claim(chips, pin, settings)


def claim(chips: Chips, pin: str, settings: gpiod.LineSettings) -> Line:
    """The line `pin` with `settings`. Raises BoltFault if it is missing, ambiguous or taken."""
    try:
        path, offset = _found(chips, pin)
        with chips.open(path) as chip:
            return Line(chip.request_lines({offset: settings}, consumer=CONSUMER), offset)
    except BoltFault:
        raise
    except Exception as cause:
        msg = f"the line {pin} cannot be claimed: {cause}"
        raise BoltFault(msg) from cause


def _found(chips: Chips, pin: str) -> tuple[str, int]:
    if pin.startswith("gpiochip"):
        chip_name, _, number = pin.partition(":")
        return f"/dev/{chip_name}", int(number)
    if pin.startswith("chip:"):
        label, _, number = pin.removeprefix("chip:").rpartition(":")
        return _labelled(chips, label, pin), int(number)
    name = pin.removeprefix("line:")
    found = [(path, offset) for path in chips.paths() if (offset := _offset(chips, path, name)) is not None]
    if len(found) != 1:
        how_many = "no GPIO chip has" if not found else "more than one GPIO chip has"
        msg = f"the line {pin} cannot be claimed: {how_many} a line of that name; gpioinfo lists them"
        raise BoltFault(msg)
    return found[0]


def _labelled(chips: Chips, label: str, pin: str) -> str:
    found = [path for path in chips.paths() if _label(chips, path) == label]
    if len(found) != 1:
        how_many = "no GPIO chip has" if not found else "more than one GPIO chip has"
        msg = f"the line {pin} cannot be claimed: {how_many} that label; gpiodetect lists them"
        raise BoltFault(msg)
    return found[0]


def _label(chips: Chips, path: str) -> str:
    with chips.open(path) as chip:
        return str(chip.get_info().label)


def _offset(chips: Chips, path: str, name: str) -> int | None:
    # Not by line_offset_from_id: where no line has the name it takes a name of digits for an offset.
    with chips.open(path) as chip:
        named = (offset for offset in range(chip.get_info().num_lines) if chip.get_line_info(offset).name == name)
        return next(named, None)


def _value(on: bool) -> Value:  # noqa: FBT001 - the level itself
    return Value.ACTIVE if on else Value.INACTIVE

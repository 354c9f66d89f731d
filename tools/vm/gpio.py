"""The board's lines from the wire's side: what the door drives is looked at, what it reads is pulled.

Rules kept here:
- Lines are gpio-sim's: the kernel's own GPIO core and character device lie between them and the door.
- A contact closes to ground. Pulls are set after the door has claimed its lines: claiming one with a pull-up of its own
  changes the simulated pull.
- Times are the guest's CLOCK_MONOTONIC, taken by a program in the guest that looks every 10 ms, once for all tests of a
  boot.

Source: Documentation/admin-guide/gpio/gpio-sim.rst of the kernel.
"""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import dataclass
from typing import Final

from tools.vm.agent import Agent
from tools.vm.say import VmFault

_CHIP: Final = "/sys/devices/platform/gpio-sim.0/gpiochip*"
_NAME: Final = re.compile(r"GPIO([0-9]+)")
_ASK_AGAIN_S: Final = 0.3  # by the guest's clock: whoever asks all the time takes the door its processor
_UNIT: Final = "vm-lines"
_FILE: Final = "/run/vm-lines"
OUTPUTS: Final = ("GPIO16", "GPIO17", "GPIO27")  # what a door of these tests drives


@dataclass(frozen=True, slots=True)
class Change:
    """A line's level from `at_s` (the guest's CLOCK_MONOTONIC) on."""

    at_s: float
    high: bool


class Lines:
    """The lines of one machine, by the names in door.toml, such as "GPIO17"."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def high(self, name: str) -> bool:
        """The level of a line now."""
        return self._agent.ask(f"cat {_CHIP}/sim_gpio{_number(name)}/value").strip() == "1"

    def pull(self, name: str, *, high: bool) -> None:
        """Pull a line from outside."""
        self._agent.ask(f"echo pull-{'up' if high else 'down'} > $(echo {_CHIP}/sim_gpio{_number(name)}/pull)")

    def watch(self) -> Watch:
        """Everything that the door's outputs do from now on."""
        start = f"systemd-run --quiet --collect --unit={_UNIT} -p Nice=-10 /usr/bin/python3 -I -B"
        look = f"{start} /usr/local/sbin/vm_lines.py {_FILE} {' '.join(str(_number(name)) for name in OUTPUTS)}"
        self._agent.ask(f"systemctl --quiet is-active {_UNIT} || {look}")
        enough = f'test "$(wc -l <{_FILE})" -ge {len(OUTPUTS)} && wc -l <{_FILE}'
        return Watch(self._agent, int(self._agent.until(enough, "the first look at the lines")))


class Watch:
    """What the door's outputs did since `Lines.watch`."""

    def __init__(self, agent: Agent, seen: int) -> None:
        self._agent = agent
        self._seen = seen

    def changes(self, name: str, in_s: float = 0.0) -> list[Change]:
        """The levels of `name`: the one at the beginning first, then every change; `in_s` seconds from now."""
        number = str(_number(name))
        rows = [line.split() for line in self._agent.ask(f"sleep {in_s}; cat {_FILE}").splitlines()]
        before = [row for row in rows[: self._seen] if row[1] == number][-1:]
        after = [row for row in rows[self._seen :] if row[1] == number]
        return [Change(int(at) / 1e6, level == "1") for at, _, level in before + after]

    def pulses(self, name: str, in_s: float = 0.0) -> list[tuple[float, float]]:
        """When `name` rose and fell, in seconds, for each time that it was high and is low again, as `changes` does."""
        changes = self.changes(name, in_s)
        pairs = itertools.pairwise(changes)
        return [(first.at_s, second.at_s) for first, second in pairs if first.high and not second.high]

    def wait_pulse(self, name: str, limit_s: float, already: int = 0) -> tuple[float, float]:
        """The first pulse of `name` after `already` ones. Raises VmFault after `limit_s`."""
        ends = time.monotonic() + limit_s
        while len(pulses := self.pulses(name, _ASK_AGAIN_S)) <= already:
            if time.monotonic() > ends:
                msg = f"{name} did not rise and fall within {limit_s:.0f} s: {self.changes(name)[-6:]}"
                raise VmFault(msg)
        return pulses[already]

    def wait_high(self, name: str, limit_s: float) -> Change:
        """The latest change of `name` to high, as soon as it is. Raises VmFault after `limit_s`."""
        ends = time.monotonic() + limit_s
        while not (changes := self.changes(name, _ASK_AGAIN_S / 3)) or not changes[-1].high:
            if time.monotonic() > ends:
                msg = f"{name} did not rise within {limit_s:.0f} s: {changes[-6:]}"
                raise VmFault(msg)
        return changes[-1]


def _number(name: str) -> int:
    found = _NAME.fullmatch(name)
    if found is None:
        msg = f"{name} is no line of the simulated board"
        raise VmFault(msg)
    return int(found[1])

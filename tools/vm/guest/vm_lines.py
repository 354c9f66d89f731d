"""Runs in the guest: writes down every change of some of the board's lines, as somebody with a logic analyser would.

    vm_lines.py FILE LINE...

A line of FILE: microseconds of CLOCK_MONOTONIC, the line's number, its level. The first are those at the start.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

LEVELS = Path("/sys/devices/platform/gpio-sim.0")
EVERY_S = 0.01  # more often, and it is the most that an idle machine does


def main() -> None:
    """Look again and again until somebody ends it."""
    numbers = [int(each) for each in sys.argv[2:]]
    chip = next(LEVELS.glob("gpiochip*/sim_gpio0")).parent
    files = {number: os.open(chip / f"sim_gpio{number}" / "value", os.O_RDONLY) for number in numbers}
    last: dict[int, bytes] = {}
    with Path(sys.argv[1]).open("w", buffering=1, encoding="ascii") as out:
        while True:
            for number, file in files.items():
                level = os.pread(file, 1, 0)
                if last.get(number) != level:
                    last[number] = level
                    out.write(f"{time.monotonic_ns() // 1000} {number} {level.decode()}\n")
            time.sleep(EVERY_S)


if __name__ == "__main__":
    main()

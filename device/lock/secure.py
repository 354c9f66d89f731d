"""`python -m device.lock.secure`: drive the bolt's line locked and stop. For ExecStopPost= of lock's unit.

Rules kept here:
- It claims the line with the secured level and leaves it so: it ends without giving the line back in an orderly way,
  because a driver's clean-up turns the line into an input that floats. What the line does afterwards is the kernel's
  affair: a Raspberry Pi keeps the level, with `dtparam=strict_gpiod` and on other boards the line falls to its rest,
  and so it does on the simulated board (docs/wiring.md: wire the relay so that its rest is locked).
- It releases nothing, on any board, and may be called at any time, any number of times, with every other room down.
- It leaves every other line alone. White lights that a killed lock left burning are dark again when lock claims them at
  its next start; until then they light a doorstep and open nothing.
- A line that lock still owns is left to lock: it is refused, with exit code 1, and stays as it is.
- 0: the line was driven locked. 1: it was not, with the reason in one sentence.
"""

from __future__ import annotations

import os
import sys

from device import config as door_config
from device.config.tables import Config
from device.errors import Fault, Refusal
from device.lock.bolt import Bolt, Wiring
from device.paths import Paths, door_paths

SECURED = "The bolt's line was driven locked."


def claimed(config: Config, paths: Paths) -> Bolt:
    """The bolt of the configured board, secured as it was claimed, without any other line. Raises BoltFault."""
    table, wiring = config.lock, Wiring(config.lock.wiring)
    # Imported where chosen, as in device.lock.assembly.
    match table.board:
        case "sim":
            from device.lock.board_sim import SimBoard

            return SimBoard(paths.board / "cable.sock", wiring).bolt
        case "gpiod":
            from device.lock.board_gpiod import GpiodBolt
            from device.lock.gpiod_lines import kernel_chips

            return GpiodBolt(table.bolt_pin, active_high=table.bolt_active_high, wiring=wiring, chips=kernel_chips())
        case _:
            from device.lock.board_gpiozero import GpiozeroBolt, lgpio_factory

            factory = lgpio_factory(chip=0)
            return GpiozeroBolt(table.bolt_pin, active_high=table.bolt_active_high, wiring=wiring, factory=factory)


def run() -> int:
    """Secure this door's bolt; the exit code."""
    try:
        paths = door_paths()
        claimed(door_config.load(paths.config, without_id=True), paths).secure()
    except (Refusal, Fault) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except Exception as error:  # noqa: BLE001 - a missing library, a chip nobody knows: said, and never a traceback
        sys.stderr.write(f"the bolt's driver cannot be started: {error!r}\n")
        return 1
    sys.stdout.write(f"{SECURED}\n")
    return 0


if __name__ == "__main__":
    code = run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # no clean-up of a driver turns the line into a floating input

"""`python -m device.lock.attached`: what a board's lock could use and is plugged in. For `doorctl setup`.

Rules kept here:
- It looks and changes nothing: no line is claimed, no card is talked to.
- While keypads are listened to, each is taken for this process alone, so that no key reaches a console; of the keys it
  tells which keypad gave a 5, and nothing else.
- What is missing (a library, pcscd, a device) is an empty list and a sentence, not a failure.

    chips                    {"chips": [["LABEL", ["NAME of line 0", "", ...]], ...]}
    readers                  {"readers": ["NAME", ...]}
    keypads SECONDS PATH...  {"keypad": "PATH"} as soon as one gives a 5, {"keypad": ""} if none does
"""

from __future__ import annotations

import json
import select
import sys
import time
from collections.abc import Callable, Sequence

from device.errors import Fault
from device.lock.keypad_evdev import EvdevKeypad, Kernel, kernel
from device.lock.state import Key

_LONGEST_S = 120.0
_LOOK_S = 0.2


def chips() -> dict[str, object]:
    """The GPIO chips by their labels, each with the names of its lines."""
    from device.lock.gpiod_lines import kernel_chips

    system = kernel_chips()
    found: list[tuple[str, list[str]]] = []
    for path in system.paths():
        with system.open(path) as chip:
            info = chip.get_info()
            found.append((info.label, [chip.get_line_info(offset).name for offset in range(info.num_lines)]))
    return {"chips": found}


def readers() -> dict[str, object]:
    """The names of the PC/SC readers."""
    from device.lock.pcsc_calls import Pcsc

    system = Pcsc()
    system.open()
    try:
        return {"readers": system.readers()}
    finally:
        system.close()


def keypads(
    paths: Sequence[str], wait_s: float, system: Kernel, clock: Callable[[], float] = time.monotonic
) -> dict[str, object]:
    """The first of `paths` on which somebody presses 5 within `wait_s`; empty if nobody does."""
    ends = clock() + min(wait_s, _LONGEST_S)
    pads = {path: EvdevKeypad(path, "", system) for path in paths}
    try:
        while (now := clock()) < ends:
            for path, pad in pads.items():
                if Key("5") in pad.events(now):
                    return {"keypad": path}
            fds = [fd for pad in pads.values() if (fd := pad.fileno()) is not None]
            select.select(fds, [], [], min(_LOOK_S, ends - now))
    finally:
        for pad in pads.values():
            pad.close()
    return {"keypad": ""}


def run(words: Sequence[str]) -> int:
    """Answer one question on standard output; the exit code."""
    try:
        match words:
            case ["chips"]:
                answer = chips()
            case ["readers"]:
                answer = readers()
            case ["keypads", seconds, *paths] if paths:
                answer = keypads(paths, float(seconds), kernel())
            case _:
                answer = {"refused": "this is asked with chips, readers, or keypads SECONDS PATH..."}
    except Fault as fault:
        answer = {"refused": str(fault)}
    except Exception as error:  # noqa: BLE001 - a missing library or a device that fails: said, and never a traceback
        answer = {"refused": f"what is plugged in cannot be seen: {error!r}"}
    sys.stdout.write(json.dumps(answer) + "\n")
    return 1 if "refused" in answer else 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))

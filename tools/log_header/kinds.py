"""Which sources decide the figures of which log.

Rules kept here:
- A kind names modules, and everything that they import, directly or not, decides as well; what the attack lab names
  one by one (`tools/attack_lab/record.py`, with a test) is taken as named.
- Libraries that compute figures are named too: another version is another state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from device.edges import PROCESSES
from tools.attack_lab.record import DECIDE


@dataclass(frozen=True, slots=True)
class Kind:
    """What decides the figures of a log: modules with all that they import, files by pattern, installed packages.

    `within`: of what the modules import only what is below these counts by its bytes. All else counts by what it does:
    `done` names functions (`package.module:name`) that tell so in a text, whole enough that the figures follow from it.
    """

    modules: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


_SEEN_BY: Final = ("ai-edge-litert", "numpy", "pillow")

KINDS: Final[Mapping[str, Kind]] = {
    "accuracy": Kind(
        modules=("tools.evaluate.accuracy",),
        files=("models/*.tflite", "models/impostor-tail.toml"),
        packages=_SEEN_BY,
    ),
    "attack-lab": Kind(
        files=(*DECIDE, "models/facemesh.tflite", "models/yunet.tflite"),
        packages=_SEEN_BY,
    ),
    "soak": Kind(
        modules=("tools.soak", "tools.simulator", *(f"device.{room}" for room in PROCESSES)),
        files=("models/*.tflite",),
        packages=(*_SEEN_BY, "paho-mqtt", "pynacl", "scipy"),
    ),
    "anonymity": Kind(
        modules=("tools.anonymity",),
        within=("tools.anonymity", "tools.evaluate.intervals", "device.report", "device.lock.daily_count"),
        done=("tools.anonymity.behaviour:told",),
        packages=("numpy", "scikit-learn"),
    ),
}

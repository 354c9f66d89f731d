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

from tools.attack_lab.record import DECIDE


@dataclass(frozen=True, slots=True)
class Kind:
    """What decides the figures of a log: modules with all that they import, files by pattern, installed packages."""

    modules: tuple[str, ...] = ()
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
    "anonymity": Kind(modules=("tools.anonymity",), packages=("numpy", "scikit-learn")),
}

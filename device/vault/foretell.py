"""`python -m device.vault.foretell`: what a false-open budget will cost the residents. For `doorctl setup`.

Rules kept here:
- The numbers are those by which vault itself decides (`budget`, `tail`); no store is opened and no key is read.
- No threshold is told: it is not set by anybody, and says nothing to a person. Told is what follows from it.

In: door.toml on standard input. Out: one object of JSON.

    {"alone": 0.017, "faces": 4, "at_most": 0.309}

`faces`: with so many faces awake a press of the button is enough, with one more a flat number is asked for first; 0 if
not for one, and then a flat number is of no use either, but for frames that are all alike. `alone` and `at_most`: the
share of the right people's approaches refused with one face awake, and with `faces`.
"""

from __future__ import annotations

import json
import sys
from typing import TextIO

from device import config as door_config
from device import manifest
from device.config.tables import Config
from device.errors import Fault, Refusal
from device.manifest import Job
from device.paths import models_dir
from device.vault import tail
from device.vault.budget import Budget, Thresholds

_MOST_FACES = 1000  # more flats than a door has


def foretell(door: Config, measured: tail.Tail) -> dict[str, object]:
    """The three numbers for the budget of `door`."""
    budget = Budget(door.vault.false_opens_per_year, door.vault.strangers_per_day)
    thresholds = Thresholds(budget, measured, door.eye.frames)
    refused: list[float] = []
    for faces in range(1, _MOST_FACES + 1):
        threshold = thresholds.threshold(faces, door.eye.enrol_frames)
        if threshold is None:
            break
        refused.append(measured.refused(door.eye.enrol_frames, door.eye.frames, threshold))
    return {"alone": refused[0] if refused else 1.0, "faces": len(refused), "at_most": refused[-1] if refused else 1.0}


def run(toml: TextIO, out: TextIO) -> int:
    """Answer; the exit code."""
    try:
        door = door_config.parse(toml.read(), without_id=True)
        embedder = manifest.load(models_dir()).for_job(Job.EMBED)
        told = foretell(door, tail.load(models_dir(), embedder.sha256))
    except (Refusal, Fault) as error:
        told = {"refused": str(error)}
    out.write(json.dumps(told) + "\n")
    return 1 if "refused" in told else 0


if __name__ == "__main__":
    sys.exit(run(sys.stdin, sys.stdout))

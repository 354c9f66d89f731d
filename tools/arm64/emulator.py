"""Run networks on a processor that is not here, and have their instructions counted.

Rules kept here:
- One start of the emulator counts many networks: the start itself is the most expensive part.
- What a runtime refuses is reported by name, and is no reason to stop.
- Nothing is measured in seconds: an emulated processor has none.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.eye.runtime import Runtime
from tools.arm64 import counts, ground, guest, kinds
from tools.arm64.counts import Counted
from tools.arm64.processors import Processor
from tools.vm.say import VmFault

MODULES: Final = {Runtime.LITERT: "ai_edge_litert.interpreter", Runtime.TFLITE: "tflite_runtime.interpreter"}
_PYTHON: Final = "usr/bin/python3.11"


@dataclass(frozen=True, slots=True)
class Job:
    """One network to run. `model`, `inputs`: files; `outputs`: the file to write, one array an output.

    `runs`: at least 2, of which the first is not counted.
    """

    name: str
    model: Path
    inputs: Path
    outputs: Path
    threads: int
    xnnpack: bool
    runs: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of the jobs: counts by a job's place in the list, and what was refused, in the runtime's words."""

    counted: dict[int, Counted]
    refused: tuple[str, ...]


def run(processor: Processor, runtime: Runtime, jobs: Sequence[Job], folder: Path) -> Answer:
    """Run `jobs`; `folder` holds what passes between here and there. Raises VmFault."""
    folder.mkdir(parents=True, exist_ok=True)
    told, written = folder / f"{processor.name}-{runtime}.json", folder / f"{processor.name}-{runtime}.counts"
    told.write_text(json.dumps({"module": MODULES[runtime], "jobs": [_told(job) for job in jobs]}), encoding="utf-8")
    root = ground.root(processor)
    plugin = ",".join([str(ground.counter()), f"out={written}", *kinds.arguments()])
    qemu = shutil.which("qemu-aarch64")
    if qemu is None:
        raise VmFault("qemu-aarch64 is not here; please run: sudo apt-get install --no-install-recommends qemu-user")
    command = [qemu, "-cpu", processor.name, "-plugin", plugin, "-L", str(root), str(root / _PYTHON)]
    done = subprocess.run(
        [*command, "-s", str(Path(guest.__file__)), str(told)],
        env={"PYTHONPATH": str(ground.site(runtime)), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it did not say why"])[-1]
        raise VmFault(f"{runtime} on {processor.name} ended with {done.returncode}: {last}")
    found = counts.read(written.read_text(encoding="ascii").splitlines())
    refused = tuple(line for line in done.stdout.splitlines() if line.startswith("refused: "))
    return Answer({place: counts.middle(runs) for place, runs in found.items()}, refused)


def _told(job: Job) -> dict[str, object]:
    return {
        "name": job.name,
        "model": str(job.model),
        "inputs": str(job.inputs),
        "outputs": str(job.outputs),
        "threads": job.threads,
        "xnnpack": job.xnnpack,
        "runs": job.runs,
    }

"""What is counted: which networks, in which number formats, on how many threads.

Rules kept here:
- The shipped files are run on every sample picture, for their results are compared; the others are only counted, and
  the counts of the shipped ones say how far two runs differ.
- Without XNNPACK, and on more threads, only the shipped files are counted: the other formats are for comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.eye.runtime import Runtime
from tools.arm64.emulator import Job
from tools.arm64.inputs import NETWORKS
from tools.arm64.processors import Processor

SHIPPED: Final = {"yunet": "float32", "facemesh": "float16", "sface": "int8"}
# By network, what was made of it besides (`tools.arm64.variants`).
MADE: Final = {
    "yunet": ("int8", "float16", "float16-arithmetic"),
    "facemesh": ("int8", "float16-arithmetic"),
    "sface": ("float16", "float16-arithmetic"),
}
MORE_THREADS: Final = 2
RUNS: Final = 2  # of what is only counted; the first is for the buffers


@dataclass(frozen=True, slots=True)
class Asked:
    """One count: a row of the table."""

    network: str
    numbers: str
    xnnpack: bool = True
    threads: int = 1

    @property
    def ships(self) -> bool:
        """If the door has this file."""
        return SHIPPED[self.network] == self.numbers

    @property
    def name(self) -> str:
        """Of the job, and of the file with its results."""
        return f"{self.network}-{self.numbers}-{'xnnpack' if self.xnnpack else 'builtin'}-{self.threads}"


def asked() -> list[Asked]:
    """Every count, in the order of the table."""
    rows = []
    for network in NETWORKS:
        formats = (SHIPPED[network], *MADE[network])
        rows += [Asked(network, numbers) for numbers in formats]
        rows.append(Asked(network, SHIPPED[network], threads=MORE_THREADS))
        rows.append(Asked(network, SHIPPED[network], xnnpack=False))
    return rows


@dataclass(frozen=True, slots=True)
class Places:
    """Where files are. `inputs`: by network."""

    models: Path
    variants: Path
    inputs: Mapping[str, Path]
    results: Path

    def model(self, row: Asked) -> Path:
        """The file of the network."""
        return (
            self.models / f"{row.network}.tflite"
            if row.ships
            else self.variants / f"{row.network}-{row.numbers}.tflite"
        )

    def outputs(self, row: Asked, processor: Processor, runtime: Runtime) -> Path:
        """Where the results of a row go."""
        return self.results / f"{processor.name}-{runtime}-{row.name}.npz"

    def job(self, row: Asked, processor: Processor, runtime: Runtime, pictures: int) -> Job:
        """The row as a job of the emulator; `pictures`: how many there are."""
        every = row.ships and row.xnnpack and row.threads == 1
        return Job(
            name=row.name,
            model=self.model(row),
            inputs=self.inputs[row.network],
            outputs=self.outputs(row, processor, runtime),
            threads=row.threads,
            xnnpack=row.xnnpack,
            runs=pictures if every else RUNS,
        )

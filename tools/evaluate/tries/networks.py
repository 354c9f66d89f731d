"""Other builds of the embedder beside the shipped one: what each costs, and how near it comes to the float network.

Rules kept here:
- Time is processor time of one run, the least and the median of RUNS, all networks in turn: what else the machine does
  while one of them is measured meets the others too.
- Nearness is the cosine of the same crop's embeddings, in the light and after `tools.models.compare.darkened`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from tools.evaluate.tries.embed import Bench, Floats, Folder
from tools.evaluate.tries.tries import FLOAT, of_networks
from tools.evaluate.tries.variants import Variant
from tools.models.runner import Runner

RUNS: Final = 60
SIDE: Final = 112


def milliseconds(files: Mapping[str, Path]) -> dict[str, Floats]:
    """(RUNS,) by name: processor time of each run, milliseconds."""
    runners = {name: Runner.load(path) for name, path in files.items()}
    crop = np.random.default_rng(1).uniform(-1, 1, (1, SIDE, SIDE, 3)).astype(np.float32)
    took = {name: np.zeros(RUNS, np.float32) for name in runners}
    for turn in range(RUNS):
        for name, runner in runners.items():
            start = time.process_time_ns()
            runner(crop)
            took[name][turn] = (time.process_time_ns() - start) / 1e6
    return took


def near(bench: Bench, people: Folder, name: str, spoiled: str) -> str:
    """Cosines with the float network's embeddings: the least, the lowest twentieth, the mean."""
    mine, wanted = (Variant(each, spoiled=spoiled) for each in (name, FLOAT.network))
    made = bench.embeddings(people, [mine, wanted])
    found = (made[mine] * made[wanted]).sum(axis=1)
    return f"{found.min():.4f}, {np.quantile(found, 0.05):.4f}, {found.mean():.4f}"


def table(bench: Bench, people: Folder) -> str:
    """A Markdown table of every network of the embedder's kind; nearness where the float one is there."""
    names = [each.probe[0].network for each in of_networks(bench.networks)]
    took = milliseconds({name: bench.networks[name] for name in names})
    lines = [
        "| network | bytes | processor ms, least and median | cosine with float: least, 5 %, mean | in the dark |",
        "|---|---|---|---|---|",
    ]
    for name in names:
        alike = [near(bench, people, name, how) if FLOAT.network in names else "" for how in ("no", "dark")]
        cost = f"{took[name].min():.1f}, {np.median(took[name]):.1f}"
        lines.append(f"| {name} | {bench.networks[name].stat().st_size} | {cost} | {' | '.join(alike)} |")
    return "\n".join(lines)

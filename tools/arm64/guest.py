"""What runs inside the emulated processor: networks in one runtime, with a mark around every run.

Rules kept here:
- Nothing but numpy and the runtime is imported: this is run by another Python, for another processor.
- Every run is marked before and after, and a run of nothing is marked as well: what the marks cost can be taken away.
- The inputs are given and the outputs are written: what was counted is what was computed.
- A network that the runtime refuses is said to be refused, and the others are run.

Started by `tools.arm64.emulator`, never by hand; the one argument is a JSON file as that module writes it.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

MARK_DESCRIPTOR = 1000001  # as in count.c: no process has so many files open
LOADED, NOTHING = 0, 1
FIRST_RUN = 2  # the run of job i, counted from 0, is marked FIRST_RUN + i


def main(path: Path) -> None:
    """Run every job of the file at `path`."""
    told = json.loads(path.read_text(encoding="utf-8"))
    module = importlib.import_module(told["module"])
    for number, job in enumerate(told["jobs"]):
        try:
            run(_network(module, job), job, FIRST_RUN + number)
        except (ValueError, RuntimeError) as refused:
            print(f"refused: {job['name']}: {refused}", flush=True)


def mark(ended: int) -> None:
    """Tell the counter what ran since the last mark."""
    try:
        os.lseek(MARK_DESCRIPTOR, ended, os.SEEK_SET)
    except OSError:
        return


def run(net: Any, job: dict[str, Any], number: int) -> None:
    """The network on each of its inputs, and its outputs into the file that the job names."""
    into = net.get_input_details()[0]
    outputs = net.get_output_details()
    results = []
    for values in _stored(np.load(job["inputs"])[: job["runs"]], into):
        net.set_tensor(into["index"], values)
        mark(LOADED)
        mark(NOTHING)
        net.invoke()
        mark(number)
        results.append([_real(net.get_tensor(each["index"]), each) for each in outputs])
    np.savez(job["outputs"], *(np.stack(each) for each in zip(*results, strict=True)))


def _network(module: Any, job: dict[str, Any]) -> Any:
    kinds = module.OpResolverType
    kind = kinds.AUTO if job["xnnpack"] else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    net = module.Interpreter(model_path=job["model"], num_threads=job["threads"], experimental_op_resolver_type=kind)
    net.allocate_tensors()
    return net


def _stored(inputs: Any, details: dict[str, Any]) -> Any:
    if details["dtype"] == np.float32:
        return inputs
    scale, zero = details["quantization"]
    limits = np.iinfo(details["dtype"])
    return np.clip(np.rint(inputs / scale + zero), limits.min, limits.max).astype(details["dtype"])


def _real(values: Any, details: dict[str, Any]) -> Any:
    if details["dtype"] == np.float32:
        return values
    scale, zero = details["quantization"]
    return (values.astype(np.float32) - zero) * np.float32(scale)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

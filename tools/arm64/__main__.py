"""`python -m tools.arm64`: count the networks' instructions on arm64 and compare what they answer.

Rules kept here:
- What is missing on this computer is said first, by the names of Debian's packages.
- Everything fetched or made is kept in .cache; nothing is installed but Debian's packages, and those only as root.
- The log begins with what its figures depend on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import click
import numpy as np

from device.errors import Fault, Refusal
from device.eye.runtime import Runtime
from tools.arm64 import agree, emulator, ground, inputs, table
from tools.arm64.emulator import Answer
from tools.arm64.plan import Asked, Places, asked
from tools.arm64.processors import PROCESSORS, Processor
from tools.benchmark import machine
from tools.vm import host
from tools.vm.say import VmFault, step

CACHE = host.CHECKOUT / ".cache" / "arm64"
MODELS = host.CHECKOUT / "models"
PYTHON_OF_MODELS = host.CHECKOUT / ".cache" / "venv-models" / "bin" / "python"
THRESHOLD = 0.60  # models/manifest.toml, sface.operating_point
_BOTH = (Runtime.LITERT, Runtime.TFLITE)


@click.command()
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), help="Write the tables to this file as well.")
def main(*, log: Path | None) -> None:
    """Count the instructions of every network on arm64 processors, without having one.

    \b
    Example: sudo .venv/bin/python -m tools.arm64 --log docs/logs/2026-11-22-arm64.txt
    """
    try:
        host.need(ground.NEEDED)
        said = [*_head(), *_measured(_places())]
    except (VmFault, Refusal, Fault, OSError) as cause:
        print(f"{str(cause)[:1].upper()}{str(cause)[1:]}.", file=sys.stderr)
        sys.exit(1)
    text = "\n".join(said) + "\n"
    print(text, end="")
    if log:
        log.write_text(text, encoding="utf-8")


def _head() -> list[str]:
    qemu = host.run("arm64", ["qemu-aarch64", "--version"]).splitlines()[0]
    return [*(f"{name}: {value}" for name, value in machine.described().items()), f"emulator: {qemu}", ""]


def _places() -> Places:
    files = inputs.make(CACHE / "inputs", MODELS)
    variants = CACHE / "variants"
    places = Places(MODELS, variants, files, CACHE / "results")
    if not all(places.model(row).is_file() for row in asked()):
        with step("making the networks in other number formats"):
            host.run("arm64", ["sh", "tools/setup.sh", "models"], cwd=host.CHECKOUT)
            made = [str(PYTHON_OF_MODELS), "-m", "tools.arm64.variants", str(variants), str(files["facemesh"])]
            host.run("arm64", made, cwd=host.CHECKOUT)
    places.results.mkdir(parents=True, exist_ok=True)
    return places


def _measured(places: Places) -> list[str]:
    for runtime in _BOTH:
        ground.site(runtime)
    rows = asked()
    cases = [(processor, runtime) for processor in PROCESSORS for runtime in _BOTH]
    with step("counting"), ThreadPoolExecutor(len(cases)) as pool:
        answers = list(pool.map(partial(_counted, places, rows), cases))
    said = ["Millions of instructions a run, all threads; the kinds of vector instructions are part of them."]
    for (processor, runtime), answer in zip(cases, answers, strict=True):
        said += ["", f"{processor.name} ({processor.boards}), {runtime}", *table.lines(rows, answer.counted)]
        said += [*answer.refused, *_agreement(places, rows, processor, runtime)]
    return said


def _counted(places: Places, rows: Sequence[Asked], case: tuple[Processor, Runtime]) -> Answer:
    processor, runtime = case
    jobs = []
    for row in rows:
        pictures = len(np.load(places.inputs[row.network], mmap_mode="r"))
        jobs.append(places.job(row, processor, runtime, pictures))
    return emulator.run(processor, runtime, jobs, CACHE / "jobs")


def _agreement(places: Places, rows: Sequence[Asked], processor: Processor, runtime: Runtime) -> list[str]:
    """What this computer's LiteRT answers is the reference: it is what the models' figures were measured with."""
    said = ["", f"the shipped files against {Runtime.LITERT} on this computer, {processor.name}, {runtime}:"]
    for row in rows:
        if not (row.ships and row.xnnpack and row.threads == 1):
            continue
        here = inputs.answers(places.model(row), places.inputs[row.network], Runtime.LITERT)
        with np.load(places.outputs(row, processor, runtime)) as file:
            there = [file[name] for name in file.files]
        if row.network == "sface":
            e = agree.embeddings(here[0], there[0], THRESHOLD)
            said.append(
                f"  sface: cosine least {e.least:.4f}, mean {e.mean:.4f} of {len(here[0])} pictures; {e.flipped} of "
                f"{e.pairs} pairs decided otherwise, a pair's cosine moved by {e.moved:.4f} at most"
            )
        else:
            said.append(f"  {row.network}: outputs differ by {agree.largest_difference(here, there):.2g} at most")
    return said


if __name__ == "__main__":
    main()

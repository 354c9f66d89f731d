"""The runtime that a door takes by itself is the one the figures speak for, and the figures are those of the log."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from device.eye.runtime import PREFERENCE, Runtime, choose
from tools.arm64.plan import SHIPPED
from tools.arm64.processors import PROCESSORS

ROOT = Path(__file__).resolve().parents[3]
LOG = ROOT / "docs" / "logs" / "2026-11-22-arm64.txt"
Figures = dict[str, dict[str, dict[str, float]]]
NAMES = [each.name for each in PROCESSORS]


def figures() -> Figures:
    tables = tomllib.loads((ROOT / "models" / "manifest.toml").read_text(encoding="utf-8"))
    return {network: tables[network]["measured"]["arm64_millions"] for network in SHIPPED}


def cheapest_first(millions: Figures, processor: str) -> tuple[Runtime, ...]:
    return tuple(sorted(Runtime, key=lambda each: sum(of[processor][each] for of in millions.values())))


def logged(processor: str, runtime: Runtime) -> dict[str, str]:
    """Millions by network: the shipped file, XNNPACK on, one thread."""
    lines = LOG.read_text(encoding="utf-8").splitlines()
    first = next(
        i for i, line in enumerate(lines) if line.startswith(f"{processor} (") and line.endswith(f", {runtime}")
    )
    rows = [line.split() for line in lines[first + 2 : lines.index("", first)]]
    return {row[0]: row[5] for row in rows if row[2:5] == ["ships", "on", "1"]}


@pytest.mark.parametrize("processor", NAMES)
def test_the_preferred_runtime_is_the_one_with_fewer_instructions(processor: str) -> None:
    assert cheapest_first(figures(), processor) == PREFERENCE
    assert choose("auto", frozenset(Runtime)) is PREFERENCE[0]


@pytest.mark.parametrize("processor", NAMES)
def test_other_figures_would_ask_for_another_order(processor: str) -> None:
    swapped = {
        network: {name: {"litert": of["tflite"], "tflite": of["litert"]} for name, of in each.items()}
        for network, each in figures().items()
    }
    assert cheapest_first(swapped, processor) != PREFERENCE


@pytest.mark.parametrize("processor", NAMES)
@pytest.mark.parametrize("runtime", list(Runtime))
def test_the_manifests_figures_are_those_of_the_log(processor: str, runtime: Runtime) -> None:
    stated = {network: f"{of[processor][runtime]:.1f}" for network, of in figures().items()}
    assert logged(processor, runtime) == stated

"""docs/evidence.md says what the committed run says, and the run is of the network that ships."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from device import manifest
from device.manifest import Job
from tools.evaluate.cli_accuracy import MODELS, ROOT

LOGS = ROOT / "docs" / "logs"
PAGE = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
TOLD: dict[str, Any] = json.loads((LOGS / "2026-11-23-accuracy.json").read_text(encoding="utf-8"))
WRITTEN = (LOGS / "2026-11-23-accuracy.txt").read_text(encoding="utf-8")


def today() -> str:
    """The section "accuracy today"."""
    return PAGE.partition("## Accuracy today")[2].partition("\n## ")[0]


def test_the_run_is_of_the_shipped_network() -> None:
    assert TOLD["embedder"] == manifest.load(MODELS).for_job(Job.EMBED).sha256.hex()


def test_every_row_of_the_page_stands_in_the_run() -> None:
    rows = [line for line in today().splitlines() if line.startswith("|") and not line.startswith("|---")]
    assert len(rows) > 40
    lost = [row for row in rows if row not in WRITTEN]
    assert not lost


def test_the_text_and_the_numbers_are_of_one_run() -> None:
    assert f"{TOLD['pictures']} pictures of {TOLD['people']} people" in WRITTEN
    assert TOLD["embedder"][:16] in WRITTEN
    first = TOLD["verified"][0]
    assert f"| {first['residents']} | {first['probes']} | {first['comparisons']:,} | {first['eer']:.2%} |" in WRITTEN


@pytest.mark.parametrize("name", ["det", "frames", "conditions", "groups"])
def test_every_curve_of_the_page_is_there(name: str) -> None:
    assert f"accuracy-{name}.svg" in PAGE
    assert (ROOT / "docs" / "pictures" / f"accuracy-{name}.svg").is_file()


def test_the_readme_says_the_same_figure_and_leads_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "docs/evidence.md" in readme
    (door,) = [
        at
        for each in TOLD["verified"]
        if (each["design"]["enrolled"], each["design"]["frames"]) == (5, 3)
        for at in each["door"]
        if at["faces"] == 1
    ]
    value, low, high = (door["fnmr"][name] * 100 for name in ("value", "low", "high"))
    said = f"{value:.1f} % (95 %: {low:.1f} to {high:.1f})"
    assert said in " ".join(readme.split())


def test_the_page_does_not_name_this_machines_folders() -> None:
    for text in (PAGE, WRITTEN, json.dumps(TOLD)):
        assert str(Path.home()) not in text
        assert "/tmp" not in text

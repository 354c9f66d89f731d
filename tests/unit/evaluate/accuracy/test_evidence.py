"""docs/evidence.md says what the committed run says, and the run is of the network that ships."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from device import manifest
from device.manifest import Job
from tools.card.logs import newest
from tools.evaluate.cli_accuracy import MODELS, ROOT

LOG = ROOT / newest(ROOT, "accuracy", "json")
PEERS: dict[str, Any] = json.loads((ROOT / newest(ROOT, "peers", "json")).read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
TOLD: dict[str, Any] = json.loads(LOG.read_text(encoding="utf-8"))
WRITTEN = LOG.with_suffix(".txt").read_text(encoding="utf-8")
LAB_LOG = re.search(r"logs/\S+-attack-lab\S*\.txt", PAGE)  # the newest may be newer than the page, and read on the card


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


def in_short() -> str:
    """The table that stands first, in one line."""
    return " ".join(PAGE.partition("## In short")[2].partition("\n## ")[0].split())


def test_what_stands_first_is_what_the_runs_say_of_residents() -> None:
    told = in_short()
    (whole,) = [each for each in TOLD["verified"] if each["design"]["enrolled"] == 5 and each["design"]["frames"] == 3]
    for at in whole["door"]:
        value, low, high = (at["fnmr"][name] * 100 for name in ("value", "low", "high"))
        assert f"{value:.1f} % ({low:.1f} to {high:.1f})" in told, f"{at['faces']} faces awake"
        assert at["fmr"]["value"] == 0.0, "the page says that no comparison with strangers matched"
    assert f"none of {whole['comparisons']:,} comparisons" in told


def test_what_stands_first_is_what_the_lab_says_of_the_worst_attack() -> None:
    """Of prints and cutouts, of screens and films, of paper masks: the instrument that passed most often."""
    told = in_short()
    assert LAB_LOG
    lab = json.loads((ROOT / "docs" / LAB_LOG[0]).read_text(encoding="utf-8").rstrip().splitlines()[-1])
    for count in ("transaction_passed", "twice_passed"):
        for begins in (("print", "cutout"), ("screen", "injected film", "replay"), ("paper",)):
            shares = [kind[count] for kind in lab["kinds"] if kind["name"].startswith(begins) and count in kind]
            if shares:
                worst = max(shares, key=lambda each: (each["count"] / each["trials"], each["high"]))
                bounds = f"({worst['low'] * 100:.1f} to {worst['high'] * 100:.1f} %)"
                assert f"{worst['count']} of {worst['trials']} {bounds}" in told, (count, begins)


def test_what_stands_first_is_what_the_peers_run_says() -> None:
    told = in_short()
    found = {each["tool"]: each["errors"]["1 residents, 3 pictures"] for each in PEERS["tools"]}
    ours = found.pop("Doorward")
    assert ours["strangers_accepted"]["people_wrong"] == 0
    let_in = [each["strangers_accepted"]["people_wrong"] for each in found.values()]
    assert f"{min(let_in)} to {max(let_in)} of {ours['strangers_accepted']['people']}" in told
    assert f"the door {ours['residents_rejected']['people_wrong']}" in told


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

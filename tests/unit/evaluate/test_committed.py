"""The committed tail against the committed counts, the list it rests on, and the page people read."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from device import manifest
from device.manifest import Job
from device.vault import tail as tail_file
from tools.evaluate import cli, report
from tools.evaluate.files import up
from tools.evaluate.groups import judged_in, people
from tools.evaluate.intervals import upper_bound
from tools.evaluate.tail import BINS, THRESHOLDS, combined, judging_factor

MODELS = cli.MODELS
DOCS = cli.ROOT / "docs"
TAIL: dict[str, Any] = tomllib.loads((MODELS / tail_file.FILE).read_text())
COUNTS: dict[str, Any] = tomllib.loads((MODELS / "impostor-tail-counts.toml").read_text())
LIST: dict[str, Any] = tomllib.loads((MODELS / "duplicates.toml").read_text())
USED = sorted(TAIL["cells"])


def histogram_of(name: str) -> np.ndarray[Any, np.dtype[np.int_]]:
    whole = np.zeros(BINS, int)
    cell = COUNTS[name]
    whole[cell["from_bin"] : cell["from_bin"] + len(cell["counts"])] = cell["counts"]
    return whole


def test_both_files_are_of_the_shipped_network() -> None:
    own = manifest.load(MODELS).for_job(Job.EMBED).sha256.hex()
    assert TAIL["model_sha256"] == COUNTS["model_sha256"] == own


def test_every_comparison_of_every_cell_is_counted() -> None:
    cells = {name: cell for name, cell in COUNTS.items() if isinstance(cell, dict)}
    assert len(cells) == 12
    for name, cell in cells.items():
        assert histogram_of(name).sum() == cell["pairs"], name
    assert sorted(name for name, cell in cells.items() if cell["used"]) == USED


@pytest.mark.parametrize("name", USED)
def test_pairs_are_missing_only_where_the_list_names_them(name: str) -> None:
    cell = TAIL["cells"][name]
    everything = cell["pictures"] * (cell["pictures"] - 1) // 2
    judged = judged_in(MODELS / "duplicates.toml")[name]
    files = np.array(sorted({file for pair in judged.same for file in pair}))
    person = people(files, judged.same)
    _, sizes = np.unique(person, return_counts=True)
    assert everything - cell["pairs"] == int((sizes * (sizes - 1) // 2).sum())
    assert cell["pictures"] - cell["people"] == int((sizes - 1).sum())
    assert not judged.same & judged.apart


@pytest.mark.parametrize("name", USED)
def test_the_tail_s_counts_are_the_histogram_s(name: str) -> None:
    from_above = histogram_of(name)[::-1].cumsum()[::-1]
    bins = np.round((THRESHOLDS + 1) * 1000).astype(int)
    # A score on the edge of a bin lies in the bin and not above the threshold; there are hardly any.
    assert np.abs(from_above[bins] - np.array(TAIL["cells"][name]["above"])).max() <= 2


@pytest.mark.parametrize("name", USED)
def test_the_bound_the_door_uses_follows_from_the_three_it_is_made_of(name: str) -> None:
    cell = TAIL["cells"][name]
    parts = [np.array(cell[part]) for part in ("counted", "resampled", "fitted")]
    again = combined(parts[0], parts[1], parts[2], TAIL["judging_factor"])
    assert np.allclose(again, cell["upper"], rtol=0.02)
    for place in range(0, len(THRESHOLDS), 10):
        if cell["above"][place]:
            assert cell["counted"][place] == up(upper_bound(cell["above"][place], cell["pairs"]))


def test_the_factor_follows_from_the_judge_s_blind_test() -> None:
    control = LIST["control"]
    assert up(judging_factor(control["look_alikes"], control["called_same"])) == TAIL["judging_factor"]


def test_the_page_for_people_shows_the_table_that_the_door_computes() -> None:
    tail = tail_file.load(MODELS, bytes.fromhex(TAIL["model_sha256"]))
    assert report.table(report.rows(tail)) in (DOCS / "budget.md").read_text(encoding="utf-8")


def test_the_table_changes_when_the_tail_does() -> None:
    """The seeded fault: a page written from another tail."""
    tail = tail_file.load(MODELS, bytes.fromhex(TAIL["model_sha256"]))
    milder = tail_file.Tail(tail.model_sha256, tail.first, tail.step, tail.cells[-1:], tail.averaging)
    assert report.table(report.rows(milder)) not in (DOCS / "budget.md").read_text(encoding="utf-8")


def test_sheets_with_faces_are_not_written_into_the_checkout(tmp_path: Path) -> None:
    answer = CliRunner().invoke(cli.main, ["sheets", "--groups", str(tmp_path), "--out", str(cli.ROOT / "sheets")])
    assert answer.exit_code == 2
    assert "do not belong in the checkout" in answer.output


@pytest.mark.parametrize("command", ["tail", "report"])
def test_a_folder_without_pictures_is_one_sentence(command: str, tmp_path: Path) -> None:
    options = ["--faces", str(tmp_path), "--cache", str(tmp_path / "cache")]
    if command == "tail":
        options += ["--groups", str(tmp_path), "--out", str(tmp_path / "out")]
    answer = CliRunner().invoke(cli.main, [command, *options])
    assert answer.exit_code == 2
    assert "there is no folder with .jpg pictures" in answer.output
    assert not (tmp_path / "out").exists()

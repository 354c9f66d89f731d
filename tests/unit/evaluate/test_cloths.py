"""The tail of covered faces: the worse cloth counts, and the page says what the committed file says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from device import manifest
from device.meaning import meaning
from device.vault import tail as tail_file
from device.vault.budget import Budget, Thresholds
from device.vault.tail import Tail
from tools.evaluate import cli, cloths
from tools.evaluate.averaging import Shift
from tools.evaluate.files import Mode
from tools.evaluate.gather import gather
from tools.evaluate.tries import aligned
from tools.models.covered import CLOTHS
from tools.samples import sample

BARE, COVERED = (tail_file.parse((cli.MODELS / name).read_bytes()) for name in (tail_file.FILE, tail_file.COVERED_FILE))
PAGE = (cli.ROOT / "docs" / "budget.md").read_text(encoding="utf-8")


def mode(shift: float, *fnmr: float) -> Mode:
    return Mode(5, 3, 100, 400, (Shift(1e-3, 0.4, shift, shift),), np.array(fnmr))


def test_of_two_cloths_the_larger_shift_and_the_larger_refusals_count() -> None:
    (made,) = cloths.worse([mode(0.05, 0.1, 0.4)], [mode(0.08, 0.2, 0.3)])
    assert made.shift == pytest.approx(0.08)
    assert list(made.fnmr) == [0.2, 0.4]


def test_every_cloth_that_is_measured_is_one_that_is_painted() -> None:
    assert [cloth.name for cloth in cloths.worn()] == [cloth.name for cloth in CLOTHS if cloth.name in cloths.WORN]
    assert len(cloths.worn()) == len(cloths.WORN) == 2


def test_the_committed_file_is_of_the_shipped_network_and_holds_every_cell_in_every_cloth() -> None:
    assert COVERED.model_sha256 == meaning(manifest.load(cli.MODELS)).covered
    colours = [cloth.colour.replace(" ", "-") for cloth in cloths.worn()]
    assert {name for name, _ in COVERED.cells} == {f"{name}-{colour}" for name, _ in BARE.cells for colour in colours}
    covered, bare = ({(mode.enrolled, mode.frames) for mode in tail.averaging} for tail in (COVERED, BARE))
    assert {(enrolled, frames) for enrolled in (3, 5, 9) for frames in (1, 2, 3)} <= covered <= bare


def rows(covered: Tail) -> list[list[str]]:
    """The table of the page, made from a tail."""
    made = []
    for faces in (1, 2):
        rate = Budget().false_match_rate(faces)
        single, shift = covered.threshold(rate), covered.shift(5, 3)
        assert single is not None
        assert shift is not None
        worst = next(
            name for name, rates in covered.cells if replace(covered, cells=((name, rates),)).threshold(rate) == single
        )
        enough = Thresholds(Budget(), BARE, 3, covered).threshold(faces, 5, covered=True) is not None
        refused = covered.refused(5, 3, single + shift)
        said = f"{single:.3f}", f"{single + shift:.3f}", f"{refused:.1%}", "yes" if enough else "no, claim first"
        made.append([str(faces), worst, *said])
    return made


def stated() -> list[list[str]]:
    section = PAGE.split("## Covered faces")[1].split("\n## ")[0]
    return [re.split(r" \| ", line.strip("| ")) for line in section.splitlines() if re.match(r"\| \d", line)]


def test_the_page_says_what_the_file_says() -> None:
    assert stated() == rows(COVERED)


def test_a_page_about_another_file_is_seen() -> None:
    assert stated() != rows(BARE)


@pytest.mark.parametrize("faces", [1, 2, 3])
def test_the_committed_threshold_of_covered_faces_is_never_below_that_of_bare_ones(faces: int) -> None:
    both = Thresholds(Budget(), BARE, 3, COVERED)
    bare, covered = both.threshold(faces, 5), both.threshold(faces, 5, covered=True)
    assert bare is not None
    assert covered is None or covered >= bare


@pytest.mark.slow
def test_a_picture_that_wears_a_cloth_is_embedded_as_another_and_kept_apart(tmp_path: Path) -> None:
    folder = tmp_path / "set" / "somebody"
    folder.mkdir(parents=True)
    (folder / "one.jpg").write_bytes(sample("obama.jpg").read_bytes())
    paths, cache = [folder / "one.jpg"], tmp_path / "cache"
    bare, *worn = (
        aligned.gather(paths, aligned.COVERED_WAYS, cli.MODELS, cache, cloth=each, jobs=1)
        for each in (None, *cloths.worn())
    )
    for each in worn:
        assert each.covered.all()
        ways = {way: float(bare.galleries[way].vectors[0] @ made.vectors[0]) for way, made in each.galleries.items()}
        assert all(0.0 < alike < 0.95 for alike in ways.values())
        assert len({round(alike, 6) for alike in ways.values()}) == len(aligned.COVERED_WAYS), (
            "each way is another crop"
        )
    assert len(list(cache.iterdir())) == 3
    again = aligned.gather(paths, aligned.COVERED_WAYS, cli.MODELS, cache, jobs=1)
    assert np.array_equal(again.galleries[aligned.FIVE].vectors, bare.galleries[aligned.FIVE].vectors)
    plain = gather(tmp_path / "set", cli.MODELS, tmp_path / "plain")
    assert np.array_equal(plain.vectors, bare.galleries[aligned.FIVE].vectors), "five points are the door's own"

"""Who counts as a stranger to whom, and what is shown to the judge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.evaluate import groups, sheets
from tools.evaluate.gather import Gallery
from tools.evaluate.groups import Cell, Judged

NOTHING = Judged(frozenset(), frozenset())
LIST = """
above = 0.5
control = { look_alikes = 3, called_same = 1 }
[a-female]
same_picture = [["20_b.jpg", "20_a.jpg"]]
same_person = [["20_b.jpg", "20_c.jpg"]]
cannot_tell = [["20_a.jpg", "20_d.jpg"]]
not_same = []
"""


def cell(*vectors: tuple[float, float], same: frozenset[tuple[str, str]] = frozenset()) -> Cell:
    rows = np.array(vectors, np.float32)
    files = np.array([f"20_{letter}.jpg" for letter in "abcdefgh"[: len(rows)]])
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return Cell("a-female", unit, files, groups.people(files, same))


def judged(tmp_path: Path) -> Judged:
    (tmp_path / "list.toml").write_text(LIST)
    return groups.judged_in(tmp_path / "list.toml")["a-female"]


def test_confirmed_pairs_chain_and_cannot_tell_stays_an_impostor(tmp_path: Path) -> None:
    known = judged(tmp_path)
    made = cell((1, 0), (1, 0), (1, 0), (1, 0), same=known.same)
    impostors = {(int(a), int(b)) for a, b in np.argwhere(made.impostors())}
    assert impostors == {(0, 3), (1, 3), (2, 3)}


def test_no_pair_is_dropped_for_its_score() -> None:
    made = cell((1, 0), (1, 0), (0, 1))
    assert made.impostors().sum() == 3
    assert (made.cosines()[made.impostors()] > 0.99).sum() == 1


def test_children_and_other_are_reported_and_not_used_and_the_old_and_young_are_left_out() -> None:
    files = np.array(["17_x.jpg", "18_x.jpg", "70_x.jpg", "71_x.jpg", "5_x.jpg", "30_x.jpg"])
    folders = np.array(["a-male"] * 4 + ["child-male", "other-male"])
    made = groups.cells(Gallery(np.eye(6, 128, dtype=np.float32), folders, files, 0, 0), {})
    assert {c.name: (list(c.files), c.used) for c in made} == {
        "a-male": (["18_x.jpg", "70_x.jpg"], True),
        "child-male": (["5_x.jpg"], False),
        "other-male": (["30_x.jpg"], False),
    }


def test_the_judge_sees_the_strongest_links_first_and_nothing_that_follows_from_them() -> None:
    made = cell((1, 0), (1, 0.1), (1, 0.3), (0, 1))
    shown = sheets.undecided(made, NOTHING, 0.9)
    assert shown == [("20_a.jpg", "20_b.jpg"), ("20_b.jpg", "20_c.jpg")]


def test_what_was_judged_is_not_shown_again(tmp_path: Path) -> None:
    known = judged(tmp_path)
    made = cell((1, 0), (1, 0), (1, 0), (1, 0), same=known.same)
    assert ("20_a.jpg", "20_d.jpg") not in sheets.undecided(made, known, 0.9)
    assert sheets.undecided(made, NOTHING, 0.9)


def test_a_sheet_shows_every_pair_and_no_score(tmp_path: Path) -> None:
    for letter in "ab":
        Image.new("RGB", (40, 40), "red").save(tmp_path / f"20_{letter}.jpg")
    pairs = [("20_a.jpg", "20_b.jpg")] * 30
    written = sheets.draw(tmp_path, pairs, tmp_path / "out", "a-female")
    assert [path.name for path in written] == ["a-female-00.png", "a-female-01.png"]
    assert "0." not in (tmp_path / "out" / "a-female.json").read_text()


@pytest.mark.parametrize("one", ["x", "a"])
def test_a_pair_has_one_order(one: str) -> None:
    assert groups.pair_of(one, "m") == groups.pair_of("m", one)

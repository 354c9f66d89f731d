"""What a way to cut crops is judged by: the door's rule, read off a tail as the door reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from device.eye.alignment import picture_to_crop
from device.eye.detector import Face
from device.eye.pixels import Similarity
from device.vault import tail as tail_file
from device.vault.budget import Budget, Thresholds
from tools.evaluate import cli, groups
from tools.evaluate.tries import aligned, dim, tails, variants
from tools.evaluate.tries.aligned import CELLS, FIVE, MESH, Placed

BARE, COVERED = (tail_file.parse((cli.MODELS / name).read_bytes()) for name in (tail_file.FILE, tail_file.COVERED_FILE))
POINTS = np.array([[40.0, 50.0], [72.0, 52.0], [56.0, 70.0], [42.0, 92.0], [70.0, 92.0]])


def told(rows: list[str]) -> list[list[str]]:
    return [[part.strip() for part in row.strip("|").split("|")] for row in rows]


def test_rows_of_the_committed_tails_say_what_the_door_does_with_them() -> None:
    for found, shipped, thresholds in (
        (BARE, None, Thresholds(Budget(), BARE, 3)),
        (COVERED, BARE, Thresholds(Budget(), BARE, 3, COVERED)),
    ):
        for row in told(tails.rows("a way", found, shipped)):
            faces, answer = int(row[1]), row[-1]
            at = thresholds.threshold(faces, 5, covered=shipped is not None)
            assert answer == ("no, claim first" if at is None else "yes")
            if at is not None:
                assert row[5] == f"{at:.3f}"
                assert row[6] == f"{found.refused(5, 3, at):.1%}"


def test_a_covered_way_keeps_to_the_bare_tail_where_that_asks_for_more() -> None:
    mild = replace(COVERED, first=0.1)
    heights = [float(row[5]) for row in told(tails.rows("mild", mild, BARE))[:2]]
    assert heights == [float(row[5]) for row in told(tails.rows("bare", BARE))[:2]]
    assert all(float(row[5]) < height for row, height in zip(told(tails.rows("alone", mild)), heights, strict=False))


def test_a_tail_that_ends_before_the_budget_is_told_as_that() -> None:
    (name, upper), *_ = BARE.cells
    short = replace(BARE, cells=((name, tuple(max(rate, 1e-3) for rate in upper)),))
    assert all("beyond the data" in row and row.endswith("no, claim first |") for row in tails.rows("short", short))


# ---- how a face is cut


@pytest.mark.parametrize("seen", [True, False])
def test_each_way_cuts_by_its_own_points_and_by_five_where_the_mesh_sees_nothing(seen: bool) -> None:
    by_mesh = Similarity(0.5 + 0j, 3 + 4j) if seen else None
    placed = Placed(Face(0.9, (30.0, 30.0, 60.0, 80.0), POINTS), POINTS + 1.5, by_mesh)
    five = picture_to_crop(POINTS)
    assert placed.to_crop(FIVE) == five
    assert placed.to_crop(CELLS) == picture_to_crop(POINTS + 1.5) != five
    assert placed.to_crop(MESH) == (by_mesh or five)
    with pytest.raises(ValueError, match="another"):
        placed.to_crop("another")


def test_adults_of_named_groups_and_people_with_enough_pictures_are_chosen(tmp_path: Path) -> None:
    for name in ("asian-female/17_a", "asian-female/18_b", "white-male/70_c", "white-male/71_d", "other-male/30_e"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.jpg").touch()
    assert [path.name for path in aligned.adults(tmp_path)] == ["18_b.jpg", "70_c.jpg"]
    assert {path.parent.name for path in aligned.people_with(tmp_path, 2)} == {"asian-female", "white-male"}


# ---- little light


def test_only_a_crop_darker_than_the_limit_is_lit() -> None:
    dark, darker = (np.full((112, 112, 3), level, np.uint8) for level in (30, 10))
    assert variants.relit(dark, dim.TRIED, 16.0) is dark
    assert variants.relit(dark, dim.TRIED) is not dark, "as everything below 45 was"
    assert variants.relit(darker, dim.TRIED, 16.0).mean() > 100


def vector(*parts: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    made = np.zeros(128, np.float32)
    made[: len(parts)] = parts
    return made / np.float32(np.linalg.norm(made))


def met(group: str, number: int, dark: float | None) -> dim.Met:
    """Somebody along an axis of their own; in the dark turned towards everybody's axis, and lit half as far."""
    bright = vector(*([0.0] * (number + 1)), 1.0)
    if dark is None:
        return dim.Met(Path(group, f"{number}.jpg"), bright)
    common = vector(1.0)
    as_is, tried = (vector(*(bright + turn * common)) for turn in (dark, dark / 2))
    return dim.Met(Path(group, f"{number}.jpg"), bright, as_is, tried, lit=True)


def test_a_group_is_told_by_its_own_looks_and_its_strangers_and_nobody_without_a_figure() -> None:
    people = [met("men", number, 1.0) for number in range(4)] + [met("men", 5, None), met("women", 1, None)]
    men, women = dim.of_groups(people, 0.1, {})
    assert men == "| x 0.1 | men | 4 of 5 | 4 | 0.71, 0.71 | 0.89, 0.89 | 0.00, 0.00 | 0.00, 0.00 | 0.00, 0.00 |"
    assert women == "| x 0.1 | women | 0 of 1 | 0 |"


def test_pairs_that_are_one_person_are_no_strangers_in_the_dark() -> None:
    twice = [met("men", 1, 0.5), dim.Met(Path("men", "again.jpg"), met("men", 1, None).bright), met("men", 2, None)]
    same = {"men": groups.Judged(frozenset({groups.pair_of("1.jpg", "again.jpg")}), frozenset())}
    assert dim.of_groups(twice, 0.1, {})[0].split("|")[7].strip() == "0.99, 1.00", "taken for a stranger"
    assert dim.of_groups(twice, 0.1, same)[0].endswith("| 0.00, 0.00 | 0.00, 0.00 | 0.00, 0.00 |")


def test_refusals_in_the_dark_are_of_people_with_enough_usable_pictures() -> None:
    enough = [met("anna", 1, 1.0) for _ in range(8)]
    few = [met("bo", 2, None) for _ in range(6)] + [met("bo", 2, 1.0), met("bo", 2, 1.0)]
    people, shares = dim.refused(enough + few, [0.8, 0.95])
    assert people == 1
    assert shares == {"in the light": [0.0, 0.0], "as is": [1.0, 1.0], dim.TRIED: [0.0, 1.0]}

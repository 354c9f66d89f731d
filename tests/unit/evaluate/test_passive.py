"""What decided about passive hints: the detectors see what they are meant to see, and nothing where nothing is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from device.eye.pixels import Picture
from tools.evaluate import moire, passive, rectangles, repeats
from tools.evaluate.moire import SIDE_PX, Screen
from tools.evaluate.rectangles import HEIGHT, INSTRUMENTS, WIDTH, Instrument

FACE = (128.0, 80.0, 64.0, 80.0)


def soft(seed: int) -> Picture:
    """A scene of broad blobs: no straight edge."""
    coarse = np.random.default_rng(seed).uniform(60, 190, (6, 8, 3))
    rows, columns = (np.linspace(0, size - 1.001, wide) for size, wide in ((6, HEIGHT), (8, WIDTH)))
    top, left = rows.astype(int), columns.astype(int)
    down, across = (rows - top)[:, None, None], (columns - left)[None, :, None]
    above = coarse[top][:, left] * (1 - across) + coarse[top][:, left + 1] * across
    below = coarse[top + 1][:, left] * (1 - across) + coarse[top + 1][:, left + 1] * across
    blobs: Picture = (above * (1 - down) + below * down).astype(np.uint8)
    return blobs


def scored(instrument: Instrument, seed: int = 0) -> float:
    rng = np.random.default_rng(seed)
    return rectangles.score(rectangles.held_up(soft(seed), soft(seed + 1), FACE, instrument, rng), FACE)


def test_a_scene_without_a_straight_edge_has_no_rectangle() -> None:
    assert rectangles.score(soft(3).mean(axis=2), FACE) < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("instrument", [each for each in INSTRUMENTS if each.border], ids=lambda each: each.name)
def test_a_border_around_the_face_is_seen_however_it_is_held(instrument: Instrument) -> None:
    assert min(scored(instrument, seed) for seed in (0, 10, 20)) > 0.8


def test_what_is_cut_out_around_the_head_has_no_rectangle() -> None:
    cut = next(each for each in INSTRUMENTS if each.cut)
    assert max(scored(cut, seed) for seed in (0, 10, 20)) < 0.7


def test_a_doorway_behind_somebody_scores_like_a_bezel() -> None:
    """Why the hint is not built."""
    rng = np.random.default_rng(5)
    assert max(rectangles.score(rectangles.stood_before(soft(8), FACE, rng), FACE) for _ in range(6)) > 0.8


def test_a_threshold_refuses_no_more_than_its_share() -> None:
    scores = [number / 100 for number in range(100)]
    for share in (0.0, 0.01, 0.1, 0.5):
        assert sum(score > rectangles.at_share(scores, share) for score in scores) <= share * 100


def test_a_pattern_stands_out_the_more_the_stronger_it_is() -> None:
    rng = np.random.default_rng(0)
    skin = 120 + rng.normal(0, 2, (SIDE_PX, SIDE_PX))
    bare = moire.strongest(skin)
    scores = [moire.strongest(moire.patterned(skin, contrast, np.random.default_rng(1))) for contrast in (0.01, 0.05)]
    assert bare < scores[0] < scores[1]
    assert scores[1] > 3 * bare


def test_a_finer_grid_or_a_farther_screen_leaves_less() -> None:
    near, far, fine = Screen("", 0.3, 200), Screen("", 0.3, 400), Screen("", 0.1, 200)
    assert near.left_over(2304) > far.left_over(2304)
    assert near.left_over(2304) > fine.left_over(2304)
    assert near.left_over(2304) > near.left_over(640)
    assert Screen("", 100.0, 200).left_over(640) == 1.0


def test_a_camera_without_noise_is_counted_and_one_with_noise_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "NOISES", (0.0, 0.5))
    monkeypatch.setattr(repeats, "QUALITIES", (None, 90))
    rows = repeats.measure([soft(1), soft(2)])
    assert {(row.noise, row.refused) for row in rows} == {(0.0, 2), (0.5, 0)}
    assert "| 0.2 | 0.5 | quality 90 | 2 | 0 | 77.6% |" in repeats.table(rows)


def test_a_folder_with_too_few_pictures_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds 0 pictures"):
        passive.report(tmp_path, tmp_path, 60)

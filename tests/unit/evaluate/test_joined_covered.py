"""Sittings of covered faces: rendered as the door would take them, and counted under the tail of covered faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from device.paths import models_dir
from device.vault import pooling
from device.vault.budget import Budget, Thresholds
from tests.unit.evaluate.test_joined import crowd
from tests.unit.vault.test_worth import measured
from tools.evaluate import cloths, covered_sittings, joined, joined_covered
from tools.evaluate.covered_sittings import ENROLLING, Task
from tools.evaluate.gather import Floats
from tools.evaluate.groups import Judged
from tools.evaluate.sittings import LOOKING
from tools.evaluate.tries.aligned import Looker
from tools.models.covered import Cloth
from tools.models.faces import read
from tools.portraits import portrait

THRESHOLDS = Thresholds(Budget(), measured(), LOOKING, measured(0.2))
BLACK: Cloth = next(cloth for cloth in cloths.worn() if cloth.colour == "black")


@pytest.fixture(scope="module")
def people() -> list[Floats]:
    return crowd(12)


def test_covered_people_keep_to_the_covered_tail_and_are_refused_more_often(people: list[Floats]) -> None:
    bare, covered = (
        joined.refused(joined.seen(people, THRESHOLDS, days=False, covered=kind), 1, 1, THRESHOLDS, covered=kind)
        for kind in (False, True)
    )
    assert bare < covered


def test_a_sitting_of_a_covered_face_is_joined_to_a_covered_one(people: list[Floats]) -> None:
    days = [people[0][at, 1 : 1 + ENROLLING] for at in (0, 1)]
    one, two, both = (joined.mean_of(frames) for frames in (*days, np.concatenate(days)))
    for other, times in ((two, 1), (both, 2)):
        assert (float(one.unit @ other.unit) >= pooling.LIKENESS_COVERED) is (times > 1)
        face = joined.several((one, other), THRESHOLDS, covered=True)
        assert (face.covered, face.sittings) == (True, times)
        assert joined.several((one, other), THRESHOLDS).sittings > 1, "as of a bare face both would be"


def test_no_stranger_of_these_is_taken_for_anybody_and_under_no_threshold_all_are(
    people: list[Floats], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, tried = joined_covered.strangers(people, THRESHOLDS)
    assert (taken, tried) == ([0, 0, 0], 20 * 12 * 11)
    monkeypatch.setattr(Thresholds, "heights", lambda *_args, **_kind: (-1.0,))
    assert joined_covered.strangers(people, THRESHOLDS)[0] == [tried] * 3


def test_the_table_names_the_limit_of_the_door(people: list[Floats]) -> None:
    assert pooling.LIKENESS_COVERED in joined_covered.LIMITS
    assert f"| **{pooling.LIKENESS_COVERED:.2f}** |" in joined_covered.table("some cloth", people, THRESHOLDS)


def test_like_people_are_compared_with_each_other_and_one_person_is_left_out() -> None:
    rng = np.random.default_rng(5)
    apart = rng.normal(size=(3, 1, 128)).repeat(1 + ENROLLING, axis=1)
    sittings = np.concatenate([apart, apart[:1]]).astype(np.float32)
    sittings /= np.linalg.norm(sittings, axis=-1, keepdims=True)
    names = ["a", "b", "c", "d"]  # the first and the last are one person
    nobody = Judged(frozenset(), frozenset())
    pairs, shares = joined_covered.like_pairs(names, sittings, nobody)
    assert (pairs, [round(6 * share) for share in shares]) == (6, [1] * 5)
    known = Judged(frozenset({("a", "d")}), frozenset())
    assert joined_covered.like_pairs(names, sittings, known) == (5, [0.0] * 5)


@pytest.fixture(scope="module")
def looker() -> Looker:
    return Looker(models_dir())


def test_a_frame_counts_only_where_the_cover_is_noticed(looker: Looker) -> None:
    bare = np.ascontiguousarray(read(portrait("obama.jpg")))
    found = looker.face(bare)
    assert found is not None
    assert covered_sittings.embedded(looker, bare) is None
    assert covered_sittings.embedded(looker, bare, covered=False) is not None
    worn = covered_sittings.embedded(looker, BLACK.over(bare, found[0].points, "seed"))
    assert worn is not None
    assert covered_sittings.embedded(looker, BLACK.over(bare, found[0].points, "seed"), covered=False) is None
    assert float(np.linalg.norm(worn)) == pytest.approx(1, abs=1e-3)
    assert covered_sittings.embedded(looker, np.full((200, 200, 3), 120, np.uint8)) is None


def test_a_sitting_is_alike_within_and_its_frames_are_not_the_same(tmp_path: Path) -> None:
    files = (portrait("obama.jpg"), portrait("obama2.jpg"))
    task = Task(files, BLACK, models_dir(), 7, sittings=2)
    made = covered_sittings.person(task)
    assert made.shape == (2, 1 + ENROLLING + LOOKING, 128)
    assert np.allclose(made, covered_sittings.person(task)), "the same again"
    within = made[0, 1:] @ made[0, 1:].T
    across = made[0, 1:] @ made[1, 1:].T
    assert within.mean() > across.mean()
    assert within.min() < 0.999
    kept = tmp_path / "kept.npy"
    covered_sittings._made(task, kept)
    assert np.allclose(np.load(kept), made)

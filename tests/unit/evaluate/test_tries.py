"""The bench on which ways to recognise are tried: its figures on people made up of a direction and noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from device.eye import steady
from device.eye.alignment import TEMPLATE, picture_to_crop
from device.eye.detector import Candidates, Face
from device.eye.pixels import Similarity
from tools.evaluate.groups import Judged, pair_of
from tools.evaluate.tries import fusion, measures, networks, norms, report, second, variants, voted
from tools.evaluate.tries.embed import Bench, Folder
from tools.evaluate.tries.geometry import Geometry
from tools.evaluate.tries.measures import Rate, Way
from tools.evaluate.tries.tries import TRIES, of_networks

STEADY = np.random.default_rng(0).uniform(20, 90, (len(steady.STEADY), 2))


def crowd(noise: float, people: int = 60, pictures: int = 9) -> tuple[measures.Floats, measures.Names]:
    """Each person a direction of their own; each picture that direction and `noise`."""
    generator = np.random.default_rng(5)
    own = np.repeat(0.4 + generator.normal(size=(people, 128)), pictures, axis=0)
    seen = own + noise * generator.normal(size=own.shape)
    names = np.repeat([f"person {n}" for n in range(people)], pictures)
    return np.asarray(seen / np.linalg.norm(seen, axis=1, keepdims=True), np.float32), names


def test_more_noise_is_more_refusals_and_the_difference_of_the_same_people_says_so() -> None:
    rates = []
    for noise in (1.4, 1.9):
        vectors, names = crowd(noise)
        rates.append(measures.drawn(Way(vectors, vectors), names, draws=3).pooled(1e-3))
    quiet, noisy = rates
    less, low, high = quiet.less_than(noisy)
    assert 0 < quiet.value < noisy.value < 1
    assert 0 < low < less < high


def test_an_interval_holds_the_rate_and_narrows_with_people() -> None:
    few = Rate(np.array([1.0, 0, 0, 1, 0]), np.full(5, 4.0))
    many = Rate(np.tile(few.errors, 40), np.tile(few.comparisons, 40))
    widths = []
    for rate in (few, many):
        low, high = rate.interval()
        assert low <= rate.value <= high
        widths.append(high - low)
    assert widths[1] < widths[0] / 3


def test_the_rate_at_a_pooled_threshold_is_the_one_counting_gives() -> None:
    vectors, names = crowd(1.7)
    made = measures.drawn(Way(vectors, vectors), names, draws=1)
    mark = made.marks(1e-2)[0]
    assert (made.strangers[0] > mark).mean() == pytest.approx(1e-2, abs=1e-4)
    assert made.pooled(1e-2).value == pytest.approx((made.genuine[0] <= mark).mean())


def test_nobody_is_a_stranger_to_themselves() -> None:
    vectors, names = crowd(0.0)
    made = measures.drawn(Way(vectors, vectors), names, draws=1)
    assert made.genuine[0].min() > 0.999
    assert made.strangers[0].max() < 0.9


def test_enrolment_and_probe_may_be_made_in_two_ways_and_each_is_used_where_it_belongs() -> None:
    vectors, names = crowd(0.5)
    turned = np.asarray(-vectors, np.float32)
    made = measures.drawn(Way(vectors, turned), names, draws=1)
    assert made.genuine[0].max() < 0


def test_what_is_spoiled_is_the_right_peoples_probes_alone() -> None:
    vectors, names = crowd(0.5)
    plain = measures.drawn(Way(vectors, vectors), names, draws=1)
    spoiled = measures.drawn(Way(vectors, vectors), names, draws=1, spoiled=np.asarray(-vectors, np.float32))
    assert spoiled.genuine[0].max() < 0
    assert np.array_equal(plain.strangers[0], spoiled.strangers[0])


def test_pictures_judged_to_be_one_person_set_no_mark_and_children_none_either() -> None:
    vectors = np.eye(40, 128, dtype=np.float32)
    vectors[1] = vectors[0]
    cells = np.array(["asian-male"] * 20 + ["child-male"] * 20)
    files = np.array([f"{n}.jpg" for n in range(40)])
    known = {"asian-male": Judged(frozenset({pair_of("0.jpg", "1.jpg")}), frozenset())}
    way = Way(vectors, vectors)
    free = measures.group_marks(way, cells, measures.persons(cells, files, {}))
    judged = measures.group_marks(way, cells, measures.persons(cells, files, known))
    assert [name for name, _, _ in free.by_cell] == ["asian-male"]
    assert free.door == 1.0
    assert judged.door == 0.0


def test_who_is_one_person_is_settled_before_a_part_is_taken() -> None:
    cells, files = np.array(["asian-male"] * 3), np.array(["0.jpg", "1.jpg", "2.jpg"])
    chain = Judged(frozenset({pair_of("0.jpg", "1.jpg"), pair_of("1.jpg", "2.jpg")}), frozenset())
    whole = measures.persons(cells, files, {"asian-male": chain})
    assert whole[0] == whole[2]


def test_people_of_two_cells_are_never_one() -> None:
    cells, files = np.array(["asian-male", "black-male"]), np.array(["0.jpg", "0.jpg"])
    assert len(set(measures.persons(cells, files, {}).tolist())) == 2


def test_the_halves_share_nobody_and_leave_nobody_out() -> None:
    names = np.array([f"person {n}" for n in range(200)])
    odd, even = measures.half(names, odd=True), measures.half(names, odd=False)
    assert np.array_equal(odd, ~even)
    assert 70 < odd.sum() < 130


def test_the_doors_threshold_is_the_mark_and_the_bound_of_what_averaging_adds() -> None:
    vectors, names = crowd(1.2)
    found = measures.door(Way(vectors, vectors), names, 0.3, draws=2)
    assert 0 < found.shift < found.shift_upper
    assert found.threshold == pytest.approx(0.3 + found.shift_upper)


@pytest.mark.parametrize("alignment", ["yunet", "mesh many", "mean of both"])
def test_a_face_whose_points_lie_where_they_should_is_cut_as_it_lies(alignment: str) -> None:
    mesh = np.zeros((468, 2), np.float32)
    mesh[list(steady.STEADY)] = STEADY
    found = variants.placed(alignment, TEMPLATE.astype(np.float32), mesh, STEADY)
    assert abs(found.a - 1) < 1e-5
    assert abs(found.b) < 1e-3


def test_a_face_without_a_mesh_is_cut_by_the_detectors_points() -> None:
    five = (TEMPLATE * 1.5 + 7).astype(np.float32)
    nothing = np.full((468, 2), np.nan, np.float32)
    assert variants.placed("mesh many", five, nothing, STEADY).a == pytest.approx(picture_to_crop(five).a)


def test_halfway_between_two_cuts_lies_between_them() -> None:
    one, other = Similarity(1 + 0j, 0j), Similarity(1.21 + 0j, -10 + 4j)
    middle = variants._between(one, other)
    assert middle.a == pytest.approx(1.1)
    places = [each.inverse()(56, 56) for each in (one, middle, other)]
    assert places[1] == pytest.approx(tuple(np.mean([places[0], places[2]], axis=0)))


@pytest.mark.parametrize("how", ["gamma", "smooth gamma", "gain", "smooth stretch", "equalised"])
def test_only_the_dark_is_lit(how: str) -> None:
    generator = np.random.default_rng(1)
    bright = generator.integers(60, 200, (112, 112, 3), np.uint8)
    dark = np.asarray(bright // 8, np.uint8)
    assert np.array_equal(variants.relit(bright, how), bright)
    assert variants.relit(dark, how).mean() > 2 * dark.mean()


def test_darkness_is_the_same_each_time_and_another_for_each_file() -> None:
    crop = np.full((112, 112, 3), 120, np.uint8)
    first, again, other = (variants.spoil(crop, "dark", file) for file in ("a.jpg", "a.jpg", "b.jpg"))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(variants.spoil(crop, "no", "a.jpg"), crop)


def test_the_points_are_the_mean_of_the_cells_that_see_the_face_and_of_no_other() -> None:
    box = np.array([10.0, 10, 50, 50])
    boxes = np.array([box, box + 2, box + 60])
    points = np.stack([np.full((5, 2), value) for value in (20.0, 26.0, 80.0)])
    found = Candidates(np.array([0.9, 0.9, 0.9]), boxes, points)
    chosen = Face(0.9, (10, 10, 40, 40), points[0])
    assert np.allclose(voted.points_of(found, chosen), 23)


def test_a_cell_that_is_less_sure_counts_less() -> None:
    box = np.array([10.0, 10, 50, 50])
    points = np.stack([np.full((5, 2), value) for value in (20.0, 26.0)])
    found = Candidates(np.array([0.9, 0.6]), np.array([box, box]), points)
    assert 20 < voted.points_of(found, Face(0.9, (10, 10, 40, 40), points[0])).mean() < 22


def test_a_norm_over_directions_by_chance_changes_no_order_of_a_template_and_real_strangers_do() -> None:
    vectors, _ = crowd(1.0)
    scorer = norms.z_norm(norms.by_chance(500))
    plain, normed = measures.cosine(vectors[:40], vectors[40:42]), scorer(vectors[:40], vectors[40:42])
    assert np.array_equal(np.argsort(plain[:, 0]), np.argsort(normed[:, 0]))


def test_t_norm_puts_every_probe_at_the_same_distance_from_its_cohort() -> None:
    middle = np.full(128, 1 / np.sqrt(128), np.float32)
    vectors, _ = crowd(1.0)
    probes, cohort = np.stack([middle, vectors[0]]), vectors[100:300]
    plain, normed = measures.cosine(probes, cohort), norms.t_norm(cohort)(probes, cohort)
    assert abs(plain[0].mean() - plain[1].mean()) > 0.05
    assert np.allclose(normed.mean(axis=1), 0, atol=1e-5)
    assert np.allclose(normed.std(axis=1), 1, atol=1e-4)


def test_a_frame_without_weight_does_not_count() -> None:
    vectors, names = crowd(0.3, people=12)
    spoiled = vectors.copy()
    weight = np.ones(len(names), np.float32)
    spoiled[::5], weight[::5] = -vectors[::5], 1e-6
    (heavy, _), (light, _) = (
        tuple(fusion.rates(spoiled, names, each, draws=4)) for each in (np.ones_like(weight), weight)
    )
    assert light.value < heavy.value


def test_both_networks_in_one_vector_score_as_the_weighted_sum_of_their_cosines() -> None:
    (one, _), (other, _) = crowd(0.5), crowd(1.5)
    made = second.fused(one, other, 0.3)
    wanted = 0.7 * (one @ one.T) + 0.3 * (other @ other.T)
    assert np.allclose(made @ made.T, wanted, atol=1e-5)


def test_a_try_whose_points_were_not_found_is_refused(tmp_path: Path) -> None:
    nothing = np.zeros((0, 5, 2), np.float32)
    geometry = Geometry(np.array([], np.str_), nothing, np.zeros((0, 468, 2), np.float32), np.zeros(0, np.float32), 0)
    (by_votes,) = (each for each in TRIES if each.votes)
    with pytest.raises(ValueError, match="cells"):
        by_votes.way(Bench({}, STEADY, tmp_path), Folder(tmp_path, geometry))


def test_a_row_of_one_half_alone_says_nothing_of_the_other() -> None:
    vectors, names = crowd(1.0)
    even = ~measures.half(names, odd=True)
    cells = np.array(["asian-male"] * 200)
    sets = report.Sets(names[even], cells, np.arange(200))
    made = Way(vectors[even], vectors[even])
    row = report.row("a try", "none", made, Way(vectors[:200], vectors[:200]), sets, draws=2)
    assert row.odd == ()
    assert [each.value for each in row.whole] == [each.value for each in row.even]
    assert "a try" in report.table([row, row])
    assert report.against([row, row], halves=False).count("+0.00 (+0.00 to +0.00)") == len(report.KINDS)


def test_other_builds_of_the_embedder_stand_beside_the_shipped_one_and_other_networks_do_not() -> None:
    found = of_networks(["shipped", "float", "dlib_int8", "sface-3-float"])
    assert [each.probe[0].network for each in found] == ["shipped", "float", "sface-3-float"]


def test_a_build_is_as_near_to_the_float_one_as_their_embeddings_are(tmp_path: Path) -> None:
    nothing = np.zeros((2, 468, 2), np.float32)
    geometry = Geometry(np.array(["a/1.jpg", "a/2.jpg"]), nothing[:, :5], nothing, np.zeros(2, np.float32), 0)
    folder, shipped = Folder(tmp_path, geometry), Path("models/sface.tflite")
    copy = tmp_path / "float.tflite"
    copy.write_bytes(shipped.read_bytes() + b" ")
    bench = Bench({"shipped": shipped, "float": copy}, STEADY, tmp_path)
    one, other = np.eye(2, 128, dtype=np.float32), np.eye(2, 128, dtype=np.float32)
    other[1] = [0.6, 0.8] + [0] * 126
    for name, vectors in (("shipped", one), ("float", other)):
        for how in ("no", "dark"):
            np.save(bench._kept(folder, variants.Variant(name, spoiled=how)), vectors)
    assert networks.near(bench, folder, "shipped", "no") == "0.8000, 0.8100, 0.9000"
    took = networks.milliseconds({"shipped": shipped})
    assert took["shipped"].shape == (networks.RUNS,)
    assert took["shipped"].min() > 0

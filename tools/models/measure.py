"""Print what the committed networks achieve on two folders of pictures, and the operating point that follows.

Rules: pictures are read, measured and left where they are; every rate is printed with its number of comparisons; what
is done about people who appear twice in the group set is printed with the figures; nothing is tuned to label errors.
The door's threshold does not come from here but from `tools.evaluate tail`; this compares networks at one point.

    python -m tools.models.measure --faces DIR --groups DIR [--cache DIR]

--faces: DIR/person/picture.jpg (several pictures of a person). --groups: DIR/group-sex/age_*.jpg, one person a picture.
"""

import argparse
from pathlib import Path

import numpy as np

from tools.evaluate import figures
from tools.evaluate.figures import Floats
from tools.evaluate.gather import Gallery, gather
from tools.evaluate.groups import ADULT, BORDER_PX, members

ROOT = Path(__file__).resolve().parents[2]
DUPLICATE = 0.65  # a pair of the group set above this cosine is likely one person twice
FMR = 1e-3
POOLED = (1e-3, 1e-4, 1e-5)
THRESHOLDS = np.arange(0.30, 0.801, 0.05)
MODES = ((1, 1), (3, 1), (5, 1), (3, 3), (5, 3))
DRAWS = 5
RESAMPLES = 200


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description="Measure the committed detector and embedder.")
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--groups", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "evaluate")
    options = parser.parse_args()
    people = gather(options.faces, options.models, options.cache)
    groups = gather(options.groups, options.models, options.cache, BORDER_PX)
    pooled(people)
    several(people, within_groups(groups))


def pooled(people: Gallery) -> None:
    """True match rates over all pairs, impostors of all kinds mixed."""
    scores = figures.all_pairs(people.vectors, people.folders)
    print(f"People set: {_taken(people)}")
    print(f"All pairs: {scores.genuine.size} genuine, {scores.impostor.size} impostor (pooled, so they flatter)")
    for fmr in POOLED:
        at = figures.threshold_at(scores.impostor, fmr)
        print(f"  FMR {fmr:.0e}: threshold {at:.3f}, true match rate {figures.rate_above(scores.genuine, at):.4f}")


def within_groups(groups: Gallery) -> float:
    """FMR of same-sex pairs within each group, and the operating point: its threshold is returned."""
    print(f"\nGroup set: {_taken(groups)}; {BORDER_PX} px border added before detecting.")
    print(f"Adults {ADULT.start}-{ADULT.stop - 1}; 'child' cells as they are, 'other' for the record only.")
    print(f"Some people appear several times. So: (a) all pairs; (b) without the pairs above {DUPLICATE};")
    print(f"(c) one picture of every cluster linked by pairs above {DUPLICATE}.")
    print(f"(a) is too high; (b) and (c) say nothing above {DUPLICATE}.")
    cells = {str(name): groups.vectors[members(groups, str(name))] for name in np.unique(groups.folders)}
    single = {name: v[figures.one_per_cluster(v, DUPLICATE)] for name, v in cells.items()}
    pairs = {name: figures.pairs_within(v) for name, v in cells.items()}
    aside = {name: s[s <= DUPLICATE] for name, s in pairs.items()}
    _table("(a)", pairs)
    _table("(b)", aside)
    _table("(c)", {name: figures.pairs_within(v) for name, v in single.items()})
    print(f"\nThreshold for FMR {FMR:.0e}: (a), (b), (c) with the 95 % range of {RESAMPLES} resamples of pictures")
    bound: dict[str, float] = {}
    for name, vectors in single.items():
        spread = figures.threshold_spread(vectors, FMR, RESAMPLES, seed=1)
        low, high = np.quantile(spread, [0.025, 0.975])
        a, b, c = (figures.threshold_at(s, FMR) for s in (pairs[name], aside[name], figures.pairs_within(vectors)))
        dropped = len(cells[name]) - len(vectors)
        print(f"  {name:15} {a:.3f}  {b:.3f}  {c:.3f} ({low:.3f}-{high:.3f}), {dropped} pictures left out in (c)")
        bound[name] = max(a, float(high))
    return _operating_point({n: t for n, t in bound.items() if not n.startswith(("child", "other"))})


def _operating_point(bound: dict[str, float]) -> float:
    worst = max(bound, key=lambda name: bound[name])
    threshold = float(np.ceil(bound[worst] * 100) / 100)
    print(f"Operating point: {threshold:.2f}, from {worst}: in every adult cell the larger of (a), which counts every")
    print("duplicate as an impostor, and the upper end of (c)'s range; the largest of these, rounded up to 0.01.")
    return threshold


def several(people: Gallery, threshold: float) -> None:
    """What several pictures buy, and what averaging does to impostors: FNMR at the operating point and beyond."""
    print(f"\nAveraged pictures, people set, {DRAWS} draws: enrolment + probe pictures, comparisons of one draw.")
    print("Averaging raises impostor scores too. Shift: how much higher the threshold has to be for the pooled FMR")
    print(f"of 1 + 1, the larger of those at {POOLED[0]:.0e} and {POOLED[1]:.0e}.")
    base: list[float] = []
    for enrol, probe in MODES:
        draws = [figures.averaged(people.vectors, people.folders, enrol, probe, seed) for seed in range(DRAWS)]
        marks = [_mean([figures.threshold_at(d.impostor, fmr) for d in draws]) for fmr in POOLED]
        base = base or marks
        shift = max(mark - plain for mark, plain in zip(marks[:2], base, strict=False))
        sizes = f"{draws[0].genuine.size} genuine, {draws[0].impostor.size} impostor"
        print(f"  {enrol} + {probe}: {sizes}, shift {shift:.3f}")
        for fmr, mark in zip(POOLED, marks, strict=True):
            print(f"         pooled FMR {fmr:.0e}: threshold {mark:.3f}, FNMR {_fnmr(draws, mark):.4f}")
        for at in (threshold, threshold + shift):
            fmr = _mean([figures.rate_above(d.impostor, at) for d in draws])
            print(f"         threshold {at:.3f}: FNMR {_fnmr(draws, at):.4f}, pooled FMR {fmr:.1e}")


def _fnmr(draws: list[figures.Scores], threshold: float) -> float:
    return 1 - _mean([figures.rate_above(d.genuine, threshold) for d in draws])


def _mean(values: list[float]) -> float:
    return float(np.mean(values))


def _table(title: str, pairs: dict[str, Floats]) -> None:
    print(f"\nSame-group, same-sex FMR {title}; columns are thresholds")
    print(f"  {'':15} {'pairs':>7} " + " ".join(f"{t:8.2f}" for t in THRESHOLDS))
    for name, scores in pairs.items():
        row = " ".join(f"{figures.rate_above(scores, t):8.1e}" for t in THRESHOLDS)
        print(f"  {name:15} {scores.size:7} {row}")


def _taken(gallery: Gallery) -> str:
    folders = len(np.unique(gallery.folders))
    lost = f"{gallery.faceless} without a face, {gallery.unreadable} unreadable"
    return f"{len(gallery.vectors)} pictures in {folders} folders ({lost})"


if __name__ == "__main__":
    main()

"""One report: everything that can be measured on a folder of people, and by name what cannot.

Rules kept here:
- A part for which the people or pictures do not suffice is left out and named in `left_out`, never filled in.
- Thresholds of the door are the ones vault computes, by the code vault runs, from the file vault reads.
- Figures with every label as it is come first; those without the suspicious ones stand beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from device.manifest import Job, load
from device.vault import tail as tail_file
from tools.evaluate import groups, report
from tools.evaluate.accuracy import counting, failures, goals, identify, rates, spoilt, subgroups
from tools.evaluate.accuracy import suspects as labels
from tools.evaluate.accuracy.cache import Cache
from tools.evaluate.accuracy.conditions import CLEAN
from tools.evaluate.accuracy.gathered import FolderRefused, Gathered, gather, gather_all
from tools.evaluate.accuracy.look import Chain
from tools.evaluate.accuracy.measured import AtDoor, Conditions, Floating, Groups, Measured, Verified
from tools.evaluate.accuracy.rates import Rate
from tools.evaluate.accuracy.trials import Compared, Design, Floats, Numbers, Reals, compare
from tools.models.darkness import TIGHT_CROP_SCALE

DESIGNS: Final = (Design(1, 1), Design(3, 1), Design(5, 1), Design(3, 3), Design(5, 3))
ALIKE_LEAST: Final = 10  # pictures of the people on whom all numbers of pictures and frames are compared
MATRIX: Final = tuple(Design(enrolled, frames, ALIKE_LEAST) for enrolled in (1, 3, 5) for frames in (1, 2, 3, 4, 5))
SEARCHES: Final = (Design(1, 1), Design(5, 3))
POOLED: Final = (1e-3, 1e-4)  # FMR of mixed strangers whose thresholds the subgroups are looked at with


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be measured. said: called with a word on what is being done."""

    faces: Path
    models: Path
    groups: Path | None = None
    floating: Path | None = None
    spoilt: bool = True
    workers: int | None = None
    said: Callable[[str], None] = lambda _: None


def measure(asked: Asked, cache: Cache) -> Measured:
    """Everything. Raises FolderRefused, ModelRefused, Interrupted, CrewLost."""
    chain = Chain(asked.models)
    clean = gather(asked.faces, chain, cache, workers=asked.workers)
    _refuse(clean, asked.faces)
    _, people = by_person(clean)
    asked.said("comparing")
    found = labels.suspects(clean)
    made = Measured(
        asked.faces.name,
        len(clean),
        len(np.unique(clean.people)),
        load(asked.models).for_job(Job.EMBED).sha256.hex(),
        failures.acquired(clean),
        [each for count in failures.ENROLLED if (each := failures.enrolled(clean, count))],
        found,
    )
    tail = report.rows(tail_file.load(asked.models, load(asked.models).for_job(Job.EMBED).sha256))
    compared = _verify(made, people, tail)
    _matrix(made, people, tail)
    _without(made, clean, tail)
    asked.said("searching galleries")
    shown = None
    if asked.groups is not None:
        shown = gather(asked.groups, Chain(asked.models, TIGHT_CROP_SCALE), cache, workers=asked.workers)
    made.counted = counting.counted(
        people, by_person(counting.aside(clean, asked.faces, chain, cache, asked.workers))[1]
    )
    _search(made, people, tail, shown)
    if asked.floating is None:
        made.left_out.append("float against int8: no --float DIR with sface-float32.tflite was given")
    else:
        _float(made, asked, chain, cache, clean)
    _conditions(made, asked, chain, cache, clean, compared)
    if shown is None:
        made.left_out.append("subgroups: no --groups DIR was given")
    else:
        _groups(made, asked, shown, compared)
        judged = groups.judged_in(asked.models / "duplicates.toml")
        made.goals = goals.goals(made, clean, shown, judged, compared)
    return made


def by_person(found: Gathered) -> tuple[list[str], list[Floats]]:
    """Names, and the embeddings of each, (n, 128), of everybody with at least one."""
    good = found.of(found.good)
    names = np.unique(good.people)
    return [str(name) for name in names], [good.vectors[good.people == name] for name in names]


def _refuse(clean: Gathered, folder: Path) -> None:
    if not clean.readable.any():
        raise FolderRefused(f"none of the {len(clean)} files in {folder} is a picture that can be read")
    if not clean.good.any():
        raise FolderRefused(f"the door finds no usable face in any picture in {folder}")
    seen = np.unique(clean.people[clean.good])
    if len(seen) < 2:
        raise FolderRefused(f"{folder} shows only one person ({seen[0]}): without a second there is nothing to compare")
    if np.unique(clean.people[clean.good], return_counts=True)[1].max() < 2:
        raise FolderRefused(f"nobody in {folder} has two usable pictures: without them nobody can be recognised")


def verified(
    compared: Compared, tail: Sequence[report.Row], fmrs: Sequence[float] = rates.FMRS, *, curve: bool = False
) -> Verified:
    """The rates of one design, at FMRs and at the door's thresholds. curve: with its DET curve."""
    resamples = rates.weights(compared.people)
    design = compared.design
    door = []
    for row in tail:
        threshold = row.threshold if design.enrolled > 1 or design.frames > 1 else row.single
        if threshold is not None and row.faces in (1, 2, 4):
            door.append(
                AtDoor(
                    row.faces,
                    threshold,
                    rates.fnmr(compared, threshold, resamples),
                    _fmr(compared, threshold, resamples),
                )
            )
    return Verified(
        design,
        compared.people,
        compared.residents,
        compared.probes,
        compared.comparisons,
        rates.eer(compared),
        rates.points(compared, fmrs, resamples),
        tuple(door),
        _curve(compared) if curve else (),
    )


def _fmr(compared: Compared, threshold: float, resamples: Reals) -> Rate | None:
    try:
        return rates.fmr(compared, threshold, resamples)
    except ValueError:
        return None


def _curve(compared: Compared) -> tuple[tuple[float, float], ...]:
    """Some 100 points of the DET curve: FMR, FNMR, where either changes by a little."""
    false, missed = rates.det(compared)
    wanted = (false > 0) & (missed < 1)
    at = np.flatnonzero(wanted)
    if not len(at):
        return ()
    place = np.round(np.log10(np.maximum(false[at], 1e-12)) * 20)
    first = np.unique(place, return_index=True)[1]
    return tuple((float(false[row]), float(missed[row])) for row in at[np.sort(first)])


def _verify(made: Measured, people: list[Floats], tail: Sequence[report.Row]) -> dict[Design, Compared]:
    found: dict[Design, Compared] = {}
    for design in DESIGNS:
        compared = compare(people, design)
        if compared is None:
            made.left_out.append(f"1:1 with {design} pictures: fewer than two people have {design.needed} usable ones")
            continue
        found[design] = compared
        made.verified.append(verified(compared, tail, curve=True))
    return found


def _matrix(made: Measured, people: list[Floats], tail: Sequence[report.Row]) -> None:
    for design in MATRIX:
        compared = compare(people, design)
        if compared is None:
            made.left_out.append(
                f"the same people with 1 to 5 pictures and frames: fewer than two have {ALIKE_LEAST} usable pictures"
            )
            return
        made.matrix.append(verified(compared, tail, (1e-3, 1e-4)))


def _without(made: Measured, clean: Gathered, tail: Sequence[report.Row]) -> None:
    """The same designs with the suspicious labels set aside: linked names not compared, strays not there."""
    strays = np.array([stray for stray, _ in made.suspects.strays], str)
    files = np.array([f"{person}/{file}" for person, file in zip(clean.people, clean.files, strict=True)])
    kept_names, people = by_person(clean.of(~np.isin(files, strays)))
    same: Numbers = labels.merged(kept_names, made.suspects)
    for design in DESIGNS:
        compared = compare(people, design, same)
        if compared is not None:
            made.without_suspects.append(verified(compared, tail))


def _search(made: Measured, people: list[Floats], tail: Sequence[report.Row], shown: Gathered | None) -> None:
    """shown: another set, one picture a person, whose people fill what half of these people does not."""
    others = np.random.default_rng(5).permutation(shown.vectors[shown.good]) if shown else None
    resamples = rates.weights(len(people))
    door = {row.faces: row.threshold for row in tail}
    for design in SEARCHES:
        able = sum(len(own) >= design.enrolled for own in people)
        rows = []
        fillable = others if design.enrolled == 1 else None  # a template of one picture beside means is another kind
        for wanted, size, filled in identify.sizes(able, 0 if fillable is None else len(fillable)):
            searched = identify.search(people, design, size, None if fillable is None else fillable[:filled])
            if searched is not None:
                at_door = door.get(size) if design == Design(5, 3) else None
                rows.append(identify.measure(searched, wanted, at_door, resamples, filled))
        made.searched.append((design, rows))
        if missing := [str(size) for size in identify.SIZES if size not in {row.size for row in rows}]:
            made.left_out.append(
                f"galleries of {', '.join(missing)} with {design} pictures: "
                f"{able} people have {design.enrolled}, and half of them are needed as strangers"
            )


def _float(made: Measured, asked: Asked, chain: Chain, cache: Cache, clean: Gathered) -> None:
    # Who has one usable picture could only be a stranger, and there are enough of those: a third of the work is saved.
    names, counts = np.unique(clean.people[clean.good], return_counts=True)
    clean = clean.of(np.isin(clean.people, names[counts >= 2]))
    only = np.array([f"{person}/{file}" for person, file in zip(clean.people, clean.files, strict=True)])
    floating = Chain(chain.models, floating=asked.floating)
    other = gather(asked.faces, floating, cache, workers=asked.workers, only=only)
    both = clean.good & other.good
    agree = (clean.vectors[both] * other.vectors[both]).sum(axis=1)
    rows = []
    for design in DESIGNS:
        one, two = (compare(by_person(each.of(both))[1], design) for each in (clean, other))
        if one is None or two is None:
            continue
        resamples = rates.weights(one.people)
        left, right = (rates.points(each, rates.FMRS, resamples) for each in (one, two))
        rows.append((design, left, right, tuple(rates.difference(one, two, fmr, resamples) for fmr in rates.FMRS)))
    made.floating = Floating(float(agree.mean()), float(agree.min()), tuple(rows))


def _conditions(
    made: Measured, asked: Asked, chain: Chain, cache: Cache, clean: Gathered, compared: dict[Design, Compared]
) -> None:
    if not asked.spoilt:
        made.left_out.append("light, blur, mask, distance and pose: not asked for")
        return
    chosen = spoilt.choose(clean)
    if chosen is None:
        made.left_out.append(
            "light, blur, mask, distance and pose: fewer than two people have "
            f"{spoilt.ENROLLED + spoilt.FRAMES} usable pictures"
        )
        return
    one_frame = compared[Design(5, 1)]
    fmr = _readable(one_frame)
    single = rates.threshold_at(one_frame.impostors, fmr)
    fused = next(at.threshold for each in made.verified if each.design == Design(5, 3) for at in each.door)
    covering = tuple(condition for condition in spoilt.MEASURED if condition.family == "mask")
    others = gather_all(asked.faces, chain, cache, (CLEAN, *spoilt.MEASURED), asked.workers, chosen.shown)
    # Whoever is masked is compared with templates in the same cloth: their enrolment is looked at in it, too.
    others |= gather_all(asked.faces, chain, cache, covering, asked.workers, chosen.files)
    costs = [spoilt.cost(condition, chosen, clean, seen, single, fused) for condition, seen in others.items()]
    bare = [
        (condition.name, spoilt.bare_against_covered(chosen, clean, seen, single))
        for condition, seen in others.items()
        if condition.family == "mask"
    ]
    made.conditions = Conditions(
        len(chosen.people),
        len(chosen.shown),
        fmr,
        single,
        fused,
        tuple(costs),
        tuple(bare),
        tuple(spoilt.turned(clean, single)),
    )


def _readable(compared: Compared) -> float:
    """The lowest FMR of 1e-2, 1e-3, 1e-4 behind which 30 false matches are; at least 1e-2."""
    able = [fmr for fmr in rates.FMRS[:3] if fmr * compared.comparisons >= rates.FEW]
    return min(able, default=rates.FMRS[0])


def _groups(made: Measured, asked: Asked, seen: Gathered, compared: dict[Design, Compared]) -> None:
    found = compared[Design(1, 1)]
    at = [(f"{fmr:.0e}", rates.threshold_at(found.impostors, fmr)) for fmr in POOLED if fmr * found.comparisons >= 3]
    judged = groups.judged_in(asked.models / "duplicates.toml")
    rows = subgroups.subgroups(seen, judged, tuple(threshold for _, threshold in at))
    made.groups = Groups(asked.groups.name if asked.groups else "", tuple(at), tuple(rows))

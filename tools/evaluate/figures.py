"""Error rates from embeddings. Pure: arrays in, numbers out.

Rules: a comparison is accepted when its cosine is above the threshold; a threshold for a wanted false match rate is the
lowest at which at most that share of impostor comparisons is accepted; draws are seeded, so that figures repeat.
Terms: ISO/IEC 2382-37, 19795-1 (FMR, FNMR: of single comparisons).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Scores:
    """Cosines of genuine and of impostor comparisons."""

    genuine: Floats
    impostor: Floats


def all_pairs(vectors: Floats, labels: Labels) -> Scores:
    """Every unordered pair of embeddings of length 1; genuine where the labels agree."""
    genuine, impostor = [], []
    for i in range(len(vectors) - 1):
        cosines = vectors[i + 1 :] @ vectors[i]
        same = labels[i + 1 :] == labels[i]
        genuine.append(cosines[same])
        impostor.append(cosines[~same])
    return Scores(np.concatenate(genuine), np.concatenate(impostor))


def pairs_within(vectors: Floats) -> Floats:
    """Cosines of every unordered pair."""
    return (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]


def rate_above(scores: Floats, threshold: float) -> float:
    """Share of comparisons accepted: FMR of impostor scores, 1 - FNMR of genuine ones."""
    return float((scores > threshold).mean()) if scores.size else float("nan")


def threshold_at(impostor: Floats, fmr: float) -> float:
    """Lowest threshold at which at most `fmr` of the scores are accepted."""
    allowed = int(fmr * impostor.size)
    return float(np.partition(impostor, impostor.size - allowed - 1)[impostor.size - allowed - 1])


def mean_vector(vectors: Floats) -> Floats:
    """Normalised mean over the second last axis: the template or probe made of several pictures."""
    mean = vectors.mean(axis=-2)
    return np.asarray(mean / np.linalg.norm(mean, axis=-1, keepdims=True))


def averaged(vectors: Floats, labels: Labels, enrol: int, probe: int, seed: int) -> Scores:
    """Templates of `enrol` pictures against probes of `probe` pictures each, one random draw.

    Residents are the people with at least enrol + probe pictures; their other pictures make probes, as many as fit.
    Impostor comparisons are residents' templates against other residents' probes and, for single-picture probes,
    against every picture of everybody else.
    """
    draw = np.random.default_rng(seed)
    people, counts = np.unique(labels, return_counts=True)
    templates, probes, owner = [], [], []
    residents = people[counts >= enrol + probe]
    for number, person in enumerate(residents):
        own = draw.permutation(np.flatnonzero(labels == person))
        templates.append(mean_vector(vectors[own[:enrol]]))
        rest = own[enrol : enrol + (len(own) - enrol) // probe * probe].reshape(-1, probe)
        probes.append(mean_vector(vectors[rest]))
        owner += [number] * len(rest)
    template, everyone = np.stack(templates), np.concatenate(probes)
    cosines = everyone @ template.T
    genuine = np.zeros(cosines.shape, bool)
    genuine[np.arange(len(owner)), owner] = True
    others = [cosines[~genuine]]
    if probe == 1:
        others.append((vectors[~np.isin(labels, residents)] @ template.T).ravel())
    return Scores(cosines[genuine], np.concatenate(others))


def one_per_cluster(vectors: Floats, ceiling: float) -> npt.NDArray[np.bool_]:
    """Mask that keeps the first picture of every cluster; pictures above `ceiling` are linked, links chain."""
    cluster = np.arange(len(vectors))
    for a, b in np.argwhere(np.triu(vectors @ vectors.T > ceiling, 1)):
        low, high = sorted((cluster[a], cluster[b]))
        cluster[cluster == high] = low
    kept = np.zeros(len(vectors), bool)
    kept[np.unique(cluster, return_index=True)[1]] = True
    return kept


def threshold_spread(vectors: Floats, fmr: float, draws: int, seed: int) -> Floats:
    """Bootstrap over pictures of the threshold for `fmr` within one group, `draws` values.

    Pairs share pictures, so pictures are drawn again, not pairs; a picture is never paired with itself.
    """
    draw = np.random.default_rng(seed)
    cosines = vectors @ vectors.T
    rows, columns = np.triu_indices(len(vectors), 1)
    found = []
    for _ in range(draws):
        chosen = draw.integers(0, len(vectors), len(vectors))
        apart = chosen[rows] != chosen[columns]
        found.append(threshold_at(cosines[chosen[rows[apart]], chosen[columns[apart]]], fmr))
    return np.array(found)

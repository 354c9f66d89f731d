"""Scores set against a cohort: how alike a template, or a probe, is to strangers in general.

Rules kept here:
- A cohort is an argument: which one may be shipped is another question. Templates of real people may not; directions
  that are drawn by chance are nobody's.

Sources: z-norm and t-norm (Auckenthaler, Carey, Lloyd-Thomas, Digital Signal Processing 10, 2000), symmetric and with
the nearest of the cohort only (Matejka et al., Interspeech 2017).
"""

from __future__ import annotations

import numpy as np

from tools.evaluate.tries.measures import Floats, Reals, Scorer, cosine

LEAST_SPREAD = 1e-3


def by_chance(count: int, seed: int = 1) -> Floats:
    """`count` directions that are nobody's, (count, 128), length 1."""
    drawn = np.random.default_rng(seed).normal(size=(count, 128))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def z_norm(cohort: Floats) -> Scorer:
    """Each template's scores in its own spread over the cohort."""

    def score(probes: Floats, templates: Floats) -> Floats:
        middle, spread = _level(templates, cohort, len(cohort))
        return np.asarray((cosine(probes, templates) - middle) / spread, np.float32)

    return score


def t_norm(cohort: Floats) -> Scorer:
    """Each probe's scores in its own spread over the cohort."""

    def score(probes: Floats, templates: Floats) -> Floats:
        middle, spread = _level(probes, cohort, len(cohort))
        return np.asarray((cosine(probes, templates) - middle[:, None]) / spread[:, None], np.float32)

    return score


def s_norm(cohort: Floats, nearest: int | None = None) -> Scorer:
    """The mean of both; `nearest`: over so many of the cohort that are most alike."""
    count = nearest or len(cohort)

    def score(probes: Floats, templates: Floats) -> Floats:
        plain = cosine(probes, templates)
        (low, wide), (middle, spread) = (_level(each, cohort, count) for each in (templates, probes))
        return np.asarray(((plain - low) / wide + (plain - middle[:, None]) / spread[:, None]) / 2, np.float32)

    return score


def centred(vectors: Floats, middle: Floats) -> Floats:
    """`vectors` as directions from `middle` (128,)."""
    moved = vectors - middle
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), np.float32)


def _level(vectors: Floats, cohort: Floats, count: int) -> tuple[Reals, Reals]:
    """Mean and spread of each vector's `count` highest scores with the cohort."""
    scores = np.sort(cosine(vectors, cohort).astype(np.float64), axis=1)[:, -count:]
    return scores.mean(axis=1), np.maximum(scores.std(axis=1), LEAST_SPREAD)

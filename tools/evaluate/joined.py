"""What a second sitting buys at the door as it is built: which sittings are joined, and what a house of four gains.

Rules kept here:
- Sittings are joined by vault's own code (`device.vault.pooling`), in vault's own record, and compared under vault's
  own thresholds (`device.vault.budget`); nothing is worked out a second time here.
- The people, sittings and draws are those of `tools.evaluate.sittings` and `covered_sittings`, where it stands how they
  were rendered; who is looked with is never of a sitting that was enrolled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device.manifest import Job, load
from device.vault import pooling, record
from device.vault import tail as tail_file
from device.vault.budget import Budget, Thresholds
from device.vault.pooling import Mean
from device.vault.record import CONSENT_BYTES, Averaged, FaceRecord
from tools.evaluate.figures import mean_vector
from tools.evaluate.gather import Floats
from tools.evaluate.sittings import DRAWS, LOOKING, Reals

FRAMES = 5
HOUSE = 4
LIMITS = (0.40, 0.45, 0.50, 0.55)


def mean_of(frames: Floats) -> Mean:
    """As an enrolment of `frames` makes it."""
    return Mean(mean_vector(frames), len(frames), float(np.linalg.norm(frames.astype(np.float64).mean(axis=0))))


def kept(first: Mean, thresholds: Thresholds, *, covered: bool = False) -> FaceRecord:
    """The record of a first sitting."""
    worth, length = thresholds.worth(first.frames, first.length, covered=covered), record.length_kept(first.length)
    template, consent, tenancy = record.to_bytes(first.unit), bytes(CONSENT_BYTES), b"t" * 16
    return FaceRecord(
        template, bytes(8), first.frames, consent, tenancy, 0, covered=covered, worth=worth, length=length
    )


def several(sittings: Sequence[Mean], thresholds: Thresholds, *, covered: bool = False) -> FaceRecord:
    """What vault keeps after these sittings, one after the other; one that it refuses changes nothing."""
    face = kept(sittings[0], thresholds, covered=covered)
    for sitting in sittings[1:]:
        found = pooling.joined(face, sitting, thresholds, covered=covered)
        face = found if isinstance(found, FaceRecord) else face
    return face


@dataclass(frozen=True)
class Likenesses:
    """Cosines of a new sitting with the template that is kept: of the right person, and of everybody else's."""

    right: Reals
    others: Reals

    def reaching(self, limit: float) -> tuple[float, float]:
        """The share of each that reaches `limit`."""
        return float((self.right >= limit).mean()), float((self.others >= limit).mean())


def likenesses(people: list[Floats], before: int) -> Likenesses:
    """Of sitting number `before` + 1 with the mean of the `before` sittings before it."""
    rng = np.random.default_rng(0)
    right, others = [], []
    for _ in range(DRAWS):
        templates, sittings = [], []
        for own in people:
            drawn = _sittings(own, rng.permutation(len(own)), before + 1, rng)
            templates.append(mean_vector(np.concatenate(drawn[:before])))
            sittings.append(mean_vector(drawn[before]))
        scores = np.stack(sittings).astype(np.float64) @ np.stack(templates).T
        own_face = np.eye(len(scores), dtype=bool)
        right.append(scores[own_face])
        others.append(scores[~own_face])
    return Likenesses(np.concatenate(right), np.concatenate(others))


@dataclass(frozen=True)
class Seen:
    """One person in one draw: what vault keeps after 1, 2 and 3 sittings, and the cosines of each with their looks."""

    averaged: tuple[Averaged, ...]
    scores: tuple[Reals, ...]


def seen(people: list[Floats], thresholds: Thresholds, *, days: bool, covered: bool = False) -> list[Seen]:
    """Everybody in every draw. days: looked with LOOKING pictures of different days, else LOOKING frames of one."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(DRAWS):
        for own in people:
            order = rng.permutation(len(own))
            sittings = [mean_of(frames) for frames in _sittings(own, order, 3, rng)]
            rest = order[3:]
            probes = [mean_vector(own[rest[:LOOKING], 0])] if days else [mean_vector(own[at, -LOOKING:]) for at in rest]
            faces = [several(sittings[:count], thresholds, covered=covered) for count in (1, 2, 3)]
            looked = np.stack(probes).astype(np.float64)
            scores = tuple(looked @ record.vector_of(face) for face in faces)
            found.append(Seen(tuple(face.averaged for face in faces), scores))
    return found


def _sittings(own: Floats, order: NDArray[np.int_], count: int, rng: np.random.Generator) -> list[Floats]:
    wide = own.shape[1] - 1 - LOOKING
    return [own[at, 1 + rng.permutation(wide)[:FRAMES]] for at in order[:count]]


def refused(
    found: list[Seen],
    often: int,
    house: int,
    thresholds: Thresholds,
    *,
    by_the_most: bool = False,
    covered: bool = False,
) -> float:
    """The share of looks refused of whoever came so often, with `house` faces awake.

    by_the_most: as if the one who counts most decided for all, and a neighbour (somebody of another draw) had two
    sittings.
    """
    below = total = 0
    for number, each in enumerate(found):
        own, scores = each.averaged[often - 1], each.scores[often - 1]
        neighbour = found[(number + len(found) // 2 + 1) % len(found)].averaged[1].worth
        worth = max(own.worth, neighbour) if by_the_most else own.worth
        height = thresholds.threshold(house, own.pictures, worth=worth, sittings=own.sittings, covered=covered)
        below += len(scores) if height is None else int((scores < height).sum())
        total += len(scores)
    return below / total


ROWS: tuple[tuple[str, int, bool], ...] = (
    ("one face, or a flat number typed first", 1, False),
    ("four faces, each under their own threshold", HOUSE, False),
    ("four faces under one threshold, a neighbour had two sittings", HOUSE, True),
)


def table(people: list[Floats], models: Path) -> str:
    """Markdown: which sittings are joined at which limit, and who is refused after how many of them."""
    thresholds = Thresholds(Budget(), tail_file.load(models, load(models).for_job(Job.EMBED).sha256), LOOKING)
    second, third = likenesses(people, 1), likenesses(people, 2)
    lines = [
        "| joined from a cosine of | second, right | second, others | third, right | third, others |",
        "|---|---|---|---|---|",
    ]
    for limit in LIMITS:
        shares = [share for each in (second, third) for share in each.reaching(limit)]
        mark = "**" if limit == pooling.LIKENESS else ""
        lines.append(f"| {mark}{limit:.2f}{mark} | " + " | ".join(percent(share) for share in shares) + " |")
    lines += [
        "",
        "Refused, looked with 3 frames of one day (with 3 pictures of 3 days), of whoever came so often; a sitting",
        "that is not joined changes nothing:",
        "",
        "| | once | twice | three times |",
        "|---|---|---|---|",
    ]
    looks = [seen(people, thresholds, days=days) for days in (False, True)]
    for name, house, most in ROWS:
        cells = []
        for often in (1, 2, 3):
            shares = [refused(found, often, house, thresholds, by_the_most=most) for found in looks]
            cells.append(f"{shares[0]:.1%} ({shares[1]:.1%})")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", counted(looks[0])])


def counted(found: list[Seen]) -> str:
    """For how many pictures the templates count, after 1, 2 and 3 sittings."""
    told = []
    for sittings in (1, 2, 3):
        worths = np.array([each.averaged[sittings - 1].worth for each in found])
        shares = ", ".join(f"{worth} {(worths == worth).mean():.0%}" for worth in np.unique(worths))
        told.append(f"after {sittings}: {shares}")
    return "Counted for so many pictures " + "; ".join(told) + "."


def percent(share: float) -> str:
    """With four digits behind the point where it is small."""
    return f"{share:.1%}" if share >= 0.01 else f"{share:.4%}"

"""Who never gets as far as a comparison: failures to acquire and to enrol.

Rules kept here:
- A picture that the door answers with a hint is a failure to acquire (FTA), by the hint. A file that is no picture is
  no failure of the door: it is counted apart.
- Somebody fails to enrol (FTE) if their pictures do not give as many samples as are wanted, or if these do not agree as
  vault wants it (`device.vault.enrolment.Collection`). At a door there are as many frames as fit into ten seconds; here
  there are as many pictures as the folder has, of other days and years: it is another question, and told as such.
- FTA draws people again; FTE counts people, who are independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from device.vault.enrolment import MIN_FRAMES, Collection
from device.wire import Hint
from tools.evaluate.accuracy.gathered import Gathered
from tools.evaluate.accuracy.rates import Rate, of_counts, of_people, weights

ENROLLED = (1, 3, 5)


@dataclass(frozen=True, slots=True)
class Acquired:
    """FTA over all pictures that are pictures, and by hint; unreadable: files that are none."""

    pictures: int
    unreadable: tuple[str, ...]
    fta: Rate
    hints: dict[str, int]


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Of `people` with enough pictures: too few samples, samples that disagree, and both as a rate.

    company: of those with too few, how many had enough but for others who stood in range.
    """

    pictures: int
    people: int
    too_few: int
    company: int
    disagree: int
    fte: Rate


def acquired(found: Gathered) -> Acquired:
    """Failures to acquire."""
    shown = found.of(found.readable)
    hints, counts = np.unique(shown.records["hint"][~shown.good], return_counts=True)
    owner = np.unique(shown.people, return_inverse=True)[1]
    lost = found.of(~found.readable)
    return Acquired(
        len(shown),
        tuple(f"{person}/{file}" for person, file in zip(lost.people, lost.files, strict=True)),
        of_people(~shown.good, owner, weights(int(owner.max()) + 1)),
        {Hint(int(hint)).name: int(count) for hint, count in zip(hints, counts, strict=True)},
    )


def enrolled(found: Gathered, pictures: int) -> Enrolled | None:
    """Failures to enrol with the first `pictures` usable samples of everybody who has as many files; None: nobody."""
    shown = found.of(found.readable)
    names, counts = np.unique(shown.people, return_counts=True)
    able = names[counts >= pictures]
    if not len(able):
        return None
    too_few = company = disagree = 0
    for name in able:
        own = shown.of(shown.people == name)
        samples = own.vectors[own.good & (own.records["alone"] == 1)][:pictures]
        if len(samples) < pictures:
            too_few += 1
            crowded = own.good | (own.records["hint"] == Hint.ONE_PERSON_ONLY)
            company += int(crowded.sum()) >= pictures
        elif pictures >= MIN_FRAMES:
            disagree += not _agree(samples)
    return Enrolled(pictures, len(able), too_few, company, disagree, of_counts(too_few + disagree, len(able)))


def _agree(samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bool:
    collection = Collection(len(samples))
    for number, sample in enumerate(samples):
        collection.add(number, sample)
    return collection.template() is not None

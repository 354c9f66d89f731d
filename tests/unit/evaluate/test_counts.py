"""From the report's way of counting to that of the tries, on people made up: each row changes what its name says."""

from __future__ import annotations

import numpy as np
import pytest

from device.wire import Hint
from tools.evaluate import counts
from tools.evaluate.accuracy.gathered import Gathered
from tools.evaluate.accuracy.look import RECORD
from tools.evaluate.accuracy.trials import CAP
from tools.evaluate.gather import Gallery

PEOPLE, EACH, MORE = 60, 6, 40


@pytest.fixture(scope="module")
def made() -> list[counts.Row]:
    """One much-photographed person; everybody's last picture has company, the one before was refused for blur."""
    generator = np.random.default_rng(3)
    names, files, vectors = [], [], []
    for person in range(PEOPLE):
        own = generator.normal(size=128)
        for picture in range(MORE if person == 0 else EACH):
            names.append(f"person-{person:02}")
            files.append(f"{picture:02}.jpg")
            vectors.append(own + 1.1 * generator.normal(size=128))
    unit = (np.array(vectors) / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    records = np.zeros(len(unit), RECORD)
    records["embedding"] = unit
    last = np.array([one != other for one, other in zip(names, [*names[1:], ""], strict=True)])
    records["hint"][last] = Hint.ONE_PERSON_ONLY
    records["hint"][np.flatnonzero(last) - 1] = Hint.HOLD_STILL
    looked = Gathered(np.array(names), np.array(files), np.zeros((len(unit), 32), np.uint8), records)
    found = Gallery(unit, np.array(names), np.array(files), 0, 0)
    return counts.rows(looked, found)


def test_each_row_counts_what_it_says(made: list[counts.Row]) -> None:
    good = EACH - 2 - counts.DESIGN.enrolled
    others = PEOPLE - 1
    much = MORE - 2 - counts.DESIGN.enrolled
    assert [row.probes for row in made] == [
        others * good + CAP,
        others * good + much,
        others * good + much,
        others * (good + 1) + much + 1,
        others * (good + 2) + much + 2,
        others * (good + 2) + much + 2,
    ]


def test_the_same_embeddings_give_the_same_rate_whichever_way_they_came(made: list[counts.Row]) -> None:
    assert made[1].fnmr == made[2].fnmr
    assert any(row.fnmr != made[1].fnmr for row in made), "or nothing was counted at all"


def test_every_row_is_printed_with_its_rates(made: list[counts.Row]) -> None:
    printed = counts.table(made)
    for row in made:
        assert f"| {row.name} | {row.residents} | {row.probes:,} | {row.fnmr[0]:.2%} | {row.fnmr[1]:.2%} |" in printed

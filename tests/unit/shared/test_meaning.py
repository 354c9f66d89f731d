"""What a template means has a name that changes with all it follows from, and the places of a crop hold to it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from device import manifest
from device.eye import steady
from device.manifest import Job
from device.meaning import COVERED_ALIGNMENT, meaning, meaning_of
from device.paths import models_dir
from tests.unit.formats_page import count, section, tables

FOUND = manifest.load(models_dir())
EMBEDDER, MESH = FOUND.for_job(Job.EMBED), FOUND.for_job(Job.LANDMARKS)


def test_a_bare_face_is_named_by_the_embedder_alone_as_ever() -> None:
    assert meaning(FOUND).bare == EMBEDDER.sha256
    assert meaning(FOUND).model_id() == EMBEDDER.sha256[:8]
    assert meaning_of(EMBEDDER, replace(MESH, sha256=b"n" * 32)).bare == EMBEDDER.sha256


def test_a_covered_face_is_named_by_both_networks_and_the_alignment() -> None:
    made = hashlib.sha256(b"doorward model\0" + EMBEDDER.sha256 + MESH.sha256 + b"mesh-18").digest()
    assert meaning(FOUND).covered == made
    assert meaning(FOUND).model_id(covered=True) == made[:8]
    others = {
        meaning(FOUND).covered,
        meaning(FOUND).bare,
        meaning_of(replace(EMBEDDER, sha256=b"n" * 32), MESH).covered,
        meaning_of(EMBEDDER, replace(MESH, sha256=b"n" * 32)).covered,
        meaning_of(EMBEDDER, MESH, "mesh-19").covered,
    }
    assert len({name[:8] for name in others}) == len(others)


PINNED = {"mesh-18": "e1b6595d4479f9714534d887ef63fe419e394c00181922333c402a2b0d3867c1"}


def as_cut() -> str:
    """Everything that decides where a covered face lies in its crop, in a thousandth of a pixel, as a sum."""
    places = ";".join(f"{number}:{x:.3f},{y:.3f}" for number, (x, y) in zip(steady.STEADY, steady.PLACES, strict=True))
    return hashlib.sha256(f"{places} {steady.LEAST_PRESENCE}".encode()).hexdigest()


def test_where_a_crop_lies_has_not_changed_without_its_name() -> None:
    """Whoever changes the one gives the other a new name, and a line of its own here."""
    assert PINNED[COVERED_ALIGNMENT] == as_cut()


@pytest.mark.parametrize("change", ["PLACES", "LEAST_PRESENCE"])
def test_a_crop_that_lies_elsewhere_under_the_old_name_is_seen(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steady, change, getattr(steady, change) + 0.5)
    assert PINNED[COVERED_ALIGNMENT] != as_cut()


def test_the_name_is_the_one_that_the_page_of_formats_makes() -> None:
    (rows,) = tables(section("The model"))
    stated = {row["what"]: row["is"] for row in rows}
    made = meaning_of(
        replace(EMBEDDER, sha256=count(0, 32)), replace(MESH, sha256=count(32, 32)), stated.pop("alignment")
    )
    assert stated == {"bare": made.bare.hex(), "covered": made.covered.hex()}

"""A resident with a mask, from `doorctl enrol --covered` to the question for the PIN, at a whole simulated door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from device import attestation
from device.attestation import CoveredConsent
from device.edges import Room
from device.manifest import load
from device.paths import models_dir
from tests.integration.door.conftest import PIN, SLOT
from tests.integration.door.test_papers import with_setting
from tests.support.door import (
    ENTER_PIN,
    OPENED,
    REFUSED,
    Home,
    another_picture,
    door_up,
    resident_pictures,
    stranger_pictures,
)
from tools.evaluate.gather import Pipeline
from tools.models.covered import CLOTHS, Cloth
from tools.portraits import portrait

(BLACK,) = (cloth for cloth in CLOTHS if cloth.name == "over the nose, black")


def wearing(cloth: Cloth, picture: Path, folder: Path) -> Path:
    """`picture` with `cloth` painted over mouth and nose."""
    bare = np.ascontiguousarray(np.asarray(Image.open(picture).convert("RGB"))[:, :, ::-1])
    face = Pipeline(models_dir(), load(models_dir())).face(bare)
    assert face is not None
    path = folder / f"masked-{picture.stem}.png"
    Image.fromarray(np.ascontiguousarray(cloth.over(bare, face.points, "resident")[:, :, ::-1])).save(path)
    return path


def hints(home: Home) -> set[str]:
    return {signal for signal in home.door.state()["signals"] if signal.startswith("LOOK ")}


def test_who_enrols_covered_is_known_covered_with_the_pin_and_not_bare(tmp_path: Path) -> None:
    bare = resident_pictures()
    masked = tuple(wearing(BLACK, picture, tmp_path) for picture in bare)
    copy = tmp_path / "consent.txt"
    with door_up() as home:
        with_setting(home, "enrol_frames = 3", "enrol_frames = 5")
        home.move_in(SLOT, PIN)
        said = home.enrol(SLOT, PIN, *masked, wishes=("--covered", "--copy", str(copy)))
        assert said.facts["result"] == "done", said
        paper = attestation.read(copy.read_text()).paper
        assert isinstance(paper, CoveredConsent)
        assert home.doorctl("consent", "verify", str(copy)).facts["covered"] is True
        assert "LOOK UNCOVER_YOUR_FACE" not in hints(home)
        assert home.looks_until_ready(masked[0]) == ENTER_PIN, "known, and opens nothing by itself"
        assert home.types(f"{PIN}#") == OPENED
        home.goes_in()
        assert home.looks(bare[0]) == REFUSED, "the same person, bare"


def test_another_sitting_of_a_covered_face_is_joined_and_no_bare_one_and_nobody_else_s(tmp_path: Path) -> None:
    def masked(*pictures: Path) -> tuple[Path, ...]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        return tuple(wearing(BLACK, picture, folder) for picture in pictures)

    def kept() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in home.records(Room.VAULT)}

    bare = (another_picture(), portrait("obama3.jpg", zoom=1.5))
    later = tuple(masked(picture)[0] for picture in bare)
    with door_up() as home:
        with_setting(home, "enrol_frames = 3", "enrol_frames = 5")
        home.move_in(SLOT, PIN)
        said = home.enrol(SLOT, PIN, *masked(*resident_pictures()), wishes=("--covered",))
        assert said.facts["result"] == "done", said
        before = kept()
        for pictures, wishes, result in (
            (bare, ("--again",), "covered_otherwise"),
            (bare, ("--again", "--covered"), "covered_otherwise"),
            (tuple(masked(picture)[0] for picture in stranger_pictures()), ("--again", "--covered"), "unlike"),
        ):
            said = home.enrol(SLOT, PIN, *pictures, wishes=wishes)
            assert (said.code, said.facts["result"]) == (1, result), said
            assert "as it was" in said.facts["reason"]
            assert kept() == before
        copy = tmp_path / "consent.txt"
        said = home.enrol(SLOT, PIN, *later, wishes=("--again", "--covered", "--copy", str(copy)))
        assert said.facts["result"] == "done", said
        assert isinstance(attestation.read(copy.read_text()).paper, CoveredConsent)
        assert len(kept()) == 1
        assert kept().keys().isdisjoint(before), "one face, sealed anew"
        assert home.looks_until_ready(later[0]) == ENTER_PIN
        assert home.types(f"{PIN}#") == OPENED
        home.goes_in()
        assert home.looks(bare[0]) == REFUSED, "bare"


def test_who_enrolled_bare_is_asked_to_uncover_and_then_let_in(tmp_path: Path) -> None:
    bare = resident_pictures()
    masked = wearing(BLACK, bare[0], tmp_path)
    with door_up() as home:
        home.move_in(SLOT, PIN)
        assert home.enrol(SLOT, PIN, *bare).facts["result"] == "done"
        assert home.looks_until_ready(masked) == REFUSED
        assert "LOOK UNCOVER_YOUR_FACE" in hints(home)
        assert home.looks(bare[0]) == OPENED


def test_a_bare_enrolment_with_a_mask_on_keeps_nothing_and_says_why(tmp_path: Path) -> None:
    masked = tuple(wearing(BLACK, picture, tmp_path) for picture in resident_pictures())
    with door_up() as home:
        home.move_in(SLOT, PIN)
        said = home.enrol(SLOT, PIN, *masked)
        assert said.facts["result"] == "covered_otherwise", said
        assert not home.records(Room.VAULT)

"""What the simulated camera is given of people and of what attackers hold up."""

from __future__ import annotations

import pickle
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from device.errors import PictureRefused
from device.eye.basis import read_basis
from device.eye.pictures import read_scaled
from tools.attack_lab.basis import FULL, Basis
from tools.attack_lab.colours import luminance
from tools.attack_lab.hold_up import FACE_AT_REST, HeldUp, hold_up, main
from tools.attack_lab.landmarks import five_points
from tools.portraits import portrait

WIDTH, HEIGHT = 320, 240
FACE_PX = 12


@lru_cache(maxsize=len(HeldUp))
def basis(kind: HeldUp) -> Basis:
    return hold_up(portrait("obama.jpg", 1.2), kind, WIDTH, HEIGHT)


@lru_cache(maxsize=1)
def nose() -> tuple[int, int]:
    shown = read_scaled(portrait("obama.jpg", 1.2), WIDTH, HEIGHT, 1.0)
    x, y = five_points(shown, "obama.jpg")[2]
    return int(x), int(y)


def beside_nose(part: npt.NDArray[np.float32], side: int) -> float:
    x, y = nose()
    patch = part[y - 6 : y - 1, x + side * FACE_PX - 2 : x + side * FACE_PX + 3]
    return float(luminance(patch.astype(np.float64)).mean())


def behind(part: npt.NDArray[np.float32]) -> float:
    return float(luminance(part[10:60, 5:30].astype(np.float64)).mean())


def steepness(kind: HeldUp) -> float:
    """How much more the left light favours the right of the picture's face than the right light does (log)."""
    left, right = basis(kind).left, basis(kind).right
    return float(
        np.log(beside_nose(left, 1) / beside_nose(right, 1)) - np.log(beside_nose(left, -1) / beside_nose(right, -1))
    )


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("kind", list(HeldUp))
def test_every_kind_is_as_bright_as_the_others_at_rest(kind: HeldUp) -> None:
    x, y = nose()
    rest = luminance(basis(kind).mixed(1, 1)[y - 10 : y + 10, x - 10 : x + 10].astype(np.float64)).mean()
    assert 0.5 * FACE_AT_REST < rest < 2 * FACE_AT_REST


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(HeldUp))
def test_a_basis_comes_back_from_its_file(kind: HeldUp, tmp_path: Path) -> None:
    basis(kind).save(tmp_path / "b.npz")
    back = read_basis(tmp_path / "b.npz", WIDTH, HEIGHT)
    for name in ("ambient", "left", "right"):
        assert np.abs(getattr(back, name) / np.float32(FULL) - getattr(basis(kind), name)).max() <= 0.51 / FULL


def test_only_a_solid_face_answers_left_and_right_otherwise_on_each_side_of_its_nose() -> None:
    for kind in (HeldUp.PRINT, HeldUp.CUTOUT):
        assert steepness(HeldUp.LIVE) > 3 * abs(steepness(kind))


def test_a_screen_answers_far_less_than_a_face() -> None:
    assert beside_nose(basis(HeldUp.SCREEN).left, 1) < 0.2 * beside_nose(basis(HeldUp.LIVE).left, 1)


def test_an_injected_video_answers_nothing() -> None:
    assert not basis(HeldUp.VIDEO).left.any()
    assert not basis(HeldUp.VIDEO).right.any()


def test_what_is_behind_a_person_answers_less_than_the_person_and_a_sheet_of_paper_as_much() -> None:
    live, printed = basis(HeldUp.LIVE), basis(HeldUp.PRINT)
    relative = [(behind(each.left) / behind(each.ambient)) for each in (live, printed)]
    face = beside_nose(live.left, 1) / beside_nose(live.ambient, 1)
    assert relative[0] < 0.5 * face
    assert behind(basis(HeldUp.CUTOUT).left) == pytest.approx(behind(basis(HeldUp.CUTOUT).right), rel=0.2)


def test_the_left_light_is_at_the_left_hand_of_who_looks_into_the_lens() -> None:
    live = basis(HeldUp.LIVE)
    assert beside_nose(live.left, 1) / beside_nose(live.right, 1) > beside_nose(live.left, -1) / beside_nose(
        live.right, -1
    )


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", pickle.dumps({"ambient": 1})])
def test_what_is_no_basis_is_refused_in_a_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "b.npz").write_bytes(content)
    with pytest.raises(PictureRefused, match=r"b\.npz cannot be read"):
        read_basis(tmp_path / "b.npz", 4, 4)


def test_a_basis_with_pickled_parts_is_refused(tmp_path: Path) -> None:
    objects = np.array([{"a": 1}], dtype=object)
    np.savez(tmp_path / "b.npz", ambient=objects, left=objects, right=objects)
    with pytest.raises(PictureRefused):
        read_basis(tmp_path / "b.npz", 1, 1)


@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 4, 4), (4, 4)])
def test_parts_of_unequal_or_wrong_shape_are_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    good = np.zeros((4, 4, 3), np.uint16)
    np.savez(tmp_path / "b.npz", ambient=good, left=good, right=np.zeros(shape, np.uint16))
    with pytest.raises(PictureRefused, match="not made for"):
        read_basis(tmp_path / "b.npz", 4, 4)


def test_a_picture_of_nobody_is_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    Image.new("RGB", (64, 48), (90, 90, 90)).save(tmp_path / "grey.png")
    assert main([str(tmp_path / "grey.png"), "live", str(tmp_path / "out.npz")]) == 1
    assert "no face was found in grey.png" in capsys.readouterr().err
    assert not (tmp_path / "out.npz").exists()
    assert main(["one"]) == 2


def test_paths_that_cannot_be_read_or_written_are_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for picture in (tmp_path / "nothing.png", tmp_path):
        assert main([str(picture), "live", str(tmp_path / "out.npz")]) == 1
        assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setattr(sys.modules[main.__module__], "hold_up", lambda *_: basis(HeldUp.LIVE))
    folder = tmp_path / "folder.npz"
    folder.mkdir()
    for out in (tmp_path / "no" / "out.npz", folder):
        assert main(["any.png", "live", str(out)]) == 1
        said = capsys.readouterr().err
        assert (said.count("\n"), f"{out} cannot be written" in said) == (1, True)
    assert list(tmp_path.rglob("*")) == [folder]  # nothing half done is left

"""Heads and sheets that turn before the lens, without a network: where what is seen of them lies."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from device.challenge import MS
from device.eye.attack.approach import CROP_EVERY_NS
from device.eye.attack.mesh import POINTS as POINTS_OF_MESH
from device.eye.attack.motion import Moment, Turning, Why
from device.eye.attack.moved import Followed, Moved
from device.eye.attack.parallax import Shot
from device.wire import Attack, Hint
from tools.attack_lab import motion, same, turns
from tools.attack_lab.head import Head
from tools.attack_lab.motion import Attempt
from tools.attack_lab.place import Person, stand
from tools.attack_lab.surfaces import Lens, turned
from tools.attack_lab.turned import Solid, head, sheet
from tools.portraits import portrait

LENS = Lens(320, 240)
POINTS = np.array([[142.0, 105], [178, 105], [160, 128], [146, 143], [174, 143]])


def person() -> Person:
    return stand(LENS, POINTS, Head())


def dots() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A dark picture with a bright dot at the nose and at each eye."""
    y, x = np.mgrid[0:240, 0:320]
    shown = np.zeros((240, 320, 3))
    for at in POINTS[:3]:
        shown += 250 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 8)[..., None]
    return np.minimum(shown, 255).astype(np.uint8)


def found(solid: Solid, yaw_deg: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Where the dots are seen across, each from the middle of the eyes."""
    seen = solid.seen(turned(yaw_deg, 0.0), np.random.default_rng(3))[..., 0].astype(float)
    seen[seen < 40] = 0
    _, x = np.mgrid[0:240, 0:320]
    rows = [slice(98, 113), slice(98, 113), slice(121, 136)]
    columns = [slice(128, 160), slice(160, 192), slice(135, 186)]
    across = [
        float((seen[row, column] * x[row, column]).sum() / seen[row, column].sum())
        for row, column in zip(rows, columns, strict=True)
    ]
    return np.array(across) - (across[0] + across[1]) / 2


def test_a_nose_passes_the_eyes_when_a_head_turns_and_to_the_side_it_turns_to() -> None:
    solid = head(LENS, dots(), person())
    assert found(solid, -10)[2] > 1.0
    assert found(solid, 10)[2] < -1.0
    assert abs(found(solid, 0)[2]) < 0.6


@pytest.mark.parametrize("radius_mm", [None, 300.0])
def test_on_a_sheet_everything_stays_beside_everything(radius_mm: float | None) -> None:
    solid = sheet(LENS, dots(), person(), radius_mm)
    assert abs(found(solid, 10)[2]) < 0.8
    assert abs(found(solid, -10)[2]) < 0.8


def test_what_does_not_turn_is_the_picture_with_noise() -> None:
    shown = dots()
    seen = sheet(LENS, shown, person(), None).seen(np.eye(3), np.random.default_rng(1))
    assert abs(float(seen.mean()) - float(shown.mean())) < 2
    assert (seen != shown).any()


def test_a_folder_without_pictures_is_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert motion.main(["--faces", str(tmp_path)]) == 1
    assert "holds no DIR/person/picture.jpg" in capsys.readouterr().err


def test_rows_tell_what_passed_why_not_and_the_bound(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    turned_face = Turning(passed=True, why=Why.TURNED, value=0.1, error=0.01)
    answers = {True: Attempt(Attack.MOVED, turned_face, 0.9)}
    answers[False] = Attempt(Attack.INCONCLUSIVE, Turning(passed=False, why=Why.FLAT, value=0.0, error=0.01))
    monkeypatch.setattr(motion, "attempt", lambda make, _pictures, _seed: answers[make is motion.live])
    monkeypatch.setattr(motion, "portrait", lambda name: name)
    assert motion.main(["--n", "5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("motion: people: 5 of 5 passed; nothing else")
    assert lines[1].startswith("motion: flat sheet: 0 of 5 passed (at most 45 % at 95 %); 5 flat")
    assert len(lines) == len(motion.ROWS) + 1
    assert "rendered" in lines[-1]


def test_what_turned_and_was_refused_all_the_same_is_told_apart() -> None:
    turned_face = Turning(passed=True, why=Why.TURNED)
    assert Attempt(Attack.INCONCLUSIVE, turned_face, 0.2).why == "another person"
    assert Attempt(Attack.INCONCLUSIVE, turned_face).why == "no crop"
    assert Attempt(Attack.INCONCLUSIVE, Turning(passed=False, why=Why.NARROW), 0.2).why == "narrow"


@pytest.mark.slow
def test_a_rendered_head_goes_the_way_of_a_door_and_a_turned_photograph_of_it_does_not() -> None:
    """Real pictures, real networks, eye's own way; how often of a hundred is for the lab to count."""
    pictures = [portrait(name) for name in ("obama.jpg", "biden.jpg", "astronaut.png")]
    people = [motion.attempt(motion.live, pictures, (3, which)) for which in range(3)]
    assert Attack.MOVED in {each.attack for each in people}
    for sheet_of in (motion.flat, motion.bent, motion.lying, motion.accomplice):
        assert motion.attempt(sheet_of, pictures, (4, 1)).attack is Attack.INCONCLUSIVE


def offered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """When eye was given a face to keep, ms after one another, in an attempt of somebody who is always seen."""
    points = np.random.default_rng(2).random((POINTS_OF_MESH, 3)).astype(np.float32) * 100
    face = np.zeros((112, 112, 3), np.uint8)
    followed = Followed(0, None, Moment(0, Shot(np.zeros((192, 192), np.uint8), points), face))
    cropped: list[int] = []

    class Kept(Moved):
        def offer(self, followed: Followed) -> Hint | None:
            if followed.moment is not None and followed.moment.crop is not None:
                cropped.append(followed.frame_ns // MS)
            return super().offer(followed)

    class Blind:
        def embed(self, _: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
            return np.ones(128, np.float32)

    monkeypatch.setattr(motion, "Moved", Kept)
    monkeypatch.setattr(motion, "_sight", Blind)
    monkeypatch.setattr(motion, "place", lambda *_: None)
    monkeypatch.setattr(motion, "followed", lambda *_: followed)
    motion.attempt(lambda *_: (None, 10.0), [], (1,))  # type: ignore[arg-type]
    return [after - before for before, after in pairwise(cropped)]


def test_a_face_is_cut_out_as_often_as_at_a_door(monkeypatch: pytest.MonkeyPatch) -> None:
    apart = offered(monkeypatch)
    assert len(apart) > 20
    assert min(apart) >= CROP_EVERY_NS // MS
    monkeypatch.setattr(Moved, "wants_crop", lambda *_: True)
    assert min(offered(monkeypatch)) < CROP_EVERY_NS // MS, "the seeded fault: a face of every frame"


@pytest.mark.slow
def test_pictures_of_which_eye_embeds_none_are_a_sentence_and_no_waiting_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "1.jpg").touch()
    at = SimpleNamespace(who="ada", lens=LENS, shown=dots(), person=person())
    monkeypatch.setattr(same, "place", lambda *_: at)
    monkeypatch.setattr(same, "_embedded", lambda *_: None)
    assert same.main(["--faces", str(tmp_path), "--n", "1"]) == 1
    assert "would embed none" in capsys.readouterr().err
    monkeypatch.setattr(same, "_embedded", lambda _s, _h, degrees, _r: np.ones(4) if degrees == 0 else None)
    assert same.main(["--faces", str(tmp_path), "--n", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "+0 degrees: 2 of 2 embedded" in lines[0]
    assert lines[1] == "same: +8 degrees: 0 of 2 embedded"


def test_single_turns_need_pictures_and_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for tool in (turns, same):
        assert tool.main(["--faces", str(tmp_path)]) == 1
        assert "holds no DIR/person/picture.jpg" in capsys.readouterr().err

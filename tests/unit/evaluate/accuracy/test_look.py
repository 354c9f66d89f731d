"""What is measured is what runs: a look gives what the door's own sight gives, and says what it was made by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from device.config.tables import EyeTable
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, Frame
from device.eye.pictures import read_scaled
from device.eye.pixels import fit_area
from device.eye.sight import Sight
from device.paths import models_dir
from device.wire import Hint
from tools.evaluate.accuracy import look as module
from tools.evaluate.accuracy.conditions import CLEAN, Condition
from tools.evaluate.accuracy.look import UNREADABLE, Chain, Looker, mesh_yaw_deg
from tools.samples import sample


@pytest.fixture(scope="module")
def looker() -> Looker:
    return Looker(Chain(models_dir()))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["obama.jpg", "biden.jpg", "obama_partial_face.jpg"])
def test_a_look_is_the_doors_own(looker: Looker, name: str) -> None:
    (record,) = looker.at(sample(name), b"", (CLEAN,))
    main = read_scaled(sample(name), 640, 480, 1.0)
    seen = Sight.load(EyeTable(), models_dir()).look(Frame(main, fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX), 0))
    assert Hint(int(record["hint"])) is seen.hint if seen.hint else record["hint"] == 0
    if seen.embedding is not None:
        assert (record["embedding"] == seen.embedding).all()
        assert record["eyes_px"] == pytest.approx(seen.eye_distance_px, rel=1e-6)
    assert bool(record["embedding"].any()) == (seen.embedding is not None)


def test_what_is_no_picture_is_told_apart_from_nobody(looker: Looker, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    (record,) = looker.at(tmp_path / "text.jpg", b"", (CLEAN,))
    assert record["hint"] == UNREADABLE


def test_somebody_at_a_metre_has_the_eyes_as_far_apart_as_the_lens_says(looker: Looker) -> None:
    near, far = looker.at(sample("obama.jpg"), b"1", (Condition("distance", 0.5), Condition("distance", 1.0)))
    # 63 mm at 1 m, 640 px over 66 degrees: 0.063 * 320 / tan(33 degrees) = 31.0 px
    assert far["eyes_px"] == pytest.approx(31.0, abs=1.5)
    assert near["eyes_px"] == pytest.approx(62.1, abs=2.5)


def test_darkness_is_told_by_the_door(looker: Looker) -> None:
    (record,) = looker.at(sample("obama.jpg"), b"1", (Condition("exposure", -9.0),))
    assert record["hint"] in (Hint.TOO_DARK, Hint.NOBODY)


def test_another_network_or_condition_is_another_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain(models_dir())
    keys = {chain.key(), chain.key(Condition("defocus", 1.0)), chain.key(Condition("defocus", 2.0))}
    keys.add(Chain(models_dir(), scale=0.6).key())
    other = tmp_path / "sface-float32.tflite"
    other.write_bytes(b"another network")
    keys.add(Chain(models_dir(), floating=other).key())
    assert len(keys) == 5
    assert chain.key() == Chain(models_dir()).key()
    monkeypatch.setattr(module, "_SOURCES", ("device/eye/sight.py",))
    assert chain.key() not in keys


def test_code_that_makes_an_embedding_is_part_of_the_chain() -> None:
    named = {source.removesuffix(".py").rpartition("/")[2] for source in module._SOURCES}
    assert {"sight", "alignment", "pixels", "embedder", "detector", "quality", "conditions"} <= named
    assert all((module._ROOT / source).is_file() for source in module._SOURCES)


def test_a_turned_mesh_is_turned_by_as_many_degrees() -> None:
    points = np.zeros((468, 3))
    for (left, right), half in zip(module._PAIRS, (30.0, 20.0, 60.0), strict=True):
        points[left, 0], points[right, 0] = -half, half
    turn = np.deg2rad(25.0)
    turned = points.copy()
    turned[:, 0], turned[:, 2] = points[:, 0] * np.cos(turn), points[:, 0] * np.sin(turn)
    assert mesh_yaw_deg(turned) == pytest.approx(25.0)

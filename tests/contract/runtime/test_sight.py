"""From a frame to an embedding with the real networks and real pictures, on every runtime."""

from functools import lru_cache
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image, ImageDraw

from device.config.tables import CameraTable, EyeTable
from device.errors import ConfigRefused, ModelRefused
from device.eye.alignment import CROP_PX, picture_to_crop
from device.eye.camera import Frame
from device.eye.camera_replay import ReplayCamera
from device.eye.choose import COMPARABLE
from device.eye.dark import DARK_BELOW
from device.eye.pixels import Picture, Similarity, Warp, fit_area
from device.eye.quality import light
from device.eye.runtime import Floats, Network, Runtime, installed
from device.eye.sight import Seen, Sight, refuse_stretched
from device.manifest import load
from device.meaning import meaning
from device.paths import models_dir
from device.wire import Hint, LookMode
from tools.samples import sample

RUNTIMES = sorted(installed())
SAME, DIFFERENT = 0.5, 0.363  # between: OpenCV's own threshold for SFace is 0.363


@lru_cache(maxsize=2)
def sight(runtime: Runtime) -> Sight:
    return Sight.load(EyeTable(runtime=str(runtime)), models_dir())


@lru_cache(maxsize=32)
def frame(source: Path, scale: float = 1.0, width: int = 640, height: int = 480) -> Frame:
    camera = ReplayCamera(source, width, height)
    camera._fixed = type(camera._fixed)(source, 60.0, scale)
    camera.open()
    shown = camera.read(0)
    camera.close()
    return shown


NEARER = {"biden.jpg": 1.2}  # a picture from head to knee: at 1.0 the face is too far away to be looked at


def embedding(runtime: Runtime, name: str) -> Floats:
    seen = sight(runtime).look(frame(sample(name), NEARER.get(name, 1.0)))
    assert seen.embedding is not None, seen.hint
    return seen.embedding


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_pictures_of_one_person_are_alike_and_of_two_are_not(runtime: Runtime) -> None:
    names = ("obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png")
    first, second, other, third = (embedding(runtime, name) for name in names)
    assert float(first @ second) > SAME
    for stranger in (other, third):
        assert float(first @ stranger) < DIFFERENT
        assert float(second @ stranger) < DIFFERENT


@pytest.mark.parametrize("name", ["obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png"])
def test_runtimes_agree_on_faces(name: str) -> None:
    if len(RUNTIMES) < 2:
        pytest.skip("only one runtime is installed")
    first, second = (embedding(runtime, name) for runtime in RUNTIMES)
    assert float(first @ second) >= 0.99
    one, other = (sight(runtime).faces(frame(sample(name), NEARER.get(name, 1.0))) for runtime in RUNTIMES)
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert np.allclose(a.points, b.points, atol=0.5)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_embedding_is_a_unit_vector_of_the_wires_size(runtime: Runtime) -> None:
    vector = embedding(runtime, "obama.jpg")
    assert vector.shape == (128,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_person_far_away_is_never_embedded(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 3: dropped before an embedding exists, so the embedder must not even run."""
    runs: list[str] = []
    invoke = Network.invoke_only

    def counted(self: Network) -> None:
        runs.append(self.entry.name)
        invoke(self)

    monkeypatch.setattr(Network, "invoke_only", counted)
    seen = sight(runtime).look(frame(sample("obama.jpg"), 0.25))
    assert (seen.hint, seen.embedding) == (Hint.COME_CLOSER, None)
    assert runs == ["yunet"]
    assert sight(runtime).look(frame(sample("obama.jpg"))).embedding is not None
    assert runs == ["yunet", "yunet", "sface"]  # and the counting works


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_nobody_is_nobody(runtime: Runtime) -> None:
    empty = np.full((480, 640, 3), 118, np.uint8)
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    for picture in (empty, noise, np.zeros_like(empty)):
        seen = sight(runtime).look(Frame(picture, np.ascontiguousarray(picture[::2, ::2]), 5))
        assert (seen.hint, seen.embedding, seen.frame_ns) == (Hint.NOBODY, None, 5)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_two_people_are_asked_to_come_one_by_one(runtime: Runtime, tmp_path: Path) -> None:
    both = Image.new("RGB", (1280, 960), (118, 118, 118))
    for name, x in (("obama.jpg", 0), ("biden.jpg", 640)):
        with Image.open(sample(name)) as opened:
            both.paste(opened.convert("RGB").resize((640, 960)), (x, 0))
    both.save(tmp_path / "both.png")
    assert sight(runtime).look(frame(tmp_path / "both.png")).hint is Hint.ONE_PERSON_ONLY


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_while_enrolling_somebody_smaller_in_range_is_one_too_many(runtime: Runtime, tmp_path: Path) -> None:
    both = Image.new("RGB", (1280, 960), (118, 118, 118))
    with Image.open(sample("obama.jpg")) as opened:  # twice: the second stands one and a half times as far away
        for size, at in (
            ((760, 960), (0, 0)),
            ((500, 632), (770, 200)),
        ):
            both.paste(opened.convert("RGB").resize(size), at)
    both.save(tmp_path / "both.png")
    eye, shown = sight(runtime), frame(tmp_path / "both.png")
    near, far = sorted((face.eye_distance_px for face in eye.faces(shown)), reverse=True)
    assert EyeTable().min_eye_distance_px < far < COMPARABLE * near
    assert eye.look(shown, LookMode.RECOGNISE).embedding is not None
    seen = eye.look(shown, LookMode.ENROL)
    assert (seen.hint, seen.embedding) == (Hint.ONE_PERSON_ONLY, None)


def wearing_a_mask(eye: Sight, folder: Path) -> Frame:
    """The same person with something blue over mouth and nose."""
    bare = frame(sample("obama.jpg"))
    left, top, width, height = eye.faces(bare)[0].box
    picture = Image.fromarray(np.ascontiguousarray(bare.main[:, :, ::-1]))
    ImageDraw.Draw(picture).rectangle(
        (left + 0.05 * width, top + 0.62 * height, left + 0.95 * width, top + height), fill=(120, 165, 200)
    )
    picture.save(folder / "masked.png")
    return frame(folder / "masked.png")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_covered_face_is_noticed_and_embedded_all_the_same(runtime: Runtime, tmp_path: Path) -> None:
    eye = sight(runtime)
    bare = frame(sample("obama.jpg"))
    assert not any(eye.look(bare, mode).covered for mode in LookMode)
    masked = wearing_a_mask(eye, tmp_path)
    enrolling, recognising = eye.look(masked, LookMode.ENROL), eye.look(masked, LookMode.RECOGNISE)
    assert enrolling.covered
    assert recognising.covered
    assert enrolling.embedding is not None, "what is asked for is not withheld: the embedding is there"
    assert recognising.embedding is not None
    assert np.array_equal(enrolling.embedding, recognising.embedding)


def cut(shown: Frame, to_crop: Similarity) -> Picture:
    crop = np.zeros((CROP_PX, CROP_PX, 3), np.uint8)
    Warp(CROP_PX)(shown.main, to_crop.inverse(), crop)
    return crop


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_covered_face_is_cut_by_the_mesh_and_a_bare_one_by_the_five_points(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    eye, aligner = sight(runtime), sight(runtime)._aligner
    asked = Mock(wraps=aligner.to_crop)
    monkeypatch.setattr(eye, "_aligner", Mock(to_crop=asked))
    bare, masked = frame(sample("obama.jpg")), wearing_a_mask(eye, tmp_path)
    for shown, times in ((bare, 0), (masked, 1)):
        seen, (face,) = eye.look(shown), eye.faces(shown)
        assert asked.call_count == times
        by_points, by_mesh = picture_to_crop(face.points), aligner.to_crop(shown.main, face)
        assert by_mesh is not None
        five, mesh = (eye.embed(cut(shown, to_crop)) for to_crop in (by_points, by_mesh))
        assert not np.array_equal(five, mesh)
        assert seen.embedding is not None
        assert np.array_equal(seen.embedding, mesh if times else five)
    asked.side_effect = lambda _main, _face: None
    (face,) = eye.faces(masked)
    unseen = eye.look(masked)
    assert unseen.covered
    assert unseen.embedding is not None
    assert np.array_equal(unseen.embedding, eye.embed(cut(masked, picture_to_crop(face.points))))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_crop_of_a_challenge_is_told_as_what_it_was_cut_as_or_dropped(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    eye = Sight.load(EyeTable(runtime=str(runtime)), models_dir(), 66.0)
    eye.begin()
    shown = frame(sample("obama.jpg"))
    (face,) = eye.faces(shown)
    by_mesh = eye._aligner.to_crop(shown.main, face)
    assert by_mesh is not None
    five, mesh = cut(shown, picture_to_crop(face.points)), cut(shown, by_mesh)
    for said, kept in (([False], five), ([True, True], mesh), ([True, False], None)):
        monkeypatch.setattr("device.eye.sight.seems_covered", Mock(side_effect=said * 2))
        watched, followed = eye.watch(shown, crop=True), eye.follow(shown, crop=True)
        assert watched.glance is not None
        assert followed.moment is not None
        for found in (watched.crop, followed.moment.crop):
            assert (found is None) is (kept is None)
            assert kept is None or (found is not None and np.array_equal(found, kept))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_darkness_and_blur_get_their_hint(runtime: Runtime) -> None:
    good = frame(sample("obama.jpg"))
    dark = Frame((good.main * 0.05).astype(np.uint8), good.low, 1)
    assert sight(runtime).look(dark).hint is Hint.TOO_DARK
    sums = good.main.astype(np.float32).cumsum(axis=0)
    rows = (sums[16:] - sums[:-16]) / 16
    sums = rows.cumsum(axis=1)
    blurred = Frame(good.main.copy(), good.low, 1)
    blurred.main[8:-8, 8:-8] = (sums[:, 16:] - sums[:, :-16]) / 16
    assert sight(runtime).look(blurred).hint is Hint.HOLD_STILL


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_larger_main_plane_gives_the_same_person(runtime: Runtime) -> None:
    small = embedding(runtime, "obama.jpg")
    large = sight(runtime).look(frame(sample("obama.jpg"), 1.0, 1280, 960))
    assert large.embedding is not None
    assert float(small @ large.embedding) > 0.9


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_nothing_of_a_face_is_left_after_forgetting(runtime: Runtime) -> None:
    eye = sight(runtime)
    assert isinstance(eye.look(frame(sample("obama.jpg"))), Seen)
    assert eye._crop.any()
    eye.forget()
    assert not eye._crop.any()
    assert not eye._warp._places.any()
    left: list[bool] = []
    for network in (*eye.networks, eye._aligner.network):
        network.feed(lambda view: left.append(bool(view.any())))
    assert left == [False, False, False]


def test_what_it_says_of_bare_and_covered_faces_is_what_vault_asks_for() -> None:
    meant = meaning(load(models_dir()))
    for covered in (False, True):
        assert sight(RUNTIMES[0]).model_id(covered=covered) == meant.model_id(covered=covered)


def test_networks_in_each_others_place_are_refused() -> None:
    eye = sight(RUNTIMES[0])
    (detector, embedder), mesh = eye.networks, eye._aligner.network
    for wrong in ((embedder, detector, mesh), (detector, detector, mesh), (detector, embedder, detector)):
        with pytest.raises(ModelRefused):
            Sight(*wrong, eye._within)


@pytest.mark.parametrize("size", [(1280, 720), (640, 640), (480, 640)])
def test_a_stretched_plane_is_refused_at_the_start(size: tuple[int, int]) -> None:
    refuse_stretched(CameraTable())
    refuse_stretched(CameraTable(width_px=1296, height_px=972))
    with pytest.raises(ConfigRefused, match="4:3"):
        refuse_stretched(CameraTable(width_px=size[0], height_px=size[1]))


def in_little_light(name: str, brightness: float, *, cloth: bool = False) -> Frame:
    """The portrait with so much of its light, and a sensor's noise; with a black cloth over mouth and nose."""
    shown = frame(sample(name), NEARER.get(name, 1.0))
    main = shown.main.copy()
    if cloth:
        (face,) = sight(RUNTIMES[0]).faces(shown)
        (left, nose, right), chin = face.points[[0, 2, 1]], face.points[3:].mean(axis=0) * 2 - face.points[2]
        apart = float(right[0] - left[0])
        rows = slice(int(nose[1] - 0.1 * apart), int(chin[1] + 0.3 * apart))
        main[rows, int(left[0] - 0.5 * apart) : int(right[0] + 0.5 * apart)] = (28, 26, 25)
    noise = np.random.default_rng(3).normal(0, 3, main.shape)
    dark = np.clip(np.rint(main * brightness + noise), 0, 255).astype(np.uint8)
    return Frame(dark, fit_area(dark, *shown.low.shape[:2]), 0)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", ["obama.jpg", "biden.jpg", "astronaut.png"])
def test_a_face_in_little_light_is_more_like_itself_than_as_it_was_seen(runtime: Runtime, name: str) -> None:
    eye, known = sight(runtime), embedding(runtime, name)
    seen = eye.look(in_little_light(name, 0.12))
    assert seen.embedding is not None, seen.hint
    as_it_was = eye._embedder.embed(eye._crop)
    assert float(known @ seen.embedding) > float(known @ as_it_was) + 0.02
    assert np.array_equal(eye.embed(eye._crop), seen.embedding)  # a crop that was kept is embedded alike


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_face_in_ordinary_light_is_embedded_as_it_was_seen(runtime: Runtime) -> None:
    eye = sight(runtime)
    for brightness in (1.0, 0.5):
        seen = eye.look(in_little_light("obama.jpg", brightness))
        assert seen.embedding is not None, seen.hint
        assert np.array_equal(seen.embedding, eye._embedder.embed(eye._crop))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_covered_face_is_embedded_as_it_was_seen(runtime: Runtime) -> None:
    """Cloth is dark by itself: what it takes from the middle's brightness says nothing about the light."""
    eye = sight(runtime)
    seen = eye.look(in_little_light("obama.jpg", 0.2, cloth=True))
    assert (seen.hint, seen.covered) == (None, True)
    assert seen.embedding is not None
    assert light(eye._crop).mean < DARK_BELOW  # or the test would say nothing
    for found in (seen.embedding, eye.embed(eye._crop)):
        assert np.array_equal(found, eye._embedder.embed(eye._crop))

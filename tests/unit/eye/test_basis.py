"""What is held up before the simulated camera: read as it is, and whatever is no such file is refused by name."""

from __future__ import annotations

import io
import re
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import PictureRefused
from device.eye import basis
from device.eye.basis import read_basis

WIDTH, HEIGHT = 8, 6
PLANES = {
    name: np.full((HEIGHT, WIDTH, 3), value, np.uint16)
    for name, value in (("ambient", 9000), ("left", 700), ("right", 800))
}


def archive(path: Path, **arrays: npt.NDArray[np.generic]) -> Path:
    np.savez(path, **arrays)
    return path


def test_the_three_pictures_arrive_as_they_were_kept(tmp_path: Path) -> None:
    for path in (archive(tmp_path / "a.npz", **PLANES), tmp_path / "b.npz"):
        if not path.exists():
            np.savez_compressed(path, **PLANES)
        read = read_basis(path, WIDTH, HEIGHT)
        for name, plane in PLANES.items():
            assert np.array_equal(getattr(read, name), plane)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({}, "does not hold"),
        ({"ambient": PLANES["ambient"], "left": PLANES["left"]}, "does not hold"),
        (PLANES | {"more": PLANES["left"]}, "does not hold"),
        (PLANES | {"left": PLANES["left"][:, :-1]}, "not made for a camera of 8 x 6"),
        (PLANES | {"left": PLANES["left"].reshape(WIDTH, HEIGHT, 3)}, "not made for a camera of 8 x 6"),
        (PLANES | {"left": PLANES["left"].astype(np.uint8)}, "not made for a camera of 8 x 6"),
        (PLANES | {"left": PLANES["left"].astype(">u2")}, "not made for a camera of 8 x 6"),
        (PLANES | {"right": np.zeros((600, 800, 3), np.uint16)}, "not made for a camera of 8 x 6"),
        (PLANES | {"right": np.full((HEIGHT, WIDTH, 3), None)}, "not made for a camera of 8 x 6"),
    ],
    ids=["empty", "one is missing", "one too many", "narrower", "turned", "bytes", "other order", "larger", "pickled"],
)
def test_other_pictures_are_refused_by_name(
    tmp_path: Path, arrays: dict[str, npt.NDArray[np.generic]], said: str
) -> None:
    path = archive(tmp_path / "held.npz", **arrays)
    with pytest.raises(PictureRefused, match=said) as refusal:
        read_basis(path, WIDTH, HEIGHT)
    assert "held.npz" in str(refusal.value)


def test_what_is_not_there_or_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.npz", tmp_path):
        with pytest.raises(PictureRefused, match="cannot be read"):
            read_basis(path, WIDTH, HEIGHT)


def test_a_file_that_is_too_large_is_refused_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(basis, "MAX_FILE_BYTES", 1 << 20)
    (tmp_path / "big.npz").write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(PictureRefused, match="more than 1 MB"):
        read_basis(tmp_path / "big.npz", WIDTH, HEIGHT)


def test_an_array_that_would_unfold_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in PLANES:
            packed.writestr(f"{name}.npy", bytes(5 << 20))
    assert path.stat().st_size < 100_000
    with pytest.raises(PictureRefused, match="not made for"):
        read_basis(path, WIDTH, HEIGHT)


@pytest.mark.parametrize("shape", [(10**6, 10**6, 3), (-1, 8, 3), (10**30,)], ids=["a terapixel", "negative", "huge"])
def test_a_header_that_lies_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "liar.npz"
    header = repr({"descr": "<u2", "fortran_order": False, "shape": shape}).ljust(117) + "\n"
    liar = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(100)
    with zipfile.ZipFile(path, "w") as packed:
        for name in PLANES:
            packed.writestr(f"{name}.npy", liar)
    with pytest.raises(PictureRefused, match=r"liar\.npz"):
        read_basis(path, WIDTH, HEIGHT)


def packed(path: Path, content: bytes, packing: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as archived:
        for name in PLANES:
            archived.writestr(f"{name}.npy", content)
    return path


def array_file(shape: tuple[int, ...], numbers: bytes, more: str = "") -> bytes:
    header = (repr({"descr": "<u2", "fortran_order": False, "shape": shape})[:-1] + f", }}{more}").ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + numbers


def peak_bytes(path: Path) -> int:
    """The most that refusing `path` took at once, beside the file itself."""
    tracemalloc.start()
    try:
        with pytest.raises(PictureRefused, match=re.escape(path.name)):
            read_basis(path, WIDTH, HEIGHT)
        return tracemalloc.get_traced_memory()[1] - path.stat().st_size
    finally:
        tracemalloc.stop()


def test_a_shape_is_not_believed_before_its_numbers_are_there(tmp_path: Path) -> None:
    assert peak_bytes(packed(tmp_path / "wide.npz", array_file((20_000, 20_000, 3), bytes(100)))) < 1 << 20


@pytest.mark.slow
def test_no_more_is_unpacked_than_a_picture_has_though_the_directory_lies(tmp_path: Path) -> None:
    size = 64 << 20
    path = packed(tmp_path / "bomb.npz", array_file((HEIGHT, WIDTH, 3), bytes(size)), zipfile.ZIP_DEFLATED)
    whole_size = (size + 128).to_bytes(4, "little")
    lying = path.read_bytes()
    assert lying.count(whole_size) == 6
    path.write_bytes(lying.replace(whole_size, (128 + HEIGHT * WIDTH * 6).to_bytes(4, "little")))
    assert peak_bytes(path) < 1 << 20


def test_a_directory_of_very_many_files_is_not_listed(tmp_path: Path) -> None:
    path = tmp_path / "many.npz"
    with zipfile.ZipFile(path, "w") as archived:
        for number in range(5_000):
            archived.writestr(str(number), b"")
    assert peak_bytes(path) < 1 << 20


def test_what_numpy_does_not_pack_so_is_not_unpacked(tmp_path: Path) -> None:
    for packing in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        path = packed(tmp_path / "other.npz", array_file((HEIGHT, WIDTH, 3), bytes(HEIGHT * WIDTH * 6)), packing)
        with pytest.raises(PictureRefused, match=r"other\.npz .* packed in another way"):
            read_basis(path, WIDTH, HEIGHT)


@pytest.mark.parametrize(
    "content",
    [
        b"no array at all",
        b"",
        array_file((HEIGHT, WIDTH, 3), bytes(HEIGHT * WIDTH * 6)).replace(b"'fortran_order'", b"(fortran_order("),
        array_file((HEIGHT, WIDTH, 3), bytes(HEIGHT * WIDTH * 6), " + 0"),
        array_file((HEIGHT, WIDTH, 3), bytes(HEIGHT * WIDTH * 6 - 1)),
        array_file((HEIGHT, WIDTH, 3), bytes(HEIGHT * WIDTH * 6 + 1)),
    ],
    ids=["no array", "nothing", "half a bracket", "a sum", "too short", "too long"],
)
def test_what_numpy_does_not_write_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(PictureRefused, match=r"held\.npz cannot be read as what somebody holds up: ambient\.npy"):
        read_basis(packed(tmp_path / "held.npz", content), WIDTH, HEIGHT)


def test_the_order_in_which_the_numbers_lie_is_followed(tmp_path: Path) -> None:
    drawn = np.random.default_rng(5).integers(0, 65536, (HEIGHT, WIDTH, 3), np.uint16)
    for lying in (drawn, np.asfortranarray(drawn)):
        path = archive(tmp_path / "drawn.npz", **(PLANES | {"left": lying}))
        assert np.array_equal(read_basis(path, WIDTH, HEIGHT).left, drawn)


def whole() -> bytes:
    kept = io.BytesIO()
    np.savez(kept, **PLANES)
    return kept.getvalue()


@given(st.data())
def test_whatever_a_damaged_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    torn = bytearray(whole())
    for _ in range(data.draw(st.integers(1, 4))):
        torn[data.draw(st.integers(0, len(torn) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "torn.npz"
    path.write_bytes(torn[: data.draw(st.integers(0, len(torn)))] if data.draw(st.booleans()) else torn)
    said = ""
    try:
        shape = read_basis(path, WIDTH, HEIGHT).left.shape
    except PictureRefused as refusal:
        said = str(refusal)
    assert "torn.npz" in said or shape == (HEIGHT, WIDTH, 3)

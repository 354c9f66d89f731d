"""Picture files are shown or refused, within limits."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from device.errors import PictureRefused
from device.eye.pictures import EMPTY_GREY, MAX_PIXELS, picture_files, read_scaled


def red(path: Path, width: int = 64, height: int = 64) -> Path:
    Image.new("RGB", (width, height), (250, 0, 0)).save(path)
    return path


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises width x height and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    )


def test_picture_is_bgr_in_the_middle_of_a_neutral_plane(tmp_path: Path) -> None:
    plane = read_scaled(red(tmp_path / "a.png"), 64, 48, 0.5)
    assert plane.shape == (48, 64, 3)
    assert plane[24, 32].tolist() == [0, 0, 250]
    assert plane[0, 0].tolist() == [EMPTY_GREY] * 3
    columns = np.flatnonzero((plane[24] == (0, 0, 250)).all(axis=1))
    assert (columns[0], columns[-1]) == (20, 43)  # 48 px high fits; half of it stands in the middle of 64


@pytest.mark.parametrize("scale", [0.05, 0.3, 1.0, 2.5, 4.0])
@pytest.mark.parametrize("size", [(16, 300), (300, 16), (64, 48)])
def test_every_scale_and_shape_fits(tmp_path: Path, scale: float, size: tuple[int, int]) -> None:
    assert read_scaled(red(tmp_path / "a.png", *size), 64, 48, scale).shape == (48, 64, 3)


def test_large_scale_shows_the_middle(tmp_path: Path) -> None:
    picture = Image.new("RGB", (64, 48), (0, 0, 0))
    picture.paste((255, 255, 255), (24, 18, 40, 30))
    picture.save(tmp_path / "a.png")
    plane = read_scaled(tmp_path / "a.png", 64, 48, 4.0)
    assert plane[24, 32].tolist() == [255] * 3
    assert plane[6, 8].tolist() == [255] * 3


def test_phone_pictures_stand_upright(tmp_path: Path) -> None:
    picture = Image.new("RGB", (40, 20), (0, 0, 0))
    picture.paste((255, 255, 255), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned a quarter to the right: left becomes top
    picture.save(tmp_path / "a.jpg", exif=exif)
    plane = read_scaled(tmp_path / "a.jpg", 40, 40, 1.0)
    assert plane[5, 20].min() > 200
    assert plane[35, 20].max() < 50


def test_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    for width, height in ((20_000, 20_000), (1_000_000, 1_000_000), (MAX_PIXELS // 16, 17)):
        (tmp_path / "bomb.png").write_bytes(png_header(width, height))
        with pytest.raises(PictureRefused):
            read_scaled(tmp_path / "bomb.png", 64, 48, 1.0)


@pytest.mark.parametrize("data", [b"", b"not a picture", b"\xff\xd8\xff", b"GIF89a" + b"\0" * 50, png_header(64, 64)])
def test_what_is_no_whole_picture_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(PictureRefused, match=r"a\.jpg"):
        read_scaled(tmp_path / "a.jpg", 64, 48, 1.0)


def test_tiny_and_missing_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureRefused, match="at least"):
        read_scaled(red(tmp_path / "a.png", 3, 3), 64, 48, 1.0)
    with pytest.raises(PictureRefused, match="cannot be read"):
        read_scaled(tmp_path / "b.png", 64, 48, 1.0)


def test_folder_plays_in_name_order_and_skips_the_rest(tmp_path: Path) -> None:
    for name in ("b.png", "a.PNG", "c.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in picture_files(tmp_path)] == ["a.PNG", "b.png"]


def test_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureRefused, match="no picture"):
        picture_files(tmp_path)
    with pytest.raises(PictureRefused, match="cannot be read"):
        picture_files(tmp_path / "nowhere")

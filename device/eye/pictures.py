"""Picture files for the replay camera: decoded within limits, laid into the main plane. Development and tests only.

Rules kept here:
- Pillow is imported here, when the first picture is read, and nowhere else: a real door does not have it.
- A file is judged by what its header says before a single pixel is decoded: type, width, height, bytes. A picture that
  would unfold into more memory than allowed is refused, and so is everything that is no picture.
- What lies around a picture is grey, as an empty scene is: nothing for a detector to find.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Final

import numpy as np

from device.errors import PictureRefused
from device.eye.pixels import Picture

SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".webp")
FORMATS: Final = ("JPEG", "PNG", "BMP", "PPM", "WEBP")
MAX_FILE_BYTES: Final = 32 << 20
MAX_PIXELS: Final = 50_000_000  # 150 MB decoded: more than any phone's picture in ordinary use
MIN_SIDE_PX: Final = 16
EMPTY_GREY: Final = 118  # photographic middle grey (18 % reflectance) in sRGB


def empty_scene(width: int, height: int) -> Picture:
    """A plane with nothing in it."""
    return np.full((height, width, 3), EMPTY_GREY, np.uint8)


def picture_files(folder: Path, suffixes: tuple[str, ...] = SUFFIXES) -> tuple[Path, ...]:
    """The files with these `suffixes` in `folder` by name. Raises PictureRefused if there are none."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.is_file())
    except OSError as cause:
        msg = f"the folder {folder.name} cannot be read: {cause.strerror}"
        raise PictureRefused(msg) from cause
    if not files:
        msg = f"the folder {folder.name} holds no picture ({', '.join(suffixes)})"
        raise PictureRefused(msg)
    return tuple(files)


def read_scaled(path: Path, width: int, height: int, scale: float) -> Picture:
    """The picture in `path`, fitted into width x height and then scaled, in the middle: height x width x 3 BGR.

    `scale` 1 fills the plane in one direction; below, the picture stands farther away; above, its middle is shown.
    Raises PictureRefused.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    data = _bytes(path)
    try:
        with warnings.catch_warnings():
            # Pillow warns at a third of its own limit and of damaged headers; both are reasons to refuse here.
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                _refuse_size(path, *opened.size)
                upright = ImageOps.exif_transpose(opened.convert("RGB"))
        factor = min(width / upright.width, height / upright.height) * scale
        size = (max(1, round(upright.width * factor)), max(1, round(upright.height * factor)))
        # Only the part that will be seen is resampled, so that a large scale costs no more than a small one.
        shown = (min(size[0], width), min(size[1], height))
        left = (size[0] - shown[0]) / 2 / factor
        top = (size[1] - shown[1]) / 2 / factor
        box = (left, top, min(upright.width, left + shown[0] / factor), min(upright.height, top + shown[1] / factor))
        small = upright.resize(shown, Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as cause:
        if isinstance(cause, PictureRefused):
            raise
        msg = f"{path.name} is no picture that can be shown: {', '.join(FORMATS)} are"
        raise PictureRefused(msg) from cause
    plane = empty_scene(width, height)
    x, y = (width - shown[0]) // 2, (height - shown[1]) // 2
    plane[y : y + shown[1], x : x + shown[0]] = np.asarray(small)[:, :, ::-1]
    return plane


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as cause:
        msg = f"the picture {path.name} cannot be read: {cause.strerror}"
        raise PictureRefused(msg) from cause
    if len(data) > MAX_FILE_BYTES:
        msg = f"the picture {path.name} holds more than {MAX_FILE_BYTES >> 20} MB"
        raise PictureRefused(msg)
    return data


def _refuse_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        msg = f"the picture {path.name} is {width} x {height}; more than {MAX_PIXELS} pixels are not read"
        raise PictureRefused(msg)
    if min(width, height) < MIN_SIDE_PX:
        msg = f"the picture {path.name} is {width} x {height}; each side needs at least {MIN_SIDE_PX} pixels"
        raise PictureRefused(msg)

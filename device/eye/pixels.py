"""Pixels in plain numpy: shrink, warp, grey, and YUV to BGR.

Rules kept here:
- Pictures are H x W x 3 uint8 in BGR order; points are (x, y) in pixels of that picture.
- Only what is looked at is touched: the warp reads the box around the face, not the frame.
- No value outside the picture is invented: the warp is black there.

Sources: similarity and bilinear interpolation as in any textbook; BT.601 limited range as in ITU-R BT.601-7, 2.5.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

# BT.601 luma, in 1/256: 0.114 B + 0.587 G + 0.299 R.
_BLUE, _GREEN, _RED = np.uint16(29), np.uint16(150), np.uint16(77)

_HALF = np.float32(0.5)
_MAX_TIMES_UINT16 = 15  # 15 * 15 * 255 + half a box still fits 16 bits


@dataclass(frozen=True, slots=True)
class Similarity:
    """Rotation, scale and shift: `z -> a * z + b` on points read as complex numbers x + iy (no mirror image)."""

    a: complex
    b: complex

    @property
    def scale(self) -> float:
        """Target pixels per source pixel."""
        return abs(self.a)

    def inverse(self) -> Similarity:
        """The way back."""
        return Similarity(1 / self.a, -self.b / self.a)

    def __call__(self, x: float, y: float) -> tuple[float, float]:
        z = self.a * complex(x, y) + self.b
        return z.real, z.imag


def grey(picture: Picture) -> npt.NDArray[np.int16]:
    """Luma of a BGR picture, H x W, 0..255."""
    mixed = picture[..., 0].astype(np.uint16) * _BLUE
    mixed += picture[..., 1].astype(np.uint16) * _GREEN
    mixed += picture[..., 2].astype(np.uint16) * _RED
    mixed >>= np.uint16(8)
    return mixed.view(np.int16)


def shrunk_planes(picture: Picture, times: int) -> Picture:
    """The mean of every `times` x `times` pixels as three planes, 3 x (H / times) x (W / times).

    Rows and columns that do not fill a box are left out.
    """
    height, width = picture.shape[0] // times, picture.shape[1] // times
    kind = np.dtype(np.uint16 if times <= _MAX_TIMES_UINT16 else np.uint32)
    # Rows first: they are contiguous, and then there is `times` times less to add up in columns.
    rows = picture[: height * times : times, : width * times].astype(kind)
    for row in range(1, times):
        np.add(rows, picture[row : height * times : times, : width * times], out=rows)
    flat = rows.reshape(height, width * times * 3)
    planes = np.empty((3, height, width), kind)
    for channel in range(3):
        total = planes[channel]
        np.copyto(total, flat[:, channel :: 3 * times])
        for column in range(1, times):
            np.add(total, flat[:, channel + 3 * column :: 3 * times], out=total)
    np.add(planes, kind.type(times * times // 2), out=planes)
    np.floor_divide(planes, kind.type(times * times), out=planes)
    return planes.astype(np.uint8)


def fit_area(picture: Picture, height: int, width: int) -> Picture:
    """The picture at height x width by area: whole pixels weighted by how much of them lies in each target pixel."""
    if picture.shape[:2] == (height, width):
        return picture
    times = picture.shape[0] // height
    if times and picture.shape[:2] == (height * times, width * times):
        return np.ascontiguousarray(shrunk_planes(picture, times).transpose(1, 2, 0))
    rows = np.tensordot(_shares(picture.shape[0], height), picture.astype(np.float32), axes=(1, 0))
    both = np.tensordot(rows, _shares(picture.shape[1], width), axes=(1, 1)).transpose(0, 2, 1)
    return np.ascontiguousarray(np.clip(np.rint(both), 0, 255).astype(np.uint8))


@lru_cache(maxsize=8)
def _shares(source: int, target: int) -> Floats:
    """How much of source pixel j lies in target pixel i, target x source; rows sum to 1."""
    edges = np.arange(target + 1) * (source / target)
    pixels = np.arange(source)
    low = np.maximum(edges[:-1, None], pixels[None, :])
    high = np.minimum(edges[1:, None], pixels[None, :] + 1)
    share = np.maximum(high - low, 0)
    normal: Floats = (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
    return normal


class Warp:
    """Cuts a `size` x `size` crop out of pictures; the buffers are made once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._along = np.arange(size, dtype=np.float32)
        self._places, self._whole = _side_by_side(2, size), _side_by_side(2, size)
        self._pixels = _side_by_side(2, size).view(np.int32)
        self._weights = _side_by_side(4, size)

    def __call__(self, picture: Picture, crop_to_picture: Similarity, out: Picture) -> None:
        """Fill `out` (size x size x 3) by bilinear sampling; black outside the picture.

        A crop that shrinks more than twofold is taken from box means (`shrunk_planes`) of the part it shows, so that
        nothing between two samples is skipped.
        """
        times = max(1, int(crop_to_picture.scale))
        part, left, top = self._part(picture, crop_to_picture, times)
        # Mean pixel i stands for picture pixels times * i .. times * i + times - 1: its centre lies between them.
        offset = complex(left, top) + (times - 1) / 2 * (1 + 1j)
        a, b = crop_to_picture.a / times, (crop_to_picture.b - offset) / times
        if times == 1 and np.may_share_memory(part, picture) and picture.flags.c_contiguous:
            # Read where it lies, without a copy; the picture's rows are as long as ever.
            start = (top * picture.shape[1] + left) * 3
            self._sample(picture.reshape(-1)[start:], picture.shape[1], (3, 1), (a, b), out)
        elif times == 1:
            self._sample(np.ascontiguousarray(part).reshape(-1), part.shape[1], (3, 1), (a, b), out)
        else:
            planes = shrunk_planes(part, times)
            _, height, width = planes.shape
            self._sample(planes.reshape(-1), width, (1, height * width), (a, b), out)

    def forget(self) -> None:
        """Overwrite what the last crop left in the buffers."""
        self._weights.fill(0)
        self._places.fill(0)

    def _part(self, picture: Picture, to_picture: Similarity, times: int) -> tuple[Picture, int, int]:
        """The box around the crop with a margin for interpolation, and where its corner lies in the picture."""
        last = self._size - 1
        points = [to_picture(x, y) for x, y in ((0, 0), (last, 0), (0, last), (last, last))]
        left = math.floor(min(x for x, _ in points)) - times
        top = math.floor(min(y for _, y in points)) - times
        right = math.ceil(max(x for x, _ in points)) + 2 * times + 1
        bottom = math.ceil(max(y for _, y in points)) + 2 * times + 1
        height, width = picture.shape[:2]
        inside = picture[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        if left >= 0 and top >= 0 and right <= width and bottom <= height:
            return inside, left, top
        canvas = np.zeros((bottom - top, right - left, 3), np.uint8)
        y, x = max(0, -top), max(0, -left)
        canvas[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
        return canvas, left, top

    def _sample(
        self, flat: Picture, width: int, steps: tuple[int, int], ab: tuple[complex, complex], out: Picture
    ) -> None:
        """Interpolate channel by channel. `flat`: bytes; `steps`: bytes from pixel to pixel and channel to channel.

        One channel at a time because a gather of single bytes, and arithmetic without an inner loop of three, is five
        times as fast (measured).
        """
        pixel, channel_step = steps
        self._place(*ab)
        column, row = self._pixels
        row *= width
        row += column
        row *= pixel
        index = row.astype(np.intp)  # what `take` would make of it each time
        total, part = self._places  # whose work is done: the fewer bytes a crop passes through, the quicker
        target = out.reshape(-1, 3)
        first, *others = zip((0, 1, width, width + 1), self._weights, strict=True)
        for channel in range(3):
            base = flat[channel * channel_step :]
            np.multiply(base.take(index), first[1], out=total)
            total += _HALF  # rounds when the fraction is cut off
            for step, weight in others:
                np.multiply(base[step * pixel :].take(index), weight, out=part)
                total += part
            np.copyto(target[:, channel], total, casting="unsafe")

    def _place(self, a: complex, b: complex) -> None:
        """Where each pixel of the crop lies: whole `_pixels`, and `_weights` from what is left between them.

        Products with a column or row number are the same all along it, so they are made for one column and row alone.
        What is cut off is cut off as a float, without a way by way of integers of twice the size.
        """
        across, down = self._along * np.float32(a.real), self._along * np.float32(a.imag)
        xs, ys = self._places
        square = (self._size, self._size)
        np.subtract(across, down[:, None], out=xs.reshape(square))
        xs += np.float32(b.real)
        np.add(down, across[:, None], out=ys.reshape(square))
        ys += np.float32(b.imag)
        np.trunc(self._places, out=self._whole)
        np.copyto(self._pixels, self._whole, casting="unsafe")
        self._places -= self._whole
        self._weigh(xs, ys)

    def _weigh(self, xs: Floats, ys: Floats) -> None:
        """How much each of the four neighbours counts, from the place between them."""
        top_left, top_right, low_left, low_right = self._weights
        np.multiply(xs, ys, out=low_right)
        np.subtract(xs, low_right, out=top_right)
        np.subtract(ys, low_right, out=low_left)
        np.subtract(1, xs, out=top_left)
        top_left -= low_left


def _side_by_side(count: int, size: int) -> Floats:
    """`count` arrays of size * size in one, (count, size * size), three cache lines apart.

    Arrays of whole pages, one after the other, begin at the same place of a page; a processor takes what is read there
    for what was just written, and waits: adding two such arrays took three times as long (measured).
    """
    return np.zeros((count, size * size + 48), np.float32)[:, : size * size]


def yuv420_to_bgr(planes: Picture, width: int, height: int) -> Picture:
    """BGR of one planar YUV 4:2:0 picture as the camera hands it out: (height * 3 / 2) rows of `stride` bytes.

    Chroma rows are stride / 2 long, two to a row of the array; what lies beyond `width` is padding. BT.601, limited
    range. A camera stream of 720 lines and more is BT.709; for finding a face the difference does not matter.
    """
    stride = planes.shape[1]
    luma = planes[:height, :width].astype(np.int32)
    chroma = planes[height : height + height // 2].reshape(2, height // 2, stride // 2)[:, :, : width // 2]
    blue_diff = chroma[0].astype(np.int32) - 128
    red_diff = chroma[1].astype(np.int32) - 128
    # 1/65536 fixed point of 1.164, 2.017, -0.392, -0.813, 1.596; half is added so that shifting rounds.
    luma -= 16
    luma *= 76309
    luma += 32768
    base = luma.reshape(height // 2, 2, width // 2, 2)
    out = np.empty((height, width, 3), np.uint8)
    view = out.reshape(height // 2, 2, width // 2, 2, 3)
    parts = (132201 * blue_diff, -25675 * blue_diff - 53279 * red_diff, 104597 * red_diff)
    for channel, part in enumerate(parts):
        mixed = base + part[:, None, :, None]
        mixed >>= 16
        view[..., channel] = np.clip(mixed, 0, 255, out=mixed)
    return out

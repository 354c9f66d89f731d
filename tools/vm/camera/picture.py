"""What stands before the camera, in the two forms it is streamed in.

Rules kept here:
- A picture is fitted into the frame whole, on grey; it is encoded once, however many frames show it.
- YUYV is what a USB camera sends: BT.601, luma 16-235 and chroma 16-240, one chroma pair for two pixels.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tools.vm.camera.uvc import Format

_GREY: Final = (40, 40, 40)
_JPEG_QUALITY: Final = 92


@dataclass
class Scene:
    """One picture, `width_px` x `height_px`; None shows grey and nobody."""

    width_px: int
    height_px: int
    picture: Path | None = None
    _coded: dict[Format, bytes] = field(default_factory=dict)

    def frame(self, form: Format) -> bytes:
        """The bytes of one frame."""
        if form not in self._coded:
            shown = self._fitted()
            self._coded[form] = _jpeg(shown) if form is Format.MJPEG else yuyv(np.asarray(shown))
        return self._coded[form]

    def _fitted(self) -> Image.Image:
        frame = Image.new("RGB", (self.width_px, self.height_px), _GREY)
        if self.picture is not None:
            with Image.open(self.picture) as found:
                shown = found.convert("RGB")
            scale = min(self.width_px / shown.width, self.height_px / shown.height)
            shown = shown.resize((round(shown.width * scale), round(shown.height * scale)))
            frame.paste(shown, ((self.width_px - shown.width) // 2, (self.height_px - shown.height) // 2))
        return frame


def yuyv(rgb: NDArray[np.uint8]) -> bytes:
    """An H x W x 3 RGB picture as YUYV, H x W x 2 bytes."""
    red, green, blue = (rgb[..., channel].astype(np.float32) for channel in range(3))
    luma = 0.299 * red + 0.587 * green + 0.114 * blue  # ITU-R BT.601
    packed = np.empty((*rgb.shape[:2], 2), np.uint8)
    packed[..., 0] = np.rint(16 + luma * 219 / 255)
    packed[:, ::2, 1] = _chroma(blue - luma, 1.772)
    packed[:, 1::2, 1] = _chroma(red - luma, 1.402)
    return packed.tobytes()


def _chroma(difference: NDArray[np.float32], span: float) -> NDArray[np.float32]:
    pairs = (difference[:, ::2] + difference[:, 1::2]) / 2
    return np.asarray(np.rint(128 + pairs / span * 224 / 255), np.float32)


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()

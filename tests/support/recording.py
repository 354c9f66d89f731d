"""A moving picture of a page: screenshots of what really happened, joined to an animated PNG.

Rules kept here:
- Frames are what the browser drew, in their order, each for as long as it stood, at most LONGEST_MS.
- It plays twice and then rests on its last frame: nobody has to look at something that moves for ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

LONGEST_MS = 1600
SHORTEST_MS = 120
LAST_MS = 3000
PLAYS = 2
COLOURS = 96


@dataclass
class Recording:
    """Frames of `page`."""

    page: Page
    frames: list[Image.Image] = field(default_factory=list)
    taken_s: list[float] = field(default_factory=list)
    _last: bytes = b""

    def shot(self) -> None:
        """A frame, if it differs from the last."""
        png = self.page.screenshot()
        if png != self._last:
            self._last = png
            with Image.open(BytesIO(png)) as picture:
                self.frames.append(picture.convert("RGB"))
            self.taken_s.append(time.monotonic())

    def until(self, happened: Callable[[], bool], patience_s: float = 60.0) -> None:
        """Frame after frame until `happened`, and one of that."""
        end = time.monotonic() + patience_s
        while not happened():
            assert time.monotonic() < end, "what was to be recorded did not happen"
            self.shot()
        self.shot()

    def pause(self) -> None:
        """Let the last frame stand for the longest time a frame stands."""
        self.taken_s.append(self.taken_s[-1] + LONGEST_MS / 1000)
        self.frames.append(self.frames[-1])

    def save(self, path: Path) -> None:
        """All frames as one animated PNG, with the same colours throughout: rare ones, such as the lamp's, are kept."""
        ends = [*self.taken_s[1:], self.taken_s[-1] + LAST_MS / 1000]
        shown = [
            max(SHORTEST_MS, min(LONGEST_MS, round((end - at) * 1000)))
            for at, end in zip(self.taken_s, ends, strict=True)
        ]
        shown[-1] = LAST_MS
        width, height = self.frames[0].size
        sampled = self.frames[:: max(1, len(self.frames) // 12)]
        together = Image.new("RGB", (width, height * len(sampled)))
        for number, frame in enumerate(sampled):
            together.paste(frame, (0, number * height))
        palette = together.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE)
        frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames]
        frames[0].save(
            path, save_all=True, append_images=frames[1:], duration=shown, loop=PLAYS, optimize=True, format="PNG"
        )

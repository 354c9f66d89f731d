"""Sample portraits cut to head and shoulders, as somebody stands before a door.

Rules kept here:
- Only the public sample pictures of `tools.samples`; the cut lies beside them in the cache and is never committed.
- The cut is the largest square at the top of the picture, so that a full-length photograph does not put its face ten
  metres away.
"""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from tools.samples import sample


def portrait(name: str, zoom: float = 1.0) -> Path:
    """The cut of the sample `name`, such as "obama.jpg"; `zoom` above 1 stands nearer.

    Raises the errors of `tools.samples.sample`.
    """
    original = sample(name)
    cut = original.parent / "portraits" / f"{Path(name).stem}-{zoom:g}.png"
    if not cut.exists():
        cut.parent.mkdir(exist_ok=True)
        with Image.open(original) as picture:
            side = round(min(picture.size) / zoom)
            left = (picture.width - side) // 2
            temporary = cut.with_name(f"{cut.stem}.{os.getpid()}.new")  # several test workers may cut at once
            picture.convert("RGB").crop((left, 0, left + side, side)).save(temporary, format="PNG")
        temporary.replace(cut)
    return cut

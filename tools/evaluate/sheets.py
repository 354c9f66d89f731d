"""Contact sheets of the most alike pairs of a group set, for somebody who looks whether it is one person.

Rules kept here:
- Sheets show real people: they are written where the caller says, never into the checkout.
- What was judged is not shown again, and of pictures that are linked in a chain only the strongest links are shown:
  once those are confirmed, the rest follows from them. What was never shown or judged stays an impostor.
- The score is not on the sheet: whoever judges should look at the faces.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tools.evaluate.groups import Cell, Judged, Pair, pair_of

COLUMNS, ROWS = 4, 6
FACE_PX = 150
GAP_PX = 8
LABEL_PX = 14


def undecided(cell: Cell, judged: Judged, above: float) -> list[Pair]:
    """Pairs scoring above `above` that nobody judged, strongest first, without those that follow from stronger ones."""
    cosines = cell.cosines()
    alike = np.argwhere(cell.impostors() & (cosines > above))
    order = sorted(((float(cosines[a, b]), int(a), int(b)) for a, b in alike), reverse=True)
    linked = cell.people.copy()
    found: list[Pair] = []
    for _, a, b in order:
        pair = pair_of(str(cell.files[a]), str(cell.files[b]))
        if pair in judged.apart or linked[a] == linked[b]:
            continue
        found.append(pair)
        linked[linked == linked[b]] = linked[a]
    return found


def draw(folder: Path, pairs: list[Pair], out: Path, name: str) -> list[Path]:
    """Sheets of `pairs` (files of `folder`) in `out`, with an index of which number is which pair."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps(pairs, indent=0))
    written = []
    for start in range(0, len(pairs), COLUMNS * ROWS):
        sheet = _sheet(folder, pairs[start : start + COLUMNS * ROWS], start)
        written.append(out / f"{name}-{start // (COLUMNS * ROWS):02}.png")
        sheet.save(written[-1])
    return written


def _sheet(folder: Path, pairs: list[Pair], first: int) -> Image.Image:
    width, height = 2 * FACE_PX + GAP_PX, FACE_PX + LABEL_PX + GAP_PX
    sheet = Image.new("RGB", (COLUMNS * width, ROWS * height), "white")
    pen = ImageDraw.Draw(sheet)
    for place, pair in enumerate(pairs):
        left, top = place % COLUMNS * width, place // COLUMNS * height
        pen.text((left + 2, top), str(first + place), fill="black")
        for side, file in enumerate(pair):
            with Image.open(folder / file) as picture:
                sheet.paste(picture.convert("RGB").resize((FACE_PX, FACE_PX)), (left + side * FACE_PX, top + LABEL_PX))
    return sheet

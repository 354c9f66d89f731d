"""A printed label is read back by another maker's scanner: what a camera sees is what `doorctl join` takes.

The scanner is ZXing (zxing-cpp on PyPI). It is looked for and not needed: without it these tests are skipped by name.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from device.joining import LARGEST_CERTIFICATE, Label
from provisioning import sheets
from tests.unit.joining.papers import MANAGER_KEY, Authority, label

zxingcpp: Any = pytest.importorskip("zxingcpp", reason="no scanner: zxing-cpp is not installed")

Picture = npt.NDArray[np.uint8]
BLACK, WHITE, MODULE_PX = 0, 255, 4
AUTHORITY = Authority.make()
LABELS = {"with a broker": label(AUTHORITY), "without one": label(None)}


def png(path: Path) -> Picture:
    with Image.open(path) as opened:
        return np.array(opened.convert("L"))


def drawn(path: Path) -> Picture:
    """The lines of the one path in an SVG (or in a page that holds one), each a module high; no other form is known."""
    text = path.read_text(encoding="utf-8")
    (tag,) = re.findall(r"<svg[^>]*>", text)
    (lines,) = re.findall(r'<path[^>]* d="([^"]*)"', text)
    size = re.search(r'viewBox="0 0 (\d+) (\d+)"', tag) or re.search(r'width="(\d+)" height="(\d+)"', tag)
    scale = re.search(r'transform="scale\((\d+)\)"', text)
    assert size is not None
    side = int(size[1]) // int(scale[1] if scale else 1)
    assert size[1] == size[2]
    picture: Picture = np.full((side, side), WHITE, np.uint8)
    x = y = 0.0
    steps = re.findall(r"([Mm]) ?(-?[\d.]+) (-?[\d.]+)|(h) ?(\d+)", lines)
    assert len(steps) == len(re.findall(r"[A-Za-z]", lines)), "nothing else is drawn"
    for move, to_x, to_y, _, length in steps:
        if move:
            x, y = (float(to_x), float(to_y)) if move == "M" else (x + float(to_x), y + float(to_y))
        else:
            picture[int(y), int(x) : int(x) + int(length)] = BLACK
            x += int(length)
    return picture.repeat(MODULE_PX, 0).repeat(MODULE_PX, 1)


def scanned(picture: Picture) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)]


def sheet(folder: Path, made: Label, ending: str) -> Picture:
    path = folder / f"label{ending}"
    sheets.write(path, "Front door", made)
    return png(path) if ending == ".png" else drawn(path)


@pytest.mark.parametrize("ending", [".svg", ".png", ".html"])
@pytest.mark.parametrize("made", LABELS.values(), ids=LABELS)
def test_what_is_printed_is_the_label(tmp_path: Path, made: Label, ending: str) -> None:
    (text,) = scanned(sheet(tmp_path, made, ending))
    assert Label.read(text) == made
    assert text == made.text()


def test_the_longest_label_can_still_be_scanned(tmp_path: Path) -> None:
    longest = Authority.make("A fleet of " + "x" * 53)
    made = label(longest, host="b" * 251 + ".org")
    assert len(longest.der) <= LARGEST_CERTIFICATE
    (text,) = scanned(sheet(tmp_path, made, ".png"))
    assert Label.read(text) == made


def blot(picture: Picture, share: float) -> Picture:
    """A square of dirt in the middle, of this share of the picture."""
    dirty = picture.copy()
    half, middle = round(len(picture) * share**0.5 / 2), len(picture) // 2
    dirty[middle - half : middle + half, middle - half : middle + half] = BLACK
    return dirty


def test_a_dirty_label_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    """Error correction M repairs 15 % of the code words (ISO/IEC 18004); beyond, nobody may read something else."""
    made = LABELS["with a broker"]
    picture = sheet(tmp_path, made, ".png")
    read = [scanned(blot(picture, share)) for share in (0.01, 0.03, 0.3)]
    assert read[0] == read[1] == [made.text()]
    assert read[2] == []


def test_seeded_fault_a_code_of_another_label_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, code_of = LABELS["with a broker"], sheets._code
    other = label(AUTHORITY, secret=bytes(16), manager_key=MANAGER_KEY)
    monkeypatch.setattr(sheets, "_code", lambda _label: code_of(other))
    with pytest.raises(AssertionError):
        test_what_is_printed_is_the_label(tmp_path, made, ".svg")


def test_rows_of_the_printed_text_are_the_label_as_well(tmp_path: Path) -> None:
    """Where no scanner is at hand somebody types it."""
    path = tmp_path / "label.html"
    made = LABELS["with a broker"]
    sheets.write(path, "Front door", made)
    (rows,) = re.findall(r"<pre>(.*?)</pre>", path.read_text(encoding="utf-8"), re.DOTALL)
    lengths = {len(row) for row in rows.split("\n")[:-1]}
    assert len(lengths) == 1
    assert Label.read(rows) == made

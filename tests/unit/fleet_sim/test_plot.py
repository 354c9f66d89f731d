"""The picture says what was counted, and is well-formed."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tools.fleet_sim import show
from tools.fleet_sim.plot import Panel, Series, svg

NAMESPACE = "{http://www.w3.org/2000/svg}"


def counted(most: int, jitter: bool = True) -> show.Counted:
    counts = [0] * show.SHOWN_S
    counts[12] = most
    return show.Counted(doors=100, jitter=jitter, tls=True, away_s=5.0, tried=counts, came=counts, arrived=counts)


def test_two_runs_lie_in_one_picture_and_are_told_apart() -> None:
    root = ET.fromstring(show.picture(counted(13), counted(97, jitter=False)))  # noqa: S314  # our own text
    words = [each.text or "" for each in root.iter(f"{NAMESPACE}text")]
    assert "attempts, as doors are" in words
    assert "attempts, without jitter" in words
    description = root.findtext(f"{NAMESPACE}desc") or ""
    assert "13 a second at most; in the other run 97" in description


def test_bars_are_as_high_as_their_counts() -> None:
    panel = Panel("a & b", -1, (0.0, 1.0), (Series("x<y", "#000", [0, 5, 10], bars=True),))
    root = ET.fromstring(svg("t", "d", [panel]))  # noqa: S314  # our own text
    (bars,) = [each.get("d", "") for each in root.iter(f"{NAMESPACE}path") if each.get("fill") == "#000"]
    low, high = (float(part.split("h")[0]) for part in bars.split("v")[1:])
    assert high == pytest.approx(2 * low)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for content in ("", "[]", json.dumps({"figures": {}})):
        path.write_text(content)
        with pytest.raises(ValueError, match="was not written by --json"):
            show.read_counted(path)

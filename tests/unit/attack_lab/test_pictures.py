"""The pictures of the lab: nobody's face in the four lights, and the curves of a run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from device.eye import pictures
from tools.attack_lab import four_lights, plot, setting
from tools.attack_lab.conditions import Conditions
from tools.attack_lab.counts import Rate
from tools.attack_lab.four_lights import COND, LIGHTS, read, rows, seen
from tools.attack_lab.made_up import somebody

DOCS = Path(__file__).resolve().parents[3] / "docs"
LOGS = [  # one has no curves
    path
    for path in sorted((DOCS / "logs").glob("2026-11-23-attack-lab*.txt"))
    if json.loads(path.read_text().splitlines()[-1])["curves"]
]
MOST_BYTES = 300_000


def refused(*_: object, **__: object) -> None:
    pytest.fail("a picture of somebody was read")


@pytest.mark.slow
def test_the_command_makes_the_picture_of_the_docs_without_reading_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "read_scaled", refused)
    monkeypatch.setattr(setting, "read_scaled", refused)
    monkeypatch.setattr(Image, "open", refused)
    made = tmp_path / "four-lights.png"
    assert four_lights.main([str(made)]) == 0
    monkeypatch.undo()
    assert made.stat().st_size < MOST_BYTES
    with Image.open(made) as new, Image.open(DOCS / "four-lights.png") as shown:
        assert new.size == shown.size
        apart = np.abs(np.asarray(new, np.int16) - np.asarray(shown, np.int16))
    assert float(np.mean(apart > 3)) < 0.001  # another numpy may round one pixel in a thousand otherwise
    assert four_lights.main([]) == 2


def beside_the_nose(who: str) -> float:
    """How much more the left light favours the left side of the nose than the right one does; 0 on what is flat."""
    at = somebody(COND)
    quotient = read(rows(at)[who])
    x, y = (int(place) for place in at.points[:3].mean(axis=0))
    sides = [float(np.nanmedian(quotient[y - 3 : y + 8, x + side - 3 : x + side + 4])) for side in (9, -9)]
    return sides[0] - sides[1]


@pytest.mark.slow
def test_a_nose_answers_left_and_right_and_a_print_of_it_does_not() -> None:
    assert beside_the_nose("a head") > 0.2
    assert abs(beside_the_nose("a print")) < 0.05


@pytest.mark.slow
def test_the_left_light_is_that_of_who_stands_there() -> None:
    head = rows(somebody(COND))["a head"]
    left, right = (seen(head, LIGHTS[name]).astype(float) for name in ("left", "right"))
    assert (left - right)[:, 400:].mean() > 0 > (left - right)[:, :240].mean()


@pytest.mark.slow
def test_a_screen_gives_next_to_nothing_back_but_two_spots() -> None:
    given = read(rows(somebody(COND))["a screen"])
    assert np.isnan(given).mean() > 0.9
    assert not np.isnan(given).all()


@pytest.mark.slow
def test_the_painted_face_reflects_what_the_conditions_say() -> None:
    for skin in (0.1, 0.3):
        at = somebody(Conditions(skin=skin))
        face = at.paper[at.person.face.there] @ [0.0722, 0.7152, 0.2126]
        assert float(face.mean()) == pytest.approx(skin, rel=0.02)


def told(**axes: list[tuple[str, int, int]]) -> dict[str, object]:
    return {
        "curves": {
            axis: [{"name": name, "passed": Rate(count, trials).plain()} for name, count, trials in points]
            for axis, points in axes.items()
        }
    }


RUN = told(
    skin=[("people, skin 0.06", 3, 4), ("people, skin 0.25", 4, 4), ("print flat, matt, skin 0.06", 0, 4)],
    lag_ms=[("people, lag_ms 0", 2, 4)],
)


TOO_MANY = json.dumps(told(skin=[("people, skin 0.06", 3, 4)])).replace('"count": 3', '"count": 5')


def test_every_point_of_a_run_is_drawn_with_its_interval() -> None:
    curves = plot.curves_of(plot.counted(RUN))
    assert [point.share for point in curves["skin"]["people"]] == [0.75, 1.0]
    assert curves["skin"]["print flat, matt"][0].high == pytest.approx(Rate(0, 4).high, abs=1e-4)
    picture = plot.svg(curves)
    ET.fromstring(picture)  # noqa: S314 - our own text
    assert picture.count("<circle") == 3 + 1  # and one in the legend
    bars = [[float(end) for end in ends] for ends in re.findall(r"M[\d.]+ ([\d.]+)V([\d.]+)\"", picture)]
    panel = plot.HEIGHT - 34 - 38  # above it stands the heading, below it the values
    drawn = {round((low - high) / panel, 2) for low, high in bars}
    assert drawn == {round(rate.high - rate.low, 2) for rate in (Rate(3, 4), Rate(4, 4), Rate(0, 4), Rate(2, 4))}
    assert "people: 0.06: 75% of 4, 0.25: 100% of 4; print flat, matt: 0.06: 0% of 4." in picture


def test_what_several_runs_counted_is_added_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = told(skin=[("people, skin 0.25", 1, 6), ("screen, skin 0.25", 0, 3)], lag_ms=[("people, lag_ms 0", 0, 2)])
    for name, run in (("one", RUN), ("two", again)):
        (tmp_path / name).write_text(json.dumps(run))
    out = tmp_path / "out.svg"
    assert plot.main([str(tmp_path / "one"), str(tmp_path / "two"), str(out)]) == 0
    picture = out.read_text()
    assert "people: 0.06: 75% of 4, 0.25: 50% of 10; print flat, matt: 0.06: 0% of 4; screen: 0.25: 0% of 3." in picture
    assert "people: 0: 33% of 6." in picture
    both = plot.curves_of(plot.counted(RUN) + plot.counted(again))["skin"]["people"][1]
    assert (both.low, both.high) == (Rate(5, 10).low, Rate(5, 10).high)
    assert plot.main([str(tmp_path / "one"), str(tmp_path / "no"), str(out)]) == 1
    assert "no cannot be read" in capsys.readouterr().err


def test_a_higher_share_is_drawn_higher() -> None:
    picture = ET.fromstring(plot.svg(plot.curves_of(plot.counted(RUN))))  # noqa: S314 - our own text
    low, high, *_ = (float(each.attrib["cy"]) for each in picture.iter("{http://www.w3.org/2000/svg}circle"))
    assert high < low


@pytest.mark.parametrize(
    "text", [TOO_MANY, "[]", "{}", '{"curves": {}}', '{"curves": {"skin": [{"name": "people"}]}}', "curves"]
)
def test_what_holds_no_curves_is_refused_in_a_sentence(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = tmp_path / "run.json", tmp_path / "out.svg"
    run.write_text(text)
    assert plot.main([str(run), str(out)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not out.exists()
    assert plot.main([]) == 2


def test_paths_that_cannot_be_read_or_written_are_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(four_lights, "drawn", lambda: Image.new("RGB", (4, 4)))
    run, bytes_ = tmp_path / "run.json", tmp_path / "bytes"
    run.write_text(json.dumps(RUN))
    bytes_.write_bytes(b"\xff\n")
    out, nowhere = str(tmp_path / "out"), str(tmp_path / "no" / "out")
    for tool, words, said in (
        (plot.main, [str(tmp_path / "nothing"), out], "cannot be read"),
        (plot.main, [str(tmp_path), out], "cannot be read"),
        (plot.main, [str(bytes_), out], "no JSON"),
        (plot.main, [str(run), nowhere], f"{nowhere} cannot be written"),
        (plot.main, [str(run), str(tmp_path)], "cannot be written"),
        (four_lights.main, [nowhere], f"{nowhere} cannot be written"),
        (four_lights.main, [str(tmp_path)], "cannot be written"),
    ):
        assert tool(words) == 1, words
        told_ = capsys.readouterr()
        assert (told_.out, told_.err.count("\n"), said in told_.err) == ("", 1, True), words


def test_the_curves_of_the_docs_are_those_of_the_log(tmp_path: Path) -> None:
    out = tmp_path / "out.svg"
    assert plot.main([*map(str, LOGS), str(out)]) == 0
    assert out.read_text() == (DOCS / "attack-curves.svg").read_text()

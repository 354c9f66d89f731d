"""A whole report on made-up people with known scores, and every bad folder in one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tools.evaluate import cli
from tools.evaluate.accuracy import gathered as module
from tools.evaluate.accuracy.crew import Looked, Task
from tools.evaluate.accuracy.look import RECORD, UNREADABLE, Chain


class Crew:
    """Stands for the networks: a person's name is their direction, a picture's text says what the door makes of it."""

    def __init__(self) -> None:
        self.looks = 0
        self.ends_after = 10**9

    def looked(self, tasks: Sequence[Task], chain: Chain, workers: int) -> Iterator[Looked]:
        for path, own, conditions in tasks:
            for condition in conditions:
                if self.looks >= self.ends_after:
                    raise KeyboardInterrupt
                self.looks += 1
                yield own, condition, record(path.read_text(), own, condition.kind).tobytes()


def record(told: str, own: bytes, kind: str) -> np.ndarray[tuple[int, ...], np.dtype[np.void]]:
    made = np.zeros((), RECORD)
    person, _, hint = told.split()
    if hint == "broken":
        made["hint"] = UNREADABLE
        return made
    made["hint"], made["alone"], made["eyes_px"], made["mesh_yaw_deg"] = int(hint), 1, 60, int(own[0]) % 40
    if hint == "0":
        direction = np.random.default_rng(list(person.encode())).standard_normal(128)
        away = np.random.default_rng(list(own)).standard_normal(128) * (0.5 if kind == "clean" else 0.9)
        made["embedding"] = (direction + away) / np.linalg.norm(direction + away)
    return made


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch) -> Crew:
    made = Crew()
    monkeypatch.setattr(module, "looked", made.looked)
    return made


def put(folder: Path, person: str, number: int, hint: str = "0", who: str | None = None) -> None:
    (folder / person).mkdir(parents=True, exist_ok=True)
    (folder / person / f"{number:02}.jpg").write_text(f"{who or person} {number}{person} {hint}")


def run(tmp_path: Path, *more: str) -> Result:
    asked = [
        "--faces",
        str(tmp_path / "set"),
        "--cache",
        str(tmp_path / "cache"),
        "--out",
        str(tmp_path / "out"),
        *more,
    ]
    return CliRunner().invoke(cli.main, asked)


@pytest.fixture
def crowd(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    for person in range(60):
        for number in range(12 if person < 15 else 2):
            put(folder, f"p{person}", number)
    put(folder, "p3", 50, hint="8")  # ONE_PERSON_ONLY
    put(folder, "p3", 51, hint="broken")
    put(folder, "double", 0, who="p5")  # p5 under another name
    put(folder, "p7", 52, who="somebody")  # a stray under p7's
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("crew", "crowd")
def test_a_report_has_every_part_and_names_what_it_left_out(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.exit_code == 0, done.output
    for heading in (
        "Failures to acquire",
        "One to one",
        "How many pictures",
        "One to many",
        "Light, blur",
        "Turned heads",
    ):
        assert f"## {heading}" in done.output
    assert "galleries of 50, 500, 5000 with 5 + 3 pictures" in done.output
    assert "subgroups: no --groups DIR was given" in done.output
    assert "float against int8" in done.output
    told = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    assert told["acquired"]["hints"] == {"ONE_PERSON_ONLY": 1}
    assert told["acquired"]["unreadable"] == ["p3/51.jpg"]
    assert told["acquired"]["pictures"] == 15 * 12 + 45 * 2 + 3
    assert (tmp_path / "out" / "accuracy.md").read_text() in done.output
    for name in ("det", "frames", "conditions"):
        assert (tmp_path / "out" / f"accuracy-{name}.svg").read_text().startswith("<?xml")


@pytest.mark.slow
@pytest.mark.usefixtures("crew", "crowd")
def test_suspicious_labels_are_listed_and_set_aside_beside_the_figures_that_count(tmp_path: Path) -> None:
    assert run(tmp_path, "--no-spoilt").exit_code == 0
    told = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    pairs = {tuple(sorted(file.split("/")[0] for file in pair[:2])) for pair in told["suspects"]["pairs"]}
    assert pairs == {("double", "p5")}
    assert [stray[0] for stray in told["suspects"]["strays"]] == ["p7/52.jpg"]
    with_all, without = told["verified"][0], told["without_suspects"][0]
    assert with_all["comparisons"] > without["comparisons"]
    loud, quiet = (each["points"][0]["threshold"] for each in (with_all, without))
    assert loud > quiet


@pytest.mark.slow
@pytest.mark.usefixtures("crew", "crowd")
def test_every_group_has_a_row_and_no_pool(tmp_path: Path) -> None:
    for sex, close in (("female", 1), ("male", 0)):
        for number in range(60):
            folder = tmp_path / "groups" / f"asian-{sex}"
            folder.mkdir(parents=True, exist_ok=True)
            who = "alike" if close and number < 8 else f"{sex}{number}"
            (folder / f"{20 + number % 50}_x_{number}.jpg").write_text(f"{who} {number}{sex} 0")
    assert run(tmp_path, "--no-spoilt", "--groups", str(tmp_path / "groups")).exit_code == 0
    made = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    assert [each["name"].split()[0] for each in made["goals"]] == ["where"] * 4, "the door's wants fifty people"
    assert all(each["measured"] for each in made["goals"][2:])
    assert made["searched"][0][1][-1]["filled"] > 0
    told = made["groups"]
    whole = {row["name"]: row for row in told["rows"] if row["ages"] == "all"}
    assert set(whole) == {"asian-female", "asian-male"}
    assert {row["ages"] for row in told["rows"]} == {"all", "18-29", "30-44", "45-59", "60-120"}
    assert whole["asian-female"]["fmr"][0]["errors"] >= 8 * 7 / 2
    assert whole["asian-male"]["fmr"][0]["errors"] < 8
    assert "Worst adult group: at pooled 1e-03 asian-female" in (tmp_path / "out" / "accuracy.md").read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("crowd")
def test_ctrl_c_is_a_sentence_and_the_run_goes_on(crew: Crew, tmp_path: Path) -> None:
    crew.ends_after = 100
    ended = run(tmp_path, "--no-spoilt")
    assert ended.exit_code == 130
    assert "ended after 100 of 274 looks; they are kept" in ended.output
    assert not (tmp_path / "out" / "accuracy.md").exists()
    crew.ends_after = 10**9
    assert run(tmp_path, "--no-spoilt").exit_code == 0
    assert crew.looks == 275, "and the one with company again, with the others aside"


@pytest.mark.slow
@pytest.mark.usefixtures("crew")
@pytest.mark.parametrize(
    ("people", "sentence"),
    [
        ({}, "there is no picture in"),
        ({"anna": "00"}, "shows only one person"),
        ({"anna": ["broken"], "bo": ["broken"]}, "none of the 2 files in"),
        ({"anna": ["1"], "bo": ["8"]}, "finds no usable face in any picture"),
        ({"anna": "0", "bo": "0"}, "nobody in"),
    ],
)
def test_a_folder_that_cannot_be_measured_is_one_sentence(
    people: dict[str, Sequence[str]], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "set").mkdir()
    for person, hints in people.items():
        for number, hint in enumerate(hints):
            put(tmp_path / "set", person, number, hint)
    done = run(tmp_path)
    assert done.exit_code == 2
    (said,) = [line for line in done.output.splitlines() if line.startswith("Error:")]
    assert sentence in " ".join(done.output.split())
    assert said
    assert "Traceback" not in done.output
    assert not (tmp_path / "out" / "accuracy.json").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("crew", "crowd")
def test_what_stands_behind_the_wrong_option_is_a_sentence(tmp_path: Path) -> None:
    for asked, sentence in (
        (("--groups", str(tmp_path / "nowhere")), "there is no folder"),
        (("--float", str(tmp_path)), "there is no sface-float32.tflite"),
        (("--workers", "-1"), "--workers"),
    ):
        done = run(tmp_path, "--no-spoilt", *asked)
        assert done.exit_code == 2
        assert sentence in " ".join(done.output.split())
    assert CliRunner().invoke(cli.main, []).exit_code == 2
    both = CliRunner().invoke(cli.main, ["--faces", str(tmp_path), "hillclimb"])
    assert both.exit_code == 2
    assert "--faces belongs behind the command hillclimb" in both.output


@pytest.mark.slow
@pytest.mark.usefixtures("crew")
def test_two_people_are_enough_for_what_two_people_can_show(tmp_path: Path) -> None:
    for person in ("anna", "bo"):
        for number in range(3):
            put(tmp_path / "set", person, number)
    done = run(tmp_path)
    assert done.exit_code == 0, done.output
    assert "fewer than two people have 8 usable ones" in done.output
    assert "too few comparisons" in done.output

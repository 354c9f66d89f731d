"""Peers beside a door: who is drawn, what counts as wrong, and what becomes of a tool that fails."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest

from tools.benchmark.figures import NotMeasured
from tools.benchmark.peers import parts, report
from tools.benchmark.peers.child import Child, Tool
from tools.benchmark.peers.count import STRICT, Question, Share, as_strict, errors, questions
from tools.benchmark.peers.draw import APPROACH, ENROLLED, draw
from tools.benchmark.peers.run import KINDS, Result, run
from tools.card.logs import newest

FOLDERS = {
    f"person{number}": [f"person{number}/{row}.jpg" for row in range(9 if number < 9 else 4)] for number in range(20)
}


def _tool(tmp_path: Path, body: str) -> Tool:
    script = tmp_path / "worker.py"
    script.write_text(f"import json, sys, time\ndef say(x): print(json.dumps(x), flush=True)\n{body}", encoding="utf-8")
    return Tool("stand-in", (sys.executable, str(script)), tmp_path, {}, "nothing")


# It sees a face wherever the name does not say "3", and opens for whoever's name is that of somebody enrolled.
HONEST = """
say({"ready": True})
person = lambda path: path.split("/")[-2]
for line in sys.stdin:
    asked = json.loads(line)
    if "see" in asked:
        say({"seen": [not path.endswith("3.jpg") for path in asked["see"]]})
        continue
    say({"slots": [
        next((int(slot) for slot, paths in one["gallery"].items() if person(paths[0]) == person(one["probes"][0])),
             None)
        for one in asked["ask"]
    ], "likeness": [
        float(any(person(paths[0]) == person(one["probes"][0]) for paths in one["gallery"].values()))
        for one in asked["ask"]
    ]})
"""


def test_nobody_is_asked_with_a_picture_they_were_enrolled_with_and_no_stranger_lives_there() -> None:
    drawn = draw(FOLDERS, households=5, residents=4, strangers=100, seed=3)

    assert len(drawn.households) == 2, "nine people with enough pictures are two households of four"
    at_home = {person.name for household in drawn.households for person in household}
    assert not at_home & {person.name for person in drawn.strangers}
    for household in drawn.households:
        for person in household:
            assert (len(person.enrolled), len(person.approach)) == (ENROLLED, APPROACH)
            assert not set(person.enrolled) & set(person.approach)
    assert len(drawn.pictures) == len(set(drawn.pictures)) == 8 * 8 + 12 * 3


@pytest.mark.parametrize(
    ("folders", "sentence"),
    [
        ({}, "a household needs 4 people"),
        (dict(list(FOLDERS.items())[:4]), "there is nobody else"),
    ],
    ids=["nobody", "no stranger"],
)
def test_too_few_people_are_told_in_a_sentence(folders: dict[str, list[str]], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        draw(folders, households=1, residents=4, strangers=1, seed=3)


def test_every_kind_of_mistake_is_counted_as_its_own() -> None:
    gallery = {0: ("a",), 1: ("b",)}
    asked = [
        Question(0, name, right, ("p",), gallery) for name, right in (("a", 0), ("b", 1), ("s", None), ("s", None))
    ]

    found = errors(asked, [1, None, None, 0])

    assert (found.residents_mistaken.wrong, found.residents_mistaken.of) == (1, 2)
    assert (found.residents_rejected.wrong, found.residents_rejected.of) == (1, 2)
    strangers = found.strangers_accepted
    assert (strangers.wrong, strangers.of, strangers.approaches_wrong, strangers.approaches) == (1, 1, 1, 2)


def test_every_tool_is_as_strict_as_the_others_whatever_its_own_limit() -> None:
    residents = [Question(0, f"r{number}", 0, ("p",), {0: ("a",)}) for number in range(4)]
    strangers = [Question(0, f"s{number}", None, ("p",), {0: ("a",)}) for number in range(100)]
    likeness = [0.995, 0.985, 0.6, -math.inf, *(number / 100 for number in range(100))]
    asked = [*residents, *strangers]

    assert [as_strict(asked, likeness, share).wrong for share in (0.0, 0.01, 0.5)] == [3, 2, 1]
    assert as_strict(asked, [1000 * each for each in likeness], 0.01).wrong == 2, "its scale is its own"


def test_an_interval_is_that_of_clopper_and_pearson() -> None:
    asked = [Question(0, str(number), None, ("p",), {0: ("a",)}) for number in range(100)]

    low, high = errors(asked, [0] * 5 + [None] * 95).strangers_accepted.interval

    # Clopper and Pearson's own example of 5 in 100, as scipy's binomtest gives it.
    assert low == pytest.approx(0.016432, abs=1e-5)
    assert high == pytest.approx(0.112835, abs=1e-5)


def test_every_resident_comes_once_and_every_stranger_to_each_door() -> None:
    drawn = draw(FOLDERS, households=2, residents=4, strangers=5, seed=3)

    assert len(questions(drawn, 4, 3)) == 8 + 2 * 5
    assert len(questions(drawn, 1, 3)) == 8 + 8 * 5


def test_a_tool_is_measured_by_the_kernel_and_judged_by_its_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.benchmark.peers.run.IDLE_S", 0.1)
    drawn = draw(FOLDERS, households=1, residents=4, strangers=5, seed=3)
    tools = [_tool(tmp_path, HONEST)]

    (found,) = run(tools, drawn, tmp_path, tmp_path / "log", lambda _: None)

    assert found.pictures == len(drawn.pictures)
    assert found.faceless == sum(name.endswith("3.jpg") for name in drawn.pictures)
    assert found.peak_mb > 1
    for kind in KINDS:
        assert found.errors[kind].strangers_accepted.wrong == 0
        assert found.errors[kind].residents_mistaken.wrong == 0
    assert found.errors[4, APPROACH].residents_rejected.wrong == 0
    # With one picture an approach, whoever's picture shows no face is refused, and that is an error of the tool.
    blind = sum(person.approach[0].endswith("3.jpg") for household in drawn.households for person in household)
    assert found.errors[4, 1].residents_rejected.wrong == blind
    assert [share.wrong for share in found.strict[APPROACH]] == [0] * len(STRICT)
    assert found.strict[1][0].wrong == blind
    assert json.loads(json.dumps(found.plain()))["tool"] == "stand-in"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("raise SystemExit(3)", "has ended"),
        ("say({'ready': True}); sys.stdin.readline()", "has ended"),
        ("time.sleep(60)", "has not answered"),
    ],
    ids=["at once", "when asked", "silent"],
)
def test_a_tool_that_fails_is_named_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, sentence: str
) -> None:
    monkeypatch.setattr("tools.benchmark.peers.child.READY_S", 1.0 if "sleep" in body else 60.0)

    def ask() -> None:
        with Child(_tool(tmp_path, body), tmp_path / "log") as child:
            child.see(["a.jpg"])

    with pytest.raises(NotMeasured, match=f"stand-in {sentence}"):
        ask()


def test_a_missed_goal_is_printed_as_one(tmp_path: Path) -> None:
    drawn = draw(FOLDERS, households=1, residents=4, strangers=5, seed=3)
    nothing = errors(questions(drawn, 4, 3), [None] * 9)

    def result(name: str, see_s: float, peak_mb: float) -> Result:
        tool = Tool(name, (), tmp_path, {}, "nothing")
        found = Result(tool, 1.0, 0.5, [see_s], 0.0, 1, 0.0, peak_mb, 0, 10, dict.fromkeys(KINDS, nothing))
        found.strict[1] = [Share(int(name == "ours"), 8, 1, 8)] * len(STRICT)
        return found

    told = report.markdown([result("ours", 0.01, 100), result("theirs", 0.05, 400)], drawn, {"machine": "one"}, 0.0)

    assert "5.0 times less than theirs, MISSED" in told
    assert "0.25 of theirs's, met" in told
    assert "in 0 of 3 comparisons: MISSED" in told


def test_the_peers_are_pinned_by_hash_and_come_without_an_address() -> None:
    lock = parts.LOCK.read_text(encoding="ascii")
    pins = [line for line in lock.splitlines() if "==" in line and not line.lstrip().startswith("#")]

    assert len(pins) > 20
    assert all(line.endswith("\\") for line in pins), "a package without a hash"
    assert "--index-url" not in lock
    assert '"resolved"' not in (parts.NPM / "package-lock.json").read_text(encoding="utf-8")


def test_the_page_states_no_row_that_is_not_in_the_log_of_the_run() -> None:
    page = (parts.ROOT / "docs/evidence.md").read_text(encoding="utf-8")
    section = page.partition("## Beside others")[2].partition("\n## ")[0]
    log = (parts.ROOT / newest(parts.ROOT, "peers", "txt")).read_text(encoding="utf-8").splitlines()
    rows = [line for line in section.splitlines() if line.startswith("|")]

    assert len(rows) > 15
    assert [row for row in rows if row not in log] == []


@pytest.mark.slow
def test_a_run_is_drawn_from_its_json_and_rubbish_is_refused_in_a_sentence(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from tools.benchmark.peers import plot

    committed, out = parts.ROOT / newest(parts.ROOT, "peers", "json"), tmp_path / "peers.svg"
    assert CliRunner().invoke(plot.main, [str(committed), str(out)]).exit_code == 0
    assert out.read_bytes().startswith(b"<?xml")

    rubbish = tmp_path / "rubbish.json"
    rubbish.write_text('{"tools": [{}]}', encoding="utf-8")
    told = CliRunner().invoke(plot.main, [str(rubbish), str(tmp_path / "none.svg")])
    assert told.exit_code == 1
    assert "is not what peers --json writes" in told.output
    assert not (tmp_path / "none.svg").exists()


def test_whoever_stops_it_is_told_that_nothing_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from tools.benchmark.peers import cli

    for name, files in FOLDERS.items():
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / file).with_suffix(".jpg").write_bytes(b"")

    def stopped(*_: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(parts, "ready", stopped)
    told = CliRunner().invoke(cli.main, ["--faces", str(tmp_path), "--json", str(tmp_path / "out.json")])
    assert told.exit_code == 130
    assert "nothing was written" in told.output
    assert not (tmp_path / "out.json").exists()

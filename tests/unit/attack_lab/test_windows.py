"""One press is up to three attempts: what is the same in them, what is counted of them, and a run taken up again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from click.testing import CliRunner

from device.wire import Attack
from tools.attack_lab import again, carried, cli, run
from tools.attack_lab.attempt import Attempt, Vary, Watched, approaches
from tools.attack_lab.cli import main
from tools.attack_lab.conditions import Conditions
from tools.attack_lab.counts import Tally, halves, table
from tools.attack_lab.faces import Faces
from tools.attack_lab.instruments import INSTRUMENTS, live
from tools.attack_lab.record import OtherRecord, Record, in_folder, of_sources
from tools.attack_lab.run import Kind, one, recorded, tallied
from tools.attack_lab.setting import Setting
from tools.portraits import portrait

NO, DOUBT, YES = (
    Attempt(verdict, verdict.name, 25, 24) for verdict in (Attack.PRESENTATION, Attack.INCONCLUSIVE, Attack.BONA_FIDE)
)
STILL = Conditions(sway_px=0, turn_deg=0, flicker=0, distance_mm=430, jitter_ms=0, fps=18)


def window(kind: Kind, number: int, verdicts: dict[int, tuple[Attempt, ...]]) -> tuple[Attempt, ...] | None:
    """What `run.one` says, without a picture being made."""
    return verdicts.get(number, (NO,) * kind.most)


def test_a_window_is_lost_only_if_every_approach_of_it_is() -> None:
    each = [(YES,), (DOUBT, DOUBT, YES), (DOUBT, YES), (NO, NO, NO), (DOUBT, DOUBT, NO)]
    tally = Tally.of("people", list(enumerate(each)))
    assert (tally.attempt.count, tally.attempt.trials) == (1, 5)
    assert (tally.transaction.count, tally.transaction.trials) == (3, 5)
    assert dict(tally.passed) == {1: 1, 2: 1, 3: 1}
    assert tally.plain()["transaction_passed"]["count"] == 3
    assert tally.why.total() == 5


def test_what_was_called_an_attack_ends_its_window_as_at_the_door() -> None:
    tally = Tally.of("print", [(0, (NO, YES)), (1, (DOUBT, NO, YES)), (2, (DOUBT, YES))])
    assert (tally.transaction.count, tally.transaction.trials) == (1, 3)
    assert dict(tally.passed) == {2: 1}


def test_two_answers_are_counted_of_five_attempts_and_one_of_the_first_three() -> None:
    each = [
        (YES, YES),
        (YES, DOUBT, DOUBT, DOUBT, YES),
        (DOUBT, DOUBT, DOUBT, YES, YES),
        (YES, NO),
        (NO,),
        (DOUBT,) * 5,
    ]
    tally = Tally.of("print", list(enumerate(each)), twice=True)
    assert (tally.transaction.count, tally.transaction.trials) == (3, 6)
    assert tally.twice is not None
    assert (tally.twice.count, tally.twice.trials) == (3, 6)
    assert tally.plain()["twice_passed"]["count"] == 3
    assert "two of five pass" in table([tally])
    assert Tally.of("print", list(enumerate(each))).twice is None, "windows that ended with the first do not tell"
    assert "two of five pass" not in table([Tally.of("print", list(enumerate(each)))])
    after = [(YES, NO, YES), (YES, DOUBT, DOUBT, DOUBT, DOUBT, YES)]
    later = Tally.of("print", list(enumerate(after)), twice=True).twice
    assert later is not None
    assert (later.count, later.trials) == (0, 2), "an attack ends a window, and so does the fifth"


def test_the_two_halves_of_the_people_are_counted_apart() -> None:
    tally = Tally.of("people", [(0, (YES,)), (1, (NO,)), (2, (YES,)), (3, (YES,)), (4, (DOUBT,))])
    even, odd = tally.halves
    assert (even.count, even.trials, odd.count, odd.trials) == (2, 3, 1, 2)
    assert "2/3" in halves([tally])
    assert "1/2" in halves([tally])


def test_a_window_in_which_eye_never_saw_a_face_is_left_out_and_said() -> None:
    unseen = Attempt(Attack.INCONCLUSIVE, "FRAMES", 25, 0)
    tally = Tally.of("people", [(0, (YES,)), (1, (unseen, unseen, unseen)), (2, (unseen, YES))])
    assert (tally.trials, tally.unseen, tally.transaction.count) == (2, 1, 2)
    assert "1 never seen" in table([tally])
    assert tally.plain()["unseen"] == 1


@lru_cache(maxsize=1)
def seen_in_a_window() -> tuple[list[Setting], list[Watched]]:
    """The approaches of one window: what the maker was given, and what eye had."""
    given = []

    def maker(at: Setting, rng: np.random.Generator) -> object:
        given.append(at)
        return live(at, rng)

    three = approaches(maker, [portrait("biden.jpg", 1.0)], lambda _: STILL, (3,), 3)  # type: ignore[arg-type]
    return given, list(three)


@pytest.mark.slow
def test_approaches_of_a_window_share_the_person_and_the_place_and_nothing_of_the_moment() -> None:
    given, window = seen_in_a_window()
    assert given[0] is given[1] is given[2]
    assert {each.cond for each in window} == {STILL}
    assert len({each.log.nonce for each in window}) == 3
    assert len({(each.log.at_1_ns, each.log.at_2_ns, each.log.at_3_ns) for each in window}) == 3
    assert len({each.glances[0].face.tobytes() for each in window}) == 3


@pytest.mark.slow
def test_whoever_tries_again_has_the_same_paper_in_hand_and_matt_is_rougher_than_glossy() -> None:
    given, _ = seen_in_a_window()
    slopes = {}
    for name in ("matt", "glossy"):
        stock = INSTRUMENTS[f"print flat, {name}"].keywords["stock"]  # type: ignore[attr-defined]
        slopes[name] = {stock.gloss(at).slope for at in given}
    assert all(len(each) == 1 for each in slopes.values())
    assert max(slopes["glossy"]) < min(slopes["matt"])


def test_every_instrument_of_paper_has_a_row_of_matt_and_one_of_glossy() -> None:
    matt = {name.removesuffix(", matt") for name in INSTRUMENTS if name.endswith(", matt")}
    glossy = {name.removesuffix(", glossy") for name in INSTRUMENTS if name.endswith(", glossy")}
    assert matt == glossy
    assert {"print flat", "print bent", "print held by hand", "cutout", "paper mask"} == matt


def test_a_window_ends_with_what_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts = iter([DOUBT, YES, NO])

    class Seen:
        def judged(self) -> Attempt:
            return next(verdicts)

    monkeypatch.setattr(run, "approaches", lambda *_: islice(iter(Seen, None), 3))
    found = one(Kind("people", 1, 3), [], 0)
    assert found is not None
    assert [each.attack for each in found] == [Attack.INCONCLUSIVE, Attack.BONA_FIDE]


@pytest.mark.parametrize(
    ("answers", "attempts", "ends"),
    [
        (2, [DOUBT, YES, DOUBT, YES, YES], 4),
        (2, [YES, NO, YES], 2),
        (2, [YES, DOUBT, DOUBT, DOUBT, DOUBT, YES], 5),
        (1, [DOUBT, YES, NO], 2),
    ],
)
def test_a_window_of_two_answers_goes_on_after_the_first_and_ends_with_an_attack(
    monkeypatch: pytest.MonkeyPatch, answers: int, attempts: list[Attempt], ends: int
) -> None:
    verdicts = iter(attempts)

    class Seen:
        def judged(self) -> Attempt:
            return next(verdicts)

    monkeypatch.setattr(run, "approaches", lambda *_: islice(iter(Seen, None), 5))
    assert one(Kind("people", 1, 5, answers=answers), [], 0) == tuple(attempts[:ends])


@pytest.mark.slow
def test_attempts_before_the_first_that_passes_are_the_same_under_either_rule() -> None:
    pictures = [portrait("biden.jpg", 1.0)]
    kinds = [Kind("people", 1, 2, answers=answers) for answers in (1, 2)]
    once, twice = (one(kind, pictures, 0) for kind in kinds)
    assert once is not None
    assert twice is not None
    assert twice[: len(once)] == once
    assert kinds[0].key != kinds[1].key


def test_one_number_is_one_hallway_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []

    def none(_maker: object, _pictures: object, vary: Vary, *_: object) -> Iterator[Watched]:
        drawn.append(vary(np.random.default_rng()))
        return iter(())

    monkeypatch.setattr(run, "approaches", none)
    for maker, number, seed in (("people", 4, 0), ("screen", 4, 0), ("people", 5, 0), ("people", 4, 1)):
        one(Kind(maker, 9, seed=seed), [], number)
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3


def test_every_number_is_another_person_until_all_were_there_and_halves_take_turns(tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(9)]
    for name in names:
        (tmp_path / name).mkdir()
        for picture in range(1 + int(name == "p3") * 4):
            (tmp_path / name / f"{picture}.jpg").touch()
    faces = Faces.below(tmp_path)
    who = [faces.number(number)[0].parent.name for number in range(8)]
    assert len(set(who)) == 8
    assert all(int(name[1:]) % 2 == number % 2 for number, name in enumerate(who))
    assert [len(faces.number(number)) for number in range(8)].count(5) == 1
    assert faces.pictures == 13


def test_one_picture_is_enough_for_every_number() -> None:
    faces = Faces.single([Path("a.jpg")])
    assert {faces.number(number) for number in range(4)} == {(Path("a.jpg"),)}


def test_a_run_is_taken_up_where_it_stood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(job: tuple[Kind, object, int]) -> tuple[Attempt, ...] | None:
        asked.append(job[2])
        return window(job[0], job[2], {1: (DOUBT, YES)}) if job[2] != 2 else None

    monkeypatch.setattr(run, "_job", counted)
    faces, path = Faces.single([Path("a.jpg")]), tmp_path / "run.jsonl"
    (first,) = tallied([Kind("people", 4, 3)], faces, 1, print, Record(path))
    assert (first.trials, first.transaction.count, asked) == (3, 1, [0, 1, 2, 3])
    (longer,) = tallied([Kind("people", 6, 3)], faces, 1, print, Record(path))
    assert asked == [0, 1, 2, 3, 4, 5]
    assert longer.trials == 5
    assert recorded([Kind("people", 99, 3)], Record(path)) == [longer]
    assert recorded([Kind("people", 99, 3, seed=1), Kind("people", 99, 2)], Record(path)) == []


def test_a_record_that_was_cut_off_loses_the_line_that_was_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record = Record(path)
    record.add("people", 0, (YES,))
    record.add("people", 1, (NO, YES))
    path.write_bytes(path.read_bytes()[:-9])
    again = Record(path)
    assert dict(again.of("people")) == {0: (YES,)}
    again.add("people", 1, (NO,))
    assert dict(Record(path).of("people")) == {0: (YES,), 1: (NO,)}


def test_a_record_of_other_sources_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    Record(path, "others").add("people", 0, (YES,))
    before = path.read_bytes()
    with pytest.raises(OtherRecord, match="other sources"):
        Record(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "text", ["[]\n", "{}\n", "notes\n", '{"sources": "x"}\n["people", 0, [["PASSED", "", 1, 1]]]\n']
)
def test_what_is_no_record_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes"
    path.write_text(text)
    with pytest.raises(OtherRecord, match="no record"):
        Record(path, "x")
    assert path.read_text() == text


def test_curves_have_as_many_attempts_in_a_window_as_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record = Record(path, of_sources(Faces.single([portrait("biden.jpg", 1.0)]).digest))
    kind = Kind("people", 1, 3, (("skin", 0.06),))
    record.add(kind.key, 0, (DOUBT, YES))
    words = ["--no-main", "--curve", "skin", "--counted", "--json", "--record", str(path), "--approaches"]
    with mock.patch.object(cli, "_faces", return_value=Faces.single([portrait("biden.jpg", 1.0)])):
        three, one_ = (json.loads(CliRunner().invoke(main, [*words, most]).stdout) for most in "31")
    (point,) = three["curves"]["skin"]
    assert (point["transaction_passed"]["count"], point["passed_at_approach"]) == (1, {"2": 1})
    assert one_["curves"]["skin"] == []


def test_runs_of_several_seeds_are_counted_together_and_two_answers_need_a_record(tmp_path: Path) -> None:
    path, faces = tmp_path / "run.jsonl", Faces.single([portrait("biden.jpg", 1.0)])
    record = Record(path, of_sources(faces.digest))
    for seed, attempts in ((1, (YES, DOUBT, YES)), (2, (YES, NO))):
        record.add(Kind("screen", 1, 5, seed=seed, answers=2).key, 0, attempts)
    words = ["--only", "screen", "--approaches", "5", "--answers", "2", "--counted", "--json"]
    words += ["--record", str(path), "--seed", "1"]
    with mock.patch.object(cli, "_faces", return_value=faces):
        said = [CliRunner().invoke(main, each).stdout for each in (words, [*words, "--seed", "2"])]
        refused = CliRunner().invoke(main, ["--answers", "2"])
    rates = [json.loads(each)["kinds"][0]["twice_passed"] for each in said]
    assert [(rate["count"], rate["trials"]) for rate in rates] == [(1, 1), (1, 2)]
    assert (refused.exit_code, "--record" in refused.output) == (2, True)


@pytest.mark.parametrize("changed", [False, True])
def test_windows_of_an_older_record_are_rendered_on_and_what_both_have_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: bool
) -> None:
    (tmp_path / "people" / "ada").mkdir(parents=True)
    (tmp_path / "people" / "ada" / "1.jpg").write_bytes(b"ada")
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    older = Record(old, "older sources")
    for number, attempts in enumerate([(YES,), (DOUBT, NO), (DOUBT, DOUBT, DOUBT), None]):
        older.add(Kind("screen", 1, 3, seed=5).key, number, attempts)
    made = {0: (YES, DOUBT, YES), 2: (NO,) if changed else (DOUBT, DOUBT, DOUBT, YES, DOUBT)}
    monkeypatch.setattr(carried, "one", lambda _kind, _pictures, number: made[number])
    words = [str(old), str(new), "--faces", str(tmp_path / "people"), "--seed", "5", "--only", "screen"]
    said = CliRunner().invoke(carried.main, words)
    assert said.exit_code == int(changed)
    assert said.stdout == f"2 taken over, 2 rendered, what both have is the same in {1 if changed else 2}\n"
    key = Kind("screen", 1, 5, seed=5, answers=2).key
    found = dict(Record(new, of_sources(Faces.below(tmp_path / "people").digest)).of(key))
    assert found == {0: made[0], 1: (DOUBT, NO), 2: made[2], 3: None}
    assert CliRunner().invoke(carried.main, words).stdout.startswith("0 taken over, 0 rendered"), "taken up again"
    old.write_text("notes")
    assert CliRunner().invoke(carried.main, words).exit_code == 2


@pytest.mark.parametrize("other", [None, (YES, DOUBT), (YES, Attempt(YES.attack, YES.why, 25, 23))])
def test_windows_rendered_again_with_other_sources_are_compared_and_the_rest_taken_over_only_if_all_are_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: tuple[Attempt, ...] | None
) -> None:
    (tmp_path / "people" / "ada").mkdir(parents=True)
    (tmp_path / "people" / "ada" / "1.jpg").write_bytes(b"ada")
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    older = Record(old, "older sources")
    for name, relief in (("people", True), ("screen", True), ("screen", False)):
        kind = Kind(name, 1, 5, relief=relief, seed=5, answers=2)
        for number in range(3):
            older.add(kind.key, number, (YES, YES) if kind.name == "people" else (NO,))
    turns = [kind.name for kind, _ in again.in_turns(older.all(), again.kinds((5,), 5, 2))]
    assert turns == ["people", "screen", "screen, no relief test"] * 3
    rendered: list[str] = []

    def one(kind: Kind, _pictures: object, number: int) -> tuple[Attempt, ...] | None:
        rendered.append(kind.name)
        if other and len(rendered) == 4:
            return other
        return older.of(kind.key)[number]

    monkeypatch.setattr(again, "one", one)
    clock = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: 60.0 * next(clock))
    words = [str(old), str(new), "--faces", str(tmp_path / "people"), "--seed", "5", "--minutes", "6", "--take-over"]
    said = CliRunner().invoke(again.main, words)
    assert len(rendered) == 5
    alike = "5 windows rendered again, 5 of them alike in every attempt\n4 taken over as they were\n"
    unlike = "5 windows rendered again, 4 of them alike in every attempt\n"
    assert (said.exit_code, said.stdout) == ((1, unlike) if other else (0, alike))
    kept = Record(new, of_sources(Faces.below(tmp_path / "people").digest)).all()
    assert (kept == older.all()) == (other is None)
    assert sum(len(windows) for windows in kept.values()) == (5 if other else 9)
    CliRunner().invoke(again.main, words)
    assert len(rendered) == (9 if other else 5), "taken up where it stood"
    old.write_text("notes")
    assert CliRunner().invoke(again.main, words).exit_code == 2


def test_the_command_counts_a_record_without_running_anything(tmp_path: Path) -> None:
    people = tmp_path / "people"
    for name in ("ada", "bo"):
        (people / name).mkdir(parents=True)
        (people / name / "1.jpg").write_bytes(name.encode())
    path, sources = tmp_path / "run.jsonl", of_sources(Faces.below(people).digest)
    record = Record(path, sources)
    for number in range(3):
        record.add(Kind("screen", 3, 3).key, number, (DOUBT, DOUBT, NO))
    words = ["--only", "screen", "--approaches", "3", "--counted", "--faces", str(people)]
    words += ["--json", "--record", str(path)]
    said = CliRunner().invoke(main, words)
    assert said.exit_code == 0, said.output
    (screen,) = json.loads(said.stdout)["kinds"]
    assert (screen["transaction_passed"]["trials"], screen["passed"]["count"]) == (3, 0)
    kept = tmp_path / "kept"
    kept.mkdir()
    path.rename(in_folder(kept, sources))
    again = CliRunner().invoke(main, [*words[:-3], "--record", str(kept), "--log"])
    assert again.exit_code == 0, again.output
    assert "| screen |" in again.stdout
    assert again.stdout.splitlines()[-1] == said.stdout.splitlines()[-1]
    (people / "bo" / "1.jpg").write_bytes(b"somebody else's")
    refused = CliRunner().invoke(main, [*words[:-1], str(next(kept.iterdir()))])
    assert (refused.exit_code, "other sources" in refused.output) == (2, True)
    refused = CliRunner().invoke(main, ["--counted"])
    assert refused.exit_code == 2
    assert "--record" in refused.output

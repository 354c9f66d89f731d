"""What the sections about PINs and cards say follows from their samples; what does not count is dropped and told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tools.benchmark import __main__ as program
from tools.benchmark import alike, card, eye, openings, reaction, size, start, vault, walls, watched
from tools.benchmark.bare_card import Bare
from tools.benchmark.figures import Figure, NotMeasured, Plan, Section, Spread
from tools.benchmark.house import House
from tools.benchmark.openings import Opened, by_card, by_pin
from tools.benchmark.reaction import Condition
from tools.simulator.client import Door

QUIET = Spread.of([0.0])


def judged(section: Section) -> list[Figure]:
    return [figure for figure in section.figures if figure.limit is not None]


def verdicts(section: Section) -> set[bool | None]:
    return {figure.met for figure in judged(section)}


# ---- one opening


@dataclass(frozen=True)
class Board(Door):
    """A board that opens by itself, `after` states from the first."""

    after: int = 1
    asked: list[str] = field(default_factory=list)

    def state(self) -> dict[str, Any]:
        told = len([what for what in self.asked if what == "state"])
        self.asked.append("state")
        opened = told >= self.after
        history = [[1_000_000, "coil", True], [2_000_000, "coil", False]]
        return {
            "releases": 1 + opened,
            "last_key_ns": 5_000_000,
            "last_card_ns": 6_000_000,
            "last_frame_ns": 0,
            "frames_read": 10 + 3 * opened,
            "history": history + [[9_000_000, "coil", True], [9_500_000, "lamp", True]] * opened,
        }

    def keys(self, keys: str) -> None:
        self.asked.append(keys)

    def tap(self, card: Path, pull_away_after: int | None = None) -> None:
        self.asked.append(card.name)


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openings, "QUIET_S", 0.0)
    monkeypatch.setattr(openings, "POLL_S", 0.0)


def house(tmp_path: Path, after: int = 1) -> tuple[House, Board]:
    board = Board(tmp_path, after)
    return House(board, "", tmp_path, tmp_path, tmp_path), board


@pytest.mark.parametrize("after", [1, 3])
def test_an_opening_is_timed_from_the_last_key_or_answer_to_the_last_release(tmp_path: Path, after: int) -> None:
    one, board = house(tmp_path, after)
    opened = by_pin(one, "12#482913")
    assert (opened.ms, opened.frames) == (4.0, 3)
    assert board.asked[:3] == ["12#482913", "state", "#"], "the last key is alone, behind everything else"
    one, board = house(tmp_path, after)
    assert by_card(one).ms == 3.0
    assert board.asked[1] == "resident.card"


def test_a_door_that_stays_shut_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openings, "TIMEOUT_S", 0.0)
    with pytest.raises(NotMeasured, match="card"):
        by_card(house(tmp_path, 10**9)[0])


# ---- a card


def opened(ms: float, blind_ms: float = -20.0) -> Opened:
    return Opened(ms, 8.0 + ms, 3, 0.06, blind_ms)


def cards(eye_ms: float, crypto_eye_ms: float = 0.5, *, first: bool = True) -> Section:
    idle, busy = card.Samples(), card.Samples()
    for _ in range(5):
        idle.take(opened(1.0), Bare(0.5, 1.5, 2.0), Condition.IDLE)
        busy.take(opened(eye_ms), Bare(crypto_eye_ms, 1.5, 2.0), Condition.EYE)
    busy.take(opened(100.0, blind_ms=900.0), Bare(0.5, 1.5, 2.0), Condition.EYE)
    return card.section({Condition.IDLE: [idle], Condition.EYE: [busy]}, QUIET, first=first)


@pytest.mark.parametrize(("eye_ms", "kept"), [(0.7, True), (2.9, True), (3.1, False)])
def test_a_card_is_judged_by_the_crypto_and_the_write_that_no_door_can_leave_out(eye_ms: float, kept: bool) -> None:
    by_round, pooled, letter = judged(cards(eye_ms, crypto_eye_ms=4.0))
    assert by_round.met is pooled.met is kept
    assert [by_round.value.median, pooled.value.median] == [eye_ms / 2, eye_ms / 2]
    assert letter.value.median == eye_ms / 4.0


@pytest.mark.parametrize(("eye_ms", "crypto_eye_ms", "kept"), [(0.7, 0.5, True), (0.8, 0.5, False), (0.8, 0.6, True)])
def test_a_card_is_judged_by_the_crypto_alone_in_the_same_condition(
    eye_ms: float, crypto_eye_ms: float, kept: bool
) -> None:
    assert verdicts(cards(eye_ms, crypto_eye_ms)) == ({True} if kept else {True, False})


def test_the_strictest_reading_of_the_limit_is_told_beside_it() -> None:
    assert "1.5 would be met: 1.40" in cards(0.7).notes[0]
    assert "1.5 would be missed: 4.00" in cards(2.0).notes[0]


@pytest.mark.parametrize(("first", "told"), [(True, "lock and keeper came first."), (False, "neither lock nor keeper")])
def test_it_is_told_whether_lock_and_keeper_came_first(first: bool, told: str) -> None:
    assert any(told in note for note in cards(1.0, first=first).notes)


def test_a_card_shown_while_eye_had_nothing_to_read_is_dropped_and_told() -> None:
    assert any(note.startswith("1 samples were dropped") for note in cards(1.0).notes)
    idle = card.Samples()
    idle.take(opened(1.0, blind_ms=900.0), Bare(0.5, 1.5, 2.0), Condition.IDLE)
    assert idle.answer == [1.0], "idle is when eye has read nothing"


# ---- a PIN


def pins(eye_ms: float, argon2_eye_ms: float = 400.0) -> Section:
    idle = reaction.Samples([84.0, 85.0], [80.0, 80.0], [1.0, 1.0], [0.0, 0.0])
    busy = reaction.Samples([eye_ms, eye_ms], [argon2_eye_ms] * 2, [1.0, 1.0], [55.0, 55.0])
    return reaction.section({Condition.IDLE: [idle], Condition.EYE: [busy]}, QUIET)


def test_a_pin_is_judged_against_argon2_idle_whatever_argon2_takes_beside_eye() -> None:
    against = [figure for figure in judged(pins(119.0)) if figure.limit == reaction.ARGON2_LIMIT]
    assert [figure.met for figure in against] == [True, True]
    against = [figure for figure in judged(pins(121.0)) if figure.limit == reaction.ARGON2_LIMIT]
    assert [figure.met for figure in against] == [False, False]


# ---- the size of a house


def sizes(pin_ms: float, card_ms: float) -> Section:
    def one(pin: float, card: float) -> size.Samples:
        return size.Samples({size.PIN_MS: [pin] * 3, size.CARD_MS: [card] * 3, size.ANSWER_MS: [1.0] * 3})

    return size.section({size.SMALL: [one(80.0, 8.0)] * 2, size.LARGE: [one(pin_ms, card_ms)] * 2}, QUIET)


@pytest.mark.parametrize(
    ("pin_ms", "card_ms", "met"), [(80.0, 8.0, {True}), (90.0, 9.0, {False}), (80.0, 9.0, {True, False})]
)
def test_a_large_house_is_judged_by_pin_and_by_card(pin_ms: float, card_ms: float, met: set[bool]) -> None:
    assert verdicts(sizes(pin_ms, card_ms)) == met
    assert len(judged(sizes(pin_ms, card_ms))) == 4


# ---- a watch at the keypad


def attempts(shift_ms: float) -> Section:
    rng = np.random.default_rng(3)
    kinds = (alike.RIGHT, "wrong PIN", "duress PIN", alike.MARKED)
    taken = {kind: 80 + rng.gamma(2.0, 1.5, 60) + shift_ms * (kind == "duress PIN") for kind in kinds}
    return watched.section(taken, alike.compare(taken))


@pytest.mark.parametrize(("shift_ms", "word", "met"), [(0.0, "not told apart", True), (5.0, "TOLD APART", False)])
def test_a_kind_that_is_told_apart_is_a_missed_limit(shift_ms: float, word: str, met: bool) -> None:
    said = attempts(shift_ms)
    assert verdicts(said) == {met}
    verdict = {row[0]: row[-1] for row in said.tables[0].rows}
    assert verdict == {
        alike.RIGHT: "the measure",
        "wrong PIN": "not told apart",
        "duress PIN": word,
        alike.MARKED: "not compared",
    }


def test_every_row_says_what_would_have_been_seen() -> None:
    (table,) = attempts(0.0).tables
    column = table.head.index("would be seen")
    seen = [float(row[column]) for row in table.rows if row[column]]
    assert len(seen) == 2
    assert all(0 < each < 5 for each in seen)
    assert all(len(row) == len(table.head) for row in table.rows)


# ---- all of them


@pytest.mark.parametrize(
    ("name", "module"),
    [("start", start), ("eye", eye), ("vault", vault), ("walls", walls), ("watched", watched), ("size", size)],
)
def test_each_section_is_the_one_of_its_name(name: str, module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "measure", lambda *_: Section(name, ()))
    assert program._alone(name, Plan(), lambda _text: None).title == name
    assert name in program.SECTIONS

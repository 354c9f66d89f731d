"""Leading somebody through the tries: what counts, what does not, and what is written down however it ends."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from click.testing import CliRunner, Result

from device import config, tried, wire
from device.desk import cli, selftest
from device.desk.client import DeskLine
from device.desk.setup.terminal import Terminal
from device.desk.trying import cli as trying
from device.desk.trying import words
from device.desk.trying.session import READY, Session, TimeOver
from device.errors import Fault, NotPermitted
from device.paths import Paths
from device.tried import Count, Facts, Instrument, Tryout
from device.wire import Attack, Tried, TryFaces, TryStands

MOVED = Tried(Attack.MOVED)
LIVE, ATTACK, UNCLEAR = Tried(Attack.BONA_FIDE), Tried(Attack.PRESENTATION), Tried(Attack.INCONCLUSIVE)
BEGUN = TryStands(on=True, asked=True)
OVER = TryStands(on=False, asked=False)
DOOR = """
[door]
id = "00112233445566aa"
[lock]
board = "{board}"
left_light_weak_pin = "GPIO13"
left_light_strong_pin = "GPIO19"
right_light_weak_pin = "GPIO20"
right_light_strong_pin = "GPIO21"
"""


class CtrlC:
    """Comes in place of a message: the person has had enough."""


Said = wire.Message | CtrlC | None


@dataclass
class FakeLine:
    """A desk: what it says by itself between two steps (`stale`), and what it answers when it is waited for."""

    says: deque[Said]
    stale: deque[wire.Message] = field(default_factory=deque)
    heard: list[wire.Message] = field(default_factory=list)
    closed: bool = False

    def send(self, msg: wire.Message) -> None:
        self.heard.append(msg)

    def receive(self, timeout_s: float) -> wire.Message | None:
        if timeout_s < 0.5:  # a look whether there is something already
            return self.stale.popleft() if self.stale else None
        said = self.says.popleft()
        if isinstance(said, CtrlC):
            raise KeyboardInterrupt
        return said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.closed = True


@dataclass
class Listener:
    """A terminal of somebody who presses Enter."""

    shown: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.shown.append(text)

    def ask(self, prompt: str) -> str:
        self.shown.append(prompt)
        return ""


def session(*says: Said, stale: tuple[wire.Message, ...] = (), number: int = 2) -> tuple[Session, FakeLine, Listener]:
    line, person = FakeLine(deque((BEGUN, *says)), deque(stale)), Listener()
    terminal: Terminal = person
    return Session(line, terminal, dict.fromkeys(Instrument, number)), line, person


# ---- what counts


def test_what_turned_as_it_was_asked_to_is_neither_a_live_face_nor_recognised_and_the_person_is_told() -> None:
    found, _, person = session(MOVED, LIVE, MOVED, ATTACK, MOVED, MOVED)
    found.run()
    assert found.counts == {
        Instrument.LIVE: Count(1, 0, 1),
        Instrument.PRINT: Count(0, 1, 1),
        Instrument.SCREEN: Count(0, 0, 2),
    }
    told = [line for line in person.shown if "of 2: no result by the lights, but it turned" in line]
    assert len(told) == 4


def test_each_approach_is_one_try_of_what_was_asked_for() -> None:
    found, line, person = session(LIVE, UNCLEAR, ATTACK, UNCLEAR, LIVE, ATTACK)
    found.run()
    assert line.heard == [TryFaces(on=True)]
    assert found.whole
    assert found.counts == {
        Instrument.LIVE: Count(1, 0, 1),
        Instrument.PRINT: Count(0, 1, 1),
        Instrument.SCREEN: Count(1, 1, 0),
    }
    assert [line for line in person.shown if line.startswith("screen")] == [
        "screen 1 of 2: taken for a live face",
        "screen 2 of 2: recognised as an attack",
    ]
    assert person.shown.count(READY) == 3


def test_it_begins_with_a_live_face() -> None:
    assert next(iter(Instrument)) is Instrument.LIVE
    found, _, person = session(*(LIVE,) * 6)
    found.run()
    assert "your own face" in person.shown[0]


def test_what_comes_before_enter_counts_for_nothing() -> None:
    found, _, _ = session(*(ATTACK,) * 6, stale=(LIVE, LIVE))
    found.run()
    assert sum(count.as_live for count in found.counts.values()) == 0


def test_silence_is_no_try() -> None:
    found, _, person = session(LIVE, None, LIVE, ATTACK, None, None, ATTACK, ATTACK, ATTACK)
    found.run()
    assert {count.tries for count in found.counts.values()} == {2}
    assert len([line for line in person.shown if line.startswith("No try for a while")]) == 3


def test_a_face_that_eye_did_not_test_ends_it() -> None:
    found, _, _ = session(Tried(Attack.NOT_TESTED))
    with pytest.raises(NotPermitted, match="does not know of the lights"):
        found.run()
    assert not found.whole


@pytest.mark.parametrize("stale", [True, False])
def test_when_the_door_ends_it_it_is_over(stale: bool) -> None:
    found, _, _ = session(*([] if stale else [OVER]), stale=(OVER,) if stale else ())
    with pytest.raises(TimeOver):
        found.run()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (wire.Ended(wire.Result.BUSY), "try again in a minute"),
        (TryStands(on=False, asked=True), "somebody enrols"),
        (wire.Ended(wire.Result.FAULT), "is away"),
        (None, "did not answer in time"),
    ],
)
def test_what_keeps_it_from_beginning_is_told(answer: Said, why: str) -> None:
    found = Session(FakeLine(deque([answer])), Listener(), {Instrument.LIVE: 1})
    with pytest.raises((NotPermitted, Fault), match=why):
        found.run()


# ---- the command


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setenv("DOORWARD_ROOT", str(tmp_path))
    door = Paths(tmp_path)
    door.config.parent.mkdir(parents=True)
    door.config.write_text(DOOR.format(board="gpiozero"))
    return door


def doorctl(monkeypatch: pytest.MonkeyPatch, *args: str, says: tuple[Said, ...] = (), typed: str = "\n\n\n") -> Result:
    line = FakeLine(deque((BEGUN, *says)))
    monkeypatch.setattr(DeskLine, "open", lambda _paths: line)
    result = CliRunner().invoke(cli.cli, ("try-attacks", *args), input=typed, prog_name="doorctl")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert line.closed or not line.heard, "the line is closed however it ends, and with it the try-out"
    return result


def standing(paths: Paths) -> bytes | None:
    file = paths.config.with_name(tried.FILE)
    return file.read_bytes() if file.exists() else None


def written(paths: Paths) -> Tryout:
    found = tried.read(paths.config)
    assert found is not None
    return found


GOOD = (*(LIVE,) * 15, *(ATTACK,) * 30, *(UNCLEAR,) * 30)


def test_a_whole_try_out_is_written_down_with_what_it_holds_for(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    said = doorctl(monkeypatch, says=GOOD)
    assert said.exit_code == 0
    assert "print  30 tries, 0 taken for a live face (with 95 % confidence at most 12 in 100)" in said.stdout
    found = written(paths)
    assert found.counts[Instrument.SCREEN] == Count(0, 0, 30)
    assert not found.simulated
    assert tried.why_not(found, config.tried_facts(config.load(paths.config))) == ""


def test_with_json_one_object_says_it_and_the_talk_goes_elsewhere(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = json.loads(doorctl(monkeypatch, "--json", says=GOOD).stdout)
    assert (told["ok"], told["face_alone_allowed"], told["why_not"]) == (True, True, "")
    assert told["print"] == {"tries": 30, "as_live": 0, "as_attack": 30, "unclear": 0, "bound": 0.1157}
    shown = json.loads(doorctl(monkeypatch, "--show", "--json").stdout)
    assert {key: told[key] for key in shown if key != "ok"} == {key: shown[key] for key in shown if key != "ok"}
    assert standing(paths)


STOPS: dict[str, tuple[Said, ...]] = {
    "Ctrl-C": (CtrlC(),),
    "the time": (OVER,),
    "vault gone": (wire.Ended(wire.Result.FAULT),),
}


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_one_that_was_stopped_leaves_what_stood(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, stop: tuple[Said, ...]
) -> None:
    for before in (None, GOOD):
        if before:
            doorctl(monkeypatch, says=before)
        stood = standing(paths)
        said = doorctl(monkeypatch, says=(*GOOD[:-1], *stop))
        assert said.exit_code == (130 if stop is STOPS["Ctrl-C"] else 1)
        assert standing(paths) == stood


def hidden(paths: Paths, monkeypatch: pytest.MonkeyPatch, stop: tuple[Said, ...]) -> bool:
    """Whether a print that passed can be kept secret by stopping."""
    doorctl(monkeypatch, says=GOOD)
    doorctl(monkeypatch, says=(*GOOD[:20], LIVE, *stop))
    return written(paths).counts[Instrument.PRINT].as_live == 0


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_an_attack_that_passed_is_written_down_however_it_was_stopped(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, stop: tuple[Said, ...]
) -> None:
    assert not hidden(paths, monkeypatch, stop)
    said = doorctl(monkeypatch, "--show")
    assert "A face keeps needing the PIN at this door: a print was taken for a live face in 1 of 6 tries" in said.stdout


def test_a_command_that_writes_whole_try_outs_only_is_seen(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "ATTACKS", ())
    line = FakeLine(deque((BEGUN, *GOOD[:20], LIVE, CtrlC())))
    doorctl(monkeypatch, says=GOOD)
    monkeypatch.setattr(DeskLine, "open", lambda _paths: line)
    CliRunner().invoke(cli.cli, ("try-attacks",), input="\n\n\n")
    assert written(paths).counts[Instrument.PRINT].as_live == 0


@pytest.mark.usefixtures("paths")
def test_a_live_face_half_as_often_and_fewer_tries_allow_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(doorctl(monkeypatch, "--tries", "3", "--json", says=(LIVE,) * 2 + (ATTACK,) * 6).stdout)
    assert [told[each]["tries"] for each in ("live", "print", "screen")] == [2, 3, 3]
    assert "held up 3 times only" in told["why_not"]


def test_without_lights_there_is_nothing_to_try(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    paths.config.write_text('[door]\nid = "00112233445566aa"\n')
    said = doorctl(monkeypatch)
    assert said.exit_code == 1
    assert "no lights to test faces with" in said.stderr


def test_what_a_simulated_door_tries_is_marked(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    paths.config.write_text(DOOR.format(board="sim"))
    said = doorctl(monkeypatch, says=GOOD)
    assert "This is a simulated door" in said.stdout
    assert written(paths).simulated
    assert "says nothing about any other" in said.stdout
    told = json.loads(doorctl(monkeypatch, "--show", "--json").stdout)
    assert "was tried on a simulated door" in told["why_not"]


def test_the_end_of_the_input_ends_it_with_nothing_written(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    said = doorctl(monkeypatch, says=GOOD, typed="\n")
    assert said.exit_code == 1
    assert standing(paths) is None


def test_nobody_tried_is_told_in_one_sentence(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    said = doorctl(monkeypatch, "--show")
    assert said.exit_code == 1
    assert "Nobody has tried out attacks at this door" in said.stderr
    assert standing(paths) is None


def test_no_count_is_told_without_its_bound() -> None:
    facts = Facts("1", "a" * 64, "b" * 64, "c" * 64, "a camera", 80.0)
    counts = {each: Count(1, 2, 3) for each in Instrument}
    head, *lines = words.lines(Tryout("2026-11-23", simulated=False, facts=facts, counts=counts))
    assert len(lines) == len(Instrument)
    assert all("with 95 % confidence at most" in line for line in lines)
    simulated = Tryout("2026-11-23", simulated=True, facts=facts, counts=counts)
    assert "simulated" in words.lines(simulated)[0]
    assert "simulated" not in head


def test_selftest_says_that_a_face_needs_its_pin_although_door_toml_says_otherwise(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = '[camera]\npinned = "libcamera|imx708|/base/soc/i2c0mux|-"\n'
    paths.config.write_text(pinned + DOOR.format(board="gpiozero").replace("[lock]\n", '[lock]\ntier = "face"\n'))
    before = selftest.check_configuration(paths)
    assert before.ok
    assert "but a face needs the PIN although door.toml says otherwise: nobody has held up" in before.sentence
    said = doorctl(monkeypatch, says=GOOD)
    assert "It counts from the next start on" in said.stdout
    assert "although" not in selftest.check_configuration(paths).sentence

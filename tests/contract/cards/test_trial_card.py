"""A card reader tried by set-up: the real pcscd with a virtual reader, and a made-up one for what goes wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from device.config.tables import LockTable
from device.lock import reader_pcsc, trial_readers
from device.lock.reader_pcsc import PcscReader
from device.lock.state import CardCame, CardReplied, Event
from device.paths import Paths
from tests.contract.cards.imagined import NAME, Imagined, echo
from tests.support.pcscd import READER, Field

WHO = bytes.fromhex("FFCA000000")
TABLE = LockTable(card_reader=READER)


def a_card(event: Event) -> bool:
    return isinstance(event, CardCame)


class Held(PcscReader):
    """The door's reader, and somebody who holds a card to it as soon as it is up: one that lay there before is none."""

    antenna: Field
    held = False

    def events(self, now_s: float) -> list[Event]:
        happened = super().events(now_s)
        if self._up and not self.held:
            self.held = True
            self.antenna.put(echo)
        return happened


class Curious(Held):
    """Seeded fault: a trial that asks a card for its number."""

    def events(self, now_s: float) -> list[Event]:
        happened = super().events(now_s)
        if CardCame() in happened:
            self.card(WHO)
        return [event for event in happened if not isinstance(event, CardCame)]


@pytest.fixture(params=[Held, Curious])
def held(request: pytest.FixtureRequest, antenna: Field, monkeypatch: pytest.MonkeyPatch) -> type[Held]:
    kind: type[Held] = request.param
    monkeypatch.setattr(Held, "antenna", antenna, raising=False)
    monkeypatch.setattr(reader_pcsc, "PcscReader", kind)
    return kind


def test_a_card_that_is_held_to_the_reader_is_seen_and_nothing_is_said_to_it(
    held: type[Held], antenna: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    if held is Curious:  # its card is not told, so the trial ends when the card has heard something
        monkeypatch.setattr(trial_readers, "CardCame", CardReplied)
    assert trial_readers.card(TABLE, 120.0) == {"seen": True, "well": True}
    assert antenna.heard == ([WHO] if held is Curious else [])


def _until(part: PcscReader, *, well: bool) -> Callable[[], float]:
    """A clock that stands still until `part` is as it should be, and then jumps over every limit."""
    return lambda: 1e9 if part.well is well and part._settled else 0.0


def test_no_card_in_time_is_told_and_the_reader_is_well() -> None:
    part = PcscReader(NAME[:-6], Imagined())
    assert trial_readers.watch(part, a_card, 20.0, _until(part, well=True)) == {"seen": False, "well": True}
    assert part.fileno() is None, "it was given back"


def test_a_reader_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.lock.reader_pcsc.START_S", 0.0)  # its first seconds are over
    part = PcscReader("Another Reader", Imagined())
    told = trial_readers.watch(part, a_card, 120.0, lambda: time.monotonic() if part.well else 1e12)
    assert told == {"seen": False, "well": False}


def test_a_trial_ends_by_itself_however_long_it_was_asked_for() -> None:
    part = PcscReader(NAME[:-6], Imagined())
    clock = iter([0.0, 119.0, 121.0])
    assert trial_readers.watch(part, a_card, 1e9, lambda: next(clock))["seen"] is False


@pytest.mark.parametrize(
    ("words", "toml"),
    [(["card", "1"], ""), (["osdp", "1"], ""), (["cards", "1"], '[lock]\ncard_reader = "A"\n'), ([], "")],
)
def test_what_cannot_be_asked_is_one_sentence(
    words: list[str], toml: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trial_readers.run(words, toml, Paths(tmp_path)) == 1
    assert "refused" in json.loads(capsys.readouterr().out)


def test_a_door_toml_that_is_wrong_is_its_own_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trial_readers.run(["card", "1"], "[lock]\ncolour = 1\n", Paths(tmp_path)) == 1
    assert "colour is not a setting" in json.loads(capsys.readouterr().out)["refused"]


def test_a_number_that_is_none_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trial_readers.run(["card", "soon"], '[lock]\ncard_reader = "A"\n', Paths(tmp_path)) == 1
    assert "cannot be tried" in json.loads(capsys.readouterr().out)["refused"]

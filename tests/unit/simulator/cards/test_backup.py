"""A backup file changes with the commit, or not at all: whenever the card is pulled away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.simulator.cards.terminal import AID, OK, Terminal, at, native, ready
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.field import Field
from tools.simulator.cards.memory import DataFile, Kind, Mode
from tools.simulator.cards.status import CardGone

OLD, NEW = b"old!", b"new!"
NUMBER = int.from_bytes(AID, "little")
CARDS = [(Kind.DESFIRE_EV1, False), (Kind.DESFIRE_EV2, True)]


def written(kind: Kind, ev2: bool, path: Path | None = None) -> Terminal:
    """A session of key 1 on a card whose backup file 1 holds OLD."""
    card = ready(kind, f1=(0x1111, Mode.FULL, True))
    if path is not None:
        card.save(path)
    terminal = Terminal(card)
    assert terminal.authenticate(1, ev2=ev2) == OK
    for ins, header, data, mode in ((0x3D, at(1, 0, 4), OLD, Mode.FULL), (0xC7, b"", b"", Mode.MAC)):
        assert terminal.command(ins, header, data, mode)[1] == OK
    return terminal


def value(card: SimulatedCard) -> bytes:
    return card.memory.applications[NUMBER].files[1].data[:4]


@pytest.mark.parametrize(("kind", "ev2"), CARDS)
def test_a_write_is_seen_after_the_commit_and_not_before(kind: Kind, ev2: bool) -> None:
    terminal = written(kind, ev2)
    terminal.command(0x3D, at(1, 0, 4), NEW, Mode.FULL)
    assert terminal.command(0xBD, at(1, 0, 4), mode=Mode.FULL) == (OLD, OK)
    assert terminal.command(0xC7, b"") == (b"", OK)
    assert terminal.command(0xBD, at(1, 0, 4), mode=Mode.FULL) == (NEW, OK)
    assert terminal.command(0xC7, b"")[1] == "910C"


@pytest.mark.parametrize(("kind", "ev2"), CARDS)
@pytest.mark.parametrize("lost", ["abort", "select", "field", "error"])
def test_what_is_not_committed_is_lost(kind: Kind, ev2: bool, lost: str) -> None:
    terminal = written(kind, ev2)
    card = terminal.card
    terminal.command(0x3D, at(1, 0, 4), NEW, Mode.FULL)
    match lost:
        case "abort":
            assert terminal.command(0xA7, b"") == (b"", OK)
        case "select":
            card.process(native(0x5A, AID))
        case "field":
            card.reset()
        case "error":
            card.process(native(0x00))
    if lost == "field":
        card.process(native(0x5A, AID))
    if lost != "abort":
        assert terminal.authenticate(1, ev2=ev2) == OK
    assert terminal.command(0xC7, b"")[1] == "910C"
    assert value(card) == OLD


def torn(kind: Kind, ev2: bool, path: Path, after: int, *, answer_lost: bool) -> bytes:
    """What the file says after a write and a commit of which the card left after so many commands."""
    terminal = written(kind, ev2, path)
    terminal.card.pull_away_after(after, answer_lost=answer_lost)
    try:
        terminal.command(0x3D, at(1, 0, 4), NEW, Mode.FULL)
        terminal.command(0xC7, b"")
    except CardGone:
        with pytest.raises(CardGone):
            terminal.card.process(native(0x60))
    return value(SimulatedCard.load(path))


def commits_only_whole(path: Path) -> bool:
    """Whether what the file holds is old before the commit was carried out, and new afterwards."""
    expected = [(0, False, OLD), (0, True, OLD), (1, False, OLD), (1, True, NEW), (2, False, NEW)]
    return all(
        torn(kind, ev2, path, after, answer_lost=lost) == left for kind, ev2 in CARDS for after, lost, left in expected
    )


def test_a_card_pulled_away_holds_the_old_value_or_the_new(tmp_path: Path) -> None:
    assert commits_only_whole(tmp_path / "card")


def test_that_test_finds_a_card_that_needs_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_through(field: Field, number: int, file: DataFile, offset: int, data: bytes) -> None:
        file.data = file.data[:offset] + data + file.data[offset + len(data) :]
        field.staged[number] = file.data

    monkeypatch.setattr("tools.simulator.cards.data.put", write_through)
    assert not commits_only_whole(tmp_path / "card")


def test_a_standard_file_changes_at_once(tmp_path: Path) -> None:
    card = ready(Kind.DESFIRE_EV1, f1=(0xEEEE, Mode.PLAIN, False))
    card.save(tmp_path / "card")
    assert card.process(native(0x3D, at(1, 0, 4) + NEW)) == bytes.fromhex(OK)
    assert value(SimulatedCard.load(tmp_path / "card")) == NEW


@pytest.mark.parametrize("cut", range(4))
def test_a_write_in_several_frames_is_whole_or_not_there(cut: int) -> None:
    card = ready(Kind.DESFIRE_EV1, f1=(0xEEEE, Mode.PLAIN, False))
    data = bytes(range(1, 65))
    parts = [native(0x3D, at(1, 0, 64) + data[:20]), native(0xAF, data[20:40]), native(0xAF, data[40:])]
    answers = [card.process(part).hex().upper() for part in parts[:cut]]
    assert answers == ["91AF", "91AF", OK][:cut]
    assert card.memory.applications[NUMBER].files[1].data == (data if cut == 3 else bytes(64))
    if cut in {1, 2}:
        assert card.process(native(0xAF, bytes(60))) == bytes.fromhex("917E")


def test_a_card_that_left_forgets_and_may_come_back() -> None:
    terminal = written(Kind.DESFIRE_EV2, True)
    terminal.card.pull_away_after(0)
    with pytest.raises(CardGone, match="left the field"):
        terminal.card.process(native(0x60))
    terminal.card.reset()
    assert terminal.card.process(native(0xBD, at(1, 0, 4))) == bytes.fromhex("919D"), "nothing is selected"
    assert terminal.send(0x5A, AID)[1] == OK
    assert terminal.authenticate(1, ev2=True) == OK
    assert terminal.command(0xBD, at(1, 0, 4), mode=Mode.FULL) == (OLD, OK)

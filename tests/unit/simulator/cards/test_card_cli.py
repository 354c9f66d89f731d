"""`doorsim card`: cards are made, copied and shown; nothing is overwritten, no key is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.unit.simulator.cards.terminal import AID, OK, native, ready
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.cli import card
from tools.simulator.cards.memory import Key, Kind, Mode


def run(*words: str) -> Result:
    return CliRunner().invoke(card, list(words))


@pytest.mark.parametrize("kind", list(Kind))
def test_a_new_card_is_a_card(kind: Kind, tmp_path: Path) -> None:
    made = run("new", str(tmp_path / "anna.card"), "--kind", kind.value, "--json")
    assert made.exit_code == 0, made.output
    loaded = SimulatedCard.load(tmp_path / "anna.card")
    assert json.loads(made.output)["uid"] == loaded.uid.hex()
    assert loaded.kind is kind


def test_a_number_may_be_wished_for(tmp_path: Path) -> None:
    assert run("new", str(tmp_path / "a"), "--kind", "ntag424", "--uid", "04958CAA5C5E80").exit_code == 0
    assert SimulatedCard.load(tmp_path / "a").uid.hex() == "04958caa5c5e80"
    refused = run("new", str(tmp_path / "b"), "--kind", "ntag424", "--uid", "0495")
    assert refused.exit_code == 2
    assert "8 or 14 hexadecimal digits" in refused.output
    assert not (tmp_path / "b").exists()


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "anna.card"
    path.write_text("a letter")
    source = tmp_path / "source"
    SimulatedCard.new(Kind.NTAG424).save(source)
    for words in (["new", str(path), "--kind", "uid-only"], ["clone", str(source), str(path)]):
        refused = run(*words)
        assert refused.exit_code == 1
        assert refused.stderr == "doorsim: anna.card is already there; take another name\n"
        assert path.read_text() == "a letter"


def test_a_clone_is_a_card_without_the_keys(tmp_path: Path) -> None:
    victim = ready(Kind.DESFIRE_EV1, f1=(0x1111, Mode.FULL, True))
    victim.memory.applications[0xA1D0F5].keys = [Key(b"secret of flat 3")] * 5
    victim.save(tmp_path / "anna.card")
    before = (tmp_path / "anna.card").read_bytes()
    assert run("clone", str(tmp_path / "anna.card"), str(tmp_path / "thief.card")).exit_code == 0
    copy = SimulatedCard.load(tmp_path / "thief.card")
    assert copy.uid == victim.uid
    assert copy.process(native(0x5A, AID)) == bytes.fromhex(OK)
    assert b"secret of flat 3".hex().encode() not in (tmp_path / "thief.card").read_bytes()
    assert (tmp_path / "anna.card").read_bytes() == before


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_card_is_shown_without_its_keys(form: list[str], tmp_path: Path) -> None:
    shown = ready(Kind.DESFIRE_EV2, f1=(0x1230, Mode.FULL, True))
    shown.memory.applications[0xA1D0F5].keys[1] = Key(b"k" * 16, 0x42)
    shown.save(tmp_path / "anna.card")
    told = run("show", str(tmp_path / "anna.card"), *form)
    assert told.exit_code == 0
    assert "desfire-ev2" in told.output
    assert "application a1d0f5, keys of versions 00, 42, 00, 00, 00" in told.output
    assert "file 1, backup, 64 bytes, full, change 0, read_write 3, write 2, read 1" in told.output
    assert (b"k" * 16).hex() not in told.output


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_what_is_no_card_is_told_in_a_sentence(form: list[str], tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear door")
    for words in (["show", str(tmp_path / "letter")], ["clone", str(tmp_path / "letter"), str(tmp_path / "copy")]):
        refused = run(*words, *form)
        assert refused.exit_code == 1
        assert "letter is no card of this simulator" in (refused.stdout if form else refused.stderr)
        assert not (tmp_path / "copy").exists()

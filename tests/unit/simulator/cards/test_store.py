"""A card's file holds what a real card would hold, whole; anything else is no card."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.simulator.cards.terminal import AID, OK, ZERO, Terminal, native, ready
from tools.simulator.cards import store
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind, Mode
from tools.simulator.cards.status import CardFileRefused


@pytest.mark.parametrize("kind", list(Kind))
def test_a_card_is_read_as_it_was_written(kind: Kind, tmp_path: Path) -> None:
    card = SimulatedCard.new(kind)
    card.save(tmp_path / "card")
    again = SimulatedCard.load(tmp_path / "card")
    assert again.memory == card.memory
    assert stat.S_IMODE((tmp_path / "card").stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "card"]


def test_what_changes_on_the_card_is_in_its_file_before_the_answer(tmp_path: Path) -> None:
    card = ready(Kind.DESFIRE_EV2)
    card.save(tmp_path / "card")
    terminal = Terminal(card)
    terminal.authenticate(0, ev2=True)
    assert terminal.change_key(1, b"k" * 16, 3, ZERO) == OK
    again = SimulatedCard.load(tmp_path / "card")
    assert again.memory == card.memory
    again.process(native(0x5A, AID))
    assert Terminal(again).authenticate(1, b"k" * 16, ev2=True) == OK


def test_reading_a_card_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "card"
    SimulatedCard.new(Kind.NTAG424, path=path).save()
    before = path.stat().st_mtime_ns, path.stat().st_ino
    card = SimulatedCard.load(path)
    card.process(native(0x60))
    card.process(bytes.fromhex("FFCA000000"))
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_a_disk_that_takes_nothing_leaves_the_old_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "card"
    card = SimulatedCard.new(Kind.DESFIRE_EV1, path=path)
    card.save()
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("device.durable.os.fsync", full)
    with pytest.raises(CardFileRefused, match="the card card cannot be written: No space left on device"):
        card.process(native(0xCA, AID + b"\x0f\x81"))
    assert path.read_bytes() == before


def changed(**parts: Any) -> bytes:
    card = json.loads(store.encode(ready(Kind.DESFIRE_EV1, f1=(0x1111, Mode.MAC, True)).memory))
    return json.dumps(card | parts).encode()


NO_CARDS = {
    "empty": b"",
    "text": b"a card",
    "list": b"[]",
    "no UTF-8": b"\xff\xfe",
    "another format": changed(card=2),
    "another chip": changed(kind="desfire-ev9"),
    "a short number": changed(uid="0102"),
    "no hexadecimal": changed(uid="zz112233"),
    "more than there is": changed(pin="1234"),
    "settings beyond a byte": changed(settings=256),
    "settings that are true": changed(settings=True),
    "no applications": changed(applications=None),
    "an application without keys": changed(applications=[{"number": 1, "settings": 1, "keys": [], "files": []}]),
    "application 0": changed(
        applications=[{"number": 0, "settings": 1, "keys": [{"value": "00" * 16, "version": 0}], "files": []}]
    ),
    "a short key": changed(
        applications=[{"number": 1, "settings": 1, "keys": [{"value": "00" * 15, "version": 0}], "files": []}]
    ),
    "an NTAG without its files": changed(kind="ntag424"),
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("text", NO_CARDS.values(), ids=NO_CARDS)
def test_what_is_no_card_is_refused_in_a_sentence_and_left_alone(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "anna.card"
    path.write_bytes(text)
    with pytest.raises(CardFileRefused) as refusal:
        SimulatedCard.load(path)
    assert str(refusal.value) == "anna.card is no card of this simulator"
    assert path.read_bytes() == text


def test_a_card_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CardFileRefused, match=r"the card anna\.card cannot be read: No such file or directory"):
        SimulatedCard.load(tmp_path / "anna.card")
    with pytest.raises(CardFileRefused, match="cannot be read: Is a directory"):
        SimulatedCard.load(tmp_path)


WHOLE = store.encode(ready(Kind.DESFIRE_EV1, f1=(0x1111, Mode.MAC, True)).memory)


@given(st.integers(0, len(WHOLE) - 2))
def test_no_torn_file_is_taken_for_a_card(length: int) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        store.decode(WHOLE[:length])


@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=3))
def test_a_damaged_file_is_refused_or_is_a_card_that_is_written_alike(at: int, damage: bytes) -> None:
    try:
        memory = store.decode(WHOLE[:at] + damage + WHOLE[at + len(damage) :])
    except (ValueError, KeyError, TypeError):
        return
    assert store.decode(store.encode(memory)) == memory

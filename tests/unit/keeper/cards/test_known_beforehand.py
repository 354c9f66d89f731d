"""What a card says last is known before it says it: nobody at the door waits while a MAC is worked out."""

from __future__ import annotations

import pytest

from device.keeper.cards import ev2
from device.keeper.cards.aes import cmac
from device.keeper.cards.session import Mode
from device.keeper.cards.steps import OK, Answer, CardRefused

ENC, MAC, TI = bytes(range(16)), bytes(range(16, 32)), b"tran"
WRITE, READ = 0x8D, 0xAD


def said(counter: int, data: bytes = b"") -> Answer:
    """What a card with these keys answers to the command that was its `counter`-th."""
    return Answer(data + cmac(MAC, b"\0" + counter.to_bytes(2, "little") + TI + data)[1::2], OK)


def too_late(*_: object) -> bytes:
    raise AssertionError("worked out while somebody waited")


def test_the_answer_to_a_write_is_compared_and_nothing_is_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    session = ev2.Ev2Session(ENC, MAC, TI)
    session.command(WRITE, b"\3", bytes(16), Mode.FULL)
    monkeypatch.setattr(ev2, "cmac", too_late)
    assert session.answer(said(1), 0, Mode.FULL) == b""


def test_what_was_known_of_one_answer_serves_for_no_other() -> None:
    for wrong in (said(2), said(0), Answer(bytes(8), OK)):
        session = ev2.Ev2Session(ENC, MAC, TI)
        session.command(WRITE, b"\3", bytes(16), Mode.FULL)
        with pytest.raises(CardRefused):
            session.answer(wrong, 0, Mode.FULL)


def test_an_answer_is_taken_once_and_the_next_has_a_mac_of_its_own() -> None:
    session = ev2.Ev2Session(ENC, MAC, TI)
    session.command(WRITE, b"\3", bytes(16), Mode.FULL)
    session.answer(said(1), 0, Mode.FULL)
    for asked in (bytes(16), b""):  # a write, and a command without data
        session.command(WRITE, b"\3", asked, Mode.FULL)
        with pytest.raises(CardRefused):
            session.answer(said(1), 0, Mode.FULL)


def test_data_that_nobody_asked_for_is_covered_by_its_own_mac() -> None:
    session = ev2.Ev2Session(ENC, MAC, TI)
    session.command(WRITE, b"\3", bytes(16), Mode.MAC)
    told = b"seven.."
    assert session.answer(said(1, told), len(told), Mode.MAC) == told
    session = ev2.Ev2Session(ENC, MAC, TI)
    session.command(WRITE, b"\3", bytes(16), Mode.MAC)
    with pytest.raises(CardRefused):
        session.answer(Answer(told + said(1).data, OK), len(told), Mode.MAC)

"""Nobody reads, writes, creates or changes what the rights do not let them."""

from __future__ import annotations

import pytest

from tests.unit.simulator.cards.terminal import AID, NTAG_NAME, OK, ZERO, Terminal, ask, at, h, native, ready
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind, Mode, Right

KEY = bytes(range(16))


def allowed(rights: int, which: tuple[Right, ...], key_no: int | None) -> bool:
    """The rule as the data sheet has it, for the test's own use."""
    keys = {rights >> each & 0xF for each in which}
    return 0xE in keys or (key_no is not None and key_no in keys)


def holes(kind: Kind, ev2: bool) -> int:
    """How many forbidden reads and writes are obeyed, and allowed ones refused, over rights and keys."""
    found = 0
    for rights in (0x1230, 0x1FF0, 0xF2F0, 0xFF30, 0xFFFF, 0xE1F0, 0x1EF0, 0xFFE0):
        for key_no in (None, 0, 1, 2, 3):
            for ins, which in ((0xBD, (Right.READ, Right.READ_WRITE)), (0x3D, (Right.WRITE, Right.READ_WRITE))):
                terminal = Terminal(ready(kind, f1=(rights, Mode.FULL, False)))
                mode = Mode.PLAIN
                if key_no is not None:
                    terminal.authenticate(key_no, ev2=ev2)
                    mode = Mode.FULL if key_no in {rights >> each & 0xF for each in which} else Mode.PLAIN
                data = b"door" if ins == 0x3D else b""
                if key_no is None:
                    status = terminal.send(ins, at(1, 0, 4) + data)[1]
                else:
                    status = terminal.command(ins, at(1, 0, 4), data, mode)[1]
                found += (status == OK) is not allowed(rights, which, key_no)
    return found


@pytest.mark.parametrize(("kind", "ev2"), [(Kind.DESFIRE_EV1, False), (Kind.DESFIRE_EV2, True)])
def test_every_access_right_is_kept(kind: Kind, ev2: bool) -> None:
    assert holes(kind, ev2) == 0


def test_that_test_finds_a_card_that_keeps_no_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.simulator.cards.data.access", lambda *_: Mode.PLAIN)
    assert holes(Kind.DESFIRE_EV2, ev2=True) > 0


def test_what_no_key_may_is_denied_and_what_another_may_asks_for_it() -> None:
    card = ready(Kind.DESFIRE_EV1, f1=(0xFFF0, Mode.FULL, False), f2=(0x1FF0, Mode.FULL, False))
    assert card.process(native(0xBD, at(1, 0, 4))) == h("919D")
    assert card.process(native(0xBD, at(2, 0, 4))) == h("91AE")


def test_free_access_is_in_plain_even_within_a_session() -> None:
    terminal = Terminal(ready(Kind.DESFIRE_EV2, f1=(0xE1F0, Mode.FULL, False)))
    assert terminal.send(0xBD, at(1, 0, 4)) == (bytes(4), OK)
    terminal.authenticate(2, ev2=True)
    assert terminal.command(0xBD, at(1, 0, 4), mode=Mode.PLAIN) == (bytes(4), OK)


@pytest.mark.parametrize(
    ("ins", "parameters", "status"),
    [
        (0xBD, at(7, 0, 4), "91F0"),
        (0xF5, b"\x07", "91F0"),
        (0xBD, at(1, 60, 5), "91BE"),
        (0xBD, at(1, 64, 0), "91BE"),
        (0x3D, at(1, 63, 2) + b"ab", "91BE"),
        (0x3D, at(1, 0, 0), "919E"),
        (0x64, b"\x05", "9140"),
        (0xAA, b"\x05", "9140"),
        (0xCD, h("01000000400000"), "91DE"),
        (0xCD, h("20000000400000"), "919E"),
        (0xCD, h("02000000000000"), "919E"),
        (0xCD, h("02040000400000"), "919E"),
        (0xCD, h("02000600400000"), "9140"),
        (0xCD, h("02000000FFFF00"), "910E"),
        (0xC7, b"", "910C"),
        (0xA7, b"", "910C"),
        (0xC4, b"\x00" + bytes(32), "91AE"),
        (0x51, b"", "91AE"),
        (0xCA, AID + b"\x0f\x85", "919D"),
        (0x6A, b"", "919D"),
        (0x5A, h("010203"), "91A0"),
        (0x00, b"", "911C"),
    ],
)
def test_every_refusal_has_its_own_word(ins: int, parameters: bytes, status: str) -> None:
    card = ready(Kind.DESFIRE_EV1, f1=(0xEEEE, Mode.PLAIN, False))
    before = card._kept
    assert card.process(native(ins, parameters)) == h(status)
    assert card._kept == before


def test_an_application_is_made_once_and_by_the_rules() -> None:
    card = SimulatedCard.new(Kind.DESFIRE_EV1)
    assert card.process(native(0xCA, AID + b"\x0f\x05")) == h("919E"), "DES keys are not simulated"
    assert card.process(native(0xCA, AID + b"\x0f\x80")) == h("919E")
    assert card.process(native(0xCA, bytes(3) + b"\x0f\x81")) == h("919E")
    assert card.process(native(0xCA, AID + b"\x0f\x81")) == h("9100")
    assert card.process(native(0xCA, AID + b"\x0f\x81")) == h("91DE")
    assert card.process(native(0x6A)) == AID + h("9100")
    assert card.process(native(0xC4, b"\x00" + bytes(32))) == h("919D"), "not at the level of the card"
    assert card.process(native(0x6E)) == (4096 - 32).to_bytes(3, "little") + h("9100")
    for number in range(1, 28):
        assert card.process(native(0xCA, bytes([number, 1, 1]) + b"\x0f\x81")) == h("9100")
    assert card.process(native(0xCA, b"\x00\x01\x01\x0f\x81")) == h("91CE")
    assert len(Terminal(card).send(0x6A)[0]) == 28 * 3


def test_a_card_that_lets_nobody_create_or_list() -> None:
    card = SimulatedCard.new(Kind.DESFIRE_EV1)
    card.memory.settings = 0x09
    assert card.process(native(0xCA, AID + b"\x0f\x81")) == h("91AE")
    assert card.process(native(0x6A)) == h("91AE")


def test_an_application_that_keeps_creating_and_listing_to_its_master_key() -> None:
    card = SimulatedCard.new(Kind.DESFIRE_EV2)
    for ins, parameters in ((0xCA, AID + b"\x09\x82"), (0x5A, AID)):
        assert card.process(native(ins, parameters)) == h("9100")
    assert card.process(native(0xCD, h("01000000400000"))) == h("91AE")
    terminal = Terminal(card)
    terminal.authenticate(1, ev2=True)
    assert terminal.command(0xCD, h("01000000400000"))[1] == "91AE"
    terminal.authenticate(0, ev2=True)
    assert terminal.command(0xCD, h("01000000400000"))[1] == OK
    assert terminal.command(0xF5, b"\x01")[1] == OK
    assert Terminal(card).send(0x5A, AID)[1] == OK
    assert Terminal(card).send(0xF5, b"\x01")[1] == "91AE"


@pytest.mark.parametrize(
    ("settings", "proven", "changed", "status"),
    [
        (0x0F, 0, 0, OK),
        (0x0F, 0, 2, OK),
        (0x0F, 1, 2, "91AE"),
        (0x0F, 2, 2, "91AE"),
        (0x0E, 0, 0, "919D"),
        (0x1F, 1, 2, OK),
        (0x1F, 0, 2, "91AE"),
        (0x1F, 0, 1, OK),
        (0x1F, 1, 1, "91AE"),
        (0xEF, 2, 2, OK),
        (0xEF, 0, 2, "91AE"),
        (0xFF, 0, 2, "919D"),
        (0xFF, 0, 0, OK),
        (0x0F, 0, 4, "9140"),
    ],
)
def test_the_key_settings_say_who_changes_keys(settings: int, proven: int, changed: int, status: str) -> None:
    for kind, ev2 in ((Kind.DESFIRE_EV1, False), (Kind.DESFIRE_EV2, True)):
        card = SimulatedCard.new(kind)
        card.process(native(0xCA, AID + bytes([settings, 0x84])))
        card.process(native(0x5A, AID))
        terminal = Terminal(card)
        assert terminal.authenticate(proven, ev2=ev2) == OK
        assert terminal.change_key(changed, KEY, 1, None if proven == changed else ZERO) == status
        changed_keys = [
            number for number, key in enumerate(card.memory.applications[0xA1D0F5].keys) if key.value != ZERO
        ]
        assert changed_keys == ([changed] if status == OK else [])


@pytest.mark.parametrize(
    ("right", "key_no", "mode", "status"),
    [(1, 1, Mode.FULL, OK), (1, 0, Mode.FULL, "91AE"), (0xF, 0, Mode.FULL, "919D"), (0xE, 0, Mode.PLAIN, OK)],
)
def test_settings_of_a_file_are_changed_by_who_may(right: int, key_no: int, mode: Mode, status: str) -> None:
    for kind, ev2 in ((Kind.DESFIRE_EV1, False), (Kind.DESFIRE_EV2, True)):
        terminal = Terminal(ready(kind, f1=(0xEEE0 | right, Mode.PLAIN, False)))
        terminal.authenticate(key_no, ev2=ev2)
        assert terminal.command(0x5F, b"\x01", h("032213"), mode)[1] == status
        file = terminal.card.memory.applications[0xA1D0F5].files[1]
        assert (file.mode, file.rights) == ((Mode.FULL, 0x1322) if status == OK else (Mode.PLAIN, 0xEEE0 | right))


def test_an_ntag_as_delivered() -> None:
    card = SimulatedCard.new(Kind.NTAG424)
    assert card.process(native(0x71, b"\x00\x00")) == h("919D"), "its application is not selected yet"
    assert card.process(native(0xAD, at(3, 0, 0))) == h("919D")
    assert ask(card, "00A4040007D276000085010000") == "9000"
    assert card.process(native(0xF5, b"\x03")) == h("919D")
    assert ask(card, NTAG_NAME) == "9000"
    assert card.process(native(0xF5, b"\x03")) == h("000330238000009100")
    assert card.process(native(0xF5, b"\x02")) == h("0000E0EE0001009100")
    assert card.process(native(0xAD, at(1, 0, 23))) == h("001720010000FF0406E104010000000506E105008082839100")
    assert card.process(native(0xAD, at(3, 0, 0))) == h("91AE")
    terminal = Terminal(card)
    for key_no in range(5):
        assert terminal.authenticate(key_no, ev2=True) == OK
    assert terminal.authenticate(5, ev2=True) == "9140"
    assert terminal.authenticate(2, ev2=True) == OK
    assert terminal.command(0xAD, at(3, 0, 2), mode=Mode.FULL) == (h("007E"), OK)
    assert terminal.command(0x8D, at(3, 0, 2), b"ab", Mode.FULL)[1] == "91AE", "key 2 reads, key 3 writes"


def test_file_settings_with_mirroring_are_refused_not_misread() -> None:
    terminal = Terminal(ready(Kind.NTAG424))
    terminal.authenticate(0, ev2=True)
    assert terminal.command(0x5F, b"\x02", h("40E0EE"), Mode.FULL)[1] == "919E"

"""Secure messaging between the card and a second reading of it: what fits is obeyed, what was touched is not."""

from __future__ import annotations

import pytest

from tests.unit.simulator.cards.terminal import MORE, NTAG_NAME, OK, ZERO, Terminal, ask, at, h, native, ready
from tools.simulator.cards.ev1 import Ev1Session
from tools.simulator.cards.ev2 import Ev2Session
from tools.simulator.cards.memory import Kind, Mode

SESSIONS = [
    pytest.param(Kind.DESFIRE_EV1, False, id="ev1"),
    pytest.param(Kind.DESFIRE_EV2, False, id="ev2-as-ev1"),
    pytest.param(Kind.DESFIRE_EV2, True, id="ev2"),
]
NEW = bytes(range(100, 116))


def writer(kind: Kind, ev2: bool) -> tuple[int, int]:
    return (0x8D, 0xAD) if ev2 and kind is Kind.NTAG424 else (0x3D, 0xBD)


def inside(kind: Kind, ev2: bool, mode: Mode, *, backup: bool = False, rights: int = 0x1111) -> Terminal:
    """A session of key 1 on a card with a file 1 that key 1 may do everything with."""
    terminal = Terminal(ready(kind, f1=(rights, mode, backup)))
    assert terminal.authenticate(1, ev2=ev2) == OK
    return terminal


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(("kind", "ev2"), SESSIONS)
@pytest.mark.parametrize(("start", "length"), [(0, 1), (3, 15), (0, 16), (0, 28), (5, 44), (0, 64)])
def test_what_was_written_is_read(kind: Kind, ev2: bool, mode: Mode, start: int, length: int) -> None:
    terminal, data = inside(kind, ev2, mode), bytes(range(1, length + 1))
    assert terminal.command(0x3D, at(1, start, length), data, mode) == (b"", OK)
    assert terminal.command(0xBD, at(1, start, length), mode=mode) == (data, OK)
    whole = bytes(start) + data + bytes(64 - start - length)
    assert terminal.command(0xBD, at(1, start, 0), mode=mode) == (whole[start:], OK)
    assert terminal.card.memory.applications[0xA1D0F5].files[1].data == whole


@pytest.mark.parametrize(("kind", "ev2"), [*SESSIONS, pytest.param(Kind.NTAG424, True, id="ntag")])
def test_a_session_of_everything_a_door_does(kind: Kind, ev2: bool) -> None:
    card = ready(kind, f3=(0x2330, Mode.FULL, False))
    terminal = Terminal(card)
    assert terminal.authenticate(0, ev2=ev2) == OK
    assert terminal.command(0x51, b"", mode=Mode.FULL) == (card.uid, OK)
    assert terminal.command(0x64, b"\x02") == (b"\x00", OK)
    told, status = terminal.command(0x60, b"")
    assert (told[14:21], len(told), status) == (card.uid, 28, OK)
    size = 128 if kind is Kind.NTAG424 else 64
    assert terminal.command(0xF5, b"\x03") == (h("00033023") + size.to_bytes(3, "little"), OK)
    assert terminal.change_key(3, NEW, 7, ZERO) == OK
    if ev2:
        terminal.counter += 1  # the helper reads no answer to a ChangeKey
    else:
        terminal._ev1_mac(b"\x00")
    assert terminal.command(0x64, b"\x03") == (b"\x07", OK)
    assert terminal.command(0x5F, b"\x03", h("033333"), Mode.FULL) == (b"", OK)
    assert terminal.change_key(0, NEW, 8, None) == OK
    assert terminal.command(0x51, b"", mode=Mode.FULL) == (b"", "91AE"), "the session ended with its key"
    assert terminal.authenticate(0, ev2=ev2) == "91AE", "the old key is no key any more"
    assert terminal.authenticate(3, NEW, ev2=ev2) == OK
    write, read = writer(kind, ev2)
    assert terminal.command(write, at(3, 0, 4), b"door", Mode.FULL) == (b"", OK)
    assert terminal.command(read, at(3, 0, 4), mode=Mode.FULL) == (b"door", OK)


def refuses_every_touched_write(kind: Kind, ev2: bool, mode: Mode) -> bool:
    """Whether a write of which one bit was turned is refused, changes nothing and ends the session."""
    length = len(native(0x3D, at(1, 0, 20) + bytes(20))) + (8 if mode is Mode.MAC else 20 if ev2 else 12)
    for place in range(5 + 7, length - 1):
        terminal = inside(kind, ev2, mode)

        def touch(apdu: bytes, place: int = place) -> bytes:
            return apdu[:place] + bytes([apdu[place] ^ 0x10]) + apdu[place + 1 :]

        terminal.touch = touch
        protect = terminal._ev2 if ev2 else terminal._ev1
        status = terminal.send(0x3D, at(1, 0, 20) + protect(0x3D, at(1, 0, 20), b"x" * 20, mode))[1]
        unchanged = terminal.card.memory.applications[0xA1D0F5].files[1].data == bytes(64)
        over = terminal.card.process(native(0x51)) == h("91AE")
        if status != "911E" or not unchanged or not over:
            return False
    return True


@pytest.mark.parametrize("mode", [Mode.MAC, Mode.FULL])
@pytest.mark.parametrize(("kind", "ev2"), SESSIONS)
def test_a_write_touched_on_its_way_is_refused(kind: Kind, ev2: bool, mode: Mode) -> None:
    assert refuses_every_touched_write(kind, ev2, mode)


@pytest.mark.parametrize("mode", [Mode.MAC, Mode.FULL])
@pytest.mark.parametrize(("kind", "ev2"), SESSIONS)
def test_that_test_finds_a_card_that_checks_no_mac(
    kind: Kind, ev2: bool, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    for session in (Ev1Session, Ev2Session):
        monkeypatch.setattr(session, "verify", lambda *_: None)
    assert not refuses_every_touched_write(kind, ev2, mode)


def test_a_command_heard_once_is_worth_nothing_a_second_time() -> None:
    for kind, ev2 in ((Kind.DESFIRE_EV1, False), (Kind.DESFIRE_EV2, True)):
        terminal, heard = inside(kind, ev2, Mode.FULL), list[bytes]()

        def record(apdu: bytes, heard: list[bytes] = heard) -> bytes:
            heard.append(apdu)
            return apdu

        terminal.touch = record
        assert terminal.command(0x3D, at(1, 0, 4), b"door", Mode.FULL)[1] == OK
        assert terminal.card.process(heard[-1]) == h("911E")


@pytest.mark.parametrize(("kind", "ev2"), SESSIONS)
def test_a_command_left_out_or_slipped_in_breaks_the_chain(kind: Kind, ev2: bool) -> None:
    terminal = inside(kind, ev2, Mode.MAC)
    terminal.card.process(native(0x64, b"\x00" + (b"" if not ev2 else terminal._ev2_mac(0x64, b"\x00"))))
    assert terminal.command(0x3D, at(1, 0, 4), b"door", Mode.MAC)[1] == "911E"


@pytest.mark.parametrize(("kind", "ev2"), [*SESSIONS, pytest.param(Kind.NTAG424, True, id="ntag")])
def test_a_wrong_old_key_changes_no_key(kind: Kind, ev2: bool) -> None:
    terminal = Terminal(ready(kind))
    terminal.authenticate(0, ev2=ev2)
    assert terminal.change_key(2, NEW, 1, bytes([1]) * 16) == "911E"
    assert terminal.card.process(native(0x51)) == h("91AE")


@pytest.mark.parametrize(("kind", "ev2"), SESSIONS)
def test_lengths_that_do_not_fit_are_refused(kind: Kind, ev2: bool) -> None:
    for ins, parameters in [
        (0x5A, b"\x01\x02"),
        (0x71 if ev2 else 0xAA, b""),
        (0x64, b""),
        (0xF5, b"\x01\x02\x03"),
        (0xBD, at(1, 0, 4) + b"\x00"),
        (0x3D, at(1, 0, 4) + bytes(60)),
    ]:
        assert inside(kind, ev2, Mode.FULL).send(ins, parameters)[1] == "917E", hex(ins)
    terminal = Terminal(ready(kind))
    terminal.authenticate(0, ev2=ev2)
    assert terminal.send(0xC4, b"\x01" + bytes(31))[1] == "917E"


def test_an_open_chain_is_gone_on_with_or_given_up() -> None:
    card = ready(Kind.DESFIRE_EV2)
    for start in ("9060000000", "90AA0000010000", "9071000002000000"):
        assert ask(card, start).endswith(MORE)
        assert ask(card, "9064000001" + "0000") == "91CA"
        assert ask(card, "90AF000000") == "911C", "and is then over"
    ntag = ready(Kind.NTAG424)
    assert ask(ntag, "9060000000").endswith(MORE)
    assert ask(ntag, NTAG_NAME) == "6985"
    assert ask(ntag, NTAG_NAME) == "9000"


def test_an_ev2_session_ends_before_its_counter_begins_again() -> None:
    terminal = inside(Kind.DESFIRE_EV2, True, Mode.PLAIN)
    session = terminal.card._field.session
    assert isinstance(session, Ev2Session)
    session.counter = terminal.counter = 0xFFFE
    assert terminal.command(0x64, b"\x00")[1] == OK
    assert terminal.command(0x64, b"\x00")[1] == "91AE"


def test_a_new_authentication_needs_its_own_proof() -> None:
    """A session ends when the next authentication begins, whatever becomes of that one."""
    terminal = inside(Kind.DESFIRE_EV2, True, Mode.FULL)
    terminal.send(0x71, b"\x01\x00")
    assert ask(terminal.card, "90AF000020" + "00" * 32 + "00") == "91AE"
    assert terminal.command(0xBD, at(1, 0, 4), mode=Mode.FULL)[1] == "91AE"


@pytest.mark.parametrize("chip", [Kind.DESFIRE_EV1, Kind.NTAG424])
def test_a_chip_knows_its_own_commands_only(chip: Kind) -> None:
    foreign: dict[Kind, list[int]] = {
        Kind.DESFIRE_EV1: [0x71, 0x77, 0x8D, 0xAD, 0x00, 0xFF],
        Kind.NTAG424: [0x5A, 0xAA, 0xCA, 0xCD, 0xC7, 0x6A, 0x3D, 0xBD, 0x6E],
    }
    card = ready(chip)
    assert {card.process(native(ins)) for ins in foreign[chip]} == {h("911C")}

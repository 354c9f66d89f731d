"""The words on the simulated cable: exactly the known ones mean something, in both directions."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.lock.board_sim import MAX_WORDS, SimBoard, SimBolt, _event
from device.lock.bolt import Wiring
from device.lock.state import (
    CardCame,
    CardLeft,
    CardReplied,
    DoorMoved,
    ExitRequested,
    FaceButton,
    Key,
    Signal,
    TamperMoved,
)
from device.wire import MAX_APDU, Hint
from tools.simulator.world import World

KNOWN = {
    "face": FaceButton(),
    "rex": ExitRequested(),
    "door open": DoorMoved(open=True),
    "door closed": DoorMoved(open=False),
    "tamper on": TamperMoved(on=True),
    "tamper off": TamperMoved(on=False),
    "card here": CardCame(),
    "card gone": CardLeft(),
    "card 9100": CardReplied(b"\x91\x00"),
}


@pytest.mark.parametrize(("words", "event"), KNOWN.items())
def test_a_known_word_is_its_event(words: str, event: object) -> None:
    assert _event(words) == [event]


@pytest.mark.parametrize("key", "0123456789*#")
def test_a_key_is_one_key(key: str) -> None:
    assert _event(f"key {key}") == [Key(key)]


@given(st.text(max_size=MAX_WORDS))
def test_whatever_else_comes_is_nothing(words: str) -> None:
    if words not in KNOWN and not words.startswith(("key ", "card ")):
        assert _event(words) == []


@given(st.text(max_size=2 * MAX_APDU + 8))
def test_a_card_that_answers_nonsense_has_left(digits: str) -> None:
    (event,) = _event(f"card {digits}")
    if isinstance(event, CardReplied):
        assert 2 <= len(event.apdu) <= MAX_APDU
    else:
        assert event in (CardCame(), CardLeft())


@pytest.mark.parametrize("digits", ["", "91", "9", "zz00", "00" * (MAX_APDU + 1)])
def test_what_is_too_short_too_long_or_no_digits_is_no_answer_of_a_card(digits: str) -> None:
    assert _event(f"card {digits}") == [CardLeft()]


@pytest.mark.parametrize(
    "words", ["", "FACE", " face", "face ", "key", "key ", "key 12", "door", "coil 1 4000", "lamp 1"]
)
def test_near_misses_are_nothing(words: str) -> None:
    assert _event(words) == []


def test_what_was_typed_is_not_in_a_repr() -> None:
    assert "7" not in repr(_event("key 7"))


@pytest.mark.parametrize("wiring", Wiring)
def test_what_the_bolt_says_is_what_the_board_understands(wiring: Wiring) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    world = World(wiring)
    with ours, theirs:
        bolt = SimBolt(ours, wiring)
        said = []
        for act, released in ((bolt.secure, False), (lambda: bolt.release(4000), True), (bolt.close, False)):
            act()
            theirs.setblocking(False)
            try:
                while True:
                    said.append(theirs.recv(MAX_WORDS).decode())
                    world.told(said[-1], 0)
            except BlockingIOError:
                pass
            assert world.released is released
        assert all(len(words) < MAX_WORDS for words in said)


def test_every_signal_and_hint_reaches_the_simulated_board_as_its_own_word(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(tmp_path / "cable"))
    listener.listen()
    far_end: list[socket.socket] = []

    def owner_comes() -> None:
        end, _ = listener.accept()
        end.send(b"yours")
        far_end.append(end)

    with listener, ThreadPoolExecutor() as pool:
        came = pool.submit(owner_comes)
        board = SimBoard(tmp_path / "cable", Wiring.FAIL_SECURE)
        came.result()
    world = World()
    (end,) = far_end
    with end:
        wanted: list[str] = []
        for signal, hint in [(signal, None) for signal in Signal] + [(Signal.LOOK, hint) for hint in Hint]:
            board.show(signal, hint)
            wanted.append(f"{signal.name} {hint.name}" if hint else signal.name)
        board.close()
        while words := end.recv(1024).decode():
            assert len(words) < MAX_WORDS
            world.told(words, 0)
    assert list(world.signals) == wanted
    assert len(set(wanted)) == len(wanted)
    assert {"CLAIM_FIRST", "LOOK UNCOVER_YOUR_FACE", "LOOK LOOKS_LIKE_ANOTHER"} <= set(wanted)

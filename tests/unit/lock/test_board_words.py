"""The words on the simulated cable: exactly the known ones mean something, in both directions."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.lock.board_sim import MAX_WORDS, SimBolt, _event
from device.lock.bolt import Wiring
from device.lock.state import DoorMoved, ExitRequested, FaceButton, Key, TamperMoved
from tools.simulator.world import World

KNOWN = {
    "face": FaceButton(),
    "rex": ExitRequested(),
    "door open": DoorMoved(open=True),
    "door closed": DoorMoved(open=False),
    "tamper on": TamperMoved(on=True),
    "tamper off": TamperMoved(on=False),
}


@pytest.mark.parametrize(("words", "event"), KNOWN.items())
def test_a_known_word_is_its_event(words: str, event: object) -> None:
    assert _event(words) == [event]


@pytest.mark.parametrize("key", "0123456789*#")
def test_a_key_is_one_key(key: str) -> None:
    assert _event(f"key {key}") == [Key(key)]


@given(st.text(max_size=MAX_WORDS))
def test_whatever_else_comes_is_nothing(words: str) -> None:
    if words not in KNOWN and not words.startswith("key "):
        assert _event(words) == []


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

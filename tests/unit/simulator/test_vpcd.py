"""The card's side of the virtual reader: controls, APDUs, and what happens when one of the two goes."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind
from tools.simulator.cards.status import CardFileRefused
from tools.simulator.vpcd import ReaderFault, VirtualReader, serve

GET_UID = bytes.fromhex("FFCA000000")
CREATE = bytes.fromhex("90CA000005F5D0A10F8100")


class Driver:
    """vpcd's side."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def say(self, message: bytes) -> None:
        self.connection.sendall(struct.pack(">H", len(message)) + message)

    def hear(self) -> bytes | None:
        length = self.connection.recv(2, socket.MSG_WAITALL)
        if len(length) < 2:
            return None
        return self.connection.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)

    def ask(self, message: bytes) -> bytes | None:
        self.say(message)
        return self.hear()


@pytest.fixture
def card() -> SimulatedCard:
    return SimulatedCard.new(Kind.DESFIRE_EV2)


@pytest.fixture
def driver(card: SimulatedCard) -> Iterator[Driver]:
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    thread = Thread(target=serve, args=(theirs, card))
    thread.start()
    yield Driver(ours)
    ours.close()
    thread.join(5)
    assert not thread.is_alive()


def test_the_atr_and_apdus_are_answered_and_power_is_not(driver: Driver, card: SimulatedCard) -> None:
    driver.say(b"\x01")
    assert driver.ask(b"\x04") == card.atr
    assert driver.ask(GET_UID) == card.uid + b"\x90\x00"
    driver.say(b"\x00")
    driver.say(b"\x01")
    assert driver.ask(b"\x04") == card.atr


@pytest.mark.parametrize("control", [b"\x00", b"\x01", b"\x02"])
def test_power_and_reset_end_what_was_begun(driver: Driver, control: bytes) -> None:
    assert driver.ask(CREATE) == b"\x91\x00"
    assert driver.ask(bytes.fromhex("905A000003F5D0A100")) == b"\x91\x00"
    assert driver.ask(bytes.fromhex("90AA0000010000"))
    driver.say(control)
    answer = driver.ask(bytes.fromhex("90AA0000010000"))
    assert answer == b"\x91\xae", "at the level of the card again, where no AES key is"


def test_a_message_in_pieces_is_one(driver: Driver, card: SimulatedCard) -> None:
    for byte in struct.pack(">H", len(GET_UID)) + GET_UID:
        driver.connection.sendall(bytes([byte]))
    assert driver.hear() == card.uid + b"\x90\x00"


def test_an_empty_message_is_an_apdu_that_is_none(driver: Driver) -> None:
    assert driver.ask(b"") == b"\x67\x00"


def test_a_card_pulled_away_is_a_closed_connection(driver: Driver, card: SimulatedCard) -> None:
    card.pull_away_after(1)
    assert driver.ask(GET_UID) == card.uid + b"\x90\x00"
    assert driver.ask(GET_UID) is None


@pytest.mark.parametrize("said", [b"", b"\x00", b"\x00\x05\xff\xca"])
def test_a_reader_that_goes_within_a_message_is_the_end(driver: Driver, said: bytes) -> None:
    driver.connection.sendall(said)  # the fixture closes, and asserts that the card's side ends


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as made:
        made.settimeout(5)
        yield made


def test_a_card_is_held_to_the_reader_taken_away_and_held_again(listener: socket.socket, card: SimulatedCard) -> None:
    reader = VirtualReader(card, listener.getsockname()[1])
    for _ in range(2):
        with reader:
            connection, _address = listener.accept()
            with connection:
                assert Driver(connection).ask(GET_UID) == card.uid + b"\x90\x00"
                assert reader.inserted
                reader.remove()
                assert not reader.inserted
                assert Driver(connection).hear() is None
    reader.remove()


def test_serving_ends_with_the_reader(listener: socket.socket, card: SimulatedCard) -> None:
    thread = Thread(target=VirtualReader(card, listener.getsockname()[1]).serve_forever)
    thread.start()
    connection, _address = listener.accept()
    connection.close()
    thread.join(5)
    assert not thread.is_alive()


def test_no_reader_is_told_in_a_sentence(card: SimulatedCard) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as made:
        port = made.getsockname()[1]
    with pytest.raises(ReaderFault, match=f"no virtual card reader listens on port {port}"):
        VirtualReader(card, port).insert()


def test_a_card_whose_file_cannot_be_written_goes_and_says_why(listener: socket.socket, tmp_path: Path) -> None:
    card = SimulatedCard.new(Kind.DESFIRE_EV1, path=tmp_path / "gone" / "card")
    reader = VirtualReader(card, listener.getsockname()[1])
    reader.insert()
    connection, _address = listener.accept()
    with connection:
        assert Driver(connection).ask(CREATE) is None
        with pytest.raises(CardFileRefused, match="the card card cannot be written"):
            reader.remove()

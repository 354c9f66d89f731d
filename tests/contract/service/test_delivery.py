"""What passes between two rooms, and what ends the connection instead."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from device import wire
from device.edges import Room
from device.errors import MessageRefused, NotPermitted
from device.link import Link
from device.paths import Paths
from tests.contract.service.frame import Frame, ended, open_files

NONCE = bytes(range(16))
ASK = wire.HasCredential(12)
CHECK = wire.CheckPin(NONCE, 12, "482913", wire.NO_DAY)


@pytest.fixture
def keeper(paths: Paths) -> Iterator[Frame]:
    frame = Frame(Room.KEEPER, paths)
    yield frame
    frame.close()


def test_a_permitted_message_is_delivered(keeper: Frame) -> None:
    lock = keeper.call(Room.LOCK)
    lock.send(wire.pack(CHECK))
    keeper.turn()
    assert keeper.work.seen == [("connected", Room.LOCK), ("received", CHECK)]
    assert not ended(lock)


def test_an_answer_goes_back_on_the_same_connection(keeper: Frame) -> None:
    verdict = wire.Verdict(NONCE, 1, wire.Outcome.REFUSED, 0)
    keeper.work.on_message = lambda link, _msg: None if link.send(verdict) else pytest.fail("not sent")
    lock, vault = keeper.call(Room.LOCK), keeper.call(Room.VAULT)
    lock.send(wire.pack(CHECK))
    keeper.turn()
    assert wire.unpack(lock.recv(wire.MAX_DATAGRAM)) == verdict
    with pytest.raises(BlockingIOError):
        vault.recv(1)


BREACHES = {
    "another room's message": wire.pack(ASK),
    "a message of the other direction": wire.pack(wire.Verdict(NONCE, 1, wire.Outcome.ACCEPTED, 12)),
    "a message of another edge": wire.pack(wire.Occurrence(wire.OccurrenceKind.STARTED)),
    "too short": wire.pack(CHECK)[:-1],
    "too long": wire.pack(CHECK) + b"\0",
    "longer than any message": wire.pack(CHECK) + bytes(20_000),
    "another version": bytes((wire.WIRE_VERSION - 1,)) + wire.pack(CHECK)[1:],
    "an unknown type": bytes((wire.WIRE_VERSION, 0xFF)) + wire.pack(CHECK)[2:],
    "no digits": wire.pack(CHECK)[:-16] + b"48 2913".ljust(16, b"\0"),
    "one byte": bytes((wire.WIRE_VERSION,)),
}


@pytest.mark.parametrize("datagram", BREACHES.values(), ids=BREACHES)
def test_what_the_table_does_not_hold_ends_that_connection_and_is_an_alarm_once(
    keeper: Frame, datagram: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    lock, vault = keeper.call(Room.LOCK), keeper.call(Room.VAULT)
    lock.send(datagram)
    lock.send(wire.pack(CHECK))  # nothing behind it is heard any more
    keeper.turn(3)
    assert keeper.work.seen[2:] == [("disconnected", Room.LOCK), ("breached", Room.LOCK)]
    assert ended(lock)
    assert keeper.service.link(Room.LOCK) is None
    assert not ended(vault)
    said = capfd.readouterr().err
    assert said.startswith("connection to lock closed: ")
    assert said.count("\n") == 1
    assert "482913" not in said


@pytest.mark.parametrize("refusal", [NotPermitted("not now"), MessageRefused("no such claim")])
def test_a_message_at_the_wrong_moment_ends_the_connection_too(keeper: Frame, refusal: Exception) -> None:
    def handler(_link: Link, _msg: wire.Message) -> None:
        raise refusal

    keeper.work.on_message = handler
    lock = keeper.call(Room.LOCK)
    lock.send(wire.pack(CHECK))
    lock.send(wire.pack(CHECK))
    keeper.turn(2)
    assert ended(lock)
    assert [keeper.work.count(event) for event in ("received", "disconnected", "breached")] == [1, 1, 1]


def test_an_error_nobody_foresaw_is_not_taken_for_the_peers_fault(keeper: Frame) -> None:
    def handler(_link: Link, _msg: wire.Message) -> None:
        raise KeyError

    keeper.work.on_message = handler
    keeper.call(Room.LOCK).send(wire.pack(CHECK))
    with pytest.raises(KeyError):
        keeper.turn()
    assert keeper.work.count("breached") == 0


def test_nothing_is_sent_that_the_edge_does_not_permit(keeper: Frame) -> None:
    keeper.call(Room.DESK)
    desk = keeper.service.link(Room.DESK)
    assert desk
    with pytest.raises(NotPermitted, match="keeper must not send Grant to desk"):
        desk.send(wire.Grant(NONCE, wire.Purpose.ERASE, 1, 12))
    assert desk.send(wire.GrantTicket(NONCE, wire.Purpose.ERASE, 1))


def test_a_peer_that_does_not_read_loses_the_connection_and_the_loop_never_waits(keeper: Frame) -> None:
    lock, vault = keeper.call(Room.LOCK), keeper.call(Room.VAULT)
    link = keeper.service.link(Room.LOCK)
    assert link
    answer = wire.Answer(NONCE, wire.Outcome.REFUSED)
    sent = 0
    while link.send(answer):  # a send that waited would hang here
        sent += 1
        assert sent < 100_000
    assert sent > 0
    assert not link.send(answer), "and stays at that"
    keeper.turn()
    assert keeper.work.seen[2:] == [("disconnected", Room.LOCK)], "no breach: nothing forbidden was said"
    vault.send(wire.pack(ASK))
    keeper.turn()
    assert keeper.work.received_messages() == [ASK]
    for _ in range(sent):
        lock.recv(wire.MAX_DATAGRAM)
    assert lock.recv(1) == b""


def test_sending_to_nobody_says_so(keeper: Frame) -> None:
    assert keeper.service.send(Room.VAULT, wire.LastCredentialGone(3)) is False
    vault = keeper.call(Room.VAULT)
    assert keeper.service.send(Room.VAULT, wire.LastCredentialGone(3)) is True
    vault.close()
    keeper.turn()
    assert keeper.service.send(Room.VAULT, wire.LastCredentialGone(3)) is False


def test_a_talkative_peer_is_heard_sixteen_messages_at_a_time(keeper: Frame) -> None:
    lock, vault = keeper.call(Room.LOCK), keeper.call(Room.VAULT)
    for _ in range(40):
        lock.send(wire.pack(CHECK))
    vault.send(wire.pack(ASK))
    heard = []
    for _ in range(4):
        before = len(keeper.work.received_messages())
        keeper.turn()
        heard.append(len(keeper.work.received_messages()) - before)
    assert heard == [17, 16, 8, 0]
    assert ASK in keeper.work.received_messages()[:17], "the quiet peer was heard in the same turn"


def test_the_end_of_a_peer_is_noticed_and_is_no_breach(keeper: Frame) -> None:
    keeper.call(Room.LOCK).close()
    keeper.turn()
    assert keeper.work.seen == [("connected", Room.LOCK), ("disconnected", Room.LOCK)]


def test_what_a_peer_said_before_it_died_is_heard(keeper: Frame) -> None:
    lock = keeper.call(Room.LOCK)
    lock.send(wire.pack(CHECK))
    lock.close()
    keeper.turn(2)
    assert keeper.work.seen[1:] == [("received", CHECK), ("disconnected", Room.LOCK)]


def test_an_empty_datagram_is_taken_for_the_end(keeper: Frame) -> None:
    lock = keeper.call(Room.LOCK)
    lock.send(b"")
    keeper.turn()
    assert ended(lock)


def test_a_restarted_peer_replaces_its_old_connection(keeper: Frame) -> None:
    old, new = keeper.call(Room.LOCK), keeper.call(Room.LOCK)
    assert keeper.work.seen == [("connected", Room.LOCK), ("disconnected", Room.LOCK), ("connected", Room.LOCK)]
    assert ended(old)
    new.send(wire.pack(CHECK))
    keeper.turn()
    assert keeper.work.received_messages() == [CHECK]
    assert keeper.service.link(Room.LOCK) is keeper.work.links[0]


def test_a_replaced_connection_is_not_heard_even_if_it_spoke_in_the_same_turn(keeper: Frame) -> None:
    old = keeper.call(Room.LOCK)
    old.send(wire.pack(CHECK))
    new = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with new:
        new.connect(str(keeper.paths.socket(Room.KEEPER, Room.LOCK)))
        keeper.turn(3)
        assert keeper.work.count("connected") == 2
        assert keeper.work.seen.index(("disconnected", Room.LOCK)) >= 1
        assert len(keeper.work.links) == 1
        assert keeper.work.count("breached") == 0


def test_two_command_lines_are_served_side_by_side(paths: Paths) -> None:
    desk = Frame(Room.DESK, paths)
    one, two = desk.call(Room.DOORCTL), desk.call(Room.DOORCTL)
    assert not ended(one)
    desk.work.on_message = lambda link, _msg: None if link.send(wire.Ended(wire.Result.BUSY)) else pytest.fail("lost")
    for command_line in (one, two):
        command_line.send(wire.pack(wire.AskStatus()))
        desk.turn()
        assert wire.unpack(command_line.recv(64)) == wire.Ended(wire.Result.BUSY)
    two.send(b"nonsense")
    desk.turn()
    assert ended(two)
    assert not ended(one), "one person's mistake is not the other's"
    one.send(wire.pack(wire.AskStatus()))
    desk.turn()
    assert wire.unpack(one.recv(64)) == wire.Ended(wire.Result.BUSY)
    desk.close()


def test_an_open_file_cannot_ride_along(keeper: Frame) -> None:
    lock = keeper.call(Room.LOCK)
    reader, writer = os.pipe()
    name = str(Path(f"/proc/self/fd/{reader}").readlink())
    socket.send_fds(lock, [wire.pack(CHECK)], [reader])
    os.close(reader)
    os.close(writer)
    keeper.turn()
    assert keeper.work.received_messages() == [CHECK]
    assert name not in open_files()

"""Who gets a line of the page, and who has to give one up: real sockets, called from many addresses of this machine."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from device.desk.page import listening
from device.desk.page.listening import MOST, MOST_EACH, SURE_S, Porter

MINE = "127.0.0.99"


class Hall:
    """A porter, and callers whose lines he holds."""

    def __init__(self, porter: type[Porter], stack: ExitStack) -> None:
        self._stack = stack
        self._listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=256))
        self.porter = stack.enter_context(porter(self._listener, lambda: False))
        self.held: list[socket.socket] = []

    def calls(self, address: str) -> socket.socket:
        """Somebody calls from `address` (of 127.0.0.0/8, all of which are this machine's)."""
        line = socket.create_connection(self._listener.getsockname(), 10, source_address=(address, 0))
        self._stack.enter_context(line)
        line.settimeout(10)
        try:
            guest, _ = self.porter.accept()
        except ConnectionAbortedError:
            return line
        self.held.append(self._stack.enter_context(guest))
        return line


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as lines:
        yield lines


def held(line: socket.socket) -> bool:
    """Whether the door still holds this line: it says nothing, and did not hang up."""
    line.setblocking(False)
    try:
        return line.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


class FirstCome(Porter):
    """Seeded fault: lines for whoever takes them first."""

    def _room_for(self, host: str) -> bool:
        return len(self._inside) < MOST and Counter(each for each, *_ in self._inside)[host] < MOST_EACH


def mine_in_spite_of(hall: Hall, enemies: int) -> bool:
    """Lines taken from so many addresses before I call and after it: whether mine is held."""
    for number in range(2 * MOST):
        hall.calls(f"127.0.1.{1 + number % enemies}")
    line = hall.calls(MINE)
    for number in range(MOST):
        hall.calls(f"127.0.1.{1 + number % enemies}")
    return held(line)


@pytest.mark.parametrize("enemies", [1, 3, 10, MOST // 2])
def test_whoever_takes_all_lines_from_a_few_addresses_keeps_nobody_else_away(stack: ExitStack, enemies: int) -> None:
    assert mine_in_spite_of(Hall(Porter, stack), enemies)


def test_lines_by_first_come_would_be_caught(stack: ExitStack) -> None:
    assert not mine_in_spite_of(Hall(FirstCome, stack), 3)


def let_in(hall: Hall, porter_s: float) -> bool:
    """Every line taken, each from an address of its own and for so long by now; then mine."""
    lines = [hall.calls(f"127.0.4.{number}") for number in range(1, MOST + 1)]
    hall.porter._inside = [(host, since_s - porter_s, caller) for host, since_s, caller in hall.porter._inside]
    mine = hall.calls(MINE)
    assert sum(held(line) for line in [*lines, mine]) == MOST
    return held(mine) and not held(lines[0])


def test_lines_that_are_only_held_keep_nobody_away_from_however_many_addresses(stack: ExitStack) -> None:
    """The oldest makes room; nobody is hung up on before a page can have come over their line."""
    assert let_in(Hall(Porter, stack), SURE_S)
    assert not let_in(Hall(Porter, stack), SURE_S - 5)


def test_a_line_beside_one_s_own_is_nobody_s_to_give_up(stack: ExitStack) -> None:
    hall = Hall(Porter, stack)
    lines = [hall.calls(f"127.0.4.{number}") for number in range(1, MOST + 1)]
    hall.porter._inside = [(host, since_s - SURE_S, caller) for host, since_s, caller in hall.porter._inside]
    assert not held(hall.calls("127.0.4.7"))
    assert all(held(line) for line in lines)


def test_no_more_than_so_many_are_held_of_one_address_and_of_all(stack: ExitStack) -> None:
    hall = Hall(Porter, stack)
    lines = [hall.calls(MINE) for _ in range(MOST_EACH + 3)]
    assert [held(line) for line in lines] == [True] * MOST_EACH + [False] * 3
    lines += [hall.calls(f"127.0.2.{number}") for number in range(1, 100)]
    assert sum(held(line) for line in lines) == MOST


def test_a_line_that_was_given_up_counts_no_longer_and_only_once(stack: ExitStack) -> None:
    hall = Hall(Porter, stack)
    for number in range(MOST + 4):
        hall.calls(f"127.0.3.{1 + number // MOST_EACH}")
    for guest in hall.held:
        guest.close()
    again = [hall.calls(f"127.0.3.{1 + number // MOST_EACH}") for number in range(MOST)]
    assert all(held(line) for line in again)
    assert listening.MOST == 48

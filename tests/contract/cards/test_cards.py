"""What every card reader keeps: the real pcscd with a virtual reader, and the simulated board's reader."""

from __future__ import annotations

import pytest

from device.lock.state import CardCame, CardLeft, CardReplied
from device.wire import MAX_APDU
from tests.contract.cards.bench import Bench

WHO = bytes.fromhex("FFCA000000")


def echo(command: bytes) -> bytes:
    return command[:8] + b"\x90\x00"


def test_an_exchange_goes_to_and_fro_as_often_as_keeper_wants(bench: Bench) -> None:
    bench.put_card(echo)
    assert bench.next_event() == CardCame()
    for command in (WHO, *(bytes([0x90, 0x5A, number, 0, 0]) for number in range(12))):
        assert bench.answer_to(command) == CardReplied(echo(command))


def test_the_longest_command_and_the_longest_answer_pass(bench: Bench) -> None:
    bench.put_card(lambda command: command)
    assert bench.next_event() == CardCame()
    longest = bytes([0x90, 0x3D, 0, 0, MAX_APDU - 6]) + bytes(range(MAX_APDU - 6)) + b"\x00"
    assert bench.answer_to(longest) == CardReplied(longest)


def test_a_card_that_stays_counts_once(bench: Bench) -> None:
    bench.put_card(echo)
    assert bench.next_event() == CardCame()
    assert bench.answer_to(WHO) == CardReplied(echo(WHO))
    bench.say(None)
    assert bench.next_event(bench.silence_s) is None


def test_a_card_that_left_counts_again_when_it_comes_back(bench: Bench) -> None:
    for _ in range(2):
        bench.put_card(echo)
        assert bench.next_event() == CardCame()
        bench.say(None)
        assert bench.next_event(bench.silence_s) is None
        bench.take_card()
        assert bench.next_event(bench.silence_s) is None, "the exchange was over already"


def test_a_card_pulled_between_two_commands_is_told(bench: Bench) -> None:
    bench.put_card(echo)
    assert bench.next_event() == CardCame()
    assert bench.answer_to(WHO) == CardReplied(echo(WHO))
    bench.take_card()
    assert bench.next_event() == CardLeft()
    assert bench.next_event(bench.silence_s) is None, "told once"


def test_what_is_said_to_nobody_changes_nothing(bench: Bench) -> None:
    bench.say(WHO)
    bench.say(None)
    assert bench.next_event(bench.silence_s) is None
    bench.put_card(echo)
    assert bench.next_event() == CardCame()
    assert bench.answer_to(b"\x90\x5a\x00\x00") == CardReplied(echo(b"\x90\x5a\x00\x00")), (
        "not the answer to the former"
    )


@pytest.mark.parametrize("answer", [bytes(300), bytes(MAX_APDU + 1), b"\x90"], ids=["300", "one too many", "one"])
def test_a_card_that_answers_nonsense_is_gone(bench: Bench, answer: bytes) -> None:
    bench.put_card(lambda _: answer)
    assert bench.next_event() == CardCame()
    assert bench.answer_to(WHO) == CardLeft()
    assert bench.next_event(bench.silence_s) is None
    bench.take_card()
    bench.next_event(bench.silence_s)
    bench.put_card(echo)
    assert bench.next_event() == CardCame(), "the next one is read"
    assert bench.answer_to(WHO) == CardReplied(echo(WHO))

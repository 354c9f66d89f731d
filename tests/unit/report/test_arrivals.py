"""A document is lock's exactly as long as nobody has answered for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import MessageRefused
from device.report.arrivals import HELD, MOST, Arrivals, topic
from device.report.publisher import What
from device.wire import MAX_DOCUMENT

DOOR = "00112233445566ff"
TOPIC = topic(DOOR)


def test_a_document_is_told_with_the_number_to_settle_it_by() -> None:
    arrivals = Arrivals(DOOR)
    event = arrivals.take(TOPIC, b"sealed", 7, retained=False)
    assert event is not None
    assert (event.what, event.content) == (What.DOCUMENT, b"sealed")
    assert arrivals.settle(event.row) == [7]
    assert arrivals.settle(event.row) == []


@pytest.mark.parametrize(
    ("at", "content", "retained", "sentence"),
    [
        (TOPIC, b"sealed", True, "retained"),
        (TOPIC, b"", False, "holds 1 to 4096 bytes"),
        (TOPIC, b"x" * (MAX_DOCUMENT + 1), False, "holds 1 to 4096 bytes"),
        (topic("ff" * 8), b"sealed", False, "did not ask for"),
        ("", b"sealed", False, "did not ask for"),
    ],
)
def test_what_is_no_document_is_refused(at: str, content: bytes, retained: bool, sentence: str) -> None:
    with pytest.raises(MessageRefused, match=sentence):
        Arrivals(DOOR).take(at, content, 1, retained=retained)


def test_a_copy_is_no_news_and_is_acknowledged_with_the_first() -> None:
    arrivals = Arrivals(DOOR)
    event = arrivals.take(TOPIC, b"sealed", 1, retained=False)
    assert event is not None
    assert arrivals.take(TOPIC, b"sealed", 2, retained=False) is None
    assert arrivals.settle(event.row) == [1, 2]


def test_numbers_of_a_lost_connection_are_never_acknowledged_on_the_next() -> None:
    arrivals = Arrivals(DOOR)
    event = arrivals.take(TOPIC, b"sealed", 1, retained=False)
    assert event is not None
    arrivals.disconnected()
    assert arrivals.settle(event.row) == []


@given(st.lists(st.binary(min_size=1, max_size=2), max_size=200))
def test_however_much_a_broker_sends_only_so_many_wait(contents: list[bytes]) -> None:
    arrivals = Arrivals(DOOR)
    told = [arrivals.take(TOPIC, each, packet, retained=False) for packet, each in enumerate(contents, 1)]
    events = [event for event in told if event is not None]
    assert [event.content for event in events] == list(dict.fromkeys(contents))[:HELD]
    acknowledged = [packet for event in events for packet in arrivals.settle(event.row)]
    assert len(acknowledged) <= HELD * MOST
    assert len(set(acknowledged)) == len(acknowledged)

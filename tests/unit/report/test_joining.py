"""A door that joins by the broker: it asks once lock has spoken, and believes no answer but its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from device import certificates
from device.installing import Joining
from device.joining import Request
from device.report.joining import Joiner
from device.report.publisher import Event, Mailbox, What
from tests.unit.joining.papers import (
    CLAIM_KEY,
    DOCUMENT_KEY,
    DOOR,
    HOUR,
    NOW_UNIX,
    SECRET,
    Authority,
    label,
    request,
)

AUTHORITY = Authority.make()
LABEL = label(AUTHORITY)


class MemoryClaim:
    """The claim port in the test's hand: what the broker keeps, and what it brings."""

    def __init__(self) -> None:
        self.kept = b""
        self.started = 0
        self._mailbox = Mailbox()

    def fileno(self) -> int:
        return self._mailbox.fileno()

    def start(self, request: bytes) -> None:
        self.kept = request
        self.started += 1

    def bring(self, content: bytes) -> None:
        self._mailbox.put(Event(What.CERTIFICATE, content=content))

    def events(self) -> list[Event]:
        return self._mailbox.take()

    def alive(self) -> bool:
        return True

    def stop(self, *, answered: bool) -> None:
        self.kept = b"" if answered else self.kept
        self._mailbox.close()


class Bench:
    def __init__(self, folder: Path, now_unix: float = NOW_UNIX) -> None:
        self.now_unix = now_unix
        self.files = Joining(folder)
        self.files.prepare(LABEL)
        self.claim = MemoryClaim()
        self.joiner = Joiner(self.files, DOOR, self.claim, lambda: self.now_unix)

    def asked(self) -> Request:
        return Request.read(self.claim.kept, CLAIM_KEY)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.joiner.stop()


def test_it_asks_once_and_with_the_key_that_lock_says(bench: Bench) -> None:
    assert not bench.joiner.look()
    for _ in range(3):
        bench.joiner.key_is(DOCUMENT_KEY)
    assert bench.claim.started == 1
    assert bench.asked().document_key == DOCUMENT_KEY


def test_a_wrong_answer_is_said_and_the_right_one_is_still_taken(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    bench.joiner.key_is(DOCUMENT_KEY)
    for wrong in (b"", b"?", Authority.make().answer(bench.asked()).pack()):
        bench.claim.bring(wrong)
        assert not bench.joiner.news()
    bench.claim.bring(AUTHORITY.answer(request(certificates.new_key())).pack())
    assert not bench.joiner.news()
    bench.claim.bring(AUTHORITY.answer(bench.asked()).pack())
    assert bench.joiner.news()
    bench.joiner.stop()
    assert bench.claim.kept == b"", "the broker forgets the request"
    assert bench.files.label() is None
    said = capfd.readouterr().err
    assert said.count("was refused") == 3, "each sentence once, however many answers deserve it"
    assert SECRET.hex() not in said
    assert LABEL.text()[10:40] not in said


def test_an_answer_brought_by_hand_ends_the_asking(bench: Bench) -> None:
    bench.joiner.key_is(DOCUMENT_KEY)
    bench.files.install(AUTHORITY.answer(bench.asked()), DOOR, NOW_UNIX)
    assert bench.joiner.look()


def test_a_process_that_ends_leaves_the_request_with_the_broker(bench: Bench) -> None:
    bench.joiner.key_is(DOCUMENT_KEY)
    bench.joiner.stop()
    assert bench.claim.kept
    assert bench.files.label() == LABEL


def test_nothing_is_asked_with_a_label_that_is_over(tmp_path: Path) -> None:
    bench = Bench(tmp_path, HOUR * 3600)
    bench.joiner.key_is(DOCUMENT_KEY)
    assert not bench.claim.started
    bench.joiner.stop()


def test_when_the_clock_is_set_a_label_that_seemed_over_is_asked_with(tmp_path: Path) -> None:
    bench = Bench(tmp_path, HOUR * 3600)
    bench.joiner.key_is(DOCUMENT_KEY)
    assert not bench.joiner.look()
    assert not bench.claim.started
    bench.now_unix = NOW_UNIX
    bench.joiner.look()
    assert bench.asked().document_key == DOCUMENT_KEY
    bench.joiner.stop()


def test_an_answer_that_came_while_the_clock_was_wrong_is_taken_when_it_is_right(tmp_path: Path) -> None:
    bench = Bench(tmp_path, NOW_UNIX - 30 * 86_400)
    bench.joiner.key_is(DOCUMENT_KEY)
    bench.claim.bring(AUTHORITY.answer(bench.asked()).pack())
    assert not bench.joiner.news()
    bench.now_unix = NOW_UNIX
    assert bench.joiner.look()
    bench.joiner.stop()


def test_a_flood_of_wrong_answers_is_no_flood_of_log_lines(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    bench.joiner.key_is(DOCUMENT_KEY)
    for number in range(300):
        bench.claim.bring(b"DWJA" + bytes([number % 250 + 2]) * 20)  # each has a sentence of its own
        bench.joiner.news()
    assert capfd.readouterr().err.count("was refused") <= 16

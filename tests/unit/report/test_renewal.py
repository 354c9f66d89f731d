"""Renewing: at a moment of the door's own, with the same key, and never a step back."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import certificates
from device.installing import Joining
from device.joining import Answer
from device.report.renewal import Renewal, due_unix
from device.report.retained import FORGET
from tests.unit.joining.papers import DOCUMENT_KEY, DOOR, NOW_UNIX, Authority, label, request

AUTHORITY = Authority.make()
DAY_S = 86400


class Bench:
    def __init__(self, folder: Path) -> None:
        self.files = Joining(folder)
        self.files.prepare(label(AUTHORITY))
        self.files.install(AUTHORITY.answer(request(self.files.key())), DOOR, NOW_UNIX)
        self.now = float(NOW_UNIX)
        self.renewal = Renewal(self.files, DOOR.hex(), lambda: self.now)

    def at(self, days: float) -> bytes | None:
        self.now = NOW_UNIX + days * DAY_S
        self.renewal.look()
        return self.renewal.question.due()

    def answer(self, days: float, authority: Authority = AUTHORITY) -> Answer:
        return authority.answer(request(self.files.key()), days=days)


@given(st.binary(min_size=8, max_size=8).map(bytes.hex), st.floats(1, 400))
def test_a_door_asks_between_two_thirds_and_five_sixths(door: str, days: float) -> None:
    due = due_unix(door, 0, days * DAY_S) / DAY_S
    assert days * 2 / 3 <= due <= days * 5 / 6 + 1e-9


def test_the_doors_of_a_fleet_do_not_ask_in_one_breath() -> None:
    days = {int(due_unix(f"{number:016x}", 0, 365 * DAY_S) // DAY_S) for number in range(1000)}
    assert len(days) > 50


def test_nothing_is_asked_before_the_moment_and_it_is_asked_once_with_the_same_key(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert bench.at(243) is None
    question = bench.at(305)
    assert question is not None
    assert certificates.key_asked_for(question, DOOR) == certificates.public_part(bench.files.key())
    bench.renewal.question.sent(question)
    bench.renewal.question.accepted()
    assert bench.at(306) is None
    bench.renewal.question.reconnected()
    assert bench.at(307) == question


def test_an_answer_is_installed_and_the_question_taken_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    question = bench.at(305)
    assert question
    bench.renewal.question.sent(question)
    bench.renewal.question.accepted()
    bench.renewal.take(bench.answer(700).pack())
    assert bench.renewal.question.due() == FORGET
    found = bench.files.certificate()
    assert found is not None
    assert found.not_valid_after_utc.timestamp() == NOW_UNIX + 700 * DAY_S


def test_whatever_else_comes_changes_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.at(305)
    before = (tmp_path / "tls" / "door.pem").read_bytes()
    foreign = AUTHORITY.answer(request(certificates.new_key()))
    wrong = [b"", b"?", Answer(DOOR).pack(), bench.answer(700, Authority.make()).pack(), bench.answer(310).pack()]
    for content in (
        *wrong,
        foreign.pack(),
        bench.answer(700).pack()[:-1],
        request(bench.files.key()).pack(DOCUMENT_KEY),
    ):
        bench.renewal.take(content)
        assert (tmp_path / "tls" / "door.pem").read_bytes() == before


def test_a_certificate_of_the_future_is_not_taken_and_the_old_one_works_on(tmp_path: Path) -> None:
    """Whoever makes certificates may have a clock that is years ahead; nobody would let the door in with one."""
    bench = Bench(tmp_path)
    bench.at(305)
    before = (tmp_path / "tls" / "door.pem").read_bytes()
    ahead = AUTHORITY.answer(request(bench.files.key()), began_days=-5 * 365).pack()
    bench.renewal.take(ahead)
    assert (tmp_path / "tls" / "door.pem").read_bytes() == before
    assert bench.renewal.question.due(), "and the question stands"


def test_seeded_fault_without_that_the_door_would_neither_log_in_nor_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "early", lambda _certificate, _now: False)
    bench = Bench(tmp_path)
    bench.at(305)
    before = (tmp_path / "tls" / "door.pem").read_bytes()
    bench.renewal.take(AUTHORITY.answer(request(bench.files.key()), began_days=-5 * 365).pack())
    assert (tmp_path / "tls" / "door.pem").read_bytes() != before
    bench.renewal.take(bench.answer(700).pack())
    found = bench.files.certificate()
    assert found is not None
    assert found.not_valid_before_utc.timestamp() > bench.now


def test_a_certificate_of_the_future_that_is_there_stands_in_nobody_s_way(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.files.install(AUTHORITY.answer(request(bench.files.key()), began_days=-5 * 365), DOOR, None)
    bench.at(305)
    bench.renewal.take(bench.answer(700).pack())
    found = bench.files.certificate()
    assert found is not None
    assert found.not_valid_after_utc.timestamp() == NOW_UNIX + 700 * DAY_S


def test_a_broker_that_brings_nonsense_without_end_fills_no_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bench = Bench(tmp_path)
    bench.at(305)
    good = bench.answer(700).pack()
    for number in range(300):
        bench.renewal.take(b"DWJA" + bytes([number % 250 + 2]) * 20)
    for _ in range(50):
        bench.renewal.take(good)
    said = capfd.readouterr().err
    assert said.count("was not taken") <= 16
    assert said.count("has a certificate until") == 1


def test_an_ended_certificate_is_said_with_the_way_back(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bench = Bench(tmp_path)
    for days in (366, 367, 400):
        bench.at(days)
    said = capfd.readouterr().err
    assert said.count("has ended") == 1
    assert "join --out" in said

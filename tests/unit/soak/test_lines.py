"""Every line is explained by a pattern and a cause, or it is found; and none holds a secret."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tools.soak.day import Day
from tools.soak.explained import EXPLAINED, SSL_LINE
from tools.soak.lines import MEMORY_S, Cause, Causes, Journal, Line, Secrets, Tails
from tools.soak.plan import Sizes

ALWAYS = frozenset({Cause.ALWAYS})
LOST = "report: no connection to the broker (Connection refused); messages wait in the outbox"
NOBODYS = "keeper: no slot has this card now, so nothing was asked of it"


@pytest.fixture
def journal() -> Journal:
    return Journal(EXPLAINED, Secrets({"482913", "obama"}, {"7301"}))


def test_a_line_is_explained_while_its_cause_goes_on_and_not_otherwise(journal: Journal) -> None:
    journal.read(Line("report", LOST, ALWAYS | {Cause.BROKER}))
    journal.read(Line("keeper", NOBODYS, ALWAYS))
    assert journal.unexplained == []
    journal.read(Line("report", LOST, ALWAYS))
    journal.read(Line("vault", NOBODYS, ALWAYS))
    assert [line.who for line in journal.unexplained] == ["report", "vault"]
    assert (journal.lines, sum(journal.counts.values())) == (4, 2)


def test_a_broker_that_stands_still_in_the_middle_of_a_handshake_is_one_in_trouble(journal: Journal) -> None:
    slow = LOST.replace("Connection refused", "_ssl.c:989: The handshake operation timed out")
    journal.read(Line("report", slow, ALWAYS | {Cause.BROKER}))
    assert journal.unexplained == []
    journal.read(Line("report", slow, ALWAYS))
    assert len(journal.unexplained) == 1


def test_a_frame_that_grew_old_is_explained_by_a_busy_machine_alone(journal: Journal) -> None:
    old = "eye: looking at a frame took so long that it was too old afterwards; such frames are dropped"
    journal.read(Line("eye", old, ALWAYS | {Cause.BUSY}))
    assert journal.unexplained == []
    journal.read(Line("eye", old, frozenset(Cause) - {Cause.BUSY}))
    assert [line.who for line in journal.unexplained] == ["eye"]


@pytest.mark.parametrize("load", [0.9, 999.0])
def test_a_machine_is_busy_once_more_is_wanted_than_it_has(load: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0))
    house: Any = SimpleNamespace(door=None, named=None, logs=dict)
    day = Day(house, Sizes(100, 2, 0, 0), 1, lambda _: None)
    day._reads()
    assert (Cause.BUSY in day.causes.now(time.monotonic())) == (load > 1)


@pytest.mark.parametrize(
    "text",
    [
        "lock: RuntimeError at device.lock.loop:120, which nobody foresaw",
        "connection to eye closed: eye sent Probe at the wrong moment",
        f"{NOBODYS} twice",
        "report: connected to the broker of 3 doors",
        "keeper: 3 sealed records were refused; who held them needs a new invitation",
        "Traceback (most recent call last):",
    ],
)
def test_fault_a_line_that_nothing_explains_is_found(journal: Journal, text: str) -> None:
    for who in ("keeper", "lock", "report", "daemon"):
        journal.read(Line(who, text, frozenset(Cause)))
    assert len(journal.unexplained) == 4


@pytest.mark.parametrize("text", ["pin 482913 was wrong", "the picture obama.png", "flat 7301", "OBAMA", "slot=7301;"])
def test_fault_a_secret_in_a_line_is_found_and_not_kept(journal: Journal, text: str) -> None:
    journal.read(Line("keeper", text, frozenset(Cause)))
    assert (journal.leaking, journal.unexplained) == (["keeper"], [])


def test_a_flat_within_a_longer_number_is_none(journal: Journal) -> None:
    journal.read(Line("broker", "New connection from 127.0.0.1:57301 on port 17301.", frozenset({Cause.START})))
    assert (journal.leaking, journal.unexplained) == ([], [])


def test_causes_are_remembered_for_a_while_and_then_no_more() -> None:
    causes = Causes()
    causes.happened(Cause.KILL, 10.0)
    causes.begins(Cause.BROKER)
    assert causes.now(10.0 + MEMORY_S) == {Cause.KILL, Cause.BROKER, Cause.ALWAYS}
    assert causes.now(11.0 + MEMORY_S) == {Cause.BROKER, Cause.ALWAYS}
    causes.ends(Cause.BROKER, 200.0)
    assert causes.now(200.0 + MEMORY_S) == {Cause.BROKER, Cause.ALWAYS}
    assert causes.now(201.0 + MEMORY_S) == {Cause.ALWAYS}


def test_a_line_is_read_once_and_when_it_is_whole(tmp_path: Path) -> None:
    logs, tails = {"broker": tmp_path / "broker.log", "keeper": tmp_path / "keeper.log"}, Tails()
    assert list(tails.news(logs, ALWAYS)) == []
    logs["broker"].write_text("1795441301: New\nhalf a li")
    assert [line.text for line in tails.news(logs, ALWAYS)] == ["New"]
    with logs["broker"].open("a") as file:
        file.write("ne\n\n")
    logs["keeper"].write_text("1795441301: New\n")
    assert [(line.who, line.text) for line in tails.news(logs, ALWAYS)] == [
        ("broker", "half a line"),
        ("keeper", "1795441301: New"),
    ]
    assert list(tails.news(logs, ALWAYS)) == []


def test_no_explanation_has_room_for_what_somebody_typed() -> None:
    for each in EXPLAINED:
        if each.who != "broker":
            pattern = each.pattern.pattern.replace(SSL_LINE, "")  # where in Python's own source: nobody's number
            assert "[0-9" not in pattern
            assert r"\d" not in pattern
            assert "." not in pattern.replace(r"\.", "")

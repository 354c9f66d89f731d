"""How an OSDP reader is watched over, to the second and to the report: a line and a library that do as they are told.

Over a real pseudo-terminal and with libosdp: tests/contract/osdp.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count

import osdp
import pytest

from device.lock import osdp_supervisor
from device.lock.osdp_commands import ASK_STATUS, DARK
from device.lock.osdp_panel import CardNumber, Done, Heard, Identity, Keys, Offline, Trouble
from device.lock.osdp_supervisor import (
    CALM_S,
    MUTED_S,
    REPORTS_PER_S,
    RETRY_S,
    SILENT_S,
    START_S,
    STUCK_S,
    Stands,
    Supervisor,
    Where,
)
from device.lock.state import Event, Key, NumberRead, Signal
from device.wire import Hint

MOMENT_S = 0.25  # a power of two, so that sums of it are exact
OTHER = Identity(1, 2, 8)


@dataclass
class Bench:
    """What is at the far end, and all that came of it."""

    now_s: float = 1024.0
    there: bool = True  # the adapter
    why: OSError = field(default_factory=lambda: FileNotFoundError(2, "No such file or directory"))
    channel: bool = True  # a handshake succeeds
    talks: bool = True
    sends: bool = True
    identity: Identity = field(default_factory=lambda: Identity(1, 2, 7))
    grades: int = 4
    told: list[Event | Stands] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    restarted: list[float] = field(default_factory=list)
    panels: list[FakePanel] = field(default_factory=list)
    lines: list[FakeLine] = field(default_factory=list)

    def make(self) -> None:
        self.supervisor = Supervisor(Where("/dev/ttyOSDP", 9600, 5), bytes(16), 4000, self.told.append, self.clock)

    def clock(self) -> float:
        return self.now_s

    @property
    def line(self) -> FakeLine:
        return self.lines[-1]

    @property
    def panel(self) -> FakePanel:
        return self.panels[-1]

    def turn(self, after_s: float = 0.0) -> None:
        self.now_s += after_s
        self.supervisor.turn()

    def pass_s(self, seconds: float) -> None:
        for _ in range(round(seconds / MOMENT_S)):
            self.turn(MOMENT_S)

    def up(self) -> Bench:
        self.turn()
        self.turn()
        self.panel.heard(Done(osdp.Command.Status, well=True))
        assert self.told[-1] == Stands(well=True)
        return self

    def stood(self) -> list[bool]:
        found = [said.well for said in self.told if isinstance(said, Stands)]
        self.told.clear()
        return found

    def typed(self, keys: str, reported: int | None = None) -> str:
        self.panel.heard(Keys(keys, len(keys) if reported is None else reported))
        found = "".join(said.key for said in self.told if isinstance(said, Key))
        self.told[:] = [said for said in self.told if not isinstance(said, Key)]
        return found

    def sent(self) -> list[int]:
        """What waits to be sent, by command."""
        return [command["command"] for command in self.panel.queue]


BENCHES: list[Bench] = []


class FakeLine:
    """`SerialLine` as far as the supervisor sees it."""

    def __init__(self, _path: str, _baud: int, _gate: object, _secured: object, clock: Callable[[], float]) -> None:
        self.clock, self.bench = clock, BENCHES[-1]
        self.fd: int | None = None
        self.wrote_s = self.heard_s = float("-inf")
        self.lost = "the line is not open"
        self.bench.lines.append(self)

    def open(self) -> None:
        self.bench.opened.append(self.clock())
        if not self.bench.there:
            raise self.bench.why
        self.fd, self.lost = 3, ""
        self.wrote_s = self.heard_s = self.clock()

    def close(self) -> None:
        self.fd, self.lost = None, "the line is not open"


class FakePanel:
    """`Panel` as far as the supervisor sees it: one refresh after a restart the channel stands, if it may."""

    numbers = count()

    def __init__(self, line: FakeLine, _address: int, _key: bytes, heard: Callable[[Heard], None]) -> None:
        self.line, self.heard, self.bench = line, heard, BENCHES[-1]
        self.secured = self.handshaken = False
        self.wanted = True
        self.forgot = 0
        self.queue: list[Mapping[str, int]] = []
        self.bench.panels.append(self)

    def refresh(self) -> None:
        self.secured = self.wanted and self.bench.channel
        if self.bench.sends:
            self.line.wrote_s = self.line.clock()
        if self.bench.talks:
            self.line.heard_s = self.line.clock()

    def restart(self) -> None:
        self.bench.restarted.append(self.line.clock())
        self.wanted = True

    def pause(self) -> None:
        self.wanted = self.secured = False

    def identity(self) -> Identity:
        return self.bench.identity

    def grade(self, _capability: int) -> int:
        return self.bench.grades

    def send(self, command: Mapping[str, int]) -> None:
        self.queue.append(command)

    def forget(self) -> None:
        self.forgot += 1
        self.queue.clear()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(osdp_supervisor, "SerialLine", FakeLine)
    monkeypatch.setattr(osdp_supervisor, "Panel", FakePanel)
    made = Bench()
    BENCHES[:] = [made]
    made.make()
    return made


# ---- the line


def test_a_reader_that_comes_is_well_dark_and_asked_how_it_is(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.turn()
    assert bench.stood() == [True]
    assert bench.panel.queue == [DARK, ASK_STATUS]
    assert capsys.readouterr().err == "the OSDP reader is there, with a secure channel\n"


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (FileNotFoundError(2, "No such file or directory"), "No such file or directory"),
        (OSError("it is no line"), "it is no line"),
    ],
)
def test_why_a_line_cannot_be_had_is_said_once_and_in_words(
    bench: Bench, capsys: pytest.CaptureFixture[str], why: OSError, words: str
) -> None:
    bench.there, bench.why = False, why
    bench.pass_s(3 * RETRY_S)
    assert capsys.readouterr().err == f"the OSDP line cannot be had: {words}\n"


def test_a_line_that_cannot_be_had_is_tried_again_as_soon_as_the_pause_is_over(bench: Bench) -> None:
    bench.there = False
    began_s = bench.now_s + MOMENT_S
    bench.pass_s(2 * RETRY_S + MOMENT_S)
    assert bench.opened == [began_s, began_s + RETRY_S, began_s + 2 * RETRY_S]
    bench.there = True
    bench.pass_s(RETRY_S)
    assert bench.stood()[-1]
    assert bench.restarted == [began_s + 3 * RETRY_S], "and once, not with every turn"


def test_a_line_that_is_lost_is_an_alarm_at_once_and_opened_anew(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.up()
    bench.line.lost = "it hung up"
    bench.turn(MOMENT_S)
    assert bench.stood() == [True, False]
    assert bench.line.fd is None
    assert "the OSDP line is gone: it hung up\n" in capsys.readouterr().err
    bench.pass_s(RETRY_S)
    assert bench.stood() == [True]


# ---- what is not known yet


def test_what_is_not_known_yet_is_no_alarm_until_the_moment_is_over(bench: Bench) -> None:
    bench.channel = False
    bench.pass_s(START_S - MOMENT_S)
    assert bench.stood() == []
    bench.turn(MOMENT_S)
    assert bench.stood() == [False]
    bench.pass_s(START_S)
    assert bench.stood() == [], "said once"


def test_a_reader_that_was_there_has_no_such_moment_any_more(bench: Bench) -> None:
    bench.up()
    bench.panel.heard(Offline())
    bench.turn()
    assert bench.stood() == [True, False]


# ---- the channel


def test_keys_count_while_the_reader_is_in_use_and_at_no_other_time(bench: Bench) -> None:
    assert bench.typed("1") == ""
    bench.up()
    assert bench.typed("12#") == "12#"
    bench.panel.heard(CardNumber())
    assert bench.told[-1] == NumberRead()
    bench.panel.heard(Offline())
    assert bench.typed("3") == ""
    bench.told.clear()
    bench.panel.heard(CardNumber())
    assert bench.told == []


def test_a_channel_that_is_gone_is_begun_anew_after_the_pause(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.up()
    bench.channel = False
    bench.turn(MOMENT_S)
    assert bench.stood() == [True, False]
    assert "the OSDP reader has no secure channel\n" in capsys.readouterr().err
    down_s, bench.channel = bench.now_s, True
    bench.restarted.clear()
    bench.pass_s(RETRY_S - MOMENT_S)
    assert bench.stood() == []
    bench.turn(MOMENT_S)
    assert bench.stood() == [True]
    assert bench.restarted == [down_s + RETRY_S]


def test_a_reader_may_be_silent_for_so_long_and_no_longer(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.up()
    bench.talks = False
    bench.pass_s(SILENT_S)
    assert bench.stood() == [True]
    bench.turn(MOMENT_S)
    assert bench.stood() == [False]
    assert "the OSDP reader is silent\n" in capsys.readouterr().err


def test_a_library_that_no_longer_sends_is_made_anew_after_so_long_and_no_sooner(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.up()
    bench.sends = False
    bench.pass_s(STUCK_S)
    assert len(bench.panels) == 1
    bench.turn(MOMENT_S)
    assert len(bench.panels) == 2
    assert bench.stood() == [True, False]
    assert "the OSDP reader is asked anew\n" in capsys.readouterr().err
    bench.pass_s(STUCK_S)
    assert len(bench.panels) == 2, "the new one has its time"


def test_another_reader_is_an_alarm_and_types_nothing_until_the_first_is_back(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.up()
    first, bench.identity = bench.identity, OTHER
    bench.panel.heard(Offline())
    bench.pass_s(3 * RETRY_S)
    assert bench.stood() == [True, False]
    assert bench.typed("1") == ""
    assert "another OSDP reader answers than the one that was there\n" in capsys.readouterr().err
    bench.identity = first
    bench.pass_s(RETRY_S)
    assert bench.stood() == [True]
    assert bench.typed("1") == "1"


# ---- too much


def test_as_many_reports_a_second_as_hands_can_make_count_and_with_one_more_it_is_not_read(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.up()
    for _ in range(3):
        for _ in range(REPORTS_PER_S):
            assert bench.typed("1") == "1"
        bench.turn(1.0)
    assert bench.stood() == [True]
    for _ in range(REPORTS_PER_S):
        assert bench.typed("1") == "1"
    assert bench.typed("2") == ""
    bench.turn(MOMENT_S)
    assert bench.stood() == [False]
    assert "the OSDP reader sends more than hands can and is not read\n" in capsys.readouterr().err


def test_a_report_of_many_keys_counts_as_many_even_if_a_lock_knows_none_of_them(bench: Bench) -> None:
    bench.up()
    assert bench.typed("", REPORTS_PER_S + 1) == ""
    bench.turn()
    assert bench.stood() == [True, False]


@pytest.mark.parametrize("heard", [CardNumber(), Trouble(own=True, on=False)])
def test_cards_and_housings_count_like_keys(bench: Bench, heard: Heard) -> None:
    bench.up()
    for _ in range(REPORTS_PER_S):
        bench.panel.heard(heard)
    bench.turn()
    assert bench.stood() == [True]
    bench.panel.heard(heard)
    bench.turn()
    assert bench.stood() == [False]


def muted(bench: Bench) -> float:
    """One report too many; since when."""
    bench.up()
    bench.typed("1" * (REPORTS_PER_S + 1))
    bench.turn()
    assert bench.stood() == [True, False]
    bench.restarted.clear()
    return bench.now_s


def test_what_sent_too_much_is_left_alone_and_then_has_to_be_calm(bench: Bench) -> None:
    began_s = muted(bench)
    bench.pass_s(MUTED_S - MOMENT_S)
    assert bench.restarted == []
    bench.turn(MOMENT_S)
    assert bench.restarted == [began_s + MUTED_S]
    assert bench.typed("1") == "", "on trial"
    bench.pass_s(CALM_S - MOMENT_S)
    assert bench.stood() == []
    assert bench.typed("1") == ""
    bench.turn(MOMENT_S)
    assert bench.stood() == [True]
    assert bench.typed("1") == "1"


def test_what_is_not_calm_on_trial_is_left_alone_again(bench: Bench) -> None:
    muted(bench)
    bench.pass_s(MUTED_S)
    bench.typed("1" * (REPORTS_PER_S + 1))
    again_s = bench.now_s
    bench.restarted.clear()
    bench.pass_s(MUTED_S + CALM_S - MOMENT_S)
    assert bench.restarted == [again_s + MUTED_S]
    assert bench.stood() == []
    bench.turn(MOMENT_S)
    assert bench.stood() == [True]


def test_a_trial_that_a_lost_channel_breaks_off_begins_anew(bench: Bench) -> None:
    muted(bench)
    bench.pass_s(MUTED_S)
    bench.channel = False
    bench.turn(MOMENT_S)
    bench.channel = True
    bench.pass_s(RETRY_S)
    assert bench.typed("1") == ""
    bench.pass_s(CALM_S)
    assert bench.stood() == [True]


def test_a_reader_that_was_calm_is_not_on_trial_the_next_time(bench: Bench) -> None:
    muted(bench)
    bench.pass_s(MUTED_S + CALM_S)
    bench.panel.heard(Offline())
    bench.pass_s(RETRY_S)
    assert bench.typed("1") == "1"


def test_while_it_is_not_read_nothing_ends_that_sooner_or_later(bench: Bench) -> None:
    """Nor later: what libosdp still hands over, that it gives the reader up meanwhile, that nothing is sent to it."""
    began_s = muted(bench)
    bench.turn(MOMENT_S)
    bench.typed("1" * (REPORTS_PER_S + 1))
    bench.panel.heard(Offline())
    bench.sends = bench.talks = False
    bench.line.wrote_s = began_s - STUCK_S
    bench.pass_s(MUTED_S - 2 * MOMENT_S)
    assert bench.restarted == []
    bench.sends = bench.talks = True
    bench.turn(MOMENT_S)
    assert bench.restarted == [began_s + MUTED_S]
    assert len(bench.panels) == 1


# ---- how it is


@pytest.mark.parametrize("own", [True, False])
def test_an_open_housing_is_an_alarm_and_its_keys_count(
    bench: Bench, capsys: pytest.CaptureFixture[str], own: bool
) -> None:
    bench.up()
    capsys.readouterr()
    for _ in range(2):
        bench.panel.heard(Trouble(own=own, on=True))
    bench.turn()
    assert bench.stood() == [True, False]
    assert bench.typed("1") == "1"
    bench.panel.heard(Trouble(own=not own, on=False))
    bench.turn()
    assert bench.stood() == [], "that was another's"
    bench.panel.heard(Trouble(own=own, on=False))
    bench.turn()
    assert bench.stood() == [True]
    assert capsys.readouterr().err.splitlines() == [
        "the OSDP reader is open or its power failed",
        "the OSDP reader is closed again",
    ]


def test_a_command_that_is_refused_three_times_in_a_row_is_not_sent_any_more(bench: Bench) -> None:
    bench.up()
    refused = Done(osdp.Command.Buzzer, well=False)
    for heard in (refused, refused, Done(osdp.Command.Buzzer, well=True), refused, refused):
        bench.panel.heard(heard)
    bench.panel.queue.clear()
    bench.supervisor.show(Signal.REFUSED, None)
    bench.turn()
    assert sorted(bench.sent()) == sorted([osdp.Command.Buzzer, osdp.Command.LED])
    bench.panel.heard(refused)
    bench.pass_s(4)
    bench.panel.queue.clear()
    bench.supervisor.show(Signal.REFUSED, None)
    bench.turn()
    assert bench.sent() == [osdp.Command.LED]


def test_a_reader_that_refuses_to_tell_how_it_is_is_not_asked_for_ever(bench: Bench) -> None:
    bench.up()
    for _ in range(3):
        assert osdp.Command.Status in bench.sent()
        bench.panel.heard(Done(osdp.Command.Status, well=False))
        bench.panel.queue.clear()
        bench.panel.heard(Offline())
        bench.pass_s(RETRY_S)
    assert bench.sent() == [osdp.Command.LED]
    bench.supervisor.show(Signal.KEY, None)
    assert bench.panel.forgot == 1, "there is no answer to wait for"


# ---- what it shows


def test_a_new_signal_drops_what_still_waits_of_the_one_before(bench: Bench) -> None:
    bench.up()
    bench.supervisor.show(Signal.REFUSED, None)
    bench.turn()
    assert bench.panel.queue
    bench.supervisor.show(Signal.OPENED, None)
    assert bench.panel.queue == []
    bench.turn(MOMENT_S)
    assert bench.panel.queue


def test_a_hint_that_has_to_wait_drops_nothing(bench: Bench) -> None:
    bench.up()
    bench.supervisor.show(Signal.REFUSED, None)
    bench.turn()
    waiting = list(bench.panel.queue)
    bench.supervisor.show(Signal.LOOK, Hint.TOO_DARK)
    assert bench.panel.queue == waiting


def test_before_the_reader_told_how_it_is_no_signal_drops_the_question(bench: Bench) -> None:
    bench.turn()
    bench.supervisor.show(Signal.REFUSED, None)
    assert ASK_STATUS in bench.panel.queue
    bench.panel.heard(Done(osdp.Command.LED, well=True))
    bench.supervisor.show(Signal.OPENED, None)
    assert ASK_STATUS in bench.panel.queue
    bench.panel.heard(Done(osdp.Command.Status, well=True))
    bench.supervisor.show(Signal.OPENED, None)
    assert bench.panel.queue == []


def test_a_light_that_cannot_end_by_itself_is_not_asked_for(bench: Bench) -> None:
    bench.grades = 1
    bench.turn()
    assert bench.panel.queue == [ASK_STATUS]
    bench.supervisor.show(Signal.REFUSED, None)
    bench.turn()
    assert bench.panel.queue == [ASK_STATUS]


def test_what_was_asked_for_while_nobody_was_there_is_not_shown_later(bench: Bench) -> None:
    bench.channel = False
    bench.turn()
    bench.supervisor.show(Signal.OPENED, None)
    bench.turn()
    bench.channel = True
    bench.pass_s(1)
    assert bench.panel.queue == [DARK, ASK_STATUS]


def test_a_turn_that_did_not_end_in_order_is_an_alarm_at_once_and_begins_with_the_line(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.up()
    bench.opened.clear()
    bench.supervisor.fail("the OSDP reader is left alone for a while: nobody foresaw it")
    assert bench.stood() == [True, False]
    assert bench.line.fd is None
    failed_s = bench.now_s
    assert "left alone for a while" in capsys.readouterr().err
    bench.pass_s(RETRY_S)
    assert bench.opened == [failed_s + RETRY_S]
    assert bench.stood() == [True]


def test_whoever_prints_a_supervisor_sees_no_key(bench: Bench) -> None:
    key = b"a key of its own"
    shown = repr(Supervisor(Where("/dev/ttyOSDP", 9600, 5), key, 4000, bench.told.append, bench.clock))
    assert "ttyOSDP" in shown
    assert "of its own" not in shown

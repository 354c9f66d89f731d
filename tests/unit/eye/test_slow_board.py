"""A board on which looking takes long, and longest at the first frame of a window: eye, and vault which it sends to.

Time is the test's: what looking takes is what passes.
"""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest

from device import wire
from device.edges import Room
from device.eye import gather, loop
from device.eye.camera import Frame
from device.eye.gather import FRESH_NS
from device.eye.loop import EyeWork
from device.eye.sight import Seen
from device.link import Link
from device.vault.recognition import MAX_FRAME_AGE_NS
from device.wire import LookMode, Outcome, Result
from tests.unit.eye.test_loop import CONFIG, MS, Bench, close, run
from tests.unit.vault.house import House
from tests.unit.vault.values import FRAMES, MODEL, at_cosine, unit

ANNA = unit(1)
COLD_MS, WARM_MS = 3500, 200
EYE = dataclasses.replace(CONFIG, eye=dataclasses.replace(CONFIG.eye, enrol_frames=FRAMES))


@dataclass
class SlowBench(Bench):
    """An eye that sees somebody turn their head, and what it sends is heard by `house` at that moment."""

    house: House = field(default_factory=House)
    looks_ms: Callable[[int], int] = lambda number: COLD_MS if number == 1 else WARM_MS
    ages_ns: list[int] = field(default_factory=list)

    def model_id(self, *, covered: bool) -> bytes:
        return MODEL[:8]

    def look(self, frame: Frame, mode: LookMode) -> Seen:
        self.now_ns += self.looks_ms(self.frames_read) * MS
        return Seen(frame.time_ns, None, at_cosine(ANNA, 0.9, seed=500 + self.frames_read), 60.0)

    def send(self, peer: Room, msg: wire.Message) -> bool:
        if peer is Room.VAULT:
            assert isinstance(msg, wire.Sample | wire.Probe)
            self.ages_ns.append(self.now_ns - msg.frame_ns)
            self.house.wait((self.now_ns - self.house.now_ns) / 1e9)
            self.house.say(Room.EYE, msg)
        return super().send(peer, msg)


@pytest.fixture
def board() -> Iterator[SlowBench]:
    bench = SlowBench()
    bench.house.connect()
    yield bench
    bench.house.close()
    assert bench.house.unasked == []


def window(board: SlowBench, mode: LookMode) -> None:
    """One approach from lock's Look to eye's last frame of it."""
    work = EyeWork(board, board, board, EYE, board, lambda: board.now_ns)
    for peer in (Room.LOCK, Room.VAULT):
        board.links[peer] = cast("Link", SimpleNamespace(peer=peer))
        work.connected(board.links[peer])
    board.now_ns = board.house.now_ns
    name = board.house.window(mode)
    board.may_read = True
    board.frames_read = 0
    work.received(board.links[Room.LOCK], wire.Look(name, mode))
    run(board, work, 1000)
    close(board, work)


def enrolled(board: SlowBench) -> Result:
    """What one window of an enrolment came to."""
    board.house.begin()
    window(board, LookMode.ENROL)
    ended = board.house.got(Room.LOCK, wire.EnrolmentEnded)
    return ended[-1].result if ended else Result.TOO_FEW_FRAMES


def verdicts(board: SlowBench) -> list[Outcome]:
    """What lock heard of one approach of a resident."""
    board.house.enrol(11, ANNA)
    window(board, LookMode.RECOGNISE)
    return [verdict.outcome for verdict in board.house.got(Room.LOCK, wire.Verdict)]


def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (loop, gather):
        monkeypatch.setattr(module, "FRESH_NS", 10**15)


def test_what_eye_sends_has_time_left_for_the_way_to_vault() -> None:
    assert FRESH_NS <= MAX_FRAME_AGE_NS - 250 * MS


def test_enrolment_goes_on_with_the_next_frame_when_the_first_took_too_long(board: SlowBench) -> None:
    assert enrolled(board) is Result.CONFIRM
    assert len(board.ages_ns) == FRAMES
    assert max(board.ages_ns) <= FRESH_NS


def test_eye_that_sends_the_late_frame_ends_the_whole_enrolment(
    board: SlowBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded(monkeypatch)
    assert enrolled(board) is Result.REFUSED


def test_approach_is_not_lost_to_a_late_first_frame(board: SlowBench) -> None:
    assert verdicts(board) == [Outcome.ACCEPTED]
    assert max(board.ages_ns) <= FRESH_NS


def test_eye_that_sends_the_late_frame_has_the_resident_refused(
    board: SlowBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded(monkeypatch)
    assert verdicts(board) == [Outcome.REFUSED]


def test_board_that_is_always_too_slow_sends_nothing_and_says_once_why(
    board: SlowBench, capsys: pytest.CaptureFixture[str]
) -> None:
    board.looks_ms = lambda _: COLD_MS
    assert verdicts(board) == []
    assert board.ages_ns == []
    assert not board.open_
    assert capsys.readouterr().err.count("too old afterwards") == 1

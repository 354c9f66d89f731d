"""eye's work with a simulated camera, a simulated sight and a clock that only moves when told."""

import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import NoReturn, cast

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from device import wire
from device.config.tables import Config, DoorTable
from device.edges import Room
from device.errors import CameraFault, NotPermitted
from device.eye.camera import Frame
from device.eye.loop import FAULTS_BEFORE_RESTART, PROBE_AGAIN_S, WINDOW_LIMIT_S, EyeWork
from device.eye.series import Enrolment
from device.eye.sight import Seen
from device.link import Link
from device.wire import CameraCondition, Hint, LookMode

MS = 1_000_000
S = 1_000_000_000
MODEL, COVERED = b"modelid!", b"covered!"
CONFIG = Config(DoorTable("0123456789abcdef"))
IDLE, STREAMING, FAULT = CameraCondition.IDLE, CameraCondition.STREAMING, CameraCondition.FAULT


class GaveUpError(BaseException):
    """What the simulated leash does instead of ending the test's process."""


def someone(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    vector = np.random.default_rng(seed).normal(0, 1, 128)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@dataclass
class Bench:
    """One eye on a bench: the parts around EyeWork, each with its state to be asked."""

    now_ns: int = 1000 * S
    open_: bool = False
    frames_read: int = 0
    illegal_reads: int = 0
    may_read: bool = False
    broken: str = ""
    restart_heals: bool = False
    held: bool = False
    held_frames: list[bool] = field(default_factory=list)
    forgotten: int = 0
    seen: list[Hint | int] = field(default_factory=list)
    covered: bool = False
    asked: set[LookMode] = field(default_factory=set)
    sent: list[tuple[Room, wire.Message]] = field(default_factory=list)
    links: dict[Room, Link] = field(default_factory=dict)
    last_frame: weakref.ref[object] | None = None
    not_before_ns: int = 0

    # ---- Camera
    def probe(self) -> None:
        if self.broken == "absent":
            raise CameraFault("no camera")

    def open(self) -> None:
        self.open_ = True
        if self.broken:
            raise CameraFault("does not open")

    def read(self, not_before_ns: int) -> Frame:
        self.not_before_ns = not_before_ns
        if self.broken:
            raise CameraFault("gave no frame")
        self.frames_read += 1
        self.held_frames.append(self.held)
        self.illegal_reads += not (self.may_read and self.open_)
        self.now_ns = max(self.now_ns + 66 * MS, not_before_ns)
        main = np.zeros((4, 4, 3), np.uint8)
        self.last_frame = weakref.ref(main)
        return Frame(main, main, self.now_ns)

    def steady(self, *, held: bool) -> None:
        assert self.open_
        self.held = held

    def close(self) -> None:
        self.open_ = self.held = False

    # ---- Sight
    def model_id(self, *, covered: bool) -> bytes:
        return COVERED if covered else MODEL

    def look(self, frame: Frame, mode: LookMode) -> Seen:
        self.asked.add(mode)
        shown = self.seen.pop(0) if self.seen else 1
        if isinstance(shown, Hint):
            return Seen(frame.time_ns, shown)
        return Seen(frame.time_ns, None, someone(shown), 60.0, covered=self.covered)

    def forget(self) -> None:
        self.forgotten += 1

    # ---- Service
    def send(self, peer: Room, msg: wire.Message) -> bool:
        if peer in self.links:
            self.sent.append((peer, msg))
        return peer in self.links

    def link(self, peer: Room) -> Link | None:
        return self.links.get(peer)

    # ---- Leash
    @contextmanager
    def hold(self, seconds: float) -> Iterator[None]:
        assert seconds > 0
        yield

    def give_up(self, why: str) -> NoReturn:
        raise GaveUpError(why)

    # ---- driving
    def to(self, peer: Room, kind: type[wire.Message]) -> list[wire.Message]:
        return [msg for room, msg in self.sent if room is peer and isinstance(msg, kind)]

    def states(self) -> list[CameraCondition]:
        return [cast("wire.CameraState", msg).condition for msg in self.to(Room.LOCK, wire.CameraState)]


def make(bench: Bench, *, vault: bool = True) -> EyeWork:
    work = EyeWork(bench, bench, bench, CONFIG, bench, lambda: bench.now_ns)
    for peer in (Room.LOCK, Room.VAULT) if vault else (Room.LOCK,):
        bench.links[peer] = cast("Link", SimpleNamespace(peer=peer))
        work.connected(bench.links[peer])
    return work


def look(bench: Bench, work: EyeWork, number: int = 1, mode: LookMode = LookMode.RECOGNISE) -> None:
    bench.may_read = True
    work.received(bench.links[Room.LOCK], wire.Look(bytes([number]) * 16, mode))


def close(bench: Bench, work: EyeWork) -> None:
    bench.may_read = False
    work.received(bench.links[Room.LOCK], wire.Close())


def run(bench: Bench, work: EyeWork, ticks: int = 100) -> int:
    """Tick as the service would, as long as work is wanted at once; how often it was."""
    for count in range(ticks):
        due = work.deadline()
        if due is None or due * S > bench.now_ns:
            return count
        work.tick()
    return ticks


def test_without_a_look_nothing_is_ever_read_and_nothing_is_ever_due() -> None:
    bench = Bench()
    work = make(bench)
    assert work.deadline() is None
    work.tick()
    close(bench, work)
    work.tick()
    assert (bench.frames_read, bench.open_) == (0, False)
    assert bench.states() == [IDLE]


def test_the_frames_of_one_mean_are_exposed_alike_and_others_are_not_held() -> None:
    bench = Bench(seen=[Hint.LOOK_AT_CAMERA, 1, 1, 1])
    work = make(bench)
    look(bench, work)
    run(bench, work)
    assert bench.held_frames == [False, False, True, True]
    look(bench, work, 2)  # the next approach begins with the camera's own choice
    run(bench, work, 1)
    assert bench.held_frames[4:] == [False]
    close(bench, work)
    assert not bench.held
    bench.held_frames.clear()
    look(bench, work, 3, LookMode.ENROL)
    run(bench, work, 20)
    assert not any(bench.held_frames), "the samples of an enrolment are meant to differ"


def test_a_look_becomes_one_probe_of_three_frames() -> None:
    bench = Bench()
    work = make(bench)
    look(bench, work)
    asked_ns = bench.now_ns
    run(bench, work)
    (probe,) = cast("list[wire.Probe]", bench.to(Room.VAULT, wire.Probe))
    assert (probe.nonce, probe.frames, probe.model) == (b"\1" * 16, 3, MODEL)
    assert probe.attack is wire.Attack.NOT_TESTED
    assert np.allclose(np.frombuffer(probe.embedding, "<f4"), someone(1), atol=1e-6)
    assert probe.frame_ns >= asked_ns
    assert bench.not_before_ns == asked_ns
    assert wire.unpack(wire.pack(probe)) == probe


def test_after_the_probe_no_frame_is_read_until_the_next_look() -> None:
    bench = Bench()
    work = make(bench)
    look(bench, work)
    run(bench, work)
    read = bench.frames_read
    for _ in range(20):
        bench.now_ns += 100 * MS
        run(bench, work)
    assert bench.frames_read == read == 3
    assert bench.open_  # the stream may stay: starting it costs the next approach time
    look(bench, work, 2)
    run(bench, work)
    assert bench.frames_read == 6
    assert [cast("wire.Probe", p).nonce[0] for p in bench.to(Room.VAULT, wire.Probe)] == [1, 2]


def test_close_stops_everything_and_overwrites_what_was_seen() -> None:
    bench = Bench()
    work = make(bench)
    look(bench, work)
    work.tick()
    close(bench, work)
    assert (bench.open_, bench.forgotten, work.deadline()) == (False, 1, None)
    assert bench.states() == [IDLE, STREAMING, IDLE]
    run(bench, work)
    assert bench.frames_read == 1
    assert bench.to(Room.VAULT, wire.Probe) == []


def test_frames_die_with_the_tick_that_read_them() -> None:
    bench = Bench()
    work = make(bench)
    look(bench, work)
    work.tick()
    gc.collect()
    assert bench.last_frame is not None
    assert bench.last_frame() is None


def test_embeddings_die_with_the_window() -> None:
    bench = Bench()
    work = make(bench)
    look(bench, work)
    work.tick()
    assert work._approach is not None
    kept = weakref.ref(work._approach.gather._kept[0].embedding)  # type: ignore[union-attr]  # a Recognition
    assert kept() is not None
    close(bench, work)
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("peer", [Room.LOCK, Room.VAULT])
def test_a_lost_peer_ends_the_window(peer: Room) -> None:
    bench = Bench()
    work = make(bench)
    look(bench, work)
    work.tick()
    gone = bench.links.pop(peer)
    work.disconnected(gone)
    assert (bench.open_, bench.forgotten, work.deadline()) == (False, 1, None)
    run(bench, work)
    assert bench.frames_read == 1


def test_a_peer_that_breaks_the_table_ends_the_window_and_raises_the_alarm() -> None:
    bench = Bench()
    work = make(bench)
    look(bench, work)
    work.tick()
    work.breached(Room.LOCK)
    assert not bench.open_
    assert len(bench.to(Room.LOCK, wire.Breach)) == 1


def test_an_alarm_that_lock_was_not_there_to_hear_is_told_when_it_is_back_and_once() -> None:
    bench = Bench()
    work = make(bench)
    lock = bench.links.pop(Room.LOCK)
    work.disconnected(lock)
    work.breached(Room.LOCK)
    for _ in range(2):
        bench.links[Room.LOCK] = lock
        work.connected(lock)
        assert len(bench.to(Room.LOCK, wire.Breach)) == 1
        work.disconnected(bench.links.pop(Room.LOCK))


def test_without_vault_no_frame_is_read_and_lock_is_told() -> None:
    bench = Bench()
    work = make(bench, vault=False)
    look(bench, work)
    bench.may_read = False
    run(bench, work)
    assert (bench.frames_read, bench.open_) == (0, False)
    assert bench.states() == [IDLE, IDLE]


def test_a_window_that_lock_forgets_is_closed_by_eye_itself() -> None:
    bench = Bench(seen=[Hint.NOBODY] * 1000)
    work = make(bench)
    began_ns = bench.now_ns
    look(bench, work)
    run(bench, work, 1000)
    assert not bench.open_
    assert bench.now_ns - began_ns < (WINDOW_LIMIT_S + 0.2) * S
    bench.may_read = False
    with pytest.raises(NotPermitted, match="must be closed"):
        look(bench, work, 2)
    bench.may_read = False
    close(bench, work)
    look(bench, work, 3)
    run(bench, work, 1)
    assert bench.illegal_reads == 0


def test_more_looks_do_not_lengthen_a_window() -> None:
    bench = Bench()
    work = make(bench)
    began_ns = bench.now_ns

    def ask_again_and_again() -> None:
        for number in range(1, 255):
            look(bench, work, number)
            run(bench, work)

    with pytest.raises(NotPermitted):
        ask_again_and_again()
    assert bench.now_ns - began_ns < (WINDOW_LIMIT_S + 0.2) * S
    assert not bench.open_


def test_an_idle_window_is_due_at_its_end_and_not_before() -> None:
    bench = Bench()
    work = make(bench)
    began_ns = bench.now_ns
    look(bench, work)
    run(bench, work)
    due = work.deadline()
    assert due is not None
    assert due == pytest.approx(began_ns / S + WINDOW_LIMIT_S)
    bench.now_ns = int(due * S) + 1
    work.tick()
    assert not bench.open_


def test_a_nonce_is_used_once() -> None:
    bench = Bench()
    work = make(bench)
    look(bench, work, 7)
    run(bench, work)
    with pytest.raises(NotPermitted, match="nonce"):
        look(bench, work, 7)
    assert len(bench.to(Room.VAULT, wire.Probe)) == 1


def test_a_new_look_drops_the_frames_of_the_old_one() -> None:
    bench = Bench(seen=[1, 1, 2, 2, 2])
    work = make(bench)
    look(bench, work, 1)
    work.tick()
    work.tick()
    look(bench, work, 2)
    run(bench, work)
    (probe,) = cast("list[wire.Probe]", bench.to(Room.VAULT, wire.Probe))
    assert probe.nonce == b"\2" * 16
    assert np.allclose(np.frombuffer(probe.embedding, "<f4"), someone(2), atol=1e-6)


def samples(bench: Bench) -> list[wire.Sample]:
    return cast("list[wire.Sample]", bench.to(Room.VAULT, wire.Sample))


def hints(bench: Bench) -> list[Hint]:
    return [cast("wire.Guidance", msg).hint for msg in bench.to(Room.VAULT, wire.Guidance)]


def test_enrolment_sends_numbered_samples_and_no_probe() -> None:
    bench = Bench(seen=list(range(100)))
    work = make(bench)
    look(bench, work, 1, LookMode.ENROL)
    run(bench, work)
    assert [sample.index for sample in samples(bench)] == list(range(CONFIG.eye.enrol_frames))
    assert bench.asked == {LookMode.ENROL}
    assert bench.to(Room.VAULT, wire.Probe) == []
    read = bench.frames_read
    run(bench, work)
    assert bench.frames_read == read


def test_enrolment_of_a_frozen_picture_is_never_finished_and_is_told_to_turn() -> None:
    bench = Bench()
    work = make(bench)
    look(bench, work, 1, LookMode.ENROL)
    run(bench, work, 1000)
    assert len(samples(bench)) == 1
    assert set(hints(bench)) == {Hint.TURN_A_LITTLE}
    assert not bench.open_


def test_a_covered_face_is_asked_to_uncover_and_its_samples_say_that_it_did_not() -> None:
    bench = Bench(seen=list(range(1000)), covered=True)
    work = make(bench)
    look(bench, work, 1, LookMode.ENROL)
    work.tick()
    assert (hints(bench), samples(bench)) == ([Hint.UNCOVER_YOUR_FACE], [])
    run(bench, work, 1000)
    assert len(samples(bench)) == CONFIG.eye.enrol_frames
    assert set(hints(bench)) == {Hint.UNCOVER_YOUR_FACE}
    assert all(sample.covered and sample.model == COVERED for sample in samples(bench))


def test_who_declared_a_covered_face_is_not_asked_to_uncover() -> None:
    bench = Bench(seen=list(range(1000)), covered=True)
    work = make(bench)
    look(bench, work, 1, LookMode.ENROL_COVERED)
    run(bench, work, 1000)
    assert len(samples(bench)) == CONFIG.eye.enrol_frames
    assert not hints(bench)
    assert all(sample.covered and sample.model == COVERED for sample in samples(bench))


def test_who_declared_a_covered_face_and_comes_bare_is_asked_to_cover_it_and_its_samples_say_so() -> None:
    bench = Bench(seen=list(range(1000)))
    work = make(bench)
    look(bench, work, 1, LookMode.ENROL_COVERED)
    work.tick()
    assert (hints(bench), samples(bench)) == ([Hint.COVER_YOUR_FACE], [])
    run(bench, work, 1000)
    assert samples(bench)
    assert not any(sample.covered for sample in samples(bench))
    assert {sample.model for sample in samples(bench)} == {MODEL}


@pytest.mark.parametrize("covered", [False, True])
def test_a_probe_says_whether_the_face_was_covered(covered: bool) -> None:
    bench = Bench(covered=covered)
    work = make(bench)
    look(bench, work)
    run(bench, work)
    (probe,) = cast("list[wire.Probe]", bench.to(Room.VAULT, wire.Probe))
    assert probe.covered is covered
    assert probe.model == (COVERED if covered else MODEL)


def test_recognition_asks_nobody_to_turn_or_to_uncover() -> None:
    bench = Bench(covered=True)
    work = make(bench)
    look(bench, work)
    run(bench, work)
    assert hints(bench) == []
    assert bench.asked == {LookMode.RECOGNISE}
    assert len(bench.to(Room.VAULT, wire.Probe)) == 1


def test_frames_with_a_second_face_are_never_samples() -> None:
    bench = Bench(seen=[Hint.ONE_PERSON_ONLY] * 1000)
    work = make(bench)
    look(bench, work, 1, LookMode.ENROL)
    run(bench, work, 1000)
    assert samples(bench) == []
    assert set(hints(bench)) == {Hint.ONE_PERSON_ONLY}


def test_samples_of_an_enrolment_die_with_the_window() -> None:
    bench = Bench()
    work = make(bench)
    look(bench, work, 1, LookMode.ENROL)
    work.tick()
    assert work._approach is not None
    assert isinstance(work._approach.gather, Enrolment)
    kept = weakref.ref(work._approach.gather._sent[0])
    assert kept() is not None
    close(bench, work)
    gc.collect()
    assert kept() is None


def test_hints_name_the_approach_and_are_few() -> None:
    bench = Bench(seen=[Hint.NOBODY] * 60)
    work = make(bench)
    look(bench, work)
    for _ in range(60):
        work.tick()
    said = cast("list[wire.Guidance]", bench.to(Room.VAULT, wire.Guidance))
    assert {hint.nonce for hint in said} == {b"\1" * 16}
    assert 1 <= len(said) <= 3  # four seconds


def test_a_camera_fault_is_told_survived_and_healed() -> None:
    bench = Bench()
    work = make(bench)
    bench.broken = "stalled"
    look(bench, work)
    run(bench, work)
    assert bench.states() == [IDLE, FAULT]
    assert not bench.open_
    bench.broken = ""
    close(bench, work)
    assert bench.states()[-1] is IDLE
    look(bench, work, 2)
    run(bench, work)
    assert len(bench.to(Room.VAULT, wire.Probe)) == 1


def test_an_absent_camera_is_looked_for_again_without_a_frame() -> None:
    bench = Bench(broken="absent")
    work = make(bench)
    assert bench.states() == [FAULT]
    assert work.deadline() == pytest.approx(bench.now_ns / S + PROBE_AGAIN_S)
    bench.now_ns += int(PROBE_AGAIN_S * S)
    work.tick()
    assert bench.states() == [FAULT]
    bench.broken = ""
    bench.now_ns += int(PROBE_AGAIN_S * S)
    work.tick()
    assert bench.states() == [FAULT, IDLE]
    assert (bench.frames_read, work.deadline()) == (0, None)


def test_a_camera_that_only_a_restart_heals_ends_the_process() -> None:
    bench = Bench(restart_heals=True)
    work = make(bench)
    bench.broken = "stalled"
    for number in range(1, FAULTS_BEFORE_RESTART):
        look(bench, work, number)
        run(bench, work)
        close(bench, work)
    look(bench, work, FAULTS_BEFORE_RESTART)
    with pytest.raises(GaveUpError):
        run(bench, work)
    assert bench.states()[-1] is FAULT


def test_a_missing_picture_never_ends_the_process() -> None:
    bench = Bench()
    work = make(bench)
    bench.broken = "no picture"
    for number in range(1, 50):
        look(bench, work, number)
        run(bench, work)
        close(bench, work)
    assert bench.states()[-1] is IDLE


def test_health_is_lost_when_frames_stop_coming_while_wanted() -> None:
    bench = Bench()
    work = make(bench)
    assert work.healthy()
    look(bench, work)
    assert work.healthy()
    bench.now_ns += 60 * S
    assert not work.healthy()
    close(bench, work)
    assert work.healthy()


def test_stop_closes_the_camera() -> None:
    bench = Bench()
    work = make(bench)
    look(bench, work)
    work.tick()
    work.stop()
    assert not bench.open_


def test_other_messages_are_not_permitted() -> None:
    bench = Bench()
    work = make(bench)
    with pytest.raises(NotPermitted):
        work.received(bench.links[Room.LOCK], wire.FaceReady(recognise=True, enrol=True, claim_first=False))


class AnyOrder(RuleBasedStateMachine):
    """Whatever lock, vault, the camera and time do: no frame outside a window, one Probe a nonce, a bounded window."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.work = make(self.bench)
        self.used = 0
        self.opened_ns: int | None = None

    @rule(mode=st.sampled_from(LookMode))
    def look(self, mode: LookMode) -> None:
        if Room.LOCK not in self.bench.links:
            return
        self.used += 1
        before = self.bench.may_read
        try:
            self.work.received(self.bench.links[Room.LOCK], wire.Look(self.used.to_bytes(16, "big"), mode))
            self.bench.may_read = Room.VAULT in self.bench.links
        except NotPermitted:
            self.bench.may_read = before

    @rule()
    def close(self) -> None:
        if Room.LOCK in self.bench.links:
            close(self.bench, self.work)

    @rule(shown=st.sampled_from([1, 2, Hint.NOBODY, Hint.TOO_DARK]))
    def tick(self, shown: Hint | int) -> None:
        self.bench.seen = [shown]
        self.work.tick()

    @rule(ms=st.integers(1, 12_000))
    def wait(self, ms: int) -> None:
        self.bench.now_ns += ms * MS

    @rule(broken=st.sampled_from(["", "stalled", "absent"]))
    def camera(self, broken: str) -> None:
        self.bench.broken = broken

    @rule(peer=st.sampled_from([Room.LOCK, Room.VAULT]))
    def lose(self, peer: Room) -> None:
        link = self.bench.links.pop(peer, None)
        if link:
            self.bench.may_read = False
            self.work.disconnected(link)

    @precondition(lambda self: len(self.bench.links) < 2)
    @rule()
    def back(self) -> None:
        for peer in (Room.LOCK, Room.VAULT):
            if peer not in self.bench.links:
                self.bench.links[peer] = cast("Link", SimpleNamespace(peer=peer))
                self.work.connected(self.bench.links[peer])

    @invariant()
    def no_press_no_pixels(self) -> None:
        assert self.bench.illegal_reads == 0
        assert self.bench.may_read or not self.bench.open_

    @invariant()
    def one_probe_a_nonce(self) -> None:
        nonces = [cast("wire.Probe", probe).nonce for probe in self.bench.to(Room.VAULT, wire.Probe)]
        assert len(set(nonces)) == len(nonces)

    @invariant()
    def window_is_bounded(self) -> None:
        """What is open is due to be closed at most a window's length after it was opened."""
        due = self.work.deadline()
        if not self.bench.open_:
            self.opened_ns = None
            return
        self.opened_ns = self.opened_ns or self.bench.now_ns
        assert due is not None
        assert due <= self.opened_ns / S + WINDOW_LIMIT_S


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("fault", ["keeps reading after Close", "reads without vault"])
def test_the_suite_sees_a_seeded_fault(fault: str) -> None:
    """The checks above are worth something: an eye that breaks the rule is caught by `illegal_reads`."""
    bench = Bench()
    work = make(bench)
    look(bench, work)
    work.tick()
    approach, window = work._approach, work._window
    if fault == "keeps reading after Close":
        close(bench, work)
    else:
        bench.may_read = False
        work.disconnected(bench.links.pop(Room.VAULT))
    work._approach, work._window = approach, window
    work.tick()
    assert bench.illegal_reads == 1

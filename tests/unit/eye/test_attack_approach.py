"""One approach at a door with lights, and eye's loop around it: simulated sight, camera and clock."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar, cast

import numpy as np
import pytest

from device import wire
from device.challenge import MS
from device.config.tables import Config, DoorTable, LockTable
from device.edges import Room
from device.errors import ConfigRefused, NotPermitted
from device.eye.attack import approach
from device.eye.attack.approach import LOG_LIMIT_NS, Answer, Challenged, Watched
from device.eye.attack.glance import Glance
from device.eye.attack.judge import Figures, Judgement, Why
from device.eye.attack.moved import Followed, Moved
from device.eye.camera import Frame
from device.eye.gather import FRESH_NS
from device.eye.loop import EyeWork
from device.eye.questioned import Questioned
from device.wire import Attack, Hint, LookMode
from tests.unit.eye.lit_world import BEGAN_NS, FITTED, FLAT, NONCE, World
from tests.unit.eye.test_loop import CONFIG, Bench, close, look, run, someone

Crop = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
LIGHTS = LockTable(
    left_light_weak_pin="GPIO5",
    left_light_strong_pin="GPIO6",
    right_light_weak_pin="GPIO12",
    right_light_strong_pin="GPIO13",
)
LIT = dataclasses.replace(CONFIG, lock=LIGHTS)


def crop(person: int) -> Crop:
    return np.full((112, 112, 3), person, np.uint8)


def embed(shown: Crop) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return someone(int(shown[0, 0, 0]))


def watched(glance: Glance, person: int = 7, **more: object) -> Watched:
    return dataclasses.replace(Watched(glance.time_ns, None, glance, crop(person)), **more)  # type: ignore[arg-type]  # its own fields


def gone_through(
    world: World, frames: Iterable[Watched] | None = None, gather: Challenged | None = None
) -> tuple[Challenged, wire.ChallengeLog]:
    """An approach that asked before the challenge began and saw all of it; the log is not told yet."""
    log, glances = world.challenge(0)
    gather = gather or Challenged(FITTED, 3)
    seen = list(frames or map(watched, glances))
    assert [gather.offer(one) for one in seen[:2]] == [False, True]
    gather.asked(seen[1].frame_ns)
    for one in seen[2:]:
        assert not gather.offer(one)
    return gather, log


def answer_of(gather: Challenged, log: wire.ChallengeLog) -> Answer | None:
    gather.tell(log)
    return gather.due(lambda: log.ended_ns + 60 * MS, embed)


def test_a_face_that_answers_is_embedded_from_crops_of_the_challenge() -> None:
    gather, log = gone_through(World())
    answer = answer_of(gather, log)
    assert answer is not None
    assert answer.attack is Attack.BONA_FIDE
    assert answer.mean is not None
    assert (answer.mean.frames, gather.done) == (3, True)
    assert log.began_ns <= answer.mean.frame_ns <= log.ended_ns
    assert np.allclose(answer.mean.embedding, someone(7), atol=1e-6)


def test_of_a_face_that_failed_no_embedding_ever_exists() -> None:
    def never(_: Crop) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        raise AssertionError("a face that failed was embedded")

    gather, log = gone_through(World(shape=FLAT["flat"], noise=0.001))
    gather.tell(log)
    answer = gather.due(lambda: log.ended_ns, never)
    assert answer == Answer(Attack.PRESENTATION, why=Why.FLAT)
    # The seeded fault: a judge that lets everything pass would have embedded it.
    gather, log = gone_through(World())
    gather.tell(log)
    with pytest.raises(AssertionError, match="embedded"):
        gather.due(lambda: log.ended_ns, never)


def test_there_is_no_answer_before_the_log_and_inconclusive_without_one() -> None:
    gather, log = gone_through(World())
    asked_ns = cast("int", gather._asked_ns)
    assert gather.due(lambda: asked_ns + LOG_LIMIT_NS - 1, embed) is None
    assert gather.due(lambda: asked_ns + LOG_LIMIT_NS, embed) == Answer(Attack.INCONCLUSIVE)
    gather.tell(log)
    assert gather.due(lambda: asked_ns + LOG_LIMIT_NS, embed) is None, "one answer for an approach"


def test_a_log_nobody_asked_for_says_nothing_and_a_second_one_neither() -> None:
    log, _ = World().challenge(0)
    gather = Challenged(FITTED, 3)
    gather.tell(log)
    assert not gather.told
    gather, log = gone_through(World())
    gather.tell(log)
    gather.tell(dataclasses.replace(log, left_1=9))
    answer = gather.due(lambda: log.ended_ns, embed)
    assert answer is not None
    assert answer.attack is Attack.BONA_FIDE


def test_crops_that_show_two_people_are_inconclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    _, glances = World().challenge(0)
    middle = BEGAN_NS + 450 * MS
    frames = [watched(one, 7 if one.time_ns < middle else 8) for one in glances]
    gather, log = gone_through(World(), frames)
    assert answer_of(gather, log) == Answer(Attack.INCONCLUSIVE)
    monkeypatch.setattr(approach, "SAME_PERSON", -1.0)
    gather, log = gone_through(World(), frames)
    answer = answer_of(gather, log)
    assert answer is not None
    assert answer.attack is Attack.BONA_FIDE, "without the comparison two people would be averaged"


def test_a_crop_that_is_not_of_the_challenge_is_not_embedded() -> None:
    log, glances = World().challenge(0)
    frames = [watched(one, 7) if log.began_ns <= one.time_ns <= log.ended_ns else watched(one, 8) for one in glances]
    gather, log = gone_through(World(), frames)
    answer = answer_of(gather, log)
    assert answer is not None
    assert answer.mean is not None
    assert np.allclose(answer.mean.embedding, someone(7), atol=1e-6)


def test_a_frame_that_was_there_before_is_a_presentation() -> None:
    _, glances = World().challenge(0)
    frames = [watched(one, again=number == 9) for number, one in enumerate(glances)]
    gather, log = gone_through(World(), frames)
    assert answer_of(gather, log) == Answer(Attack.PRESENTATION)
    gather, _ = gone_through(World(), frames)
    asked_ns = cast("int", gather._asked_ns)
    assert gather.due(lambda: asked_ns + LOG_LIMIT_NS, embed) == Answer(Attack.PRESENTATION), (
        "nor is a log needed for it"
    )


def test_what_is_too_old_when_it_would_be_sent_is_not_averaged() -> None:
    gather, log = gone_through(World())
    gather.tell(log)
    answer = gather.due(lambda: log.ended_ns + FRESH_NS, embed)
    assert answer == Answer(Attack.INCONCLUSIVE)
    gather, log = gone_through(World())
    gather.tell(log)
    late_ns = log.began_ns + FRESH_NS + 300 * MS
    answer = gather.due(lambda: late_ns, embed)
    assert answer is not None
    assert answer.mean is not None
    assert answer.mean.frames < 3
    assert late_ns - answer.mean.frame_ns <= FRESH_NS


def test_crops_are_overwritten_with_the_answer_and_when_forgotten() -> None:
    for end in ("answer", "forget"):
        gather, log = gone_through(World())
        kept = [one for _, one in gather._crops]
        assert kept
        if end == "answer":
            answer_of(gather, log)
        else:
            gather.forget()
        assert not any(one.any() for one in kept)
        assert not gather._glances


def test_a_challenge_is_asked_for_once_a_good_face_stands_still() -> None:
    _, glances = World().challenge(0)
    step = np.array([0.3, 0.0, 0.0])
    gather = Challenged(FITTED, 3)
    walking = [
        watched(dataclasses.replace(one, lens=one.lens + number * step)) for number, one in enumerate(glances[:5])
    ]
    assert not any(gather.offer(one) for one in walking)
    assert not gather.offer(watched(glances[5], hint=Hint.TOO_DARK)), "too dark stays a prompt"
    assert not gather.offer(watched(glances[6]))
    assert gather.offer(watched(glances[7]))


# ---- the loop


@dataclass
class LitBench(Bench):
    """A bench at a door with lights: faces stand still, lock answers with the log of a challenge that was seen."""

    world: World = field(default_factory=World)
    seed: int = 0
    begun: int = 0
    people: list[int] = field(default_factory=list)
    log: wire.ChallengeLog | None = None
    stream: list[Glance] = field(default_factory=list)
    hint: Hint | None = None

    def begin(self) -> None:
        self.begun += 1
        self.log, self.stream = self.world.challenge(self.seed)

    def watch(self, frame: Frame, *, crop: bool) -> Watched:
        if self.hint or not self.stream:
            return Watched(frame.time_ns, self.hint or Hint.NOBODY)
        glance = self.stream.pop(0)
        self.now_ns = glance.time_ns + 20 * MS
        shown = np.full((112, 112, 3), 7, np.uint8)
        return Watched(glance.time_ns, None, glance, shown if crop else None)

    def follow(self, frame: Frame, *, crop: bool) -> Followed:
        return Followed(frame.time_ns, Hint.NOBODY)

    def embed(self, crop: Crop) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        self.people.append(int(crop[0, 0, 0]))
        return someone(self.people[-1])


def lit(bench: LitBench) -> EyeWork:
    work = EyeWork(bench, bench, bench, LIT, bench, lambda: bench.now_ns, watcher=bench)
    for peer in (Room.LOCK, Room.VAULT):
        bench.links[peer] = cast("wire.Link", type("L", (), {"peer": peer})())  # type: ignore[name-defined]  # stands for a link
        work.connected(bench.links[peer])
    return work


Stage = TypeVar("Stage", Challenged, Moved)


def stage(work: EyeWork, kind: type[Stage]) -> Stage:
    """The challenge that runs."""
    assert work._approach is not None
    assert isinstance(work._approach.gather, Questioned)
    assert isinstance(work._approach.gather._stage, kind)
    return work._approach.gather._stage


def probes(bench: LitBench) -> list[wire.Probe]:
    return cast("list[wire.Probe]", bench.to(Room.VAULT, wire.Probe))


def told(bench: LitBench, work: EyeWork, number: int = 1) -> None:
    """Frames to the end of the challenge, then lock's log."""
    while bench.stream:
        work.tick()
    assert bench.log is not None
    work.received(bench.links[Room.LOCK], dataclasses.replace(bench.log, nonce=bytes([number]) * 16))


def test_a_look_at_a_door_with_lights_becomes_one_request_and_one_probe_with_a_verdict() -> None:
    bench = LitBench()
    work = lit(bench)
    look(bench, work)
    told(bench, work)
    run(bench, work, 3)
    assert [cast("wire.ChallengeRequest", msg).nonce for msg in bench.to(Room.LOCK, wire.ChallengeRequest)] == [NONCE]
    (probe,) = probes(bench)
    assert (probe.nonce, probe.attack, probe.frames) == (NONCE, Attack.BONA_FIDE, 3)
    assert bench.people == [7, 7, 7]
    assert bench.now_ns - probe.frame_ns <= FRESH_NS
    read = bench.frames_read
    run(bench, work)
    assert (bench.frames_read, work.deadline() is not None) == (read, True)


@pytest.mark.parametrize("covered", [False, True])
def test_a_probe_after_a_challenge_says_what_it_means(covered: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.eye.attack.approach.seems_covered", lambda _found: covered)
    bench = LitBench()
    work = lit(bench)
    look(bench, work)
    told(bench, work)
    run(bench, work, 3)
    (probe,) = probes(bench)
    assert (probe.covered, probe.model) == (covered, bench.model_id(covered=covered))


def test_frames_of_a_challenge_are_exposed_alike_and_those_before_it_are_not_held() -> None:
    bench = LitBench()
    work = lit(bench)
    look(bench, work)
    told(bench, work)
    assert bench.held_frames[:2] == [False, False]
    assert all(bench.held_frames[2:])


def test_a_print_is_sent_as_such_and_without_an_embedding() -> None:
    bench = LitBench(world=World(shape=FLAT["flat"], noise=0.001))
    work = lit(bench)
    look(bench, work)
    told(bench, work)
    run(bench, work, 3)
    (probe,) = probes(bench)
    assert (probe.attack, probe.embedding, bench.people) == (Attack.PRESENTATION, bytes(512), [])
    assert wire.unpack(wire.pack(probe)) == probe


def test_a_window_in_which_something_contradicted_a_face_is_not_looked_at_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def print_then_face() -> tuple[list[tuple[int, Attack]], int]:
        """What was sent of which approach, and how many frames were read between the print and the window's end."""
        bench = LitBench(world=World(shape=FLAT["flat"], noise=0.001))
        work = lit(bench)
        look(bench, work, 1)
        told(bench, work, 1)
        run(bench, work, 3)
        read, bench.world = bench.frames_read, World()  # a face, which would pass
        look(bench, work, 2)
        run(bench, work, 40)
        told(bench, work, 2)
        run(bench, work, 3)
        read = bench.frames_read - read
        close(bench, work)
        look(bench, work, 3)
        told(bench, work, 3)
        run(bench, work, 3)
        return [(probe.nonce[0], probe.attack) for probe in probes(bench)], read

    sent, read = print_then_face()
    assert (sent, read) == ([(1, Attack.PRESENTATION), (3, Attack.BONA_FIDE)], 0)
    monkeypatch.setattr(Questioned, "contradicted", property(lambda _: False))
    sent, read = print_then_face()
    assert (2, Attack.BONA_FIDE) in sent
    assert read > 0


def test_a_log_that_never_comes_is_an_inconclusive_probe() -> None:
    bench = LitBench()
    work = lit(bench)
    look(bench, work)
    run(bench, work, 200)
    (probe,) = probes(bench)
    assert (probe.attack, probe.embedding, bench.people) == (Attack.INCONCLUSIVE, bytes(512), [])


def test_a_log_of_another_approach_says_nothing() -> None:
    bench = LitBench()
    work = lit(bench)
    look(bench, work)
    told(bench, work, number=9)
    run(bench, work, 1)
    assert probes(bench) == []
    close(bench, work)
    told(bench, work)
    assert probes(bench) == []


def test_at_a_door_with_lights_nothing_untested_is_ever_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    def attacks() -> set[Attack]:
        found = set()
        for world in (World(), World(shape=FLAT["bent"]), World(gains=(0.0, 0.0)), World(fps=9)):
            bench = LitBench(world=world)
            work = lit(bench)
            look(bench, work)
            told(bench, work)
            run(bench, work, 100)
            found |= {probe.attack for probe in probes(bench)}
        return found

    assert Attack.NOT_TESTED not in attacks()
    monkeypatch.setattr(Questioned, "settle", untested)
    assert Attack.NOT_TESTED in attacks()


def untested(gather: Questioned) -> None:
    """The seeded fault: a Probe without a challenge."""
    probe = wire.Probe(gather._nonce, 0, 1, Attack.NOT_TESTED, b"modelid!", bytes(512))
    gather._around.out.send(Room.VAULT, probe)


def test_enrolment_has_no_challenge() -> None:
    bench = LitBench(seen=list(range(100)))
    work = lit(bench)
    look(bench, work, 1, LookMode.ENROL)
    run(bench, work)
    assert bench.to(Room.LOCK, wire.ChallengeRequest) == []
    assert {cast("wire.Sample", one).attack for one in bench.to(Room.VAULT, wire.Sample)} == {Attack.NOT_TESTED}


def test_hints_are_given_while_a_face_is_waited_for() -> None:
    bench = LitBench(hint=Hint.COME_CLOSER)
    work = lit(bench)
    look(bench, work)
    run(bench, work, 10)
    assert {cast("wire.Guidance", one).hint for one in bench.to(Room.VAULT, wire.Guidance)} == {Hint.COME_CLOSER}
    assert bench.to(Room.LOCK, wire.ChallengeRequest) == []


def test_a_window_that_closes_in_the_middle_leaves_nothing() -> None:
    bench = LitBench()
    work = lit(bench)
    look(bench, work)
    for _ in range(12):
        work.tick()
    assert work._approach is not None
    kept = [one for _, one in stage(work, Challenged)._crops]
    assert kept
    close(bench, work)
    assert not any(one.any() for one in kept)
    assert (bench.forgotten, bench.open_, probes(bench)) == (1, False, [])


def test_each_approach_has_a_challenge_of_its_own() -> None:
    bench = LitBench()
    work = lit(bench)
    for number in (1, 2):
        bench.now_ns += 1
        look(bench, work, number)
        told(bench, work, number)
        run(bench, work, 3)
    assert len(bench.to(Room.LOCK, wire.ChallengeRequest)) == bench.begun == 2
    assert [probe.attack for probe in probes(bench)] == [Attack.BONA_FIDE] * 2


def test_a_door_with_lights_does_not_start_without_what_watches() -> None:
    bench = LitBench()
    with pytest.raises(ConfigRefused, match="lights"):
        EyeWork(bench, bench, bench, LIT, bench, lambda: bench.now_ns)
    assert Config(DoorTable("0" * 16)).lock == LockTable()
    assert not LockTable().lights


def test_a_message_that_is_not_eyes_is_still_not_permitted() -> None:
    bench = LitBench()
    work = lit(bench)
    with pytest.raises(NotPermitted):
        work.received(bench.links[Room.LOCK], wire.Breach())


def test_the_judge_is_what_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that says yes to everything lets a print pass: nothing else stands in its place."""
    monkeypatch.setattr(approach, "judge", lambda *_: Judgement(Attack.BONA_FIDE, Why.SOLID, Figures()))
    bench = LitBench(world=World(shape=FLAT["flat"], noise=0.001))
    work = lit(bench)
    look(bench, work)
    told(bench, work)
    run(bench, work, 3)
    assert [probe.attack for probe in probes(bench)] == [Attack.BONA_FIDE]

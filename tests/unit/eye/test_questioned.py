"""Eye's loop at a door with lights, where a light challenge is in doubt: somebody is asked to turn, or is not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from device import wire
from device.challenge import MS, REST, codes_after, kind_of, may_change_ns
from device.edges import Room
from device.eye import loop, questioned
from device.eye.attack import approach
from device.eye.attack.approach import LOG_LIMIT_NS, Watched
from device.eye.attack.glance import Fitted, Glance
from device.eye.attack.judge import Figures, Judgement, Why, judge
from device.eye.attack.moved import AFTER_NS, PACE_MS, TAKES_NS, Followed, Moved
from device.eye.camera import Frame
from device.eye.loop import EyeWork
from device.motion import LEAD_MS, LIMIT_MS, PROMPT_MS
from device.wire import Attack, Hint
from tests.unit.eye import test_attack_moved as turns
from tests.unit.eye.lit_world import FLAT, NONCE, World
from tests.unit.eye.test_attack_approach import LIT, LitBench, lit, probes, stage, told
from tests.unit.eye.test_loop import close, look, run
from tests.unit.eye.turned_world import BEGAN_NS, PERSON, SHEETS, Thing

SUN = World(gains=(0.0, 0.0))
"""What burns in the sun is not seen."""

BLIND = ("NO_ANSWER", "ONE_LAMP", "FEW_PATCHES")
"""Doubts in which the same lights would see no more the next time."""


@dataclass
class TurningBench(LitBench):
    """A lit bench whose person turns as they are asked once lock was asked; `turning` is what turns, None nobody."""

    world: World = SUN
    turning: Thing | None = PERSON
    followed: list[Followed] = field(default_factory=list)
    shift_ns: int = 0
    seen_before_asked: int = 0

    def requests(self) -> list[wire.MotionRequest]:
        return cast("list[wire.MotionRequest]", self.to(Room.LOCK, wire.MotionRequest))

    def follow(self, frame: Frame, *, crop: bool) -> Followed:
        if not self.requests():
            self.seen_before_asked += 1
        if not self.followed and not self.shift_ns and self.turning is not None:
            self.followed = turns.frames(self.turning, degrees=12)
            self.shift_ns = turns.ASKED_NS - self.now_ns
        if not self.followed:
            return Followed(frame.time_ns, Hint.NOBODY)
        one = self.followed.pop(0)
        self.now_ns = one.frame_ns - self.shift_ns
        if one.moment is None:
            return Followed(self.now_ns, one.hint)
        return Followed(self.now_ns, None, type(one.moment)(self.now_ns, one.moment.shot, one.moment.crop))

    def motion_log(self, number: int = 1) -> wire.MotionLog:
        began, ended = BEGAN_NS - self.shift_ns, turns.ENDED_NS - self.shift_ns
        step = PROMPT_MS * MS
        return wire.MotionLog(bytes([number]) * 16, *turns.ASKED, began, began + step, began + 2 * step, ended)


def doubted(bench: TurningBench, number: int = 1) -> EyeWork:
    """A Look, its light challenge, and the log of it."""
    work = lit(bench)
    look(bench, work, number)
    told(bench, work, number)
    run(bench, work, 1)
    return work


def turned(bench: TurningBench, work: EyeWork, log: wire.MotionLog | None = None) -> None:
    """Frames to the end of the last prompt, the log, and frames until nobody needs more."""
    while work.deadline() == 0 and not (bench.shift_ns and bench.now_ns >= turns.ENDED_NS - bench.shift_ns):
        work.tick()
    work.received(bench.links[Room.LOCK], log or bench.motion_log())
    run(bench, work, 60)


def test_who_is_in_doubt_and_turns_as_asked_is_sent_as_such_and_as_nothing_better() -> None:
    bench = TurningBench()
    work = doubted(bench)
    assert [one.nonce for one in bench.requests()] == [NONCE]
    assert probes(bench) == []
    assert work.deadline() == 0
    turned(bench, work)
    (probe,) = probes(bench)
    assert (probe.nonce, probe.attack, probe.frames) == (NONCE, Attack.MOVED, 3)
    assert set(bench.people) == {7}
    assert probe.frame_ns > turns.ENDED_NS - bench.shift_ns
    assert bench.seen_before_asked == 0
    assert all(bench.held_frames[3:]), "exposed alike"
    read = bench.frames_read
    run(bench, work)
    assert bench.frames_read == read


@pytest.mark.slow
@pytest.mark.parametrize("sheet", ["flat", "bent"])
def test_a_sheet_that_is_turned_in_time_stays_a_doubt_and_without_an_embedding(sheet: str) -> None:
    bench = TurningBench(turning=SHEETS[sheet])
    work = doubted(bench)
    turned(bench, work)
    (probe,) = probes(bench)
    assert (probe.attack, probe.embedding, bench.people) == (Attack.INCONCLUSIVE, bytes(512), [])


@pytest.mark.parametrize("why", [why for why in Why if why is not Why.SOLID], ids=lambda why: why.name)
def test_only_where_lights_cannot_work_somebody_is_asked_to_turn_and_else_the_lights_are_next(
    why: Why, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack = Attack.PRESENTATION if why in (Why.OTHER_CODE, Why.BEHIND, Why.FLAT) else Attack.INCONCLUSIVE
    monkeypatch.setattr(approach, "judge", lambda *_: Judgement(attack, why, Figures()))

    def asked() -> bool:
        bench = TurningBench()
        doubted(bench)
        assert len(probes(bench)) == (not bench.requests())
        return bool(bench.requests())

    assert asked() is (why.name in BLIND)
    monkeypatch.setattr(questioned, "BLIND", frozenset(Why))
    assert asked() is True, "the seeded fault: whatever was decided, people are asked to turn"


@pytest.mark.parametrize("why", [Why.SHAPE_UNCLEAR, Why.CODE_UNCLEAR, Why.MOVED], ids=lambda why: why.name)
def test_who_was_in_doubt_is_judged_anew_by_the_next_lights_and_by_them_alone(
    why: Why, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[list[Glance]] = []

    def first_in_doubt(log: wire.ChallengeLog, glances: Sequence[Glance], fitted: Fitted) -> Judgement:
        judged.append(list(glances))
        return Judgement(Attack.INCONCLUSIVE, why, Figures()) if len(judged) == 1 else judge(log, glances, fitted)

    monkeypatch.setattr(approach, "judge", first_in_doubt)
    bench = TurningBench(world=World())
    work = doubted(bench)
    (doubt,) = probes(bench)
    assert (doubt.attack, doubt.embedding, bench.people) == (Attack.INCONCLUSIVE, bytes(512), [])
    look(bench, work, 2)
    told(bench, work, 2)
    run(bench, work, 1)
    assert [(one.nonce, one.attack) for one in probes(bench)[1:]] == [(bytes([2]) * 16, Attack.BONA_FIDE)]
    assert bench.requests() == []
    first, second = judged
    assert second
    assert not {id(each) for each in first} & {id(each) for each in second}, "nothing is judged twice"


def test_a_repeated_frame_a_missing_log_and_two_people_are_not_asked_to_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    def again(bench: TurningBench, frame: Frame, *, crop: bool) -> Watched:
        found = LitBench.watch(bench, frame, crop=crop)
        return Watched(found.frame_ns, found.hint, found.glance, found.crop, bench.frames_read == 9)

    bench = TurningBench()
    work = lit(bench)
    look(bench, work)
    run(bench, work, 100)
    assert bench.now_ns > LOG_LIMIT_NS
    assert (bench.requests(), [one.attack for one in probes(bench)]) == ([], [Attack.INCONCLUSIVE])
    monkeypatch.setattr(TurningBench, "watch", again)
    bench = TurningBench()
    doubted(bench)
    assert (bench.requests(), [one.attack for one in probes(bench)]) == ([], [Attack.PRESENTATION])
    monkeypatch.undo()
    monkeypatch.setattr(approach, "SAME_PERSON", 2.0)
    bench = TurningBench(world=World())
    doubted(bench)
    assert (bench.requests(), [one.attack for one in probes(bench)]) == ([], [Attack.INCONCLUSIVE])


def test_nobody_is_asked_to_turn_twice_in_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked() -> int:
        bench = TurningBench(turning=None)
        work = doubted(bench)
        run(bench, work, 200)
        assert [one.attack for one in probes(bench)] == [Attack.INCONCLUSIVE]
        bench.now_ns -= LIMIT_MS * MS  # as if there were time for another
        look(bench, work, 2)
        told(bench, work, 2)
        run(bench, work, 1)
        return len(bench.requests())

    assert asked() == 1
    monkeypatch.setattr(EyeWork, "_may_turn", lambda _: True)
    assert asked() == 2, "the seeded fault: every approach asks"


def test_in_the_next_window_it_may_be_asked_for_again() -> None:
    bench = TurningBench(turning=None)
    work = doubted(bench)
    close(bench, work)
    look(bench, work, 2)
    told(bench, work, 2)
    run(bench, work, 1)
    assert len(bench.requests()) == 2


def test_nobody_is_asked_to_turn_when_the_rest_of_the_window_is_too_short(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(late_ns: int) -> bool:
        bench = TurningBench()
        work = lit(bench)
        look(bench, work)
        told(bench, work)
        assert work._window is not None
        work._window.began_ns = bench.now_ns - late_ns
        run(bench, work, 1)
        assert len(probes(bench)) == (not bench.requests())
        return bool(bench.requests())

    longest_ns = max(
        may_change_ns(tuple(at_ms * MS for at_ms in code.offsets_ms)) - code.length_ms * MS
        for code in codes_after(kind_of(REST))
    )
    assert longest_ns == PACE_MS * MS, "from the log of a light challenge until the lights may rest"
    assert TAKES_NS - AFTER_NS - longest_ns - (LEAD_MS + 3 * PROMPT_MS) * MS == 300 * MS, "to judge and to compare"
    window_ns = int(LIT.lock.window_s * 1e9)
    assert asked(window_ns - TAKES_NS)
    assert not asked(window_ns - TAKES_NS + 1)
    monkeypatch.setattr(loop, "TAKES_NS", 0)
    assert asked(window_ns - TAKES_NS + 1)


def test_where_lock_cannot_be_asked_the_doubt_is_the_answer() -> None:
    bench = TurningBench()
    work = lit(bench)
    look(bench, work)
    told(bench, work)
    bench.links.pop(Room.LOCK)
    run(bench, work, 1)
    assert (bench.requests(), [one.attack for one in probes(bench)]) == ([], [Attack.INCONCLUSIVE])


@pytest.mark.parametrize("answer", ["none", "of another approach", "a light challenge's"])
def test_moved_is_never_said_without_the_log_of_this_motion_challenge(
    answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> list[Attack]:
        bench = TurningBench()
        work = doubted(bench)
        if answer == "none":
            run(bench, work, 300)
        elif answer == "of another approach":
            turned(bench, work, bench.motion_log(9))
            run(bench, work, 300)
        else:
            assert bench.log is not None
            run(bench, work, 20)
            work.received(bench.links[Room.LOCK], bench.log)
            run(bench, work, 300)
        return [one.attack for one in probes(bench)]

    assert said() == [Attack.INCONCLUSIVE]
    monkeypatch.setattr(Moved, "due", lambda gather, *_: gather._answered(approach.Answer(Attack.MOVED)))
    assert said() == [Attack.MOVED], "the seeded fault: MOVED without a log"


def test_a_motion_log_that_nobody_asked_for_says_nothing() -> None:
    bench = TurningBench(world=World())
    work = lit(bench)
    look(bench, work)
    for _ in range(9):
        work.tick()
    work.received(bench.links[Room.LOCK], bench.motion_log())
    assert probes(bench) == []
    told(bench, work)
    run(bench, work, 1)
    assert [one.attack for one in probes(bench)] == [Attack.BONA_FIDE]
    work.received(bench.links[Room.LOCK], bench.motion_log())


def test_a_window_that_closes_while_somebody_turns_leaves_nothing() -> None:
    bench = TurningBench()
    work = doubted(bench)
    run(bench, work, 40)
    kept = list(stage(work, Moved)._moments)
    assert len(kept) > 30
    assert all(each.shot.grey.any() for each in kept)
    close(bench, work)
    assert not any(each.shot.grey.any() or each.shot.points.any() for each in kept)
    assert not any(each.crop.any() for each in kept if each.crop is not None)
    assert (bench.forgotten, bench.open_, probes(bench)) == (1, False, [])
    work.received(bench.links[Room.LOCK], bench.motion_log())
    assert (work.deadline(), probes(bench)) == (None, [])


def test_a_camera_that_fails_while_somebody_turns_leaves_nothing_either() -> None:
    bench = TurningBench()
    work = doubted(bench)
    run(bench, work, 40)
    kept = list(stage(work, Moved)._moments)
    bench.broken = "stalled"
    work.tick()
    assert not any(each.shot.grey.any() for each in kept)
    assert (bench.open_, probes(bench)) == (False, [])


def test_a_print_is_called_one_by_the_light_and_never_asked_to_turn() -> None:
    bench = TurningBench(world=World(shape=FLAT["flat"], noise=0.001))
    doubted(bench)
    assert (bench.requests(), [one.attack for one in probes(bench)]) == ([], [Attack.PRESENTATION])


def test_who_still_looks_aside_afterwards_is_told_to_look_at_the_camera() -> None:
    bench = TurningBench()
    work = doubted(bench)
    turned(bench, work)
    hints = [cast("wire.Guidance", one).hint for one in bench.to(Room.VAULT, wire.Guidance)]
    assert hints == [Hint.LOOK_AT_CAMERA]

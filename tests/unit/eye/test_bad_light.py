"""What spoils a light challenge at a door, each with its guard taken out (the table in docs/liveness.md).

Who stands there is a solid face wherever that matters: what is shown is that the guard, and nothing else, refuses.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from device.challenge import MS, REST, Code, Lights
from device.eye import questioned
from device.eye.attack import judge
from device.eye.attack.approach import LOG_LIMIT_NS, Answer, Challenged, Watched
from device.eye.attack.glance import Glance
from device.eye.attack.judge import Why
from device.wire import Attack, Hint
from tests.unit.eye.lit_world import BEGAN_NS, FITTED, FLAT, World
from tests.unit.eye.test_attack_approach import (
    LitBench,
    answer_of,
    embed,
    gone_through,
    lit,
    probes,
    told,
    watched,
)
from tests.unit.eye.test_loop import look, run

SEEDS = range(20)
ANYTHING_ANSWERS = 1 - 1e-9


def found(world: World) -> Counter[tuple[Attack, Why]]:
    each = (judge.judge(*world.challenge(seed), FITTED) for seed in SEEDS)
    return Counter((one.attack, one.why) for one in each)


def passed(world: World) -> int:
    return sum(count for (attack, _), count in found(world).items() if attack is Attack.BONA_FIDE)


def stuck_left(code: Code) -> Code:
    """What a left lamp that stays at its level at rest makes of a code."""
    one, two, three = (Lights(REST.left, lights.right) for lights in code.lights)
    return replace(code, lights=(one, two, three))


def stuck_right(code: Code) -> Code:
    one, two, three = (Lights(lights.left, REST.right) for lights in code.lights)
    return replace(code, lights=(one, two, three))


ONE_LAMP = {
    "left dead": World(gains=(0.0, 1.0)),
    "right dead": World(gains=(1.0, 0.0)),
    "left stuck on": World(answers=stuck_left),
    "right stuck on": World(answers=stuck_right),
    "left dead, 50 Hz": World(gains=(0.0, 1.0), flicker=0.03),
    "left dead, 60 Hz": World(gains=(0.0, 1.0), flicker=0.03, mains_hz=60.0),
}


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("name", ONE_LAMP)
def test_one_lamp_alone_never_lets_anybody_pass_and_is_called_no_attack(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = found(ONE_LAMP[name])
    assert {attack for attack, _ in seen} == {Attack.INCONCLUSIVE}, seen
    assert {why for _, why in seen} <= questioned.BLIND, "whoever stands there is asked to turn instead"
    monkeypatch.setattr(judge, "ANSWER_RISK", ANYTHING_ANSWERS)
    found_without = found(ONE_LAMP[name])
    assert {why for _, why in found_without} - questioned.BLIND, "the seeded fault: one lamp counts for two"
    if name != "right dead" and "stuck" not in name:
        assert passed(ONE_LAMP[name]) > 0, "and a face whose relief nobody could see passes"


@pytest.mark.slow
@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
@pytest.mark.parametrize("flicker", [0.003, 0.01])
def test_lamps_of_the_hallway_that_flicker_keep_nobody_out(flicker: float, mains_hz: float) -> None:
    assert passed(World(flicker=flicker, mains_hz=mains_hz)) >= 18


@pytest.mark.slow
@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_flicker_alone_is_no_answer(mains_hz: float, monkeypatch: pytest.MonkeyPatch) -> None:
    dark = World(gains=(0.0, 0.0), flicker=0.03, mains_hz=mains_hz)
    assert set(found(dark)) == {(Attack.INCONCLUSIVE, Why.NO_ANSWER)}
    monkeypatch.setattr(judge, "ANSWER_RISK", ANYTHING_ANSWERS)
    assert (Attack.INCONCLUSIVE, Why.CODE_UNCLEAR) in found(dark), "the seeded fault: flicker is taken for a lamp"


def test_in_the_sun_nothing_answers_and_nobody_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    sun = World(lamp=0.0002)
    assert set(found(sun)) == {(Attack.INCONCLUSIVE, Why.NO_ANSWER)}
    monkeypatch.setattr(judge, "ANSWER_RISK", ANYTHING_ANSWERS)
    assert (Attack.INCONCLUSIVE, Why.CODE_UNCLEAR) in found(sun), "the seeded fault: noise is taken for lamps"


@pytest.mark.slow
@pytest.mark.parametrize("lamp", [0.0002, 0.001, 0.002, 0.005])
def test_on_the_way_into_the_sun_no_print_passes(lamp: float) -> None:
    assert passed(World(shape=FLAT["bent"], lamp=lamp)) == 0


def from_ms(glances: list[Glance], at_ms: float, then: Callable[[Glance], Watched | None]) -> list[Watched]:
    """The frames of a challenge, from `at_ms` on as `then` makes them; None is a frame that never came."""
    made = [watched(one, 7) if (one.time_ns - BEGAN_NS) / MS < at_ms else then(one) for one in glances]
    return [one for one in made if one is not None]


def two_faces(glance: Glance) -> Watched:
    return Watched(glance.time_ns, Hint.ONE_PERSON_ONLY)


def nobody(glance: Glance) -> Watched:
    return Watched(glance.time_ns, Hint.NOBODY)


def for_a_moment(glance: Glance) -> Watched | None:
    return watched(glance, 7) if (glance.time_ns - BEGAN_NS) / MS > 480 else two_faces(glance)


INTERRUPTED: dict[str, Callable[[Glance], Watched | None]] = {
    "a second face comes": two_faces,
    "a second face for a moment": for_a_moment,
    "the face leaves": nobody,
    "the camera stops": lambda _: None,
}


@pytest.mark.parametrize("name", INTERRUPTED)
def test_a_challenge_in_which_the_one_face_was_not_seen_throughout_is_inconclusive(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer() -> Answer | None:
        log, glances = World().challenge(2)
        gather, _ = gone_through(World(), from_ms(glances, 330 if name.endswith("moment") else 620, INTERRUPTED[name]))
        return answer_of(gather, log)

    def fit(*_: object) -> None:
        return None

    assert answer() == Answer(Attack.INCONCLUSIVE, why=Why.FRAMES)
    monkeypatch.setattr(judge, "unfit", fit)
    without = answer()
    assert without is not None
    assert without.why is not Why.FRAMES, "the seeded fault: a part of a challenge is judged as if it were all of it"


def test_without_a_log_that_lock_was_too_busy_to_send_nobody_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    """All frames of a solid face, and nothing that says which lights burnt."""

    def sent() -> list[Attack]:
        bench = LitBench()
        work = lit(bench)
        look(bench, work)
        run(bench, work, 200)
        return [probe.attack for probe in probes(bench)]

    assert sent() == [Attack.INCONCLUSIVE]

    def without_log(gather: Challenged, now_ns: Callable[[], int], _embed: Callable[..., object]) -> Answer | None:
        asked_ns = gather._asked_ns
        if asked_ns is None or now_ns() - asked_ns < LOG_LIMIT_NS or gather.done:
            return None
        return gather._answered(Answer(Attack.BONA_FIDE))

    monkeypatch.setattr(Challenged, "due", without_log)
    assert sent() == [Attack.BONA_FIDE], "the seeded fault: an eye that goes without"


def test_a_log_that_came_too_late_is_that_of_an_approach_that_is_over() -> None:
    bench = LitBench()
    work = lit(bench)
    look(bench, work)
    run(bench, work, 200)
    told(bench, work)
    run(bench, work, 5)
    assert [probe.attack for probe in probes(bench)] == [Attack.INCONCLUSIVE]
    assert bench.people == []


@pytest.mark.parametrize("outcome", ["bona fide", "in doubt", "no log", "window closed"])
def test_nothing_of_a_challenge_is_kept(outcome: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a crop nor a glance, whatever came of it; and what was left behind would be seen here."""

    def left_behind() -> bool:
        gather, log = gone_through(World(gains=(0.0, 0.0)) if outcome == "in doubt" else World())
        crops = [one for _, one in gather._crops]
        assert crops
        assert gather._glances
        asked_ns = cast("int", gather._asked_ns)
        if outcome == "no log":
            gather.due(lambda: asked_ns + LOG_LIMIT_NS, embed)
        elif outcome == "window closed":
            gather.forget()
        else:
            assert answer_of(gather, log) is not None
        return bool(gather._crops or gather._glances or gather._last) or any(one.any() for one in crops)

    def nothing(_: Challenged) -> None:
        """The seeded fault."""

    assert not left_behind()
    monkeypatch.setattr(Challenged, "forget", nothing)
    assert left_behind()

"""One motion challenge from its frames to its answer, in a small world (`turned_world`), and guards taken out."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest

from device.challenge import MS
from device.eye.attack import moved
from device.eye.attack.approach import CROP_EVERY_NS, Answer
from device.eye.attack.motion import Moment
from device.eye.attack.moved import AFTER_NS, KEPT_NS, LONGEST, MOMENT_EVERY_NS, Followed, Moved
from device.eye.attack.parallax import Shot
from device.eye.gather import FRESH_NS
from device.motion import LEAD_MS, LIMIT_MS, PROMPT_MS, Asked, Facing
from device.wire import Attack, Hint, MotionLog
from tests.unit.eye.lit_world import NONCE
from tests.unit.eye.test_attack_approach import Crop, crop, embed
from tests.unit.eye.turned_world import BEGAN_NS, PERSON, SHEETS, SIDE, Thing

LEFT, MIDDLE, RIGHT = Facing
ASKED: Asked = (LEFT, MIDDLE, RIGHT)
ENDED_NS = BEGAN_NS + 3 * PROMPT_MS * MS
LOG = MotionLog(NONCE, *ASKED, BEGAN_NS, BEGAN_NS + PROMPT_MS * MS, BEGAN_NS + 2 * PROMPT_MS * MS, ENDED_NS)
ASKED_NS = BEGAN_NS - LEAD_MS * MS
INCONCLUSIVE = Answer(Attack.INCONCLUSIVE)

Person = Callable[[int, Facing], int]


def frames(
    thing: Thing = PERSON,
    did: Asked = ASKED,
    degrees: float = 12.0,
    person: Person = lambda _at, _facing: 7,
    back: bool = True,
    every_ms: int = 50,
) -> list[Followed]:
    """A frame every `every_ms` from when it was asked for until long after, of `thing` that turns as it `did`.

    `person`: whose crop it is, by when and where to; `back`: whether it looks ahead again after the last prompt.
    """
    changes = [*zip(did, (BEGAN_NS, BEGAN_NS + PROMPT_MS * MS, BEGAN_NS + 2 * PROMPT_MS * MS), strict=True)]
    changes += [(MIDDLE, ENDED_NS)] * back
    facing, found = MIDDLE, []
    for at in range(ASKED_NS, ENDED_NS + 1500 * MS, every_ms * MS):
        for where, from_ns in changes:
            if at >= from_ns + 450 * MS:
                facing = where
        shot = thing.shot(SIDE[facing] * degrees)
        copy = Shot(shot.grey.copy(), shot.points.copy())
        found.append(Followed(at, None, Moment(at, copy, crop(person(at, facing)))))
    return found


def offered(gather: Moved, seen: Iterable[Followed], until_ns: int = ENDED_NS) -> list[Hint | None]:
    """The frames to the end of the last prompt, as eye would keep them: with a crop where one is wanted."""
    hints = []
    for one in seen:
        if one.frame_ns > until_ns:
            break
        moment = one.moment
        if moment is not None and not gather.wants_crop(one.frame_ns):
            moment = replace(moment, crop=None)
        hints.append(gather.offer(replace(one, moment=moment)))
    return hints


def answer_of(
    seen: list[Followed],
    log: MotionLog = LOG,
    by: Callable[[Crop], np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = embed,
) -> Answer | None:
    """All of it, with the log at the end of the last prompt."""
    gather = Moved(3, ASKED_NS)
    offered(gather, seen)
    assert gather.due(lambda: ENDED_NS, by) is None, "no answer before the log"
    gather.tell(log)
    for one in seen:
        if one.frame_ns > ENDED_NS:
            offered(gather, [one], one.frame_ns)
            answer = gather.due(lambda now_ns=one.frame_ns: now_ns, by)  # type: ignore[misc]  # bound now
            if answer is not None:
                assert gather.done
                assert gather.due(lambda: ENDED_NS + 9 * AFTER_NS, by) is None, "one answer"
                return answer
    return gather.due(lambda: ENDED_NS + AFTER_NS, by)


def never(_: Crop) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    raise AssertionError("a face that did not turn as asked was embedded")


def test_a_solid_face_that_turned_as_asked_is_sent_with_what_was_seen_afterwards() -> None:
    answer = answer_of(frames())
    assert answer is not None
    assert answer.attack is Attack.MOVED
    assert answer.mean is not None
    assert answer.mean.frames == 3
    assert answer.mean.frame_ns > ENDED_NS
    assert np.allclose(answer.mean.embedding, embed(crop(7)), atol=1e-6)


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(lambda: frames(degrees=0), id="stands still"),
        pytest.param(lambda: frames(did=(RIGHT, MIDDLE, LEFT)), id="turns the wrong way"),
        pytest.param(lambda: frames(SHEETS["flat"], degrees=20), id="flat sheet"),
        pytest.param(lambda: frames(SHEETS["bent"], degrees=20), id="bent sheet"),
        pytest.param(lambda: frames()[::6], id="too few frames"),
        pytest.param(lambda: [one for one in frames() if not _away(one)], id="face lost"),
        pytest.param(lambda: [_two(one) if _away(one) else one for one in frames()], id="two faces"),
        pytest.param(lambda: [one for one in frames() if one.frame_ns < BEGAN_NS + 2000 * MS], id="leaves"),
        pytest.param(lambda: frames(back=False), id="does not look ahead again"),
        pytest.param(list, id="nobody"),
    ],
)
def test_whatever_else_is_inconclusive_and_never_embedded(seen: Callable[[], list[Followed]]) -> None:
    assert answer_of(seen(), by=never) == INCONCLUSIVE
    with pytest.raises(AssertionError, match="embedded"):  # this check can fail
        answer_of(frames(), by=never)


def _away(one: Followed) -> bool:
    return BEGAN_NS + 1600 * MS < one.frame_ns < BEGAN_NS + 1900 * MS


def _two(one: Followed) -> Followed:
    return Followed(one.frame_ns, Hint.ONE_PERSON_ONLY)


def test_without_a_log_nothing_passes_and_after_the_limit_nobody_waits_any_more() -> None:
    gather = Moved(3, ASKED_NS)
    offered(gather, frames(), ENDED_NS + 2000 * MS)
    limit_ns = ASKED_NS + LIMIT_MS * MS
    assert gather.due(lambda: limit_ns - 1, never) is None
    assert gather.due(lambda: limit_ns, never) == INCONCLUSIVE
    gather.tell(LOG)
    assert gather.due(lambda: limit_ns, never) is None


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(replace(LOG, facing_0=MIDDLE), id="begins in the middle"),
        pytest.param(replace(LOG, facing_1=LEFT), id="the same twice"),
        pytest.param(replace(LOG, ended_ns=ENDED_NS - 200 * MS), id="too short"),
        pytest.param(replace(LOG, facing_0=RIGHT, facing_2=LEFT), id="the other way round"),
    ],
)
def test_a_log_that_tells_of_something_else_is_inconclusive(log: MotionLog) -> None:
    assert answer_of(frames(), log, never) == INCONCLUSIVE


def test_a_second_log_says_nothing() -> None:
    seen = frames()
    gather = Moved(3, ASKED_NS)
    offered(gather, seen)
    gather.tell(LOG)
    gather.tell(replace(LOG, facing_0=RIGHT, facing_2=LEFT))
    offered(gather, [one for one in seen if one.frame_ns > ENDED_NS], ENDED_NS + 2000 * MS)
    answer = gather.due(lambda: ENDED_NS + AFTER_NS, embed)
    assert answer is not None
    assert answer.attack is Attack.MOVED


TWO_PEOPLE: dict[str, Person] = {
    "turned by somebody else": lambda _at, facing: 7 if facing is MIDDLE else 8,
    "turned one way by somebody else": lambda _at, facing: 8 if facing is RIGHT else 7,
    "somebody else afterwards": lambda at, _facing: 8 if at > ENDED_NS else 7,
    "somebody else before": lambda at, _facing: 8 if at < BEGAN_NS + 450 * MS else 7,
    "somebody else between": lambda at, _facing: 8 if BEGAN_NS < at - 2200 * MS < BEGAN_NS + 800 * MS else 7,
    "two afterwards": lambda at, _facing: 8 if at > ENDED_NS + 700 * MS else 7,
}


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("person", TWO_PEOPLE)
def test_who_turned_is_who_is_compared(person: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer_of(frames(person=TWO_PEOPLE[person])) == INCONCLUSIVE
    monkeypatch.setattr(moved, "_one_person", lambda _turned, _ahead: True)
    answer = answer_of(frames(person=TWO_PEOPLE[person]))
    assert answer is not None
    assert answer.attack is Attack.MOVED, "without the comparison one of them would answer for the other"


def test_without_the_bound_for_turned_crops_another_head_would_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moved, "SAME_TURNED", -1.0)
    answer = answer_of(frames(person=TWO_PEOPLE["turned by somebody else"]))
    assert answer is not None
    assert answer.attack is Attack.MOVED


def test_what_was_seen_before_the_last_prompt_ended_is_never_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resident's picture that nobody looked at as one of the places: it is in no mean."""

    def person(at: int, _facing: Facing) -> int:
        return 8 if at in unseen else 7

    def compared() -> bool:
        answer = answer_of(frames(person=person))
        assert answer is not None
        assert answer.mean is not None
        return answer.mean.frame_ns <= ENDED_NS

    unseen = range(BEGAN_NS + 50 * MS, BEGAN_NS + 450 * MS)
    assert not compared()
    monkeypatch.setattr(Moved, "_keep", _kept_for_later)
    assert compared(), "the seeded fault: frames from before the prompt are averaged"


def _kept_for_later(gather: Moved, moment: Moment) -> None:
    gather._moments.append(moment)
    if moment.crop is not None and moment.time_ns < BEGAN_NS and not gather._after:
        gather._after.append((BEGAN_NS + 3500 * MS, moment.crop.copy()))


def test_a_turn_without_a_crop_that_can_be_embedded_is_inconclusive() -> None:
    """Blurred or too dark while it was turned: nobody can tell who that was."""
    seen = [
        replace(one, moment=replace(one.moment, crop=None))
        if one.moment is not None and BEGAN_NS + 500 * MS < one.frame_ns < BEGAN_NS + 1700 * MS
        else one
        for one in frames()
    ]
    assert answer_of(seen) == INCONCLUSIVE


def test_a_face_that_is_gone_before_it_looks_ahead_again_is_inconclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    def seen() -> list[Followed]:
        return [one for one in frames() if not ENDED_NS + 100 * MS < one.frame_ns < ENDED_NS + 450 * MS]

    assert answer_of(seen()) == INCONCLUSIVE
    monkeypatch.setattr(Moved, "_gap", lambda _self: False)
    answer = answer_of(seen())
    assert answer is not None
    assert answer.attack is Attack.MOVED


def test_who_is_still_turned_afterwards_is_told_to_look_at_the_camera() -> None:
    seen = frames(back=False)
    gather = Moved(3, ASKED_NS)
    assert set(offered(gather, seen)) == {None}
    gather.tell(LOG)
    after = [one for one in seen if one.frame_ns > ENDED_NS]
    assert set(offered(gather, after, ENDED_NS + 2000 * MS)) == {Hint.LOOK_AT_CAMERA}


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize(("embed_ms", "sent"), [(50, 3), (220, 2), (400, 0)])
def test_what_is_too_old_when_it_would_be_sent_is_not_sent(embed_ms: int, sent: int) -> None:
    """A slow board: seven crops are embedded, and time passes meanwhile."""
    seen = frames()
    gather = Moved(3, ASKED_NS)
    offered(gather, seen)
    gather.tell(LOG)
    until_ns = ENDED_NS + 810 * MS
    offered(gather, [one for one in seen if one.frame_ns > ENDED_NS], until_ns)
    embedded: list[int] = []

    def slow(shown: Crop) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        embedded.append(embed_ms * MS)
        return embed(shown)

    answer = gather.due(lambda: until_ns + sum(embedded), slow)
    assert answer is not None
    assert (answer.mean.frames if answer.mean else 0) == sent
    if answer.mean:
        assert until_ns + sum(embedded) - answer.mean.frame_ns <= FRESH_NS
    else:
        assert answer == INCONCLUSIVE


def test_a_frame_that_was_there_before_is_a_presentation() -> None:
    seen = frames()
    seen[30] = replace(seen[30], again=True)
    assert answer_of(seen) == Answer(Attack.PRESENTATION)


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize("end", ["answer", "limit", "forget"])
def test_all_that_was_kept_is_overwritten(end: str) -> None:
    seen = frames()
    gather = Moved(3, ASKED_NS)
    offered(gather, seen)
    gather.tell(LOG)
    offered(gather, [one for one in seen if one.frame_ns > ENDED_NS], ENDED_NS + 700 * MS)
    shots = [each.shot for each in gather._moments]
    crops = [each.crop for each in gather._moments if each.crop is not None] + [each for _, each in gather._after]
    assert len(gather._after) > 1
    assert all(one.grey.any() and one.points.any() for one in shots)
    if end == "forget":
        gather.forget()
    else:
        assert gather.due(lambda: ENDED_NS + AFTER_NS + (end == "limit") * 2 * FRESH_NS, embed) is not None
    assert not any(one.grey.any() or one.points.any() for one in shots)
    assert not any(one.any() for one in crops)
    assert not any((gather._moments, gather._after, gather._seen_ns, gather._middle))


def test_no_more_than_the_last_frames_of_a_challenge_are_kept_and_older_ones_are_overwritten() -> None:
    seen = frames(degrees=0, every_ms=16)
    gather = Moved(3, ASKED_NS)
    offered(gather, seen)
    kept = [each.time_ns for each in gather._moments]
    assert len(kept) <= LONGEST
    assert min(np.diff(kept)) >= MOMENT_EVERY_NS
    assert KEPT_NS == (500 + 3 * PROMPT_MS) * MS + 200 * MS == 5200 * MS
    dropped = [one.moment for one in seen if one.frame_ns <= ENDED_NS and one.frame_ns not in kept]
    assert dropped
    assert not any(each.shot.grey.any() for each in dropped if each is not None)


@pytest.mark.parametrize("every_ms", [10, 32, 33, 40, 50, 66, 100, 160])
def test_whatever_the_camera_gives_no_more_than_one_challenge_of_it_is_kept(every_ms: int) -> None:
    """By time and not by number: of a slow camera as many frames would be twice as long ago."""
    many, still = Moved(3, ASKED_NS), PERSON.shot(0)
    offered_ns = range(ASKED_NS, ASKED_NS + 8000 * MS, every_ms * MS)
    copies = [Moment(at, Shot(still.grey.copy(), still.points.copy())) for at in offered_ns]
    for moment in copies:
        many.offer(Followed(moment.time_ns, None, moment))
        assert many._moments[-1].time_ns - many._moments[0].time_ns <= KEPT_NS
        assert len(many._moments) <= LONGEST
    spans_ns = many._moments[-1].time_ns - many._moments[0].time_ns
    assert spans_ns > KEPT_NS - 2 * max(every_ms * MS, MOMENT_EVERY_NS), "and no less"
    kept = {each.time_ns for each in many._moments}
    assert not any(each.shot.grey.any() for each in copies if each.time_ns not in kept)


@pytest.mark.parametrize("fault", [False, True], ids=["as it is", "without the time for it"])
def test_lights_that_come_late_and_a_log_two_frames_after_them_leave_the_middle_in(
    *, fault: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20 ms late each, and at 15 frames a second."""
    if fault:
        monkeypatch.setattr(moved, "KEPT_NS", KEPT_NS - 200 * MS)
    late = [BEGAN_NS + number * (PROMPT_MS + 20) * MS for number in range(4)]
    log = MotionLog(NONCE, *ASKED, *late)
    facing, gather, answer = MIDDLE, Moved(3, ASKED_NS), None
    for at in range(ASKED_NS, late[3] + 1500 * MS, 66 * MS):
        for where, from_ns in zip((*ASKED, MIDDLE), late, strict=True):
            if at >= from_ns + 450 * MS:
                facing = where
        shot = PERSON.shot(SIDE[facing] * 12.0)
        taken = crop(7) if gather.wants_crop(at) else None
        gather.offer(Followed(at, None, Moment(at, Shot(shot.grey.copy(), shot.points.copy()), taken)))
        if at > late[3] + 66 * MS:
            gather.tell(log)
            answer = answer or gather.due(lambda now_ns=at: now_ns, embed)  # type: ignore[misc]  # bound now
    assert answer is not None
    assert answer.attack is (Attack.INCONCLUSIVE if fault else Attack.MOVED)


def test_a_frame_that_comes_after_the_answer_is_overwritten() -> None:
    gather = Moved(3, ASKED_NS)
    assert gather.due(lambda: ASKED_NS + LIMIT_MS * MS, never) == INCONCLUSIVE
    late = frames()[0]
    assert gather.offer(late) is None
    assert late.moment is not None
    assert not late.moment.shot.grey.any()


def test_a_crop_that_was_dropped_with_its_frame_is_taken_of_the_next_one() -> None:
    """At 33 frames a second every other frame comes too soon and is dropped; no crop goes with it."""
    gather = Moved(3, ASKED_NS)
    offered(gather, frames(degrees=0, every_ms=30))
    cropped = [each.time_ns for each in gather._moments if each.crop is not None]
    assert max(np.diff(cropped)) <= CROP_EVERY_NS + 2 * MOMENT_EVERY_NS


def test_a_frame_that_was_there_before_is_a_presentation_without_a_log_too() -> None:
    gather = Moved(3, ASKED_NS)
    seen = frames()
    seen[30] = replace(seen[30], again=True)
    offered(gather, seen)
    assert gather.due(lambda: ASKED_NS + LIMIT_MS * MS, never) == Answer(Attack.PRESENTATION)

"""Two threads that never wait for each other: what crosses, in which order, how much, and what a dead end costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from device import wire
from device.desk.page import clerk
from device.desk.page.counter import Unavailable
from device.desk.page.crossing import MOST_JOBS, Crossing, Reply, Stream
from device.edges import Room
from device.wire import Purpose
from tests.unit.desk.page.counters import Browsers, page_up


@pytest.fixture
def crossing() -> Iterator[Crossing]:
    built = Crossing()
    yield built
    built.close()


@pytest.fixture
def browsers() -> Iterator[Browsers]:
    built = Browsers()
    yield built
    built.end()


def test_what_is_posted_is_done_in_order_and_what_is_posted_meanwhile_in_the_next_turn(crossing: Crossing) -> None:
    done: list[str] = []

    def first() -> None:
        done.append("first")
        crossing.post(lambda: done.append("later"))

    crossing.post(first)
    crossing.post(lambda: done.append("second"))
    crossing.collect()
    assert done == ["first", "second"]
    crossing.collect()
    assert done == ["first", "second", "later"]
    crossing.collect()


def test_what_may_wait_for_the_loop_is_bounded_but_that_somebody_left_is_always_heard(crossing: Crossing) -> None:
    done: list[int] = []
    for number in range(MOST_JOBS):
        crossing.post(partial(done.append, number))
    with pytest.raises(Unavailable, match="busy"):
        crossing.post(lambda: done.append(-1))
    crossing.post(lambda: done.append(-2), always=True)
    crossing.collect()
    assert done == [*range(MOST_JOBS), -2]


def test_an_answer_for_somebody_who_gave_up_is_for_nobody(browsers: Browsers) -> None:
    async def gives_up() -> Reply[str]:
        reply: Reply[str] = Reply()
        with pytest.raises(Unavailable, match="in time"):
            await reply.within(0.01)
        return reply

    reply = browsers.begin(gives_up()).result(10)
    reply.give("too late")
    reply.refuse(OSError("as late"))

    async def still_alive() -> str:
        return "alive"

    assert browsers.begin(still_alive()).result(10) == "alive"


def test_an_answer_to_a_thread_that_has_ended_costs_nothing() -> None:
    ended = Browsers()

    async def makes() -> tuple[Reply[str], Stream[str]]:
        return Reply(), Stream()

    reply, stream = ended.begin(makes()).result(10)
    ended.end()
    reply.give("nobody is there")
    stream.put("nobody is there")


def test_a_page_that_hangs_keeps_neither_the_loop_nor_doorctl_waiting(tmp_path: Path) -> None:
    with page_up(tmp_path) as scene:
        scene.arm()
        browser, grant = scene.sits()
        act = scene.begins(browser, Purpose.ENROL, bytes(range(32)))
        scene.vault_hears()
        scene.browsers.loop.call_soon_threadsafe(time.sleep, 1.0)  # the page's thread is stuck
        began = time.monotonic()
        for _ in range(200):
            scene.vault_says(wire.EnrolHint(wire.Hint.HOLD_STILL))
        person = scene.house.join(Room.DOORCTL)
        person.say(wire.AskStatus())
        scene.house.turn()
        assert scene.lock.heard() == [wire.AskStatus()]
        assert time.monotonic() - began < 1.0, "the loop went on while the page was stuck"
        scene.vault_says(wire.Done(grant, wire.Result.REFUSED))
        scene.settled(act.done)
        assert act.results == [wire.Result.REFUSED]


def test_a_loop_that_hangs_keeps_no_browser_waiting_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clerk, "LOOP_S", 0.05)
    with page_up(tmp_path) as scene:
        scene.arm()
        assert scene.browsers.begin(scene.counter.begin("")).result(10) is None
        with pytest.raises(Unavailable):
            scene.browsers.begin(scene.counter.phase("anybody")).result(10)
        scene.browsers.begin(scene.counter.leave("anybody")).result(10)


def test_a_page_that_floods_the_counter_is_refused_and_the_others_are_served(tmp_path: Path) -> None:
    with page_up(tmp_path) as scene:
        scene.arm()

        async def floods() -> list[object]:
            wishes = (scene.counter.phase("anybody") for _ in range(10 * MOST_JOBS))
            return list(await asyncio.gather(*wishes, return_exceptions=True))

        answers = scene.browsers.begin(floods())
        scene.house.service.turn(0.002)
        refused = [each for each in scene.settled(answers) if isinstance(each, Unavailable)]
        assert len(refused) >= 1
        assert scene.now(scene.counter.begin("")) is not None

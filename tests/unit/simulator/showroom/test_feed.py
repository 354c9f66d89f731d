"""Every open page gets everything in its order; one that does not read is let go, and nobody waits for it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from device.lock.bolt import Wiring
from tools.broker import Seen
from tools.simulator.showroom import feed as feeds
from tools.simulator.showroom import view
from tools.simulator.showroom.feed import MOST_PAGES, Closed, Feed, TooManyPages
from tools.simulator.showroom.house import House
from tools.simulator.showroom.leaving import Left, Reader
from tools.simulator.showroom.passage import Passage
from tools.simulator.showroom.pictures import Held
from tools.simulator.showroom.tour import Progress
from tools.simulator.showroom.view import View


@dataclass
class _Witness:
    seen: list[Seen] = field(default_factory=list)


@dataclass
class _House:
    """A house whose hardware says what the test says."""

    now: View = field(default_factory=lambda: view.without_power(Wiring.FAIL_SECURE))
    tones: list[str] = field(default_factory=list)
    held: Held = field(default_factory=Held)
    busy: str = ""
    passage: Passage = field(default_factory=Passage)
    progress: Progress = field(default_factory=Progress)
    witness: _Witness = field(default_factory=_Witness)
    breaks: bool = False

    def look(self) -> tuple[View, list[str]]:
        if self.breaks:
            raise KeyError("a state that nobody knows")
        return self.now, self.tones

    def tend(self, now: View) -> None:
        pass

    def heard(self, words: str) -> None:
        pass


class _Reader:
    def read(self, seen: Seen) -> Left:
        return Left(1, seen.topic, seen.payload, "well")


def feed_of(house: _House) -> Feed:
    return Feed(cast(House, house), cast(Reader, _Reader()))


def told(event: str) -> tuple[str, Any]:
    """The kind and the content of an event; a remark (the stream's way to say nothing) is ("", None)."""
    if event.startswith(":"):
        return "", None
    kind, data = event.strip().split("\n")
    return kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))


async def first(feed: Feed, count: int) -> list[tuple[str, Any]]:
    page = await feed.page()
    return [told(await anext(page)) for _ in range(count)]


def test_a_page_that_comes_later_gets_what_there_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "EVERY_S", 0.001)
    house = _House()
    house.witness.seen.append(Seen("doorward/x/report", b"{}", 1, retain=False, expiry_s=None, at_s=0.0))

    async def story() -> list[tuple[str, Any]]:
        feed = feed_of(house)
        feed.say("you", "a line")
        task = asyncio.create_task(feed.run())
        page = await feed.page()
        while told(await anext(page))[0] != "view":  # told last in a turn
            pass
        late = await first(feed, 2)
        feed.stop()
        await task
        return late

    (kind, everything), (second, now) = asyncio.run(story())
    assert kind == "all"
    assert everything["said"] == [{"kind": "you", "line": "a line"}]
    assert [each["topic"] for each in everything["left"]] == ["doorward/x/report"]
    assert everything["total"] == {"messages": 1, "bytes": 2}
    assert second == "view"
    assert now["power"] is False


def test_a_page_that_does_not_read_is_let_go_and_the_others_go_on() -> None:
    async def story() -> tuple[list[str], int]:
        feed = feed_of(_House())
        lazy, reading = await feed.page(), await feed.page()
        await anext(lazy)
        got = [await anext(reading)]
        for number in range(600):
            feed._publish(f": {number}\n\n")
            got.append(await anext(reading))
        rest = [each async for each in lazy]
        return got, len(rest)

    got, rest = asyncio.run(story())
    assert len(got) == 601
    assert rest < 600, "and what it did get ended by itself"


def test_no_more_pages_than_anybody_looks_at() -> None:
    async def story() -> None:
        feed = feed_of(_House())
        pages = [await feed.page() for _ in range(MOST_PAGES)]
        with pytest.raises(TooManyPages):
            await feed.page()
        await anext(pages[0])
        await pages[0].aclose()  # type: ignore[attr-defined]  # it is a generator
        await feed.page()

    asyncio.run(story())


def test_a_feed_that_broke_says_goodbye_to_every_page_and_takes_no_new_one() -> None:
    """Otherwise a page would show a door of before as if it were of now."""

    async def story() -> None:
        house = _House()
        feed = feed_of(house)
        page = await feed.page()
        house.breaks = True
        with pytest.raises(KeyError):
            await feed.run()
        assert len([each async for each in page]) == 2
        with pytest.raises(Closed):
            await feed.page()

    asyncio.run(story())

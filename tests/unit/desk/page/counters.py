"""A desk with a page: the loop in the test's thread, whoever serves browsers in another, as in the real process."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from device import wire
from device.desk.page.counter import Counter, Finished, Sitting, Step
from device.desk.page.reception import Reception
from device.edges import Room
from device.paths import Paths
from device.wire import Purpose
from tests.unit.desk.house import End, House, nonce

T = TypeVar("T")
PATIENCE_S = 20.0


@dataclass
class Shutter:
    """Serves nobody, and remembers whether it might."""

    said: list[str] = field(default_factory=list)
    counter: Counter | None = None

    def open(self, counter: Counter) -> None:
        self.said.append("open")
        self.counter = counter

    def close(self) -> None:
        self.said.append("close")


class Browsers:
    """The page's thread: an asyncio loop of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def begin(self, wish: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(wish, self.loop)

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@dataclass
class Act:
    """An act that a page follows: the steps so far, and whether it came to its end."""

    steps: list[Step] = field(default_factory=list)
    done: Future[None] = field(default_factory=Future)

    async def follow(self, steps: AsyncIterator[Step]) -> None:
        async for step in steps:
            self.steps.append(step)

    @property
    def results(self) -> list[wire.Result]:
        return [step.result for step in self.steps if isinstance(step, Finished)]


@dataclass
class Scene:
    house: House
    shutter: Shutter
    browsers: Browsers
    keeper: End
    vault: End
    lock: End

    @property
    def page(self) -> Reception:
        assert self.house.desk.page
        return self.house.desk.page

    @property
    def counter(self) -> Counter:
        assert self.page.counter
        return self.page.counter

    def now(self, wish: Coroutine[Any, Any, T]) -> T:
        """What the page gets for `wish`, with the loop at work."""
        return self.settled(self.browsers.begin(wish))

    def settled(self, waiting: Future[T]) -> T:
        ends = time.monotonic() + PATIENCE_S
        while not waiting.done():
            assert time.monotonic() < ends, "the page waits without an end"
            self.house.service.turn(0.002)
        return waiting.result()

    def turns_until(self, done: Any) -> None:
        """The loop works until `done()`."""
        ends = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < ends, "it did not come"
            self.house.service.turn(0.002)

    def arm(self) -> None:
        self.lock.say(wire.PageArmed())
        self.house.turn()

    def waits(self, address: str = "") -> Sitting:
        """A browser that shows a code."""
        sitting = self.now(self.counter.begin(address))
        assert sitting
        return sitting

    def types(self, code: str | int, ends_in_s: float = 600.0) -> bytes:
        """Somebody types that code at the keypad, with a PIN that is right; the grant."""
        name = nonce()
        ends_ns = int((self.house.now_s + ends_in_s) * 1e9)
        self.keeper.say(wire.GrantTicket(name, Purpose.PAGE, ends_ns, int(code)))
        self.house.turn()
        return name

    def sits(self) -> tuple[Sitting, bytes]:
        """A browser whose code was typed, and its grant."""
        sitting = self.waits()
        return sitting, self.types(sitting.code)

    def vault_says(self, msg: wire.Message) -> None:
        self.vault.say(msg)
        self.house.turn()

    def vault_hears(self) -> list[wire.Message]:
        """What vault is told, once something is."""
        heard: list[wire.Message] = []

        def come() -> bool:
            heard.extend(self.vault.heard())
            return bool(heard)

        self.turns_until(come)
        return heard

    def begins(self, sitting: Sitting, purpose: Purpose, consent: bytes = bytes(32), **declared: bool) -> Act:
        """The page begins an act and follows it."""
        act = Act()
        act.done = self.browsers.begin(act.follow(self.counter.act(sitting.id, purpose, consent, **declared)))
        return act


@contextmanager
def page_up(folder: Path, *, always: bool = False) -> Iterator[Scene]:
    """A desk with a page, and keeper, vault and lock in the test's hands."""
    shutter, browsers = Shutter(), Browsers()
    house = House(Paths(folder), served=shutter, always=always)
    try:
        yield Scene(house, shutter, browsers, *(house.join(room) for room in (Room.KEEPER, Room.VAULT, Room.LOCK)))
    finally:
        house.close()
        browsers.end()

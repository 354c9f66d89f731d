"""What is sent to every open page: the door as it is, what happened, and what left it, in the order of happening.

Rules kept here:
- One look at the hardware every EVERY_S, however many pages are open; a page that comes later gets what there was.
- A page that does not read is dropped, and comes back by itself (server-sent events reconnect). Nobody waits for it.
- A manager's reader that cannot make sense of something, or hardware that is away, ends nothing.

Source: WHATWG HTML, server-sent events.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from anyio.to_thread import run_sync

from device.errors import Fault, Refusal
from tools.simulator.showroom import telling, view
from tools.simulator.showroom.house import House
from tools.simulator.showroom.leaving import Reader
from tools.simulator.showroom.view import View

EVERY_S: Final = 0.08  # the two lights change at most three times a second, and the page shows every change
KEPT: Final = 80
MOST_PAGES: Final = 16
_WAITING: Final = 500
_PING_S: Final = 15.0


class TooManyPages(Refusal, RuntimeError):
    """More pages are open than anybody looks at."""


class Closed(Refusal, RuntimeError):
    """Nothing is told any more."""


@dataclass
class Feed:
    """The pages of one house. `run` is a task; `page` is what one open page gets."""

    house: House
    reader: Reader
    _pages: set[asyncio.Queue[str | None]] = field(default_factory=set)
    _said: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))
    _left: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))
    _inbox: deque[tuple[str, str]] = field(default_factory=deque)  # from any thread
    _total: dict[str, int] = field(default_factory=lambda: {"messages": 0, "bytes": 0})
    _shown: str = ""
    _over: bool = False

    def __post_init__(self) -> None:
        self.house.say = self.say
        self._before: View = self.house.look()[0]
        self._read = 0
        self._last_line = ""

    def say(self, kind: str, line: str) -> None:
        """A line for every page: `kind` is "door", "you" or "terminal"."""
        self._inbox.append((kind, line))

    async def run(self) -> None:
        """Look, tell, and look again, until `stop`. However it ends, no page goes on as if it were still told."""
        try:
            while not self._over:
                with suppress(Refusal, Fault, OSError):  # between two looks the cord was pulled: the next one sees it
                    now, lines = await run_sync(self._turn)
                    for line in lines:
                        self._send("said", line)
                    self._leave()
                    self._show(now)
                await asyncio.sleep(EVERY_S)
        finally:
            self.stop()

    def stop(self) -> None:
        """Say goodbye to every page."""
        self._over = True
        for page in self._pages:
            if page.full():
                page.get_nowait()
            page.put_nowait(None)

    async def page(self) -> AsyncIterator[str]:
        """The events of one page, from what there was to the end. Raises TooManyPages, Closed."""
        if self._over:
            raise Closed("This showroom is being closed.")
        if len(self._pages) >= MOST_PAGES:
            raise TooManyPages("This showroom is open in too many tabs already.")
        queue: asyncio.Queue[str | None] = asyncio.Queue(_WAITING)
        queue.put_nowait(_event("all", {"said": [*self._said], "left": [*self._left], "total": self._total}))
        queue.put_nowait(self._shown or ": nothing yet\n\n")
        self._pages.add(queue)
        return self._events(queue)

    async def _events(self, queue: asyncio.Queue[str | None]) -> AsyncIterator[str]:
        try:
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), _PING_S)
                except TimeoutError:
                    event = ": still here\n\n"
                if event is None:
                    return
                yield event
        finally:
            self._pages.discard(queue)

    def _turn(self) -> tuple[View, list[dict[str, Any]]]:
        now, kept = self.house.look()
        before, self._before = self._before, now
        lines = []
        while self._inbox:
            kind, line = self._inbox.popleft()
            lines.append({"kind": kind, "line": line})
        tones = view.new_signals(before, now, kept)
        for words in tones:
            self.house.heard(words)
        heard = [telling.of_signal(words) for words in tones]
        for line in (*heard, *telling.changes(before, now)):
            if line and line != self._last_line:
                self._last_line = line
                lines.append({"kind": "door", "line": line})
        self.house.tend(now)
        return now, lines

    def _leave(self) -> None:
        seen = self.house.witness.seen
        for each in seen[self._read :]:
            left = self.reader.read(each).as_json()
            self._total["messages"] += 1
            self._total["bytes"] += left["size"]
            self._send("left", left | {"total": dict(self._total)})
        self._read = len(seen)

    def _show(self, now: View) -> None:
        house = self.house
        shown = _event(
            "view",
            now.as_json()
            | {
                "held": house.held.as_json(),
                "busy": house.busy,
                "walks": house.passage.walks,
                "done": list(house.progress.done),
            },
        )
        if shown != self._shown:
            self._shown = shown
            self._publish(shown)

    def _send(self, kind: str, content: dict[str, Any]) -> None:
        (self._said if kind == "said" else self._left).append(content)
        self._publish(_event(kind, content))

    def _publish(self, event: str) -> None:
        for page in list(self._pages):
            try:
                page.put_nowait(event)
            except asyncio.QueueFull:
                self._pages.discard(page)
                page.get_nowait()
                page.put_nowait(None)


def _event(kind: str, content: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(content)}\n\n"

"""What doors say while somebody looks: alarms, and the changes of rows by server-sent events.

Rules kept here:
- A stream lasts as long as its session, whose end is looked at every few seconds; it does not make the session longer.
- There are so many streams and no more; who reads too slowly is told to look anew.
- An event says what the page would say, in the reader's language, and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from device.errors import Fault, Refusal
from provisioning.console import wording
from provisioning.console.asked import Asked, Console
from provisioning.console.guard import session_of
from provisioning.console.shown import Shown
from provisioning.errors import FleetRefused

ALIVE_S = 5.0
MOST_STREAMS = 64
_MOST_WAITING = 200


def alarms(asked: Asked) -> Response:
    """The alarms that nobody has looked at."""
    found = [
        (each, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each.at_unix))) for each in asked.console.live.alarms()
    ]
    return asked.page("alarms.html", alarms=found)


def looked_at(asked: Asked) -> Response:
    """Somebody has looked at one."""
    if not asked.console.live.looked_at(asked.number("number")):
        msg = "somebody else has looked at this alarm already"
        raise FleetRefused(msg)
    return asked.go("/alarms")


@dataclass(slots=True)
class Streams:
    """All streams of a console."""

    console: Console
    _open: set[object] = field(default_factory=set)

    async def answer(self, request: Request) -> Response:
        """A stream for whoever is signed in."""
        try:
            _token, session = await run_in_threadpool(session_of, self.console, request)
        except (Fault, Refusal):
            session = None
        if session is None:
            return Response(status_code=HTTPStatus.NO_CONTENT)  # tells a browser not to try again
        if len(self._open) >= MOST_STREAMS:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return StreamingResponse(self._events(request), media_type="text/event-stream")

    async def _events(self, request: Request) -> AsyncIterator[str]:
        loop, waiting = asyncio.get_running_loop(), asyncio.Queue[str](_MOST_WAITING)
        chosen = request.cookies.get(self.console.cookie("language"))
        words = wording.words(wording.language(chosen, request.headers.get("accept-language", "")))
        mine = object()

        def put(door_id: str) -> None:
            if not waiting.full():
                waiting.put_nowait(door_id)

        def told(door_id: str) -> None:
            loop.call_soon_threadsafe(put, door_id)

        stop = self.console.live.listen(told)
        self._open.add(mine)
        looked_s = loop.time()
        try:
            yield "retry: 3000\n\n"
            while True:
                door_id = await _next(waiting)
                if loop.time() - looked_s > ALIVE_S:
                    looked_s = loop.time()
                    if await run_in_threadpool(self._over, request):
                        yield "event: over\ndata: {}\n\n"
                        return
                if waiting.full():
                    yield "event: anew\ndata: {}\n\n"
                if door_id is None:
                    yield ": still here\n\n"
                    continue
                said = Shown(words, self.console.live, int(self.console.clock())).of(door_id)
                counts = {"alarms": len(self.console.live.alarms()), "attention": len(self.console.live.attention())}
                data = {"id": door_id, "health": said.health, "text": said.text, "heard": said.heard}
                data |= {"software": said.software, "documents": said.documents}
                yield f"event: door\ndata: {json.dumps(data | counts)}\n\n"
        finally:
            self._open.discard(mine)
            stop()

    def _over(self, request: Request) -> bool:
        try:
            return session_of(self.console, request)[1] is None
        except (Fault, Refusal):
            return False  # the store is away for a moment; the next look says


async def _next(waiting: asyncio.Queue[str]) -> str | None:
    try:
        async with asyncio.timeout(ALIVE_S):
            return await waiting.get()
    except TimeoutError:
        return None

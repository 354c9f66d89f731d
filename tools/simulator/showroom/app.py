"""The showroom's pages: one page, its pictures, its events, and one place where acts are posted.

Rules kept here:
- Every request passes the guard (`guard`) first.
- An act is a small JSON object; what is none gets one sentence and changes nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from anyio.to_thread import run_sync
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp

from device.errors import Fault, Refusal
from tools.simulator.showroom import pictures, tour
from tools.simulator.showroom.feed import Closed, Feed, TooManyPages
from tools.simulator.showroom.guard import Guard, Rules
from tools.simulator.showroom.house import House

HERE: Final = Path(__file__).resolve().parent
MAX_BODY: Final = 2048
_TILE_PX: Final = 320
_KEYS: Final = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#")
_UNKNOWN: Final = "The showroom did not understand; nothing was done."


@dataclass(frozen=True, slots=True)
class Room:
    """What the pages are made of. `drawn`: a figure stands for every portrait."""

    house: House
    feed: Feed
    rules: Rules
    drawn: bool = False


def app(room: Room) -> ASGIApp:
    """The showroom, guarded."""
    templates = Jinja2Templates(HERE / "templates")

    async def page(request: Request) -> Response:
        return templates.TemplateResponse(request, "page.html", _context(room))

    async def picture(request: Request) -> Response:
        who = request.path_params["who"]
        if room.drawn or who not in pictures.PEOPLE:
            return JSONResponse({"refused": "There is no such picture."}, 404)
        return Response(await run_sync(_tile, who), media_type="image/jpeg")

    async def events(_request: Request) -> Response:
        try:
            stream = await room.feed.page()
        except (TooManyPages, Closed) as refused:
            return JSONResponse({"refused": str(refused)}, 503)
        return StreamingResponse(stream, media_type="text/event-stream")

    async def act(request: Request) -> Response:
        asked = await _asked(request)
        if asked is None:
            return JSONResponse({"refused": _UNKNOWN}, 400)
        try:
            said = await run_sync(room.house.act, asked)
        except (Refusal, Fault, OSError) as refused:
            return JSONResponse({"refused": str(refused)}, 409)
        if said:
            room.feed.say("you", said)
        return JSONResponse({"said": said})

    routes = [
        Route("/", page),
        Route("/picture/{who}", picture),
        Route("/events", events),
        Route("/act", act, methods=["POST"]),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    return Guard(Starlette(routes=routes, lifespan=_lifespan(room.feed)), room.rules)


def _lifespan(feed: Feed) -> Callable[[Starlette], Any]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(feed.run())
        try:
            yield
        finally:
            feed.stop()
            with suppress(asyncio.CancelledError):
                await task

    return lifespan


def _context(room: Room) -> dict[str, Any]:
    return {
        "token": room.rules.token,
        "drawn": room.drawn,
        "keys": _KEYS,
        "people": pictures.PEOPLE,
        "kinds": pictures.KINDS,
        "steps": room.house.tour,
        "slot": tour.SLOT,
        "notice": room.house.notice,
        "cadence_s": room.house.wishes.cadence_s,
        "tier": room.house.wishes.tier,
        "wiring": room.house.wishes.wiring,
    }


async def _asked(request: Request) -> dict[str, Any] | None:
    """The object in the body; None if it is none, or too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return asked if isinstance(asked, dict) else None


def _tile(who: str) -> bytes:
    """A small copy of somebody's portrait, JPEG."""
    with Image.open(pictures.picture(who)) as portrait:
        portrait.thumbnail((_TILE_PX, _TILE_PX))
        out = BytesIO()
        portrait.convert("RGB").save(out, format="JPEG", quality=85)
    return out.getvalue()

"""The console as one program: which address answers what, and who may ask.

Rules kept here:
- The table below is the whole of it: an address that is not in it does not exist, and each row names the role it needs.
- What nobody meant to happen is one sentence for the reader, and stands in the log with its cause.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from provisioning import until
from provisioning.console import (
    buildings,
    certs,
    doors,
    endings,
    hours,
    joins,
    news,
    people,
    places,
    signing_in,
    telling,
)
from provisioning.console.asked import Console, View
from provisioning.console.guard import guarded
from provisioning.console.walls import Walls
from provisioning.users import Role

_log = logging.getLogger("doorward.console")
STATIC = Path(str(files("provisioning.console").joinpath("static")))


@dataclass(frozen=True, slots=True)
class Row:
    """An address, how it is asked, who answers, and which role it needs (None: nobody has to be signed in)."""

    path: str
    method: str
    view: View
    needs: Role | None


TABLE = (
    Row("/sign-in", "GET", signing_in.form, None),
    Row("/sign-in", "POST", signing_in.sign_in, None),
    Row("/language", "POST", signing_in.language, None),
    Row("/sign-out", "POST", signing_in.sign_out, Role.VIEWER),
    Row("/account", "GET", signing_in.account, Role.VIEWER),
    Row("/account", "POST", signing_in.change, Role.VIEWER),
    Row("/", "GET", doors.listed, Role.VIEWER),
    Row("/doors.csv", "GET", doors.export, Role.VIEWER),
    Row("/doors/{door}", "GET", doors.one, Role.VIEWER),
    Row("/doors/{door}/offer", "POST", places.offer, Role.MANAGER),
    Row("/doors/{door}/end", "POST", places.end, Role.MANAGER),
    Row("/doors/{door}/place", "POST", places.place, Role.MANAGER),
    Row("/doors/{door}/joining", "GET", joins.page, Role.MANAGER),
    Row("/doors/{door}/label", "POST", joins.label, Role.MANAGER),
    Row("/doors/{door}/label-revoke", "POST", joins.revoke_label, Role.MANAGER),
    Row("/doors/{door}/request", "POST", joins.look, Role.MANAGER),
    Row("/doors/{door}/approve", "POST", joins.approve, Role.MANAGER),
    Row("/doors/{door}/hours", "GET", hours.page, Role.VIEWER),
    Row("/doors/{door}/hours", "POST", hours.change, Role.MANAGER),
    Row("/doors/{door}/telling", "GET", telling.page, Role.VIEWER),
    Row("/doors/{door}/telling", "POST", telling.change, Role.MANAGER),
    Row("/doors/{door}/certificate", "GET", certs.page, Role.MANAGER),
    Row("/doors/{door}/renew", "POST", certs.renew, Role.MANAGER),
    Row("/doors/{door}/revoke", "POST", certs.revoke, Role.MANAGER),
    Row("/doors/{door}/revoked-list", "POST", certs.make_list, Role.MANAGER),
    Row("/doors/{door}/ending", "GET", endings.page, Role.MANAGER),
    Row("/doors/{door}/retire", "POST", endings.announce, Role.OWNER),
    Row("/doors/{door}/recall", "POST", endings.recall, Role.MANAGER),
    Row("/doors/{door}/give-up", "POST", endings.give_up, Role.OWNER),
    Row("/doors", "POST", buildings.add, Role.MANAGER),
    Row("/documents/{name}", "GET", places.document, Role.MANAGER),
    Row("/alarms", "GET", news.alarms, Role.VIEWER),
    Row("/alarms", "POST", news.looked_at, Role.MANAGER),
    Row("/plan", "GET", buildings.plan, Role.VIEWER),
    Row("/import", "GET", buildings.form, Role.MANAGER),
    Row("/import", "POST", buildings.take, Role.MANAGER),
    Row("/acts", "GET", people.acts, Role.MANAGER),
    Row("/acts", "POST", people.check, Role.MANAGER),
    Row("/users", "GET", people.users, Role.OWNER),
    Row("/users", "POST", people.add, Role.OWNER),
    Row("/users/change", "POST", people.change, Role.OWNER),
)
UPLOADS = frozenset({"/import"})


def templates() -> Environment:
    """The pages: everything a person wrote is escaped, and a name that nobody gave is an error."""
    environment = Environment(
        loader=PackageLoader("provisioning.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["day"] = until.shown
    environment.filters["day_of"] = lambda unix: time.strftime("%Y-%m-%d", time.localtime(unix))
    environment.filters["moment"] = lambda unix: time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix))
    return environment


def app(console: Console) -> ASGIApp:
    """The console, with its walls around it."""
    routes: list[BaseRoute] = [
        Route(row.path, guarded(console, row.view, row.needs), methods=[row.method]) for row in TABLE
    ]
    routes.append(Route("/events", news.Streams(console).answer, methods=["GET"]))
    routes.append(Mount("/static", StaticFiles(directory=STATIC)))

    @asynccontextmanager
    async def living(_app: Starlette) -> AsyncIterator[None]:
        if console.ear is not None:
            console.ear.start()
        try:
            yield
        finally:
            if console.ear is not None:
                console.ear.stop()

    inner = Starlette(routes=routes, exception_handlers={404: _missing, 405: _missing, 500: _broken}, lifespan=living)
    return Walls(inner, console.hosts, console.secure, UPLOADS)


async def _missing(_request: Request, _cause: Exception) -> Response:
    return PlainTextResponse("There is no such page here.\n", 404)


async def _broken(_request: Request, cause: Exception) -> Response:
    _log.error("a page failed", exc_info=cause)
    return PlainTextResponse("This went wrong inside the console, whose log says more; nothing was lost.\n", 500)

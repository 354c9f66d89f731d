"""The web application on the counter: which address is answered by whom.

Rules kept here:
- Every way to an answer leads through the guard first.
- A sitting that is over leads to the start; a part of the door that is away, and what nobody foresaw, to one sentence.
  Of an error nobody foresaw the journal gets type and place (`device.journal`), the browser nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from device.desk.page.acting import Acting
from device.desk.page.counter import Counter, Ended, Unavailable
from device.desk.page.errands import Errands
from device.desk.page.guard import Guard
from device.desk.page.pace import Pace
from device.desk.page.showing import Showing
from device.desk.page.site import Site
from device.desk.page.view import View
from device.errors import Fault, Refusal
from device.journal import in_words, log

Answering = Callable[[Request], Awaitable[Response]]


def application(counter: Counter, site: Site, pace: Pace | None = None) -> ASGIApp:
    """The page for `counter`, as ASGI."""
    view = View(counter, site, Errands(counter))
    showing, acting = Showing(view), Acting(view)
    gets: dict[str, Answering] = {
        "/": showing.start,
        "/phase.json": showing.phase,
        "/notice": showing.notice,
        "/notice.txt": showing.notice_text,
        "/keys": showing.keys,
        "/export": showing.export,
        "/export.json": showing.export_file,
        "/face/enrol": acting.consent,
        "/face/renew": acting.consent,
        "/face/again": acting.consent,
        "/face/erase": acting.ask_erase,
        "/face/erase/sure": acting.sure,
        "/act": acting.act,
        "/act.json": acting.step,
        "/paper.txt": acting.paper,
    }
    posts: dict[str, Answering] = {
        "/leave": showing.leave,
        "/face/enrol": acting.agree,
        "/face/renew": acting.agree,
        "/face/again": acting.agree,
        "/face/pause": acting.pause,
        "/face/resume": acting.resume,
        "/face/erase": acting.ask_again,
        "/face/erase/sure": acting.erase,
        "/act/stop": acting.stop,
    }
    # Whoever goes back to the address of a form, or changes the language there, is led to their page.
    back = {path: showing.back for path in posts if path not in gets}
    routes = [Route(path, answer, methods=["GET"]) for path, answer in (gets | back).items()]
    routes += [Route(path, answer, methods=["POST"]) for path, answer in posts.items()]

    async def still(request: Request) -> Response:
        return view.static(request)

    async def over(_request: Request, _error: Exception) -> Response:
        return view.to("/")

    async def away(request: Request, _error: Exception) -> Response:
        return view.error(request, 503)

    async def unusable(request: Request, error: Exception) -> Response:
        log(f"the page: {in_words(error)}")
        return view.error(request, 503)

    async def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 400
        return view.error(request, status if status in (403, 404, 405, 413) else 400)

    async def left(_request: Request, _error: Exception) -> Response:
        return Response(status_code=400)  # for nobody: whoever sent half a form has hung up, which is no news

    async def unforeseen(request: Request, error: Exception) -> Response:
        log(f"the page: {in_words(error)}")
        return view.error(request, 500)

    routes.append(Route("/static/{name}", still, methods=["GET"]))
    inner = Starlette(
        routes=routes,
        exception_handlers={
            Ended: over,
            Unavailable: away,
            Refusal: unusable,
            Fault: unusable,
            HTTPException: refused,
            ClientDisconnect: left,
            Exception: unforeseen,
        },
    )
    return Guard(inner, name=site.name, armed=counter.armed, refused=view.refused, sitter=view.sitter, pace=pace)

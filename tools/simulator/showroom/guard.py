"""Who may drive the door: the page that this process served, opened on this machine.

Rules kept here:
- A request is answered only if it was addressed to this machine by the names below and this port. A stranger's name,
  made to resolve to 127.0.0.1 (DNS rebinding), is refused before anything is looked at.
- Whatever changes something comes with our own Origin and with the token that is in the page alone. A page from
  elsewhere can send neither, and no browser sends our token for it: it is in no cookie.
- Nothing is cached, framed, or loaded from elsewhere; no answer tells another origin anything.
- Other accounts of this machine are not kept out: they reach loopback, and can fetch the page with its token. What they
  could drive is a simulated door.

Source: Fetch Standard (Origin, Sec-Fetch-Site); WHATWG HTML, Content Security Policy Level 3.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_HEADER: Final = "x-showroom-token"  # noqa: S105 - the name of a header
_SAFE: Final = frozenset({"GET", "HEAD"})
_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered."""

    status: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Rules:
    """`port` on this machine, and the token of this run."""

    port: int
    token: str

    @property
    def hosts(self) -> frozenset[str]:
        """What a browser may have been told to open."""
        return frozenset({f"127.0.0.1:{self.port}", f"localhost:{self.port}"})

    def refusal(self, method: str, headers: Mapping[str, str]) -> Refusal | None:
        """None if the request is one of our own page; names of `headers` in small letters."""
        host = headers.get("host", "").lower()
        if host not in self.hosts:
            return Refusal(421, "This showroom answers to 127.0.0.1 and localhost alone.")
        if method in _SAFE:
            return None
        if headers.get("origin") != f"http://{host}" or headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return Refusal(403, "This door is driven by its own page alone.")
        if not hmac.compare_digest(headers.get(TOKEN_HEADER, "").encode(), self.token.encode()):
            return Refusal(403, "This page is of an earlier showroom: load it anew.")
        return None


class Guard:
    """The ASGI application `app`, for those alone whom `rules` let in."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no page of ours opens a WebSocket
            await send({"type": "websocket.close", "code": 1008})
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        refused = self._rules.refusal(scope["method"], Headers(scope=scope))
        if refused is not None:
            await JSONResponse({"refused": refused.sentence}, refused.status)(scope, receive, dressed)
            return
        await self._app(scope, receive, dressed)

"""What every request has to pass before the page sees it, and what every answer carries.

Rules kept here:
- Nothing is served while the page is shut. So many requests a second over all callers and no more, and fewer of one
  address (`pace`); only GET and POST; no body longer than a form of ours, and of no other kind.
- That the page is asked too much is told in the journal, once a minute at most, and not who asks. It is no alarm: one
  that anybody on the network can ring is heeded by nobody.
- A form counts only if the browser says that it comes from this very page: its Origin is our own address, or, where a
  browser says none, Sec-Fetch-Site is "same-origin". Together with the token in the form and the cookie's SameSite
  that is said three times.
- The page answers to its addresses and to the one name in door.toml. Under any other name somebody else's site could
  pass for it (DNS rebinding).
- No answer is kept by a browser or by anything on the way, framed, guessed at, or lets a script or style run that is
  not ours. What a browser tells others about where it was is nothing; it tells this page alone, for the Origin.

Sources: Fetch Standard (Origin, Sec-Fetch-Site), CSP Level 3, RFC 9110, RFC 6797 is left out on purpose: nobody vouches
for the certificate, and a browser that remembered HSTS would let nobody past the warning.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from device import cookies
from device.desk.page.pace import Pace
from device.desk.page.shares import address_of
from device.journal import log

MOST_BODY = 4096
TOLD_EVERY_S = 60.0
FORM = "application/x-www-form-urlencoded"
STATIC = "/static/"
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
}

Refused = Callable[[Scope, int], ASGIApp]


class Guard:
    """ASGI: `app` behind all of the rules.

    `refused(scope, status)` is the answer to what does not pass; `sitter(scope)` the open sitting that asks, as far as
    the page has seen, or empty.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        name: str,
        armed: Callable[[], bool],
        refused: Refused,
        sitter: Callable[[Scope], str],
        pace: Pace | None = None,
    ) -> None:
        self._app, self._name, self._armed, self._refused = app, name, armed, refused
        self._sitter, self._pace = sitter, pace or Pace()
        self._now_s, self._told_s = time.monotonic, float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        scope = {**scope, "headers": cookies.plain(scope["headers"])}
        still = scope["path"].startswith(STATIC)
        left = MOST_BODY

        async def receiving() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413)
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers["cache-control"] = "public, max-age=31536000, immutable" if still else "no-store"
                if message["status"] != 200:  # noqa: PLR2004 - HTTP's word for "here it is"
                    headers["cache-control"] = "no-store"
            await send(message)

        status = self._status(scope)
        if status:
            await self._refused(scope, status)(scope, receive, sending)
            return
        await self._app(scope, receiving, sending)

    def _tell(self) -> None:
        now_s = self._now_s()
        if now_s - self._told_s >= TOLD_EVERY_S:
            self._told_s = now_s
            log("the page is asked more than it answers; callers are told to wait, and whoever sits there goes on")

    def _status(self, scope: Scope) -> int:
        """Why not, as a status of HTTP; 0 if nothing stands against it."""
        headers = Headers(scope=scope)
        if not self._pace.take(caller(scope), self._sitter(scope)):
            self._tell()
            return 429
        if not self._armed():
            return 503
        if scope["method"] not in ("GET", "POST"):
            return 405
        host = headers.get("host", "")
        if not ours(host, self._name):
            return 421
        if scope["method"] == "GET":
            return 0
        if not _from_here(headers, host):
            return 403
        if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            return 415
        # Without a length a body could be of any; no browser sends a form like that. What comes is counted as well.
        return 0 if _short(headers.get("content-length", "")) and "transfer-encoding" not in headers else 413


def caller(scope: Scope) -> str:
    """The address that a request comes from; empty if it has none."""
    client = scope.get("client")
    return address_of(str(client[0])) if client else ""


def _short(length: str) -> bool:
    return length.isascii() and length.isdigit() and len(length) <= len(str(MOST_BODY)) and int(length) <= MOST_BODY


def ours(host: str, name: str) -> bool:
    """Whether a Host header (with a port or without) means this page."""
    bare = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
    bare = bare.lower().rstrip(".").removeprefix("[").removesuffix("]")
    if bare and bare == name:
        return True
    if "%" in bare:  # the zone of an address may be any words at all, and no browser sends one
        return False
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return bare == "localhost"
    return True


def _from_here(headers: Headers, host: str) -> bool:
    origin = headers.get("origin", "null")
    if origin == "null":
        return headers.get("sec-fetch-site") == "same-origin"
    return origin.lower() == f"https://{host.lower()}"

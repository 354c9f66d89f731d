"""What every answer of the console carries, and what no request gets past.

Rules kept here:
- No script, style, picture or form from or to anywhere else; no frame around us; nothing kept by a cache between.
- A request must name this console (a name that somebody else's name server points at us is refused, which is how pages
  of strangers would reach a program on this computer), and it must not be longer than what its page may be sent.
- An answer that nobody waits for, and a body that does not end, are given up.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from device import cookies

LARGEST_FORM = 64 * 1024
LARGEST_UPLOAD = 4 * 1024 * 1024
BODY_S = 30.0
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # not `no-referrer`: with that, browsers send no origin with our own forms
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "cache-control": "no-store",
}
_YEAR_S = 31_536_000


class TooLong(Exception):
    """The body of a request is longer than its page takes."""


@dataclass(frozen=True, slots=True)
class Walls:
    """Around `app`: headers, hosts and lengths. `hosts`: what the console may be called, with and without its port."""

    app: ASGIApp
    hosts: frozenset[str]
    secure: bool
    uploads: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope = {**scope, "headers": cookies.plain(scope["headers"])}
        headers = Headers(scope=scope)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    out.setdefault(name, value)
                if self.secure:
                    out["strict-transport-security"] = f"max-age={_YEAR_S}"
            await send(message)

        if self.hosts and headers.get("host", "").lower() not in self.hosts:
            await _say("This is not a name of this console; use the address that it printed.", 421)(
                scope, receive, sending
            )
            return
        limit = LARGEST_UPLOAD if scope["path"] in self.uploads else LARGEST_FORM
        too_long = _length(headers) > limit
        if too_long and scope["method"] != "POST":
            await _say("What was sent is too long; nothing was done.", 413)(scope, receive, sending)
            return
        timeout_s = BODY_S if scope["method"] == "POST" else None
        await self.app(scope, _Body(receive, -1 if too_long else limit, timeout_s), sending)


@dataclass(slots=True)
class _Body:
    """What a browser sends, up to `left` bytes more; the page that it is sent to says that it was too long."""

    receive: Receive
    left: int
    timeout_s: float | None

    async def __call__(self) -> Message:
        """The next part. Raises TooLong, for what says its length before any of it is read."""
        if self.left < 0:
            raise TooLong
        async with asyncio.timeout(self.timeout_s):
            message = await self.receive()
        self.left -= len(message.get("body", b""))
        if self.left < 0:
            raise TooLong
        return message


def _length(headers: Headers) -> int:
    said = headers.get("content-length", "0")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 16 else 0  # noqa: PLR2004  # counted anyway


def _say(sentence: str, status: int) -> PlainTextResponse:
    return PlainTextResponse(sentence + "\n", status)

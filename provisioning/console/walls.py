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
        if _length(headers) > limit:
            await _say("What was sent is too long; nothing was done.", 413)(scope, receive, sending)
            return
        left = limit

        async def receiving() -> Message:
            nonlocal left
            async with asyncio.timeout(BODY_S if left >= 0 and scope["method"] == "POST" else None):
                message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise TooLong
            return message

        await self.app(scope, receiving, sending)


def _length(headers: Headers) -> int:
    said = headers.get("content-length", "0")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 16 else 0  # noqa: PLR2004  # counted anyway


def _say(sentence: str, status: int) -> PlainTextResponse:
    return PlainTextResponse(sentence + "\n", status)

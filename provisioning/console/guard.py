"""What stands before every page: who asks, whether the form is ours, and whether they may.

Rules kept here:
- In this order: the origin, the session, the form's token, the role. What fails one of them has changed nothing.
- A form counts only from a page of this console (Origin, or Sec-Fetch-Site where a browser sends none), and only with
  the token of the very session in which it is sent: one from before a sign-in, or of somebody else, is stale.
- The role is read anew for each request: whoever was made a viewer a moment ago is one.
- Before somebody is known nothing long is read.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from device.errors import Fault, Refusal
from provisioning.accounts import hash_of
from provisioning.console import wording
from provisioning.console.asked import Asked, Console, Upload, View, form_token, same
from provisioning.console.walls import LARGEST_UPLOAD, TooLong
from provisioning.users import Role, Session

_MOST_FIELDS = 500  # hours have the most; how long a form may be, `walls` says
_LONGEST_TOKEN = 128


@dataclass(frozen=True, slots=True)
class Door:
    """A view behind its guard. `needs`: the role, None if nobody has to be signed in."""

    console: Console
    view: View
    needs: Role | None

    async def __call__(self, request: Request) -> Response:
        """Answer a request."""
        asked, trouble = await run_in_threadpool(_recognised, self.console, request)
        if trouble:
            return _said(asked, HTTPStatus.SERVICE_UNAVAILABLE, asked.words.refusal(trouble))
        try:
            refused = _refused(asked, self.needs)
            if refused is not None:
                return refused
            if request.method == "POST":
                asked = await _with_form(asked)
                if not same(asked.form.get("token", ""), form_token(asked.token)):
                    return _said(asked, HTTPStatus.FORBIDDEN, asked.words("errors.stale"))
        except TooLong:
            return _said(asked, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, asked.words("errors.too_long"))
        except (
            HTTPException,
            MultiPartException,
            UnicodeError,
            TimeoutError,
        ):  # the first is Starlette's for the second
            return _said(asked, HTTPStatus.BAD_REQUEST, asked.words("errors.no_form"))
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        return await run_in_threadpool(_answered, asked, self.view)


def guarded(console: Console, view: View, needs: Role | None) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a view."""
    door = Door(console, view, needs)

    async def endpoint(request: Request) -> Response:
        return await door(request)

    return endpoint


def session_of(console: Console, request: Request) -> tuple[str, Session | None]:
    """What the browser holds, and who is signed in with it."""
    token = request.cookies.get(console.cookie("session"), "")
    if token and len(token) <= _LONGEST_TOKEN:
        session = console.accounts.users.session(hash_of(token), int(console.clock()))
        if session is not None:
            return token, session
    return "", None


def _recognised(console: Console, request: Request) -> tuple[Asked, str]:
    """The request with whoever asks; and why that cannot be known now, "" if it can."""
    chosen = request.cookies.get(console.cookie("language"))
    words = wording.words(wording.language(chosen, request.headers.get("accept-language", "")))
    token, session, trouble = "", None, ""
    try:
        token, session = session_of(console, request)
        if session is not None and request.url.path != "/events":
            with suppress(Fault):  # a full disk keeps nobody from looking; the session only ends the earlier for it
                console.accounts.users.seen(session, int(console.clock()))
    except (Fault, Refusal) as cause:
        session, trouble = None, str(cause)
    if session is None:
        known = request.cookies.get(console.cookie("visit"), "")
        token = known if 0 < len(known) <= _LONGEST_TOKEN else secrets.token_urlsafe(32)
    return Asked(console, request, words, token, session), trouble


def _refused(asked: Asked, needs: Role | None) -> Response | None:
    request = asked.request
    if request.method == "POST" and not _from_here(asked):
        return _said(asked, HTTPStatus.FORBIDDEN, asked.words("errors.origin"))
    if needs is None:
        return None
    if asked.session is None:
        if request.method == "POST":
            return _said(asked, HTTPStatus.FORBIDDEN, asked.words("errors.signed_out"))
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return asked.go("/sign-in" + (f"?next={quote(here)}" if here != "/" else ""))
    if not asked.may(needs):
        return _said(asked, HTTPStatus.FORBIDDEN, asked.words("errors.role", role=asked.words(f"roles.{needs.value}")))
    return None


def _from_here(asked: Asked) -> bool:
    """Whether a form was sent by a page of this console."""
    headers = asked.request.headers
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site") == "same-origin"
    scheme = "https" if asked.console.secure else "http"
    return same(origin.lower(), f"{scheme}://{headers.get('host', '').lower()}")


async def _with_form(asked: Asked) -> Asked:
    upload = None
    words: dict[str, str] = {}
    async with asked.request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=LARGEST_UPLOAD) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                upload = Upload(value.filename or "", await value.read())
            else:
                words[name] = value
    return Asked(asked.console, asked.request, asked.words, asked.token, asked.session, words, upload)


def _answered(asked: Asked, view: View) -> Response:
    try:
        response = view(asked)
    except Refusal as refused:
        return _said(asked, HTTPStatus.BAD_REQUEST, asked.words.refusal(refused))
    except Fault as fault:
        return _said(asked, HTTPStatus.SERVICE_UNAVAILABLE, asked.words.refusal(fault))
    if asked.session is None and asked.request.cookies.get(asked.console.cookie("visit")) != asked.token:
        asked.console.set_cookie(response, "visit", asked.token)
    return response


def _said(asked: Asked, status: HTTPStatus, text: str) -> Response:
    return asked.page("error.html", status, sentence=text)

"""Signing in and out, one's own password, and the language.

Rules kept here:
- One sentence whatever is wrong: the name, the password, the code, or a code that was used already.
- Too many tries are refused before anything is compared, in one sentence, and noted once in the acts.
- After a sign-in one goes to a page of this console and to no other.
"""

from __future__ import annotations

import math
from dataclasses import replace
from http import HTTPStatus

from starlette.responses import Response

from provisioning import passwords
from provisioning.accounts import hash_of, new_token
from provisioning.console.asked import Asked
from provisioning.console.throttle import Charged, Key, Kind, network
from provisioning.console.wording import LANGUAGES
from provisioning.errors import FleetRefused
from provisioning.users import DEVICE_S, LONGEST_S

_LONGEST_NAME = 64


def form(asked: Asked) -> Response:
    """The form."""
    if asked.session is not None:
        return asked.go("/")
    empty = not asked.console.accounts.users.users()
    return asked.page("sign_in.html", next=_inside(asked.query("next")), name="", sentence="", empty=empty)


def sign_in(asked: Asked) -> Response:
    """Somebody shows name, password and code."""
    console, name = asked.console, asked.field("name").lower()[:_LONGEST_NAME]
    device = asked.request.cookies.get(console.cookie("device"), "")
    known = bool(device) and console.accounts.users.knows(hash_of(device), name, asked.now_unix)
    keys = _keys(asked, name, device if known else "")
    charged = console.throttle.charge(keys, console.clock())
    if charged.wait_s:
        minutes = math.ceil(charged.wait_s / 60)
        return _again(asked, name, asked.words("sign_in.wait", minutes=minutes), HTTPStatus.TOO_MANY_REQUESTS)
    found = console.accounts.step(name, asked.form.get("password", ""), asked.field("code"), console.clock())
    token = new_token()
    device = device if known else new_token()
    if found is not None:
        user, step = found
        hashes = hash_of(token), hash_of(device)
        if console.accounts.acting(user.name).users.begin(user.name, step, *hashes, asked.now_unix):
            console.throttle.refund(keys)
            response = asked.go(_inside(asked.field("next")))
            console.set_cookie(response, "session", token, LONGEST_S)
            console.set_cookie(response, "device", device, DEVICE_S)
            response.delete_cookie(console.cookie("visit"), path="/", secure=console.secure, httponly=True)
            return response
    _note(asked, charged)
    return _again(asked, name, asked.words("sign_in.wrong"), HTTPStatus.FORBIDDEN)


def sign_out(asked: Asked) -> Response:
    """End the session. The browser stays known."""
    if asked.session is not None:
        asked.console.accounts.users.end(asked.session.token_hash)
    response = asked.go("/sign-in")
    response.delete_cookie(asked.console.cookie("session"), path="/", secure=asked.console.secure, httponly=True)
    return response


def account(asked: Asked) -> Response:
    """One's own account."""
    return asked.page("account.html", sentence="", done=False)


def change(asked: Asked) -> Response:
    """Choose another password. What was tried counts as a try to sign in."""
    assert asked.session is not None  # noqa: S101  # the guard's
    console, user = asked.console, asked.session.user
    keys: tuple[Key, ...] = ((Kind.DEVICE, f"session:{asked.session.token_hash}"),)
    if wait_s := console.throttle.charge(keys, console.clock()).wait_s:
        waits = asked.words("sign_in.wait", minutes=math.ceil(wait_s / 60))
        return asked.page("account.html", HTTPStatus.TOO_MANY_REQUESTS, sentence=waits, done=False)
    if not passwords.fits(user.password, asked.form.get("old", "")):
        return asked.page("account.html", HTTPStatus.FORBIDDEN, sentence=asked.words("account.wrong"), done=False)
    console.throttle.refund(keys)
    new = asked.form.get("new", "")
    if new != asked.form.get("again", ""):
        return asked.page("account.html", HTTPStatus.BAD_REQUEST, sentence=asked.words("account.differ"), done=False)
    try:
        kept = passwords.hashed(new, user.name)
    except FleetRefused as refused:
        return asked.page("account.html", HTTPStatus.BAD_REQUEST, sentence=asked.words.refusal(refused), done=False)
    asked.accounts.users.set_password(user.name, kept, asked.session.token_hash)
    return asked.page("account.html", sentence="", done=True)


def language(asked: Asked) -> Response:
    """Read the console in another language from now on."""
    chosen = asked.field("language")
    response = asked.go(_inside(asked.field("next")))
    if chosen in LANGUAGES:
        asked.console.set_cookie(response, "language", chosen, DEVICE_S)
    return response


def _keys(asked: Asked, name: str, known_device: str) -> tuple[Key, ...]:
    """Whose budget a try is charged to: that of a browser the user is known by, else strangers' (`throttle`)."""
    if known_device:
        return ((Kind.DEVICE, hash_of(known_device)),)
    client = asked.request.client
    return (Kind.ACCOUNT, name), (Kind.ADDRESS, network(client.host if client else ""))


def _note(asked: Asked, charged: Charged) -> None:
    """Tell the owners, once for each budget that was used up: an account that exists, or an address."""
    for kind, whose in charged.used_up:
        if kind is Kind.ACCOUNT and asked.console.accounts.users.user(whose) is None:
            continue  # what a stranger typed is not written down
        about = "a known browser" if kind is Kind.DEVICE else whose
        replace(asked.console.store, who="console").record("too many sign-ins", about=about)


def _again(asked: Asked, name: str, said: str, status: HTTPStatus) -> Response:
    goes_to = _inside(asked.field("next"))
    return asked.page("sign_in.html", status, next=goes_to, name=name, sentence=said, empty=False)


def _inside(path: str) -> str:
    """A page of this console, whatever was asked for: never `//elsewhere`, nor what browsers take for that."""
    fine = path.startswith("/") and not path.startswith(("//", "/\\", "/sign-")) and path.isprintable()
    return path if fine and "\\" not in path else "/"

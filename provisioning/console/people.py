"""The users of the console, and what they did.

Rules kept here:
- A new user's password is drawn here and shown once, with the second factor: whoever gets it chooses another.
- Nobody changes their own role or removes themselves: an owner who slips would lock the console.
"""

from __future__ import annotations

from http import HTTPStatus

import segno
from starlette.responses import Response

from device.errors import Refusal
from provisioning import passwords
from provisioning.console.asked import Asked
from provisioning.errors import FleetRefused
from provisioning.second_factor import Shown
from provisioning.users import role, user_name

A_PAGE = 100
_DIGITS = 15


def users(asked: Asked) -> Response:
    """All users."""
    return _users(asked)


def add(asked: Asked) -> Response:
    """Add a user: the answer is what they sign in with, once."""
    try:
        asked.console.once.use(asked.field("once"))
        name = user_name(asked.field("name"))
        password = passwords.drawn()
        shown = asked.accounts.add(name, role(asked.field("role")), password, asked.now_unix)
    except Refusal as refused:
        return _users(asked, asked.words.refusal(refused))
    return _given(asked, name, password, shown)


def change(asked: Asked) -> Response:
    """Give a user another role, or new things to sign in with, or remove them."""
    name, act = asked.field("name"), asked.field("act")
    try:
        if name == asked.who:
            msg = "nobody does this to themselves; ask another owner, or use `doorward user` on the fleet's computer"
            raise FleetRefused(msg)
        match act:
            case "role":
                asked.accounts.users.set_role(name, role(asked.field("role")))
            case "remove":
                asked.accounts.users.remove(name)
            case "reset":
                asked.console.once.use(asked.field("once"))
                password = passwords.drawn()
                return _given(asked, name, password, asked.accounts.reset(name, password))
            case _:
                msg = "that is nothing that can be done to a user"
                raise FleetRefused(msg)
    except Refusal as refused:
        return _users(asked, asked.words.refusal(refused))
    return asked.go("/users")


def acts(asked: Asked) -> Response:
    """Who did what, newest first."""
    before = asked.query("before")
    number = int(before) if before.isascii() and before.isdigit() and len(before) <= _DIGITS else None
    page = asked.console.pages.acts(number, A_PAGE)
    ids = tuple({act.door_id for _number, act in page.acts if act.door_id})
    last = page.acts[-1][0] if page.acts else 0
    return asked.page("acts.html", page=page, names=asked.console.pages.by_id(ids), last=last, chain=None)


def check(asked: Asked) -> Response:
    """Follow the chain through all acts."""
    page = asked.console.pages.acts(None, A_PAGE)
    ids = tuple({act.door_id for _number, act in page.acts if act.door_id})
    last = page.acts[-1][0] if page.acts else 0
    names = asked.console.pages.by_id(ids)
    return asked.page("acts.html", page=page, names=names, last=last, chain=asked.console.pages.chain())


def _users(asked: Asked, said: str = "") -> Response:
    listed = asked.console.accounts.users.users()
    status = HTTPStatus.BAD_REQUEST if said else HTTPStatus.OK
    return asked.page(
        "users.html", status, users=listed, sentence=said, once=asked.console.once.new(), typed=asked.form
    )


def _given(asked: Asked, name: str, password: str, shown: Shown) -> Response:
    svg = segno.make_qr(shown.uri, error="m").svg_inline(border=4, omitsize=True, light="#fff")
    return asked.page("user_new.html", name=name, password=password, secret=shown.secret, svg=svg)

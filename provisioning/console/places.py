"""Places at a door: offer one, end one; and what a new offer is handed over with, printed once.

Rules kept here:
- What is signed needs the passphrase of the fleet's key, each time: it is asked for in the form, used, and forgotten.
  Neither it nor an invitation is put into a page's address, a cookie or a log.
- An invitation is on the page that answers the form, and nowhere else. Sending the form again makes no second one.
- Wrong passphrases are counted as wrong passwords are.
- What the form held is still there when something was refused, but for the passphrase.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from device.errors import Fault, Refusal
from device.wire import NO_END, NO_TIMETABLE
from provisioning import files, labels, placing, sheets, until, withdrawing
from provisioning.console.asked import Asked
from provisioning.console.doors import name_of, show
from provisioning.console.guard import sentence
from provisioning.console.throttle import Key, Kind
from provisioning.errors import FleetFault, FleetRefused
from provisioning.fleet import write_document
from provisioning.labels import Plan
from provisioning.store import Door

_DOCUMENT = re.compile(r"[0-9a-f]{16}-[0-9]{1,10}\.doc")


def _kept(view: Callable[[Asked], Response]) -> Callable[[Asked], Response]:
    """A view whose refusal is told beside its form, with what was typed."""

    def run(asked: Asked) -> Response:
        once = asked.field("once")
        try:
            asked.console.once.use(once)
        except FleetRefused as refused:
            return show(asked, HTTPStatus.CONFLICT, sentence(str(refused)))
        try:
            return view(asked)
        except (Refusal, Fault) as refused:
            asked.console.once.give_back(once)
            status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(refused, Fault) else HTTPStatus.BAD_REQUEST
            return show(asked, status, sentence(str(refused)))

    return run


@_kept
def offer(asked: Asked) -> Response:
    """Offer a place: the answer is the sheet for the resident."""
    name = name_of(asked)
    fleet = asked.fleet
    slot = asked.number("slot") if asked.field("slot") else withdrawing.unused(fleet.store.door(name))
    last = until.day(asked.field("until")) if asked.field("until") else None
    with _signing(asked) as passphrase:
        made = fleet.offer_slot(
            name,
            slot,
            days=asked.number("days"),
            until=last,
            timetable=asked.number("timetable") if asked.field("timetable") else NO_TIMETABLE,
            now_unix=asked.now_unix,
            passphrase=passphrase,
        )
    path = fleet.folder / f"{made.door.id}-{made.version}.doc"
    write_document(made, path)
    return asked.page(
        "invitation.html",
        door=made.door,
        slot=made.slot,
        invitation=made.invitation.grouped,
        expires=time.strftime("%Y-%m-%d %H:%M", time.localtime(made.expires_unix)),
        ends=until.shown(made.ends_unix) if made.ends_unix != NO_END else "",
        timetable=made.timetable,
        **_sent(asked, made.door, made.document, path.name),
    )


@_kept
def end(asked: Asked) -> Response:
    """End a place now."""
    name, fleet = name_of(asked), asked.fleet
    slot = asked.number("slot")
    with _signing(asked) as passphrase:
        ended = withdrawing.withdraw(fleet, name, slot, now_unix=asked.now_unix, passphrase=passphrase)
    path = fleet.folder / f"{ended.door.id}-{ended.version}.doc"
    files.create(path, ended.document)
    sent = _sent(asked, ended.door, ended.document, path.name)
    return asked.page("ended.html", door=ended.door, slot=ended.slot, **sent)


@_kept
def label(asked: Asked) -> Response:
    """A new label by which a door joins: the answer is the sheet for whoever mounts it."""
    name, fleet, console = name_of(asked), asked.fleet, asked.console
    plan = Plan.of(fleet.folder, console.where if fleet.has_authority else None, asked.number("days"), asked.now_unix)
    made = labels.make(fleet, name, plan, anew=asked.field("anew") == "yes")
    ends = time.strftime("%Y-%m-%d %H:%M", time.localtime(sheets.ends_unix(made)))
    door = fleet.store.door(name)
    return asked.page("label.html", door=door, svg=sheets.drawing(made), rows=sheets.rows(made), ends=ends)


@_kept
def place(asked: Asked) -> Response:
    """Note where a door is."""
    placing.place(asked.fleet, name_of(asked), asked.field("building"), asked.field("floor"))
    return asked.go(f"/doors/{asked.request.path_params['door']}")


def document(asked: Asked) -> Response:
    """A document that was made here, for `doorctl apply`: sealed to its door, so that it is no secret."""
    name = asked.request.path_params["name"]
    if not _DOCUMENT.fullmatch(name):
        msg = "there is no such document"
        raise FleetRefused(msg)
    try:
        content = (asked.console.fleet.folder / name).read_bytes()
    except FileNotFoundError as cause:
        msg = "there is no such document; it was made on another computer, or taken away"
        raise FleetRefused(msg) from cause
    except OSError as cause:
        msg = f"the document {name} cannot be read: {cause.strerror}"
        raise FleetFault(msg) from cause
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


@contextmanager
def _signing(asked: Asked) -> Iterator[str]:
    """The passphrase of the form, for one signature; one after the other, as each takes 256 MiB."""
    console = asked.console
    keys: tuple[Key, ...] = ((Kind.DEVICE, f"passphrase:{asked.who}"),)
    wait_s = console.throttle.charge(keys, console.clock()).wait_s
    if wait_s:
        raise FleetRefused(asked.words("sign_in.wait", minutes=math.ceil(wait_s / 60)))
    with console.signing:
        yield asked.form.get("passphrase", "")
    console.throttle.refund(keys)


def _sent(asked: Asked, door: Door, document: bytes, name: str) -> dict[str, Any]:
    """What became of a document: at the broker, if that was wanted and worked; in any case a file in the folder."""
    if asked.field("send") != "yes" or asked.console.ear is None:
        return {"document": name, "sent": False, "trouble": ""}
    try:
        asked.console.ear.send(door, document)
        asked.fleet.store.record("door send", door.id)
    except (Refusal, Fault) as trouble:
        return {"document": name, "sent": False, "trouble": sentence(str(trouble))}
    return {"document": name, "sent": True, "trouble": ""}

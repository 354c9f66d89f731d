"""A door joins: its label, its request and the fingerprint that two people compare, and the answer.

Rules kept here:
- What is approved is the very request whose fingerprint was shown: the form brings both back, and they have to fit.
- Nothing is approved before somebody has said that the fingerprint was read out at the door and is the same. Whoever
  sees that it differs ends the label in the same place.
- A label and its secret are on the page that answers the form, and nowhere else.
- An answer that the broker does not take is a file, so that the label was not used up for nothing.
"""

from __future__ import annotations

import secrets
import time

from starlette.responses import Response

from device.errors import Fault, Refusal
from provisioning import files, joining, labels, sheets
from provisioning.console import acting
from provisioning.console.asked import Asked
from provisioning.console.doors import name_of
from provisioning.errors import FleetRefused
from provisioning.labels import Plan
from provisioning.store import DoorState


def show(asked: Asked, status: int = 200, sentence: str = "") -> Response:
    """The page of a door that joins."""
    console = asked.console
    door = console.store.door(name_of(asked))
    return asked.page(
        "joining.html",
        status,
        door=door,
        label=labels.known(console.fleet, door.name),
        once=console.once.new(),
        sentence=sentence,
        typed=asked.form,
        by_broker=_by_broker(asked),
        needs_broker=console.fleet.has_authority and console.where is None,
    )


def page(asked: Asked) -> Response:
    """The same, to look at."""
    return show(asked)


@acting.kept(show)
def label(asked: Asked) -> Response:
    """A new label by which a door joins: the answer is the sheet for whoever mounts it."""
    name, fleet, console = name_of(asked), asked.fleet, asked.console
    plan = Plan.of(fleet.folder, console.where if fleet.has_authority else None, asked.number("days"), asked.now_unix)
    made = labels.make(fleet, name, plan, anew=asked.field("anew") == "yes")
    ends = time.strftime("%Y-%m-%d %H:%M", time.localtime(sheets.ends_unix(made)))
    door = fleet.store.door(name)
    return asked.page("label.html", door=door, svg=sheets.drawing(made), rows=sheets.rows(made), ends=ends)


@acting.kept(show)
def revoke_label(asked: Asked) -> Response:
    """End the open label of a door: nobody joins with it any more."""
    asked.fleet.store.revoke_label(name_of(asked))
    return asked.go(f"/doors/{asked.request.path_params['door']}/joining")


@acting.kept(show)
def look(asked: Asked) -> Response:
    """Look at a door's request, from the broker or from a file: the answer shows its fingerprint, to be compared."""
    name = name_of(asked)
    data = _request(asked)
    again = asked.field("again") == "yes"
    found = joining.look(asked.fleet, name, data, asked.now_unix, again=again)
    return _compare(asked, found, data)


def approve(asked: Asked) -> Response:
    """Believe the door of a request whose fingerprint was compared."""
    data = _brought(asked)
    shown: list[joining.Asked] = []

    def with_fingerprint(asked: Asked, status: int = 200, sentence: str = "") -> Response:
        return _compare(asked, shown[0], data, status, sentence) if shown else show(asked, status, sentence)

    @acting.kept(with_fingerprint)
    def run(asked: Asked) -> Response:
        fleet, again = asked.fleet, asked.field("again") == "yes"
        found = joining.look(fleet, name_of(asked), data, asked.now_unix, again=again)
        shown.append(found)
        if asked.field("fingerprint") != found.fingerprint:
            msg = "this is another request than the one whose fingerprint was shown; look at it again"
            raise FleetRefused(msg)
        if asked.field("same") != "yes":
            msg = "let somebody at the door read its fingerprint out, and tick that it is the same; nothing was done"
            raise FleetRefused(msg)
        with acting.signing(asked) as passphrase:
            approved, more = joining.believe(fleet, found, now_unix=asked.now_unix, passphrase=passphrase, again=again)
        door = approved.door
        made = [acting.carried(asked, each.door, each.version, each.document) for each in more]
        answer, trouble = _handed_over(asked, door.id, approved.answer)
        return asked.page(
            "approved.html",
            door=door,
            fingerprint=found.fingerprint,
            ends_unix=approved.ends_unix,
            cut=approved.cut,
            answer=answer,
            trouble=trouble,
            made=made,
        )

    return run(asked)


def _compare(asked: Asked, found: joining.Asked, data: bytes, status: int = 200, sentence: str = "") -> Response:
    return asked.page(
        "compare.html",
        status,
        door=found.door,
        fingerprint=found.fingerprint,
        joined=found.door.state is DoorState.JOINED,
        request=data.hex(),
        by=asked.field("by"),
        again=asked.field("again"),
        once=asked.console.once.new(),
        broker=asked.console.ear is not None,
        sentence=sentence,
    )


def _request(asked: Asked) -> bytes:
    """What a door asks to join with."""
    if asked.field("by") == "broker":
        if asked.console.ear is None:
            msg = "the console was started without a broker"
            raise FleetRefused(msg)
        return asked.console.ear.request(asked.request.path_params["door"])
    if asked.upload is None or not asked.upload.content:
        msg = "choose a file first"
        raise FleetRefused(msg)
    return asked.upload.content


def _brought(asked: Asked) -> bytes:
    try:
        return bytes.fromhex(asked.form.get("request", ""))
    except ValueError:
        return b""


def _handed_over(asked: Asked, door_id: str, answer: bytes) -> tuple[str, str]:
    """The name of the answer's file, "" if the broker has it; and what stood against that."""
    console, trouble = asked.console, ""
    if asked.field("by") == "broker" and console.ear is not None:
        try:
            console.ear.admit(door_id, answer)
        except (Refusal, Fault) as cause:
            trouble = asked.words.refusal(cause)
        else:
            return "", ""
    name = f"{door_id}-{secrets.token_hex(8)}.answer"
    files.create(console.fleet.folder / name, answer)
    return name, trouble


def _by_broker(asked: Asked) -> bool:
    where = asked.console.where
    return asked.console.ear is not None and where is not None and where.claim_port > 0

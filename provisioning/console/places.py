"""Places at a door: offer one, end one; and what a new offer is handed over with, printed once.

Rules kept here:
- An invitation is on the page that answers the form, and nowhere else: no page's address, no cookie and no log has it,
  nor the passphrase. Sending the form again makes no second one.
- Whatever ends what somebody lives by (a place that is ended, or offered anew) is done only where that was said to be
  meant.
"""

from __future__ import annotations

import re
import time

from starlette.responses import Response

from device.wire import NO_END, NO_TIMETABLE
from provisioning import placing, until, withdrawing
from provisioning.console import acting
from provisioning.console.asked import Asked
from provisioning.console.doors import name_of, show
from provisioning.errors import FleetFault, FleetRefused
from provisioning.store import Door

_MADE_HERE = re.compile(r"[0-9a-f]{16}-[0-9]{1,10}\.doc|[0-9a-f]{16}-[0-9a-f]{16}\.answer|revoked\.pem")


@acting.kept(show)
def offer(asked: Asked) -> Response:
    """Offer a place: the answer is the sheet for the resident."""
    name = name_of(asked)
    fleet = asked.fleet
    door = fleet.store.door(name)
    slot = asked.number("slot") if asked.field("slot") else withdrawing.unused(door)
    _refuse_standing(asked, door, slot)
    last = until.day(asked.field("until")) if asked.field("until") else None
    with acting.signing(asked) as passphrase:
        made = fleet.offer_slot(
            name,
            slot,
            days=asked.number("days"),
            until=last,
            timetable=asked.number("timetable") if asked.field("timetable") else NO_TIMETABLE,
            now_unix=asked.now_unix,
            passphrase=passphrase,
        )
    return asked.page(
        "invitation.html",
        door=made.door,
        slot=made.slot,
        invitation=made.invitation.grouped,
        expires=time.strftime("%Y-%m-%d %H:%M", time.localtime(made.expires_unix)),
        ends=until.shown(made.ends_unix) if made.ends_unix != NO_END else "",
        timetable=made.timetable,
        made=acting.carried(asked, made.door, made.version, made.document),
    )


@acting.kept(show)
def end(asked: Asked) -> Response:
    """End a place now."""
    name, fleet = name_of(asked), asked.fleet
    slot = asked.number("slot")
    acting.meant(asked)
    with acting.signing(asked) as passphrase:
        ended = withdrawing.withdraw(fleet, name, slot, now_unix=asked.now_unix, passphrase=passphrase)
    made = acting.carried(asked, ended.door, ended.version, ended.document)
    return asked.page("ended.html", door=ended.door, slot=ended.slot, made=made)


@acting.kept(show)
def place(asked: Asked) -> Response:
    """Note where a door is."""
    placing.place(asked.fleet, name_of(asked), asked.field("building"), asked.field("floor"))
    return asked.go(f"/doors/{asked.request.path_params['door']}")


def document(asked: Asked) -> Response:
    """What was made here for a door or a broker: sealed to its door, or signed for everybody; none of it is secret."""
    name = asked.request.path_params["name"]
    if not _MADE_HERE.fullmatch(name):
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


def _refuse_standing(asked: Asked, door: Door, slot: int) -> None:
    """Raise FleetRefused if somebody may live at the place, and the form does not say that it is meant."""
    for each in door.slots:
        stands = each.ends_unix == NO_END or each.ends_unix > asked.now_unix
        if each.number == slot and stands and asked.field("meant") != "yes":
            msg = (
                f"place {slot} was offered before and stands; offering it anew ends PIN, cards, codes and face of "
                "whoever has it: tick that you mean it, or take another number"
            )
            raise FleetRefused(msg)

"""The doors: the list, one door, and a file of all of them.

Rules kept here:
- What is shown of a door is what the fleet knows of it, and how it was when it last reported. Of its residents there is
  nothing to show: places are numbers with dates.
- A file for a spreadsheet holds no formula, whatever a door is called.
"""

from __future__ import annotations

from starlette.responses import Response

from provisioning import identity, labels
from provisioning.console.asked import Asked
from provisioning.console.sheets_csv import exported
from provisioning.console.shown import Shown
from provisioning.errors import FleetRefused
from provisioning.reporting import chosen
from provisioning.store import DoorState
from provisioning.store_pages import DoorLine, Wanted
from provisioning.watching import ENDS_SOON_S

A_PAGE = 50
_EXPORTED = 500


def listed(asked: Asked) -> Response:
    """A page of the list."""
    wanted = _wanted(asked)
    pages = asked.console.pages
    page = pages.doors(wanted)
    shown = Shown(asked.words, asked.console.live, asked.now_unix)
    attention = asked.console.live.attention()
    return asked.page(
        "doors.html",
        doors=[(door, shown.of(door.id, door.state)) for door in page.doors],
        page=page,
        wanted=wanted,
        states=list(DoorState),
        counts=pages.counts(),
        ending=pages.ending(asked.now_unix + ENDS_SOON_S),
        attention=len(attention),
        buildings=[name for name, _count in pages.buildings() if name],
        filter={name: word for name in ("q", "state", "building", "only") if (word := asked.query(name))},
    )


def one(asked: Asked) -> Response:
    """One door, with its places."""
    return show(asked)


def show(asked: Asked, status: int = 200, sentence: str = "") -> Response:
    """The page of the door that the address names, with what was refused."""
    store = asked.console.store
    door = store.door(name_of(asked))
    key = identity.Identity.of(door).fingerprint if door.document_key else ""
    return asked.page(
        "door.html",
        status,
        door=door,
        key=key,
        telling=chosen(door),
        label=labels.known(asked.console.fleet, door.name),
        shown=Shown(asked.words, asked.console.live, asked.now_unix).of(door.id, door.state),
        status_now=asked.console.live.status(door.id),
        once=asked.console.once.new(),
        sentence=sentence,
        typed=asked.form,
        broker=asked.console.ear is not None,
    )


def export(asked: Asked) -> Response:
    """All doors as a file for a spreadsheet, in pages, so that no transaction stands for long."""
    found: list[DoorLine] = []
    after = ""
    while True:
        page = asked.console.pages.doors(Wanted(after=after, most=_EXPORTED))
        found += page.doors
        if not page.later:
            break
        after = page.doors[-1].name
    headers = {"content-disposition": 'attachment; filename="doors.csv"'}
    return Response(exported(found), media_type="text/csv; charset=utf-8", headers=headers)


def name_of(asked: Asked) -> str:
    """The name of the door that the address names by its id. Raises FleetRefused."""
    door_id = asked.request.path_params["door"]
    found = asked.console.pages.by_id((door_id,))
    if door_id not in found:
        msg = "there is no such door in this fleet"
        raise FleetRefused(msg)
    return found[door_id]


def _wanted(asked: Asked) -> Wanted:
    only, building = asked.query("only"), asked.query("building")
    try:
        state = DoorState(asked.query("state"))
    except ValueError:
        state = None
    return Wanted(
        text=asked.query("q"),
        state=DoorState.JOINED if only == "ending" else state,
        building=building or None,
        among=asked.console.live.attention() if only == "attention" else None,
        ends_before_unix=asked.now_unix + ENDS_SOON_S if only == "ending" else None,
        after=asked.query("after"),
        before=asked.query("before"),
        most=A_PAGE,
    )

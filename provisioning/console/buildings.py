"""Plans of buildings, and adding doors: one, or many from a file.

Rules kept here:
- A file is looked at before anything is done: what would be added is shown, and what cannot be, by row. What is then
  sent is read as if it had never been seen.
- A list with a row that cannot be adds nothing.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from device.errors import Fault, Refusal
from provisioning import placing
from provisioning.console import plan as plans
from provisioning.console.asked import Asked
from provisioning.console.sheets_csv import MOST_ROWS, Read, read
from provisioning.console.shown import Shown
from provisioning.errors import FleetRefused
from provisioning.placing import Placed
from provisioning.store import Door
from provisioning.store_pages import Wanted

_SHOWN_ROWS = 200


def plan(asked: Asked) -> Response:
    """The plan of one building, or which there are."""
    pages = asked.console.pages
    buildings = pages.buildings()
    named = [name for name, _count in buildings if name]
    chosen = asked.query("building") or (named[0] if named else "")
    page = pages.doors(Wanted(building=chosen, after=asked.query("after"), most=plans.MOST_DOORS)) if chosen else None
    shown = Shown(asked.words, asked.console.live, asked.now_unix)
    doors = page.doors if page is not None else ()
    return asked.page(
        "plan.html",
        buildings=buildings,
        chosen=chosen,
        plan=plans.plan(doors),
        shown={door.id: shown.of(door.id, door.state) for door in doors},
        page=page,
        size=(plans.BOX_WIDTH, plans.BOX_HEIGHT),
    )


def form(asked: Asked) -> Response:
    """Where a file is chosen."""
    return _form(asked)


def take(asked: Asked) -> Response:
    """Look at a file, or add its doors."""
    console, once = asked.console, asked.field("once")
    sent, found = asked.form.get("text"), None
    try:
        if sent is None and asked.upload is None:
            msg = "choose a file first"
            raise FleetRefused(msg)
        content = sent.encode() if sent is not None else (asked.upload.content if asked.upload else b"")
        found = read(content)
        found = read(content, console.pages.taken([row.placed.name for row in found.rows if not row.why]))
        if sent is None or found.wrong:
            return _form(asked, found)
        console.once.use(once)
        added = _given_back(asked, once, [row.placed for row in found.rows])
    except (Refusal, Fault, UnicodeEncodeError) as refused:
        said = "this file is no text" if isinstance(refused, UnicodeEncodeError) else str(refused)
        return _form(asked, found, asked.words.refusal(said), away=isinstance(refused, Fault))
    return asked.page("imported.html", count=len(added), doors=added[:_SHOWN_ROWS])


def add(asked: Asked) -> Response:
    """Add one door: the next page is that on which it gets its label."""
    once = asked.field("once")
    try:
        asked.console.once.use(once)
        wanted = Placed(asked.field("name"), asked.field("building"), asked.field("floor"))
        (door,) = _given_back(asked, once, [wanted])
    except (Refusal, Fault) as refused:
        return _form(asked, None, asked.words.refusal(refused), away=isinstance(refused, Fault))
    return asked.go(f"/doors/{door.id}/joining")


def _given_back(asked: Asked, once: str, wanted: list[Placed]) -> tuple[Door, ...]:
    """Add doors; what was refused can be sent again."""
    try:
        return placing.add_doors(asked.fleet, wanted)
    except (Refusal, Fault):
        asked.console.once.give_back(once)
        raise


def _form(asked: Asked, found: Read | None = None, said: str = "", *, away: bool = False) -> Response:
    rows = () if found is None else (*found.wrong[:_SHOWN_ROWS], *[row for row in found.rows if not row.why])
    status = HTTPStatus.BAD_REQUEST if said or (found is not None and found.wrong) else HTTPStatus.OK
    if away:
        status = HTTPStatus.SERVICE_UNAVAILABLE
    return asked.page(
        "import.html",
        status,
        found=found,
        rows=rows[:_SHOWN_ROWS],
        sentence=said,
        most=MOST_ROWS,
        once=asked.console.once.new(),
        typed=asked.form,
    )

"""The fleet a page at a time: what a screen shows of thousands of doors, without reading all of them.

Rules kept here:
- A page begins after a name, not at a number: the thousandth costs what the first does, and a door that was added
  meanwhile moves nothing.
- Names are in the order of the database, which is the one its index has.
- Of a door's places a page has their number. Who reads a page learns nothing that `doorward door list` does not say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import sqlalchemy as sa

from provisioning import store_acts, store_rows
from provisioning.store import Act, DoorState
from provisioning.store_acts import Chain
from provisioning.store_sql import SqlStore
from provisioning.store_tables import ActRow, DoorRow, SlotRow

MOST_IDS = 500  # in one question; SQLite takes 32,766 and no screen wants more than these


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which doors: `text` is part of the name, `among` are ids; a page begins `after` or ends `before` a name."""

    text: str = ""
    state: DoorState | None = None
    building: str | None = None
    among: tuple[str, ...] | None = None
    ends_before_unix: int | None = None
    after: str = ""
    before: str = ""
    most: int = 50


@dataclass(frozen=True, slots=True)
class DoorLine:
    """A door as a line of a list. Times are seconds since 1970; `places` is how many were ever offered."""

    name: str
    id: str
    state: DoorState
    building: str
    floor: str
    version: int
    not_after_unix: int | None
    known: bool
    places: int


@dataclass(frozen=True, slots=True)
class DoorPage:
    """A page of doors, by name; whether there are more on either side."""

    doors: tuple[DoorLine, ...]
    earlier: bool
    later: bool


@dataclass(frozen=True, slots=True)
class ActPage:
    """A page of acts, newest first, with the numbers to go on from; `fits`: the chain is whole within the page."""

    acts: tuple[tuple[int, Act], ...]
    later: bool
    fits: bool


@dataclass(frozen=True, slots=True)
class SqlPages:
    """Pages of the fleet in `store`. Raises FleetFault as `FleetStore` does."""

    store: SqlStore

    def doors(self, wanted: Wanted) -> DoorPage:
        """A page of doors."""
        back = bool(wanted.before) and not wanted.after
        asked = sa.select(*_COLUMNS).where(*_wanted(wanted))
        if wanted.after:
            asked = asked.where(DoorRow.name > wanted.after)
        elif back:
            asked = asked.where(DoorRow.name < wanted.before)
        asked = asked.order_by(DoorRow.name.desc() if back else DoorRow.name).limit(wanted.most + 1)
        with self.store.reading() as session:
            found = [_line(row) for row in session.execute(asked)]
        more, found = len(found) > wanted.most, found[: wanted.most]
        if back:
            return DoorPage(tuple(reversed(found)), more, later=True)
        return DoorPage(tuple(found), bool(wanted.after), more)

    def by_id(self, ids: Sequence[str]) -> dict[str, str]:
        """The names of doors, by id; at most MOST_IDS are asked for."""
        asked = sa.select(DoorRow.id, DoorRow.name).where(DoorRow.id.in_(ids[:MOST_IDS]))
        with self.store.reading() as session:
            return {str(row.id): str(row.name) for row in session.execute(asked)}

    def counts(self) -> dict[DoorState, int]:
        """How many doors there are in each state."""
        asked = sa.select(DoorRow.state, sa.func.count()).group_by(DoorRow.state)
        with self.store.reading() as session:
            return {DoorState(state): int(count) for state, count in session.execute(asked)}

    def ending(self, before_unix: int) -> int:
        """How many joined doors have a certificate that ends before this."""
        asked = sa.select(sa.func.count()).select_from(DoorRow)
        soon = DoorRow.state == DoorState.JOINED.value, DoorRow.not_after_unix < before_unix
        with self.store.reading() as session:
            return int(session.scalar(asked.where(*soon)) or 0)

    def buildings(self) -> tuple[tuple[str, int], ...]:
        """Every building that a door was placed in, by name, and how many doors it has; "" is none."""
        asked = sa.select(DoorRow.building, sa.func.count()).group_by(DoorRow.building).order_by(DoorRow.building)
        with self.store.reading() as session:
            return tuple((str(name), int(count)) for name, count in session.execute(asked))

    def taken(self, names: Sequence[str]) -> frozenset[str]:
        """Which of these names doors have already."""
        found: set[str] = set()
        with self.store.reading() as session:
            for at in range(0, len(names), MOST_IDS):
                asked = sa.select(DoorRow.name).where(DoorRow.name.in_(names[at : at + MOST_IDS]))
                found.update(session.scalars(asked))
        return frozenset(found)

    def acts(self, before: int | None, most: int) -> ActPage:
        """A page of acts, newest first, older than number `before`."""
        asked = sa.select(ActRow).order_by(ActRow.number.desc()).limit(most + 1)
        if before is not None:
            asked = asked.where(ActRow.number < before)
        with self.store.reading() as session:
            rows = list(session.scalars(asked))
            found = tuple((row.number, store_rows.act(row)) for row in rows)
        pairs = pairwise(found)
        fits = all(not act.chain or act.chain == store_acts.linked(act, older.chain) for (_, act), (_, older) in pairs)
        return ActPage(found[:most], len(found) > most, fits)

    def chain(self) -> Chain:
        """The whole chain of acts, followed from its beginning."""
        with self.store.reading() as session:
            return store_acts.check(store_acts.everything(session))


_PLACES = sa.select(sa.func.count()).where(SlotRow.door_id == DoorRow.id).correlate(DoorRow).scalar_subquery()
_COLUMNS = (
    DoorRow.name,
    DoorRow.id,
    DoorRow.state,
    DoorRow.building,
    DoorRow.floor,
    DoorRow.version,
    DoorRow.not_after_unix,
    (DoorRow.document_key != "").label("known"),
    _PLACES.label("places"),
)


def _wanted(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.text:
        found.append(DoorRow.name.icontains(wanted.text, autoescape=True))
    if wanted.state is not None:
        found.append(DoorRow.state == wanted.state.value)
    if wanted.building is not None:
        found.append(DoorRow.building == wanted.building)
    if wanted.among is not None:
        found.append(DoorRow.id.in_(wanted.among[:MOST_IDS]))
    if wanted.ends_before_unix is not None:
        found.append(DoorRow.not_after_unix < wanted.ends_before_unix)
    return found


def _line(row: sa.Row[tuple[object, ...]]) -> DoorLine:
    ends = None if row.not_after_unix is None else int(row.not_after_unix)
    words = str(row.name), str(row.id), DoorState(row.state), str(row.building), str(row.floor)
    return DoorLine(*words, int(row.version), ends, bool(row.known), int(row.places))

"""Two doors alike, at one a resident enrols a face, at the other nobody does: the manager cannot tell which."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from device import installing
from device.edges import Room
from device.joining import Label
from provisioning import fleet as fleets
from provisioning import stores
from tests.support.door import NOTED, OPENED, Home, Manager, another_picture, door_up, resident_pictures
from tests.support.office import PASSPHRASE, Office, Watching
from tools import postgresql

SLOT, PIN = 12, "482913"
_ITS_OWN = {"at_unix", "door", "id", "seq"}  # what differs between any two doors, or two moments
_DRAWN = ("id", "key", "verifier", "serial", "fingerprint", "name", "unix", "number", "chain")  # ends of columns


@contextmanager
def joined(office: Office, name: str) -> Iterator[Home]:
    """A door that has joined by the broker, as it reports."""
    label = Label.read(str(office.done("door", "add", name, "--broker", office.where.url)["label"]))
    manager = Manager(fleets.open_fleet(office.folder, office.store).unlock(PASSPHRASE))
    with door_up(
        broker=label.broker, cadence_s=1, door_id=label.door_id.hex(), manager=manager, window_s=4, started=False
    ) as home:
        installing.Joining(home.paths.state(Room.REPORT)).prepare(label)
        installing.store(installing.joined(home.paths.config), installing.settings(label).encode())
        home.up()
        home.well()
        office.done("door", "approve", name, "--fingerprint", str(home.doorctl("join").facts["fingerprint"]))
        yield home


def life(office: Office, watch: Watching, name: str, home: Home, *, face: bool) -> None:
    """Somebody moves in and opens the door twice: with a face, or without ever giving one."""
    made = office.done("slot", "offer", "--door", name, "--slot", str(SLOT))
    office.done("door", "send", name, str(made["document"]))
    watch.until("report", door=name, docs=made["version"], well=True)
    digits = str(made["invitation"])
    assert home.types(f"00#{SLOT}#{digits}#{PIN}#{PIN}#") == NOTED
    if face:
        assert home.enrol(SLOT, PIN, *resident_pictures()).facts["result"] == "done"
        assert home.looks_until_ready(another_picture()) == OPENED
    else:
        assert home.types(f"{SLOT}#{PIN}#") == OPENED
    home.goes_in()
    assert home.types(f"{SLOT}#{PIN}#") == OPENED
    home.goes_in()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Both databases a fleet can be kept in; None: a file in its folder."""
    if request.param == "sqlite":
        yield None
        return
    if postgresql.programs() is None:
        pytest.skip(postgresql.INSTALL)
    with postgresql.running() as server:
        yield server.new_database("fleet")


def rows(office: Office, name: str) -> dict[str, list[dict[str, object]]]:
    """Everything the store has of a door, read past it; what was drawn or dated stands as its kind and length."""
    engine = sa.create_engine(office.store or f"sqlite:///{office.folder / stores.FILE}", poolclass=sa.NullPool)
    seen = sa.MetaData()
    seen.reflect(engine)
    with engine.connect() as database:
        doors = seen.tables["doors"]
        door = database.execute(sa.select(doors.c.id).where(doors.c.name == name)).scalar_one()
        found: dict[str, list[dict[str, object]]] = {}
        for table in seen.sorted_tables:
            of_door = "id" if table is doors else "door_id"
            if of_door in table.c:
                said = database.execute(sa.select(table).where(table.c[of_door] == door).order_by(*table.primary_key))
                found[table.name] = [_plain(dict(row._mapping)) for row in said]
        return found


def _plain(row: dict[str, Any]) -> dict[str, object]:
    return {
        name: (type(value).__name__, len(value) if isinstance(value, str) and not name.endswith("serial") else None)
        if name.endswith(_DRAWN) and name != "version"
        else value
        for name, value in row.items()
    }


def told(news: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Every different news of a door, in the order in which they came, from its first document on.

    Whether a report falls between joining and that is a matter of the machine's speed.
    """
    seen: list[dict[str, Any]] = []
    for each in news:
        plain = {key: value for key, value in each.items() if key not in _ITS_OWN}
        if each.get("door") == name and each.get("docs") != 0 and plain not in seen:
            seen.append(plain)
    return seen


def test_manager_sees_no_difference_between_a_face_and_none(office: Office) -> None:
    with ExitStack() as stack:
        watch = stack.enter_context(Watching(office))
        watch.until("connected")
        homes = {name: stack.enter_context(joined(office, name)) for name in ("Face", "None")}
        for name in homes:
            watch.until("report", door=name, well=True)
        began = len(watch.news)
        for name, home in homes.items():
            life(office, watch, name, home, face=name == "Face")
        ends = time.monotonic() + 60
        after = len(watch.news)
        while any(sum(each.get("door") == name for each in watch.news[after:]) < 3 for name in homes):
            assert time.monotonic() < ends, watch.news[after:]
            time.sleep(0.1)
        news = watch.news[began:]
        assert len(homes["Face"].records(Room.VAULT)) == 1
        assert homes["None"].records(Room.VAULT) == []
    # The store, the list, and what came in: nothing tells the two apart.
    assert rows(office, "Face") == rows(office, "None")
    assert rows(office, "Face")["slots"]
    assert told(news, "Face") == told(news, "None")
    listed = {each["name"]: each for each in office.done("door", "list")["doors"]}
    for each in listed.values():
        for drawn in ("name", "id", "fingerprint"):
            del each[drawn]
        each["certificate_ends_unix"] -= each["certificate_ends_unix"] % 86_400
        each["slots"] = [slot | {"number": slot["number"]} for slot in each["slots"]]
    assert listed["Face"] == listed["None"]
    acts = office.done("fleet", "acts")["acts"]
    by_door = {name: [each["command"] for each in acts if each["door"] == name] for name in homes}
    assert by_door["Face"] == by_door["None"]


@pytest.mark.parametrize("seeded", [{"vault": False}, {"faces": 1}, {"count": 3}, {"event": "face"}])
def test_seeded_difference_is_noticed(seeded: dict[str, object]) -> None:
    report = {"event": "report", "at_unix": 1, "seq": 4, "vault": True, "count": None, "well": True}
    alike = [report | {"door": "Face"}, report | {"door": "None", "seq": 9, "at_unix": 2}]
    assert told(alike, "Face") == told(alike, "None")
    assert told([*alike, report | {"door": "Face"} | seeded], "Face") != told(alike, "None")

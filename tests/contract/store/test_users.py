"""The console's users, sessions and acts, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from provisioning import store_acts
from provisioning.errors import FleetRefused
from provisioning.store import Act, Door, DoorState
from provisioning.store_pages import SqlPages, Wanted
from provisioning.store_sql import SqlStore
from provisioning.store_users import SqlUsers
from provisioning.users import DEVICE_S, IDLE_S, LONGEST_S, MOST_DEVICES, Role, User
from tests.contract.store.conftest import Place

NOW = 1_800_000_000
ADA, BOB = User("ada", Role.OWNER, "$argon2id$", b"sealed"), User("bob", Role.VIEWER, "$argon2id$", b"sealed")
T1, T2, D1, D2 = ("1" * 64, "2" * 64, "d" * 64, "e" * 64)


@pytest.fixture
def users(store: SqlStore) -> SqlUsers:
    found = SqlUsers(store)
    found.add(ADA)
    return found


def test_a_name_is_given_once(users: SqlUsers) -> None:
    with pytest.raises(FleetRefused, match="a user named"):
        users.add(ADA)
    assert users.users() == (ADA,)
    assert (users.user("ada"), users.user("bob")) == (ADA, None)


def test_a_session_is_found_until_it_is_over(users: SqlUsers) -> None:
    assert users.begin("ada", 5, T1, D1, NOW)
    found = users.session(T1, NOW + IDLE_S - 1)
    assert found is not None
    assert (found.user.name, found.user.last_step, users.session(T2, NOW)) == ("ada", 5, None)
    assert users.session(T1, NOW + IDLE_S) is None
    users.seen(found, NOW + IDLE_S - 1)
    assert users.session(T1, NOW + IDLE_S) is not None
    assert users.session(T1, NOW + LONGEST_S) is None
    users.end(T1)
    assert users.session(T1, NOW) is None


def test_a_step_is_used_once_by_whoever_comes_first(place: Place, users: SqlUsers) -> None:
    def begin(number: int) -> bool:
        return SqlUsers(place.opened()).begin("ada", 7, f"{number:064x}", D1, NOW)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(begin, range(4))) == [False, False, False, True]
    assert not users.begin("ada", 6, T1, D1, NOW), "an older one is over"
    assert users.begin("ada", 8, T1, D1, NOW)


def test_the_last_owner_stays_whoever_asks_at_once(place: Place, users: SqlUsers) -> None:
    users.add(User("eve", Role.OWNER, "$", b""))

    def leave(name: str) -> str:
        try:
            SqlUsers(place.opened()).remove(name)
        except FleetRefused as refused:
            return str(refused)
        return ""

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(leave, ["ada", "eve"]))
    assert said[0] == ""
    assert "the last owner" in said[1]
    assert len(users.users()) == 1


def test_what_was_begun_with_the_old_password_ends_with_it(users: SqlUsers) -> None:
    users.add(BOB)
    for token in (T1, T2):
        users.begin("bob", int(token[0]), token, D1, NOW)
    users.set_password("bob", "$new", T2)
    assert (users.session(T1, NOW), users.session(T2, NOW) is not None) == (None, True)
    assert users.knows(D1, "bob", NOW)
    users.reset("bob", "$newer", b"other")
    assert (users.session(T2, NOW), users.knows(D1, "bob", NOW)) == (None, False)
    users.begin("bob", 9, T1, D1, NOW)
    users.remove("bob")
    assert (users.user("bob"), users.session(T1, NOW)) == (None, None)


def test_browsers_are_known_for_their_user_for_a_while_and_not_many(users: SqlUsers) -> None:
    users.add(BOB)
    users.begin("ada", 1, T1, D1, NOW)
    assert (users.knows(D1, "ada", NOW), users.knows(D1, "bob", NOW), users.knows(D2, "ada", NOW)) == (
        True,
        False,
        False,
    )
    assert not users.knows(D1, "ada", NOW + DEVICE_S)
    for number in range(MOST_DEVICES):
        users.begin("ada", number + 2, f"{number:064x}", f"{number + 100:064x}", NOW + 1 + number)
    assert not users.knows(D1, "ada", NOW), "the oldest is forgotten"


# ---- acts


def test_the_chain_goes_through_everything_that_is_done(store: SqlStore, users: SqlUsers) -> None:
    users.begin("ada", 1, T1, D1, NOW)
    chain = SqlPages(store).chain()
    assert (chain.acts, chain.last, chain.broken) == (len(store.acts(99)), store.acts(1)[0].chain, None)


def test_the_chain_is_one_whoever_acts_at_once(place: Place, store: SqlStore) -> None:
    def act(number: int) -> None:
        place.opened(60.0).record(f"act {number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, range(24)))
    assert SqlPages(store).chain().broken is None
    assert len(store.acts(99)) == 26


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE acts SET who = 'mallory' WHERE number = 2",
        "UPDATE acts SET command = 'slot list' WHERE number = 2",
        "UPDATE acts SET at_unix = at_unix - 1 WHERE number = 2",
        "UPDATE acts SET about = 'x' WHERE number = 3",
        "UPDATE acts SET chain = NULL WHERE number = 2",
        "UPDATE acts SET chain = NULL WHERE number < 3",
        "DELETE FROM acts WHERE number = 2",
        "DELETE FROM acts WHERE number = 1",
    ],
)
def test_an_act_that_was_changed_or_taken_out_shows(place: Place, store: SqlStore, damage: str) -> None:
    for number in range(4):
        store.record(f"act {number}")
    assert SqlPages(store).chain().broken is None
    place.raw(damage)
    assert SqlPages(store).chain().broken is not None
    assert not SqlPages(store).acts(None, 50).fits or "number = 1" in damage


def test_acts_from_before_there_was_a_chain_stand_outside() -> None:
    old = [Act(1, "me", "fleet init", ""), Act(2, "me", "door add", "")]
    new = Act(3, "me", "slot offer", "")
    linked = Act(3, "me", "slot offer", "", "", store_acts.linked(new, ""))
    assert store_acts.check([*old, linked]) == store_acts.Chain(1, linked.chain, None)
    assert store_acts.check([*old, linked, new]).broken == new
    assert store_acts.check([]) == store_acts.Chain(0, "", None)


# ---- pages


@pytest.fixture
def many(store: SqlStore) -> SqlPages:
    names = [f"Door {number:03}" for number in range(120)]
    doors = [
        Door(name, f"{at + 1:016x}", building="Haus %_" if at % 2 else "", floor="1") for at, name in enumerate(names)
    ]
    store.add_doors(doors)
    return SqlPages(store)


def test_pages_go_on_where_the_one_before_ended(many: SqlPages) -> None:
    seen: list[str] = []
    after = ""
    while True:
        page = many.doors(Wanted(after=after, most=50))
        seen += [door.name for door in page.doors]
        if not page.later:
            break
        after = page.doors[-1].name
    assert seen == [*[f"Door {number:03}" for number in range(120)], "Front"]
    back = many.doors(Wanted(before="Door 060", most=50))
    assert ([back.doors[0].name, back.doors[-1].name], back.earlier, back.later) == (
        ["Door 010", "Door 059"],
        True,
        True,
    )
    assert not many.doors(Wanted(before="Door 010", most=50)).earlier


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(text="door 11"), 10),
        (Wanted(text="%"), 0),
        (Wanted(text="_"), 0),
        (Wanted(text="'; DROP TABLE doors"), 0),
        (Wanted(building="Haus %_"), 60),
        (Wanted(state=DoorState.JOINED), 0),
        (Wanted(state=DoorState.ADDED), 121),
        (Wanted(among=()), 0),
        (Wanted(among=("0" * 15 + "1", "f" * 16)), 1),
        (Wanted(ends_before_unix=NOW), 0),
    ],
    ids=str,
)
def test_a_filter_finds_what_it_says(many: SqlPages, wanted: Wanted, found: int) -> None:
    from dataclasses import replace

    assert len(many.doors(replace(wanted, most=500)).doors) == found


def test_a_list_is_added_wholly_or_not_at_all(store: SqlStore, many: SqlPages) -> None:
    before = store.doors(), store.acts(500)
    with pytest.raises(FleetRefused, match='named "Front"'):
        store.add_doors([Door("New", "a" * 16), Door("Front", "b" * 16)])
    assert (store.doors(), store.acts(500)) == before
    assert many.counts() == {DoorState.ADDED: 121}
    assert many.buildings() == (("", 61), ("Haus %_", 60))
    assert many.taken(["Front", "New", "Door 001"]) == {"Front", "Door 001"}
    store.place_door("Front", "Haus", "-1")
    assert (store.door("Front").building, store.door("Front").floor) == ("Haus", "-1")

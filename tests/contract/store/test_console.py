"""The console on a SQLite file and on a real PostgreSQL server; two consoles at one fleet."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from provisioning import placing
from provisioning.console.doors import A_PAGE
from provisioning.placing import Placed
from provisioning.store_pages import SqlPages
from provisioning.users import Role
from tests.contract.store.conftest import Place
from tests.support.console import PASSPHRASE, PASSWORD, Browser, Desk, alert, cheap


@pytest.fixture
def desk(empty: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    cheap(monkeypatch)
    return Desk(tmp_path / "fleet", store=empty.url)


def offered(browser: Browser, slot: str) -> httpx.Response:
    path = f"/doors/{browser.desk.door.id}"
    return browser.send(f"{path}/offer", path, slot=slot, days="14", passphrase=PASSPHRASE)


def names(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/doors/\w+">([^<]+)</a>', text)


def test_a_manager_signs_in_lists_filters_offers_and_follows_the_chain(desk: Desk) -> None:
    doors = [Placed(f"Door {at:03}", f"House {at % 3}", str(at % 5)) for at in range(2 * A_PAGE)]
    placing.add_doors(desk.fleet, doors)
    browser = desk.signed_in("mia", Role.MANAGER)
    first = names(browser.get("/").text)
    assert len(first) == A_PAGE
    assert first == sorted(first)
    second = names(browser.get(f"/?after={first[-1]}").text)
    assert not set(first) & set(second)
    assert second[0] > first[-1]
    assert names(browser.get(f"/?before={second[0]}").text) == first
    assert names(browser.get("/?q=OOR 01").text) == [f"Door {at:03}" for at in range(10, 20)]
    assert len(names(browser.get("/?building=House 1").text)) == 33
    assert names(browser.get("/?q=%25").text) == [], "a sign of the database is a sign"
    assert "House 2" in browser.get("/plan?building=House 2").text
    assert 'id="invitation"' in offered(browser, "12").text
    assert "was offered before" in alert(offered(browser, "12"))
    assert browser.get("/doors.csv").text.count("\r\n") == 2 * A_PAGE + 2
    checked = browser.send("/acts", "/acts")
    assert "The chain is whole" in checked.text
    assert desk.acts[-1][:2] == ("mia", "slot offer")


def test_what_somebody_changed_in_the_chain_shows_in_the_console(desk: Desk, empty: Place) -> None:
    browser = desk.signed_in()
    offered(browser, "12")
    where = Place(desk.folder, empty.url)
    where.raw("UPDATE acts SET who = 'mallory' WHERE command = 'slot offer'")
    assert "The chain breaks" in alert(browser.send("/acts", "/acts"))


def test_two_consoles_at_one_fleet_do_each_thing_once(desk: Desk, tmp_path: Path) -> None:
    here = desk.signed_in("mia", Role.MANAGER)
    desk.user("max", Role.MANAGER)
    other = desk.on_another_computer(tmp_path / "other")
    there = Browser(other)
    assert there.sign_in("max").status_code == 303
    with ThreadPoolExecutor(2) as both:
        jobs = [both.submit(offered, browser, str(slot)) for slot in range(1, 7) for browser in (here, there)]
        pages = [job.result() for job in jobs]
    good = [page for page in pages if page.status_code == 200]
    # Whoever came second to a place was asked whether it is meant, or came at that very moment and made the next offer.
    assert all("was offered before" in alert(page) for page in pages if page.status_code != 200)
    door = desk.fleet.store.door("Front")
    assert door.version == len(good) == sum(slot.serial for slot in door.slots)
    assert {slot.number for slot in door.slots} == set(range(1, 7))
    invitations = [re.search(r'id="invitation">([^<]+)<', page.text) for page in good]
    assert len({found[1] for found in invitations if found}) == len(good)
    chain = SqlPages(desk.console.store).chain()
    assert chain.broken is None
    assert [act for _who, act, _ in desk.acts].count("slot offer") == len(good)


def test_a_session_and_a_role_hold_at_both_and_a_code_once(desk: Desk, tmp_path: Path) -> None:
    other = desk.on_another_computer(tmp_path / "other")
    here = desk.signed_in()
    there = Browser(other)
    there.client.cookies.update(here.client.cookies)
    assert there.get("/users").status_code == 200
    desk.user("bob", Role.OWNER)
    code = desk.code("bob")
    first, second = Browser(desk), Browser(other)
    with ThreadPoolExecutor(2) as both:
        jobs = [both.submit(browser.sign_in, "bob", PASSWORD, code) for browser in (first, second)]
        statuses = sorted(job.result().status_code for job in jobs)
    assert statuses == [303, 403], "the code of a moment lets one of them in"
    desk.accounts.users.set_role("ada", Role.VIEWER)
    assert there.get("/users").status_code == 403
    here.send("/sign-out", "/account")
    assert there.get("/").status_code == 303

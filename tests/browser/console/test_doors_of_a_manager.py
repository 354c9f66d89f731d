"""What a manager does to a door, in a real browser: one story for each page of a door."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from nacl.signing import SigningKey
from playwright.sync_api import Browser, Page

from device import attestation
from device.attestation import EndOfDoor
from device.joining import claim_key
from device.strength import KeyPlace
from provisioning import timetable
from provisioning.store import DoorState
from provisioning.users import Role
from tests.support.board import Board
from tests.support.chromium import accessible, visit
from tests.support.console_site import PASSPHRASE, Served, door, shoot

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def signed(page: Page, form: str) -> None:
    """Type the passphrase into the form that goes to `form`, and send it."""
    page.locator(f"form[action$='{form}'] input[name=passphrase]").fill(PASSPHRASE)
    page.locator(f"form[action$='{form}'] button").last.click()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_door_is_added_joins_by_file_and_its_fingerprint_is_compared(
    browser: Browser, console: Served, tmp_path: Path, javascript: bool
) -> None:
    name = "Garden gate" if javascript else "Playground"
    look: Callable[[Page], None] = accessible if javascript else lambda _page: None  # axe is a script
    with visit(browser, javascript=javascript) as visited:
        page = visited.page()
        console.sign_in(page, Role.MANAGER)
        page.goto(f"{console.url}/import")
        page.locator("form[action='/doors'] input[name=name]").fill(name)
        page.click("text=Add the door")
        look(page)
        page.locator("form[action$='/label'] button").click()
        board = Board.of(page.locator("pre").inner_text())
        page.click(f"text=Back to {name}")
        page.click("text=Joining")
        (tmp_path / "front.request").write_bytes(board.asked.pack(claim_key(board.label.secret)))
        page.set_input_files("input[type=file]", tmp_path / "front.request")
        page.click("text=Read the file")
        assert page.locator("#fingerprint").inner_text() == board.asked.fingerprint
        look(page)
        shoot(page, "compare-en")
        page.check("input[name=same]")
        signed(page, "/approve")
        assert page.locator("h1").inner_text() == f"{name} has joined"
        look(page)
        with page.expect_download() as download:
            page.click("a[href$='.answer']")
        assert download.value.path().read_bytes()
        visited.quiet()
    assert console.fleet.store.door(name).document_key == bytes(board.box.public_key).hex()


def test_hours_are_changed_and_an_unequal_door_is_refused_in_one_sentence(browser: Browser, console: Served) -> None:
    name = "Stairs 1 Lindenhof"
    with visit(browser, language="zh") as visited:
        page = visited.page()
        console.sign_in(page, Role.MANAGER)
        door(page, console, name)
        page.click("text=开放时间")
        page.select_option("select[name=zone]", "Europe/Berlin")
        page.uncheck("input[name='s0-card']")
        signed(page, "/hours")
        assert page.locator("[role=alert]").inner_text() == "星期四 00:00，门能用人脸打开，却不能用卡片打开。"
        accessible(page)
        shoot(page, "hours-refused-zh")
        page.check("input[name='s0-card']")
        page.uncheck("input[name='s0-face+pin']")
        page.click("text=再加一组开放时间")
        page.check("input[name='s1-face+pin']")
        for day in DAYS[:5]:
            page.fill(f"input[name='s1-{day}']", "7:00-20:00")
        signed(page, "/hours")
        assert f"{name} 收到文件后即采用新的开放时间" in page.locator("h1").inner_text()
        accessible(page)
        page.click(f"text=返回 {name}")
        page.click("text=开放时间")
        assert page.input_value("input[name='s1-fri']") == "07:00-20:00"
        shoot(page, "door-hours-made-zh")
        visited.quiet(besides="status of 400")
    policy = console.fleet.policy(name)
    assert policy is not None
    assert timetable.spans(policy.schedules[1].week[4]) == ("07:00-20:00",)


def test_what_a_door_tells_is_chosen(browser: Browser, console: Served) -> None:
    with visit(browser) as visited:
        page = visited.page()
        console.sign_in(page, Role.MANAGER)
        door(page, console, "Stairs 2 Lindenhof")
        page.click("text=What it tells")
        page.fill("input[name=epsilon]", "0.5")
        signed(page, "/telling")
        assert "tells what you chose" in page.locator("h1").inner_text()
        accessible(page)
        visited.quiet()


def test_the_end_of_a_door_is_announced_taken_back_and_the_door_given_up(browser: Browser, console: Served) -> None:
    name = "Garage Lindenhof"
    with visit(browser) as visited:
        page = visited.page()
        console.sign_in(page)
        door(page, console, name)
        page.click("text=Its end")
        page.locator("form[action$='/retire'] input[name=name]").fill(name)
        page.locator("form[action$='/retire'] input[name=meant]").check()
        signed(page, "/retire")
        assert "announces its end" in page.locator("h1").inner_text()
        accessible(page)
        page.click(f"text=Back to {name}")
        signed(page, "/recall")
        assert "takes its end back" in page.locator("h1").inner_text()
        page.click(f"text=Back to {name}")
        door_id = console.fleet.store.door(name).id
        end = EndOfDoor(bytes.fromhex(door_id), 20_000, KeyPlace.TPM_NV, KeyPlace.FILE_HOST_KEY)
        form = page.locator("form[action$='/give-up']")
        form.locator("[name=receipt]").fill(attestation.armour(attestation.sign(end, SigningKey(bytes(32)))))
        form.locator("[name=name]").fill(name)
        form.locator("[name=meant]").check()
        form.locator("button").click()
        assert page.locator("h1").inner_text() == f"{name} is given up"
        accessible(page)
        visited.quiet()
    assert console.fleet.store.door(name).state is DoorState.RETIRED

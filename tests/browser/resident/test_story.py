"""A resident's whole way: look, agree, enrol, rest, take along, delete, leave; and what the back button shows then."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from device.edges import Room
from tests.browser.resident.conftest import At, fine
from tests.support.chromium import Visit


def save(page: Page, name: str, to: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("link", name=name).click()
    path = to / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_resident_enrols_rests_takes_along_and_deletes_at_a_telephone(  # noqa: PLR0915 - one way, step by step
    at: At, telephone: Visit, tmp_path: Path
) -> None:
    page, flat = telephone.page(), 1
    code = at.open(page)
    fine(page, "page-start")
    at.type_code(flat, code)
    expect(page.locator("h1")).to_have_text("What this door holds about you", timeout=30_000)
    expect(page.get_by_text("Nothing. No face of yours is stored here.")).to_be_visible()
    expect(page.get_by_text("There is no history here")).to_be_visible()
    fine(page, "page-home")

    page.get_by_role("link", name="Read what a face would mean").click()
    assert page.locator("input:checked").count() == 0, "nobody agrees by default"
    no, yes = (page.get_by_role("button", name=name) for name in ("No face: PIN and card", "I agree: go on"))
    looks = "e => { const s = getComputedStyle(e); return [s.backgroundColor, s.color, s.fontWeight, s.borderColor] }"
    assert no.evaluate(looks) == yes.evaluate(looks), "no answer looks like the right one"
    size = "e => [e.offsetWidth, e.offsetHeight]"
    assert no.evaluate(size) == yes.evaluate(size)
    fine(page, "page-consent")
    yes.click()
    expect(page.get_by_role("alert")).to_contain_text("Say whose face it is.")
    expect(page.get_by_role("alert")).to_contain_text("Tick that you have read")
    fine(page)
    page.goto(at.url)

    at.enrol(page, flat)
    assert len(at.home.records(Room.VAULT)) == 1
    expect(page.locator("h2")).to_have_text("Your signed consent record")
    fine(page)
    record = save(page, "Save as a file", tmp_path)
    assert at.home.doorctl("consent", "verify", str(record)).code == 0

    page.get_by_role("link", name="Back to your page").click()
    expect(page.get_by_text("A template is stored, and it is awake.")).to_be_visible()
    fine(page, "page-held")
    page.get_by_role("button", name="Let my face rest").click()
    expect(page.get_by_text("Your face rests: it opens nothing until you wake it.")).to_be_visible()
    page.get_by_role("link", name="Back to your page").click()
    page.get_by_role("button", name="Wake my face").click()
    expect(page.get_by_text("Your face is awake again.")).to_be_visible()
    page.get_by_role("link", name="Back to your page").click()

    page.get_by_role("link", name="All of this as a file").click()
    fine(page)
    told = json.loads(save(page, "Save as a file (JSON)", tmp_path).read_text())
    assert told["face"]["state"] == "awake"
    assert told["face"]["terms_agreed_to"] == told["face"]["terms_in_force"]
    assert told["history"] == []

    page.goto(at.url)
    page.get_by_role("link", name="Delete my face").click()
    fine(page, "page-erase")
    page.get_by_role("button", name="Delete my face").click()
    expect(page.locator("h1")).to_have_text("Really delete it?")
    assert len(at.home.records(Room.VAULT)) == 1, "one answer is not enough"
    fine(page)
    page.get_by_role("button", name="Yes, delete it for good").click()
    expect(page.get_by_text("Your face is erased.")).to_be_visible()
    assert at.home.records(Room.VAULT) == []
    fine(page, "page-receipt")
    receipt = save(page, "Save as a file", tmp_path)
    said = at.home.doorctl("receipt", "verify", str(receipt), "--consent", str(record))
    assert said.code == 0, said

    page.go_back()
    expect(page.get_by_text("there is nothing to delete")).to_be_visible()
    fine(page)

    page.goto(at.url)
    page.get_by_role("button", name="Leave this page").click()
    expect(page.locator("h1")).to_have_text("You have left. Nothing of you is kept in this browser.")
    fine(page)
    page.go_back()
    expect(page.locator("h2").first).to_have_text("Your code")
    assert "template" not in page.locator("main").inner_text().lower()
    page.goto(f"{at.url}/export")
    expect(page.locator("h2").first).to_have_text("Your code")
    telephone.quiet()


def test_consent_is_withdrawn_in_the_middle_and_nothing_is_kept(at: At, telephone: Visit) -> None:
    page, flat = telephone.page(), 2
    before = at.home.records(Room.VAULT)
    at.sit(page, flat)
    page.get_by_role("link", name="Read what a face would mean").click()
    page.get_by_label("Mine, and I am 14 or older.").check()
    page.get_by_label("With a bare face.").check()
    page.get_by_label("I have read the notice above").check()
    at.stands_before_the_camera()
    page.get_by_role("button", name="I agree: go on").click()
    fine(page, "page-enrol")
    at.looks(page)
    expect(page.locator("#hint")).to_contain_text("The camera has seen a face.")
    fine(page)
    page.get_by_role("button", name="Stop: I do not agree any more").click()
    expect(page.get_by_text("Stopped, as you wished.")).to_be_visible()
    at.home.types(f"01#{flat}#482915#")  # what would have confirmed it confirms nothing any more
    page.get_by_role("link", name="Back to your page").click()
    expect(page.get_by_text("Nothing. No face of yours is stored here.")).to_be_visible()
    assert at.home.records(Room.VAULT) == before
    telephone.quiet()


def test_a_child_is_declared_and_shown_as_one(at: At, telephone: Visit) -> None:
    page, flat = telephone.page(), 3
    at.sit(page, flat)
    page.get_by_role("link", name="Read what a face would mean").click()
    page.get_by_label("That of a child under 14.").check()
    page.get_by_label("With a bare face.").check()
    page.get_by_label("I have read the notice above").check()
    at.stands_before_the_camera()
    page.get_by_role("button", name="I agree: go on").click()
    at.looks(page)
    assert at.home.types(f"01#{flat}#482915#").signal == "NOTED"
    expect(page.get_by_text("Your face is enrolled.")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Back to your page").click()
    expect(page.locator("dl.facts div", has_text="Declared as a child under 14").locator("dd")).to_have_text("yes")
    telephone.quiet()

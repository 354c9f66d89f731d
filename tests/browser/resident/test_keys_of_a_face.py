"""What the page says about a face's own keys, done at the door; apart, for a door's list of tones is finite."""

from __future__ import annotations

from playwright.sync_api import expect

from device.desk.page.words import Words
from tests.browser.resident.conftest import PIN, At
from tests.browser.resident.test_keys import keys_on
from tests.support.chromium import Visit


def test_a_face_rests_and_wakes_by_the_keys_that_the_page_names_and_the_page_shows_it(at: At, telephone: Visit) -> None:
    page, flat, words = telephone.page(), 6, Words("en")
    at.sit(page, flat)
    at.enrol(page, flat)
    page.goto(f"{at.url}/keys")
    erase = keys_on(page, "keys.face", words, flat=str(flat), pin=PIN)
    assert erase == f"02#{flat}#{PIN}#"
    for code, state in (("03", "rests"), ("04", "awake"), ("02", "No face of yours")):
        assert code in words("keys.face.note"), "the page names it"
        assert at.home.twice(code, flat, PIN) == "DONE"
        page.goto(at.url)
        expect(page.locator("section", has=page.locator("#face")).locator("strong")).to_contain_text(state)
    telephone.quiet()

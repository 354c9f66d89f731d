"""What the page says about PIN, card and guests' codes, done key by key at the door as it stands on the screen.

The page shows which keys; it is told no PIN, no code and no secret, and neither is desk. So each test reads its row
from the screen, fills in what only the resident knows, and types it at the keypad of a simulated door.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from device.desk.page.words import Words
from device.edges import Room
from tests.browser.resident.conftest import PIN, At
from tests.integration.door.test_guests import guestcodes
from tests.support.chromium import Visit, visit
from tests.support.door import NOTED, OPENED, REFUSED, Heard

DONE = Heard("DONE", opened=False)
NEW_PIN = "730562"


def keys_on(page: Page, name: str, words: Words, **known: str) -> str:
    """The row below the heading `name`, its blanks filled with what only its owner knows."""
    named = {words(f"key.{key}").replace("-", " "): digits for key, digits in known.items()}
    card = page.locator("section", has=page.get_by_role("heading", name=words(name), exact=True))
    row: list[tuple[str, str]] = card.locator("kbd, var").evaluate_all(
        "all => all.map(e => [e.tagName, e.textContent])"
    )
    assert row, f"no keys under {words(name)}"
    return "".join(text if tag == "KBD" else named[text] for tag, text in row)


class Overheard:
    """Everything a browser sends, to see afterwards that a secret was not in it."""

    def __init__(self, page: Page) -> None:
        self._sent: list[str] = []
        page.on("request", self._take)

    def _take(self, request: Request) -> None:
        # What is there already: to ask the browser for more from within its own event is answered, or not, by chance.
        self._sent.append(f"{request.url} {request.post_data} {request.headers}")

    def nothing_of(self, *secrets: str) -> None:
        assert self._sent
        for secret in secrets:
            assert not [sent for sent in self._sent if secret in sent]


def opened(at: At, flat: int, digits: str) -> bool:
    """Whether they open, typed as the page says for coming in."""
    heard = at.home.types(f"{flat}#{digits}#")
    assert heard in (OPENED, REFUSED)
    at.home.goes_in()
    return heard == OPENED


def keys_page(at: At, page: Page, flat: int, words: Words) -> None:
    """From one's own page to the keys, by its link."""
    at.sit(page, flat)
    page.get_by_role("link", name=words("home.rest.keys")).click()
    expect(page.locator("h1")).to_have_text(words("keys.title"))
    assert page.locator("input:not([type=hidden]), textarea, select").count() == 0, "nothing is typed into this page"


@pytest.mark.parametrize(("flat", "language"), [(1, "en"), (2, "zh")])
def test_a_guests_code_opens_once_and_a_used_or_cancelled_one_never(
    at: At, browser: Browser, flat: int, language: str
) -> None:
    words = Words(language)
    with visit(browser, phone=True, language=language) as visited:
        page = visited.page()
        overheard = Overheard(page)
        keys_page(at, page, flat, words)
        secret = str(guestcodes("", "new")["secret"]).replace(" ", "")
        assert at.home.types(keys_on(page, "keys.guests", words, flat=str(flat), pin=PIN, secret=secret)) == NOTED
        once, other = (
            code["digits"] for code in guestcodes(secret, "once", "--flat", str(flat), "--count", "2")["codes"]
        )
        today = datetime.now(UTC)
        days = ("--from", f"{today - timedelta(1):%Y-%m-%d}", "--to", f"{today + timedelta(1):%Y-%m-%d}")
        (for_days,) = (code["digits"] for code in guestcodes(secret, "days", "--flat", str(flat), *days)["codes"])

        guest = keys_on(page, "keys.in", words, flat=str(flat), pin=once)
        assert at.home.types(guest) == OPENED
        at.home.goes_in()
        assert at.home.types(guest) == REFUSED, "once"
        assert opened(at, flat, for_days)
        assert opened(at, flat, for_days), "on its days as often as somebody comes"
        assert not opened(at, flat + 1, other), "another flat's code is none here"
        at.type_code(flat, "123456", pin=other)
        assert at.home.door.state()["signals"][-1] == "REFUSED", "a guest opens nobody's page"

        assert at.home.types(keys_on(page, "keys.guests", words, flat=str(flat), pin=PIN, secret="0")) == NOTED
        for cancelled in (other, for_days):
            assert not opened(at, flat, cancelled)
        assert opened(at, flat, PIN)
        overheard.nothing_of(PIN, secret, once, other, for_days)
        visited.quiet()
    log = at.home.log(Room.DESK)
    assert not [told for told in (PIN, secret, once, other, for_days) if told in log]


def test_a_secret_that_a_browser_sent_would_be_overheard(at: At, telephone: Visit) -> None:
    page = telephone.page()
    overheard = Overheard(page)
    at.open(page)
    overheard.nothing_of(PIN)
    page.goto(f"{at.url}/keys?pin={PIN}")
    with pytest.raises(AssertionError):
        overheard.nothing_of(PIN)
    at.home.door.keys("*")


def test_another_pin_as_the_page_says_takes_the_place_of_the_old_one(at: At, telephone: Visit) -> None:
    page, flat, words = telephone.page(), 4, Words("en")
    overheard = Overheard(page)
    keys_page(at, page, flat, words)
    typed = keys_on(page, "keys.pin", words, flat=str(flat), pin=PIN, new_pin=NEW_PIN, again=NEW_PIN)
    assert at.home.types(typed) == NOTED
    assert opened(at, flat, NEW_PIN)
    assert not opened(at, flat, PIN)
    overheard.nothing_of(PIN, NEW_PIN)
    telephone.quiet()


def test_a_card_as_the_page_says_is_added_opens_and_is_cancelled(at: At, telephone: Visit, tmp_path: Path) -> None:
    page, flat, words = telephone.page(), 5, Words("en")
    keys_page(at, page, flat, words)
    card = tmp_path / "card.json"
    assert at.home.doorsim("card", "new", str(card), "--kind", "ntag424").code == 0

    def held() -> Heard:
        heard = at.home.does(lambda: at.home.door.tap(card))
        at.home.goes_in()
        return heard

    assert held() == REFUSED, "a card that nobody added"
    assert at.home.types(keys_on(page, "keys.card", words, flat=str(flat), pin=PIN)) == NOTED
    assert held() == DONE
    assert held() == OPENED
    assert at.home.types(keys_on(page, "keys.cards_off", words, flat=str(flat), pin=PIN)) == NOTED
    assert held() == REFUSED
    telephone.quiet()

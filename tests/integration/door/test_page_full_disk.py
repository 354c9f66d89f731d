"""The disk is full under the residents' page: one sentence in its language, whole or not at all, and PINs go on."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from device.desk.page import certificate
from device.desk.page.words import Words
from device.edges import Room
from device.wire import Purpose, Result
from tests.integration.door.conftest import PIN, SLOT
from tests.integration.door.test_page import answers, sits_down, state, until
from tests.support.browser import Browser
from tests.support.door import EACH_A_SAMPLE, NOTED, OPENED, TRIES, Home, folder_of, resident_pictures
from tests.support.small_disk import door_on_a_small_disk, fill

PAGE = 'port = 8443\naddress = "127.0.0.1"'


@pytest.fixture
def home() -> Iterator[Home]:
    with door_on_a_small_disk(page=PAGE) as door:
        door.move_in(SLOT, PIN)
        yield door


@pytest.fixture
def telephone(home: Home) -> Iterator[Callable[[str], Browser]]:
    """A browser that asks for one language, whose owner sits at the page."""
    with ExitStack() as stack:

        def sat_down(language: str) -> Browser:
            assert home.types("012#") == NOTED
            browser = stack.enter_context(Browser(home.door.state()["page_port"]))
            browser._client.headers["accept-language"] = language
            until(lambda: answers(browser), "the page to answer")
            sits_down(home, browser)
            return browser

        yield sat_down


def enrols(home: Home, browser: Browser) -> None:
    """Agree, look, and confirm at the keypad; return when the page says how it ended."""
    home.until(lambda now: not now["granted"] and not now["indicator"], "the door secured and dark")
    home.door.show(folder_of(home.root / f"pictures-{time.monotonic_ns()}", resident_pictures()), fps=EACH_A_SAMPLE)
    browser.goes("/face/enrol")
    browser.sends("/face/enrol", whose="adult", how="bare", agree="yes", answer="yes")

    def seen() -> bool:
        now = browser.step()
        return bool(now["done"] or now["confirm"])

    home.press_until(seen, "the question for the PIN, or a refusal")
    if not browser.step()["done"]:
        home.until(lambda now: not now["indicator"], "the door dark")
        assert home.types(f"01#{SLOT}#{PIN}#") == NOTED
        until(lambda: bool(browser.step()["done"]), "the end of the enrolment")
    browser.goes("/act")


def enrolled_at_last(home: Home, browser: Browser) -> None:
    """As people are told to: once more, if there were too few pictures."""
    for _ in range(TRIES):
        enrols(home, browser)
        if state(browser) == "awake":
            return
    pytest.fail(f"not enrolled: {browser.screen}")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_cannot_be_stored_is_one_sentence_and_can_be_done_once_there_is_room(
    home: Home, telephone: Callable[[str], Browser], language: str
) -> None:
    words, mine = Words(language), telephone(language)
    filler = fill(home)
    for _ in range(TRIES):
        enrols(home, mine)
        if words.ended(Purpose.ENROL, Result.TOO_FEW_FRAMES) not in html.unescape(mine.screen):
            break
    assert words.ended(Purpose.ENROL, Result.FAULT) in html.unescape(mine.screen)
    assert "BEGIN DOORWARD" not in mine.screen, "no paper about what was not done"
    assert state(mine) == "none"
    assert home.records(Room.VAULT) == []
    assert home.types(f"{SLOT}#{PIN}#") == OPENED
    home.goes_in()

    filler.unlink()
    enrolled_at_last(home, mine)
    assert len(home.records(Room.VAULT)) == 1

    filler = fill(home)
    mine.goes("/face/erase")
    mine.sends("/face/erase")
    mine.sends("/face/erase/sure")
    if state(mine) == "awake":  # not done: then whole, and the page said so
        assert words.ended(Purpose.ERASE, Result.FAULT) in html.unescape(mine.screen)
        assert len(home.records(Room.VAULT)) == 1
        filler.unlink()
        mine.goes("/face/erase")
        mine.sends("/face/erase")
        mine.sends("/face/erase/sure")
    assert words.ended(Purpose.ERASE, Result.DONE) in html.unescape(mine.screen)
    assert state(mine) == "none"
    assert home.records(Room.VAULT) == []
    assert "Traceback" not in home.logs()


def test_a_certificate_that_finds_no_room_is_no_half_one_and_the_page_comes_by_itself_once_there_is(home: Home) -> None:
    pem = certificate.file_of(home.paths.state(Room.DESK))
    until(pem.exists, "a certificate")
    home.door.cut()
    pem.unlink()
    filler = fill(home)
    home.up()
    until(lambda: "it is tried again" in home.log(Room.DESK), "a word of desk")
    assert not pem.exists()
    assert home.types(f"{SLOT}#{PIN}#") == OPENED
    home.goes_in()
    filler.unlink()
    until(pem.exists, "a certificate")
    assert home.types("012#") == NOTED
    with Browser(home.door.state()["page_port"]) as browser:
        until(lambda: answers(browser), "the page to answer")
        sits_down(home, browser)
        assert browser._client.get("/export.json").status_code == httpx.codes.OK
    assert "Traceback" not in home.logs()

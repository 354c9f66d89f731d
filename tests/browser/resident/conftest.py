"""A simulated door with its page, and what somebody with a telephone does there.

With DOORWARD_SHOTS=FOLDER the tests leave pictures of the pages in that folder.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from device.desk.page import certificate
from tests.support.chromium import Visit, accessible, visit
from tests.support.door import EACH_A_SAMPLE, PATIENCE_S, Home, door_up, folder_of, resident_pictures

PIN = "482915"
SHOTS = os.environ.get("DOORWARD_SHOTS", "")
WAIT_MS = PATIENCE_S * 1000


@dataclass(frozen=True)
class At:
    """A door with a page, as those who live there use it."""

    home: Home
    browser: Browser

    @property
    def url(self) -> str:
        """The page's address."""
        return f"https://127.0.0.1:{self.home.door.state()['page_port']}"

    def trust(self) -> ssl.SSLContext:
        """For who knows this door's certificate and believes no other."""
        pem = certificate.file_of(self.home.paths.state("desk"))
        self.home.until(lambda _: pem.exists(), "a certificate for the page")
        context = ssl.create_default_context(cadata=pem.read_text().partition("-----END PRIVATE KEY-----")[2])
        context.check_hostname = False  # it names no host: door.toml gave the page no name
        return context

    def arm(self) -> None:
        """Type 012 # and nothing more."""
        assert self.home.types("012#").signal == "NOTED"

    def open(self, page: Page) -> str:
        """Go to the page once it is armed; the code it shows."""
        self.arm()
        self.home.until(
            lambda _: self.answers(), "the page served"
        )  # lock says yes a moment before desk's thread serves
        page.goto(self.url)
        return self.code(page)

    def answers(self) -> bool:
        """Whether somebody who calls is let speak."""
        try:
            with (
                socket.create_connection(("127.0.0.1", self.home.door.state()["page_port"]), 10) as line,
                self.trust().wrap_socket(line),
            ):
                return True
        except OSError:
            return False

    def code(self, page: Page) -> str:
        """The code on the screen."""
        said = page.locator(".code").inner_text().replace(" ", "")
        assert re.fullmatch(r"[0-9]{6}", said)
        return said

    def type_code(self, flat: int, code: str, pin: str = PIN) -> None:
        """Type a code with flat and PIN at the keypad."""
        already = len(self.home.door.state()["signals"])
        self.home.door.keys(f"012#{flat}#{pin}#{code}#")
        # One tone for 012 #, one for the rest.
        self.home.until(lambda now: sum(x in ("NOTED", "REFUSED") for x in now["signals"][already:]) >= 2, "an answer")

    def sit(self, page: Page, flat: int) -> None:
        """Open one's own page: the code on the screen, typed at the door."""
        self.type_code(flat, self.open(page))
        expect(page.locator("h1")).to_have_text(re.compile("holds about you|保存了您"), timeout=WAIT_MS)

    def stands_before_the_camera(self, pictures: Sequence[Path] = ()) -> None:
        """A resident, as in `pictures` or bare, until somebody else does."""
        count = len(list(self.home.root.glob("resident-*")))
        folder = folder_of(self.home.root / f"resident-{count}", pictures or resident_pictures())
        self.home.door.show(folder, fps=EACH_A_SAMPLE)

    def looks(self, page: Page) -> None:
        """Press and look until the page asks for the PIN, or the act has ended."""

        def seen() -> bool:
            return page.locator("#confirm").is_visible() or page.locator("#hint").count() == 0

        self.home.press_until(seen, "the page asking for the PIN")
        self.home.until(lambda now: not now["indicator"], "the door dark")

    def enrol(self, page: Page, flat: int, masked: Sequence[Path] = ()) -> None:
        """From one's own page through notice, camera and PIN; covered, as in `masked`, if there are such."""
        page.get_by_role("link", name="Read what a face would mean").click()
        page.get_by_label("Mine, and I am 14 or older.").check()
        page.get_by_label("With mouth and nose covered" if masked else "With a bare face.").check()
        page.get_by_label("I have read the notice above").check()
        self.stands_before_the_camera(masked)
        page.get_by_role("button", name="I agree: go on").click()
        expect(page.locator("h1")).to_have_text("Enrolling your face")
        self.looks(page)
        assert self.home.types(f"01#{flat}#{PIN}#").signal == "NOTED"
        expect(page.get_by_text("Your face is enrolled.")).to_be_visible(timeout=WAIT_MS)


@pytest.fixture(scope="module")
def at(browser: Browser) -> Iterator[At]:
    """One door for a module, its page, and flats 1 to 9 that are lived in."""
    with door_up(page="port = 8443", window_s=5) as home:
        home.well()
        for flat in range(1, 10):
            home.move_in(flat, PIN)
        yield At(home, browser)


@pytest.fixture
def telephone(browser: Browser) -> Iterator[Visit]:
    with visit(browser, phone=True) as visited:
        yield visited


def fine(page: Page, shot: str = "") -> None:
    """What every page has to be: accessible, no wider than the screen, every control large enough; and its picture."""
    accessible(page)
    fits(page)
    if SHOTS and shot:
        path = Path(SHOTS) / f"{shot}.png"
        page.screenshot(path=path)
        assert path.stat().st_size < 150_000


def fits(page: Page) -> None:
    """It is no wider than the screen, and every control is large enough for a thumb."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, a.button, header a, .ways a, label.pick")]
             .filter(e => e.offsetParent !== null).map(e => [e.textContent.trim(), e.getBoundingClientRect()])
             .filter(([, box]) => box.height < 43.5 || box.width < 43.5).map(([text]) => text)"""
    )
    assert small == [], f"too small for a thumb: {small}"

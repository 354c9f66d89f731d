"""The README's moving picture: recorded here from the real thing, with a drawn figure for everybody.

`DOORWARD_SHOTS=docs/pictures pytest tests/browser/showroom/test_recording.py` makes it anew. What is committed is
checked always.
"""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

import tools.broker
from tests.support.chromium import visit
from tests.support.recording import Recording
from tests.support.room_process import CHECKOUT
from tests.support.showroom import (
    PATIENCE_MS,
    TRIES,
    Showroom,
    at_rest,
    enrolled,
    moved_in,
    opened,
    showroom,
    tries,
)

SHOTS = os.environ.get("DOORWARD_SHOTS")
NAME = "showroom.png"
LARGEST_BYTES = 1_500_000


def test_a_drawn_showroom_has_nobodys_face(tmp_path: Path, browser: Browser) -> None:
    if not Path(tools.broker.PROGRAM).exists():
        pytest.skip(tools.broker.INSTALL)
    with showroom(tmp_path, "--drawn") as room, visit(browser) as visited:
        page = visited.page()
        pictures: list[str] = []
        page.on("request", lambda request: pictures.append(request.url) if "/picture/" in request.url else None)
        opened(page, room.url)
        page.get_by_role("button", name="the resident, in person", exact=True).click()
        expect(page.locator("#tile-text")).to_have_text("the resident, in person", timeout=PATIENCE_MS)
        assert page.locator("img").count() == 0
        assert pictures == []
        assert httpx.get(f"{room.url}picture/resident").status_code == 404
        visited.quiet()
        if SHOTS:
            record(page, room, CHECKOUT / SHOTS / NAME)


def record(page: Page, room: Showroom, path: Path) -> None:
    """PIN, face, print and a cut of the power, as they happened."""
    moved_in(page)
    enrolled(page)
    face_opens(page, room)  # rendered and tried once before the recording begins
    at_rest(page)
    page.set_viewport_size({"width": 1180, "height": 1060})
    page.get_by_role("button", name="Nobody").click()
    expect(page.locator("#tile-text")).to_have_text("nobody", timeout=PATIENCE_MS)
    tries(page, "pin")
    page.evaluate("() => { document.getElementById('said').replaceChildren(); scrollTo(0, 0); }")
    film = Recording(page)
    film.shot()
    film.pause()
    tries(page, "pin").first.click()
    film.until(lambda: room.door.state()["door"] == "open")
    film.pause()
    film.until(lambda: resting(page))
    tries(page, "face").nth(0).click()
    film.until(lambda: page.locator("#tile-text").inner_text() == "the resident, in person")
    for _ in range(TRIES):
        before = room.door.state()["releases"]
        tries(page, "face").nth(1).click()
        film.until(lambda: page.locator("#fact-lamp").inner_text() == "burns")
        film.until(lambda: page.locator("#fact-lamp").inner_text() == "dark")
        if room.door.state()["releases"] > before:
            break
    film.until(lambda: room.door.state()["door"] == "open")
    film.pause()
    film.until(lambda: resting(page))
    tries(page, "print").nth(0).click()
    film.until(lambda: page.locator("#tile-text").inner_text() == "the resident, on paper")
    before = room.door.state()["releases"]
    tries(page, "print").nth(1).click()
    film.until(lambda: page.locator("#fact-lamp").inner_text() == "burns")
    film.until(lambda: page.locator("#fact-lamp").inner_text() == "dark")
    assert room.door.state()["releases"] == before, "a print opened the door"
    film.pause()
    tries(page, "power").nth(0).click()
    film.until(lambda: page.locator("#status").inner_text() == "No power. The bolt holds.")
    film.pause()
    path.parent.mkdir(parents=True, exist_ok=True)
    film.save(path)
    tries(page, "power").nth(1).click()
    at_rest(page)


def resting(page: Page) -> bool:
    """Whether the door is locked and shut."""
    return page.locator("#status").inner_text() == "Locked and shut."


def face_opens(page: Page, room: Showroom) -> None:
    """The resident comes home by face, and tries as often as people do."""
    before = room.door.state()["releases"]
    tries(page, "face").nth(0).click()
    expect(page.locator("#tile-text")).to_have_text("the resident, in person", timeout=PATIENCE_MS)
    for _ in range(TRIES):
        at_rest(page)
        tries(page, "face").nth(1).click()
        if room.door.wait(lambda now: now["releases"] > before, 12):
            return
    pytest.fail("the face did not open in so many windows")


def test_the_committed_picture_moves_and_is_small() -> None:
    path = CHECKOUT / "docs" / "pictures" / NAME
    assert path.stat().st_size < LARGEST_BYTES
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert getattr(picture, "n_frames", 1) > 10
    assert f"docs/pictures/{NAME}" in (CHECKOUT / "README.md").read_text(encoding="utf-8")

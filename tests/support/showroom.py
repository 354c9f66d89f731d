"""A showroom for tests: the installed `doorsim show-room` as a process of its own, and the hands of who tries it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.support.door import COMMANDS
from tests.support.room_process import CHECKOUT
from tools.simulator.client import Door

PATIENCE_S = 120.0
PATIENCE_MS = 60_000
TRIES = 6  # windows of somebody who lives here, on a machine that has other things to do


@dataclass(frozen=True)
class Showroom:
    """Where it is, and the door behind it."""

    url: str
    door: Door
    process: subprocess.Popen[bytes]


@contextmanager
def showroom(folder: Path, *wishes: str) -> Iterator[Showroom]:
    """One that is open; ended as by `kill`, which must leave nothing."""
    out, err = folder / "showroom.json", folder / "showroom.err"
    with out.open("wb") as told, err.open("wb") as beside:
        process = subprocess.Popen(
            [COMMANDS / "doorsim", "show-room", "--no-open", "--json", *wishes],
            env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=beside,
        )
    try:
        end = time.monotonic() + PATIENCE_S
        while not out.read_bytes().endswith(b"\n"):
            assert process.poll() is None, err.read_text()
            assert time.monotonic() < end, err.read_text()
            time.sleep(0.05)
        said = json.loads(out.read_text())
        root = Path(said["root"])
        yield Showroom(said["url"], Door(root), process)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
    assert "Traceback" not in err.read_text()
    assert process.returncode == 0
    assert not root.parent.exists(), "the folder of a showroom goes with it"


def opened(page: Page, url: str) -> Page:
    """`page` with the showroom in it, drawn."""
    page.goto(url)
    expect(page.locator("#status")).not_to_have_text("…", timeout=PATIENCE_MS)
    return page


def tries(page: Page, step: str) -> Locator:
    """The buttons of a step of the tour, which is opened for it."""
    details = page.locator(f"[data-step={step}] > details")
    if details.get_attribute("open") is None:
        details.locator("> summary").click()
    return details.locator(".tries button")


def done(page: Page, step: str, timeout_ms: int = PATIENCE_MS) -> None:
    """Return once the step of the tour is ticked."""
    expect(page.locator(f"[data-step={step}] .tick")).not_to_have_attribute("hidden", "", timeout=timeout_ms)


def at_rest(page: Page) -> None:
    """Return once the door is locked and shut, and nobody is being looked at."""
    expect(page.locator("#status")).to_have_text("Locked and shut.", timeout=PATIENCE_MS)
    expect(page.locator("#fact-lamp")).to_have_text("dark", timeout=PATIENCE_MS)


def moved_in(page: Page) -> None:
    """Move in, by the tour's own button, if nobody did."""
    if page.locator("[data-step=move-in] .tick").get_attribute("hidden") is not None:
        tries(page, "move-in").first.click()
        done(page, "move-in")


def enrolled(page: Page) -> None:
    """Enrol the resident's face, as the tour says."""
    terminal = page.locator("#terminal")
    for _ in range(TRIES):
        at_rest(page)
        tries(page, "enrol").nth(0).click()
        tries(page, "enrol").nth(1).click()
        expect(terminal).to_contain_text("Now press the face button", timeout=PATIENCE_MS)
        tries(page, "enrol").nth(2).click()
        expect(page.locator("#fact-lamp")).to_have_text("burns", timeout=PATIENCE_MS)
        expect(page.locator("#fact-lamp")).to_have_text("dark", timeout=PATIENCE_MS)
        if "type the same again" in terminal.inner_text():
            tries(page, "enrol").nth(3).click()
            done(page, "enrol")
            return
        expect(terminal).to_contain_text("please try again", timeout=PATIENCE_MS)
    raise AssertionError(terminal.inner_text())


def looks(page: Page, who: str, kind: str) -> None:
    """Put somebody before the lens and press the face button; return once the window is over."""
    at_rest(page)
    page.get_by_role("button", name=f"{who}, {kind}", exact=True).click()
    expect(page.locator("#tile-text")).to_have_text(f"{who}, {kind}", timeout=PATIENCE_MS)
    page.locator("#hands .main").click()
    expect(page.locator("#fact-lamp")).to_have_text("burns", timeout=PATIENCE_MS)
    expect(page.locator("#fact-lamp")).to_have_text("dark", timeout=PATIENCE_MS)

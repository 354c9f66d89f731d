"""Debian's Chromium for the tests of the pages: one browser for a worker, one fresh profile for a test.

Rules kept here:
- The browser of the system, as people have it; no download. Where there is none, its tests are skipped by name.
- A page that writes an error to the console, throws, or asks another host for anything fails its test: `Visit.quiet()`.
- What can be checked of WCAG 2.2 AA by a machine is asked of axe, whose script lies in a package and comes from there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    sync_playwright,
)

CHROMIUM = shutil.which("chromium")
AXE = files("axe_playwright_python").joinpath("axe.min.js")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser. Started without its own sandbox, which root cannot have; it sees our pages alone."""
    assert CHROMIUM is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass  # no slots: Playwright notes on it what it made of its methods
class Visit:
    """One profile of a browser (own cookies), with what went wrong in it."""

    context: BrowserContext
    hosts: frozenset[str]
    wrong: list[str] = field(default_factory=list)

    def page(self) -> Page:
        """A new tab."""
        page = self.context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"thrown: {error}"))
        page.on("request", self._request)
        return page

    def quiet(self, *, besides: str = "") -> None:
        """Nothing went wrong in any tab. `besides`: a part of messages that this test provokes."""
        left = [line for line in self.wrong if not besides or besides not in line]
        assert left == [], "\n".join(left)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.wrong.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        where = urlsplit(request.url)
        if where.scheme not in ("data", "blob", "about") and where.hostname not in self.hosts:
            self.wrong.append(f"asked another host: {request.url}")


@contextmanager
def visit(
    browser: Browser,
    *,
    javascript: bool = True,
    phone: bool = False,
    language: str = "en",
    hosts: frozenset[str] = frozenset({"127.0.0.1", "localhost"}),
) -> Iterator[Visit]:
    """A fresh profile. A door's own certificate is not one that a browser knows: it is taken here, as people do."""
    context = browser.new_context(
        java_script_enabled=javascript,
        ignore_https_errors=True,
        viewport=PHONE if phone else DESKTOP,
        has_touch=phone,
        locale=language,
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    try:
        yield Visit(context, hosts)
    finally:
        context.close()


def accessible(page: Page) -> None:
    """Axe finds nothing that WCAG 2.2 AA forbids. Needs JavaScript; the page's own policy does not bind the test."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}}).then(all => all.violations)", WCAG)
    told = [(each["id"], each["help"], [node["target"] for node in each["nodes"]]) for each in found]
    assert told == [], json.dumps(told, indent=1)

"""The card in a real browser: for everybody, on a telephone, in the dark, and on paper."""

from __future__ import annotations

import re
import shutil
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.chromium import PHONE, accessible, visit
from tools.card import git
from tools.card.build import build, tree

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze: apt-get install systemd"
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of the draft of this very tree."""
    path = tmp_path_factory.mktemp("card") / "card.html"
    path.write_text(build(tree(ROOT, git.present(ROOT), partial(git.at_commit, ROOT))).html, encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_everybody_can_read_it_and_it_asks_nobody(browser: Browser, address: str, scheme: str, *, phone: bool) -> None:
    with visit(browser, phone=phone) as visitor:
        page = visitor.page()
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(address)
        accessible(page)
        if phone:
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert page.locator("h1").count() == 1
        assert page.locator("data[data-key]").count() > 50
        wrong = [line for line in visitor.wrong if address not in line]  # the file itself is no other host
        assert wrong == []


def test_it_prints_on_two_sheets_of_a4_at_most(browser: Browser, address: str) -> None:
    with visit(browser) as visitor:
        page = visitor.page()
        page.goto(address)
        sheets = page.pdf(prefer_css_page_size=True)
    assert 1 <= len(re.findall(rb"/Type ?/Page\b", sheets)) <= 2
    assert len(re.findall(rb"/MediaBox ?\[0 0 59[45](?:\.\d+)? 84[12](?:\.\d+)?\]", sheets)) >= 1

"""The browser of these tests notices what they rely on it to notice."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.support.chromium import accessible, visit

GOOD = "<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1><label>Name <input></label></main>"


def test_a_good_page_passes(browser: Browser) -> None:
    with visit(browser) as visited:
        page = visited.page()
        page.set_content(GOOD)
        accessible(page)
        visited.quiet()


@pytest.mark.parametrize(
    "bad",
    [
        GOOD.replace("<label>Name <input></label>", "<input>"),
        GOOD.replace(" lang=en", ""),
        GOOD.replace("<h1>", "<p style='color:#aaa;background:#fff'>faint</p><h1>"),
    ],
    ids=["no label", "no language", "faint"],
)
def test_axe_finds_what_is_wrong(browser: Browser, bad: str) -> None:
    with visit(browser) as visited:
        page = visited.page()
        page.set_content(bad)
        with pytest.raises(AssertionError):
            accessible(page)


def test_a_script_that_throws_and_a_stranger_that_is_asked_are_noticed(browser: Browser) -> None:
    with visit(browser) as visited:
        page = visited.page()
        page.set_content(GOOD + "<script>throw new Error('broken')</script>")
        with pytest.raises(AssertionError, match="broken"):
            visited.quiet()
    with visit(browser) as visited:
        page = visited.page()
        page.set_content(GOOD + "<img alt='' src='http://127.9.9.9:9/x.png'>")
        with pytest.raises(AssertionError, match="another host"):
            visited.quiet()


def test_without_javascript_no_script_runs(browser: Browser) -> None:
    with visit(browser, javascript=False) as visited:
        page = visited.page()
        page.set_content(GOOD + "<script>document.title = 'ran'</script>")
        assert page.title() == "A page"

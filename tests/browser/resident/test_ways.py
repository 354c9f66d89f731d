"""The same page otherwise: no script, a keyboard alone, Chinese, two tabs, a slow network; and for thieves."""

from __future__ import annotations

import hashlib
import socket
import ssl
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from device.desk.page import listening
from device.desk.page.sittings import MOST_EACH, ROOM
from tests.browser.resident.conftest import PIN, At, fine, fits
from tests.support.chromium import Visit, accessible, visit

HELD = "What this door holds about you"


def test_before_it_is_armed_nobody_is_answered_at_all(at: At) -> None:
    """The first test of this door: nobody has typed 012 # yet."""
    where = urlsplit(at.url)
    with socket.create_connection((where.hostname, where.port), 10) as line:
        line.settimeout(10)
        try:
            said = line.recv(1)
        except ConnectionResetError:
            said = b""
        assert said == b"", "shown out without a byte, before TLS"
    at.arm()
    assert httpx.get(at.url, verify=at.trust()).status_code == 200


def test_without_javascript_everything_that_matters_works(at: At, browser: Browser) -> None:
    with visit(browser, javascript=False, phone=True) as visited:
        page, flat = visited.page(), 1
        code = at.open(page)
        assert at.code(page) == code, "looking again shows the same code"
        at.type_code(flat, code)
        expect(page.locator("h1")).to_have_text(HELD, timeout=30_000)  # by itself: the page asks to be looked at again
        page.get_by_role("link", name="Read what a face would mean").click()
        page.get_by_role("button", name="I agree: go on").click()
        expect(page.get_by_role("alert")).to_contain_text("Say whose face it is.")
        page.goto(at.url)
        at.enrol(page, flat)
        page.get_by_role("link", name="Back to your page").click()
        page.get_by_role("link", name="Delete my face").click()
        page.get_by_role("button", name="Delete my face").click()
        page.get_by_role("button", name="Yes, delete it for good").click()
        expect(page.locator("h2")).to_have_text("Your signed receipt of erasure")
        page.get_by_role("button", name="Leave this page").click()
        expect(page.locator("h1")).to_contain_text("You have left.")
        visited.quiet()


def test_in_chinese_as_the_browser_asks_and_back_by_the_switch(at: At, browser: Browser) -> None:
    with visit(browser, phone=True, language="zh-CN") as visited:
        page = visited.page()
        at.sit(page, 2)
        assert page.locator("html").get_attribute("lang") == "zh-Hans"
        expect(page.get_by_text("没有。这里没有保存您的人脸。")).to_be_visible()
        fine(page, "page-home-zh")
        page.get_by_role("link", name="阅读登记人脸的告知").click()
        expect(page.get_by_text("用人脸开这扇门：您同意的内容")).to_be_visible()
        fine(page)
        for path in ("/keys", "/export", "/face/erase"):
            page.goto(f"{at.url}{path}")
            fine(page)
        page.get_by_role("link", name="English").click()
        expect(page.get_by_text("there is nothing to delete")).to_be_visible()
        page.goto(at.url)
        expect(page.locator("h1")).to_have_text(HELD)
        visited.quiet()


def test_a_keyboard_alone_reaches_everything_and_shows_where_it_is(at: At, browser: Browser) -> None:
    with visit(browser) as visited:
        page = visited.page()
        at.sit(page, 3)
        page.keyboard.press("Tab")
        expect(page.get_by_text("Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        passed = []
        for _ in range(12):
            page.keyboard.press("Tab")
            seen = page.evaluate(
                "() => { const e = document.activeElement, s = getComputedStyle(e);"
                " return [e.textContent.trim(), s.outlineStyle, parseFloat(s.outlineWidth)] }"
            )
            assert seen[1] == "solid", f"no ring around {seen[0]}"
            assert seen[2] >= 3
            passed.append(seen[0])
            if seen[0] == "Read what a face would mean":
                break
        assert passed[0] == "Change them at the keypad: the keys", "PIN and card come first"
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Do you want this?")
        while page.evaluate("document.activeElement.name") != "whose":
            page.keyboard.press("Tab")
        for _ in range(2):
            page.keyboard.press("Space")
            page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.value") == "no", "no face stands first"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Enrolling your face")
        page.get_by_role("button", name="Stop: I do not agree any more").press("Enter")
        expect(page.get_by_text("Stopped, as you wished.")).to_be_visible()
        visited.quiet()


def test_two_tabs_show_one_code_and_end_together(at: At, telephone: Visit) -> None:
    one, two = telephone.page(), telephone.page()
    code = at.open(one)
    two.goto(at.url)
    assert at.code(two) == code
    at.type_code(4, code)
    for tab in (one, two):
        tab.bring_to_front()
        expect(tab.locator("h1")).to_have_text(HELD, timeout=30_000)
    one.bring_to_front()
    one.get_by_role("button", name="Leave this page").click()
    expect(one.locator("h1")).to_contain_text("You have left.")
    two.bring_to_front()
    expect(two.locator("h2").first).to_have_text("Your code", timeout=30_000)
    telephone.quiet()


def test_over_a_slow_network_the_page_opens_all_the_same(at: At, telephone: Visit) -> None:
    page = telephone.page()
    line = telephone.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 800, "downloadThroughput": 6000, "uploadThroughput": 3000}
    line.send("Network.emulateNetworkConditions", slow)
    at.sit(page, 5)
    page.get_by_role("link", name="All of this as a file").click()
    expect(page.locator("h1")).to_have_text("Everything held about your face")
    telephone.quiet()


def test_a_thief_with_a_code_of_their_own_or_a_made_up_cookie_gets_nothing(at: At, browser: Browser) -> None:
    with visit(browser) as victim, visit(browser) as thief:
        hers, his = victim.page(), thief.page()
        his_code = at.open(his)
        made_up = "A" * 43
        cookie = {"name": "__Host-sitting", "value": made_up, "url": at.url, "secure": True}
        victim.context.add_cookies([cookie])  # type: ignore[list-item]  # as if somebody had planted it
        at.sit(hers, 6)
        her_cookie = next(c for c in victim.context.cookies() if c["name"] == "__Host-sitting")
        assert her_cookie["value"] != made_up, "a planted sitting is none"
        assert her_cookie["httpOnly"]
        assert her_cookie["secure"]
        assert her_cookie["sameSite"] == "Strict"
        assert hers.evaluate("document.cookie") == ""
        his.reload()
        assert at.code(his) == his_code, "somebody else's code opens nothing here"
        thief.context.clear_cookies()
        thief.context.add_cookies([cookie])  # type: ignore[list-item]  # likewise
        his.goto(f"{at.url}/export")
        expect(his.locator("h2").first).to_have_text("Your code")
        hers.reload()
        expect(hers.locator("h1")).to_have_text(HELD)
        victim.quiet()
        thief.quiet()


def sitting_of(at: At, telephone: Visit, flat: int) -> tuple[httpx.Client, str]:
    """A client with the cookie of whoever sits there, and the token of their forms."""
    page = telephone.page()
    at.sit(page, flat)
    token = page.locator("input[name=token]").first.input_value()
    cookie = next(c for c in telephone.context.cookies() if c["name"] == "__Host-sitting")
    return httpx.Client(
        base_url=at.url, verify=at.trust(), headers={"cookie": f"__Host-sitting={cookie['value']}"}
    ), token


@pytest.mark.parametrize(
    "case", ["another origin", "no origin", "no token", "another's token", "the second answer before the first"]
)
def test_a_form_that_does_not_come_from_the_page_does_nothing(at: At, telephone: Visit, case: str) -> None:
    client, token = sitting_of(at, telephone, 7)
    with client:
        headers, form, path = {"origin": at.url}, {"token": token}, "/leave"
        match case:
            case "another origin":
                headers = {"origin": "https://evil.example"}
            case "no origin":
                headers = {}
            case "no token":
                form = {"answer": "yes"}
            case "another's token":
                form = {"token": "0" * 32}
            case _:
                path = "/face/erase/sure"
        assert client.post(path, data=form, headers=headers).status_code == 403
        assert client.get("/export").status_code == 200, "still there"
        assert client.post("/leave", data={"token": token}, headers={"origin": at.url}).status_code == 303
        assert client.get("/export").headers["location"] == "/"


def test_whoever_holds_every_line_does_not_keep_doorctl_or_the_keypad_waiting(at: At) -> None:
    """Lines that are opened and say nothing, up to the most that one address may have."""
    where = urlsplit(at.url)
    at.arm()
    at.home.door.keys("*")  # else the next keys would be those for a code
    with ExitStack() as lines:
        for _ in range(listening.MOST_EACH + 4):
            lines.enter_context(socket.create_connection((where.hostname, where.port), 10))
        assert at.home.doorctl("status").code == 0
        assert at.home.types(f"8#{PIN}#").signal == "OPENED"
    at.home.goes_in()
    assert httpx.get(f"{at.url}/keys", verify=at.trust(), timeout=30).status_code == 200


def test_the_page_speaks_tls_alone_under_the_certificate_that_doorctl_names(at: At) -> None:
    where = urlsplit(at.url)
    at.arm()
    with pytest.raises(httpx.HTTPError):
        httpx.get(at.url.replace("https", "http"))
    said = at.home.doorctl("page").facts
    for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
        context = at.trust()
        context.minimum_version = context.maximum_version = version
        with (
            socket.create_connection((where.hostname, where.port), 10) as line,
            context.wrap_socket(line) as tls,
        ):
            shown = tls.getpeercert(binary_form=True)
            assert shown is not None
            assert hashlib.sha256(shown).digest().hex(":").upper() == said["fingerprint"]


def test_who_finds_no_place_is_told_and_gets_a_code_by_itself_once_somebody_made_room(at: At, browser: Browser) -> None:
    """Eight of this address wait; the keys that make room stand on the screen of the ninth."""
    at.type_code(9, ROOM)  # nobody of the tests before waits any more
    with ExitStack() as waiting:
        for _ in range(MOST_EACH):
            one = waiting.enter_context(httpx.Client(base_url=at.url, verify=at.trust(), timeout=30))
            assert one.get("/").status_code == 200
        with visit(browser, phone=True) as visited:
            page = visited.page()
            page.goto(at.url)
            expect(page.locator("h1")).to_have_text("Several people are at this page just now")
            fine(page, "page-full")
            typed = page.locator("kbd").all_inner_texts()
            assert ROOM in typed
            at.type_code(9, ROOM)
            expect(page.locator("h2").first).to_have_text("Your code", timeout=30_000)
            visited.quiet(besides="503")
    at.type_code(9, ROOM)  # nobody of this test waits any more


@pytest.mark.parametrize(("flat", "language"), [(1, "en"), (2, "zh-CN")])
def test_every_page_fits_a_small_telephone_and_a_screen_by_day_and_in_the_dark(
    at: At, browser: Browser, flat: int, language: str
) -> None:
    with visit(browser, language=language) as visited:
        page = visited.page()
        for path in ("/", "/keys", "/notice", "/nothing"):
            at.arm()
            at.home.door.keys("*")
            everywhere(page, f"{at.url}{path}")
        at.sit(page, flat)
        for path in ("/", "/face/enrol", "/face/enrol?but=missing.whose", "/export", "/face/erase"):
            everywhere(page, f"{at.url}{path}")
        visited.quiet(besides="404")


def everywhere(page: Page, url: str) -> None:
    """Look at it at each width, and in the dark."""
    page.goto(url)
    for width in (320, 360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        fits(page)
    page.emulate_media(color_scheme="dark")
    accessible(page)
    page.emulate_media(color_scheme="light")

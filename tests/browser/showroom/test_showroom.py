"""The showroom in a real browser, in front of six real processes and a real broker.

The door is believed through `doorsim state`, and not through what the page says of it.
"""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.support.chromium import Visit, accessible, visit
from tests.support.showroom import (
    PATIENCE_MS,
    TRIES,
    Showroom,
    at_rest,
    done,
    enrolled,
    looks,
    moved_in,
    opened,
    tries,
)
from tools.simulator.showroom.tour import PIN, SLOT

CHANGES_NOTHING = ("granted", "releases", "door", "frames_read")


def test_keys_open_the_door_on_the_page_and_in_the_hardware(room: Showroom, visited: Visit) -> None:
    page = opened(visited.page(), room.url)
    moved_in(page)
    at_rest(page)
    before = room.door.state()["releases"]
    for key in f"{SLOT}#{PIN}#":
        page.locator(f"#keypad [data-key='{key}']").click()
    expect(page.locator("#scene")).to_have_class(re.compile("granted"), timeout=PATIENCE_MS)
    state = room.door.state()
    assert state["granted"] or state["releases"] == before + 1
    expect(page.locator("#scene")).to_have_class(re.compile(r"\bopen\b"), timeout=PATIENCE_MS)
    expect(page.locator("#said")).to_contain_text("The door swings open.", timeout=PATIENCE_MS)
    at_rest(page)
    assert room.door.state()["releases"] == before + 1
    assert room.door.state()["frames_read"] == 0, "nobody pressed the face button"


def test_the_keyboard_does_what_the_mouse_does(room: Showroom, visited: Visit) -> None:
    page = opened(visited.page(), room.url)
    moved_in(page)
    at_rest(page)
    before = room.door.state()["releases"]
    page.locator("#keypad button").first.focus()
    page.keyboard.type(f"{SLOT}#{PIN}#", delay=60)
    assert room.door.wait(lambda now: now["releases"] == before + 1, 30)
    at_rest(page)
    # Outside the keypad a digit is nobody's shortcut.
    keyed = room.door.state()["last_key_ns"]
    page.locator("#walks").focus()
    page.keyboard.type("5")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_count(1)
    assert room.door.state()["last_key_ns"] == keyed


def test_without_a_pin_the_door_does_not_move(room: Showroom, visited: Visit) -> None:
    page = opened(visited.page(), room.url)
    at_rest(page)
    page.get_by_role("button", name="Push the door").click()
    expect(page.locator("#said")).to_contain_text("The door does not move", timeout=PATIENCE_MS)
    assert room.door.state()["door"] == "closed"


def test_what_leaves_is_shown_byte_by_byte_with_what_it_means(room: Showroom, visited: Visit) -> None:
    page = opened(visited.page(), room.url)
    report = page.locator("#left li", has_text="/report · 384 bytes").first
    expect(report).to_be_visible(timeout=PATIENCE_MS)
    expect(report).to_contain_text("front is well")
    expect(report.locator("pre")).to_contain_text('"kind":"report"')
    expect(page.locator("#total")).to_contain_text(re.compile(r"\d+ messages, \d+ bytes"))
    # A door that is broken open tells it, and the installer's key says why.
    at_rest(page)
    page.get_by_role("button", name="Break it open").click()
    alarm = page.locator("#left li", has_text="/alarm · 384 bytes")
    expect(alarm.filter(has_text="forced").first).to_be_visible(timeout=PATIENCE_MS)
    at_rest(page)
    assert PIN not in page.locator("#left").inner_text()


def test_leaving_by_the_exit_button_is_no_alarm(room: Showroom, visited: Visit) -> None:
    page = opened(visited.page(), room.url)
    at_rest(page)
    before = page.locator("#left li", has_text="forced").count()
    page.get_by_role("button", name="Exit button, from inside").click()
    expect(page.locator("#scene")).to_have_class(re.compile(r"\bopen\b"), timeout=PATIENCE_MS)
    at_rest(page)
    number = page.locator("#left li", has_text="/report").count()
    expect(page.locator("#left li", has_text="/report").nth(number)).to_be_visible(timeout=PATIENCE_MS)
    assert page.locator("#left li", has_text="forced").count() == before


def test_a_second_tab_sees_the_same_and_what_was_before(room: Showroom, visited: Visit) -> None:
    first = opened(visited.page(), room.url)
    moved_in(first)
    at_rest(first)
    tries(first, "pin").first.click()
    second = opened(visited.page(), room.url)
    expect(second.locator("#said")).to_contain_text("The bolt lets go.", timeout=PATIENCE_MS)
    done(second, "move-in")
    done(second, "pin")
    at_rest(second)
    second.get_by_role("button", name="Push the door").click()
    expect(first.locator("#said")).to_contain_text("The door does not move", timeout=PATIENCE_MS)


def test_pulling_the_cord_locks_the_door_and_putting_it_back_boots_the_same_one(room: Showroom, visited: Visit) -> None:
    page = opened(visited.page(), room.url)
    moved_in(page)
    page.locator("#walks").uncheck()
    at_rest(page)
    tries(page, "pin").first.click()
    assert room.door.wait(lambda now: now["granted"], 30)
    page.locator("#power").click()
    expect(page.locator("#status")).to_have_text("No power. The bolt holds.", timeout=PATIENCE_MS)
    assert not room.door.running()
    expect(page.locator("#fact-processes")).to_have_text("none")
    page.get_by_role("button", name="Push the door").click()
    expect(page.locator("#answer")).to_have_text("There is no power: put the cord back first.", timeout=PATIENCE_MS)
    visited.wrong.clear()  # the browser notes the 409 of what was refused
    page.locator("#power").click()
    at_rest(page)
    assert not room.door.state()["granted"]
    assert room.door.state()["releases"] == 0, "it booted locked"
    done(page, "power")
    page.locator("#walks").check()
    tries(page, "pin").first.click()
    assert room.door.wait(lambda now: now["releases"] == 1, 30), "the PIN of before opens"
    at_rest(page)


def test_a_face_opens_and_its_print_does_not(room: Showroom, visited: Visit) -> None:
    page = opened(visited.page(), room.url)
    moved_in(page)
    enrolled(page)
    at_rest(page)
    before = room.door.state()
    for _ in range(TRIES):
        looks(page, "the resident", "in person")
        if room.door.state()["releases"] > before["releases"]:
            break
    done(page, "face")
    at_rest(page)
    after = room.door.state()
    assert after["releases"] > before["releases"]
    assert after["frames_read"] > before["frames_read"]
    for kind in ("on paper", "on a telephone", "behind the lens"):
        looks(page, "the resident", kind)
        at_rest(page)
        assert room.door.state()["releases"] == after["releases"], kind
    done(page, "print")
    # What is shown is what was held up: a file of the showroom's, never a frame.
    assert page.locator("#face").get_attribute("src") == "/picture/resident"
    page.get_by_role("button", name="Nobody").click()
    expect(page.locator("#tile-text")).to_have_text("nobody", timeout=PATIENCE_MS)


def test_a_card_of_ones_own_opens_and_a_copy_does_not(room: Showroom, visited: Visit) -> None:
    page = opened(visited.page(), room.url)
    moved_in(page)
    at_rest(page)
    tries(page, "card").nth(0).click()
    expect(page.locator("#said li").last).to_contain_text("noted", timeout=PATIENCE_MS)
    tries(page, "card").nth(1).click()
    expect(page.locator("#said")).to_contain_text("Short, long, long: done.", timeout=PATIENCE_MS)
    before = room.door.state()["releases"]
    tries(page, "card").nth(1).click()
    done(page, "card")
    at_rest(page)
    assert room.door.state()["releases"] == before + 1
    tries(page, "card").nth(2).click()
    expect(page.locator("#said li").last).to_contain_text("Three short tones: no.", timeout=PATIENCE_MS)
    assert room.door.state()["releases"] == before + 1


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "telephone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(room: Showroom, browser: Browser, phone: bool, scheme: str) -> None:
    with visit(browser, phone=phone) as visited:
        page = visited.page()
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        opened(page, room.url)
        expect(page.locator("#left li").first).to_be_visible(timeout=PATIENCE_MS)
        accessible(page)
        wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, "nothing is wider than the window"
        assert page.locator(".badge").inner_text() == "SIMULATED"
        visited.quiet()


def test_who_wants_no_motion_gets_none(room: Showroom, visited: Visit) -> None:
    page = opened(visited.page(), room.url)
    moving = "() => getComputedStyle(document.getElementById('leaf')).transitionDuration"
    assert page.evaluate(moving) == "0s"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(moving) != "0s"


def test_a_page_from_elsewhere_drives_no_door(room: Showroom, browser: Browser) -> None:
    """A page of another origin tries all a page can: a form's kind of request, one with our headers, and reading."""
    with visit(browser) as visited:
        page = visited.page()
        page.route("http://evil.localhost/", lambda route: route.fulfill(body="<title>elsewhere</title>"))
        page.goto("http://evil.localhost/")
        before = {name: room.door.state()[name] for name in CHANGES_NOTHING}
        tried = page.evaluate(
            """async (url) => {
                const body = JSON.stringify({act: "leaf", how: "force"});
                const out = [];
                for (const wish of [{mode: "no-cors"}, {headers: {"x-showroom-token": "guessed"}}]) {
                    try { out.push((await fetch(url + "act", {method: "POST", body, ...wish})).type); }
                    catch (error) { out.push("refused"); }
                }
                try { out.push(await (await fetch(url)).text()); } catch (error) { out.push("refused"); }
                return out;
            }""",
            room.url,
        )
        assert tried == ["refused"] * 3
        assert {name: room.door.state()[name] for name in CHANGES_NOTHING} == before


def test_only_its_own_page_drives_it_even_with_the_token(room: Showroom) -> None:
    """What no browser lets a page do: the token is known, and Origin or Host are another's."""
    url = room.url.rstrip("/")
    token = re.findall(r'name="token" content="([^"]+)"', httpx.get(room.url).text)[0]
    own = {"origin": url, "x-showroom-token": token}
    force = {"act": "leaf", "how": "force"}
    before = {name: room.door.state()[name] for name in CHANGES_NOTHING}
    for headers, status in (
        (own | {"origin": "http://evil.example"}, 403),
        (own | {"origin": "null"}, 403),
        ({"x-showroom-token": token}, 403),
        (own | {"sec-fetch-site": "cross-site"}, 403),
        (own | {"x-showroom-token": "guessed"}, 403),
        (own | {"host": "evil.example"}, 421),
        (own | {"host": "evil.example", "origin": "http://evil.example"}, 421),
    ):
        answer = httpx.post(f"{url}/act", json=force, headers=headers)
        assert answer.status_code == status, headers
        assert list(answer.json()) == ["refused"]
    assert httpx.get(room.url, headers={"host": "evil.example"}).status_code == 421
    assert {name: room.door.state()[name] for name in CHANGES_NOTHING} == before
    assert httpx.post(f"{url}/act", json=force, headers=own).status_code == 200, "the same from its own page"
    assert room.door.wait(lambda now: now["door"] == "closed", 30)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'"keys"', 400),
        (b"[" * 1500, 400),
        (b'{"act": "keys", "keys": "' + b"1" * 4000 + b'"}', 400),
        (b"{}", 409),
        (b'{"act": "open"}', 409),
        (b'{"act": ["keys"]}', 409),
        (b'{"act": "keys", "keys": "12a#"}', 409),
        (b'{"act": "keys", "keys": 12}', 409),
        (b'{"act": "keys", "keys": ""}', 409),
        (b'{"act": "press", "what": "rex"}', 409),
        (b'{"act": "hold", "who": "../../etc/passwd", "kind": "live"}', 409),
        (b'{"act": "hold", "who": "resident", "kind": ""}', 409),
        (b'{"act": "tap", "card": "/etc/passwd"}', 409),
        (b'{"act": "leaf", "how": "gently"}', 409),
        (b'{"act": "power", "on": 1}', 409),
        (b'{"act": "power", "on": true}', 409),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_act_gets_a_sentence_and_does_nothing(room: Showroom, body: bytes, status: int) -> None:
    url = room.url.rstrip("/")
    token = re.findall(r'name="token" content="([^"]+)"', httpx.get(room.url).text)[0]
    before = {name: room.door.state()[name] for name in CHANGES_NOTHING}
    answer = httpx.post(f"{url}/act", content=body, headers={"origin": url, "x-showroom-token": token})
    assert answer.status_code == status
    assert re.fullmatch(r"[^\n]+[.#]", answer.json()["refused"])
    assert {name: room.door.state()[name] for name in CHANGES_NOTHING} == before


def test_no_file_but_its_own_is_served(room: Showroom) -> None:
    for path in ("/static/../guard.py", "/static/%2e%2e/guard.py", "/picture/obama.jpg", "/picture/..%2fguard", "/act"):
        assert httpx.get(room.url.rstrip("/") + path).status_code in (404, 405), path


def test_it_listens_on_loopback_alone(room: Showroom) -> None:
    port = int(room.url.rstrip("/").rpartition(":")[2])
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if " 0A " in line]
    assert [each for each in listening if int(each[-4:], 16) == port] == [f"0100007F:{port:04X}"]

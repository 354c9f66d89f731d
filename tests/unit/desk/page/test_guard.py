"""What no request gets past, each with a request that would if the guard were not there; and what no answer lacks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette import requests
from starlette.requests import cookie_parser

from device.desk.page import guard
from device.desk.page.counter import Face, Phase
from device.desk.page.guard import MOST_BODY, caller, ours
from device.desk.page.pace import Pace
from tests.unit.desk.page.house import URL, Browser, House, browser, page, run

PATHS = ("/", "/notice", "/notice.txt", "/keys", "/export", "/export.json", "/face/enrol", "/face/erase", "/act", "/no")
STROKES = "\\" * 7000
FORMS = (
    *("/leave", "/face/enrol", "/face/renew", "/face/pause", "/face/resume", "/face/erase", "/face/erase/sure"),
    "/act/stop",
)


async def seated(face: Face = Face.AWAKE) -> Browser:
    one = browser(House(face=face))
    await one.sit()
    return one


@pytest.mark.exhaustive(5)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("sits", [False, True])
def test_every_answer_is_kept_by_nobody_framed_by_nobody_and_runs_nothing_foreign(path: str, sits: bool) -> None:
    async def story() -> None:
        one = await seated() if sits else browser(House())
        answer = await one.client.get(path)
        for name, value in guard.HEADERS.items():
            assert answer.headers[name] == value
        assert answer.headers["cache-control"] == "no-store"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "<style" not in answer.text
        assert "<script>" not in answer.text
        assert " style=" not in answer.text
        assert " onclick" not in answer.text

    run(story())


def test_only_our_own_files_are_kept_by_a_browser_and_under_a_name_that_changes_with_them() -> None:
    async def story() -> None:
        one = browser(House())
        text = (await one.client.get("/")).text
        link = text.partition('rel="stylesheet" href="')[2].partition('"')[0]
        answer = await one.client.get(link)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert "?" in link
        assert (await one.client.get("/static/../app.py")).status_code == 404
        assert (await one.client.get("/static/app.py")).status_code == 404

    run(story())


@pytest.mark.exhaustive(8)
@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://192.168.1.20:8443"},
        {"origin": "https://192.168.1.20"},
        {"origin": "null"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"origin": "null", "sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {},
    ],
    ids=str,
)
def test_a_form_from_elsewhere_does_nothing(path: str, headers: dict[str, str]) -> None:
    async def story() -> None:
        one = await seated()
        form = {"token": await one.token(), "sure": "x", "answer": "yes"}
        assert (await one.client.post(path, data=form, headers=headers)).status_code == 403
        assert one.house.done == []
        assert one.house.phases[one.sitting] is Phase.OPEN

    run(story())


@pytest.mark.parametrize("headers", [{"origin": URL}, {"origin": "null", "sec-fetch-site": "same-origin"}], ids=str)
def test_a_form_of_ours_counts_also_from_a_browser_that_hides_where_it_comes_from(headers: dict[str, str]) -> None:
    async def story() -> None:
        one = await seated()
        answer = await one.client.post("/face/pause", data={"token": await one.token()}, headers=headers)
        assert answer.status_code == 303
        assert len(one.house.done) == 1

    run(story())


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("token", ["", "0" * 32, "ключ", "another's"])
def test_a_form_without_the_token_of_this_sitting_does_nothing(path: str, token: str) -> None:
    async def story() -> None:
        one = await seated()
        app = one.client._transport.app  # type: ignore[attr-defined]  # httpx's transport of an app
        other = browser(one.house, app)
        await other.sit()
        form = {"token": await other.token() if token == "another's" else token, "answer": "yes", "sure": "x"}
        answer = await one.client.post(path, data=form, headers={"origin": URL})
        assert answer.status_code == 403
        assert one.house.done == []

    run(story())


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize(
    ("host", "name", "well"),
    [
        ("192.168.1.20:8443", "", True),
        ("192.168.1.20", "", True),
        ("[fe80::1]:8443", "", True),
        ("[fe80::1]", "", True),
        ("localhost:1", "", True),
        ("door.local:8443", "door.local", True),
        ("DOOR.local.:8443", "door.local", True),
        ("door.local:8443", "", False),
        ("evil.example:8443", "door.local", False),
        ("door.local.evil.example", "door.local", False),
        ("", "", False),
        (":8443", "", False),
        ("192.168.1.20.evil.example", "", False),
        ("fe80::1%evil.example", "", False),
        ("[fe80::1%25eth0]:8443", "", False),
    ],
)
def test_another_name_than_the_doors_is_not_answered_to(host: str, name: str, well: bool) -> None:
    assert ours(host, name) is well

    async def story() -> None:
        answer = await browser(House(), page(House(), name)).client.get("/keys", headers={"host": host})
        assert answer.status_code == (200 if well else 421)

    run(story())


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "NONSENSE"])
def test_other_methods_are_not_taken(method: str) -> None:
    async def story() -> None:
        one = await seated()
        assert (await one.client.request(method, "/")).status_code == 405
        assert one.house.done == []

    run(story())


def test_what_is_no_form_or_longer_than_one_is_not_read() -> None:
    async def story() -> None:
        one = await seated()
        token = await one.token()
        ours_alone = {"origin": URL}
        for content, kind, status in (
            (f"token={token}&x={'y' * MOST_BODY}".encode(), "application/x-www-form-urlencoded", 413),
            (f'{{"token": "{token}"}}'.encode(), "application/json", 415),
            (f"token={token}".encode(), "text/plain", 415),
            (b"", "", 415),
            (b"token=" + token.encode() + b"&token=" + token.encode(), "application/x-www-form-urlencoded", 403),
            (b"&".join(b"%d=1" % n for n in range(99)), "application/x-www-form-urlencoded", 400),
        ):
            headers = ours_alone | ({"content-type": kind} if kind else {})
            answer = await one.client.post("/face/pause", content=content, headers=headers)
            assert answer.status_code == status, (content[:60], answer.status_code)

        async def endless() -> object:
            yield f"token={token}".encode()

        for length in ("000000000000000099999", "9" * 5000):
            lie = {"content-type": "application/x-www-form-urlencoded", "content-length": length}
            answer = await one.client.post("/face/pause", content=f"token={token}".encode(), headers=ours_alone | lie)
            assert answer.status_code == 413, "nines behind zeros are nines"
        answer = await one.client.post(
            "/face/pause",
            content=endless(),  # type: ignore[arg-type]  # a body of no stated length
            headers=ours_alone | {"content-type": "application/x-www-form-urlencoded"},
        )
        assert answer.status_code == 413
        assert one.house.done == []

    run(story())


@pytest.mark.parametrize("path", FORMS)
def test_a_body_is_counted_whatever_its_length_was_said_to_be(path: str) -> None:
    async def story() -> None:
        one = await seated()
        token, taken = await one.token(), 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal taken
            yield f"token={token}&x=".encode()
            while taken < 1000 * MOST_BODY:
                taken += MOST_BODY
                yield b"y" * MOST_BODY

        headers = {"origin": URL, "content-type": "application/x-www-form-urlencoded", "content-length": "40"}
        answer = await one.client.post(path, content=endless(), headers=headers)
        assert answer.status_code == 413
        assert taken <= 2 * MOST_BODY
        assert one.house.done == []
        assert one.house.phases[one.sitting] is Phase.OPEN

    run(story())


def test_of_the_cookies_a_browser_sends_only_what_could_be_ours_is_read_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Python's reader of quoted values needs time as the square of their length; strangers send it before any pace."""
    read = []

    def reader(header: str) -> dict[str, str]:
        read.append(header)
        return cookie_parser(header)

    monkeypatch.setattr(requests, "cookie_parser", reader)

    async def story() -> None:
        one = await seated()
        secret = one.sitting
        one.client.cookies.clear()
        evil = f'theirs="{STROKES}"; __Host-sitting={secret}; __Host-language="{STROKES}"'
        assert (await one.client.get("/phase.json", headers={"cookie": evil})).json() == {"phase": "open"}
        assert read[-1] == f"__Host-sitting={secret}"
        assert not any("\\" in header for header in read)

    run(story())


@pytest.mark.parametrize("path", ["//evil.example/x", "/%2f/evil.example", "///evil.example"])
def test_no_link_of_a_page_leads_to_another_site(path: str) -> None:
    async def story() -> None:
        one = browser(House())
        answer = await one.client.get(httpx.URL(URL).copy_with(raw_path=path.encode()))
        assert answer.status_code == 404
        links = re.findall(r'href="([^"]*)"', answer.text)
        assert any("lang=" in link for link in links)
        assert not any(re.match(r"[/\\]{2}|[a-z]+:", link) for link in links), links

    run(story())


def test_beyond_so_many_a_second_everybody_waits_and_is_told() -> None:
    now_s = 100.0
    pace = Pace(now_s=lambda: now_s)

    async def story() -> None:
        nonlocal now_s
        house = House()
        one = browser(house, page(house, pace=pace))
        got = [(await one.client.get("/keys")).status_code for _ in range(60)]
        assert got == [200] * 41 + [429] * 19
        answer = await one.client.get("/keys")
        assert answer.headers["retry-after"] == "5"
        assert "PIN and card open the door meanwhile" in answer.text
        now_s += 1.0
        got = [(await one.client.get("/keys")).status_code for _ in range(20)]
        assert got == [200] * 10 + [429] * 10

    run(story())


def from_address(house: House, app: Any, address: str) -> Browser:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 50_000))
    return Browser(house, httpx.AsyncClient(transport=transport, base_url=URL))


def test_one_who_asks_without_a_pause_keeps_nobody_else_away() -> None:
    async def story() -> None:
        house = House()
        app = page(house, pace=Pace(now_s=lambda: 100.0))
        greedy, other = from_address(house, app, "192.168.1.66"), from_address(house, app, "192.168.1.7")
        got = [(await greedy.client.get("/")).status_code for _ in range(100)]
        assert got.count(200) == 41
        assert (await greedy.client.get("/")).status_code == 429
        assert (await other.client.get("/")).status_code == 200

    run(story())


def test_who_typed_a_code_at_the_door_is_answered_whatever_strangers_do() -> None:
    async def story() -> None:
        house = House()
        app = page(house, pace=Pace(now_s=lambda: 100.0))
        one = from_address(house, app, "192.168.1.7")
        await one.sit()
        assert (await one.client.get("/phase.json")).json() == {"phase": "open"}
        for end in range(2, 250):
            stranger = from_address(house, app, f"192.168.1.{end}")
            if (await stranger.client.get("/keys")).status_code == 429:
                break
        else:
            pytest.fail("nobody was refused: this test shows nothing")
        assert (await one.client.get("/export")).status_code == 200
        for cookie in ("A" * 43, one.sitting[:-1]):
            stranger.client.cookies.set("__Host-sitting", cookie, domain="192.168.1.20")
            assert (await stranger.client.get("/keys")).status_code == 429, "a cookie that was made up is none"
        house.phases[one.sitting] = Phase.ENDED
        assert (await one.client.get("/export")).status_code == 303
        assert (await one.client.get("/export")).status_code == 429, "who sits no longer is a stranger again"

    run(story())


def test_a_place_is_asked_for_by_the_address_of_the_line_and_by_nothing_that_is_said() -> None:
    async def story() -> None:
        house = House()
        one = from_address(house, page(house), "::ffff:192.168.1.7")
        await one.client.get("/", headers={"x-forwarded-for": "10.0.0.1", "forwarded": "for=10.0.0.1"})
        assert house.callers == ["192.168.1.7"]

    run(story())
    assert caller({"type": "http"}) == ""


def test_while_it_is_shut_it_says_how_to_open_it_and_nothing_else() -> None:
    async def story() -> None:
        one = await seated()
        one.house.is_armed = False
        for path in PATHS:
            answer = await one.client.get(path)
            assert answer.status_code == 503
            assert "012 #" in answer.text
            assert "template" not in answer.text

    run(story())

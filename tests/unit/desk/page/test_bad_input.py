"""What the page says to bad input: one sentence, in the language of whoever sent it, and nothing done or lost by it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from device.desk.page.counter import Face, Phase
from device.desk.page.guard import FORM, MOST_BODY
from device.desk.page.pace import ALL_BRIM, ALL_PER_S, Pace
from device.desk.page.words import TAGS, Words
from device.wire import Purpose
from tests.unit.desk.page.house import URL, Browser, House, browser, page, run

SAID = re.compile(r"<main.*?<h1>(.*?)</h1>\s*<p>(.*?)</p>", re.DOTALL)
LONG = "ü" * 3000


@dataclass(frozen=True)
class Bad:
    """A request, and what is answered to it. `{token}` is that of the sitting."""

    method: str
    path: str
    status: int
    sentence: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def form(body: bytes, kind: str = FORM, path: str = "/face/pause", *, status: int, sentence: str) -> Bad:
    return Bad("POST", path, status, sentence, body, {"origin": URL, "content-type": kind})


STALE = b"token=" + b"0" * 32
MULTIPART = b'--x\r\nContent-Disposition: form-data; name="token"; filename="a.exe"\r\n\r\nMZ\x90\0\r\n--x--\r\n'
ROWS = {
    "a token of an earlier sitting": form(STALE, status=403, sentence="error.403"),
    "no token": form(b"answer=yes", status=403, sentence="error.403"),
    "a token twice": form(b"token={token}&token={token}", status=403, sentence="error.403"),
    "an overlong value": form(b"token=" + LONG[:1500].encode(), status=403, sentence="error.403"),
    "an overlong name": form(b"t" * 4000 + b"=1", status=403, sentence="error.403"),
    "more fields than any form has": form(b"&".join(b"a%d=1" % n for n in range(99)), status=400, sentence="error.400"),
    "more than a form holds": form(b"token={token}&x=" + b"y" * MOST_BODY, status=413, sentence="error.413"),
    "bytes that are no text": form(b"token=%ff%fe%00&\xff\xfe\x00=\x80", status=403, sentence="error.403"),
    "nothing": form(b"", status=403, sentence="error.403"),
    "an uploaded file": form(MULTIPART, "multipart/form-data; boundary=x", status=415, sentence="error.415"),
    "a picture": form(b"\x89PNG\r\n\x1a\n" + bytes(500), "image/png", status=415, sentence="error.415"),
    "JSON": form(b'{"token": "{token}"}', "application/json", status=415, sentence="error.415"),
    "a form to a page that has none": form(b"token={token}", path="/keys", status=405, sentence="error.405"),
    "a form from another site": Bad(
        "POST", "/face/pause", 403, "error.403", b"token={token}", {"origin": "https://x.example", "content-type": FORM}
    ),
    "the second question before the first": form(
        b"token={token}&sure=" + b"0" * 32, path="/face/erase/sure", status=403, sentence="error.403"
    ),
    "a page that is not there": Bad("GET", "/admin", 404, "error.404"),
    "an overlong address": Bad("GET", "/" + "a" * 8000, 404, "error.404"),
    "a way out of the folder": Bad("GET", "/static/..%2f..%2fserver.py", 404, "error.404"),
    "another method": Bad("DELETE", "/", 405, "error.405"),
    "another door's name": Bad("GET", "/", 421, "error.421", headers={"host": "door.example"}),
}


def said(answer: httpx.Response) -> tuple[str, str]:
    """Heading and the one sentence below it."""
    found = SAID.search(answer.text)
    assert found, answer.text
    return found[1], found[2]


async def sent(one: Browser, bad: Bad) -> httpx.Response:
    body = bad.body.replace(b"{token}", (await one.token()).encode())
    return await one.client.request(bad.method, bad.path, content=body, headers=dict(bad.headers))


@pytest.mark.exhaustive(10)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("row", list(ROWS))
def test_bad_input_gets_one_sentence_in_the_language_of_the_page_and_changes_nothing(row: str, language: str) -> None:
    async def story() -> None:
        bad, words = ROWS[row], Words(language)
        one = browser(House(face=Face.AWAKE), **{"accept-language": language})
        await one.sit()
        answer = await sent(one, bad)
        assert (answer.status_code, said(answer)) == (bad.status, (words("error.title"), words(bad.sentence)))
        assert f'<html lang="{TAGS[language]}">' in answer.text
        assert one.house.done == []
        assert one.house.phases[one.sitting] is Phase.OPEN, "whoever sits there goes on"
        assert (await one.post("/face/pause")).status_code == 303
        assert [purpose for _, purpose, *_ in one.house.done] == [Purpose.PAUSE]

    run(story())


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("cookie", ["A" * 43, "A" * 42, "A" * 4000, "../../etc/passwd", "a b", '"', "%00"])
def test_a_forged_sitting_is_none_and_is_led_to_the_start(cookie: str, language: str) -> None:
    async def story() -> None:
        house, words = House(face=Face.AWAKE), Words(language)
        victim = browser(house)
        await victim.sit()
        headers = {"accept-language": language, "cookie": f"__Host-sitting={cookie}"}
        thief = browser(house, victim.client._transport.app)  # type: ignore[attr-defined]  # httpx's transport of an app
        for path in ("/export", "/export.json", "/paper.txt", "/act", "/face/erase", "/face/enrol"):
            answer = await thief.client.get(path, headers=headers)
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
        for path in ("/face/pause", "/face/erase", "/act/stop", "/face/enrol"):
            answer = await thief.client.post(
                path, data={"token": await victim.token()}, headers=headers | {"origin": URL}
            )
            assert answer.status_code in (303, 403)
            assert answer.status_code == 403 or answer.headers["location"] == "/"
        answer = await thief.client.get("/", headers=headers)
        assert words("start.title") in answer.text
        assert thief.sitting not in ("", cookie), "a name of its own, drawn by the door"
        assert house.done == []
        assert house.phases[victim.sitting] is Phase.OPEN

    run(story())


async def tried(app: Any, sitting: str, token: str, language: str) -> tuple[int, str]:
    """One try with that cookie and that token, past no client's own work; status and text of the answer."""
    body = f"token={token}&sure=0".encode()
    headers = {
        "host": URL.removeprefix("https://"),
        "origin": URL,
        "cookie": f"__Host-sitting={sitting}",
        "content-type": FORM,
        "content-length": str(len(body)),
        "accept-language": language,
    }
    told: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        told.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/face/erase/sure",
        "query_string": b"",
        "root_path": "",
        "scheme": "https",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.168.1.66", 50_000),
        "server": ("192.168.1.20", 8443),
    }
    await app(scope, receive, send)
    return told[0]["status"], b"".join(each.get("body", b"") for each in told).decode()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_ten_thousand_tries_with_made_up_sittings_and_tokens_reach_nobody(
    language: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """In ten seconds, from one address; whoever sits at the page is answered meanwhile."""

    async def story() -> None:
        house, words, now_s = House(face=Face.AWAKE), Words(language), 100.0
        app = page(house, pace=Pace(now_s=lambda: now_s))
        victim = browser(house, app)
        await victim.sit()
        await victim.client.get("/phase.json")
        got = Counter[int]()
        for number in range(10_000):
            now_s += 0.001
            status, text = await tried(app, f"{number:043}", f"{number:032x}", language)
            got[status] += 1
            if status == httpx.codes.TOO_MANY_REQUESTS:
                assert words("error.429") in text
            if number % 2500 == 0:
                assert (await victim.client.get("/export")).status_code == 200
        assert got.keys() == {303, 429}, "led to the start, or told to wait"
        assert got[303] <= ALL_BRIM + 10 * ALL_PER_S
        assert house.done == []
        assert house.phases[victim.sitting] is Phase.OPEN

    run(story())
    told = capfd.readouterr().err
    assert "asked more than it answers" in told, "whoever looks after the door is told"
    assert told.count("\n") < 4, "and no more often than once a minute"
    assert "192.168" not in told


def test_a_try_that_is_right_would_be_seen() -> None:
    """The same tries with what only the victim's browser has do what they ask for."""

    async def story() -> None:
        house = House(face=Face.AWAKE)
        app = page(house)
        victim = browser(house, app)
        await victim.sit()
        site = await victim.token()
        sure = re.search(r"sure=([0-9a-f]+)", (await victim.post("/face/erase")).headers["location"])
        assert sure
        answer = await victim.client.post(
            "/face/erase/sure", data={"token": site, "sure": sure[1]}, headers={"origin": URL}
        )
        assert answer.headers["location"] == "/act"
        assert [purpose for _, purpose, *_ in house.done] == [Purpose.ERASE]

    run(story())

"""What no request gets past: session, form token, origin, role, name, length. Each once with the guard taken out."""

from __future__ import annotations

import pytest
from starlette import requests
from starlette.requests import cookie_parser

from provisioning.accounts import hash_of
from provisioning.console import guard
from provisioning.console.app import TABLE
from provisioning.console.walls import LARGEST_FORM
from provisioning.users import IDLE_S, LONGEST_S, Role
from tests.support.console import HOST, Browser, Desk, TestClient, alert

GETS = [row.path for row in TABLE if row.method == "GET" and row.needs is not None]
POSTS = [row.path for row in TABLE if row.method == "POST"]
HOME = {"origin": f"http://{HOST}"}


def address(desk: Desk, path: str) -> str:
    return path.replace("{door}", desk.door.id).replace("{name}", f"{desk.door.id}-1.doc")


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("path", GETS)
def test_nothing_is_shown_to_nobody(desk: Desk, path: str) -> None:
    said = Browser(desk).get(address(desk, path))
    assert (said.status_code, said.headers["location"].split("?")[0]) == (303, "/sign-in")
    assert "Front" not in said.text


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize(
    "token", ["", "x", "A" * 43, "A" * 5000, "../../etc", "\udc80", "0" * 64, "'; DROP TABLE users"]
)
def test_a_forged_session_is_nobody(desk: Desk, token: str) -> None:
    browser = Browser(desk)
    said = browser.client.get("/", headers={"cookie": f"doorward-session={token}".encode("utf-8", "surrogatepass")})
    assert said.status_code == 303


def test_of_the_cookies_a_browser_sends_only_what_could_be_ours_is_read_as_such(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's reader of quoted values needs time as the square of their length, and nobody has to be known for it."""
    read = []

    def reader(header: str) -> dict[str, str]:
        read.append(header)
        return cookie_parser(header)

    browser = desk.signed_in()
    token = browser.client.cookies["doorward-session"]
    monkeypatch.setattr(requests, "cookie_parser", reader)
    strokes = "\\" * 30_000
    evil = f'theirs="{strokes}"; doorward-session={token}; doorward-device="{strokes}"'
    assert Browser(desk).client.get("/", headers={"cookie": evil}).status_code == 200
    assert read == [f"doorward-session={token}"]


def test_what_the_database_keeps_is_no_session(desk: Desk) -> None:
    browser = desk.signed_in()
    token = browser.client.cookies["doorward-session"]
    stranger = Browser(desk)
    stranger.client.cookies.set("doorward-session", hash_of(token))
    assert stranger.get("/").status_code == 303
    stranger.client.cookies.set("doorward-session", token)
    assert stranger.get("/").status_code == 200


def test_seeded_fault_a_console_that_keeps_tokens_as_they_are_would_let_a_reader_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = desk.signed_in()
    kept = hash_of(browser.client.cookies["doorward-session"])
    monkeypatch.setattr(guard, "hash_of", lambda token: token)
    stranger = Browser(desk)
    stranger.client.cookies.set("doorward-session", kept)
    assert stranger.get("/").status_code == 200


def test_a_session_ends_by_itself(desk: Desk) -> None:
    browser = desk.signed_in()
    desk.later(IDLE_S + 1)
    assert browser.get("/").status_code == 303
    browser = desk.signed_in()
    for _ in range(LONGEST_S // 3000):
        desk.later(3000)
        assert browser.get("/").status_code in {200, 303}
    desk.later(3000)
    assert browser.get("/").status_code == 303
    desk.now = desk.now - 2 * LONGEST_S  # a clock that goes back lets nobody in again
    assert browser.get("/").status_code == 303


def test_signing_out_ends_the_session_and_not_only_the_cookie(desk: Desk) -> None:
    browser = desk.signed_in()
    token = browser.client.cookies["doorward-session"]
    assert browser.send("/sign-out", "/account").status_code == 303
    browser.client.cookies.set("doorward-session", token)
    assert browser.get("/").status_code == 303


# ---- forms


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("path", POSTS)
def test_a_form_without_its_token_does_nothing(desk: Desk, path: str) -> None:
    browser = desk.signed_in()
    before = desk.acts, desk.fleet.store.doors()
    said = browser.client.post(address(desk, path), data={"name": "x", "number": "1"}, headers=HOME)
    assert said.status_code == 403
    assert "from before you signed in" in alert(said)
    assert (desk.acts, desk.fleet.store.doors()) == before


def test_a_stale_token_does_nothing(desk: Desk) -> None:
    """Of the page before the sign-in, of the session before, and of somebody else."""
    browser = Browser(desk)
    stale = [browser.token("/sign-in")]
    browser = desk.signed_in()
    stale.append(browser.token())
    browser.send("/sign-out", "/account")
    assert browser.sign_in().status_code == 303
    desk.later()
    stale.append(desk.signed_in("eve", Role.OWNER).token())
    for token in stale:
        said = browser.client.post("/users", data={"token": token, "name": "mal", "role": "owner"}, headers=HOME)
        assert (said.status_code, "mal" in [user.name for user in desk.accounts.users.users()]) == (403, False)


def forged(desk: Desk, headers: dict[str, str]) -> bool:
    """A page elsewhere sends a form with somebody's cookies and even their token; whether that did something."""
    browser = desk.signed_in()
    form = {"token": browser.token(), "name": "mal", "role": "owner", "once": "1"}
    browser.client.post("/users", data=form, headers=headers)
    return "mal" in [user.name for user in desk.accounts.users.users()]


ELSEWHERE = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": f"https://{HOST}"},
    {"origin": "http://127.0.0.1:9999"},
    {"origin": f"http://{HOST}.evil.example"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {},
]


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_a_form_from_elsewhere_does_nothing(desk: Desk, headers: dict[str, str]) -> None:
    assert not forged(desk, headers)


def test_a_form_from_here_does_something(desk: Desk) -> None:
    assert forged(desk, HOME)


def test_seeded_fault_without_the_look_at_the_origin_a_form_from_elsewhere_counts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "_from_here", lambda _asked: True)
    assert forged(desk, {"origin": "https://evil.example"})


def test_seeded_fault_without_the_token_any_form_counts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = desk.signed_in()
    form = {"token": "stale", "name": "mal", "role": "owner", "once": "1"}
    assert browser.client.post("/users", data=form, headers=HOME).status_code == 403
    monkeypatch.setattr(guard, "same", lambda _given, _wanted: True)
    assert browser.client.post("/users", data=form, headers=HOME).status_code == 200


# ---- roles


def answers(desk: Desk, browser: Browser, row_path: str, method: str) -> int:
    path = address(desk, row_path)
    if method == "GET":
        return browser.get(path).status_code
    form = {"token": browser.token(), "act": "nothing", "number": "1"}
    status: int = browser.client.post(path, data=form, headers=HOME).status_code
    return status


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize("role", Role)
def test_each_page_answers_its_roles_and_no_other(desk: Desk, role: Role) -> None:
    for row in TABLE:
        if row.needs is None or row.path == "/sign-out":
            continue
        browser = desk.signed_in(f"{role.value}{TABLE.index(row)}", role)
        refused = answers(desk, browser, row.path, row.method) == 403
        wrong_password = row.path == "/account" and row.method == "POST"
        assert refused == (not role.may(row.needs) or wrong_password), (row, role)


def test_a_role_counts_from_the_next_click(desk: Desk) -> None:
    browser = desk.signed_in("bob", Role.OWNER)
    assert browser.get("/users").status_code == 200
    desk.accounts.users.set_role("bob", Role.VIEWER)
    assert browser.get("/users").status_code == 403
    desk.accounts.users.remove("bob")
    assert browser.get("/").status_code == 303


def test_seeded_fault_a_guard_that_forgets_roles_lets_a_viewer_make_owners(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = desk.signed_in("vera", Role.VIEWER)
    form = {"token": browser.token(), "name": "mal", "role": "owner", "once": "1"}
    assert browser.client.post("/users", data=form, headers=HOME).status_code == 403
    monkeypatch.setattr(Role, "may", lambda _self, _needed: True)
    assert browser.client.post("/users", data=form, headers=HOME).status_code == 200


# ---- walls


def test_every_answer_carries_the_policy(desk: Desk) -> None:
    browser = desk.signed_in()
    for path in ("/", "/sign-in", "/nowhere", "/static/console.css", "/doors.csv", "/doors/0000000000000000"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:80", "evil.example:8443", ""])
def test_a_name_that_is_not_ours_is_refused(desk: Desk, host: str) -> None:
    said = Browser(desk).client.get("/sign-in", headers={"host": host})
    assert said.status_code == 421


@pytest.mark.parametrize("size", [LARGEST_FORM + 1, 10 * LARGEST_FORM])
def test_a_form_that_is_too_long_is_refused_and_nothing_read(desk: Desk, size: int) -> None:
    browser = desk.signed_in()
    token = browser.token()
    sent = f"token={token}&name={'x' * size}".encode()
    headers = {**HOME, "content-type": "application/x-www-form-urlencoded"}
    assert browser.client.post("/users", content=sent, headers=headers).status_code == 413
    chunks = iter([sent[at : at + 1000] for at in range(0, len(sent), 1000)])  # no length is said
    assert browser.client.post("/users", content=chunks, headers=headers).status_code == 413


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=a", b"--a\r\nno headers at all"),
        ("multipart/form-data; boundary=a", b"--a\r\n" * 500),
        ("application/x-www-form-urlencoded", b"%ff%fe=" + bytes(range(256))),
        ("application/json", b"{"),
        ("text/plain", b"token"),
    ],
)
def test_nonsense_for_a_form_is_one_sentence(desk: Desk, kind: str, content: bytes) -> None:
    said = desk.signed_in().client.post("/users", content=content, headers={**HOME, "content-type": kind})
    assert said.status_code in {400, 403}
    assert alert(said).endswith(".")


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_there_are_two_methods(desk: Desk, method: str) -> None:
    assert desk.signed_in().client.request(method, "/").status_code == 404


def test_over_tls_cookies_are_bound_to_this_host(desk: Desk) -> None:
    from dataclasses import replace

    from provisioning.console.app import app

    desk.console = replace(desk.console, secure=True)
    client = TestClient(app(desk.console), f"https://{HOST}", follow_redirects=False)
    said = client.get("/sign-in")
    kept = said.headers["set-cookie"]
    assert kept.startswith("__Host-doorward-visit=")
    assert all(word in kept for word in ("Secure", "HttpOnly", "Path=/", "SameSite=strict"))
    assert "Domain" not in kept
    assert said.headers["strict-transport-security"].startswith("max-age=")

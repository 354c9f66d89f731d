"""Signing in: three things at once, a code once, a thousand tries, and the way back for who lost theirs."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning import passwords, second_factor
from provisioning.console.throttle import MOST_KEPT, WINDOW_S, Kind, Throttle, network
from provisioning.errors import FleetFault, FleetRefused
from provisioning.store_users import SqlUsers
from provisioning.users import Role
from tests.support.console import PASSWORD, Browser, Desk, alert

WRONG = "Name, password or code is wrong, or the code was used already; wait for the next one and try again."
TRIES = 1_000  # a hundred times what is allowed; each further one is a request like the last


def test_somebody_signs_in_and_it_is_noted(desk: Desk) -> None:
    said = Browser(desk).sign_in()
    assert (said.status_code, said.headers["location"]) == (303, "/")
    assert desk.acts[-1] == ("ada", "sign in", "")


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize(
    "typed",
    [
        {"name": "eve"},
        {"name": ""},
        {"name": "x" * 60_000},
        {"password": "wrong"},
        {"password": ""},
        {"password": PASSWORD.upper()},
        {"password": "x" * 50_000},
        {"code": "000000"},
        {"code": ""},
        {"code": "\uff11\uff12\uff13\uff14\uff15\uff16"},
        {"code": "1" * 5000},
    ],
    ids=lambda typed: f"{next(iter(typed))}-{next(iter(typed.values()))[:8]}",
)
def test_whatever_is_wrong_the_sentence_is_the_same(desk: Desk, typed: dict[str, str]) -> None:
    said = Browser(desk).sign_in(**typed)
    assert (said.status_code, alert(said)) == (403, WRONG)


def test_a_name_may_be_typed_in_capitals_and_a_code_with_spaces(desk: Desk) -> None:
    code = desk.code("ada")
    assert (
        Browser(desk).send("/sign-in", name=" Ada ", password=PASSWORD, code=f"{code[:3]} {code[3:]}").status_code
        == 303
    )


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize(("off_s", "taken"), [(-61, False), (-30, True), (0, True), (30, True), (61, False)])
def test_a_code_is_good_for_a_moment(desk: Desk, off_s: int, taken: bool) -> None:
    desk.now = desk.now // 30 * 30
    code = desk.code("ada")
    desk.later(off_s)
    assert (Browser(desk).sign_in(code=code).status_code == 303) == taken


def replayed(desk: Desk) -> bool:
    """Somebody looks over a shoulder and types the same code; whether that lets them in."""
    code = desk.code("ada")
    assert Browser(desk).sign_in(code=code).status_code == 303
    return Browser(desk, "198.51.100.9").sign_in(code=code).status_code == 303


def test_a_code_is_taken_once(desk: Desk) -> None:
    assert not replayed(desk)


def test_a_code_of_the_half_minute_before_is_not_taken_after_a_newer_one(desk: Desk) -> None:
    desk.now = desk.now // 30 * 30
    older = desk.code("ada")
    desk.later(30)
    assert Browser(desk).sign_in().status_code == 303
    assert Browser(desk).sign_in(code=older).status_code == 403


def test_seeded_fault_without_the_step_on_disk_a_code_is_taken_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = SqlUsers.begin

    def forgetful(self: SqlUsers, *args: Any) -> bool:
        with self.store.writing() as work:
            from provisioning.store_tables import UserRow

            row = work.get(UserRow, args[0])
            assert row is not None
            row.last_step = 0
        return begin(self, *args)

    monkeypatch.setattr(SqlUsers, "begin", forgetful)
    assert replayed(desk)


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "x", ""])
def test_after_a_sign_in_one_stays_here(desk: Desk, path: str) -> None:
    said = Browser(desk).send("/sign-in", name="ada", password=PASSWORD, code=desk.code("ada"), next=path)
    assert (said.status_code, said.headers["location"]) == (303, "/")


# ---- too many tries


@pytest.mark.slow
def test_a_thousand_tries_are_one_sentence_and_one_act_and_lock_out_no_known_browser(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home = desk.signed_in()
    at_home.send("/sign-out", "/account")
    compared: list[str] = []
    fits = passwords.fits

    def counted(kept: str | None, typed: str) -> bool:
        compared.append(typed)
        return fits(kept, typed)

    monkeypatch.setattr(passwords, "fits", counted)
    stranger = Browser(desk, "198.51.100.9")
    token = stranger.token("/sign-in")
    origin = {"origin": "http://127.0.0.1:8443"}
    seen = set()
    with stranger.client as client:
        for number in range(TRIES):
            form = {"token": token, "name": "ada", "password": f"guess {number}", "code": "000000"}
            said = client.post("/sign-in", data=form, headers=origin)
            seen.add((said.status_code, alert(said)))
    assert len(compared) == Kind.ACCOUNT.value
    assert {status for status, _said in seen} == {403, 429}
    assert all("There were too many tries; wait 15 minutes" in said for status, said in seen if status == 429)
    assert [act for act in desk.acts if act[1] == "too many sign-ins"] == [("console", "too many sign-ins", "ada")]
    assert Browser(desk, "203.0.113.5").sign_in().status_code == 429, "strangers wait, wherever they are"
    assert at_home.sign_in().status_code == 303, "the user, in a browser that is known, does not"
    desk.later(WINDOW_S)
    assert Browser(desk, "203.0.113.5").sign_in().status_code == 303


@pytest.mark.slow
def test_an_address_that_tries_all_names_waits_and_names_are_not_written_down(desk: Desk) -> None:
    stranger = Browser(desk, "198.51.100.9")
    said = [stranger.sign_in(f"nobody{number}").status_code for number in range(Kind.ADDRESS.value + 5)]
    assert said == [403] * Kind.ADDRESS.value + [429] * 5
    assert [act[2] for act in desk.acts if act[1] == "too many sign-ins"] == ["198.51.100.9"]
    assert Browser(desk, "203.0.113.5").sign_in().status_code == 303


def test_a_browser_is_known_for_the_user_who_signed_in_with_it(desk: Desk) -> None:
    browser = desk.signed_in("eve", Role.VIEWER)
    browser.send("/sign-out", "/account")
    stranger = Browser(desk, "198.51.100.9")
    for _ in range(Kind.ACCOUNT.value):
        stranger.sign_in(password="wrong")
    assert browser.sign_in("ada").status_code == 429


def test_budgets_are_bounded_and_count_what_comes_at_once() -> None:
    throttle = Throttle()
    for number in range(MOST_KEPT + 500):
        throttle.charge(((Kind.ACCOUNT, str(number)),), 0.0)
    assert len(throttle._tries) == MOST_KEPT
    key = ((Kind.ACCOUNT, "a"),)
    assert [throttle.charge(key, 1.0).wait_s > 0 for _ in range(12)] == [False] * 10 + [True] * 2
    throttle.refund(key)
    assert throttle.charge(key, 1.0).wait_s == 0
    assert throttle.charge(key, 1.0 + WINDOW_S).wait_s == 0


@pytest.mark.parametrize(
    ("address", "counts"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::1", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("testclient", "unknown"),
    ],
)
def test_an_address_is_what_a_customer_gets(address: str, counts: str) -> None:
    assert network(address) == counts


# ---- passwords, and the way back


@pytest.mark.parametrize(
    "password", ["", "short", "x" * 11, "x" * 300, "aaaaaaaaaaaaaaaa", "ada.2026", "ada         1234"]
)
def test_an_easy_password_is_refused(password: str) -> None:
    with pytest.raises(FleetRefused):
        passwords.hashed(password, "ada")


@pytest.mark.usefixtures("desk")
def test_a_password_is_one_however_a_keyboard_writes_it() -> None:
    kept = passwords.hashed("Zoe\u0308 wohnt hier", "zoe")
    assert passwords.fits(kept, "Zoë wohnt hier")
    assert not passwords.fits(kept, "Zoe wohnt hier")


def test_a_new_password_ends_all_other_sessions(desk: Desk) -> None:
    here, elsewhere = desk.signed_in(), desk.signed_in()
    words = {"old": PASSWORD, "new": "tigers eat no grass", "again": "tigers eat no grass"}
    assert "changed" in here.send("/account", **words).text
    assert (here.get("/").status_code, elsewhere.get("/").status_code) == (200, 303)
    assert Browser(desk).sign_in().status_code == 403
    assert Browser(desk).sign_in(password="tigers eat no grass").status_code == 303


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize(
    "changed", [{"old": "wrong"}, {"again": "another one here"}, {"new": "short", "again": "short"}]
)
def test_a_password_that_cannot_be_changed_stays(desk: Desk, changed: dict[str, str]) -> None:
    words = {"old": PASSWORD, "new": "tigers eat no grass", "again": "tigers eat no grass", **changed}
    assert alert(desk.signed_in().send("/account", **words))
    assert Browser(desk).sign_in().status_code == 303


def test_an_owner_gives_a_user_new_things_to_sign_in_with(desk: Desk) -> None:
    owner, bob = desk.signed_in(), desk.signed_in("bob", Role.MANAGER)
    page = owner.send("/users/change", "/users", name="bob", act="reset").text
    import re

    password, secret = (re.search(rf'id="{name}">([^<]+)<', page) for name in ("password", "secret"))
    assert password
    assert secret
    assert bob.get("/").status_code == 303
    assert Browser(desk).sign_in("bob").status_code == 403
    desk.secrets["bob"] = secret[1]
    assert Browser(desk).sign_in("bob", password[1]).status_code == 303


def test_the_last_owner_stays_and_nobody_changes_themselves(desk: Desk) -> None:
    owner = desk.signed_in()
    for act in ("role", "remove", "reset"):
        assert "to themselves" in alert(owner.send("/users/change", "/users", name="ada", act=act, role="viewer"))
    with pytest.raises(FleetRefused, match="last owner"):
        desk.accounts.users.remove("ada")
    with pytest.raises(FleetRefused, match="last owner"):
        desk.accounts.users.set_role("ada", Role.VIEWER)


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize(
    "name", ["", " ", "x" * 33, "x" * 5000, "a b", "<script>", "ä", ".x", "=cmd", "a\nb", "a\u202eb"]
)
def test_a_name_that_is_none_is_refused(desk: Desk, name: str) -> None:
    said = desk.signed_in().send("/users", name=name, role="viewer")
    assert said.status_code == 400
    assert "a user's name" in alert(said).lower()
    assert [user.name for user in desk.accounts.users.users()] == ["ada"]


def test_a_second_factor_is_sealed_and_bound_to_its_user(desk: Desk) -> None:
    desk.user("bob", Role.VIEWER)
    ada, bob = desk.accounts.users.user("ada"), desk.accounts.users.user("bob")
    assert ada is not None
    assert bob is not None
    content = (desk.folder / "fleet.sqlite").read_bytes()
    assert not any(secret.encode() in content for secret in desk.secrets.values())
    with pytest.raises(FleetFault, match="does not open"):
        second_factor.step_of(ada.second_factor, "bob", desk.accounts.key, desk.code("ada"), desk.now)
    assert (desk.folder / "console.key").stat().st_mode & 0o777 == 0o600

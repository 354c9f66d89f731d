"""Somebody at a console that is a program of its own, by requests instead of a browser."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape

import httpx
import pyotp

from provisioning.users import Role
from tests.support.console_site import PASSWORD, Served


@dataclass(frozen=True)
class Visitor:
    """Who is signed in at the console behind `client`."""

    client: httpx.Client

    def text(self, path: str) -> str:
        """What a page says."""
        return self.client.get(path).text

    def send(self, path: str, at: str, **words: str) -> httpx.Response:
        """Send a form as the page `at` has it."""
        page = self.text(at)
        once = re.search(r'name="once" value="(\w+)"', page)
        form = {"token": token_of(page), "once": once[1] if once else "", **words}
        return self.client.post(path, data=form, headers={"origin": str(self.client.base_url).rstrip("/")})

    def follow(self, page: httpx.Response, path: str, **words: str) -> httpx.Response:
        """Send the form of a page in hand that goes to `path`, with what is hidden in it."""
        hidden = re.findall(
            r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text.split(f'action="{path}"')[1]
        )
        form = dict(hidden[: next((at for at, each in enumerate(hidden) if at and each[0] == "token"), None)])
        return self.client.post(path, data={**form, **words}, headers={"origin": str(self.client.base_url).rstrip("/")})

    def until(self, path: str, wanted: Callable[[str], bool], patience_s: float = 60.0) -> str:
        """The page as soon as it is as wanted."""
        ends = time.monotonic() + patience_s
        while not wanted(text := self.text(path)):
            assert time.monotonic() < ends, text
            time.sleep(0.1)
        return text


def token_of(page: str) -> str:
    """The token of a page's forms."""
    found = re.search(r'name="token" value="(\w+)"', page)
    assert found is not None, page
    return found[1]


def alert_of(page: httpx.Response) -> str:
    """What a page says that it did not do."""
    return unescape(" ".join(re.findall(r'role="alert"[^>]*>(.*?)</p>', page.text, re.DOTALL)))


@contextmanager
def visiting(console: Served, role: Role = Role.OWNER, account: tuple[str, str] | None = None) -> Iterator[Visitor]:
    """Somebody new who is signed in; or who has the `account`, a name and a secret."""
    name, secret = account or console.user(role)
    with httpx.Client(base_url=console.url, timeout=60) as client:
        visitor = Visitor(client)
        words = {"name": name, "password": PASSWORD, "code": pyotp.TOTP(secret).now()}
        said = visitor.send("/sign-in", "/sign-in", **words)
        assert said.headers.get("location") == "/", alert_of(said)
        yield visitor

"""A console without a socket: a real fleet in SQLite, real pages, and browsers that keep cookies."""

from __future__ import annotations

import copy
import re
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from pathlib import Path

import httpx
import pyotp
import pytest
from nacl.pwhash import argon2id

from provisioning import fleet as fleets
from provisioning import keys, passwords
from provisioning.accounts import Accounts
from provisioning.console.app import app, templates
from provisioning.console.asked import Console
from provisioning.console.live import Live
from provisioning.identity import Identity
from provisioning.users import Role

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it works with httpx, and would like another client better
    from starlette.testclient import TestClient

__all__ = ["Browser", "Desk", "TestClient", "alert", "cheap"]

PASSPHRASE = "a long passphrase"
PASSWORD = "lions eat no grass"
NOW = 1_800_000_000
HOST = "127.0.0.1:8443"
DOOR_KEY = "ab" * 32
pages = cache(templates)  # which hold nothing of a fleet: hundreds of consoles need them compiled once


def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let passwords and passphrases cost next to nothing: tests type many."""
    monkeypatch.setattr(keys, "AT_REST", keys.Hardness(argon2id.OPSLIMIT_MIN, argon2id.MEMLIMIT_MIN))
    monkeypatch.setattr(passwords, "OPERATIONS", argon2id.OPSLIMIT_MIN)
    monkeypatch.setattr(passwords, "MEMORY_BYTES", argon2id.MEMLIMIT_MIN)


@dataclass
class Browser:
    """Somebody's browser at the console of `desk`."""

    desk: Desk
    address: str = "192.0.2.7"
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = TestClient(
            app(self.desk.console), f"http://{HOST}", client=(self.address, 5000), follow_redirects=False
        )

    def get(self, path: str) -> httpx.Response:
        """Look at a page."""
        said: httpx.Response = self.client.get(path)
        return said

    def token(self, path: str = "/account") -> str:
        """The token of the forms on a page."""
        found = re.search(r'name="token" value="(\w+)"', self.get(path).text)
        assert found is not None
        return found[1]

    def send(self, path: str, at: str = "", **words: str) -> httpx.Response:
        """Send a form as the page `at` (or `path`) has it, from this console."""
        page = self.get(at or path).text
        tokens = re.findall(r'name="token" value="(\w+)"', page)
        form = {"token": tokens[0] if tokens else "", **words}
        if "once" not in form and (once := re.search(r'name="once" value="(\w+)"', page)):
            form["once"] = once[1]
        said: httpx.Response = self.client.post(path, data=form, headers={"origin": f"http://{HOST}"})
        return said

    def sign_in(self, name: str = "ada", password: str = PASSWORD, code: str | None = None) -> httpx.Response:
        """Sign in; with the code of this moment, unless another is typed."""
        typed = code if code is not None else self.desk.code(name)
        return self.send("/sign-in", name=name, password=password, code=typed, next="/")


@dataclass
class Desk:
    """A fleet with one door that is known by its key, and a console with an owner, "ada"."""

    folder: Path
    now: float = NOW
    secrets: dict[str, str] = field(default_factory=dict)
    store: str | None = None  # the address of a database, where the fleet is not kept in its folder

    def __post_init__(self) -> None:
        self.fleet = fleets.init(self.folder, PASSPHRASE, self.store)
        door = self.fleet.add_door("Front")
        self.door = self.fleet.identify("Front", Identity(door.id, DOOR_KEY), anew=False)
        self._serve(self.clock)
        self.user("ada", Role.OWNER)

    def _serve(self, clock: Callable[[], float]) -> None:
        self.accounts = Accounts.of(self.fleet)
        self.console = Console(
            self.fleet,
            self.accounts.users.store,
            self.accounts,
            Live(clock),
            pages(),
            clock,
            secure=False,
            hosts=frozenset({HOST}),
        )

    def copied(self, folder: Path) -> Desk:
        """A fleet of its own in the new `folder`, which begins as this one is now and has the same keys and users."""
        assert self.store is None, "what a server holds is nobody's to copy"
        shutil.copytree(self.folder, folder)
        other = copy.copy(self)
        other.folder, other.secrets = folder, dict(self.secrets)
        other.fleet = fleets.open_fleet(folder)
        other._serve(other.clock)
        return other

    def on_another_computer(self, folder: Path) -> Desk:
        """A second console of the same fleet, a program of its own; `folder` gets the keys it needs."""
        folder.mkdir()
        for name in ("document.key", "console.key") if self.store else ():
            shutil.copy(self.folder / name, folder / name)
        other = copy.copy(self)
        other.folder = folder if self.store else self.folder
        other.fleet = fleets.open_fleet(other.folder, self.store)
        other._serve(self.clock)
        return other

    def clock(self) -> float:
        """Seconds since 1970, as the test has it."""
        return self.now

    def user(self, name: str, role: Role) -> None:
        """Add a user."""
        self.secrets[name] = self.accounts.add(name, role, PASSWORD, int(self.now)).secret

    def code(self, name: str) -> str:
        """What the authenticator of a user shows now."""
        return pyotp.TOTP(self.secrets[name]).at(int(self.now)) if name in self.secrets else "000000"

    def later(self, seconds: float = 60.0) -> None:
        """Let time go by."""
        self.now += seconds

    def signed_in(self, name: str = "ada", role: Role | None = None) -> Browser:
        """The browser of somebody who is signed in; `role`: of a new user."""
        if role is not None:
            self.user(name, role)
        browser = Browser(self)
        said = browser.sign_in(name)
        assert said.status_code == 303, said.text
        self.later()
        return browser

    @property
    def acts(self) -> list[tuple[str, str, str]]:
        """What was noted: who, what, about whom."""
        return [(act.who, act.command, act.about) for act in self.fleet.store.acts(10_000)]


def alert(response: httpx.Response) -> str:
    """What a page says that it did not do."""
    found = re.findall(r'role="alert"[^>]*>(.*?)</p>', response.text, re.DOTALL)
    return unescape(" ".join(found))

"""`doorward serve` as a program of its own, with a real fleet behind it, and people who sign in with a real browser."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pyotp
from playwright.sync_api import Page

from provisioning import fleet as fleets
from provisioning.accounts import Accounts
from provisioning.identity import Identity
from provisioning.users import Role

ROOT = Path(__file__).parents[2]
PASSPHRASE = "a long passphrase"
PASSWORD = "lions eat no grass"
DOOR_KEY = "ab" * 32
STARTS_WITHIN_S = 60.0
_names = count(1)


@dataclass
class Served:
    """The console of the fleet in `folder`; `words` are further options, `environ` more of the environment."""

    folder: Path
    words: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    url: str = ""

    def start(self) -> None:
        """Return once it says where it listens."""
        command = [sys.executable, "-m", "provisioning.cli", "serve", "--fleet", str(self.folder), "--port", "0"]
        with (self.folder / "serve.log").open("w") as log:
            self.process = subprocess.Popen(
                [*command, *self.words], cwd=ROOT, env={**os.environ, **self.environ}, stdout=log, stderr=log, text=True
            )
        ends = time.monotonic() + STARTS_WITHIN_S
        while not (found := re.search(r"The console is at (\S+)/ and", self.log)):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < ends, self.log
            time.sleep(0.05)
        self.url = found[1]
        context = ssl._create_unverified_context()  # noqa: S323  # it says where it listens a moment before it answers
        import urllib.request

        while time.monotonic() < ends:
            try:
                with urllib.request.urlopen(f"{self.url}/sign-in", context=context, timeout=5):  # noqa: S310 - our own server
                    return
            except OSError:
                time.sleep(0.05)

    def stop(self) -> None:
        """Ctrl-C."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    @property
    def log(self) -> str:
        """What it said."""
        path = self.folder / "serve.log"
        return path.read_text() if path.exists() else ""

    @property
    def fleet(self) -> fleets.Fleet:
        """Its fleet, as the command line has it."""
        return fleets.open_fleet(self.folder)

    def user(self, role: Role) -> tuple[str, str]:
        """A new user: name and secret."""
        name = f"{role.value}{next(_names)}"
        return name, Accounts.of(self.fleet).add(name, role, PASSWORD, int(time.time())).secret

    def sign_in(self, page: Page, role: Role = Role.OWNER) -> str:
        """Sign in as somebody new, as people do; their name."""
        name, secret = self.user(role)
        page.goto(f"{self.url}/sign-in")
        page.fill("input[name=name]", name)
        page.fill("input[name=password]", PASSWORD)
        page.fill("input[name=code]", pyotp.TOTP(secret).now())
        page.click("main form button")
        page.wait_for_url(f"{self.url}/")
        return name


def furnished(folder: Path) -> fleets.Fleet:
    """A fleet of two houses."""
    from provisioning import placing
    from provisioning.placing import Placed

    fleet = fleets.init(folder, PASSPHRASE)
    doors = [
        Placed(f"{name} {house}", house, floor)
        for house in ("Lindenhof", "Alte Mühle")
        for name, floor in (
            ("Front door", "0"), ("Back door", "0"), ("Cellar", "-1"), ("Garage", "-1"), ("Stairs 1", "1"),
            ("Stairs 2", "2"), ("Laundry", "2"), ("Roof", "3"), ("临街大门", "0"),
        )
    ]  # fmt: skip
    for door in placing.add_doors(fleet, doors):
        fleet.identify(door.name, Identity(door.id, DOOR_KEY), anew=False)
    return fleet


@contextmanager
def served(folder: Path, *words: str, **environ: str) -> Iterator[Served]:
    """A console for the time of a `with` block."""
    console = Served(folder, words, environ)
    console.start()
    try:
        yield console
    finally:
        console.stop()


def shoot(page: Page, name: str) -> None:
    """Keep a picture for the docs, where somebody asks for them."""
    if folder := os.environ.get("DOORWARD_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"console-{name}.png"), scale="css")


def door(page: Page, console: Served, name: str) -> None:
    """Look at the page of a door, by way of the list."""
    page.goto(f"{console.url}/?q={name}")
    page.click(f"tbody a:has-text('{name}')")

"""A counter in memory, and the page in front of it, asked without a network."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from device import config, wire
from device.consent import Terms, terms_of
from device.desk.page.app import application
from device.desk.page.counter import (
    NO_CONSENT,
    Ended,
    Face,
    Finished,
    Held,
    Phase,
    Sitting,
    Step,
    Unavailable,
)
from device.desk.page.pace import Pace
from device.desk.page.site import Site
from device.strength import describe
from device.wire import Purpose, Result

URL = "https://192.168.1.20:8443"
DOOR = config.parse('[door]\nid = "00112233445566ff"\n')
T = TypeVar("T")


def terms() -> Terms:
    return terms_of(DOOR, bytes(32))


@dataclass
class House:
    """The counter. `phases`: where each sitting stands; `done`: what was asked to be done, and for whom."""

    is_armed: bool = True
    face: Face = Face.NONE
    away: bool = False
    phases: dict[str, Phase] = field(default_factory=dict)
    done: list[tuple[str, Purpose, bytes, bool, bool, bool]] = field(default_factory=list)
    under_14: bool = False
    covered: bool = False
    sittings: int = 1
    steps: dict[Purpose, list[Step]] = field(default_factory=dict)
    ended_early: list[Purpose] = field(default_factory=list)
    hangs: bool = False
    callers: list[str] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)

    def armed(self) -> bool:
        return self.is_armed

    async def begin(self, address: str) -> Sitting | None:
        self.callers.append(address)
        if sum(phase is Phase.WAITING for phase in self.phases.values()) >= 8:
            return None
        sitting = Sitting(secrets.token_urlsafe(32), f"{secrets.randbelow(10**6):06}", time.monotonic() + 180)
        self.phases[sitting.id] = Phase.WAITING
        return sitting

    async def phase(self, sitting_id: str) -> Phase:
        return self.phases.get(sitting_id, Phase.ENDED)

    async def held(self, sitting_id: str) -> Held:
        if self.phases.get(sitting_id) is not Phase.OPEN:
            raise Ended("over")
        if self.away:
            raise Unavailable("away")
        ends_s = time.monotonic() + 500
        if self.face in (Face.NONE, Face.UNREADABLE):
            return Held(self.face, 0, 0, under_14=False, place_ends_unix=0, terms=bytes(16), ends_s=ends_s)
        return Held(
            self.face,
            20000,
            5 * self.sittings,
            under_14=self.under_14,
            place_ends_unix=0,
            terms=terms().hash[:16],
            ends_s=ends_s,
            covered=self.covered,
            sittings=self.sittings,
        )

    async def act(
        self,
        sitting_id: str,
        purpose: Purpose,
        consent: bytes = NO_CONSENT,
        *,
        under_14: bool = False,
        covered: bool = False,
        again: bool = False,
    ) -> AsyncIterator[Step]:
        if self.phases.get(sitting_id) is not Phase.OPEN:
            raise Ended("over")
        self.done.append((sitting_id, purpose, consent, under_14, covered, again))
        self.began.set()
        over = False
        try:
            for step in self.steps.get(purpose, [Finished(Result.DONE)]):
                over = isinstance(step, Finished)
                yield step
            if self.hangs:
                await asyncio.Event().wait()
        finally:
            if not over:
                self.ended_early.append(purpose)

    async def status(self) -> wire.DoorStatus | None:
        return None

    async def leave(self, sitting_id: str) -> None:
        self.phases[sitting_id] = Phase.ENDED


@dataclass
class Browser:
    """One browser at the page of `house`."""

    house: House
    client: httpx.AsyncClient

    @property
    def sitting(self) -> str:
        return self.client.cookies.get("__Host-sitting") or ""

    async def sit(self) -> None:
        """Get a code, and have it typed at the door."""
        await self.client.get("/")
        self.house.phases[self.sitting] = Phase.OPEN

    async def token(self, path: str = "/", name: str = "token") -> str:
        found = re.search(rf'name="{name}" value="([0-9a-f]+)"', (await self.client.get(path)).text)
        assert found is not None
        return found[1]

    async def post(self, path: str, **form: str) -> httpx.Response:
        """A form as the page's own, with the token of this sitting."""
        return await self.client.post(path, data={"token": await self.token(), **form}, headers={"origin": URL})


def site(name: str = "") -> Site:
    return Site(name, "the caretaker, 12 34", terms, describe(DOOR.vault.key_place))


def page(house: House, name: str = "", pace: Pace | None = None) -> Any:
    return application(house, site(name), pace or Pace(now_s=Endless()))


class Endless:
    """A clock on which every request comes long after the one before."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def __call__(self) -> float:
        self._now_s += 1000.0
        return self._now_s


def browser(house: House, app: Any = None, **headers: str) -> Browser:
    transport = httpx.ASGITransport(app or page(house), raise_app_exceptions=False)
    return Browser(house, httpx.AsyncClient(transport=transport, base_url=URL, headers=headers))


def run(what: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(what)

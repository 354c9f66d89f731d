"""The day as it is lived: the drawn steps one after the other, what dies is waited for, what was acknowledged is tried.

Rules kept here:
- After each kill the door has to come back by itself, and what was acknowledged since the last kill is tried at once.
- At the end every room is killed at once (a power cut), and everything that was ever acknowledged is tried: what holds
  opens, what is gone does not, every pair of papers still speaks of a record that the door does not name, and a
  document that came before changes nothing.
- A home changes hands between other approaches: its steps wait while its face would come too fast.
- Behind the last approach that was drawn nobody new comes. Who still waits for the camera (faces, homes that change
  hands) comes as fast as a door looks at faces, for at most `MORE` of the day's time so far and never less than
  `MORE_AT_LEAST_S`. Who has not come by then is counted as left out, and nothing is asserted of them.
"""

from __future__ import annotations

import os
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from device.edges import PROCESSES, Room
from tools.portraits import portrait
from tools.soak.acts import Residents
from tools.soak.explained import EXPLAINED
from tools.soak.homes import RESIDENTS, Act, Homes
from tools.soak.house import House
from tools.soak.ledger import Credential, Kind, Ledger, Standing
from tools.soak.lines import Cause, Causes, Journal, Secrets, Tails
from tools.soak.memory import Watch
from tools.soak.plan import BY_FACE, Approach, Broker, BrokerTrouble, Cycle, Kill, Sizes, Way, drawn
from tools.soak.street import Death, Street
from tools.soak.visitors import Visitors

NAMES: Final = ("obama", "biden", "astronaut")
MOST_FOUND: Final = 25  # findings, after which nothing is learned any more
CODES_TRIED_AGAIN: Final = 3  # at the end: each costs a guess
SAID_EVERY: Final = 250
LOOKED_EVERY: Final = 10  # approaches, between two looks at what was written
MORE: Final = 0.25
MORE_AT_LEAST_S: Final = 180.0
WAITS_S: Final = 0.1


@dataclass(slots=True)
class Day:
    """One day at `house`, of `sizes` and `seed`. `said` hears how far it is."""

    house: House
    sizes: Sizes
    seed: int
    said: Callable[[str], None]
    ledger: Ledger = field(default_factory=Ledger)
    memory: Watch = field(default_factory=Watch)
    causes: Causes = field(default_factory=Causes)
    secrets: Secrets = field(default_factory=Secrets)
    kills: dict[Room, int] = field(default_factory=lambda: dict.fromkeys(PROCESSES, 0))
    flaps: int = 0
    cycles: int = 0
    receipts: int = 0
    took_s: float = 0.0
    begun: bool = False  # the first residents live here; before, a day has nothing to tell
    early: bool = False  # set from outside: no more steps, but all the last checks
    journal: Journal = field(init=False)
    _tails: Tails = field(default_factory=Tails)
    _dice: random.Random = field(init=False)
    _street: Street = field(init=False)
    _residents: Residents = field(init=False)
    _visitors: Visitors = field(init=False)
    _homes: Homes = field(init=False)
    _moving: deque[Iterator[Act | Credential]] = field(default_factory=deque)  # homes that change hands, one at a time
    _faces: deque[Approach] = field(default_factory=deque)  # who has to wait before pressing the button
    _due: Credential | None = None  # what is tried in the home that changes hands, once it may be
    _steps: int = 0
    _next_word: int = 0
    _told: int = 0  # findings

    def __post_init__(self) -> None:
        self.journal = Journal(EXPLAINED, self.secrets)
        self._dice = random.Random(self.seed)
        self._street = Street(self.house.door, self._counted)
        self._residents = Residents(self.house, self._street, self.ledger, self._recovers, self.secrets.anywhere.add)

    def live(self) -> None:
        """From the first resident to the last check. Raises Stuck, and the simulator's refusals."""
        self.causes.happened(Cause.START, time.monotonic())
        self._settle()
        self.begun = True
        began = time.monotonic()
        for step in drawn(self.seed, self.sizes):
            match step:
                case Approach():
                    self._approach(step)
                case Cycle():
                    self._moving.append(self._homes.changes_hands(step))
                case Kill(room):
                    self._kill(room)
                case Broker(trouble):
                    self._trouble(trouble)
            self._next_move()
            self._says()
            if self._enough:
                break
        self._late(time.monotonic() + max(MORE_AT_LEAST_S, MORE * (time.monotonic() - began)))
        self.took_s = time.monotonic() - began
        self._end()
        self._look(whole=True)

    @property
    def made(self) -> Mapping[Way, int]:
        """How many approaches of each way were drawn."""
        return self._visitors.made

    @property
    def left_out(self) -> tuple[int, int]:
        """Faces, and homes that should have changed hands, that did not come to their end before the day had."""
        return len(self._faces), len(self._moving)

    @property
    def looked_again(self) -> int:
        """How often an enrolled face needed another window."""
        return self._visitors.looked_again

    @property
    def _enough(self) -> bool:
        return self.early or len(self.ledger.found) + len(self.journal.unexplained) > MOST_FOUND

    def _says(self) -> None:
        """How far it is, now and then."""
        if self.ledger.approaches >= self._next_word:
            self._next_word = self.ledger.approaches + SAID_EVERY
            for each in self.ledger.found[self._told :]:
                self.said(f"after {each.at} approaches: {each.what}")
            self._told = len(self.ledger.found)
            self.said(
                f"{self.ledger.approaches} approaches, {self.cycles} homes, {sum(self.kills.values())} kills, "
                f"{len(self.ledger.found)} findings, {len(self.journal.unexplained)} unexplained lines"
            )

    # ---- steps

    def _approach(self, step: Approach) -> None:
        if step.way in BY_FACE and not self._visitors.pace.room(time.monotonic()):
            self._faces.append(step)
        else:
            self._comes(step)
        self._late_faces()

    def _late_faces(self) -> None:
        if self._faces and not self._moving and self._visitors.pace.room(time.monotonic()):
            self._comes(self._faces.popleft())

    def _late(self, ends_s: float) -> None:
        """Behind the last approach: who waited for the camera, until nobody does or `ends_s` has come.

        A home that moves brings no approach of the day, so lines are read here too, while their cause is not yet past.
        """
        while (self._moving or self._faces) and not self._enough and time.monotonic() < ends_s:
            self._says()
            self._reads()
            self._late_faces()
            self._next_move()
            if not self._visitors.pace.room(time.monotonic()):
                time.sleep(WAITS_S)

    def _comes(self, step: Approach) -> None:
        if step.killed:
            self._dies(step.killed)
        self._visitors.comes(step)
        self._look()
        if step.killed:
            self._after(step.killed)

    def _next_move(self) -> None:
        """One more step in the home that changes hands; a face is tried when it may come."""
        if not self._moving:
            return
        step = self._due or next(self._moving[0], None)
        self._due = None
        match step:
            case None:
                self._moving.popleft()
                self.cycles += 1
            case Act():
                self._acts(step)
            case Credential() if step.kind is Kind.FACE and not self._visitors.pace.room(time.monotonic()):
                self._due = step
            case Credential():
                self._visitors.shows(step)

    def _acts(self, act: Act) -> None:
        if act.killed and act.after_ms is not None:
            self._dies(act.killed)
            act.does(Death(act.killed, act.after_ms))
            self._after(act.killed)
        else:
            act.does(None)
            if act.killed:
                self._kill(act.killed)

    def _kill(self, room: Room) -> None:
        self._dies(room)
        self._street.kills(room)
        self._after(room)

    def _dies(self, room: Room) -> None:
        self.kills[room] += 1
        self.causes.happened(Cause.KILL, time.monotonic())

    def _after(self, room: Room) -> None:
        """It has to come back by itself, and to hold what it said."""
        self._recovers()
        if room is Room.KEEPER:
            self._visitors.must_wait()
        for credential in list(self.ledger.since())[:6]:
            self._tries(credential)

    def _tries(self, credential: Credential) -> None:
        if self.ledger.standing.get(credential) is Standing.DOUBT or credential.kind is Kind.CODE:
            return
        if credential.kind is Kind.FACE and not self._visitors.pace.room(time.monotonic()):
            self.ledger.recent.append(credential)
            return
        self._visitors.shows(credential)

    def _recovers(self) -> None:
        self._street.well()
        self._street.hurries()
        self._look(whole=True)

    def _trouble(self, trouble: BrokerTrouble | None) -> None:
        broker = self.house.broker
        match trouble:
            case BrokerTrouble.STOPPED:
                broker.stop()
            case BrokerTrouble.PAUSED:
                broker.pause()
            case None if broker.process is None:
                broker.start()
            case None:
                broker.resume()
        if trouble is None:
            self.causes.ends(Cause.BROKER, time.monotonic())
        else:
            self.flaps += 1
            self.causes.begins(Cause.BROKER)

    # ---- before and behind it

    def _settle(self) -> None:
        self._street.well()
        self._homes = Homes(self._residents, self.secrets, self._dice)
        tenants = self._homes.settle()
        self.secrets.anywhere.update(NAMES)
        self._visitors = Visitors(
            self._residents,
            tenants[0],
            tenants[-1],
            tenants[1:4],
            portrait("astronaut.png"),
            self._dice,
            lambda: self.causes.happened(Cause.COPY, time.monotonic()),
        )
        self.said(f"{RESIDENTS} residents live here")

    def _end(self) -> None:
        self._trouble(None)
        self.causes.happened(Cause.KILL, time.monotonic())
        self.causes.happened(Cause.START, time.monotonic())
        self._look(whole=True)
        self.house.cut_and_up()
        self._street.forgets()
        self._recovers()
        codes = 0
        for credential, standing in list(self.ledger.standing.items()):
            if credential.slot == self._visitors.mischief.slot and credential.kind is Kind.PIN:
                continue  # it waits, because somebody guessed there
            if credential.kind is Kind.CODE:
                codes += standing is Standing.GONE
                if standing is not Standing.GONE or codes > CODES_TRIED_AGAIN:
                    continue
            if credential.kind is Kind.FACE and standing is Standing.GONE:
                continue  # looked for with its receipt, below; the same picture was looked at in each cycle
            self._visitors.shows(credential)
        self._homes.document_again()
        self.receipts = self._residents.papers.hold()

    # ---- watching

    def _counted(self, releases: int, before: int, opened: bool) -> None:  # noqa: FBT001 - as Street tells it
        self.ledger.counted(releases, before, opened=opened)

    def _look(self, *, whole: bool = False) -> None:
        self._steps += 1
        if not whole and self._steps % LOOKED_EVERY:
            return
        self._reads()
        news = self.house.door.news(2**62)
        self.memory.look(
            {room: pid for room, pid in news["pids"].items() if news["processes"][room] == "up"}, self.ledger.approaches
        )

    def _reads(self) -> None:
        """Judge what was written since, by what goes on now."""
        if os.getloadavg()[0] > (os.cpu_count() or 1):  # of the last minute; a day alone stays below one processor
            self.causes.happened(Cause.BUSY, time.monotonic())
        for line in self._tails.news(self.house.logs(), self.causes.now(time.monotonic())):
            self.journal.read(line)

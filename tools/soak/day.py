"""The day as it is lived: the drawn steps one after the other, what dies is waited for, what was acknowledged is tried.

Rules kept here:
- After each kill the door has to come back by itself, and what was acknowledged since the last kill is tried at once.
- At the end every room is killed at once (a power cut), and everything that was ever acknowledged is tried: what holds
  opens, what is gone does not, every pair of papers still speaks of a record that the door does not name, and a
  document that came before changes nothing.
- A home changes hands between other approaches: its steps wait while its face would come too fast.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from device.edges import PROCESSES, Room
from device.errors import CredentialRefused, Fault, Refusal
from device.keeper.choice import refuse_weak
from device.wire import Result
from tools.portraits import portrait
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind as Chip
from tools.soak.acts import CHIPS, Residents, Tenant
from tools.soak.explained import EXPLAINED
from tools.soak.house import House
from tools.soak.ledger import Credential, Kind, Ledger, Standing
from tools.soak.lines import Cause, Causes, Journal, Secrets, Tails
from tools.soak.memory import Watch
from tools.soak.plan import BY_FACE, CYCLE_ACTS, Approach, Broker, BrokerTrouble, Cycle, Kill, Sizes, Way, drawn, more
from tools.soak.street import Death, Street
from tools.soak.visitors import Visitors

FIRST_RESIDENT: Final = 7301
RESIDENTS: Final = 8
FIRST_TENANT: Final = 2001
NAMES: Final = ("obama", "biden", "astronaut")
MOST_FOUND: Final = 25  # findings, after which nothing is learned any more
CODES_TRIED_AGAIN: Final = 3  # at the end: each costs a guess
SAID_EVERY: Final = 250
_OVER: Final = object()
LOOKED_EVERY: Final = 10  # approaches, between two looks at what was written


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
    early: bool = False  # set from outside: no more steps, but all the last checks
    journal: Journal = field(init=False)
    _tails: Tails = field(default_factory=Tails)
    _dice: random.Random = field(init=False)
    _street: Street = field(init=False)
    _residents: Residents = field(init=False)
    _visitors: Visitors = field(init=False)
    _moving: deque[Iterator[None]] = field(default_factory=deque)  # homes that change hands, one at a time
    _faces: deque[Approach] = field(default_factory=deque)  # who has to wait before pressing the button
    _pictures: Path = field(init=False)  # of who moves in
    _steps: int = 0
    _next_word: int = 0
    _told: int = 0  # findings

    def __post_init__(self) -> None:
        self.journal = Journal(EXPLAINED, self.secrets)
        self._dice = random.Random(self.seed)
        self._street = Street(self.house.door, self._counted)
        self._residents = Residents(self.house, self._street, self.ledger, self._recovers)

    def live(self) -> None:
        """From the first resident to the last check. Raises Stuck, and the simulator's refusals."""
        self.causes.happened(Cause.START, time.monotonic())
        self._settle()
        began = time.monotonic()
        for step in drawn(self.seed, self.sizes):
            match step:
                case Approach():
                    self._approach(step)
                case Cycle():
                    self._moving.append(self._changes_hands(step))
                case Kill(room):
                    self._kill(room)
                case Broker(trouble):
                    self._trouble(trouble)
            self._next_move()
            self._says()
            if self._enough:
                break
        while (self._moving or self._faces) and not self._enough:
            self._says()
            self._late_faces()
            self._next_move()
            if not self._visitors.pace.room(time.monotonic()):  # nobody waits idly for the next face
                self._comes(more(self._dice))
        self.took_s = time.monotonic() - began
        self._end()
        self._look(whole=True)

    @property
    def made(self) -> Mapping[Way, int]:
        """How many approaches of each way were drawn."""
        return self._visitors.made

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

    def _comes(self, step: Approach) -> None:
        if step.killed:
            self._dies(step.killed)
        self._visitors.comes(step)
        self._look()
        if step.killed:
            self._after(step.killed)

    def _next_move(self) -> None:
        if self._moving and next(self._moving[0], _OVER) is _OVER:
            self._moving.popleft()

    def _kill(self, room: Room) -> None:
        self._dies(room)
        self.house.door.kill(room)
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
        self.house.door.hurry(Room.EYE)
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

    # ---- a home changes hands

    def _changes_hands(self, cycle: Cycle) -> Iterator[None]:
        acts = self._residents
        tenant = Tenant(FIRST_TENANT + cycle.number, self._pin(), portrait("biden.jpg"))
        card = self.house.drawer / f"{tenant.slot}.card"
        chip = CHIPS[int(cycle.draw * len(CHIPS))]
        pin, by_card, face = tenant.by_pin, tenant.by_card(card), tenant.by_face
        # What is done, and what is tried behind it.
        acts_and_tries: list[tuple[Callable[[Death | None], None], tuple[Credential, ...]]] = [
            (lambda death: acts.moves_in(tenant, death), (pin,)),
            (lambda death: self._gets_card(tenant, card, chip, death), (by_card,)),
            (lambda death: acts.enrols(tenant, self._pictures, death), (face,)),
            (lambda death: acts.erases(tenant, death), (face,)),
            (lambda death: acts.cancels_cards(tenant, death), (by_card, pin)),
            (lambda death: acts.moves_out(tenant, death), (pin, by_card)),
            (lambda _: self._comes_again(), ()),
        ]
        self._knows(tenant)
        for number, (act, tries) in enumerate(acts_and_tries):
            room = cycle.killed if cycle.at == number else None
            if room and cycle.after_ms is not None and number < CYCLE_ACTS - 1:
                self._dies(room)
                act(Death(room, cycle.after_ms))
                self._after(room)
            else:
                act(None)
                if room:
                    self._kill(room)
            yield
            for credential in tries:
                while credential.kind is Kind.FACE and not self._visitors.pace.room(time.monotonic()):
                    yield
                self._visitors.shows(credential)
                yield
        self.cycles += 1

    def _gets_card(self, tenant: Tenant, card: Path, chip: Chip, death: Death | None = None) -> None:
        self._residents.adds_card(tenant, card, chip, death)
        self.secrets.anywhere.add(SimulatedCard.load(card).uid.hex())

    def _comes_again(self) -> None:
        """A document that came before changes nothing."""
        self.causes.happened(Cause.DOCUMENT, time.monotonic())
        with suppress(Fault, Refusal):
            result = self.house.apply(self.house.manager.newest)
            if result is not Result.STALE:
                self.ledger.finds(f"a document that came again was answered {result.name}")

    # ---- before and behind it

    def _settle(self) -> None:
        self._street.well()
        self._pictures = self._folder(portrait("biden.jpg"), portrait("biden.jpg", 1.2))
        tenants = [
            Tenant(FIRST_RESIDENT + number, self._pin(), portrait("obama3.jpg", 1.3)) for number in range(RESIDENTS)
        ]
        for number, tenant in enumerate(tenants):
            self._knows(tenant)
            self._residents.moves_in(tenant)
            card = self.house.drawer / f"{tenant.slot}.card"
            self._gets_card(tenant, card, CHIPS[number % len(CHIPS)])
        self._residents.enrols(tenants[0], self._folder(portrait("obama.jpg"), portrait("obama2.jpg")))
        self.secrets.anywhere.update(NAMES)
        self._visitors = Visitors(
            self._residents,
            tenants[0],
            tenants[-1],
            tenants[1:4],
            portrait("astronaut.png"),
            self._dice,
            lambda: self.causes.happened(Cause.COPY, time.monotonic()),
            self.secrets.anywhere.add,
        )
        self.said(f"{RESIDENTS} residents live here")

    def _end(self) -> None:
        self._trouble(None)
        self.causes.happened(Cause.KILL, time.monotonic())
        self.causes.happened(Cause.START, time.monotonic())
        self._look(whole=True)
        self.house.door.cut()
        self.house.door.up()
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
        self._comes_again()
        self.receipts = self._residents.receipts_hold()

    # ---- watching

    def _folder(self, *pictures: Path) -> Path:
        """Pictures in a folder of their own, as the camera plays them: one again and again enrols nobody."""
        folder = self.house.drawer / f"pictures-{len(list(self.house.drawer.glob('pictures-*')))}"
        folder.mkdir()
        for number, picture in enumerate(pictures):
            (folder / f"{number}{picture.suffix}").write_bytes(picture.read_bytes())
        return folder

    def _counted(self, releases: int, before: int, opened: bool) -> None:  # noqa: FBT001 - as Street tells it
        self.ledger.counted(releases, before, opened=opened)

    def _look(self, *, whole: bool = False) -> None:
        self._steps += 1
        if not whole and self._steps % LOOKED_EVERY:
            return
        for line in self._tails.news(self.house.logs(), self.causes.now(time.monotonic())):
            self.journal.read(line)
        news = self.house.door.news(2**62)
        self.memory.look(
            {room: pid for room, pid in news["pids"].items() if news["processes"][room] == "up"}, self.ledger.approaches
        )

    def _knows(self, tenant: Tenant) -> None:
        self.secrets.anywhere.add(tenant.pin)
        self.secrets.words.add(str(tenant.slot))

    def _pin(self) -> str:
        while True:
            pin = f"{self._dice.randrange(10**6):06d}"
            with suppress(CredentialRefused):
                refuse_weak(pin, "")
                return pin

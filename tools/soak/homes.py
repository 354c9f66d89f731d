"""Homes: who moves in, and everything that happens in a home until its tenant has moved out again.

Rules kept here:
- A tenant gets a place with a number that nobody had before, as a manager gives them out.
- Each act is followed by what has to show that it holds: what was given opens, what was taken does not.
- Who looks, looks as they did when they enrolled. With a second face awake the door is stricter (docs/budget.md) and
  may refuse a likeness that it took before; how well people are recognised is measured elsewhere (docs/evidence.md).
- What is secret of a tenant is known to whoever reads the log lines before the door hears of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from device.edges import Room
from device.errors import CredentialRefused, Fault, Refusal
from device.keeper.choice import refuse_weak
from device.wire import Result
from tools.portraits import portrait
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind as Chip
from tools.soak.acts import CHIPS, Residents, Tenant
from tools.soak.ledger import Credential
from tools.soak.lines import Secrets
from tools.soak.plan import Cycle
from tools.soak.street import Death

FIRST_RESIDENT: Final = 7301
RESIDENTS: Final = 8
FIRST_TENANT: Final = 2001


@dataclass(frozen=True, slots=True)
class Act:
    """What a tenant does. `killed`: a room that dies `after_ms` later, or (None) when the door has acknowledged it."""

    does: Callable[[Death | None], None]
    killed: Room | None = None
    after_ms: int | None = None


@dataclass(slots=True)
class Homes:
    """All homes of the house. `secrets` learns what no line may hold."""

    residents: Residents
    secrets: Secrets
    dice: random.Random
    _pictures: Path = field(init=False)  # of whoever moves in

    def __post_init__(self) -> None:
        self._pictures = self._folder("tenant", portrait("biden.jpg"), portrait("biden.jpg", 1.2))

    def settle(self) -> list[Tenant]:
        """Those who live here all day, each with PIN and card; the first with a face."""
        tenants = [self._tenant(FIRST_RESIDENT + number, portrait("obama.jpg")) for number in range(RESIDENTS)]
        for number, tenant in enumerate(tenants):
            self.residents.moves_in(tenant)
            self._gets_card(tenant, CHIPS[number % len(CHIPS)], None)
        pictures = self._folder("resident", portrait("obama.jpg"), portrait("obama2.jpg"))
        self.residents.enrols(tenants[0], pictures)
        return tenants

    def changes_hands(self, cycle: Cycle) -> Iterator[Act | Credential]:
        """What happens in this home, one after the other: an act, or a credential that is to be tried."""
        acts, tenant = self.residents, self._tenant(FIRST_TENANT + cycle.number, portrait("biden.jpg"))
        chip = CHIPS[int(cycle.draw * len(CHIPS))]
        pin, card, face = tenant.by_pin, tenant.by_card(self._card(tenant)), tenant.by_face
        days: list[tuple[Callable[[Death | None], None], tuple[Credential, ...]]] = [
            (lambda death: acts.moves_in(tenant, death), (pin,)),
            (lambda death: self._gets_card(tenant, chip, death), (card,)),
            (lambda death: acts.enrols(tenant, self._pictures, death), (face,)),
            (lambda death: acts.erases(tenant, death), (face,)),
            (lambda death: acts.cancels_cards(tenant, death), (card, pin)),
            (lambda death: acts.moves_out(tenant, death), (pin, card)),
            (lambda _: self.document_again(), ()),
        ]
        for number, (does, tries) in enumerate(days):
            if cycle.killed and cycle.at == number:
                # Nobody waits for the last of them: a room dies behind it.
                late = cycle.after_ms if number < len(days) - 1 else None
                yield Act(does, cycle.killed, late)
            else:
                yield Act(does)
            yield from tries

    def document_again(self) -> None:
        """A document that came before changes nothing."""
        with suppress(Fault, Refusal):
            result = self.residents.house.apply(self.residents.house.manager.newest)
            if result is not Result.STALE:
                self.residents.ledger.finds(f"a document that came again was answered {result.name}")

    def _tenant(self, slot: int, picture: Path) -> Tenant:
        tenant = Tenant(slot, self._pin(), picture)
        self.secrets.anywhere.add(tenant.pin)
        self.secrets.words.add(str(tenant.slot))
        return tenant

    def _gets_card(self, tenant: Tenant, chip: Chip, death: Death | None) -> None:
        card = SimulatedCard.new(chip)
        self.secrets.anywhere.add(card.uid.hex())
        card.save(self._card(tenant))
        self.residents.adds_card(tenant, self._card(tenant), death)

    def _card(self, tenant: Tenant) -> Path:
        return self.residents.house.drawer / f"{tenant.slot}.card"

    def _folder(self, name: str, *pictures: Path) -> Path:
        """Pictures in a folder of their own, as the camera plays them: one again and again enrols nobody."""
        folder = self.residents.house.drawer / name
        folder.mkdir()
        for number, picture in enumerate(pictures):
            (folder / f"{number}{picture.suffix}").write_bytes(picture.read_bytes())
        return folder

    def _pin(self) -> str:
        while True:
            pin = f"{self.dice.randrange(10**6):06d}"
            with suppress(CredentialRefused):
                refuse_weak(pin, "")
                return pin

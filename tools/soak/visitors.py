"""Who comes to the door, and with what: one approach of each way, judged by the ledger.

Rules kept here:
- What an approach should find is asked of the ledger when it happens, never of the plan.
- Faces come no faster than the door looks at them: four windows in twenty seconds (`device.vault.budget`). Whoever came
  sooner would be refused by the rule that keeps strangers from trying, and that is not what is soaked here.
- Who means harm has what somebody could have: a blank card, a copy of what can be read of a card, a copy of a whole
  card as it was on its first day, a code that was used, the PIN of who left, another face.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from device import codes
from device.keeper.throttle import BUDGET
from tools.guestcodes import making
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.enemies import clone_of
from tools.simulator.cards.memory import Kind as Chip
from tools.soak.acts import Residents, Tenant
from tools.soak.ledger import Credential, Kind, Standing
from tools.soak.plan import Approach, Way
from tools.soak.street import Death, Heard, Street

WINDOWS: Final = 4
SPAN_S: Final = 21.0  # 20, and one for who measures from outside
EMPTY_FLATS: Final = range(8000, 9999)
_ONE_OF: Final = {
    Way.PIN: (Kind.PIN, Standing.HOLDS),
    Way.CARD: (Kind.CARD, Standing.HOLDS),
    Way.ERASED_PIN: (Kind.PIN, Standing.GONE),
    Way.ERASED_CARD: (Kind.CARD, Standing.GONE),
    Way.USED_CODE: (Kind.CODE, Standing.GONE),
}
LOOKS_AGAIN: Final = 3  # a busy machine gives eye too few frames, and people look again; who is lost stays lost
USED_BEFORE_COPY: Final = 3  # openings, after which the copy of a card's first day must be refused


@dataclass(slots=True)
class Pace:
    """When windows ended, s."""

    _ended_s: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOWS))

    def room(self, now_s: float) -> bool:
        """Whether one more may be opened."""
        return len(self._ended_s) < WINDOWS or now_s - self._ended_s[0] > SPAN_S

    def ended(self, now_s: float) -> None:
        """One more was."""
        self._ended_s.append(now_s)


@dataclass(slots=True)
class Visitors:
    """Everybody at the door. `with_face`: whose face is enrolled; `mischief`: at whose flat PINs are guessed."""

    residents: Residents
    with_face: Tenant
    mischief: Tenant
    hosts: list[Tenant]
    stranger: Path
    dice: random.Random
    copied: Callable[[], None]
    pace: Pace = field(default_factory=Pace)
    openings: dict[str, int] = field(default_factory=dict)  # of each card
    made: dict[Way, int] = field(default_factory=dict)
    looked_again: int = 0  # faces that a window did not let in, and the next one was asked
    guessed: int = 0  # wrong PINs at `mischief` that were answered
    _codes: deque[Credential] = field(default_factory=deque)
    _host: int = 0
    _wrong: dict[int, int] = field(default_factory=dict)  # used codes typed at a flat since its last right PIN

    @property
    def street(self) -> Street:
        """Where they stand."""
        return self.residents.street

    def comes(self, step: Approach) -> None:
        """One approach."""
        death = Death(step.killed, step.after_ms) if step.killed else None
        self.made[step.way] = self.made.get(step.way, 0) + 1
        if step.way in _ONE_OF:
            self._one_of(*_ONE_OF[step.way], step.draw, death)
            return
        match step.way:
            case Way.GUEST:
                self.shows(self._code(), death)
            case Way.FACE:
                self.shows(self.with_face.by_face, death)
            case Way.STRANGER:
                self._looks(self.stranger, self.with_face.pin, None, death)
            case Way.NO_FLAT:
                self._judge(None, self.street.types(f"{self.dice.choice(EMPTY_FLATS)}#{self._pin()}#", death))
            case Way.WRONG_PIN:
                self._guesses(death)
            case Way.BLANK_CARD | Way.CLONE | Way.OLD_COPY:
                self._taps_foreign(step, death)

    def shows(self, credential: Credential, death: Death | None = None) -> None:
        """Somebody wants in with `credential`, whether it holds or is gone."""
        match credential.kind:
            case Kind.CARD:
                heard = self.street.taps(Path(credential.name), death)
                self.openings[credential.name] = self.openings.get(credential.name, 0) + heard.opened
                self._judge(credential, heard)
            case Kind.FACE:
                pin = next(
                    (each.name for each in self.residents.ledger.standing if self._is_pin_of(each, credential.slot)),
                    self._pin(),
                )
                self._looks(Path(credential.name), pin, credential, death)
            case Kind.PIN | Kind.CODE:
                if credential.kind is Kind.CODE and self.residents.ledger.standing.get(credential) is Standing.GONE:
                    self._one_more_wrong(credential.slot)
                heard = self.street.types(f"{credential.slot}#{credential.name}#", death)
                if credential.kind is Kind.PIN and heard.opened:
                    self._wrong.pop(credential.slot, None)
                self._judge(credential, heard)
                if credential.kind is Kind.CODE and heard.opened:
                    self.residents.ledger.used(credential)
                elif credential.kind is Kind.CODE and heard.interrupted:
                    self.residents.ledger.begins(credential)  # it may count as used

    def must_wait(self) -> None:
        """Behind a restart of keeper: at the flat where three wrong PINs were typed the right one still waits."""
        if self.guessed >= 3:
            heard = self.street.types(f"{self.mischief.slot}#{self.mischief.pin}#")
            self._judge(None, heard)

    # ---- one of each kind

    def _one_of(self, kind: Kind, standing: Standing, draw: float, death: Death | None) -> None:
        there = [each for each in self.residents.ledger.all(standing, kind) if each.slot != self.mischief.slot] or [
            each for each in self.residents.ledger.all(Standing.HOLDS, Kind.PIN) if each.slot != self.mischief.slot
        ]
        self.shows(there[int(draw * len(there))], death)

    def _looks(self, picture: Path, pin: str, credential: Credential | None, death: Death | None) -> None:
        holds = credential is not None and self.residents.ledger.standing[credential] is Standing.HOLDS
        heard = self._window(picture, pin, death)
        for _ in range(LOOKS_AGAIN if holds else 0):
            if heard.opened or heard.interrupted:
                break
            self.looked_again += 1
            while not self.pace.room(time.monotonic()):
                time.sleep(0.1)
            heard = self._window(picture, pin, None)
        self._judge(credential, heard)

    def _window(self, picture: Path, pin: str, death: Death | None) -> Heard:
        """One press of the button, and the PIN."""
        self.street.hurries()
        heard = self.street.looks(picture, death)
        self.pace.ended(time.monotonic())
        if heard.signal == "ENTER_PIN":
            second = self.street.types(f"{pin}#")
            return Heard(second.signal, second.opened, interrupted=heard.interrupted)
        # USE_PIN_OR_CARD: eye or vault is still starting, and nobody was looked at
        return replace(heard, interrupted=heard.interrupted or heard.signal == "USE_PIN_OR_CARD")

    def _guesses(self, death: Death | None) -> None:
        digit = self.mischief.pin[0]
        wrong = str((int(digit) + 1 + self.guessed % 8) % 10) + self.mischief.pin[1:]
        heard = self.street.types(f"{self.mischief.slot}#{wrong}#", death)
        self.guessed += not heard.interrupted
        self._judge(None, heard)

    def _one_more_wrong(self, slot: int) -> None:
        """A used code is typed at `slot` next; its host comes first if it were the try behind which they wait."""
        if self._wrong.get(slot, 0) == BUDGET.free_tries - 1:
            self.shows(next(host for host in self.hosts if host.slot == slot).by_pin)
        self._wrong[slot] = self._wrong.get(slot, 0) + 1

    def _taps_foreign(self, step: Approach, death: Death | None) -> None:
        card = self.residents.house.drawer / "foreign.card"
        theirs = [
            Path(each.name)
            for each in self.residents.ledger.all(Standing.HOLDS, Kind.CARD)
            if self.openings.get(each.name, 0) >= USED_BEFORE_COPY
        ]
        card.unlink(missing_ok=True)
        if step.way is Way.BLANK_CARD or not theirs:
            SimulatedCard.new(Chip.NTAG424).save(card)
        else:
            original = theirs[int(step.draw * len(theirs))]
            if step.way is Way.CLONE:
                clone_of(SimulatedCard.load(original)).save(card)
            else:
                card.write_bytes(original.with_suffix(".old").read_bytes())
            self.copied()
        self._judge(None, self.street.taps(card, death))

    def _judge(self, credential: Credential | None, heard: Heard) -> None:
        self.residents.ledger.approached(
            credential, opened=heard.opened, interrupted=heard.interrupted, heard=heard.signal
        )

    def _code(self) -> Credential:
        """One that was never used; its host sets a new secret when all of one are."""
        if not self._codes:
            host = self.hosts[self._host % len(self.hosts)]
            self._host += 1
            secret = making.new_secret()
            self.residents.sets_guests_secret(host, secret)
            for made in making.once(secret, host.slot, 0, codes.NUMBERS):
                self.residents.secret(made.digits)
                credential = Credential(Kind.CODE, host.slot, made.digits)
                self.residents.ledger.standing[credential] = Standing.HOLDS
                self._codes.append(credential)
        return self._codes.popleft()

    def _pin(self) -> str:
        return f"{self.dice.randrange(10**6):06d}"

    @staticmethod
    def _is_pin_of(credential: Credential, slot: int) -> bool:
        return credential.kind is Kind.PIN and credential.slot == slot

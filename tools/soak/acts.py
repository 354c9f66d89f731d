"""What residents do at the keypad and with `doorctl`, until the door acknowledged it, for the ledger.

Rules kept here:
- An act is done again until it is acknowledged, as people do it whom a dead room gave no answer; what was done and not
  acknowledged is found out by the same questions that a person has.
- doorctl's own code speaks to the desk (`device.desk.acts`), in this process: a command line would take longer to load
  than the act takes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from device import wire
from device.desk import sentences
from device.desk import terms as the_terms
from device.desk.acts import PersonalAct
from device.desk.client import DeskLine
from device.desk.page.counter import NO_CONSENT
from device.edges import Room
from device.errors import Fault, Refusal
from device.paths import models_dir
from device.wire import Purpose, Result
from tools.simulator.cards.memory import Kind as Chip
from tools.simulator.client import SimulatorRefused
from tools.soak.house import House
from tools.soak.ledger import Credential, Kind, Ledger, Standing
from tools.soak.papers import Papers
from tools.soak.street import Death, Heard, Street, Stuck

TRIES: Final = 6
IN_A_WINDOW_S: Final = 1.5  # after the PIN for an enrolment: about when the camera looks
EACH_A_SAMPLE_FPS: Final = 2.4  # eye takes a sample every 400 ms: so the pictures of a folder all count
CHIPS: Final = (Chip.NTAG424, Chip.DESFIRE_EV1, Chip.DESFIRE_EV2)
KEYPAD: Final = {Purpose.ENROL: "01", Purpose.ERASE: "02"}
CONFIRM: Final = sentences.HINTS[wire.Hint.CONFIRM_WITH_PIN]


@dataclass(frozen=True, slots=True)
class Tenant:
    """Who lives in a flat: their PIN, and with which picture they look."""

    slot: int = field(repr=False)
    pin: str = field(repr=False)
    picture: Path | None = field(default=None, repr=False)

    @property
    def by_pin(self) -> Credential:
        """Their PIN."""
        return Credential(Kind.PIN, self.slot, self.pin)

    @property
    def by_face(self) -> Credential:
        """Their face."""
        return Credential(Kind.FACE, self.slot, str(self.picture))

    def by_card(self, card: Path) -> Credential:
        """That card of theirs."""
        return Credential(Kind.CARD, self.slot, str(card))


@dataclass(slots=True)
class Residents:
    """Their acts at the door of `house`. `recovers` is called when something did not come to its end.

    `secret` hears what no line may hold before the door does.
    """

    house: House
    street: Street
    ledger: Ledger
    recovers: Callable[[], None]
    secret: Callable[[str], None]
    papers: Papers = field(init=False)

    def __post_init__(self) -> None:
        self.papers = Papers(self.house.named, self.ledger.finds)

    def moves_in(self, tenant: Tenant, death: Death | None = None) -> None:
        """The manager offers the flat; its tenant sets the PIN."""
        content, invitation = self.house.manager.offer(tenant.slot)
        self.secret(invitation.digits)
        self._applied(content)
        self.ledger.begins(tenant.by_pin)
        keys = f"00#{tenant.slot}#{invitation.digits}#{tenant.pin}#{tenant.pin}#"
        for _ in range(TRIES):
            heard = self.street.types(keys, death)
            death = None
            if heard.signal == "NOTED":
                return self.ledger.given(tenant.by_pin)
            self._again()
            if self.street.types(f"{tenant.slot}#{tenant.pin}#").opened:  # it was set, and nobody heard of it
                self.ledger.openings += 1
                self.ledger.approaches += 1
                return self.ledger.given(tenant.by_pin)
        raise Stuck("a PIN could not be set")

    def adds_card(self, tenant: Tenant, card: Path, death: Death | None = None) -> None:
        """A new card becomes theirs; a copy of its file as it is then lies beside it, with the ending `.old`."""
        self.ledger.begins(tenant.by_card(card))
        for _ in range(TRIES):
            if self.street.types(f"07#{tenant.slot}#{tenant.pin}#").signal == "NOTED":
                heard = self.street.taps(card, death)
                death = None
                if heard.signal == "DONE":
                    card.with_suffix(".old").write_bytes(card.read_bytes())
                    return self.ledger.given(tenant.by_card(card))
            self._again()
            if self.street.taps(card).opened:
                self.ledger.openings += 1
                self.ledger.approaches += 1
                card.with_suffix(".old").write_bytes(card.read_bytes())
                return self.ledger.given(tenant.by_card(card))
        raise Stuck("a card could not be added")

    def cancels_cards(self, tenant: Tenant, death: Death | None = None) -> None:
        """All cards of the flat open no more."""
        theirs = [each for each in self.ledger.standing if each.kind is Kind.CARD and each.slot == tenant.slot]
        for each in theirs:
            self.ledger.begins(each)
        self._noted(f"08#{tenant.slot}#{tenant.pin}#", death)
        for each in theirs:
            self.ledger.taken(each)

    def moves_out(self, tenant: Tenant, death: Death | None = None) -> None:
        """The manager ends the place: everything of it opens no more."""
        theirs = [
            each for each, now in self.ledger.standing.items() if each.slot == tenant.slot and now is not Standing.GONE
        ]
        for each in theirs:
            self.ledger.begins(each)
        with self._dying(death):
            self._applied(self.house.manager.withdrawal(tenant.slot))
        for each in theirs:
            self.ledger.taken(each)

    def sets_guests_secret(self, tenant: Tenant, secret: str) -> None:
        """Codes made from `secret` open from now on, and no older ones."""
        self.secret(secret)
        self._noted(f"09#{tenant.slot}#{tenant.pin}#{secret}#", None)

    def enrols(self, tenant: Tenant, pictures: Path, death: Death | None = None) -> None:
        """Their face, with consent; kept after the PIN was shown again."""
        self.ledger.begins(tenant.by_face)
        for _ in range(TRIES):
            with self._dying(death, IN_A_WINDOW_S):
                result, paper = self._enrolled(tenant, pictures)
            death = None
            if result is Result.DONE:
                self.papers.consented(tenant.slot, paper)
                return self.ledger.given(tenant.by_face)
            if result is Result.SLOT_TAKEN:  # it was kept, and the paper was lost on the way
                return self.ledger.given(tenant.by_face)
            self._again()
        raise Stuck("a face could not be enrolled")

    def erases(self, tenant: Tenant, death: Death | None = None) -> None:
        """Their face; the receipt is held against the consent."""
        self.ledger.begins(tenant.by_face)
        for _ in range(TRIES):
            result, paper = self._act(tenant, Purpose.ERASE, NO_CONSENT, death)
            death = None
            if result is Result.DONE:
                self.papers.erased(tenant.slot, paper)
                return self.ledger.taken(tenant.by_face)
            if result is Result.NOTHING_TO_DO:
                self.papers.lost(tenant.slot)  # it was erased, and the paper was lost on the way
                return self.ledger.taken(tenant.by_face)
            self._again()
        raise Stuck("a face could not be erased")

    # ---- one act

    @contextmanager
    def _dying(self, death: Death | None, later_s: float = 0.0) -> Iterator[None]:
        """A room dies while the block runs, or right behind it; `later_s`: so much later than drawn."""
        if death is None:
            yield
            return
        timer = threading.Timer(death.after_ms / 1000 + later_s, self._dies, (death.room,))
        timer.start()
        try:
            yield
        finally:
            timer.join()

    def _again(self) -> None:
        self.ledger.again += 1
        self.recovers()

    def _dies(self, room: Room) -> None:
        with suppress(SimulatorRefused):  # it is just being started
            self.street.kills(room)

    def _noted(self, keys: str, death: Death | None) -> None:
        for _ in range(TRIES):
            if self.street.types(keys, death).signal == "NOTED":
                return
            death = None
            self._again()
        raise Stuck("an act at the keypad was not noted")

    def _applied(self, content: bytes) -> None:
        for _ in range(TRIES):
            try:
                if self.house.apply(content) in (Result.DONE, Result.STALE):
                    return
            except (Fault, Refusal):
                pass
            self._again()
        raise Stuck("a document was not applied")

    def _act(
        self, tenant: Tenant, purpose: Purpose, consent: bytes, death: Death | None = None
    ) -> tuple[Result, bytes | None]:
        """The PIN is shown, and doorctl asks; what came of it, and what the door signed."""
        heard = self.street.types(f"{KEYPAD[purpose]}#{tenant.slot}#{tenant.pin}#")
        if heard.signal != "NOTED":
            return Result.FAULT, None
        try:
            with DeskLine.open(self.house.door.paths) as line:
                act = PersonalAct(line, purpose, consent, lambda _: None)
                with self._dying(death):
                    return act.perform(3.0), act.attestation
        except (Fault, Refusal):
            return Result.FAULT, None

    def _enrolled(self, tenant: Tenant, pictures: Path) -> tuple[Result, bytes | None]:
        said: list[str] = []
        ended: list[tuple[Result, bytes | None]] = []
        terms = the_terms.in_force(self.house.door.paths, models_dir())

        def doorctl() -> None:
            try:
                with DeskLine.open(self.house.door.paths) as line:
                    act = PersonalAct(line, Purpose.ENROL, terms.hash, said.append)
                    ended.append((act.perform(3.0), act.attestation))
            except (Fault, Refusal):
                ended.append((Result.FAULT, None))

        self.street.shows(pictures, EACH_A_SAMPLE_FPS)
        self.street.hurries()
        if self._shows_pin(tenant).signal != "NOTED":
            return Result.FAULT, None
        waiting = threading.Thread(target=doorctl)
        waiting.start()
        try:
            self._until(lambda: bool(ended) or sentences.PRESS_AND_LOOK in said)
            while not ended and CONFIRM not in said:
                self.house.door.press("face")
                self._until(lambda: bool(ended) or CONFIRM in said, 1.0)
                self._until(lambda: bool(ended) or not self.house.door.news(2**62)["indicator"])
                self._until(lambda: bool(ended) or CONFIRM in said, 1.0)
            if not ended:
                self._shows_pin(tenant)
        finally:
            waiting.join()
        return ended[0]

    def _shows_pin(self, tenant: Tenant) -> Heard:
        return self.street.types(f"01#{tenant.slot}#{tenant.pin}#")

    def _until(self, wanted: Callable[[], bool], patience_s: float = 30.0) -> None:
        ends = time.monotonic() + patience_s
        while not wanted() and time.monotonic() < ends:
            time.sleep(0.02)

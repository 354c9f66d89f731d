"""What the rooms of a door say in a random life: what they may, what they may not, twice, late and for each other.

Rules kept here:
- A room that lies is one that was taken over: it says anything that exists, with whatever in it.
"""

from __future__ import annotations

from device import wire
from device.edges import Room
from device.wire import CameraCondition, Outcome
from tools.endurance.door import MAY_SAY, ROOMS
from tools.endurance.drawn import READY
from tools.endurance.people import People

_STRANGE = tuple(sorted({*ROOMS} - {Room.VAULT, Room.KEEPER}))


class Rooms(People):
    """The processes around lock."""

    def speaks(self) -> None:
        """A room says something it may say, with whatever in it."""
        sender = self._one((Room.VAULT, Room.VAULT, Room.KEEPER, Room.KEEPER, Room.EYE, *_STRANGE))
        msg = self._any_message(sender)
        if type(msg) in MAY_SAY[sender]:
            self._told(sender, msg)

    def lies(self) -> None:
        """A room says what another one should, or what it was not asked."""
        self._told(self._one(ROOMS), self._any_message(self._one((Room.VAULT, Room.KEEPER))))

    def replays(self) -> None:
        """Something is said again, by the same room or another."""
        if self.door.heard:
            sender, msg = self._one(tuple(self.door.heard[-12:]))
            self._told(sender if self._random.random() < 0.8 else self._one(ROOMS), msg)

    def stutters(self) -> None:
        """Everything is said twice."""
        msg = self._verdict(self._nonce(Room.KEEPER))
        self._told(Room.KEEPER, msg)
        self._told(Room.KEEPER, msg)

    def keeps_back(self) -> None:
        """An answer is held back, to be said later and out of order."""
        room = self._one((Room.VAULT, Room.KEEPER))
        self._later.append((room, self._verdict(self._nonce(room))))

    def delivers_late(self) -> None:
        """What was held back arrives, the last first."""
        while self._later:
            self._told(*self._later.pop())

    def answers_twice_over(self) -> None:
        """Two kinds of reply to one question: the first is an answer, the second a breach."""
        room = self._one((Room.VAULT, Room.KEEPER))
        nonce = self._nonce(room)
        self._told(room, wire.Answer(nonce, Outcome.ACCEPTED) if room is Room.KEEPER else wire.ClaimAnswer(nonce, True))
        self._told(room, wire.Verdict(nonce, self.door.lock.clock.now_ns, Outcome.ACCEPTED, 12))

    def tries_again(self) -> None:
        """No answer comes, somebody tries again, and the first question is answered then."""
        oracle = self.door.oracle
        chance = self._random.random()
        if chance < 0.25:
            self._asks_about_a_claim()
            nonce = self._claim_asked()
            self.door.passes(self.door.rules.inquiry_ns)
            self._asks_about_a_claim()
            self._told(Room.VAULT, wire.ClaimAnswer(nonce, True))
            return
        if chance < 0.5:
            self.shows_a_card()
            room, nonce = Room.KEEPER, oracle.keeper_asked
            self.door.passes(self.door.rules.card_ns)
            self.shows_a_card()
        elif chance < 0.75:
            self.types("*12#482913#")
            room, nonce = Room.KEEPER, oracle.keeper_asked
            self.door.passes(self.door.rules.check_ns)
            self.types("*12#482913#")
        else:
            self.press()
            room, nonce = Room.VAULT, oracle.looking.asked.nonce if oracle.looking else bytes(16)
            self.door.passes(self.door.rules.window_ns)
            self.press()
        self._told(room, wire.Verdict(nonce, self.door.lock.clock.now_ns, Outcome.ACCEPTED, 12))

    def answers_for_another(self) -> None:
        """Vault answers what keeper was asked, or the other way round."""
        if self._random.random() < 0.5:
            self.types("*12#482913#")
            self._answers(Room.VAULT, self.door.oracle.keeper_asked)
        else:
            self.press()
            looking = self.door.oracle.looking
            self._answers(Room.KEEPER, looking.asked.nonce if looking else bytes(16))

    def announces(self) -> None:
        """Vault says what a press is good for."""
        self._told(Room.VAULT, wire.FaceReady(*self._one(READY)))

    def camera_says(self) -> None:
        """Eye says what the camera does."""
        self._told(Room.EYE, wire.CameraState(self._one(tuple(CameraCondition))))

"""What people do at the door in a random life, and the answers that they wait for.

Rules kept here:
- People are let in more often than not: a life in which nobody gets in shows nothing about the way in.
"""

from __future__ import annotations

from device import wire
from device.edges import Room
from device.wire import CameraCondition, Outcome
from tools.endurance.drawn import COMMANDS, MS, OUTCOMES, REPLIES, Drawn

_KEYS = (
    *("12#482913#",) * 2,
    *(
        "482913#",
        "12#",
        "7#",
        "02#12#482913#",
        "07#12#482913#",
        "00#12#123456#4829#4829#",
        "09#12#482913#0#",
        "012#",
        "012#12#482913#739105#",
        "#",
        "9*",
    ),
    "1",
)


_SHINES_MS = (0, 200, 1200, 1700, 2400)  # a challenge takes about a second, and may have to wait for as long

_TURNS_MS = (0, 700, 2300, 4000, 5600, 6500, 6500, 6500)  # a motion challenge takes five to six and a half seconds


class People(Drawn):
    """Residents, guests and whoever else stands at the door."""

    def press(self) -> None:
        """The face button."""
        self._touch(self.door.lock.state.FaceButton())

    def types(self, keys: str | None = None) -> None:
        """Keys, one after the other."""
        for key in keys or self._one(_KEYS):
            self._touch(self.door.lock.state.Key(key))

    def comes_home_by_pin(self) -> None:
        """Flat and PIN, and keeper's answer."""
        self.types("*12#482913#")
        self.waits_for_keeper()

    def comes_home_by_face(self) -> None:
        """A press, an eye that looks, and vault's answer."""
        self.press()
        looking = self.door.oracle.looking
        if looking:
            self._told(Room.EYE, wire.CameraState(CameraCondition.STREAMING))
            self._is_shone_at()
            self.waits_for_vault()
            if self.door.rules.twice and self.door.oracle.looking:  # stands still for a second challenge
                self._is_shone_at()
                self.waits_for_vault()

    def _is_shone_at(self) -> None:
        """Where there are lights, eye asks for a challenge, mostly in this approach; it may have the time it takes."""
        if self.door.life.lights:
            looking, chance = self.door.oracle.looking, self._random.random()
            nonce = looking.asked.nonce if looking and chance < 0.8 else self._nonce(Room.VAULT)
            self._told(Room.EYE, wire.ChallengeRequest(nonce))
            (self.door.passes if self._random.random() < 0.6 else self._falters)(self._one(_SHINES_MS) * MS)
            if self._random.random() < 0.5:
                self._is_asked_to_turn(nonce)

    def _is_asked_to_turn(self, nonce: bytes) -> None:
        """Eye wants to see it turn, mostly in the approach it asked for light in; it may have the time it takes."""
        if self._random.random() < 0.2:
            nonce = self._nonce(Room.VAULT)
        self._told(Room.EYE, wire.MotionRequest(nonce))
        if self._random.random() < 0.1:
            self._told(Room.EYE, wire.MotionRequest(nonce))
        (self.door.passes if self._random.random() < 0.5 else self._falters)(self._one(_TURNS_MS) * MS)
        looking = self.door.oracle.looking
        if looking and self._random.random() < 0.2:  # vault has no patience, and the next approach begins
            now_ns = self.door.lock.clock.now_ns
            self._told(Room.VAULT, wire.Verdict(looking.asked.nonce, now_ns, Outcome.REFUSED, 0))
            self.door.passes(4500 * MS)

    def _falters(self, ns: int) -> None:
        """Time, in which lock gets to run now and then."""
        for _ in range(4):
            (self.door.stalls if self._random.random() < 0.5 else self.door.passes)(ns // 4)

    def says_who_first(self) -> None:
        """A flat, a press, vault's word that somebody is awake there, and a verdict."""
        self._asks_about_a_claim()
        asked = self._claim_asked()
        if not any(asked) or self._random.random() < 0.1:
            return
        if self._random.random() < 0.2:
            self.passes()
        self._told(Room.VAULT, wire.ClaimAnswer(asked, self._random.random() < 0.8))
        self.waits_for_vault()

    def _asks_about_a_claim(self) -> None:
        self.types("*12#")
        self.press()

    def _claim_asked(self) -> bytes:
        questions = self.door.oracle.questions.items()
        return next((nonce for (_, nonce), (asked, _) in questions if isinstance(asked, wire.AskClaim)), bytes(16))

    def comes_home_by_card(self) -> None:
        """A card is held to the reader, keeper talks to it and answers; it may be pulled away at any time."""
        self.shows_a_card()
        self.talks()
        if self._random.random() < 0.3:
            self._touch(self.door.lock.state.CardLeft())
        self.waits_for_keeper()

    def shows_a_card(self) -> None:
        """A card is there."""
        self._touch(self.door.lock.state.CardCame())

    def holds_and_pulls(self) -> None:
        """What readers report in whatever order: a card comes, answers, leaves, or is a mere number."""
        state = self.door.lock.state
        for _ in range(3):
            reply = state.CardReplied(self._one(REPLIES))
            self._touch(self._one((state.CardCame(), state.CardLeft(), reply, state.NumberRead())))

    def adds_a_card(self) -> None:
        """The PIN, and the card it is for."""
        self.types("*07#12#482913#")
        self._told(Room.KEEPER, wire.Answer(self.door.oracle.keeper_asked, self._one(OUTCOMES)))
        self.shows_a_card()
        self.talks()
        self._told(Room.KEEPER, wire.Answer(self.door.oracle.keeper_asked, self._one(OUTCOMES)))

    def goes_through(self) -> None:
        """The door is opened, and mostly falls shut."""
        self._touch(self.door.lock.state.DoorMoved(open=True))
        if self._random.random() < 0.7:
            self.door.passes(self._one((10, 500, 1500)) * MS)
            self._touch(self.door.lock.state.DoorMoved(open=False))

    def leaves_or_tampers(self) -> None:
        """Contacts."""
        state = self.door.lock.state
        chosen = (
            state.ExitRequested(),
            state.TamperMoved(on=True),
            state.TamperMoved(on=False),
            state.DoorMoved(open=False),
        )
        self._touch(self._one(chosen))

    # ---- what they wait for

    def waits_for_keeper(self) -> None:
        """Keeper answers what it was asked last, mostly yes."""
        self._answers(Room.KEEPER, self.door.oracle.keeper_asked)

    def talks(self) -> None:
        """Keeper says something to a card, mostly the one that is there; it may answer."""
        for _ in range(1 + (self._random.random() < 0.3)):
            nonce = self.door.oracle.keeper_asked if self._random.random() < 0.7 else self._nonce(Room.KEEPER)
            self._told(Room.KEEPER, wire.CardCommand(nonce, self._one(COMMANDS)))
            if self._random.random() < 0.6:
                self._touch(self.door.lock.state.CardReplied(self._one(REPLIES)))

    def waits_for_vault(self) -> None:
        """Vault answers the approach of this moment, mostly yes."""
        looking = self.door.oracle.looking
        if looking:
            self._answers(Room.VAULT, looking.asked.nonce)

    def _answers(self, room: Room, nonce: bytes) -> None:
        now_ns = self.door.lock.clock.now_ns
        honest = wire.Verdict(nonce, now_ns, Outcome.ACCEPTED, 12)
        self._told(room, honest if self._random.random() < 0.6 else self._verdict(nonce))

"""Random lives: who presses, types, speaks, lies, repeats, is late, dies and comes back, drawn from a number.

Rules kept here:
- The same number is the same life: what fails, fails again.
- Half of what happens is what people and rooms do all day, so that lives get far; the other half is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from device import wire
from device.edges import Room
from device.policy.methods import EVERYTHING, PIN_AND_CARD, Method
from device.wire import CameraCondition, Hint, LookMode, Message, Outcome, Result
from tools.endurance.broken import Broken
from tools.endurance.door import MAY_SAY, NEEDED, ROOMS, Door, Life
from tools.endurance.locks import Lock

MS = 1_000_000
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
        "#",
        "9*",
    ),
    "1",
)
_AGES_MS = (0, 0, 0, 20, 100, 499, 500, 501, 900, 5000, -1, -600)
_GAPS_MS = (1, 20, 400, 400, 900, 1100, 2500, 4000, 6000, 9000, 16_000)
_LONG_MS = (70_000, 700_000, 90_000_000)
_SLOTS = (12, 12, 12, 7, 0)
_OUTCOMES = (*(Outcome.ACCEPTED,) * 3, Outcome.REFUSED, Outcome.WITH_PIN, Outcome.DURESS)
_READY = ((True, False, False), (True, False, False), (False, False, True), (False, True, False), (False, False, False))
_HOURS = (EVERYTHING, EVERYTHING, PIN_AND_CARD, PIN_AND_CARD | Method.FACE_WITH_PIN, Method.CARD, Method.PIN)
_BARRED = (frozenset[int](), frozenset[int](), frozenset({12}), frozenset({7, 700}))
_COMMANDS = (b"\xff\xca\0\0\0", b"\x90\x5a\0\0\3\0\0\0\0")
_REPLIES = (b"\x90\0", b"\x91\xaf")
_NEEDED = frozenset(NEEDED)
_STRANGE = tuple(sorted({*ROOMS} - {Room.VAULT, Room.KEEPER}))


@dataclass(slots=True)
class Told:
    """What a number of lives came to. `found`: the number of the life that broke a rule, and the rule."""

    lives: int = 0
    events: int = 0
    decisions: int = 0
    windows: int = 0
    found: tuple[int, str] | None = None


SHORT = (1, 5)
LONG = (4, 24)
"""How many moments a life has: at least the first, fewer than the second. A moment is one to a dozen events."""


def run(lock: Lock, numbers: Iterable[int], moments: tuple[int, int] = LONG) -> Told:
    """Live the lives of these `numbers`, up to the first that breaks a rule."""
    told = Told()
    for number in numbers:
        told.lives += 1
        try:
            someone = Someone(lock, number)
            someone.lives(moments)
        except Broken as broken:
            told.found = number, str(broken)
            break
        told.events += someone.events
        told.decisions += someone.decisions
        told.windows += someone.windows
    return told


class Someone:
    """Drives one door through one life."""

    def __init__(self, lock: Lock, number: int) -> None:
        self._random = Random(number)
        draw = self._random.random
        life = Life(draw() < 0.6, draw() < 0.5, draw() < 0.5, draw() < 0.5, draw() < 0.75)
        self.door = Door(lock, life)
        self.events = self.decisions = self.windows = 0
        self._later: list[tuple[Room, Message]] = []

    def lives(self, moments: tuple[int, int]) -> None:
        """One life. Raises Broken."""
        door, oracle = self.door, self.door.oracle
        self._ready(_READY[0])
        for _ in range(self._random.randrange(*moments)):
            was, decided = oracle.looking, oracle.decided_ns
            self._random.choice(_MOMENTS)(self)
            self.windows += oracle.looking is not None and oracle.looking is not was
            self.decisions += oracle.decided_ns != decided
            if not door.links.keys() >= _NEEDED and self._random.random() < 0.7:
                self._comes_back()
        door.passes(self._random.choice(_GAPS_MS) * MS)

    # ---- drawing

    def _one(self, choices: tuple[Any, ...]) -> Any:
        return choices[int(self._random.random() * len(choices))]

    def _nonce(self, room: Room) -> bytes:
        """One that is waited for, mostly; or an older one, one of another room, or none of lock's."""
        chance, door = self._random.random(), self.door
        if chance < 0.6:
            looking = door.oracle.looking
            return looking.asked.nonce if room is Room.VAULT and looking else door.oracle.keeper_asked or bytes(16)
        open_ones = [nonce for _, nonce in door.oracle.questions]
        if chance < 0.8 and open_ones:
            return self._random.choice(open_ones)
        drawn = door.lock.clock.drawn
        if chance < 0.95 and drawn:
            return max(1, drawn - int(self._random.random() * 8)).to_bytes(16, "big")
        return b"\xff" * 16

    def _told(self, sender: Room, msg: Message) -> None:
        self.events += 1
        self.door.says(sender, msg)

    def _verdict(self, nonce: bytes) -> wire.Verdict:
        stamped = self.door.lock.clock.now_ns - self._one(_AGES_MS) * MS
        return wire.Verdict(nonce, stamped, self._one(_OUTCOMES), self._one(_SLOTS))

    def _any_message(self, sender: Room) -> Message:
        """Anything that exists, from whoever."""
        one, nonce = self._one, self._nonce(sender)
        flags = one(_READY)
        made: tuple[Message, ...] = (
            self._verdict(nonce),
            wire.ClaimAnswer(nonce, one((True, False))),
            wire.EnrolmentEnded(nonce, one((Result.DONE, Result.CONFIRM))),
            wire.Answer(nonce, one(_OUTCOMES)),
            wire.Guidance(nonce, Hint.COME_CLOSER),
            wire.FaceReady(*flags),
            wire.CameraState(one(tuple(CameraCondition))),
            wire.Breach(),
            wire.AskStatus(),
            wire.OfferKept(12, 1, Result.DONE),
            wire.Close(),
            wire.Look(nonce, LookMode.RECOGNISE),
            wire.CheckPin(nonce, 12, "482913", 1),
            wire.CardCommand(nonce, one(_COMMANDS)),
            wire.CardAnswer(nonce, one(_REPLIES)),
        )
        chosen: Message = one(made)
        return chosen

    # ---- what people do

    def press(self) -> None:
        """The face button."""
        self._touch(self.door.lock.state.FaceButton())

    def types(self, keys: str | None = None) -> None:
        """Keys, one after the other."""
        for key in keys or self._one(_KEYS):
            self._touch(self.door.lock.state.Key(key))

    def _touch(self, event: Any) -> None:
        self.events += 1
        self.door.touched(event)

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
            self.waits_for_vault()

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
            reply = state.CardReplied(self._one(_REPLIES))
            self._touch(self._one((state.CardCame(), state.CardLeft(), reply, state.NumberRead())))

    def adds_a_card(self) -> None:
        """The PIN, and the card it is for."""
        self.types("*07#12#482913#")
        self._told(Room.KEEPER, wire.Answer(self.door.oracle.keeper_asked, self._one(_OUTCOMES)))
        self.shows_a_card()
        self.talks()
        self._told(Room.KEEPER, wire.Answer(self.door.oracle.keeper_asked, self._one(_OUTCOMES)))

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

    # ---- what rooms do

    def waits_for_keeper(self) -> None:
        """Keeper answers what it was asked last, mostly yes."""
        self._answers(Room.KEEPER, self.door.oracle.keeper_asked)

    def talks(self) -> None:
        """Keeper says something to a card, mostly the one that is there; it may answer."""
        for _ in range(1 + (self._random.random() < 0.3)):
            nonce = self.door.oracle.keeper_asked if self._random.random() < 0.7 else self._nonce(Room.KEEPER)
            self._told(Room.KEEPER, wire.CardCommand(nonce, self._one(_COMMANDS)))
            if self._random.random() < 0.6:
                self._touch(self.door.lock.state.CardReplied(self._one(_REPLIES)))

    def waits_for_vault(self) -> None:
        """Vault answers the approach of this moment, mostly yes."""
        looking = self.door.oracle.looking
        if looking:
            self._answers(Room.VAULT, looking.asked.nonce)

    def _answers(self, room: Room, nonce: bytes) -> None:
        now_ns = self.door.lock.clock.now_ns
        honest = wire.Verdict(nonce, now_ns, Outcome.ACCEPTED, 12)
        self._told(room, honest if self._random.random() < 0.6 else self._verdict(nonce))

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

    def _ready(self, flags: tuple[bool, bool, bool]) -> None:
        self._told(Room.EYE, wire.CameraState(CameraCondition.IDLE))
        self._told(Room.VAULT, wire.FaceReady(*flags))

    def announces(self) -> None:
        """Vault says what a press is good for."""
        self._told(Room.VAULT, wire.FaceReady(*self._one(_READY)))

    def camera_says(self) -> None:
        """Eye says what the camera does."""
        self._told(Room.EYE, wire.CameraState(self._one(tuple(CameraCondition))))

    # ---- what breaks

    def dies(self) -> None:
        """A room's process ends."""
        self.events += 1
        self.door.goes(self._one(ROOMS))

    def _comes_back(self) -> None:
        for room in ROOMS if self._random.random() < 0.5 else NEEDED:
            self.door.connects(room)
        self._ready(self._one(_READY))

    def lock_dies(self) -> None:
        """Lock's process ends, in good order or at once, and begins anew; maybe the whole door was off."""
        self.events += 1
        (self.door.stopped if self._random.random() < 0.3 else self.door.killed)()
        self.door.lock.clock.now_ns += self._one((100, 500, 30_000)) * MS
        self.door.oracle.now_ns = self.door.lock.clock.now_ns
        self.door.oracle.free_only_by_decision(free=self.door.line.free)
        self.door.start()
        self._ready(self._one(_READY))

    def bolt_breaks(self) -> None:
        """The line refuses from now on, or obeys again."""
        self.door.line.broken = not self.door.line.broken

    def breaks_while_open(self) -> None:
        """The line refuses just when somebody comes home, and obeys soon after."""
        self.door.line.broken = True
        self.comes_home_by_pin()
        self.door.line.broken = False
        self.types("5")

    # ---- time

    def passes(self) -> None:
        """Time, with lock awake."""
        self.events += 1
        self.door.passes(self._one(_GAPS_MS) * MS)

    def hours_change(self) -> None:
        """Another hour of the policy begins."""
        self.events += 1
        hours = self.door.policy.hours
        self.door.hours_change(self._one(_HOURS), self._one(_BARRED), hours.today + self._one((0, 1)))

    def passes_long(self) -> None:
        """Minutes to a day."""
        self.events += 1
        self.door.passes(self._one(_LONG_MS) * MS)

    def stalls(self) -> None:
        """Time, with lock not getting to run."""
        self.events += 1
        self.door.stalls(self._one(_GAPS_MS) * MS)


_MOMENTS: tuple[Callable[[Someone], None], ...] = (
    *(Someone.press,) * 3,
    *(Someone.types,) * 3,
    *(Someone.comes_home_by_pin,) * 4,
    *(Someone.comes_home_by_face,) * 4,
    *(Someone.comes_home_by_card,) * 4,
    Someone.shows_a_card,
    *(Someone.holds_and_pulls,) * 2,
    Someone.adds_a_card,
    *(Someone.talks,) * 2,
    *(Someone.says_who_first,) * 3,
    *(Someone.goes_through,) * 2,
    Someone.leaves_or_tampers,
    *(Someone.waits_for_keeper,) * 2,
    *(Someone.waits_for_vault,) * 3,
    *(Someone.speaks,) * 6,
    *(Someone.lies,) * 1,
    *(Someone.replays,) * 3,
    Someone.stutters,
    *(Someone.keeps_back,) * 2,
    *(Someone.delivers_late,) * 2,
    *(Someone.answers_twice_over,) * 2,
    Someone.tries_again,
    Someone.answers_for_another,
    *(Someone.announces,) * 2,
    *(Someone.camera_says,) * 2,
    *(Someone.dies,) * 2,
    Someone.lock_dies,
    Someone.bolt_breaks,
    Someone.breaks_while_open,
    *(Someone.passes,) * 6,
    Someone.passes_long,
    Someone.hours_change,
    *(Someone.stalls,) * 2,
)

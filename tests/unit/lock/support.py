"""What the machine's tests share: a world around the pure machine, and every kind of state and event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from types import MappingProxyType

from device import wire
from device.challenge import Lights
from device.edges import Room
from device.lock import machine
from device.lock.keypad import Entry
from device.lock.permits import permitted
from device.lock.state import (
    Asked,
    BoltFailed,
    BoltObeys,
    Breached,
    Came,
    CardCame,
    CardLeft,
    CardReplied,
    CardSend,
    Check,
    DoorMoved,
    Effect,
    Event,
    ExitRequested,
    FaceButton,
    Inquiry,
    Key,
    Lamp,
    NumberRead,
    PeerDown,
    PeerUp,
    Release,
    Rules,
    Secure,
    Send,
    State,
    TamperMoved,
    Tick,
    Window,
)
from device.policy.methods import Method
from device.wire import CameraCondition, Hint, LookMode, Outcome, Result

RULES = Rules(face_alone_opens=True)
S = 1_000_000_000
NOW = 100 * S
FACE_NONCE, PIN_NONCE, OLD_NONCE, ASK_NONCE, FRESH = b"f" * 16, b"p" * 16, b"o" * 16, b"a" * 16, b"n" * 16
CARD_NONCE = b"c" * 16
APDU = b"\x90\x5a\x00\x00\x03\x00\x00\x00\x00"
ALL_UP = frozenset({Room.EYE, Room.VAULT, Room.KEEPER, Room.REPORT, Room.DESK})
Stepper = Callable[[State, Event, int, bytes, Rules], machine.Step]


@cache
def states() -> Mapping[str, State]:
    """Every combination of what the machine distinguishes, by name, at time NOW."""
    windows = {
        "closed": None,
        "looking": Window(LookMode.RECOGNISE, FACE_NONCE, NOW + 5 * S, 1),
        "last-look": Window(LookMode.RECOGNISE, FACE_NONCE, NOW + 5 * S, 0),
        "doubted": Window(LookMode.RECOGNISE, FACE_NONCE, NOW + 5 * S, 1, doubted=True),
        "answered": Window(LookMode.RECOGNISE, FACE_NONCE, NOW + 5 * S, 1, answered=12),
        "last-answered-doubted": Window(LookMode.RECOGNISE, FACE_NONCE, NOW + 5 * S, 0, answered=12, doubted=True),
        "another-answered": Window(LookMode.RECOGNISE, FACE_NONCE, NOW + 5 * S, 0, answered=7),
        "claimed": Window(LookMode.RECOGNISE, FACE_NONCE, NOW + 5 * S, 1, claim=12),
        "last-claimed": Window(LookMode.RECOGNISE, FACE_NONCE, NOW + 5 * S, 0, claim=12),
        "enrolling": Window(LookMode.ENROL, FACE_NONCE, NOW + 5 * S, 2),
        "asking": Inquiry(ASK_NONCE, 12, NOW + S // 2),
    }
    checks = {
        "no-check": (None, None),
        "typing": (None, Entry("12#48291", NOW - S)),
        "flat": (None, Entry("12#", NOW - S)),
        "opening": (Check(PIN_NONCE, NOW + 5 * S, opens=True), None),
        "personal": (Check(PIN_NONCE, NOW + 5 * S, opens=False), None),
        "card": (Check(CARD_NONCE, NOW + 5 * S, opens=True, by=Method.CARD), None),
        "pulled": (Check(CARD_NONCE, NOW + 5 * S, opens=True, by=Method.CARD, left=True), None),
    }
    announced = {
        "few": State(recognise_ready=True),
        "many": State(claim_first_ready=True),
        "offer": State(recognise_ready=True, enrol_ready=True),
    }
    found: dict[str, State] = {}
    for (face, at), (keys, (check, entry)), granted, is_open, up, (faces, ready) in product(
        windows.items(),
        checks.items(),
        (None, NOW + 2 * S),
        (False, True),
        (frozenset[Room](), ALL_UP),
        announced.items(),
    ):
        if is_open and (face not in ("closed", "looking") or keys not in ("no-check", "opening", "card")):
            continue  # that the door stands open changes alarms and reminders, and nothing that goes on beside
        if (at or check) and not up:
            continue  # a window or a check ends with its room, see test_loss_of_a_room_closes
        if not up and faces != "few":
            continue  # nobody has announced anything
        if "answered" in face and (keys not in ("no-check", "opening") or faces == "offer"):
            continue  # whom an approach has shown changes what a verdict of vault is worth, and nothing beside
        if faces == "many" and (face in ("looking", "last-look", "doubted") or "answered" in face):
            continue  # see test_a_window_for_anybody_closes_when_the_faces_become_too_many
        window, inquiry = (None, at) if isinstance(at, Inquiry) else (at, None)
        asked: tuple[Asked, ...] = (Asked(OLD_NONCE, Room.VAULT, NOW - 20 * S),)
        asked += tuple(Asked(OLD_NONCE, Room.EYE, NOW - 20 * S, motion) for motion in (False, True))
        asked += (Asked(FACE_NONCE, Room.VAULT, NOW - S),) if window else ()
        looks = window is not None and window.mode is LookMode.RECOGNISE
        asked += tuple(Asked(FACE_NONCE, Room.EYE, NOW - S, motion) for motion in (False, True) if looks)
        asked += (Asked(ASK_NONCE, Room.VAULT, NOW - S // 4),) if inquiry else ()
        asked += (Asked(check.nonce, Room.KEEPER, NOW - S),) if check else ()
        name = (
            f"{face} {keys} {'granted' if granted else 'secured'} {'open' if is_open else 'shut'} {len(up)}up {faces}"
        )
        found[name] = replace(
            ready if up else State(),
            granted_until_ns=granted,
            window=window,
            inquiry=inquiry,
            entry=entry,
            check=check,
            asked=asked,
            up=up,
            door_open=is_open,
            open_since_ns=NOW - S,
        )
    return MappingProxyType(found)


def verdict(
    nonce: bytes, *, outcome: Outcome = Outcome.ACCEPTED, age_ns: int = S // 10, slot: int = 12
) -> wire.Verdict:
    return wire.Verdict(nonce, NOW - age_ns, outcome, slot)


@cache
def events() -> Mapping[str, Event]:
    """Every kind of event, good, bad and late; made once, for a matrix asks in each of hundreds of states."""
    found: dict[str, Event] = {
        "face button": FaceButton(),
        "key 3": Key("3"),
        "key #": Key("#"),
        "key *": Key("*"),
        "door open": DoorMoved(open=True),
        "door shut": DoorMoved(open=False),
        "tamper on": TamperMoved(on=True),
        "tamper off": TamperMoved(on=False),
        "exit": ExitRequested(),
        "breach": Breached(),
        "bolt failed": BoltFailed(),
        "bolt obeys": BoltObeys(),
        "tick": Tick(),
        "enrolment ended": Came(Room.VAULT, wire.EnrolmentEnded(FACE_NONCE, Result.DONE)),
        "face ready": Came(Room.VAULT, wire.FaceReady(recognise=True, enrol=False, claim_first=False)),
        "enrol ready": Came(Room.VAULT, wire.FaceReady(recognise=False, enrol=True, claim_first=False)),
        "enrol covered ready": Came(
            Room.VAULT, wire.FaceReady(recognise=False, enrol=True, claim_first=False, covered=True)
        ),
        "too many": Came(Room.VAULT, wire.FaceReady(recognise=False, enrol=False, claim_first=True)),
        "nobody ready": Came(Room.VAULT, wire.FaceReady(recognise=False, enrol=False, claim_first=False)),
        "hint": Came(Room.VAULT, wire.Guidance(FACE_NONCE, Hint.COME_CLOSER)),
        "camera fault": Came(Room.EYE, wire.CameraState(CameraCondition.FAULT)),
        "camera idle": Came(Room.EYE, wire.CameraState(CameraCondition.IDLE)),
        "peer breach": Came(Room.VAULT, wire.Breach()),
        "card came": CardCame(),
        "card replied": CardReplied(b"\x91\x00"),
        "card left": CardLeft(),
        "number read": NumberRead(),
    }
    for room in ALL_UP:
        found[f"{room} up"] = PeerUp(room)
        found[f"{room} down"] = PeerDown(room)
    for nonce, awake in product((ASK_NONCE, FACE_NONCE, OLD_NONCE, b"?" * 16), (True, False)):
        label = f"claim {nonce[:1].decode()} {'awake' if awake else 'asleep'}"
        found[label] = Came(Room.VAULT, wire.ClaimAnswer(nonce, awake))
    for nonce in (FACE_NONCE, OLD_NONCE, b"?" * 16):
        found[f"light {nonce[:1].decode()}"] = Came(Room.EYE, wire.ChallengeRequest(nonce))
        found[f"motion {nonce[:1].decode()}"] = Came(Room.EYE, wire.MotionRequest(nonce))
    for nonce in (PIN_NONCE, CARD_NONCE, OLD_NONCE, b"?" * 16):
        letter = nonce[:1].decode()
        found[f"command {letter}"] = Came(Room.KEEPER, wire.CardCommand(nonce, APDU))
        for outcome in Outcome:
            found[f"answer {letter} {outcome.name}"] = Came(Room.KEEPER, wire.Answer(nonce, outcome))
    nonces = (FACE_NONCE, PIN_NONCE, CARD_NONCE, OLD_NONCE, ASK_NONCE, b"?" * 16)
    for sender, nonce in product((Room.VAULT, Room.KEEPER), nonces):
        label = f"verdict {sender} {nonce[:1].decode()}"
        found[f"{label} yes"] = Came(sender, verdict(nonce))
        found[f"{label} no"] = Came(sender, verdict(nonce, outcome=Outcome.REFUSED, slot=0))
        found[f"{label} stale"] = Came(sender, verdict(nonce, age_ns=S // 2 + 1))
        found[f"{label} future"] = Came(sender, verdict(nonce, age_ns=-1))
        found[f"{label} nobody"] = Came(sender, verdict(nonce, slot=0))
        found[f"{label} other"] = Came(sender, verdict(nonce, slot=7))
        found[f"{label} with pin"] = Came(sender, verdict(nonce, outcome=Outcome.WITH_PIN))
        found[f"{label} duress"] = Came(sender, verdict(nonce, outcome=Outcome.DURESS))
    return MappingProxyType(found)


def may_open(state: State, event: Event, rules: Rules) -> bool:
    """The oracle, written from the rules and not from the machine: may this event open in this state?"""
    if not isinstance(event, Came) or not isinstance(event.msg, wire.Verdict):
        return False
    msg = event.msg
    if msg.slot == 0 or msg.slot in rules.barred or not 0 <= NOW - msg.stamped_ns <= S // 2:
        return False
    if event.sender is Room.KEEPER and msg.outcome in (Outcome.ACCEPTED, Outcome.DURESS):
        asked = state.check.nonce if state.check and state.check.opens else None
        method = {PIN_NONCE: Method.PIN, CARD_NONCE: Method.CARD}.get(msg.nonce, Method(0))
        return asked == msg.nonce and bool(method & rules.methods)
    return (
        event.sender is Room.VAULT
        and msg.outcome is Outcome.ACCEPTED
        and state.window is not None
        and state.window.mode is LookMode.RECOGNISE
        and msg.nonce == FACE_NONCE
        and state.window.claim in (0, msg.slot)
        and rules.face_alone_opens
        and not state.window.doubted
        and (not rules.lights or state.window.answered == msg.slot)
        and Method.FACE in rules.methods
    )


def may_look(state: State, event: Event) -> bool:
    """The other oracle: may this event open the camera, where it is closed?

    Only a press, or vault's yes to the question that a press with a flat asked.
    """
    able = {Room.EYE, Room.VAULT} <= state.up and state.granted_until_ns is None and state.window is None
    if isinstance(event, FaceButton):
        for_anybody = state.recognise_ready and not (state.entry and state.entry.keys == "12#")
        return able and state.inquiry is None and (state.enrol_ready or for_anybody)
    if isinstance(event, Came) and isinstance(event.msg, wire.ClaimAnswer):
        return able and state.inquiry is not None and event.msg.nonce == ASK_NONCE and event.msg.awake
    return False


@dataclass
class World:
    """The machine, what its effects did to bolt and lamp, and when the last authorised decision came."""

    rules: Rules = RULES
    step: Stepper = machine.step
    state: State = field(default_factory=State)
    now_ns: int = NOW
    released_until_ns: int | None = None
    lamp: bool = False
    looking: bool = False
    decided_ns: int | None = None
    counter: int = 0
    effects: list[Effect] = field(default_factory=list)
    breaches: int = 0
    shone: list[tuple[int, Lights]] = field(default_factory=list)  # when the white lights changed, and to what
    cards: int = 0  # that came and have not been let go

    def send(self, event: Event) -> tuple[Effect, ...]:
        """Through the permit table and the machine; effects change the world."""
        if isinstance(event, Came) and not permitted(self.state, event.sender, event.msg):
            self.breaches += 1
            event = Breached()
        self.counter += 1
        busy = self.state.check
        beside = busy is not None and busy.card and self.now_ns < busy.until_ns
        self.cards += isinstance(event, CardCame) and not beside  # one beside another is let go with that one
        fresh = self.counter.to_bytes(16, "big")
        self.state, effects = self.step(self.state, event, self.now_ns, fresh, self.rules)
        for effect in effects:
            match effect:
                case Release(for_ns):
                    self.released_until_ns = self.now_ns + for_ns
                case Secure():
                    self.released_until_ns = None
                case Lamp(on):
                    self.lamp = on
                case Lights():
                    self.shone.append((self.now_ns, effect))
                case Send(_, wire.Look()):
                    assert self.lamp, "the lamp is lit before the camera is asked"
                    self.looking = True
                case Send(_, wire.Close()):
                    self.looking = False
                case CardSend(None):
                    self.cards -= 1
                case _:
                    pass
        self.effects += effects
        return effects

    def passes(self, ns: int) -> None:
        """Time passes, with the ticks the machine asks for."""
        end = self.now_ns + ns
        while (due := machine.next_deadline_ns(self.state, self.rules)) is not None and due <= end:
            self.now_ns = max(self.now_ns, due)
            before = self.state
            self.send(Tick())
            if self.state == before:
                break
        self.now_ns = end
        self.send(Tick())

    def looks_to_the_end(self, outcome: Outcome = Outcome.WITH_PIN, slot: int = 12) -> int:
        """Vault says the same of every approach until the window is over; how many approaches it took."""
        approaches = 0
        while self.state.window:
            self.send(Came(Room.VAULT, wire.Verdict(self.state.window.nonce, self.now_ns, outcome, slot)))
            approaches += 1
        return approaches

    @property
    def released(self) -> bool:
        return self.released_until_ns is not None and self.now_ns < self.released_until_ns


def connected(world: World) -> World:
    """All rooms up, somebody enrolled."""
    for room in ALL_UP:
        world.send(PeerUp(room))
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=True, enrol=False, claim_first=False)))
    return world


def with_rules(**changes: object) -> Rules:
    return replace(RULES, **changes)  # type: ignore[arg-type]  # fields by name

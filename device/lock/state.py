"""What the machine knows, what can happen to it, and what it can do: values only.

Rules kept here:
- Times are CLOCK_MONOTONIC nanoseconds, handed in with every event; nothing here reads a clock.
- `granted_until_ns` is the only field that means an open door. `window` is the only one that means a camera asked to
  look; the lamp follows it, and waits `fading_ns` at most for a read that was under way.
- The lights decide nothing: what is known of them stands in four fields that only `lights` and `prompts` touch.
- A slot is kept for seconds only: as the flat somebody typed before a press (`Inquiry`, `Window`), and as a `Claim`
  where the PIN is still to come.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto, unique

from device.challenge import OFF, Code, Lights
from device.edges import Room
from device.lock.keypad import Entry
from device.motion import Asked as Turns
from device.policy.methods import EVERYTHING, Method
from device.wire import NO_DAY, NOBODY, CameraCondition, Ending, Hint, LookMode, Message, OccurrenceKind

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers the machine works with, from door.toml and the project's rules."""

    unlock_ns: int = 4 * SECOND_NS
    window_ns: int = 10 * SECOND_NS
    approaches: int = 3  # rule 7: one comparison per approach, three approaches a window
    approaches_twice: int = 5  # where a face has to be shown twice: docs/budget.md says why that many are not too many
    verdict_life_ns: int = SECOND_NS // 2  # docs/formats.md: a verdict is void 500 ms after it was stamped
    check_ns: int = 6 * SECOND_NS  # keeper answers within a second even with a full queue
    card_ns: int = 5 * SECOND_NS  # to add a card takes about a dozen commands, and slow readers a quarter second each
    inquiry_ns: int = SECOND_NS  # vault answers from memory; somebody stands there and knows their PIN
    held_open_ns: int = 60 * SECOND_NS
    remind_ns: int = 10 * SECOND_NS  # between two reminders that the door stands open
    remind_for_ns: int = (
        300 * SECOND_NS
    )  # after the alarm; whoever has not come by then does not hear it, neighbours do
    exit_ns: int = 10 * SECOND_NS  # how long a request to exit silences the forced-open alarm
    remembered_ns: int = 60 * SECOND_NS  # how long a late reply is merely late, and not a breach
    claim_ns: int = 15 * SECOND_NS  # where a PIN is asked for: how long a face stands for its flat number
    fading_ns: int = SECOND_NS  # how long the lamp waits for a read that was under way when the window closed
    passage_ns: int = 2 * SECOND_NS  # a door pulled open as the bolt falls is late, not forced
    quiet_ns: int = 600 * SECOND_NS  # a breach stands until nobody broke the table for this long
    exit_wired: bool = True  # without a wired request-to-exit every leaving would be an alarm
    face_alone_opens: bool = False  # rule 8: only a door whose liveness was tried may say yes
    methods: Method = EVERYTHING  # what the policy in force allows at this very moment
    barred: frozenset[int] = field(default=frozenset(), repr=False)  # the slots whose own hours are not now
    day: int = NO_DAY  # the date at the door
    ending: Ending = Ending.NONE
    announce_ns: int = 2 * SECOND_NS  # "opened" is over by then, and whoever was let in still stands there
    proof_ns: int = 60 * SECOND_NS  # how long a proof for the end of the door is good, as a grant
    lights: bool = False  # whether the two white lights of the light challenge are fitted
    page: bool = False  # whether the installer lets residents open a page of this door

    @property
    def twice(self) -> bool:
        """Whether a face opens by itself only if two light challenges of one window were answered (ADR 34)."""
        return self.face_alone_opens and self.lights


@unique
class Alarm(Enum):
    """What stands until its cause is gone."""

    FORCED_OPEN = auto()
    HELD_OPEN = auto()
    TAMPER = auto()
    BREACH = auto()
    BOLT_FAULT = auto()


@unique
class Signal(Enum):
    """What a person sees and hears; every refusal is the same one, but for what was right before."""

    KEY = auto()
    WAIT = auto()
    OPENED = auto()
    REFUSED = auto()
    NOTED = auto()
    DONE = auto()  # a personal act at the keypad alone has been done
    LOOK = auto()
    ENTER_PIN = auto()
    USE_PIN_OR_CARD = auto()
    CLOSE_DOOR = auto()  # to whoever still hears it: the door stands open
    CLAIM_FIRST = auto()  # the flat number and #, then the face button
    DOOR_ENDS = auto()  # soon no PIN, card or face opens here any more
    TELL_MANAGER = auto()  # somebody moved in with it before, or it was this place's PIN: the manager has to hear of it


@dataclass(frozen=True, slots=True)
class Window:
    """The camera may be used until `until_ns`, for the approach `nonce`; `claim`: for that slot alone, 0 for any.

    `known`: where every face needs its PIN, whom an approach before has shown; 0 for nobody. `answered`: where a face
    has to be shown twice, whom an approach before has shown whose light challenge was answered; 0 for nobody.
    `doubted`: in this approach eye asked for a motion challenge: no light told it that the face is one, and whatever
    vault says, it needs its PIN.
    """

    mode: LookMode
    nonce: bytes
    until_ns: int
    approaches_left: int
    claim: int = field(default=NOBODY, repr=False)
    known: int = field(default=NOBODY, repr=False)
    answered: int = field(default=NOBODY, repr=False)
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A flat was typed and the button pressed: vault was asked whether a look is worth it. The camera is closed."""

    nonce: bytes
    slot: int = field(repr=False)
    until_ns: int


@dataclass(frozen=True, slots=True)
class Check:
    """Keeper was asked; `opens` is False for everything but flat # PIN # and a card, and `by` says which of them."""

    nonce: bytes
    until_ns: int
    opens: bool
    by: Method = Method.PIN
    left: bool = False  # the card of it is gone: nothing is said to another one in its name
    redeems: bool = False  # with an invitation
    ends_door: bool = False  # asked for a proof that somebody who lives here wants this door to end

    @property
    def card(self) -> bool:
        """Whether keeper is talking to a card."""
        return self.by is Method.CARD


@dataclass(frozen=True, slots=True)
class Claim:
    """Where a PIN is asked for: whom the face named, if anybody; a PIN alone is then enough. Never shown in a repr."""

    slot: int = field(repr=False)
    until_ns: int


@dataclass(frozen=True, slots=True)
class Challenge:
    """Eye asked for a light challenge in the approach `nonce`. `code` is nobody's business before it was driven.

    `made`: what burned from when on, first the lights with which it began; empty while it waits for the pace.
    """

    nonce: bytes
    code: Code = field(repr=False)
    made: tuple[tuple[int, Lights], ...] = field(default=(), repr=False)
    over: bool = False  # its log is sent


@dataclass(frozen=True, slots=True)
class Motion:
    """Eye asked for a motion challenge in the approach `nonce` of the window that ends at `until_ns`; one in each.

    `asked` is nobody's business before the lights ask it. `rest_ns`: since when both burn at rest for it; `began_ns`:
    when each prompt began.
    """

    nonce: bytes
    until_ns: int
    asked: Turns = field(repr=False)
    rest_ns: int | None = None
    began_ns: tuple[int, ...] = ()
    over: bool = False  # its log is sent, or its approach is over


@dataclass(frozen=True, slots=True)
class Asked:
    """A nonce that `room` may still answer once."""

    nonce: bytes
    room: Room
    at_ns: int
    motion: bool = False  # for eye's MotionRequest, and for nothing else


@dataclass(frozen=True)  # without slots, and nothing is reckoned when it is made: `device.lock.change`
class State:
    """Everything lock remembers. A new process starts with `State()`: secured, camera closed, nobody there."""

    granted_until_ns: int | None = None
    opened_while_granted: bool = False
    passage_until_ns: int = 0
    claim: Claim | None = None
    fading_until_ns: int | None = None
    breach_until_ns: int = 0
    window: Window | None = None
    inquiry: Inquiry | None = None  # never together with a window
    entry: Entry | None = None
    check: Check | None = None
    asked: tuple[Asked, ...] = ()
    up: frozenset[Room] = frozenset()
    recognise_ready: bool = False
    enrol_ready: bool = False
    enrol_mode: LookMode = LookMode.ENROL  # what an enrolment that is pending looks for
    claim_first_ready: bool = False
    camera: CameraCondition = CameraCondition.IDLE
    door_open: bool = False
    open_since_ns: int = 0
    reminded_ns: int = 0
    exit_until_ns: int = 0
    alarms: frozenset[Alarm] = frozenset()
    help_owed: bool = False  # somebody called for help while report was away
    announce_at_ns: int | None = None  # when whoever was let in hears that the door ends
    lights: Lights = OFF
    lights_changed_ns: tuple[int, ...] = ()  # their last changes, as many as the pace is counted by
    challenge: Challenge | None = None
    motion: Motion | None = None
    proven_until_ns: int | None = None  # until when whoever looks after the door may end it: a resident has agreed


# ---- events


@dataclass(frozen=True, slots=True)
class FaceButton:
    """Somebody pressed the face button."""


@dataclass(frozen=True, slots=True)
class Key:
    """Somebody pressed `key` on the keypad."""

    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CardCame:
    """A card is in front of a reader that can talk to it."""


@dataclass(frozen=True, slots=True)
class CardReplied:
    """What the card answered to the last `CardSend`, with its two status bytes."""

    apdu: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CardLeft:
    """The card, or the reader, is gone."""


@dataclass(frozen=True, slots=True)
class NumberRead:
    """A reader read a card's bare number, which anybody can copy: it opens nothing."""


@dataclass(frozen=True, slots=True)
class DoorMoved:
    """The door position switch changed."""

    open: bool


@dataclass(frozen=True, slots=True)
class TamperMoved:
    """The tamper contact changed."""

    on: bool


@dataclass(frozen=True, slots=True)
class ExitRequested:
    """Somebody inside pressed request-to-exit. The way out itself never passes through software."""


@dataclass(frozen=True, slots=True)
class Came:
    """A message that `device.edges` and `device.lock.permits` let through."""

    sender: Room
    msg: Message


@dataclass(frozen=True, slots=True)
class PeerUp:
    """A connection stands."""

    room: Room


@dataclass(frozen=True, slots=True)
class PeerDown:
    """A connection is gone."""

    room: Room


@dataclass(frozen=True, slots=True)
class Breached:
    """Somebody sent what must never be sent."""


@dataclass(frozen=True, slots=True)
class BoltFailed:
    """The bolt's driver reported a fault; it has secured what it could."""


@dataclass(frozen=True, slots=True)
class BoltObeys:
    """The bolt's driver did what it was told, after a fault."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Event = (
    FaceButton
    | Key
    | CardCame
    | CardReplied
    | CardLeft
    | NumberRead
    | DoorMoved
    | TamperMoved
    | ExitRequested
    | Came
    | PeerUp
    | PeerDown
    | Breached
    | BoltFailed
    | BoltObeys
    | Tick
)


# ---- effects


@dataclass(frozen=True, slots=True)
class Release:
    """Let the strike go for `for_ns`, then secure it again even if nobody says so."""

    for_ns: int


@dataclass(frozen=True, slots=True)
class Secure:
    """Lock the strike now."""


@dataclass(frozen=True, slots=True)
class Lamp:
    """The lamp that says: the camera may look now."""

    on: bool


@dataclass(frozen=True, slots=True)
class Send:
    """A message to another room."""

    room: Room
    msg: Message


@dataclass(frozen=True, slots=True)
class Tell:
    """A line about the door's health for report."""

    kind: OccurrenceKind


@dataclass(frozen=True, slots=True)
class Show:
    """A tone and a light; `hint` only with Signal.LOOK."""

    signal: Signal
    hint: Hint | None = None


@dataclass(frozen=True, slots=True)
class CardSend:
    """A command APDU for the card in front of the reader; None: it can go."""

    apdu: bytes | None = field(repr=False)


# `Lights` is one as well: what the two white lights show from now on.
Effect = Release | Secure | Lamp | Lights | Send | Tell | Show | CardSend

"""What must hold at every moment, judged from outside: what lock heard, what it asked, its lamp and its strike.

Rules kept here:
- Written from docs/rules.md and docs/formats.md, not from the machine: it never looks at lock's state but for the one
  field that means an open door.
- An *authorised decision* is a Verdict that accepts somebody, to a question that lock put to that very room over a
  connection that still stands, the first reply to it, stamped 0 to 500 ms ago. By PIN: the question was flat # PIN #,
  and is not older than keeper has time. By card: the question was a card in front of the reader, in its own time. By
  face: a face alone opens this door, the camera looks for that approach, to recognise, within its window, nobody else
  was claimed, and eye did not want to see that face turn; with lights, the one before that counted like this in the
  same window showed the same face. Whichever it is, the policy allows it in that moment, and
  that slot's own hours do not bar it.
- Accepted under duress is accepted, if keeper says it; vault has no such word. What else there is to it: `calls`.
- What keeper is asked, and what cards are told: `exchange`. Nobody but keeper hears digits, or what a card says.
- The door is free only by such a decision, at most `unlock_ns` ago, and the strike is released at no other moment.
- When the camera may be asked, and the lamp: `looking`. The white lights beside the lens: `shining`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from device import wire
from device.edges import Room
from device.policy.methods import EVERYTHING, Method
from device.wire import NOBODY, LookMode, Message, OccurrenceKind, Outcome
from tools.endurance.broken import Broken
from tools.endurance.calls import Calls
from tools.endurance.exchange import ASKED_OF_KEEPER, Exchanges, Questions
from tools.endurance.looking import Camera, Looking, Moment
from tools.endurance.shining import Shining

VERDICT_LIFE_NS = 500_000_000  # docs/formats.md: void 500 ms after vault or keeper stamped it
REPLIES = (wire.Verdict, wire.ClaimAnswer, wire.EnrolmentEnded, wire.Answer)
_SECRETS = (*ASKED_OF_KEEPER, wire.CardAnswer, wire.CardGone)
# Said under a nonce that another message brought.
_MORE_OF_IT = (wire.Look, wire.ChallengeLog, wire.MotionLog, wire.CardAnswer, wire.CardGone)
_ACCEPTED = (Outcome.ACCEPTED, Outcome.DURESS)
OPENS = {wire.CheckPin: Method.PIN, wire.CardShown: Method.CARD}
"""Questions to keeper whose answer may open the door, and by which way in."""


@dataclass(slots=True)
class Oracle:
    """One life of a door, as seen from outside. `rules` are lock's numbers (times in ns)."""

    rules: Any
    now_ns: int = 0
    methods: Method = EVERYTHING
    barred: frozenset[int] = frozenset()
    day: int = 0
    linked: set[Room] = field(default_factory=set)
    questions: Questions = field(default_factory=dict)
    cards: Exchanges = field(init=False)
    shining: Shining = field(init=False)
    calls: Calls = field(default_factory=Calls)
    keeper_asked: bytes = b""
    up: set[Room] = field(default_factory=set)
    camera: Camera = field(init=False)
    typed: str = ""
    cause: object = None  # what happens right now: "press", a message, or nothing that opens a camera
    answered: tuple[Message, int] | None = None  # the question that the message of this moment answers first
    authorised: bool = False
    decided_ns: int | None = None
    granted: bool = False
    passed: bool = False

    def __post_init__(self) -> None:
        self.cards = Exchanges(self.questions, self.rules)
        self.shining = Shining(self.rules.lights)
        self.camera = Camera(self.rules)

    @property
    def looking(self) -> Looking | None:
        """The window that is open, if one is."""
        return self.camera.looking

    # ---- what happens

    def begins(self, now_ns: int, methods: Method, barred: frozenset[int], day: int) -> None:
        """A new moment of the `day`, at which the policy allows `methods`, and nothing to the slots in `barred`."""
        self.methods, self.barred, self.day = methods, barred, day
        self.now_ns, self.cause, self.answered, self.authorised = now_ns, None, None, False
        self.cards.reply = None
        self.calls.begins()

    def connected(self, room: Room) -> None:
        """A connection to `room` stands, though it may not have said anything."""
        self.linked.add(room)

    def key(self, key: str) -> None:
        """Somebody typed."""
        self.typed = (self.typed + key)[-8:]

    def heard(self, sender: Room, msg: Message) -> bool:
        """`sender` says `msg`; whether the table of messages must refuse it."""
        self.cause = msg
        if isinstance(msg, wire.CameraState):
            self.camera.condition = msg.condition
        elif isinstance(msg, wire.FaceReady):
            self.camera.ready = msg
        elif isinstance(msg, wire.CardCommand):
            return (sender, msg.nonce) not in self.questions
        elif isinstance(msg, wire.ChallengeRequest):
            return self.shining.asks(msg.nonce)
        elif isinstance(msg, wire.MotionRequest):
            return self.shining.prompting.asks(msg.nonce)
        elif isinstance(msg, REPLIES):
            self.answered = self.questions.pop((sender, msg.nonce), None)
            if sender is Room.KEEPER and isinstance(msg, wire.Answer | wire.Verdict):
                self._duress(msg)
            if self.answered is None:
                return True
            if isinstance(msg, wire.Verdict) and self._authorises(sender, msg, *self.answered):
                self.authorised = self.granted = True
                self.passed = False
                self.decided_ns = self.now_ns
        self.up.add(sender)
        return False

    def _moment(self) -> Moment:
        return Moment(self.now_ns, self.methods, self.cause, self.answered)

    def _duress(self, said: wire.Verdict | wire.Answer) -> None:
        if said.outcome is not Outcome.DURESS:
            return
        question, at_ns = self.answered or (None, 0)
        waits = question is not None and self.cards.in_time(question, at_ns, self.now_ns)
        if isinstance(said, wire.Verdict):
            counts = waits and type(question) in OPENS
        else:
            counts = waits and not isinstance(question, wire.CheckPin)
        self.calls.spoken(counts=counts)

    def _accepts(self, verdict: wire.Verdict) -> bool:
        fresh = 0 <= self.now_ns - verdict.stamped_ns <= VERDICT_LIFE_NS
        return fresh and verdict.outcome in _ACCEPTED and verdict.slot != NOBODY

    def _authorises(self, sender: Room, verdict: wire.Verdict, question: Message, at_ns: int) -> bool:
        if not self._accepts(verdict):
            return False
        if sender is Room.KEEPER:
            current = verdict.nonce == self.keeper_asked and self.cards.in_time(question, at_ns, self.now_ns)
            current = current and verdict.slot not in self.barred
            return current and type(question) in OPENS and OPENS[type(question)] in self.methods
        looking = self.looking
        if looking is None or not self._shows(looking, verdict):
            return False
        before, looking.shown = looking.shown, verdict.slot
        return verdict.slot not in self.barred and (before == verdict.slot or not self.rules.lights)

    def _shows(self, looking: Looking, verdict: wire.Verdict) -> bool:
        return (
            verdict.outcome is Outcome.ACCEPTED
            and bool(self.rules.face_alone_opens)
            and Method.FACE in self.methods
            and looking.asked.nonce == verdict.nonce
            and verdict.nonce not in self.shining.prompting.doubted
            and looking.asked.mode is LookMode.RECOGNISE
            and looking.asked.claim in (NOBODY, verdict.slot)
            and self.now_ns < looking.since_ns + self.rules.window_ns
        )

    def gone(self, room: Room) -> None:
        """The connection to `room` ended: nobody is left who was asked."""
        self.up.discard(room)
        self.linked.discard(room)
        for asked in [asked for asked in self.questions if asked[0] is room]:
            del self.questions[asked]
        if room is Room.VAULT:
            self.camera.vault_gone()
        elif room is Room.EYE:
            self.camera.eye_gone()
            self.shining.eye_gone()

    def door_moved(self, *, is_open: bool, free: bool) -> None:
        """Somebody opened or shut the door: whoever went through while it was free has had their passage."""
        if is_open:
            self.passed = free
        elif self.passed:
            self.granted = False

    def bolt_refused(self) -> None:
        """The line could not be driven: nothing is granted."""
        self.granted = False

    def restarted(self) -> None:
        """Lock begins anew: it was asked nothing, and nobody was let in."""
        self.questions.clear()
        self.up.clear()
        self.linked.clear()
        self.cards.restarted()
        self.shining.restarted(self.now_ns)
        self.calls = Calls()
        self.camera.restarted()
        self.granted = self.passed = False
        self.typed = ""
        self.gone(Room.VAULT)
        self.gone(Room.EYE)

    # ---- what lock does

    def released(self, for_ms: int) -> None:
        """Lock lets the strike go."""
        self.calls.seen()
        if not self.authorised:
            raise Broken(f"released without an authorised decision, at {type(self.cause).__name__}")
        if for_ms * 1_000_000 > self.rules.unlock_ns:
            raise Broken(f"released for {for_ms} ms, longer than the door says")

    def sent(self, room: Room, msg: Message, *, lit: bool) -> None:
        """Lock says `msg` to `room`, while the lamp is `lit` or not."""
        looking = self.looking
        match msg:
            case wire.Window():
                self.camera.window(msg, self._moment())
            case wire.Look(nonce, mode):
                self.camera.look(nonce, mode, lit=lit)
                if mode is LookMode.RECOGNISE:
                    self.shining.looked(nonce)
            case wire.AskClaim(_, claim):
                if self.cause != "press" or not self.typed.endswith(f"{claim}#"):
                    raise Broken("vault is asked about a flat that nobody typed before a press")
            case wire.Close():
                self.camera.looking = None
            case wire.ChallengeLog():
                self.shining.logged(room, msg, looking.asked.nonce if looking else None, self.now_ns)
            case wire.MotionLog():
                window = (looking.asked.nonce, looking.since_ns) if looking else None
                self.shining.prompted(room, msg, window, self.now_ns)
            case wire.Occurrence(OccurrenceKind.DURESS):
                self.calls.made()
        self._asks(room, msg)

    def _asks(self, room: Room, msg: Message) -> None:
        if isinstance(msg, wire.PageArmed) and not (self.rules.page and self.typed.endswith("012#")):
            raise Broken("the page is armed, and nobody typed 012 # at a door that has one")
        if room is Room.KEEPER:
            self._asked_of_keeper(msg)
        elif isinstance(msg, _SECRETS):
            raise Broken("what was typed, or what a card says, goes to somebody else than keeper")
        if hasattr(msg, "nonce") and not isinstance(msg, _MORE_OF_IT):
            self.questions[room, msg.nonce] = msg, self.now_ns

    def _asked_of_keeper(self, msg: Message) -> None:
        self.cards.asks(msg, self.now_ns)
        self.keeper_asked = getattr(msg, "nonce", self.keeper_asked)
        if isinstance(msg, wire.CheckPin) and msg.day != self.day:
            raise Broken("keeper is told another day than the door's")

    def card_told(self, command: bytes | None) -> None:
        """Lock says something to the card, or lets it go."""
        self.cards.tells(command, self.cause, self.now_ns)

    # ---- what must hold

    def free_only_by_decision(self, *, free: bool) -> None:
        """At any time, also while lock is dead or stalls."""
        if free and (self.decided_ns is None or self.now_ns - self.decided_ns > self.rules.unlock_ns):
            raise Broken("the door is free without an authorised decision within the time it says")

    def holds(self, *, granted: bool, free: bool, stuck: bool, lit: bool) -> None:
        """After every event: `granted` is lock's word, `free` the strike's. Raises Broken."""
        self.free_only_by_decision(free=free)
        if self.decided_ns is None or self.now_ns - self.decided_ns >= self.rules.unlock_ns:
            self.granted = False
        if granted and not self.granted:
            raise Broken("granted without an authorised decision within the time it says")
        if free is not granted and not stuck:
            raise Broken("the coil does not follow granted")
        self.camera.holds(self._moment(), self.up, lit=lit)
        self.shining.holds(self.now_ns, looking=self.looking is not None)
        self.cards.holds(self.now_ns)

    def helped(self) -> None:
        """What keeper called for is heard, if there is somebody to hear it."""
        self.calls.heard(report=Room.REPORT in self.linked)

    def opened(self, *, free: bool) -> None:
        """An authorised decision opens, unless the line refuses."""
        if self.authorised and not free:
            raise Broken("an authorised decision did not open the door")

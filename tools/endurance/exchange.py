"""What keeper is asked, one thing at a time, and the cards in front of the reader, judged from outside.

Rules kept here:
- Written from docs/rules.md and docs/formats.md. One thing is checked at a time: the next question to keeper comes when
  the one before was answered, or took longer than keeper has, or went to a keeper that is gone.
- keeper talks to the card of the exchange that stands, until it has left, and to no other; what a card says goes to
  keeper under that exchange alone, and keeper hears once that it is gone.
- Every card is let go once: with the end of its exchange, or at once where none begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from device import wire
from device.edges import Room
from device.wire import Message
from tools.endurance.broken import Broken

Questions = dict[tuple[Room, bytes], tuple[Message, int]]
ASKED_OF_KEEPER = (wire.CheckPin, wire.ProvePin, wire.SetPin, wire.ChangeCards, wire.CardShown)


@dataclass(slots=True)
class Exchanges:
    """`questions`: what lock asked and nobody has answered, with its time (ns); `rules` are lock's numbers."""

    questions: Questions
    rules: Any
    held: int = 0  # cards that came and were not let go
    reply: bytes | None = None  # what a card says at this very moment
    _last: bytes = b""  # what keeper was asked last
    _left: bytes = b""  # the exchange whose card is gone
    _told: bytes = b""  # of which keeper knows it

    def card(self, now_ns: int) -> bytes | None:
        """The exchange that stands, by its nonce."""
        standing = self._standing(now_ns)
        return self._last if isinstance(standing, wire.CardShown) else None

    def in_time(self, question: Message, at_ns: int, now_ns: int) -> bool:
        """Whether lock still waits at `now_ns` for the answer to what it asked at `at_ns`."""
        return now_ns < at_ns + int(self.rules.card_ns if isinstance(question, wire.CardShown) else self.rules.check_ns)

    def _standing(self, now_ns: int) -> Message | None:
        asked = self.questions.get((Room.KEEPER, self._last))
        return asked[0] if asked and self.in_time(*asked, now_ns) else None

    # ---- what happens

    def came(self, now_ns: int) -> None:
        """A card is there; one beside another may go when that one may."""
        self.held += self.card(now_ns) is None

    def left(self, now_ns: int) -> None:
        """The card is gone."""
        self._left = self.card(now_ns) or self._left

    def restarted(self) -> None:
        """The reader begins anew with lock."""
        self.held = 0

    # ---- what lock does

    def asks(self, msg: Message, now_ns: int) -> None:
        """Hear lock say `msg` to keeper; what is asked before stands in `questions`. Raises Broken."""
        if isinstance(msg, ASKED_OF_KEEPER):
            if self._standing(now_ns):
                raise Broken("two things are checked at once")
            self._last = msg.nonce
        if isinstance(msg, wire.CardAnswer) and (msg.apdu != self.reply or msg.nonce != self._here(now_ns)):
            raise Broken("keeper hears what the card of that exchange did not say")
        if isinstance(msg, wire.CardGone):
            standing, over = self.card(now_ns) == msg.nonce, (Room.KEEPER, msg.nonce) in self.questions
            if msg.nonce == self._told or not over or (standing and self._left != msg.nonce):
                raise Broken("keeper hears that a card is gone which is there, or hears it twice")
            self._told = msg.nonce

    def tells(self, command: bytes | None, cause: object, now_ns: int) -> None:
        """Hear lock say `command` to the card because of `cause`; None: it may go. Raises Broken."""
        if command is None:
            self.held -= 1
            if self.held < 0:
                raise Broken("a card is let go twice, or one that nobody showed")
        elif cause != wire.CardCommand(self._here(now_ns) or b"", command):
            raise Broken("a card is told what keeper did not say to it")

    def _here(self, now_ns: int) -> bytes | None:
        nonce = self.card(now_ns)
        return None if nonce == self._left else nonce

    def holds(self, now_ns: int) -> None:
        """After every event. Raises Broken."""
        if self.held != (self.card(now_ns) is not None):
            raise Broken("a card is kept that nobody talks to" if self.held else "a card is let go in the middle")

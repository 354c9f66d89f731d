"""`SimulatedCard`: one card in the field of one reader, APDU in, APDU out.

Rules kept here:
- What a real card keeps in EEPROM is in the file before the answer is given: killing the process leaves what pulling
  the card away would leave.
- A card that left the field answers nothing until it is held there again, and has then forgotten everything but its
  memory.
- No APDU, however wrong, ends in anything but an answer or CardGone.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from tools.simulator.cards import apdu, store
from tools.simulator.cards.apdu import Command
from tools.simulator.cards.commands import COMMANDS, iso_select
from tools.simulator.cards.field import Answer, Asked, Field, require
from tools.simulator.cards.memory import SHORT_UID_BYTES, UID_BYTES, Kind, Memory, blank
from tools.simulator.cards.status import CardGone, Iso, Refused, Status

_NATIVE_SW1 = 0x91
_SELECT = 0xA4
_NXP = 0x04  # the first byte of a number of seven bytes is the maker (ISO/IEC 7816-6)
# PC/SC part 3, 3.1.3.2.3: of an ISO 14443-4 card 3B 8n 80 01, its historical bytes (of these chips one, 80), check
# byte; of a storage card the standard's and the card's code instead (MIFARE Classic 1K).
_ATR = bytes.fromhex("3B8180018080")
_STORAGE_ATR = bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")


class SimulatedCard:
    """A card, with the part of its reader that answers FF CA. `path`: the file it lives in; None: in memory only.

    `randomness(n)` gives n bytes: RndB, then TI.
    """

    def __init__(
        self, memory: Memory, path: Path | None = None, randomness: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self.memory = memory
        self.path = path
        self.gone = False
        self._randomness = randomness
        self._field = Field(memory, randomness)
        self._kept = store.encode(memory)
        self._commands_left: int | None = None
        self._answer_lost = False

    @classmethod
    def new(
        cls,
        kind: Kind,
        uid: bytes | None = None,
        path: Path | None = None,
        randomness: Callable[[int], bytes] = secrets.token_bytes,
    ) -> SimulatedCard:
        """A card as delivered; without `uid` with a random number. Writes no file before something changes."""
        if uid is None and kind is Kind.UID_ONLY:
            uid = secrets.token_bytes(SHORT_UID_BYTES)
        elif uid is None:
            uid = bytes([_NXP]) + secrets.token_bytes(UID_BYTES - 1)
        return cls(blank(kind, uid), path, randomness)

    @classmethod
    def load(cls, path: Path, randomness: Callable[[int], bytes] = secrets.token_bytes) -> SimulatedCard:
        """The card in a file. Raises CardFileRefused."""
        return cls(store.load(path), path, randomness)

    def save(self, path: Path | None = None) -> None:
        """Write the card to `path`, which from now on is its file, or to the file it has. Raises CardFileRefused."""
        self.path = path or self.path
        if self.path is not None:
            store.save(self.path, self.memory)
            self._kept = store.encode(self.memory)

    @property
    def kind(self) -> Kind:
        """The chip."""
        return self.memory.kind

    @property
    def uid(self) -> bytes:
        """The number anybody may read."""
        return self.memory.uid

    @property
    def atr(self) -> bytes:
        """The answer to reset that a PC/SC reader makes up for it."""
        return _STORAGE_ATR if self.kind is Kind.UID_ONLY else _ATR

    def reset(self) -> None:
        """The field went off and on, or the card was held to the reader anew."""
        self._field = Field(self.memory, self._randomness)
        self.gone, self._commands_left, self._answer_lost = False, None, False

    def pull_away_after(self, commands: int, *, answer_lost: bool = False) -> None:
        """Leave the field after `commands` more commands; `answer_lost`: the next is still carried out, unanswered."""
        self._commands_left, self._answer_lost = commands, answer_lost

    def process(self, command: bytes) -> bytes:
        """Answer one command APDU. Raises CardGone, or CardFileRefused if its file cannot be written."""
        if self._commands_left == 0 and not self._answer_lost:
            self.gone = True
        if self.gone:
            raise CardGone("the card has left the field")
        answer = self._answer(command)
        self._keep()
        if self._commands_left == 0:
            self.gone = True
            raise CardGone("the card left the field before its answer arrived")
        if self._commands_left is not None:
            self._commands_left -= 1
        return answer

    def _keep(self) -> None:
        now = store.encode(self.memory)
        if self.path is not None and now != self._kept:
            store.save(self.path, self.memory)
        self._kept = now

    def _answer(self, command: bytes) -> bytes:
        parsed = apdu.parse(command)
        if parsed is None:
            return apdu.word(Iso.WRONG_LENGTH)
        if parsed.cla == apdu.READER:
            return apdu.reader_answer(parsed, self.uid)
        if self.kind is Kind.UID_ONLY:
            return apdu.word(Iso.NOT_SUPPORTED)
        if parsed.cla == apdu.NATIVE:
            return self._native(parsed)
        if parsed.cla == apdu.ISO:
            return apdu.word(self._iso(parsed))
        return apdu.word(Iso.NO_SUCH_CLASS)

    def _iso(self, command: Command) -> Iso:
        if self._field.following is not None:
            self._field.drop()
            return Iso.CONDITIONS
        if command.ins != _SELECT:
            return Iso.NO_SUCH_INSTRUCTION
        return iso_select(self._field, command.p1, command.p2, command.data)

    def _native(self, command: Command) -> bytes:
        if command.le != 0:
            return apdu.word(Iso.WRONG_LENGTH)
        try:
            answer = self._obey(command)
        except Refused as refusal:
            self._field.drop()
            answer = Answer(status=refusal.status)
        return answer.data + bytes([_NATIVE_SW1, answer.status])

    def _obey(self, command: Command) -> Answer:
        require(not command.p1 and not command.p2, Status.PARAMETER)
        asked = Asked(command.ins, command.data)
        following, self._field.following = self._field.following, None
        if asked.ins == Status.MORE and following is not None:
            return following(asked.data)
        if following is not None:
            raise Refused(Status.ABORTED)
        handler = COMMANDS[self.kind].get(asked.ins)
        if handler is None:
            raise Refused(Status.ILLEGAL_COMMAND)
        return handler(self._field, asked)

"""What a card holds only while it is in the field, and what every command is handed.

Rules kept here:
- An error ends the session, and what was not committed is forgotten; so does selecting an application.
- While a command or an answer of several frames is under way, only its continuation is obeyed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tools.simulator.cards.memory import PICC, Application, DataFile, Memory, Mode
from tools.simulator.cards.messaging import Session, Unprotected
from tools.simulator.cards.status import Refused, Status

# What is left for data in a native frame of 64 bytes (FSD and FSC of DESFire EV1), after ISO 14443-4 and the status.
FRAME_BYTES = 59


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the bytes before it."""

    data: bytes = b""
    status: Status = Status.OK


@dataclass(frozen=True, slots=True)
class Asked:
    """A native command: instruction byte and parameters."""

    ins: int
    data: bytes


Handler = Callable[["Field", Asked], Answer]


@dataclass(slots=True)
class Field:
    """A card in the field of a reader."""

    memory: Memory
    randomness: Callable[[int], bytes]
    selected: int = PICC
    session: Session = field(default_factory=Unprotected)
    following: Callable[[bytes], Answer] | None = None
    staged: dict[int, bytes] = field(default_factory=dict)  # backup files as they will be after a commit

    def drop(self) -> None:
        """Forget the session and what hangs on it."""
        self.session, self.following = Unprotected(), None
        self.staged.clear()

    def select(self, number: int) -> None:
        """Enter an application, or leave it for PICC."""
        self.drop()
        self.selected = number

    @property
    def application(self) -> Application:
        """The selected application. Raises Refused at the level of the card."""
        if self.selected == PICC:
            raise Refused(Status.PERMISSION_DENIED)
        return self.memory.applications[self.selected]

    def file(self, number: int) -> DataFile:
        """A file of the selected application. Raises Refused."""
        found = self.application.files.get(number)
        if found is None:
            raise Refused(Status.FILE_NOT_FOUND)
        return found

    def good(self, data: bytes = b"", mode: Mode | None = None, *, to_the_end: bool = False) -> Answer:
        """A good answer, protected as the session does it; by default as it does it to `usual` commands."""
        mode = self.session.usual if mode is None else mode
        return Answer(self.session.answer(data, mode, to_the_end=to_the_end))

    def in_frames(self, frames: list[bytes]) -> Answer:
        """The first of `frames`; the others follow on request."""
        if len(frames) == 1:
            return Answer(frames[0])

        def rest(payload: bytes) -> Answer:
            if payload:
                raise Refused(Status.LENGTH)
            return self.in_frames(frames[1:])

        self.following = rest
        return Answer(frames[0], Status.MORE)

    def framed(self, answer: Answer) -> Answer:
        """An answer cut into native frames."""
        data = answer.data
        return self.in_frames([data[at : at + FRAME_BYTES] for at in range(0, len(data), FRAME_BYTES)] or [b""])


def split(payload: bytes, length: int) -> tuple[bytes, bytes]:
    """The first `length` bytes of a command's parameters, and what follows. Raises Refused if they are not there."""
    if len(payload) < length:
        raise Refused(Status.LENGTH)
    return payload[:length], payload[length:]


def require(condition: object, status: Status) -> None:
    """Refuse with `status` unless `condition` holds."""
    if not condition:
        raise Refused(status)
